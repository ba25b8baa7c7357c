#!/usr/bin/env python3
"""Does a core wait in the kernel? Loads that make a broker wait, the turns of klamm's cores under each,
and which stacks of the kernel its threads slept in (Apache's request handlers likewise).

    perf/stalls.py klamm PROGRAM [LOAD…]       PROGRAM: a klamm, such as target/release/klamm
    perf/stalls.py apache [LOAD…]              with KLAMM=PROGRAM for the clients

Loads: calm, fast, writer, cold, slow, churn. Root, perf, and a machine that does nothing else are needed. The clients
have nice 10, so that the broker is pushed off its processor as little as can be. Everything that is
changed on the machine (vm.dirty_bytes) is put back at the end.
"""
import collections, os, re, shutil, signal, socket, struct, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "target", "stalls")
JARS = os.path.join(os.environ.get("KLAMM_CACHE", os.path.join(HERE, "..", ".cache")), "java", "tools", "jars", "*")
PORT = 29092
SECONDS = int(os.environ.get("SECONDS_EACH", "12"))
DIRTY = {"dirty_bytes": 64 << 20, "dirty_background_bytes": 32 << 20}


def vm(name, value=None):
    path = f"/proc/sys/vm/{name}"
    if value is not None:
        with open(path, "w") as file:
            file.write(str(value))
        return value
    with open(path) as file:
        return int(file.read())


