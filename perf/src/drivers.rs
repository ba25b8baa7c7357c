//! The programs that make a load, and what each is told: klamm's own generator, Apache's tools and
//! librdkafka's. One that favours a broker is found out by the two others.

use crate::broker::Installation;
use crate::figures::Figures;
use crate::{clients, generator, rdkafka};
use std::path::Path;

/// Who makes the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// `klamm producer-perf` and `klamm consumer-perf`.
    Klamm,
    /// Apache's `kafka-producer-perf-test` and `kafka-consumer-perf-test`.
    Java,
    /// librdkafka's `rdkafka_performance`.
    Rdkafka,
}

/// What shall be sent.
#[derive(Clone, Debug)]
pub struct Production<'a> {
    /// An existing topic.
    pub topic: &'a str,
    /// How many records.
    pub records: u64,
    /// Bytes of each value, or a file of payloads, one a line.
    pub payload: Payload<'a>,
    /// `compression.type`
    pub compression: &'a str,
}

/// What the records hold.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// Random letters.
    Bytes(u64),
    /// Lines of a file, picked at random.
    Lines(&'a Path),
}

/// Producer settings, the same for both brokers and all drivers.
pub const PRODUCER: [&str; 3] = ["acks=1", "linger.ms=5", "batch.size=131072"];

impl Driver {
    /// All of them.
    pub const ALL: [Driver; 3] = [Driver::Klamm, Driver::Java, Driver::Rdkafka];

    /// What a contestant's name ends in; the one that claims are made with adds nothing.
    pub fn suffix(self) -> &'static str {
        match self {
            Driver::Klamm => "",
            Driver::Java => "-java",
            Driver::Rdkafka => "-rdkafka",
        }
    }

    /// Sends, and says: records/s, latencies in ms, bytes as they left.
    pub fn produce(
        self,
        installation: &Installation,
        port: u16,
        production: &Production<'_>,
    ) -> Result<Figures, String> {
        match self {
            Driver::Klamm => generator::produce_all(installation, port, production),
            Driver::Java => clients::produce(installation, port, production),
            Driver::Rdkafka => rdkafka::produce(installation, port, production),
        }
    }

    /// Reads so many records of a topic from its beginning, as a group of one; says: bytes of values,
    /// MB/s once the group has its partitions.
    pub fn consume(
        self,
        installation: &Installation,
        port: u16,
        topic: &str,
        group: &str,
        records: u64,
    ) -> Result<Figures, String> {
        match self {
            Driver::Klamm => generator::consume(installation, port, topic, group, records),
            Driver::Java => clients::consume_in_group(installation, port, topic, group, records),
            Driver::Rdkafka => rdkafka::consume(installation, port, topic, group, records),
        }
    }
}

/// The contestants of a row that runs with several drivers, and what each name stands for.
pub fn contestants(
    systems: [&'static str; 2],
    drivers: &[Driver],
) -> Vec<(String, &'static str, Driver)> {
    drivers
        .iter()
        .flat_map(|driver| {
            systems.map(|system| (format!("{system}{}", driver.suffix()), system, *driver))
        })
        .collect()
}
