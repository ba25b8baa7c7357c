"""What the Python clients share: reading the plan they are given, writing the report they owe.

A plan (see tests/broker/plan.rs) names topics with their records, byte strings in hex, None as null.
A report says what the client was told (`acked`), saw (`read`) and met (`outcomes`).
"""

import json
import sys
import time
from collections import Counter


def unhex(text):
    return None if text is None else bytes.fromhex(text)


def tohex(data):
    return None if data is None else bytes(data).hex()


def settled(look, wanted, seconds=30):
    """What `look` says once it says `wanted`, or at last: metadata reaches a broker a moment later."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen == wanted or time.monotonic() > deadline:
            return seen
        time.sleep(0.05)


class Report:
    def __init__(self):
        self.acked = {}
        self.read = {}
        self.outcomes = {}

    def saw(self, topic, partition, offset, timestamp, key, value, headers):
        self.read.setdefault(topic, []).append({
            "partition": partition,
            "offset": offset,
            "timestamp": timestamp,
            "key": tohex(key),
            "value": tohex(value),
            "headers": [[name, tohex(content)] for name, content in headers or []],
        })


class Topic:
    """One topic of the plan, its records decoded."""

    def __init__(self, plan):
        self.name = plan["name"]
        self.partitions = plan["partitions"]
        self.configs = plan["configs"]
        self.codec = plan["codec"]
        self.acks = plan["acks"]
        self.idempotent = plan["idempotent"]
        self.records = [
            dict(
                record,
                key=unhex(record["key"]),
                value=unhex(record["value"]),
                headers=[(name, unhex(content)) for name, content in record["headers"]],
            )
            for record in plan["records"]
        ]

    def counts(self):
        """How many records each partition should hold."""
        return Counter(record["partition"] for record in self.records)


def run(verbs):
    """Runs `PROGRAM VERB PLAN REPORT` with the functions given: plan, topics, report."""
    verb, plan_path, report_path = sys.argv[1:4]
    with open(plan_path, encoding="utf-8") as file:
        plan = json.load(file)
    report = Report()
    verbs[verb](plan, [Topic(topic) for topic in plan["topics"]], report)
    with open(report_path, "w", encoding="utf-8") as file:
        json.dump(vars(report), file)
    records = sum(len(rows) for rows in report.read.values())
    print(f"{sys.argv[0].rsplit('/', 1)[-1]} {verb}: {len(report.acked)} topics written, "
          f"{records} records read, {len(report.outcomes)} outcomes")
