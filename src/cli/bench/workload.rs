//! The workloads by name: what each does, in words, what it does not show, and which of its figures
//! are compared.

use crate::cli::perf::schedule::Schedule;
use crate::client::producer::{Acks, ProducerOptions};
use crate::record::Compression;
use std::time::Duration;

/// A workload.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its title on the page.
    pub title: &'static str,
    /// What it does, for a person.
    pub description: &'static str,
    /// What it does not show.
    pub shows_not: &'static [&'static str],
    /// What is done.
    pub kind: Kind,
    /// What is compared: in words, and the figure. The first is the one that counts.
    pub compared: &'static [(&'static str, &'static str)],
}

/// What a workload does.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Producers send.
    Produce(Producing),
    /// Consumers read what was written before.
    Fetch(Fetching),
    /// Producers send, first alone, then while a consumer reads what is no longer in memory.
    CatchUp {
        /// How they send.
        producing: Producing,
        /// What is read, and by whom.
        reading: Fetching,
    },
    /// Records are sent when they are due, and timed until a consumer has them.
    EndToEnd {
        /// How many a second.
        pace: Pace,
        /// Bytes of each.
        record_bytes: u32,
    },
    /// So many connections are open and ask nothing.
    IdleConnections(u32),
    /// So many partitions are there, and nobody uses them.
    IdlePartitions(i32),
    /// Nothing is done.
    Idle,
}

/// Records per second that nobody delivers: what is due is sent as fast as it goes through.
const UNBOUNDED: f64 = 1e6;

/// How many records fall due in a second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Pace {
    /// So many.
    Rate(f64),
    /// A part of what the slower side delivers at most.
    Part {
        /// Of a hundred.
        percent: u32,
        /// Records per second. `None` until it was found out: then as many are due as go through.
        most: Option<f64>,
    },
}

impl Pace {
    /// Records per second.
    #[must_use]
    pub fn rate(self) -> f64 {
        match self {
            Pace::Rate(rate) => rate,
            Pace::Part { percent, most } => {
                most.map_or(UNBOUNDED, |most| most * f64::from(percent) / 100.0)
            }
        }
    }

    /// Whether records fall due at a rate, and not as fast as they go through.
    #[must_use]
    pub fn is_bounded(self) -> bool {
        match self {
            Pace::Rate(_) => true,
            Pace::Part { most, .. } => most.is_some(),
        }
    }

    /// The same in words.
    #[must_use]
    pub fn told(self) -> String {
        const MOST: &str = "that the slower side delivers at most";
        match self {
            Pace::Rate(rate) => format!("{rate} records/s"),
            Pace::Part {
                percent,
                most: None,
            } => format!("{percent} % of the records/s {MOST}"),
            Pace::Part {
                percent,
                most: Some(most),
            } => format!(
                "{:.0} records/s, {percent} % of the {most:.0} {MOST}",
                self.rate()
            ),
        }
    }
}

/// How producers send.
#[derive(Clone, Copy, Debug)]
pub struct Producing {
    /// Partitions of the topic.
    pub partitions: i32,
    /// Bytes of each record's value.
    pub record_bytes: u32,
    /// Producers, each with its connection.
    pub producers: u64,
    /// `batch.size`; 1 is one record per batch.
    pub batch_bytes: usize,
    /// `linger.ms`.
    pub linger_ms: u64,
    /// `max.in.flight.requests.per.connection`.
    pub in_flight: usize,
    /// `acks`.
    pub acks: Acks,
    /// `compression.type`. What is compressed is JSON: letters drawn at random hardly can be.
    pub compression: Compression,
    /// Each record has one of so many keys, which decides its partition; `None` is no key.
    pub keys: Option<u64>,
    /// Records per second by all of them; `None` is as many as are taken.
    pub rate: Option<f64>,
    /// Whether the broker waits for its disk before it acknowledges (`flush.messages=1`).
    pub synced: bool,
}

