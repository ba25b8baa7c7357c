"""What tests/broker/exchange.rs asks of a broker whose directory changes hands.

usage: exchange.py create BOOTSTRAP              topics with settings, one deleted again; a broker's setting
       exchange.py describe BOOTSTRAP            prints all of that as JSON
       exchange.py transactions BOOTSTRAP TOPIC  some committed, some aborted, one left open
       exchange.py finish BOOTSTRAP TOPIC        who left it open comes back, and writes one more
"""

import json
import os
import sys
import time

from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource, NewPartitions, NewTopic,
    ResourceType,
)

# A topic, its partitions, its settings.
TOPICS = [
    ("orders", 3, {"retention.ms": "-1", "max.message.bytes": "2000000"}),
    ("small.segments", 1, {"segment.bytes": "1048576", "compression.type": "zstd"}),
    ("gone", 2, {}),
    ("compacted", 1, {"cleanup.policy": "compact"}),
]
# What somebody has set, and where.
DYNAMIC = {
    ConfigSource.DYNAMIC_TOPIC_CONFIG.value: "topic",
    ConfigSource.DYNAMIC_BROKER_CONFIG.value: "broker",
    ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG.value: "cluster",
}


def wait(futures):
    return {key: future.result(timeout=60) for key, future in futures.items()}


def alter(admin, kind, name, **settings):
    entries = [ConfigEntry(key.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
               for key, value in settings.items()]
    wait(admin.incremental_alter_configs([ConfigResource(kind, name, incremental_configs=entries)]))


def create(admin):
    wait(admin.create_topics([NewTopic(name, count, 1, config=config) for name, count, config in TOPICS]))
    wait(admin.create_partitions([NewPartitions("compacted", 2)]))
    alter(admin, ResourceType.TOPIC, "orders", segment_ms="86400000")
    alter(admin, ResourceType.BROKER, "1", log_retention_ms="888000000")
    wait(admin.delete_topics(["gone"]))


def settled(admin):
    """The cluster, once every partition has a leader: a broker that just started has yet to take the lead."""
    for _ in range(600):
        metadata = admin.list_topics(timeout=60)
        partitions = [one for topic in metadata.topics.values() for one in topic.partitions.values()]
        if partitions and all(one.leader >= 0 for one in partitions):
            return metadata
        time.sleep(0.1)
    raise RuntimeError("some partitions have no leader")


def describe(admin):
    metadata = settled(admin)
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in metadata.topics]
    resources += [ConfigResource(ResourceType.BROKER, "1")]
    configs = {}
    for resource in resources:
        for described, entries in wait(admin.describe_configs([resource])).items():
            configs[described.name] = {
                f"{DYNAMIC[entry.source]} {name}": entry.value
                for name, entry in entries.items() if entry.source in DYNAMIC
            }
    return {
        "cluster": metadata.cluster_id,
        "brokers": sorted(metadata.brokers),
        "topics": {
            name: {
                partition.id: [partition.leader, partition.replicas, partition.isrs]
                for partition in topic.partitions.values()
            }
            for name, topic in metadata.topics.items()
        },
        "configs": configs,
    }


def transactional(bootstrap, name):
    producer = Producer({
        "bootstrap.servers": bootstrap,
        "transactional.id": name,
        "transaction.timeout.ms": 900_000,
        "compression.type": "lz4",
    })
    producer.init_transactions(60)
    return producer


def write(producer, topic, kind, count, padding=0):
    def delivered(error, _message):
        if error is not None:
            raise RuntimeError(f"{kind}: {error}")

    for number in range(count):
        value = f"{kind}-{number} " + os.urandom(padding // 2).hex()
        producer.produce(topic, value, partition=0, on_delivery=delivered)
    if producer.flush(60) > 0:
        raise RuntimeError(f"{kind}: not all records were acknowledged")


def transactions(bootstrap, topic):
    first = transactional(bootstrap, "first")
    second = transactional(bootstrap, "second")
    plain = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    first.begin_transaction()
    write(first, topic, "committed", 10)
    second.begin_transaction()
    # The marker lies in another segment than most of the records.
    write(second, topic, "aborted-large", 80, padding=40_000)
    write(plain, topic, "plain", 5)
    first.commit_transaction(60)
    first.begin_transaction()
    write(first, topic, "aborted", 5)
    first.abort_transaction(60)
    second.abort_transaction(60)
    write(plain, topic, "plain-later", 5)
    second.begin_transaction()
    write(second, topic, "open", 5)
    first.begin_transaction()
    write(first, topic, "committed-above-open", 5)
    first.commit_transaction(60)
    sys.stdout.flush()
    # The second transaction stays open: nobody says goodbye.
    os._exit(0)


def finish(bootstrap, topic):
    second = transactional(bootstrap, "second")
    second.begin_transaction()
    write(second, topic, "committed-at-last", 5)
    second.commit_transaction(60)


def main():
    verb, bootstrap, *rest = sys.argv[1:]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    if verb == "create":
        create(admin)
    elif verb == "describe":
        print(json.dumps(describe(admin), sort_keys=True))
    elif verb == "transactions":
        transactions(bootstrap, *rest)
    elif verb == "finish":
        finish(bootstrap, *rest)
    else:
        raise SystemExit(f"no verb {verb}")


main()
