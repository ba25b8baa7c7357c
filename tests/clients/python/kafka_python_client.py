"""kafka-python: writes and reads a plan, and reports what each fault answers."""

import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError, OffsetOutOfRangeError
from kafka.structs import OffsetAndTimestamp

import plan as plans

EARLIEST, LATEST, MAX_TIMESTAMP = -2, -1, -3


def code_of(call):
    """Kafka's code for what `call` raises, or 0."""
    try:
        call()
        return 0
    except KafkaError as error:
        return error.errno


def create(plan, topics, _report):
    admin = KafkaAdminClient(bootstrap_servers=plan["bootstrap"])
    admin.create_topics([NewTopic(topic.name, topic.partitions, 1, topic_configs=topic.configs)
                         for topic in topics])
    admin.close()


def producer_of(plan, topic):
    return KafkaProducer(
        bootstrap_servers=plan["bootstrap"],
        compression_type=None if topic.codec == "none" else topic.codec,
        acks={"0": 0, "1": 1, "all": "all"}[topic.acks],
        enable_idempotence=topic.idempotent,
        linger_ms=20,
        batch_size=65536,
        max_request_size=4_000_000,
        max_block_ms=5_000,
        allow_auto_create_topics=False,
    )


def produce(plan, topics, report):
    create(plan, topics, report)
    for topic in topics:
        producer = producer_of(plan, topic)
        futures = [
            producer.send(topic.name, partition=record["partition"],
                          timestamp_ms=record["timestamp"], key=record["key"],
                          value=record["value"], headers=record["headers"])
            for record in topic.records
        ]
        producer.flush(60)
        metadata = [future.get(timeout=60) for future in futures]
        report.acked[topic.name] = [None if topic.acks == "0" else row.offset for row in metadata]
        producer.close()


def read(plan, topics, report):
    for topic in topics:
        consumer = KafkaConsumer(bootstrap_servers=plan["bootstrap"], auto_offset_reset="none",
                                 enable_auto_commit=False, check_crcs=True,
                                 max_partition_fetch_bytes=plan["fetch_bytes"])
        partitions = [TopicPartition(topic.name, index) for index in range(topic.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        wanted = sum(topic.counts().values())
        deadline = time.monotonic() + 60
        while wanted > 0 and time.monotonic() < deadline:
            for rows in consumer.poll(timeout_ms=1000).values():
                for row in rows:
                    report.saw(topic.name, row.partition, row.offset, row.timestamp, row.key,
                               row.value, row.headers)
                    wanted -= 1
        if consumer.poll(timeout_ms=200):
            raise RuntimeError(f"{topic.name}: more records than were written")
        consumer.close()


def round_trip(plan, topics, report):
    produce(plan, topics, report)
    read(plan, topics, report)


def faults(plan, topics, report):
    topic = topics[0]
    said = report.outcomes
    create(plan, topics, report)
    admin = KafkaAdminClient(bootstrap_servers=plan["bootstrap"])

    def new(name, replicas=1):
        return code_of(lambda: admin.create_topics([NewTopic(name, 1, replicas)]))

    said["create an existing topic"] = new(topic.name)
    said["create a topic with a bad name"] = new("no/slash")
    said["create a topic with 3 replicas"] = new(topic.name + "-3", replicas=3)

    def send(producer, value, **more):
        producer.send(topic.name, value=value, partition=0, **more).get(timeout=30)

    said["produce a record that is too large"] = code_of(
        lambda: send(producer_of(plan, topic), b"x" * 10_000))
    producer = producer_of(plan, topic)
    for index in range(10):
        send(producer, b"v%d" % index, timestamp_ms=1_000_000 + index * 1000)
    producer.close()

    first = TopicPartition(topic.name, 0)

    def offset_at(time_or_word):
        answer = admin.list_partition_offsets({first: time_or_word})[first]
        return answer.offset if isinstance(answer, OffsetAndTimestamp) else -1

    said["offset, earliest"] = offset_at(EARLIEST)
    said["offset, latest"] = offset_at(LATEST)
    said["offset at a time"] = offset_at(1_004_500)
    said["offset at the largest time"] = offset_at(MAX_TIMESTAMP)
    said["offset after all times"] = offset_at(9_000_000)

    consumer = KafkaConsumer(bootstrap_servers=plan["bootstrap"], auto_offset_reset="none",
                             enable_auto_commit=False)
    consumer.assign([first])
    consumer.seek(first, 4711)
    said["fetch beyond the end"] = fetch_error(consumer)
    consumer.close()

    said["create partitions"] = code_of(lambda: admin.create_partitions({topic.name: 4}))
    said["create fewer partitions"] = code_of(lambda: admin.create_partitions({topic.name: 2}))
    said["partitions"] = plans.settled(
        lambda: len(admin.describe_topics([topic.name])[0]["partitions"]), 4)

    def resource(configs):
        return ConfigResource(ConfigResourceType.TOPIC, topic.name, configs)

    said["alter a config"] = code_of(lambda: admin.alter_configs([resource({"retention.ms": "777000"})]))
    described = admin.describe_configs([resource({"retention.ms": None})], config_filter="all")
    (by_name,) = described.values()
    said["retention.ms"] = int(by_name[topic.name]["retention.ms"]["value"])

    low_watermarks = admin.delete_records({first: 4})
    said["delete records"] = low_watermarks[first]["low_watermark"]
    said["offset, earliest, after deleting records"] = offset_at(EARLIEST)

    said["delete an unknown topic"] = code_of(lambda: admin.delete_topics([plan["missing"]]))
    said["delete a topic"] = code_of(lambda: admin.delete_topics([topic.name]))
    said["the deleted topic is listed"] = plans.settled(
        lambda: int(topic.name in admin.list_topics()), 0)
    admin.close()


def fetch_error(consumer):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            consumer.poll(timeout_ms=500)
        except OffsetOutOfRangeError as error:
            return error.errno
        except KafkaError as error:
            return repr(error)
    return None


if __name__ == "__main__":
    plans.run({"produce": produce, "read": read, "round-trip": round_trip, "faults": faults})
