"""kafka-python: a member of a group that prints how many partitions it has, until it is killed."""

import sys

from kafka import KafkaConsumer


def main():
    bootstrap, topic, group = sys.argv[1:]
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group,
                             auto_offset_reset="earliest", session_timeout_ms=6_000,
                             heartbeat_interval_ms=500)
    known = -1
    while True:
        consumer.poll(timeout_ms=100)
        owned = len(consumer.assignment())
        if owned != known:
            known = owned
            print(owned, flush=True)


main()
