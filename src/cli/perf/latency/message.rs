//! What is sent to measure with: a value of random letters, perhaps a key and headers, as Kafka's tool
//! makes them; and whether what came is what was sent.

use super::LatencyArguments;
use crate::base::convert::usize_from_u32;
use crate::base::prng::Prng;
use crate::record::{Header, Record};

/// Bytes at the start of a value that say which record it is, where many are on their way.
pub(super) const NUMBER_BYTES: usize = 8;

/// Where a message comes from: what it is made of.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) value: Vec<u8>,
    pub(super) key: Option<Vec<u8>>,
    /// Keys and values.
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Message {
    /// A message of these sizes.
    pub(super) fn new(prng: &mut Prng, arguments: &LatencyArguments, value_bytes: u32) -> Message {
        let header_value_bytes = usize::try_from(arguments.record_header_size).ok();
        Message {
            value: vec![0; usize_from_u32(value_bytes)],
            key: (arguments.record_key_size > 0)
                .then(|| letters(prng, usize_from_u32(arguments.record_key_size))),
            headers: (0..arguments.num_headers)
                .map(|_| {
                    let key = letters(prng, usize_from_u32(arguments.record_header_key_size));
                    let value = header_value_bytes.map(|bytes| letters(prng, bytes));
                    (key, value)
                })
                .collect(),
        }
    }

    /// Makes the next value: new letters, and where it is to bear a number, that one.
    pub(super) fn renew(&mut self, prng: &mut Prng, number: Option<u64>) {
        fill_letters(prng, &mut self.value);
        if let Some(number) = number {
            self.value[..NUMBER_BYTES].copy_from_slice(&number.to_be_bytes());
        }
    }

    pub(super) fn headers(&self) -> Vec<Header<'_>> {
        let headers = self.headers.iter();
        headers
            .map(|(key, value)| Header {
                key,
                value: value.as_deref(),
            })
            .collect()
    }

    /// The number that a value bears.
    pub(super) fn number(&self, value: &[u8]) -> Option<u64> {
        value
            .first_chunk::<NUMBER_BYTES>()
            .filter(|_| value.len() == self.value.len())
            .map(|number| u64::from_be_bytes(*number))
    }

    /// Why what came is not what was sent.
    pub(super) fn differs(&self, record: &Record<'_>) -> Option<String> {
        let text = |bytes: Option<&[u8]>| match bytes {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => "null".to_owned(),
        };
        if record.value != Some(self.value.as_slice()) {
            return Some(format!(
                "The message value read [{}] did not match the message value sent [{}]",
                text(record.value),
                text(Some(&self.value))
            ));
        }
        if record.key != self.key.as_deref() {
            return Some(format!(
                "The message key read [{}] did not match the message key sent [{}]",
                text(record.key),
                text(self.key.as_deref())
            ));
        }
        let same = record.headers.len() == self.headers.len()
            && record
                .headers
                .zip(&self.headers)
                .all(|(read, (key, value))| read.key == key && read.value == value.as_deref());
        (!same).then(|| "The message headers read did not match those sent".to_owned())
    }
}

fn letters(prng: &mut Prng, count: usize) -> Vec<u8> {
    let mut letters = vec![0; count];
    fill_letters(prng, &mut letters);
    letters
}

/// Random letters A to Z, as Kafka's tool sends them.
fn fill_letters(prng: &mut Prng, bytes: &mut [u8]) {
    prng.fill(bytes);
    for byte in bytes {
        *byte = b'A' + *byte % 26;
    }
}