class Broker:
    def __init__(self, kind, program, client):
        self.kind, self.program, self.client = kind, program, client
        self.data = os.path.join(ROOT, kind)
        shutil.rmtree(self.data, ignore_errors=True)
        os.makedirs(self.data)
        self.log = os.path.join(self.data, "stderr")
        if kind == "klamm":
            command = ["nice", "-n", "-5", program, "start",
                       "--override", f"listeners=PLAINTEXT://127.0.0.1:{PORT}",
                       "--override", f"log.dirs={self.data}/logs",
                       "--override", "log.flush.offset.checkpoint.interval.ms=5000",
                       "--override", "log.retention.check.interval.ms=5000",
                       "--override", "log.segment.delete.delay.ms=1000",
                       "--override", "log.segment.bytes=67108864"]
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(self.log, "w"))
            self.pid = self.process.pid
        else:
            properties = os.path.join(self.data, "server.properties")
            with open(properties, "w") as file:
                file.write(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{PORT + 1}
listeners=PLAINTEXT://127.0.0.1:{PORT},CONTROLLER://127.0.0.1:{PORT + 1}
advertised.listeners=PLAINTEXT://127.0.0.1:{PORT}
controller.listener.names=CONTROLLER
log.dirs={self.data}/logs
offsets.topic.replication.factor=1
log.flush.offset.checkpoint.interval.ms=5000
log.retention.check.interval.ms=5000
log.segment.bytes=67108864
log.segment.delete.delay.ms=1000
""")
            java = ["nice", "-n", "-5", "java", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-cp", JARS]
            out = open(self.log, "w")
            subprocess.run(java + ["kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", properties],
                           check=True, stdout=out, stderr=out)
            self.process = subprocess.Popen(java + ["kafka.Kafka", properties], stdout=out, stderr=out)
            self.pid = self.process.pid
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", PORT), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(1 if self.kind == "klamm" else 5)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(os.path.join(self.data, "logs"), ignore_errors=True)

    def topic(self, name, partitions, *settings):
        command = [self.client, "topics", "--bootstrap-server", f"127.0.0.1:{PORT}", "--create", "--topic", name,
                   "--partitions", str(partitions)]
        for pair in settings:
            command += ["--config", pair]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def delete(self, name):
        subprocess.run([self.client, "topics", "--bootstrap-server", f"127.0.0.1:{PORT}", "--delete", "--topic", name],
                       stdout=subprocess.DEVNULL)

    def produce(self, topic, records, rate, *settings, size=1024, producers=1):
        command = ["nice", "-n", "10", self.client, "producer-perf", "--bootstrap-server", f"127.0.0.1:{PORT}",
                   "--topic", topic, "--num-records", str(records), "--record-size", str(size),
                   "--throughput", str(rate), "--producers", str(producers), "--command-property", "acks=1", *settings]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def probe(self, seconds=None):
        """A producer at a fixed rate: what it sees is what the load does to others."""
        rate = 2000
        return self.produce("probe", rate * (seconds or SECONDS), rate, "linger.ms=0")

    def consume(self, topic, records):
        command = ["nice", "-n", "10", self.client, "consumer-perf", "--bootstrap-server", f"127.0.0.1:{PORT}",
                   "--topic", topic, "--num-records", str(records), "--timeout", "30000"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def tell(self):
        """klamm's turns since the last time: a line for each core."""
        if self.kind != "klamm":
            return []
        at = os.path.getsize(self.log)
        os.kill(self.pid, signal.SIGUSR1)
        time.sleep(0.5)
        with open(self.log) as file:
            file.seek(at)
            return [line.split("turns", 1)[1].strip() for line in file if " turns " in line]

    def cpu(self):
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def summary(process):
    lines = [line for line in process.communicate()[0].splitlines() if "99.9th" in line or "rate" in line]
    return lines[-1] if lines else "(no summary)"


# --- loads -----------------------------------------------------------------

def calm(broker):
    others = broker.produce("load", 20_000 * SECONDS, 20_000, "linger.ms=2")
    probe = broker.probe()
    return {"probe": summary(probe), "load": summary(others)}


def fast(broker):
    """As fast as it is taken, while memory is calm: what the rules cost then."""
    records, cpu = 2_000_000, broker.cpu()
    load = summary(broker.produce("load", records, -1, "linger.ms=2", "batch.size=65536", producers=2))
    return {"load": load, "cost": f"{(broker.cpu() - cpu) / (records * 1024 / 1e9):.3f} broker CPU s/GB"}


def writer(broker):
    for name, value in DIRTY.items():
        vm(name, value)
    fast = broker.produce("load", 400_000_000, -1, "linger.ms=2", "batch.size=262144", producers=4)
    probe = broker.probe()
    result = {"probe": summary(probe)}
    fast.send_signal(signal.SIGINT)
    result["load"] = summary(fast)
    return result


def cold(broker):
    before = summary(broker.probe(5))
    end = time.time() + SECONDS
    probe = broker.probe()
    readers = []
    while time.time() < end:
        vm("drop_caches", 1)
        readers = [reader for reader in readers if reader.poll() is None]
        while len(readers) < 3:
            readers.append(broker.consume("cold", 1_500_000))
        time.sleep(0.5)
    for reader in readers:
        reader.kill()
        reader.wait()
    return {"before": before, "probe": summary(probe)}


def fetch_request(topic, partitions, correlation):
    name = topic.encode()
    body = struct.pack(">iiiib", -1, 500, 1, 50 << 20, 0) + struct.pack(">i", 1)
    body += struct.pack(">h", len(name)) + name + struct.pack(">i", partitions)
    for partition in range(partitions):
        body += struct.pack(">iqi", partition, 0, 8 << 20)
    header = struct.pack(">hhih", 1, 4, correlation, 4) + b"slow"
    return struct.pack(">i", len(header) + len(body)) + header + body


def slow(broker):
    vm("drop_caches", 1)
    sockets = []
    for _ in range(100):
        one = socket.create_connection(("127.0.0.1", PORT))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(b"".join(fetch_request("cold", 4, number) for number in range(4)))
        one.setblocking(False)
        sockets.append(one)
    probe = broker.probe()
    while probe.poll() is None:
        for one in sockets:
            try:
                one.recv(3000)
            except BlockingIOError:
                pass
        time.sleep(0.05)
    for one in sockets:
        one.close()
    return {"probe": summary(probe)}


def churn(broker):
    broker.topic("rolls", 8, "segment.bytes=1048576", "retention.bytes=4194304")
    rolls = broker.produce("rolls", 40_000 * SECONDS, 40_000, "linger.ms=5")
    probe = broker.probe()
    broker.topic("many-a", 1000)
    broker.topic("many-b", 1000)
    broker.delete("many-a")
    broker.delete("many-b")
    result = {"probe": summary(probe)}
    rolls.send_signal(signal.SIGINT)
    result["load"] = summary(rolls)
    broker.delete("rolls")
    return result


LOADS = {"calm": calm, "fast": fast, "writer": writer, "cold": cold, "slow": slow, "churn": churn}

# --- where threads slept ---------------------------------------------------

HEAD = re.compile(r"^\s*(.+?)\s+(\d+)(?:/\d+)?\s+\[\d+\]\s+([\d.]+):\s+sched:sched_switch:\s+"
                  r".*?prev_pid=(\d+) prev_prio=\d+ prev_state=(\S+) ==> next_comm=.*? next_pid=(\d+)")
IDLE = ("io_cqring_wait", "futex_wait", "do_epoll_wait", "ep_poll")
DULL = ("__schedule", "schedule", "perf_", "trace_", "__traceiter", "entry_SYSCALL", "do_syscall", "io_schedule",
        "__x64_sys", "schedule_timeout", "ksys_", "vfs_")


def waits(file, tids):
    """Of each sleep of these threads that was no idling: stack, and how long."""
    script = subprocess.run(["perf", "script", "-i", file, "-F", "comm,tid,cpu,time,event,trace,ip,sym"],
                            capture_output=True, text=True).stdout
    out, stacks, preempted = {}, collections.defaultdict(list), []
    event, stack = None, []

    def close():
        if event is None:
            return
        at, previous, state, following = event
        if following in out:
            since, what = out.pop(following)
            (preempted if what is None else stacks[what]).append((at - since) * 1000)
        if previous in tids:
            runs = state.startswith("R") or state == "0"
            if runs:
                out[previous] = (at, None)
            elif not any(name.startswith(IDLE) for name in stack):
                names = [name for name in stack if not name.startswith(DULL)]
                out[previous] = (at, f"{state}: " + " < ".join(names[:9]))

    for line in script.splitlines():
        head = HEAD.match(line)
        if head:
            close()
            event = (float(head[3]), int(head[4]), head[5], int(head[6]))
            stack = []
        elif line.strip() and event:
            parts = line.split()
            if len(parts) > 1:
                stack.append(parts[1])
    close()
    return stacks, preempted


def threads(broker):
    wanted = "shard" if broker.kind == "klamm" else "data-plane-kafk"
    found = set()
    for task in os.listdir(f"/proc/{broker.pid}/task"):
        name = open(f"/proc/{broker.pid}/task/{task}/comm").read()
        if name.startswith(wanted) and not name.startswith("data-plane-kafka-network"):
            found.add(int(task))
    return wanted, found


def run(broker, name):
    wanted, tids = threads(broker)
    trace = os.path.join(ROOT, f"{broker.kind}-{name}.perf")
    broker.tell()
    cpu = broker.cpu()
    perf = None
    if os.environ.get("TRACE", "1") == "1":
        perf = subprocess.Popen(["perf", "record", "-q", "-a", "-e", "sched:sched_switch", "--filter",
                                 f'prev_comm ~ "{wanted}*" || next_comm ~ "{wanted}*"', "-g", "--kernel-callchains",
                                 "-m", "4096", "-o", trace], stderr=subprocess.DEVNULL)
        time.sleep(1)
    result = LOADS[name](broker)
    if perf:
        perf.send_signal(signal.SIGINT)
        perf.wait()
    print(f"\n## {broker.kind}: {name}   broker CPU {broker.cpu() - cpu:.1f} s")
    for key, line in result.items():
        print(f"{key}: {line}")
    for line in broker.tell():
        print("turns:", line)
    if perf:
        stacks, preempted = waits(trace, tids)
        every = sorted(took for stack in stacks.values() for took in stack)
        if every:
            at = lambda q: every[min(len(every) - 1, int(q * len(every)))]
            print(f"waits: {len(every)}, together {sum(every):.1f} ms, p50 {at(.5):.3f} p99 {at(.99):.3f} longest {every[-1]:.3f} ms;"
                  f" over 2 ms: {sum(took > 2 for took in every)}")
        else:
            print("waits: none")
        if preempted:
            print(f"pushed off: {len(preempted)}, together {sum(preempted):.1f} ms, longest {max(preempted):.3f} ms;"
                  f" over 2 ms: {sum(took > 2 for took in preempted)}")
        for stack, times in sorted(stacks.items(), key=lambda item: -sum(item[1]))[:14]:
            print(f"  {len(times):6} x, together {sum(times):9.1f} ms, longest {max(times):8.3f} ms  {stack}")
        os.remove(trace)
    sys.stdout.flush()


def main():
    kind, rest = sys.argv[1], sys.argv[2:]
    program = rest.pop(0) if kind == "klamm" else None
    client = os.environ.get("KLAMM", program)
    os.makedirs(ROOT, exist_ok=True)
    if not os.path.exists("/sys/kernel/tracing/events"):
        subprocess.run(["mount", "-t", "tracefs", "nodev", "/sys/kernel/tracing"], check=True)
    former = {"dirty_ratio": vm("dirty_ratio"), "dirty_background_ratio": vm("dirty_background_ratio")}
    broker = Broker(kind, program, client)
    try:
        broker.topic("probe", 2)
        broker.topic("load", 16, "retention.bytes=134217728")
        names = rest or [name for name in LOADS if name != "fast"]
        if "cold" in names or "slow" in names:
            broker.topic("cold", 4)
            summary(broker.produce("cold", 1_500_000, -1, "linger.ms=5", "batch.size=262144"))
            os.sync()
        for name in names:
            run(broker, name)
            for key, value in former.items():
                vm(key, value)
            os.sync()
    finally:
        for key, value in former.items():
            vm(key, value)
        broker.stop()
        if kind == "klamm":
            with open(broker.log) as file:
                print("\n" + "".join(line for line in file if "WARN" in line or "ERROR" in line)[-3000:])


main()
