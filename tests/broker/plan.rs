//! What a client is asked to do, made once here and given to every client as one JSON file:
//! topics, and for each record everything that must come back. Byte strings travel in hex.

use crate::broker::unique;
use klamm::base::prng::Prng;
use serde_json::{Value, json};

/// Kafka's five ways to compress a batch.
pub const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

/// Partitions of each topic of a plan.
pub const PARTITIONS: i32 = 3;

/// One record to write, and to find again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub partition: i32,
    /// Milliseconds since 1970, or `None` where the client does not let its user choose.
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// One topic to create and fill.
#[derive(Clone)]
pub struct Topic {
    pub name: String,
    pub codec: &'static str,
    /// `0`, `1` or `all`.
    pub acks: &'static str,
    pub idempotent: bool,
    pub configs: Vec<(&'static str, &'static str)>,
    pub records: Vec<Record>,
}

/// What a client's interface refuses to send although Kafka could carry it.
#[derive(Clone, Copy)]
pub struct Refuses {
    pub null_header: bool,
    pub null_key_and_value: bool,
}

impl Topic {
    /// A topic of varied records, written with `codec` as a producer does by default since
    /// Kafka 3: idempotent, acks=all.
    pub fn varied(client: &str, codec: &'static str, refuses: Refuses) -> Topic {
        Topic {
            name: unique(&format!("{client}-{codec}")),
            codec,
            acks: "all",
            idempotent: true,
            // The records are of 2023: the default of seven days would delete them.
            configs: vec![("retention.ms", "-1")],
            records: varied_records(refuses),
        }
    }

    /// The same, uncompressed and not idempotent, with these acks.
    pub fn with_acks(client: &str, acks: &'static str, refuses: Refuses) -> Topic {
        Topic {
            name: unique(&format!("{client}-acks-{acks}")),
            acks,
            idempotent: false,
            ..Topic::varied(client, "none", refuses)
        }
    }

    /// An empty topic of two partitions' worth of trouble: records above 5,000 bytes are refused.
    pub fn for_faults(client: &str) -> Topic {
        Topic {
            name: unique(&format!("{client}-faults")),
            codec: "none",
            acks: "all",
            idempotent: true,
            configs: vec![("max.message.bytes", "5000")],
            records: Vec::new(),
        }
    }

    fn to_json(&self) -> Value {
        let configs: serde_json::Map<String, Value> = self
            .configs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        let records: Vec<Value> = self.records.iter().map(record_to_json).collect();
        json!({
            "name": self.name, "partitions": PARTITIONS, "codec": self.codec, "acks": self.acks,
            "idempotent": self.idempotent, "configs": configs, "records": records,
        })
    }
}

/// The plan as the clients read it.
pub fn to_json(bootstrap: &str, topics: &[Topic]) -> Value {
    let topics: Vec<Value> = topics.iter().map(Topic::to_json).collect();
    json!({
        "bootstrap": bootstrap,
        "missing": unique("missing"),
        // Less than the largest batch: a fetch must return one whole batch all the same (KIP-74).
        "fetch_bytes": 50_000,
        "topics": topics,
    })
}

fn record_to_json(record: &Record) -> Value {
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|(name, value)| json!([name, value.as_deref().map(hex)]))
        .collect();
    json!({
        "partition": record.partition,
        "timestamp": record.timestamp,
        "key": record.key.as_deref().map(hex),
        "value": record.value.as_deref().map(hex),
        "headers": headers,
    })
}

/// Every kind of key, value and header in every mixture, over all partitions, in a fixed order.
fn varied_records(refuses: Refuses) -> Vec<Record> {
    let mut prng = Prng::new(3);
    let mut bytes =
        |length: usize| -> Vec<u8> { (0..length).map(|_| prng.next().to_le_bytes()[0]).collect() };
    let mut records = Vec::new();
    for index in 0..300_u16 {
        let number = i64::from(index);
        let key = match index % 7 {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(bytes(300)),
            _ => Some(format!("key-{index}").into_bytes()),
        };
        let value = match index % 11 {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(bytes(2_000)),
            3 => Some(
                format!("ein Lied, ein Leid {index} ")
                    .repeat(500)
                    .into_bytes(),
            ),
            _ => {
                Some(format!("value-{index}-{}", "ab".repeat(usize::from(index % 40))).into_bytes())
            }
        };
        let headers = match index % 5 {
            0 => vec![("trace".to_owned(), Some(bytes(16)))],
            1 => vec![
                ("same".to_owned(), Some(b"first".to_vec())),
                ("same".to_owned(), Some(Vec::new())),
                ("Schlüssel".to_owned(), None),
            ],
            _ => Vec::new(),
        };
        records.push(Record {
            partition: i32::from(index) % PARTITIONS,
            // Mostly rising, with steps back as real producers make them.
            timestamp: Some(1_700_000_000_000 + number * 10 - (number % 13) * 25),
            key,
            value,
            headers,
        });
    }
    // One batch well above what a fetch asks for.
    records.push(Record {
        partition: 0,
        timestamp: Some(1_700_000_100_000),
        key: Some(b"large".to_vec()),
        value: Some(bytes(300_000)),
        headers: Vec::new(),
    });
    for record in &mut records {
        if refuses.null_header {
            record.headers.retain(|(_, value)| value.is_some());
        }
        if refuses.null_key_and_value && record.key.is_none() && record.value.is_none() {
            record.key = Some(b"deleted".to_vec());
        }
    }
    records
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hex digits as bytes.
pub fn unhex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "half a byte in {digits}");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits"))
        .collect()
}
