"""kafka-python as a member of a group: see member.py."""

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.errors import KafkaError

import member


class Listener(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        member.assigned(())

    def on_partitions_assigned(self, assigned):
        member.assigned(row.partition for row in assigned)


consumer = KafkaConsumer(bootstrap_servers=member.BOOTSTRAP, group_id=member.GROUP,
                         auto_offset_reset="earliest", enable_auto_commit=False, **member.SETTINGS)
consumer.subscribe([member.TOPIC], listener=Listener())
while not member.closing.is_set():
    for rows in consumer.poll(timeout_ms=100).values():
        try:
            consumer.commit()
        except KafkaError:
            continue  # a rebalance came between: whoever has the partition now reads it again
        for row in rows:
            member.record(row.partition, row.offset, row.value)
consumer.close()
