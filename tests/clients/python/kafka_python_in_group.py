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
# A member that joins before it knows the topic assigns nothing, and joins again as soon as it does.
# Where a poll's time ends during that second join, kafka-python 3.0.12 forgets the join: it has no
# partitions, sends no heartbeats, and never joins again. So it knows the topic first.
consumer.partitions_for_topic(member.TOPIC)
while not member.closing.is_set():
    for rows in consumer.poll(timeout_ms=100).values():
        try:
            consumer.commit()
        except KafkaError:
            continue  # a rebalance came between: whoever has the partition now reads it again
        for row in rows:
            member.record(row.partition, row.offset, row.value)
consumer.close()