/// How consumers read.
#[derive(Clone, Copy, Debug)]
pub struct Fetching {
    /// Partitions of the topic.
    pub partitions: i32,
    /// What is written before, in bytes.
    pub bytes: u64,
    /// How many read all of it, again and again.
    pub consumers: usize,
    /// Whether the broker's pages are dropped before, so that its disk is read.
    pub cold: bool,
}

impl Producing {
    /// Large batches of this many partitions, as fast as they are taken.
    const fn plain(partitions: i32, record_bytes: u32) -> Producing {
        Producing {
            partitions,
            record_bytes,
            producers: 4,
            batch_bytes: 128 << 10,
            linger_ms: 5,
            in_flight: 5,
            acks: Acks::Leader,
            compression: Compression::None,
            keys: None,
            rate: None,
            synced: false,
        }
    }

    /// What each producer is told.
    #[must_use]
    pub fn options(&self) -> ProducerOptions {
        ProducerOptions {
            acks: self.acks,
            compression: self.compression,
            idempotent: false,
            batch_bytes: self.batch_bytes,
            linger: Duration::from_millis(self.linger_ms),
            in_flight_max: self.in_flight,
            request_timeout: Duration::from_secs(10),
            // A broker that is gone is given up before a run is forgotten.
            delivery_timeout: Duration::from_secs(15),
            request_bytes: 4 << 20,
            ..ProducerOptions::default()
        }
    }

    /// When records are due, where there is a rate.
    #[must_use]
    pub fn schedule(&self) -> Option<Schedule> {
        self.rate.map(|rate| Schedule::new(rate, Duration::ZERO))
    }

    /// The load in Kafka's words.
    #[must_use]
    pub fn load(&self) -> String {
        let rate = self
            .rate
            .map_or("as fast as they are taken".to_owned(), |rate| {
                format!("{rate} records/s, latency from the time each was due")
            });
        let topic = if self.synced { " flush.messages=1" } else { "" };
        let values = if self.compression == Compression::None {
            format!("records of {} bytes", self.record_bytes)
        } else {
            format!(
                "records of JSON of about {} bytes, compression.type={}",
                self.record_bytes, self.compression
            )
        };
        let keys = self
            .keys
            .map_or(String::new(), |keys| format!(" with one of {keys} keys"));
        format!(
            "{} producers, {values}{keys}, {} partitions, acks={}, batch.size={}, linger.ms={}, \
             max.in.flight.requests.per.connection={}{topic}; {rate}",
            self.producers,
            self.partitions,
            self.acks.code(),
            self.batch_bytes,
            self.linger_ms,
            self.in_flight,
        )
    }
}

impl Fetching {
    /// The load in Kafka's words.
    #[must_use]
    pub fn load(&self) -> String {
        format!(
            "{} consumers, {} partitions, {} MB of records of 1 KiB written before, \
             max.partition.fetch.bytes=1048576, fetch.max.bytes=52428800",
            self.consumers,
            self.partitions,
            self.bytes / 1_000_000
        )
    }
}

const CPU_PER_GB: (&str, &str) = ("broker CPU, s/GB", "broker_cpu_s_per_gb");
const CPU_PER_REQUEST: (&str, &str) = ("broker CPU, µs/request", "broker_cpu_us_per_request");
const CPU_PER_RECORD: (&str, &str) = ("broker CPU, µs/record", "broker_cpu_us_per_record");
const RATE: (&str, &str) = ("throughput, MB/s", "mb_per_s");
const RECORDS: (&str, &str) = ("records/s", "records_per_s");
const REQUESTS: (&str, &str) = ("requests/s", "requests_per_s");
const MACHINE: (&str, &str) = ("machine busy, s/GB", "machine_busy_s_per_gb");
const P50: (&str, &str) = ("p50, ms", "latency_p50_ms");
const P99: (&str, &str) = ("p99, ms", "latency_p99_ms");
const P999: (&str, &str) = ("p99.9, ms", "latency_p999_ms");
const P9999: (&str, &str) = ("p99.99, ms", "latency_p9999_ms");
const MEMORY: (&str, &str) = ("resident, MB", "rss_mb");
const IDLE_CPU: (&str, &str) = ("CPU, % of a core", "cpu_percent");
const KEPT: (&str, &str) = ("of the rate that was kept", "rate_kept");

