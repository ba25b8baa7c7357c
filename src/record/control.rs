//! Control records: what the brokers write for each other, and no consumer sees.
//!
//! ```text
//! key    version i16 (0) | type i16
//! value  0 ABORT, 1 COMMIT   version i16 (0) | coordinatorEpoch i32            KIP-98
//!        2 LEADER_CHANGE     flexible message, its first field a version i16   KIP-595
//!        3 SNAPSHOT_HEADER   the same                                          KIP-630
//!        4 SNAPSHOT_FOOTER   the same                                          KIP-630
//!        5 KRAFT_VERSION     the same                                          KIP-853
//!        6 KRAFT_VOTERS      the same                                          KIP-853
//! ```
//!
//! Voters' lists are short: what is announced is bounded by the bytes there are.

use crate::base::ids::{LeaderEpoch, NodeId, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::Timestamp;
use crate::base::uuid::Uuid;
use crate::record::build::BatchBuilder;
use crate::record::error::BatchError;
use crate::record::iterate::Record;
use crate::record::varint;
use bytes::Bytes;
use std::fmt;

/// What a control record says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ControlRecord {
    /// The producer's transaction in this partition is undone.
    Abort {
        /// Epoch of the transaction coordinator that decided.
        coordinator_epoch: i32,
    },
    /// The producer's transaction in this partition is done.
    Commit {
        /// Epoch of the transaction coordinator that decided.
        coordinator_epoch: i32,
    },
    /// The first record of each epoch of a KRaft quorum.
    LeaderChange(LeaderChange),
    /// The first record of a snapshot.
    SnapshotHeader {
        /// Append time of the last record that the snapshot contains.
        last_contained_log_timestamp: Timestamp,
    },
    /// The last record of a snapshot: without it the snapshot is cut off.
    SnapshotFooter,
    /// The quorum's protocol: 0 for voters in the configuration, 1 for voters in the log.
    KRaftVersion(i16),
    /// The voters of the quorum, from this record on.
    KRaftVoters(Vec<KRaftVoter>),
    /// A type this klamm does not know: to be passed over, as Apache does.
    Unknown(i16),
}

/// Who leads a quorum, and who chose it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaderChange {
    /// 0 without directory ids, 1 with them. Apache 4.4 writes 0 and reads the rest as 0, also
    /// under kraft.version 1: write nothing else into a log that Apache may read.
    pub version: i16,
    /// The leader of the epoch in the batch's header.
    pub leader_id: NodeId,
    /// All voters.
    pub voters: Vec<Voter>,
    /// Those that voted for this leader, itself among them.
    pub granting_voters: Vec<Voter>,
}

/// A voter of a leader change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Voter {
    /// Its `node.id`.
    pub voter_id: NodeId,
    /// Its metadata log directory; zero in version 0.
    pub directory_id: Uuid,
}

/// A voter as the log knows it: with its addresses. KIP-853.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KRaftVoter {
    /// Its `node.id`.
    pub voter_id: NodeId,
    /// Its metadata log directory.
    pub directory_id: Uuid,
    /// Where its controller listeners are.
    pub endpoints: Vec<VoterEndpoint>,
    /// The least `kraft.version` it can run.
    pub kraft_version_min: i16,
    /// The greatest `kraft.version` it can run.
    pub kraft_version_max: i16,
}

/// A controller listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoterEndpoint {
    /// The listener's name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Why a record is not a control record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ControlError {
    /// The key is absent, shorter than four bytes, or of a negative version.
    Key,
    /// The value is absent, cut off, or of a version that does not exist.
    Value {
        /// The type in the key.
        control_type: i16,
    },
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::Key => write!(f, "The key of a control record cannot be read."),
            ControlError::Value { control_type } => write!(
                f,
                "The value of a control record of type {control_type} cannot be read."
            ),
        }
    }
}

impl std::error::Error for ControlError {}

const KEY_VERSION: i16 = 0;
const VALUE_VERSION: i16 = 0;

impl ControlRecord {
    /// The number of the type in the record's key.
    #[must_use]
    pub fn control_type(&self) -> i16 {
        match self {
            ControlRecord::Abort { .. } => 0,
            ControlRecord::Commit { .. } => 1,
            ControlRecord::LeaderChange(_) => 2,
            ControlRecord::SnapshotHeader { .. } => 3,
            ControlRecord::SnapshotFooter => 4,
            ControlRecord::KRaftVersion(_) => 5,
            ControlRecord::KRaftVoters(_) => 6,
            ControlRecord::Unknown(control_type) => *control_type,
        }
    }

