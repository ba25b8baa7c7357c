"""confluent-kafka (librdkafka): writes and reads a plan, and reports what each fault answers."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka import OFFSET_BEGINNING
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
    OffsetSpec, ResourceType,
)

import plan as plans

# What librdkafka says itself, without asking the broker again, as Kafka's code.
LOCAL = {KafkaError._UNKNOWN_TOPIC: 3, KafkaError._UNKNOWN_PARTITION: 3}


def code_of(error):
    return LOCAL.get(error.code(), error.code()) if error is not None else 0


def settle(futures):
    """The code of the one future of an admin call."""
    (future,) = futures.values()
    try:
        future.result(timeout=30)
        return 0
    except KafkaException as exception:
        return code_of(exception.args[0])


def create(plan, topics, _report):
    admin = AdminClient({"bootstrap.servers": plan["bootstrap"]})
    for future in admin.create_topics([
        NewTopic(topic.name, topic.partitions, 1, config=topic.configs) for topic in topics
    ]).values():
        future.result(timeout=30)


def producer_of(plan, topic):
    return Producer({
        "bootstrap.servers": plan["bootstrap"],
        "compression.type": topic.codec,
        "acks": topic.acks,
        "enable.idempotence": topic.idempotent,
        "linger.ms": 20,
        "batch.size": 65536,
        "message.max.bytes": 4_000_000,
        "topic.metadata.propagation.max.ms": 1,
    })


def produce(plan, topics, report):
    create(plan, topics, report)
    for topic in topics:
        producer = producer_of(plan, topic)
        acked = report.acked[topic.name] = [None] * len(topic.records)

        def delivered(error, message, index):
            if error is not None:
                raise KafkaException(error)
            acked[index] = message.offset() if topic.acks != "0" else None

        for index, record in enumerate(topic.records):
            producer.produce(
                topic.name, partition=record["partition"], timestamp=record["timestamp"],
                key=record["key"], value=record["value"], headers=record["headers"],
                on_delivery=lambda error, message, index=index: delivered(error, message, index),
            )
        if producer.flush(60) > 0:
            raise RuntimeError(f"{producer.flush(0)} records of {topic.name} were never acknowledged")


def read(plan, topics, report):
    consumer = Consumer({
        "bootstrap.servers": plan["bootstrap"],
        "group.id": "never-joined",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "check.crcs": True,
        "fetch.message.max.bytes": plan["fetch_bytes"],
    })
    for topic in topics:
        wanted = sum(topic.counts().values())
        consumer.assign([TopicPartition(topic.name, index, OFFSET_BEGINNING)
                         for index in range(topic.partitions)])
        deadline = time.monotonic() + 60
        while wanted > 0 and time.monotonic() < deadline:
            for message in consumer.consume(500, timeout=1):
                if message.error():
                    raise KafkaException(message.error())
                report.saw(topic.name, message.partition(), message.offset(), message.timestamp()[1],
                           message.key(), message.value(), message.headers())
                wanted -= 1
        for message in consumer.consume(1, timeout=0.2):
            raise RuntimeError(f"{topic.name}: more records than were written, offset {message.offset()}")
    consumer.close()


def round_trip(plan, topics, report):
    produce(plan, topics, report)
    read(plan, topics, report)


def offset_at(admin, partition, spec):
    (future,) = admin.list_offsets({partition: spec}).values()
    return future.result(timeout=30).offset


def faults(plan, topics, report):
    topic = topics[0]
    said = report.outcomes
    admin = AdminClient({"bootstrap.servers": plan["bootstrap"]})

    def new(name, replicas=1):
        return settle(admin.create_topics([NewTopic(name, 1, replicas)]))

    create(plan, topics, report)
    said["create an existing topic"] = new(topic.name)
    said["create a topic with a bad name"] = new("no/slash")
    said["create a topic with 3 replicas"] = new(topic.name + "-3", replicas=3)

    answers = {}
    producer = producer_of(plan, topic)

    def send(what, name, value, **more):
        producer.produce(name, value=value, **more,
                         on_delivery=lambda error, message: answers.update({what: code_of(error)}))
        producer.flush(30)

    send("produce to an unknown topic", plan["missing"], b"lost")
    send("produce a record that is too large", topic.name, b"x" * 10_000, partition=0)
    for index in range(10):
        send("produce", topic.name, b"v%d" % index, partition=0, timestamp=1_000_000 + index * 1000)
    said.update(answers)

    first = TopicPartition(topic.name, 0)
    said["offset, earliest"] = offset_at(admin, first, OffsetSpec.earliest())
    said["offset, latest"] = offset_at(admin, first, OffsetSpec.latest())
    said["offset at a time"] = offset_at(admin, first, OffsetSpec.for_timestamp(1_004_500))
    said["offset at the largest time"] = offset_at(admin, first, OffsetSpec.max_timestamp())
    said["offset after all times"] = offset_at(admin, first, OffsetSpec.for_timestamp(9_000_000))

    consumer = Consumer({"bootstrap.servers": plan["bootstrap"], "group.id": "never-joined",
                         "auto.offset.reset": "error", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic.name, 0, 4711)])
    (message,) = consumer.consume(1, timeout=30)
    local = KafkaError._AUTO_OFFSET_RESET
    said["fetch beyond the end"] = 1 if message.error().code() == local else code_of(message.error())
    consumer.close()

    def grow(count):
        return settle(admin.create_partitions([NewPartitions(topic.name, count)]))

    said["create partitions"] = grow(4)
    said["create fewer partitions"] = grow(2)
    said["partitions"] = plans.settled(
        lambda: len(admin.list_topics(topic.name, timeout=30).topics[topic.name].partitions), 4)

    resource = ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=[
        ConfigEntry("retention.ms", "777000", incremental_operation=AlterConfigOpType.SET)])
    said["alter a config"] = settle(admin.incremental_alter_configs([resource]))
    (configs,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic.name)]).values()
    said["retention.ms"] = int(configs.result(timeout=30)["retention.ms"].value)
    bad = ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=[
        ConfigEntry("retention.ms", "soon", incremental_operation=AlterConfigOpType.SET)])
    said["alter a config to nonsense"] = settle(admin.incremental_alter_configs([bad]))

    (deleted,) = admin.delete_records([TopicPartition(topic.name, 0, 4)]).values()
    said["delete records"] = deleted.result(timeout=30).low_watermark
    said["offset, earliest, after deleting records"] = offset_at(admin, first, OffsetSpec.earliest())

    said["delete an unknown topic"] = settle(admin.delete_topics([plan["missing"]]))
    said["delete a topic"] = settle(admin.delete_topics([topic.name]))
    said["the deleted topic is listed"] = plans.settled(
        lambda: int(topic.name in admin.list_topics(timeout=30).topics), 0)


if __name__ == "__main__":
    plans.run({"produce": produce, "read": read, "round-trip": round_trip, "faults": faults})
