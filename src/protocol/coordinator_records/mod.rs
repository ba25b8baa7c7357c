//! The records of the coordinators' own topics, `__consumer_offsets` and `__transaction_state`, as
//! Apache writes them, byte for byte.
//!
//! ```text
//! key     int16 record type | message, never flexible
//! value   int16 version | message            null: a tombstone
//! ```
//!
//! Records of share groups (10 to 15) and streams groups (17 to 23) stand in the same topic; they
//! are kept as they are ([`GroupRecordKey::Other`]).

use crate::protocol::catalogue::Entry;
use crate::protocol::declare::Message;
use crate::protocol::reader::{DecodeError, DecodeReason, Reader};
use crate::protocol::writer::{EncodeError, Writer};
use bytes::Bytes;

pub mod consumer_group_current_member_assignment;
pub mod consumer_group_member_metadata;
pub mod consumer_group_metadata;
pub mod consumer_group_partition_metadata;
pub mod consumer_group_regular_expression;
pub mod consumer_group_target_assignment_member;
pub mod consumer_group_target_assignment_metadata;
pub mod group_metadata;
pub mod legacy_offset_commit;
pub mod offset_commit;
pub mod transaction_log;

pub use consumer_group_current_member_assignment::{
    ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue,
};
pub use consumer_group_member_metadata::{
    ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue,
};
pub use consumer_group_metadata::{ConsumerGroupMetadataKey, ConsumerGroupMetadataValue};
pub use consumer_group_partition_metadata::{
    ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue,
};
pub use consumer_group_regular_expression::{
    ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue,
};
pub use consumer_group_target_assignment_member::{
    ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue,
};
pub use consumer_group_target_assignment_metadata::{
    ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue,
};
pub use group_metadata::{GroupMetadataKey, GroupMetadataValue};
pub use legacy_offset_commit::{LegacyOffsetCommitKey, LegacyOffsetCommitValue};
pub use offset_commit::{OffsetCommitKey, OffsetCommitValue};
pub use transaction_log::{TransactionLogKey, TransactionLogValue};

/// Reads a value: its version, then the message.
pub fn decode_value<M: Message>(value: &Bytes) -> Result<(M, i16), DecodeError> {
    let mut reader = Reader::new(value.clone());
    let version = reader.i16().map_err(|error| error.at(M::NAME, "version"))?;
    Ok((M::decode(&mut reader, version)?, version))
}

/// The value as it is written to the log: its version, then the message.
pub fn encode_value<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::with_capacity(2 + message.size(version));
    writer.i16(version);
    message.encode(&mut writer, version)?;
    Ok(writer.finish().bytes)
}

/// A record of one type: which key and which value belong together.
pub trait CoordinatorRecord: Message {
    /// The type in the key.
    const TYPE: i16;
    /// The value of such a key.
    type Value: Message;

    /// The key as it is written to the log.
    fn encode_key(&self) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::with_capacity(2 + self.size(0));
        writer.i16(Self::TYPE);
        self.encode(&mut writer, 0)?;
        Ok(writer.finish().bytes)
    }
}

macro_rules! group_records {
    ($( $id:literal $name:ident($key:ident, $value:ident), )*) => {
        /// The key of a record in `__consumer_offsets`.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant holds the key of its name")]
        pub enum GroupRecordKey {
            $( $name($key), )*
            /// A type that klamm does not read, as bytes without the type.
            Other { record_type: i16, key: Bytes },
        }

        $(
            impl CoordinatorRecord for $key {
                const TYPE: i16 = $id;
                type Value = $value;
            }
        )*

        impl GroupRecordKey {
            /// Reads a record's key.
            pub fn decode(key: &Bytes) -> Result<GroupRecordKey, DecodeError> {
                let mut reader = Reader::new(key.clone());
                let record_type = reader
                    .i16()
                    .map_err(|error| error.at("GroupRecordKey", "record_type"))?;
                match record_type {
                    $( $id => $key::decode(&mut reader, 0).map(GroupRecordKey::$name), )*
                    _ => Ok(GroupRecordKey::Other {
                        record_type,
                        key: reader.take_rest(),
                    }),
                }
            }
        }

        fn group_messages() -> Vec<Entry> {
            vec![$( Entry::of::<$key>(), Entry::of::<$value>() ),*]
        }
    };
}