    /// Reads a record of a control batch.
    ///
    /// # Errors
    /// `ControlError`; an unknown type is not an error, but `ControlRecord::Unknown`.
    pub fn read(record: &Record<'_>) -> Result<ControlRecord, ControlError> {
        let mut key = record.key.ok_or(ControlError::Key)?;
        let version = take_i16(&mut key).map_err(|_| ControlError::Key)?;
        let control_type = take_i16(&mut key).map_err(|_| ControlError::Key)?;
        if version < KEY_VERSION {
            return Err(ControlError::Key);
        }
        let error = ControlError::Value { control_type };
        if !(0..=6).contains(&control_type) {
            return Ok(ControlRecord::Unknown(control_type));
        }
        let mut value = record.value.ok_or(error)?;
        read_value(control_type, &mut value).map_err(|_| error)
    }

    /// The record's key.
    #[must_use]
    pub fn key(&self) -> [u8; 4] {
        let mut key = [0; 4];
        key[..2].copy_from_slice(&KEY_VERSION.to_be_bytes());
        key[2..].copy_from_slice(&self.control_type().to_be_bytes());
        key
    }

    /// The record's value.
    #[must_use]
    pub fn value(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            ControlRecord::Abort { coordinator_epoch }
            | ControlRecord::Commit { coordinator_epoch } => {
                put(&mut out, VALUE_VERSION.to_be_bytes());
                put(&mut out, coordinator_epoch.to_be_bytes());
            }
            ControlRecord::LeaderChange(change) => put_leader_change(&mut out, change),
            ControlRecord::SnapshotHeader {
                last_contained_log_timestamp,
            } => {
                put(&mut out, VALUE_VERSION.to_be_bytes());
                put(&mut out, last_contained_log_timestamp.0.to_be_bytes());
                put_no_tags(&mut out);
            }
            ControlRecord::SnapshotFooter => {
                put(&mut out, VALUE_VERSION.to_be_bytes());
                put_no_tags(&mut out);
            }
            ControlRecord::KRaftVersion(version) => {
                put(&mut out, VALUE_VERSION.to_be_bytes());
                put(&mut out, version.to_be_bytes());
                put_no_tags(&mut out);
            }
            ControlRecord::KRaftVoters(voters) => put_voters(&mut out, voters),
            ControlRecord::Unknown(_) => {}
        }
        out
    }
}

/// The marker that ends a producer's transaction in a partition: a batch of its own, in the
/// producer's name. KIP-98.
#[must_use]
pub fn end_transaction_batch(
    base_offset: Offset,
    leader_epoch: LeaderEpoch,
    timestamp: Timestamp,
    producer_id: ProducerId,
    producer_epoch: ProducerEpoch,
    marker: &ControlRecord,
) -> Bytes {
    let mut builder = BatchBuilder::new(base_offset)
        .leader_epoch(leader_epoch)
        .producer(producer_id, producer_epoch, Sequence::NONE)
        .transactional()
        .control();
    builder.append(timestamp, Some(&marker.key()), Some(&marker.value()), &[]);
    builder.finish()
}

/// Control records of a KRaft log or snapshot, in one batch.
#[must_use]
pub fn control_batch(
    base_offset: Offset,
    leader_epoch: LeaderEpoch,
    timestamp: Timestamp,
    records: &[ControlRecord],
) -> Bytes {
    let mut builder = BatchBuilder::new(base_offset)
        .leader_epoch(leader_epoch)
        .control();
    for record in records {
        builder.append(timestamp, Some(&record.key()), Some(&record.value()), &[]);
    }
    builder.finish()
}

fn read_value(control_type: i16, value: &mut &[u8]) -> Result<ControlRecord, BatchError> {
    let version = take_i16(value)?;
    if version < 0 {
        return Err(BatchError::RecordLength);
    }
    match control_type {
        0 => Ok(ControlRecord::Abort {
            coordinator_epoch: take_i32(value)?,
        }),
        1 => Ok(ControlRecord::Commit {
            coordinator_epoch: take_i32(value)?,
        }),
        2 => read_leader_change(version, value).map(ControlRecord::LeaderChange),
        3 => Ok(ControlRecord::SnapshotHeader {
            last_contained_log_timestamp: Timestamp(i64::from_be_bytes(take(value)?)),
        }),
        4 => Ok(ControlRecord::SnapshotFooter),
        5 => Ok(ControlRecord::KRaftVersion(take_i16(value)?)),
        6 => take_array(value, read_kraft_voter).map(ControlRecord::KRaftVoters),
        unknown => Ok(ControlRecord::Unknown(unknown)),
    }
}

fn read_leader_change(version: i16, value: &mut &[u8]) -> Result<LeaderChange, BatchError> {
    let read_voter = |value: &mut &[u8]| {
        let voter_id = NodeId(take_i32(value)?);
        let directory_id = if version >= 1 {
            Uuid(take(value)?)
        } else {
            Uuid::ZERO
        };
        skip_tags(value)?;
        Ok(Voter {
            voter_id,
            directory_id,
        })
    };
    Ok(LeaderChange {
        version,
        leader_id: NodeId(take_i32(value)?),
        voters: take_array(value, read_voter)?,
        granting_voters: take_array(value, read_voter)?,
    })
}