const CLOSED_LOOP: &str = "Producers send as fast as they are answered, so a slow broker is asked less: \
     latency here is that of a full pipe. produce-steady and end-to-end have it at a fixed rate.";
const ACKED_IN_MEMORY: &str = "A record is acknowledged when it is in the page cache, on both sides: nothing waits for a disk.";
const GENERATOR: &str = "klamm's own generator: what Apache's or librdkafka's clients get may differ; \
     run theirs beside it before you rely on a ratio.";
const ONE_TOPIC: &str = "Partitions of few topics; many topics, and consumers of them, cost more.";

/// Producers that compress.
const fn compressed(name: &'static str, title: &'static str, compression: Compression) -> Workload {
    Workload {
        name,
        title,
        description: "Four producers compress orders in JSON, and send them as fast as they are \
                      taken. A broker can keep a compressed batch as it comes: what does it cost \
                      for each GB that went into it?",
        shows_not: &[
            "Compressing costs the producers more than storing costs the broker, on the same cores: \
             the rate may be that of the codec.",
            CLOSED_LOOP,
            ACKED_IN_MEMORY,
            GENERATOR,
        ],
        kind: Kind::Produce(Producing {
            compression,
            ..Producing::plain(16, 1024)
        }),
        compared: &[
            CPU_PER_GB,
            ("broker CPU, s/GB compressed", "broker_cpu_s_per_wire_gb"),
            RATE,
            MACHINE,
            P99,
        ],
    }
}

/// Producers with keys, at a rate that does not depend on how many they are.
const fn keyed(name: &'static str, title: &'static str, producers: u64) -> Workload {
    Workload {
        name,
        title,
        description: "Each record has one of a million keys, so it goes to the partition of its key: \
                      every producer writes a little to all of them. The same load by more producers \
                      is more and smaller batches: is the rate kept, and at what latency?",
        shows_not: &[
            "Every key comes equally often; skewed keys load one partition more than another.",
            ACKED_IN_MEMORY,
            GENERATOR,
        ],
        kind: Kind::Produce(Producing {
            producers,
            keys: Some(1_000_000),
            rate: Some(20_000.0),
            ..Producing::plain(16, 1024)
        }),
        compared: &[KEPT, P99, P999, P50, CPU_PER_GB],
    }
}

/// Records that are timed to their consumer, at a part of what can be delivered.
const fn at_load(name: &'static str, title: &'static str, percent: u32) -> Workload {
    Workload {
        name,
        title,
        description: "How many records a second the slower broker delivers at most is measured first. \
                      Then both are sent this part of it, each record when it is due, and timed until \
                      a consumer that waits at the broker has it.",
        shows_not: &[
            "The most was measured once, through one producer and one consumer that share a thread.",
            "The producer does not linger.",
            ACKED_IN_MEMORY,
            GENERATOR,
        ],
        kind: Kind::EndToEnd {
            pace: Pace::Part {
                percent,
                most: None,
            },
            record_bytes: 1024,
        },
        compared: &[P99, P999, P9999, P50, KEPT, CPU_PER_RECORD],
    }
}

/// What only the other harness shows of what one node can.
pub const ELSEWHERE: &str =
    "Only cargo dev bench, which starts brokers, has exec to first ack, and a cap on their memory.";

