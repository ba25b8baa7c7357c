"""aiokafka: writes and reads a plan, and reports what each fault answers."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

import plan as plans


async def admin_of(plan):
    admin = AIOKafkaAdminClient(bootstrap_servers=plan["bootstrap"])
    await admin.start()
    return admin


async def create(plan, topics, _report):
    admin = await admin_of(plan)
    response = await admin.create_topics([
        NewTopic(topic.name, topic.partitions, 1, topic_configs=topic.configs) for topic in topics
    ])
    await admin.close()
    refused = [row for row in response.topic_errors if row[1] != 0]
    if refused:
        raise RuntimeError(f"topics were not created: {refused}")


def producer_of(plan, topic):
    return AIOKafkaProducer(
        bootstrap_servers=plan["bootstrap"],
        compression_type=None if topic.codec == "none" else topic.codec,
        acks={"0": 0, "1": 1, "all": "all"}[topic.acks],
        enable_idempotence=topic.idempotent,
        linger_ms=20,
        max_batch_size=65536,
        max_request_size=4_000_000,
        request_timeout_ms=5_000,
    )


async def produce(plan, topics, report):
    await create(plan, topics, report)
    for topic in topics:
        producer = producer_of(plan, topic)
        await producer.start()
        futures = [
            await producer.send(topic.name, partition=record["partition"],
                                timestamp_ms=record["timestamp"], key=record["key"],
                                value=record["value"], headers=record["headers"])
            for record in topic.records
        ]
        metadata = [await future for future in futures]
        report.acked[topic.name] = [None if topic.acks == "0" else row.offset for row in metadata]
        await producer.stop()


async def read(plan, topics, report):
    for topic in topics:
        consumer = AIOKafkaConsumer(bootstrap_servers=plan["bootstrap"], auto_offset_reset="none",
                                    enable_auto_commit=False, check_crcs=True,
                                    max_partition_fetch_bytes=plan["fetch_bytes"])
        await consumer.start()
        consumer.assign([TopicPartition(topic.name, index) for index in range(topic.partitions)])
        await consumer.seek_to_beginning()
        wanted = sum(topic.counts().values())
        deadline = time.monotonic() + 60
        while wanted > 0 and time.monotonic() < deadline:
            for rows in (await consumer.getmany(timeout_ms=1000)).values():
                for row in rows:
                    report.saw(topic.name, row.partition, row.offset, row.timestamp, row.key,
                               row.value, row.headers)
                    wanted -= 1
        if await consumer.getmany(timeout_ms=200):
            raise RuntimeError(f"{topic.name}: more records than were written")
        await consumer.stop()


async def round_trip(plan, topics, report):
    await produce(plan, topics, report)
    await read(plan, topics, report)


async def code_of(awaitable):
    """Kafka's code for what the awaitable raises, or 0."""
    try:
        await awaitable
        return 0
    except KafkaError as error:
        return error.errno


async def faults(plan, topics, report):
    topic = topics[0]
    said = report.outcomes
    await create(plan, topics, report)
    admin = await admin_of(plan)

    async def new(name, replicas=1):
        response = await admin.create_topics([NewTopic(name, 1, replicas)])
        return response.topic_errors[0][1]

    said["create an existing topic"] = await new(topic.name)
    said["create a topic with a bad name"] = await new("no/slash")
    said["create a topic with 3 replicas"] = await new(topic.name + "-3", replicas=3)

    producer = producer_of(plan, topic)
    await producer.start()
    said["produce a record that is too large"] = await code_of(
        producer.send_and_wait(topic.name, b"x" * 10_000, partition=0))
    for index in range(10):
        await producer.send_and_wait(topic.name, b"v%d" % index, partition=0,
                                     timestamp_ms=1_000_000 + index * 1000)
    await producer.stop()

    first = TopicPartition(topic.name, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=plan["bootstrap"], auto_offset_reset="none",
                                enable_auto_commit=False)
    await consumer.start()
    consumer.assign([first])

    async def offset_at(milliseconds):
        answer = (await consumer.offsets_for_times({first: milliseconds}))[first]
        return -1 if answer is None else answer.offset

    said["offset, earliest"] = (await consumer.beginning_offsets([first]))[first]
    said["offset, latest"] = (await consumer.end_offsets([first]))[first]
    said["offset at a time"] = await offset_at(1_004_500)
    said["offset after all times"] = await offset_at(9_000_000)
    consumer.seek(first, 4711)
    try:
        await asyncio.wait_for(consumer.getone(), 30)
    except OffsetOutOfRangeError as error:
        said["fetch beyond the end"] = error.errno

    said["create partitions"] = await code_of(
        admin.create_partitions({topic.name: NewPartitions(4)}))
    said["create fewer partitions"] = await code_of(
        admin.create_partitions({topic.name: NewPartitions(2)}))

    async def partition_count():
        return len((await admin.describe_topics([topic.name]))[0]["partitions"])

    said["partitions"] = await settled(partition_count, 4)

    def resource(configs):
        return ConfigResource(ConfigResourceType.TOPIC, topic.name, configs)

    (altered, *_) = await admin.alter_configs([resource({"retention.ms": "777000"})])
    said["alter a config"] = altered.resources[0][0]
    (described, *_) = await admin.describe_configs([resource({"retention.ms": None})])
    said["retention.ms"] = int(described.resources[0][4][0][1])

    low_watermarks = await admin.delete_records({first: RecordsToDelete(4)})
    said["delete records"] = low_watermarks[first]
    said["offset, earliest, after deleting records"] = (await consumer.beginning_offsets([first]))[first]
    await consumer.stop()

    deleted = await admin.delete_topics([plan["missing"]])
    said["delete an unknown topic"] = deleted.topic_error_codes[0][1]
    deleted = await admin.delete_topics([topic.name])
    said["delete a topic"] = deleted.topic_error_codes[0][1]

    async def is_listed():
        return int(topic.name in await admin.list_topics())

    said["the deleted topic is listed"] = await settled(is_listed, 0)
    await admin.close()


async def settled(look, wanted, seconds=30):
    """As plan.settled, for what must be awaited."""
    deadline = time.monotonic() + seconds
    while True:
        seen = await look()
        if seen == wanted or time.monotonic() > deadline:
            return seen
        await asyncio.sleep(0.05)


def blocking(verb):
    return lambda plan, topics, report: asyncio.run(verb(plan, topics, report))


if __name__ == "__main__":
    plans.run({name: blocking(verb) for name, verb in {
        "produce": produce, "read": read, "round-trip": round_trip, "faults": faults}.items()})
