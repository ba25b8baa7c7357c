//! What a producer has done so far, counted for those who report it: by batch, never by record.

use super::batch::Batch;
use crate::base::convert::u64_from;
use crate::client::throttle::Throttled;

/// Totals since the producer was made.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ProducerCounters {
    /// Produce requests made.
    pub requests: u64,
    /// Batches in them; one that is sent again counts again.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of those batches, as they were sent.
    pub bytes: u64,
    /// Bytes that they would have had without compression.
    pub open_bytes: u64,
    /// Records of batches that failed and were to be sent again.
    pub retried: u64,
    /// Records given up.
    pub failed: u64,
    /// What the brokers asked it to wait.
    pub throttled: Throttled,
}

impl ProducerCounters {
    pub(super) fn sent(&mut self, batch: &Batch) {
        self.batches += 1;
        self.records += records(batch);
        self.bytes += u64_from(batch.wire_bytes());
        self.open_bytes += u64_from(batch.bytes);
    }

    pub(super) fn retried(&mut self, batch: &Batch) {
        self.retried += records(batch);
    }

    pub(super) fn failed(&mut self, batch: &Batch) {
        self.failed += records(batch);
    }

    /// These and those of another producer.
    #[must_use]
    pub fn plus(self, other: ProducerCounters) -> ProducerCounters {
        ProducerCounters {
            requests: self.requests + other.requests,
            batches: self.batches + other.batches,
            records: self.records + other.records,
            bytes: self.bytes + other.bytes,
            open_bytes: self.open_bytes + other.open_bytes,
            retried: self.retried + other.retried,
            failed: self.failed + other.failed,
            throttled: self.throttled.plus(other.throttled),
        }
    }
}

fn records(batch: &Batch) -> u64 {
    u64::try_from(batch.record_count).expect("a batch counts its records from zero")
}