fn read_kraft_voter(value: &mut &[u8]) -> Result<KRaftVoter, BatchError> {
    let voter_id = NodeId(take_i32(value)?);
    let directory_id = Uuid(take(value)?);
    let endpoints = take_array(value, |value| {
        let name = take_string(value)?;
        let host = take_string(value)?;
        let port = u16::from_be_bytes(take(value)?);
        skip_tags(value)?;
        Ok(VoterEndpoint { name, host, port })
    })?;
    let kraft_version_min = take_i16(value)?;
    let kraft_version_max = take_i16(value)?;
    skip_tags(value)?; // of the range of versions
    skip_tags(value)?; // of the voter
    Ok(KRaftVoter {
        voter_id,
        directory_id,
        endpoints,
        kraft_version_min,
        kraft_version_max,
    })
}

fn put_leader_change(out: &mut Vec<u8>, change: &LeaderChange) {
    put(out, change.version.to_be_bytes());
    put(out, change.leader_id.0.to_be_bytes());
    for voters in [&change.voters, &change.granting_voters] {
        put_length(out, voters.len());
        for voter in voters {
            put(out, voter.voter_id.0.to_be_bytes());
            if change.version >= 1 {
                put(out, voter.directory_id.0);
            }
            put_no_tags(out);
        }
    }
    put_no_tags(out);
}

fn put_voters(out: &mut Vec<u8>, voters: &[KRaftVoter]) {
    put(out, VALUE_VERSION.to_be_bytes());
    put_length(out, voters.len());
    for voter in voters {
        put(out, voter.voter_id.0.to_be_bytes());
        put(out, voter.directory_id.0);
        put_length(out, voter.endpoints.len());
        for endpoint in &voter.endpoints {
            put_string(out, &endpoint.name);
            put_string(out, &endpoint.host);
            put(out, endpoint.port.to_be_bytes());
            put_no_tags(out);
        }
        put(out, voter.kraft_version_min.to_be_bytes());
        put(out, voter.kraft_version_max.to_be_bytes());
        put_no_tags(out); // of the range of versions
        put_no_tags(out); // of the voter
    }
    put_no_tags(out);
}

fn put<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) {
    out.extend_from_slice(&bytes);
}

fn put_no_tags(out: &mut Vec<u8>) {
    out.push(0);
}

/// A compact length: one more than the count.
fn put_length(out: &mut Vec<u8>, count: usize) {
    let length = u32::try_from(count + 1).expect("voters and their names are few and short");
    varint::put_u32(out, length);
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BatchError> {
    let (taken, tail) = rest
        .split_first_chunk::<N>()
        .ok_or(BatchError::RecordCutOff)?;
    *rest = tail;
    Ok(*taken)
}

fn take_i16(rest: &mut &[u8]) -> Result<i16, BatchError> {
    take(rest).map(i16::from_be_bytes)
}

fn take_i32(rest: &mut &[u8]) -> Result<i32, BatchError> {
    take(rest).map(i32::from_be_bytes)
}

fn take_slice<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], BatchError> {
    let (taken, tail) = rest
        .split_at_checked(count)
        .ok_or(BatchError::RecordCutOff)?;
    *rest = tail;
    Ok(taken)
}

/// A compact length that is not null and not beyond the bytes there are.
fn take_length(rest: &mut &[u8]) -> Result<usize, BatchError> {
    let length = crate::base::convert::usize_from_u32(varint::take_u32(rest)?);
    let count = length.checked_sub(1).ok_or(BatchError::FieldLength(-1))?;
    if count > rest.len() {
        return Err(BatchError::RecordCutOff);
    }
    Ok(count)
}

fn take_string(rest: &mut &[u8]) -> Result<String, BatchError> {
    let count = take_length(rest)?;
    let bytes = take_slice(rest, count)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| BatchError::RecordLength)
}

fn take_array<T>(
    rest: &mut &[u8],
    mut read: impl FnMut(&mut &[u8]) -> Result<T, BatchError>,
) -> Result<Vec<T>, BatchError> {
    let count = take_length(rest)?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(read(rest)?);
    }
    Ok(items)
}

/// Passes over tagged fields: Kafka adds to old messages by them. KIP-482.
fn skip_tags(rest: &mut &[u8]) -> Result<(), BatchError> {
    let count = varint::take_u32(rest)?;
    for _ in 0..count {
        varint::take_u32(rest)?;
        let length = crate::base::convert::usize_from_u32(varint::take_u32(rest)?);
        take_slice(rest, length)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