/// All of them.
pub const WORKLOADS: [Workload; 23] = [
    Workload {
        name: "produce-1k",
        title: "produce 1 KiB, 16 partitions, acks=1",
        description: "Four producers write records of 1 KiB in large batches, as fast as they are \
                      taken: the usual picture of a pipeline that is busy.",
        shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, GENERATOR],
        kind: Kind::Produce(Producing::plain(16, 1024)),
        compared: &[CPU_PER_GB, RATE, MACHINE, P99, P9999],
    },
    Workload {
        name: "produce-100b",
        title: "produce 100 B, 6 partitions, acks=1",
        description: "The same with records of 100 bytes: ten times as many to check for each byte.",
        shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, GENERATOR],
        kind: Kind::Produce(Producing::plain(6, 100)),
        compared: &[CPU_PER_GB, RECORDS, MACHINE, P99],
    },
    compressed(
        "produce-lz4",
        "produce JSON of 1 KiB, lz4, 16 partitions, acks=1",
        Compression::Lz4,
    ),
    compressed(
        "produce-zstd",
        "produce JSON of 1 KiB, zstd, 16 partitions, acks=1",
        Compression::Zstd,
    ),
    compressed(
        "produce-snappy",
        "produce JSON of 1 KiB, snappy, 16 partitions, acks=1",
        Compression::Snappy,
    ),
    compressed(
        "produce-gzip",
        "produce JSON of 1 KiB, gzip, 16 partitions, acks=1",
        Compression::Gzip,
    ),
    Workload {
        name: "many-partitions",
        title: "produce 1 KiB, 1,000 partitions, acks=1",
        description: "A topic of a thousand partitions is created, then written to over all of them: \
                      batches are small, and every partition has its own file.",
        shows_not: &[CLOSED_LOOP, ONE_TOPIC, GENERATOR],
        kind: Kind::Produce(Producing {
            batch_bytes: 16 << 10,
            ..Producing::plain(1000, 1024)
        }),
        compared: &[CPU_PER_GB, RATE, ("create the topic, ms", "create_ms"), P99],
    },
    Workload {
        name: "produce-steady",
        title: "produce 1 KiB at 20,000 records/s, 16 partitions, acks=all",
        description: "Producers send at a fixed rate, whether the broker keeps up or not. Latency counts \
                      from the moment each record was due, so that a stall is not forgiven.",
        shows_not: &[
            "One rate; what happens near the limit of a broker is another question.",
            ACKED_IN_MEMORY,
            GENERATOR,
        ],
        kind: Kind::Produce(Producing {
            acks: Acks::All,
            rate: Some(20_000.0),
            ..Producing::plain(16, 1024)
        }),
        compared: &[P99, P999, P9999, P50, CPU_PER_GB],
    },
    keyed(
        "keyed-4",
        "4 keyed producers, 1 KiB at 20,000 records/s, acks=1",
        4,
    ),
    keyed(
        "keyed-50",
        "50 keyed producers, 1 KiB at 20,000 records/s, acks=1",
        50,
    ),
    keyed(
        "keyed-400",
        "400 keyed producers, 1 KiB at 20,000 records/s, acks=1",
        400,
    ),
    Workload {
        name: "end-to-end",
        title: "end to end at 2,000 records/s of 1 KiB",
        description: "Records are sent when they are due, and timed until a consumer that waits at the \
                      broker has them: what a user of a stream feels.",
        shows_not: &[
            "One producer and one consumer, one rate; the producer does not linger.",
            ACKED_IN_MEMORY,
            GENERATOR,
        ],
        kind: Kind::EndToEnd {
            pace: Pace::Rate(2000.0),
            record_bytes: 1024,
        },
        compared: &[P99, P999, P9999, P50, CPU_PER_RECORD],
    },
    at_load(
        "end-to-end-10",
        "end to end, 1 KiB, at 10 % of what the slower side delivers",
        10,
    ),
    at_load(
        "end-to-end-50",
        "end to end, 1 KiB, at 50 % of what the slower side delivers",
        50,
    ),
    at_load(
        "end-to-end-80",
        "end to end, 1 KiB, at 80 % of what the slower side delivers",
        80,
    ),
    Workload {
        name: "fetch-hot",
        title: "fetch of resident data, 16 partitions, 3 consumers",
        description: "Three consumers read the same 512 MB again and again, from the broker's memory: \
                      the fan-out of a topic that many read.",
        shows_not: &[
            "The data fits into memory and stays there; fetch-cold is about what does not.",
            "The consumers open each batch but look at no record.",
            GENERATOR,
        ],
        kind: Kind::Fetch(Fetching {
            partitions: 16,
            bytes: 512 << 20,
            consumers: 3,
            cold: false,
        }),
        compared: &[CPU_PER_GB, RATE, MACHINE],
    },
    Workload {
        name: "fetch-cold",
        title: "fetch of data that is on disk, 16 partitions, 1 consumer",
        description: "A consumer reads 512 MB once, from pages that were dropped before: somebody who \
                      catches up. The broker's log files must be on this machine.",
        shows_not: &[
            "The disk's own cache, and that of a virtual machine's host, are not dropped.",
            "Nobody produces meanwhile: catch-up has what it costs those who do.",
            GENERATOR,
        ],
        kind: Kind::Fetch(Fetching {
            partitions: 16,
            bytes: 512 << 20,
            consumers: 1,
            cold: true,
        }),
        compared: &[CPU_PER_GB, RATE, MACHINE],
    },
    Workload {
        name: "catch-up",
        title: "produce 1 KiB at 10,000 records/s beside a reader of what is on disk",
        description: "Producers send at a fixed rate, first alone, then while a consumer reads 512 MB \
                      of another topic round and round, from pages that are dropped before each \
                      round. What does somebody who catches up cost the others? The broker's log \
                      files must be on this machine.",
        shows_not: &[
            "What was written stays in memory unless it is dropped: nothing caps it, so that pages of \
             the producers are not pushed out by those of the reader.",
            "The disk's own cache, and that of a virtual machine's host, are not dropped.",
            ACKED_IN_MEMORY,
            GENERATOR,
        ],
        kind: Kind::CatchUp {
            producing: Producing {
                rate: Some(10_000.0),
                ..Producing::plain(16, 1024)
            },
            reading: Fetching {
                partitions: 16,
                bytes: 512 << 20,
                consumers: 1,
                cold: true,
            },
        },
        compared: &[
            ("p99 beside the reader over p99 before", "p99_growth"),
            P99,
            P999,
            ("p99 before, ms", "before_p99_ms"),
            ("read meanwhile, MB/s", "read_mb_per_s"),
            KEPT,
        ],
    },
    Workload {
        name: "fsync",
        title: "produce 100 B, 16 producers, each record waits for the disk",
        description: "flush.messages=1: an acknowledgement says that the record is on the disk. How \
                      many can a broker give a second, when several wait at once?",
        shows_not: &[
            "A disk that lies about its cache makes both look good.",
            GENERATOR,
        ],
        kind: Kind::Produce(Producing {
            producers: 16,
            batch_bytes: 1,
            linger_ms: 0,
            in_flight: 1,
            acks: Acks::All,
            synced: true,
            ..Producing::plain(16, 100)
        }),
        compared: &[
            ("acknowledgements/s", "requests_per_s"),
            P99,
            P999,
            CPU_PER_REQUEST,
        ],
    },
    Workload {
        name: "small-batches",
        title: "one record of 100 B per request, 64 connections",
        description: "Many small producers that wait for each answer: every record is a request of its \
                      own. What does a request cost?",
        shows_not: &[
            "One request in flight per connection; with more, a broker may gather them.",
            ACKED_IN_MEMORY,
            GENERATOR,
        ],
        kind: Kind::Produce(Producing {
            producers: 64,
            batch_bytes: 1,
            linger_ms: 0,
            in_flight: 1,
            ..Producing::plain(16, 100)
        }),
        compared: &[CPU_PER_REQUEST, REQUESTS, P50, P99, P999],
    },
    Workload {
        name: "idle-connections",
        title: "1,000 connections that ask nothing",
        description: "A thousand clients connect, ask once what the cluster is, and then stay silent. \
                      What does each cost the broker?",
        shows_not: &[
            "Memory is what the process has more than before: a broker that had reserved it shows none.",
            "The kernel's own memory for sockets is not in it.",
        ],
        kind: Kind::IdleConnections(1000),
        compared: &[
            ("memory of a connection, KiB", "kib_per_connection"),
            ("1,000 connected, ms", "connect_ms"),
            IDLE_CPU,
        ],
    },
    Workload {
        name: "idle-partitions",
        title: "10,000 partitions that nobody uses",
        description: "Ten topics of a thousand partitions are created, one after the other, each until \
                      its leaders answer for all of its partitions. Then nobody asks anything. How \
                      long did it take, and what does a partition cost the broker?",
        shows_not: &[
            "Memory is what the process has more than before: a broker that had reserved it, or that \
             keeps what partitions of earlier runs took, shows none.",
            "Partitions of earlier runs are deleted meanwhile, and a file system that has just deleted \
             many files makes others more slowly.",
            ONE_TOPIC,
        ],
        kind: Kind::IdlePartitions(10_000),
        compared: &[
            ("create them, ms", "create_ms"),
            ("memory of a partition, KiB", "kib_per_partition"),
            IDLE_CPU,
            MEMORY,
        ],
    },
    Workload {
        name: "idle",
        title: "nothing to do",
        description: "Nobody asks anything. What does the broker use of memory and CPU all the same?",
        shows_not: &[
            "A broker that has worked before keeps memory that a fresh one has not taken yet.",
        ],
        kind: Kind::Idle,
        compared: &[MEMORY, IDLE_CPU],
    },
];

