//! The workloads by name: what each does, in words, what it does not show, and which of its figures
//! are compared.

use crate::client::producer::{Acks, ProducerOptions};
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
    /// Records are sent when they are due, and timed until a consumer has them.
    EndToEnd {
        /// Records per second.
        rate: f64,
        /// Bytes of each.
        record_bytes: u32,
    },
    /// So many connections are open and ask nothing.
    IdleConnections(u32),
    /// Nothing is done.
    Idle,
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
            rate: None,
            synced: false,
        }
    }

    /// What each producer is told.
    #[must_use]
    pub fn options(&self) -> ProducerOptions {
        ProducerOptions {
            acks: self.acks,
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

    /// The load in Kafka's words.
    #[must_use]
    pub fn load(&self) -> String {
        let rate = self
            .rate
            .map_or("as fast as they are taken".to_owned(), |rate| {
                format!("{rate} records/s, latency from the time each was due")
            });
        let topic = if self.synced { " flush.messages=1" } else { "" };
        format!(
            "{} producers, records of {} bytes, {} partitions, acks={}, batch.size={}, linger.ms={}, \
             max.in.flight.requests.per.connection={}{topic}; {rate}",
            self.producers,
            self.record_bytes,
            self.partitions,
            self.acks.code(),
            self.batch_bytes,
            self.linger_ms,
            self.in_flight,
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

const CLOSED_LOOP: &str = "Producers send as fast as they are answered, so a slow broker is asked less: \
     latency here is that of a full pipe. produce-steady and end-to-end have it at a fixed rate.";
const ACKED_IN_MEMORY: &str = "A record is acknowledged when it is in the page cache, on both sides: nothing waits for a disk.";
const GENERATOR: &str = "klamm's own generator: what Apache's or librdkafka's clients get may differ; \
     run theirs beside it before you rely on a ratio.";

/// All of them.
pub const WORKLOADS: [Workload; 11] = [
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
    Workload {
        name: "many-partitions",
        title: "produce 1 KiB, 1,000 partitions, acks=1",
        description: "A topic of a thousand partitions is created, then written to over all of them: \
                      batches are small, and every partition has its own file.",
        shows_not: &[
            CLOSED_LOOP,
            "A thousand partitions of one topic; many topics, and consumers of them, cost more.",
            GENERATOR,
        ],
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
            rate: 2000.0,
            record_bytes: 1024,
        },
        compared: &[P99, P999, P9999, P50, CPU_PER_RECORD],
    },
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
            "Nobody produces meanwhile: what catching up costs them is another question.",
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
            ("CPU, % of a core", "cpu_percent"),
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
        compared: &[MEMORY, ("CPU, % of a core", "cpu_percent")],
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
}
