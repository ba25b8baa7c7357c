#!/usr/bin/env python3
"""Two klamm binaries in turn, A B B A: is a change worth keeping?

    perf/alternate.py OLD NEW [--pairs 5] [--load produce-1k] [--gb 2] [--perf FILE]

Each run has a fresh broker and fresh folders below target/, on the same disk; OLD's producer-perf drives
both. What is told is the broker's CPU (utime + stime of /proc/PID/stat) for each GB of values or each record.
A binary may be followed by @NAME=VALUE,...: its environment. --perf writes a profile of the last run.
It decides between two designs; a claim about Apache comes from `cargo dev bench`.
"""
import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import time

# Partitions, bytes of a value, settings, flags, and how many records where bytes do not say it.
BIG = ["acks=1", "linger.ms=5", "batch.size=131072"]
ONE = ["acks=1", "linger.ms=0", "batch.size=1", "max.in.flight.requests.per.connection=1"]
LOADS = {
    "produce-1k": (16, 1024, BIG, ["--producers", "2"], None),
    "produce-1k-100": (100, 1024, BIG, ["--producers", "2"], None),
    "produce-1k-slow": (16, 1024, BIG, ["--throughput", "250000"], None),
    "produce-100b": (6, 100, BIG, ["--producers", "2"], None),
    "requests-1": (16, 100, ONE, ["--producers", "64"], 400_000),
}
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = f"{ROOT}/target/alternate-{os.getpid()}"
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cpu_seconds(process):
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def warm_memory():
    """A guest's memory may have to be taken back from its host first: that is nobody's cost."""
    path = f"{WORK}/warm"
    with open(path, "wb") as file:
        file.truncate(5 << 30)
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass
    os.unlink(path)


def run(binary, driver, load, gigabytes, profile):
    partitions, size, settings, flags, records = LOADS[load]
    records = records or int(gigabytes * 1e9 / size)
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    os.sync()
    warm_memory()
    path, _, environment = binary.partition("@")
    extra = dict(pair.split("=", 1) for pair in environment.split(",") if pair)
    address = f"127.0.0.1:{free_port()}"
    overrides = [f"listeners=PLAINTEXT://{address}", f"log.dirs={WORK}/data", f"num.partitions={partitions}"]
    broker = subprocess.Popen(
        [path, "start"] + [word for it in overrides for word in ("--override", it)],
        env=os.environ | extra, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        produce = [driver, "producer-perf", "--bootstrap-server", address, "--topic", "alternate",
                   "--record-size", str(size), *flags]
        produce += [word for it in settings for word in ("--command-property", it)]
        quiet = {"check": True, "stdout": subprocess.DEVNULL}
        time.sleep(0.5)
        # The topic is made, and buffers and logs have grown, before anything counts.
        subprocess.run([*produce, "--num-records", str(max(64, min(records // 20, 200_000)))], **quiet)
        recorder = None
        if profile:
            recorder = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-g", "-o", profile,
                                         "-p", str(broker.pid)], stderr=subprocess.DEVNULL)
        before, start = cpu_seconds(broker.pid), time.monotonic()
        subprocess.run([*produce, "--num-records", str(records)], **quiet)
        seconds, cpu = time.monotonic() - start, cpu_seconds(broker.pid) - before
        if recorder:
            recorder.send_signal(signal.SIGINT)
            recorder.wait()
        return cpu / (records * size / 1e9), cpu / records * 1e6, records * size / 1e6 / seconds
    finally:
        broker.terminate()
        broker.wait()
        shutil.rmtree(WORK, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--load", choices=LOADS, default="produce-1k")
    parser.add_argument("--gb", type=float, default=2.0)
    parser.add_argument("--perf")
    arguments = parser.parse_args()
    contestants = {"old": arguments.old, "new": arguments.new}
    driver = arguments.old.partition("@")[0]
    figures = {"old": [], "new": []}
    for pair in range(arguments.pairs):
        for name in ("old", "new") if pair % 2 == 0 else ("new", "old"):
            one = run(contestants[name], driver, arguments.load, arguments.gb, arguments.perf)
            figures[name].append(one)
            print(f"{name}  {one[0]:.3f} CPU s/GB  {one[1]:.2f} us/record  {one[2]:.0f} MB/s", flush=True)
    for name, runs in figures.items():
        cpu, each, rate = (statistics.median(values) for values in zip(*runs))
        print(f"{name}, median  {cpu:.3f} CPU s/GB  {each:.2f} us/record  {rate:.0f} MB/s")
    ratios = sorted(new[0] / old[0] for old, new in zip(figures["old"], figures["new"]))
    print(f"new / old, CPU  {statistics.median(ratios):.3f} ({ratios[0]:.3f} … {ratios[-1]:.3f})")


main()
