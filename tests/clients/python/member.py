"""What the Python members of groups share: their arguments, and the words they print.

The contract stands in tests/broker/member.rs.
"""

import sys
import threading

BOOTSTRAP, GROUP, TOPIC = sys.argv[1:4]


def number(text):
    return int(text) if text.lstrip("-").isdigit() else text


SETTINGS = {key: number(value) for key, value in (pair.split("=", 1) for pair in sys.argv[4:])}

closing = threading.Event()


def listen():
    for line in sys.stdin:
        if line.strip() == "close":
            closing.set()


threading.Thread(target=listen, daemon=True).start()


def assigned(partitions):
    print("assigned", ",".join(str(partition) for partition in sorted(partitions)), flush=True)


def record(partition, offset, value):
    print("record", partition, offset, value.decode(), flush=True)
