//! The values of records, made ahead: the loop that sends them only copies. Kafka's tool makes each
//! anew from random letters; here they are successive slices of a supply of such letters, which is
//! larger than any usual batch, so that a codec finds no more repetition in them than it would there.

use crate::base::convert::usize_from_u32;
use crate::base::prng::Prng;
use crate::cli::error::CliError;
use crate::runtime::disk::Disk;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Letters made ahead: more than a batch has.
const SUPPLY_BYTES: usize = 2 << 20;

/// Largest payload file.
const FILE_BYTES_MAX: usize = 1 << 30;

/// What the values of all producers are taken from.
#[derive(Clone, Debug)]
pub enum PayloadPlan {
    /// Random letters, so many a record.
    Letters {
        /// The supply.
        supply: Arc<Vec<u8>>,
        /// Bytes of one record.
        bytes: usize,
    },
    /// One of these, drawn anew for each record.
    OneOf(Arc<Vec<Box<[u8]>>>),
    /// The record's number in decimal digits.
    Monotonic,
}

impl PayloadPlan {
    /// Letters A to Z, `bytes` of them in each record.
    #[must_use]
    pub fn letters(bytes: u32, prng: &mut Prng) -> PayloadPlan {
        let bytes = usize_from_u32(bytes);
        let mut supply = vec![0; SUPPLY_BYTES + bytes];
        prng.fill(&mut supply);
        for byte in &mut supply {
            // 256 is no multiple of 26: the last four letters come 9 times for 10 of the others.
            *byte = b'A' + *byte % 26;
        }
        PayloadPlan::Letters {
            supply: Arc::new(supply),
            bytes,
        }
    }

    /// The payloads of a file, as `kafka-producer-perf-test --payload-file` reads it.
    pub fn from_file(disk: &Disk, path: &Path, delimiter: &str) -> Result<PayloadPlan, CliError> {
        let content = disk.read(path, FILE_BYTES_MAX).map_err(|error| {
            CliError::Failed(format!(
                "the payload file {} cannot be read: {error}",
                path.display()
            ))
        })?;
        if content.is_empty() {
            return Err(CliError::Failed(format!(
                "the payload file {} is empty: it takes at least one payload",
                path.display()
            )));
        }
        let payloads = split(&content, unescape(delimiter).as_bytes());
        if payloads.is_empty() {
            return Err(CliError::Failed(format!(
                "the payload file {} has no payload between its delimiters '{delimiter}'",
                path.display()
            )));
        }
        Ok(PayloadPlan::OneOf(Arc::new(payloads)))
    }

    /// Bytes of its largest value.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        match self {
            PayloadPlan::Letters { bytes, .. } => *bytes,
            PayloadPlan::OneOf(payloads) => payloads
                .iter()
                .map(|payload| payload.len())
                .max()
                .unwrap_or(0),
            PayloadPlan::Monotonic => 20,
        }
    }
}

/// What a shell passes as two characters, as one: Kafka's default is the two characters `\n`.
fn unescape(delimiter: &str) -> String {
    delimiter
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\r", "\r")
}

/// The parts between delimiters. Empty ones at the end are left out, as Java's `String.split` does.
fn split(content: &[u8], delimiter: &[u8]) -> Vec<Box<[u8]>> {
    if delimiter.is_empty() {
        return vec![Box::from(content)];
    }
    let mut parts: Vec<Box<[u8]>> = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at + delimiter.len() <= content.len() {
        if content[at..].starts_with(delimiter) {
            parts.push(Box::from(&content[start..at]));
            at += delimiter.len();
            start = at;
        } else {
            at += 1;
        }
    }
    parts.push(Box::from(&content[start..]));
    while parts.pop_if(|part| part.is_empty()).is_some() {}
    parts
}

/// A source of values: one producer's.
#[derive(Debug)]
pub struct Payloads {
    plan: PayloadPlan,
    cursor: usize,
    prng: Prng,
    text: Vec<u8>,
}

impl Payloads {
    /// The values of a plan, from a place that the seed decides.
    #[must_use]
    pub fn new(plan: PayloadPlan, mut prng: Prng) -> Payloads {
        Payloads {
            plan,
            cursor: prng.index(SUPPLY_BYTES),
            prng,
            text: Vec::with_capacity(20),
        }
    }

    /// The value of the record with that number.
    pub fn next(&mut self, number: u64) -> &[u8] {
        match &self.plan {
            PayloadPlan::Letters { supply, bytes } => {
                if self.cursor + bytes > supply.len() {
                    self.cursor = 0;
                }
                let start = self.cursor;
                self.cursor += bytes;
                &supply[start..start + bytes]
            }
            PayloadPlan::OneOf(payloads) => &payloads[self.prng.index(payloads.len())],
            PayloadPlan::Monotonic => {
                self.text.clear();
                write!(self.text, "{number}").expect("memory takes every byte");
                &self.text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_letters_of_that_size() {
        let mut prng = Prng::new(1);
        for bytes in [1, 100, 3 << 20] {
            let plan = PayloadPlan::letters(bytes, &mut prng);
            let mut payloads = Payloads::new(plan, prng.split());
            let first = payloads.next(0).to_vec();
            for number in 1..50 {
                let value = payloads.next(number);
                assert_eq!(value.len(), usize_from_u32(bytes));
                assert!(value.iter().all(u8::is_ascii_uppercase));
            }
            assert_eq!(first.len(), usize_from_u32(bytes));
        }
    }

    #[test]
    fn monotonic_payloads_count() {
        let mut payloads = Payloads::new(PayloadPlan::Monotonic, Prng::new(1));
        assert_eq!(payloads.next(0), b"0");
        assert_eq!(payloads.next(u64::MAX), b"18446744073709551615");
    }

    fn parts(content: &str, delimiter: &str) -> Vec<String> {
        split(content.as_bytes(), unescape(delimiter).as_bytes())
            .iter()
            .map(|part| String::from_utf8(part.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn files_are_split_as_java_splits() {
        assert_eq!(parts("a\nb\n\n", "\\n"), ["a", "b"]);
        assert_eq!(parts("a\n\nb", "\\n"), ["a", "", "b"]);
        assert_eq!(parts("a--b-c", "--"), ["a", "b-c"]);
        assert_eq!(parts("abc", ""), ["abc"]);
        assert!(parts("\n\n", "\\n").is_empty());
    }

    #[test]
    fn a_file_that_is_missing_or_empty_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payloads");
        let read = || PayloadPlan::from_file(&Disk::Native, &path, "\\n");
        let missing = read().unwrap_err().to_string();
        assert!(missing.contains("payloads cannot be read"), "{missing}");
        for content in ["", "\n\n"] {
            Disk::Native
                .write_atomically(&path, content.as_bytes())
                .unwrap();
            let empty = read().unwrap_err().to_string();
            assert!(empty.contains("payloads"), "{empty}");
        }
        Disk::Native.write_atomically(&path, b"one\ntwo\n").unwrap();
        let mut payloads = Payloads::new(read().unwrap(), Prng::new(4));
        let drawn: std::collections::BTreeSet<Vec<u8>> = (0..40)
            .map(|number| payloads.next(number).to_vec())
            .collect();
        assert_eq!(drawn.len(), 2);
    }
}
