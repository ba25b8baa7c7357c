//! One batch of the metadata log: what the quorum commits, and what shards replay. On disk it is a
//! record batch as every other; each record's value is framed by its type and version:
//!
//! ```text
//! frame version uvarint (1) | record type uvarint | record version uvarint | the record, flexible
//! ```

use crate::base::ids::{LeaderEpoch, Offset};
use crate::base::limits::METADATA_BATCH_BYTES_MAX;
use crate::base::time::Timestamp;
use crate::metadata::features::MetadataVersion;
use crate::protocol::metadata_records::MetadataRecord;
use crate::record::{BatchError, ControlRecord, RecordBatch};
use bytes::Bytes;
use std::fmt;

/// The records of one batch with where they stand in the log. It is sent to every shard as one
/// shared, immutable handle.
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataBatch {
    /// Offset of the first record.
    pub base_offset: Offset,
    /// Offset of the last record. A control batch, which has no metadata records, has offsets too.
    pub last_offset: Offset,
    /// Epoch of the quorum's leader that wrote it.
    pub leader_epoch: LeaderEpoch,
    /// When the leader appended it.
    pub append_timestamp: Timestamp,
    /// The records, in order; none in a control batch.
    pub records: Vec<MetadataRecord>,
    /// What a control batch says about the quorum.
    pub control: Vec<ControlRecord>,
}

/// Why a batch of the metadata log cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchReadError {
    /// Offset of the batch's first record.
    pub base_offset: Offset,
    /// What is wrong.
    pub why: String,
}

impl MetadataBatch {
    /// Reads a batch of the log or of a snapshot, and checks its checksum.
    pub fn read(batch: &RecordBatch) -> Result<MetadataBatch, BatchReadError> {
        let header = batch.header();
        let error = |why: String| BatchReadError {
            base_offset: header.base_offset,
            why,
        };
        let error_of = |batch_error: BatchError| error(batch_error.to_string());
        batch.check_crc().map_err(error_of)?;
        let open = batch.open(METADATA_BATCH_BYTES_MAX).map_err(error_of)?;
        let mut records = Vec::new();
        let mut control = Vec::new();
        for record in &open {
            let record = record.map_err(error_of)?;
            let at =
                |why: &dyn fmt::Display| error(format!("the record at {}: {why}", record.offset));
            if header.is_control() {
                control.push(ControlRecord::read(&record).map_err(|why| at(&why))?);
            } else {
                let value = record.value.ok_or_else(|| at(&"it has no value"))?;
                let value = open.record_bytes().slice_ref(value);
                records.push(MetadataRecord::decode(&value).map_err(|why| at(&why))?);
            }
        }
        Ok(MetadataBatch {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            leader_epoch: header.partition_leader_epoch,
            append_timestamp: header.max_timestamp,
            records,
            control,
        })
    }
}

/// The framed value of a record, in the version that `metadata.version` asks for.
#[must_use]
pub fn value_of(record: &MetadataRecord, version: MetadataVersion) -> Bytes {
    record
        .encode(version.record_version(record))
        .expect("records are made for the metadata.version that chooses their version")
}

impl fmt::Display for BatchReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the batch at offset {} cannot be read: {}",
            self.base_offset, self.why
        )
    }
}

impl std::error::Error for BatchReadError {}