group_records! {
    0 LegacyOffsetCommit(LegacyOffsetCommitKey, LegacyOffsetCommitValue),
    1 OffsetCommit(OffsetCommitKey, OffsetCommitValue),
    2 GroupMetadata(GroupMetadataKey, GroupMetadataValue),
    3 ConsumerGroupMetadata(ConsumerGroupMetadataKey, ConsumerGroupMetadataValue),
    4 ConsumerGroupPartitionMetadata(ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue),
    5 ConsumerGroupMemberMetadata(ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue),
    6 ConsumerGroupTargetAssignmentMetadata(ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue),
    7 ConsumerGroupTargetAssignmentMember(ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue),
    8 ConsumerGroupCurrentMemberAssignment(ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue),
    16 ConsumerGroupRegularExpression(ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue),
}

impl CoordinatorRecord for TransactionLogKey {
    const TYPE: i16 = 0;
    type Value = TransactionLogValue;
}

/// Reads the key of a record in `__transaction_state`.
pub fn decode_transaction_log_key(key: &Bytes) -> Result<TransactionLogKey, DecodeError> {
    let mut reader = Reader::new(key.clone());
    let record_type = reader
        .i16()
        .map_err(|error| error.at(TransactionLogKey::NAME, "record_type"))?;
    if record_type != TransactionLogKey::TYPE {
        let reason = DecodeReason::RecordType(u32::from(record_type.cast_unsigned()));
        return Err(DecodeError::new(reason).at(TransactionLogKey::NAME, "record_type"));
    }
    TransactionLogKey::decode(&mut reader, 0)
}

/// Every record of the coordinators, for the catalogue.
pub(crate) fn coordinator_messages() -> Vec<Entry> {
    let mut entries = group_messages();
    entries.push(Entry::of::<TransactionLogKey>());
    entries.push(Entry::of::<TransactionLogValue>());
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    #[test]
    fn keys_and_values_have_their_type_and_version_before_them() {
        let key = OffsetCommitKey {
            group: "g".into(),
            topic: "t".into(),
            partition: 3,
            ..OffsetCommitKey::default()
        };
        let bytes = key.encode_key().expect("encodes");
        assert_eq!(bytes[..], [0, 1, 0, 1, b'g', 0, 1, b't', 0, 0, 0, 3]);
        assert_eq!(
            GroupRecordKey::decode(&bytes),
            Ok(GroupRecordKey::OffsetCommit(key))
        );

        let value = OffsetCommitValue {
            offset: 42,
            leader_epoch: 2,
            ..OffsetCommitValue::default()
        };
        for version in OffsetCommitValue::VERSIONS.iter() {
            let bytes = encode_value(&value, version).expect("encodes");
            let (read, read_version) = decode_value::<OffsetCommitValue>(&bytes).expect("reads");
            assert_eq!((read.offset, read_version), (42, version));
            assert_eq!(read.leader_epoch, if version >= 3 { 2 } else { -1 });
        }
    }

    #[test]
    fn unknown_types_are_kept_and_cut_keys_are_errors() {
        let other = Bytes::from_static(&[0, 11, 0, 1, b'g']);
        assert_eq!(
            GroupRecordKey::decode(&other),
            Ok(GroupRecordKey::Other {
                record_type: 11,
                key: other.slice(2..)
            })
        );
        let key = TransactionLogKey {
            transactional_id: "id".into(),
            ..TransactionLogKey::default()
        };
        let bytes = key.encode_key().expect("encodes");
        assert_eq!(decode_transaction_log_key(&bytes), Ok(key));
        for end in 0..bytes.len() {
            assert!(decode_transaction_log_key(&bytes.slice(..end)).is_err());
        }
        let mut prng = Prng::new(9);
        for _ in 0..10_000 {
            let mut bytes = vec![0; prng.index(20)];
            prng.fill(&mut bytes);
            bytes.splice(0..0, [0, u8::try_from(prng.below(18)).expect("small")]);
            drop(GroupRecordKey::decode(&Bytes::from(bytes)));
        }
    }
}
