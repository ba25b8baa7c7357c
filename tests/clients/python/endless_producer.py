"""Produces numbered records until the broker goes away, and prints `PARTITION OFFSET VALUE` for each
that is acknowledged (idempotent, acks=all). Used by tests/broker/durability.rs.

usage: endless_producer.py BOOTSTRAP TOPIC ROUND
"""

import sys

from confluent_kafka import KafkaError, Producer

PARTITIONS = 3
# An end, so that a test that went wrong does not fill a disk.
RECORDS_MAX = 2_000_000

bootstrap, topic, round_number = sys.argv[1:4]
gone = False


def on_error(error):
    global gone
    gone = gone or error.code() in (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT)


def on_delivery(error, message):
    if error is None:
        print(message.partition(), message.offset(), message.value().decode())


producer = Producer({
    "bootstrap.servers": bootstrap,
    "enable.idempotence": True,
    "linger.ms": 1,
    "queue.buffering.max.messages": 20_000,
    "compression.type": "lz4",
    "error_cb": on_error,
    "log_level": 0,
})
sys.stdout.reconfigure(line_buffering=True)
for number in range(RECORDS_MAX):
    while not gone:
        try:
            producer.produce(topic, f"{round_number}-{number}", partition=number % PARTITIONS,
                             on_delivery=on_delivery)
            break
        except BufferError:
            producer.poll(0.1)
    if gone:
        break
    producer.poll(0)