/// The workload of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::page::figure::{Better, better};
    use std::collections::BTreeSet;

    #[test]
    fn every_workload_is_told_and_compared() {
        let names: BTreeSet<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
        assert_eq!(names.len(), WORKLOADS.len());
        for workload in &WORKLOADS {
            assert!(!workload.compared.is_empty(), "{}", workload.name);
            assert!(!workload.shows_not.is_empty(), "{}", workload.name);
            assert!(workload.description.ends_with(['.', '?']));
            for (_, figure) in workload.compared {
                assert_ne!(better(figure), Better::Unsaid, "{figure}");
            }
        }
        assert!(named("produce-1k").is_some());
        assert!(named("produce-1m").is_none());
    }

    #[test]
    fn a_part_is_one_of_the_most() {
        let part = |most| Pace::Part { percent: 80, most };
        assert_eq!(part(Some(5000.0)).rate(), 4000.0);
        assert_eq!(
            part(Some(5000.0)).told(),
            "4000 records/s, 80 % of the 5000 that the slower side delivers at most"
        );
        assert_eq!(part(None).rate(), UNBOUNDED);
        assert!(part(Some(1.0)).is_bounded() && !part(None).is_bounded());
        assert_eq!(Pace::Rate(2000.0).told(), "2000 records/s");
    }

    #[test]
    fn the_load_says_what_is_compressed_and_keyed() {
        let plain = Producing::plain(6, 100).load();
        assert!(plain.starts_with("4 producers, records of 100 bytes, 6 partitions, "));
        let both = Producing {
            compression: Compression::Zstd,
            keys: Some(50),
            ..Producing::plain(6, 1000)
        };
        let told = both.load();
        assert!(
            told.contains("JSON of about 1000 bytes, compression.type=zstd with one of 50 keys, "),
            "{told}"
        );
        assert_eq!(both.options().compression, Compression::Zstd);
    }
}
