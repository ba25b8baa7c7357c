//! What a client says it did and saw, and how that differs from its plan.

use crate::plan::{Record, Topic, unhex};
use serde_json::Value;
use std::collections::BTreeMap;

/// A record as a client read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub offset: i64,
    pub record: Record,
}

/// Everything one run of a client program reports.
#[derive(Default)]
pub struct Report {
    /// The offset that each record of a topic was acknowledged with, in the order of the plan;
    /// `None` where the client is not told.
    pub acked: BTreeMap<String, Vec<Option<i64>>>,
    /// The records of each topic, in the order in which they were read.
    pub read: BTreeMap<String, Vec<Seen>>,
    /// What each fault was answered with: Kafka's error code, or the number asked for.
    pub outcomes: BTreeMap<String, i64>,
}

impl Report {
    /// Takes apart the JSON that a client wrote.
    pub fn from_json(json: &Value) -> Report {
        let table = |name: &str| json[name].as_object().cloned().unwrap_or_default();
        let rows = |value: &Value| value.as_array().cloned().expect("a list for each topic");
        Report {
            acked: table("acked")
                .iter()
                .map(|(topic, offsets)| {
                    (
                        topic.clone(),
                        rows(offsets).iter().map(Value::as_i64).collect(),
                    )
                })
                .collect(),
            read: table("read")
                .iter()
                .map(|(topic, seen)| {
                    (
                        topic.clone(),
                        rows(seen).iter().map(seen_from_json).collect(),
                    )
                })
                .collect(),
            outcomes: table("outcomes")
                .iter()
                .map(|(what, code)| {
                    let number = code.as_i64();
                    (
                        what.clone(),
                        number.unwrap_or_else(|| panic!("{what}: {code} is no code")),
                    )
                })
                .collect(),
        }
    }

    /// Panics with the first difference, in words, between the plan and what was acknowledged.
    pub fn assert_acked(&self, topics: &[Topic]) {
        for topic in topics {
            let acked = self
                .acked
                .get(&topic.name)
                .unwrap_or_else(|| panic!("the client did not write {}", topic.name));
            let expected = expected(topic);
            assert_eq!(
                acked.len(),
                expected.len(),
                "acknowledgements of {}",
                topic.name
            );
            for (seen, offset) in expected.iter().zip(acked) {
                if let Some(offset) = offset {
                    assert_eq!(
                        *offset, seen.offset,
                        "{}, partition {}: acknowledged at another offset than its place",
                        topic.name, seen.record.partition
                    );
                }
            }
        }
    }

    /// Panics with the first difference, in words, between the plan and what was read.
    pub fn assert_read(&self, topics: &[Topic]) {
        for topic in topics {
            let read = self.read.get(&topic.name).map_or(&[][..], Vec::as_slice);
            let expected = expected(topic);
            for partition in 0..crate::plan::PARTITIONS {
                let place = format!("{}, partition {partition}", topic.name);
                let of_partition = |rows: &[Seen]| -> Vec<Seen> {
                    rows.iter()
                        .filter(|row| row.record.partition == partition)
                        .cloned()
                        .collect()
                };
                assert_same(&place, &of_partition(&expected), &of_partition(read));
            }
        }
    }
}

/// Where each record of the plan must lie: each partition in the order of writing, from 0.
fn expected(topic: &Topic) -> Vec<Seen> {
    let mut next = BTreeMap::new();
    topic
        .records
        .iter()
        .map(|record| {
            let offset: &mut i64 = next.entry(record.partition).or_default();
            let seen = Seen {
                offset: *offset,
                record: record.clone(),
            };
            *offset += 1;
            seen
        })
        .collect()
}

fn assert_same(place: &str, expected: &[Seen], read: &[Seen]) {
    for (index, (wanted, found)) in expected.iter().zip(read).enumerate() {
        let mut found = found.clone();
        if wanted.record.timestamp.is_none() {
            found.record.timestamp = None;
        }
        assert!(
            *wanted == found,
            "{place}: record {index} differs\n  written {}\n  read    {}",
            shown(wanted),
            shown(&found)
        );
    }
    assert_eq!(
        read.len(),
        expected.len(),
        "{place}: number of records read, and of those written"
    );
}

fn seen_from_json(json: &Value) -> Seen {
    let bytes = |value: &Value| value.as_str().map(unhex);
    let headers = json["headers"].as_array().cloned().unwrap_or_default();
    let partition = json["partition"]
        .as_i64()
        .and_then(|index| i32::try_from(index).ok());
    Seen {
        offset: json["offset"].as_i64().expect("an offset"),
        record: Record {
            partition: partition.expect("a partition"),
            timestamp: json["timestamp"].as_i64(),
            key: bytes(&json["key"]),
            value: bytes(&json["value"]),
            headers: headers
                .iter()
                .map(|pair| {
                    let name = pair[0].as_str().expect("a header has a name");
                    (name.to_owned(), bytes(&pair[1]))
                })
                .collect(),
        },
    }
}

fn shown(seen: &Seen) -> String {
    let bytes = |bytes: &Option<Vec<u8>>| match bytes {
        None => "null".to_owned(),
        Some(bytes) if bytes.len() > 60 => {
            format!(
                "{} bytes that start \"{}\"",
                bytes.len(),
                bytes[..60].escape_ascii()
            )
        }
        Some(bytes) => format!("\"{}\"", bytes.escape_ascii()),
    };
    let Record {
        timestamp,
        key,
        value,
        headers,
        ..
    } = &seen.record;
    let headers: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}={}", bytes(value)))
        .collect();
    format!(
        "offset {}, timestamp {timestamp:?}, key {}, value {}, headers [{}]",
        seen.offset,
        bytes(key),
        bytes(value),
        headers.join(", ")
    )
}
