"""aiokafka as a member of a group: see member.py."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import KafkaError

import member


class Listener(ConsumerRebalanceListener):
    async def on_partitions_revoked(self, revoked):
        member.assigned(())

    async def on_partitions_assigned(self, assigned):
        member.assigned(row.partition for row in assigned)


async def live():
    consumer = AIOKafkaConsumer(bootstrap_servers=member.BOOTSTRAP, group_id=member.GROUP,
                                auto_offset_reset="earliest", enable_auto_commit=False,
                                **member.SETTINGS)
    consumer.subscribe([member.TOPIC], listener=Listener())
    await consumer.start()
    while not member.closing.is_set():
        for partition, rows in (await consumer.getmany(timeout_ms=100)).items():
            try:
                await consumer.commit({partition: rows[-1].offset + 1})
            except KafkaError:
                continue  # a rebalance came between: whoever has the partition now reads it again
            for row in rows:
                member.record(row.partition, row.offset, row.value)
    await consumer.stop()


asyncio.run(live())
