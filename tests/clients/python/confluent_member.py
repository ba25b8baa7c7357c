"""confluent-kafka (librdkafka) as a member of a group: see member.py."""

from confluent_kafka import Consumer, KafkaException, TopicPartition

import member

consumer = Consumer({
    "bootstrap.servers": member.BOOTSTRAP,
    "group.id": member.GROUP,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "topic.metadata.refresh.interval.ms": 1000,
    **member.SETTINGS,
})
owned = set()  # of several topics, where the subscription is an expression
is_incremental = ("cooperative" in str(member.SETTINGS.get("partition.assignment.strategy"))
                  or member.SETTINGS.get("group.protocol") == "consumer")


def say():
    member.assigned({partition for _topic, partition in owned})


def on_assign(_consumer, partitions):
    if not is_incremental:
        owned.clear()
    owned.update((row.topic, row.partition) for row in partitions)
    say()


def on_revoke(_consumer, partitions):
    owned.difference_update((row.topic, row.partition) for row in partitions)
    say()


consumer.subscribe([member.TOPIC], on_assign=on_assign, on_revoke=on_revoke, on_lost=on_revoke)
while not member.closing.is_set():
    message = consumer.poll(0.1)
    if message is None or message.error():
        continue
    try:
        consumer.commit(message, asynchronous=False)
    except KafkaException as why:
        print(f"complaint {message.partition()}-{message.offset()}: {why}", flush=True)
        # A rebalance came between: whoever has the partition now reads it again. In a cooperative
        # group that may be this member, which keeps its partitions and reads on in them.
        if (message.topic(), message.partition()) in owned:
            consumer.seek(TopicPartition(message.topic(), message.partition(), message.offset()))
        continue
    member.record(message.partition(), message.offset(), message.value())
consumer.close()
