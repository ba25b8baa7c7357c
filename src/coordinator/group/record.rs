//! What groups write: the records of `__consumer_offsets` that klamm understands, each as key and
//! value together, in the versions that Apache Kafka 4.4 writes.
//!
//! ```text
//! key     int16 type    | fields
//! value   int16 version | fields        null: a tombstone, what the key names is gone
//! ```

use crate::coordinator::machine::DamagedRecord;
use crate::protocol::Message;
use crate::protocol::coordinator_records::{
    ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue,
    ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataKey,
    ConsumerGroupMetadataValue, ConsumerGroupPartitionMetadataKey,
    ConsumerGroupPartitionMetadataValue, ConsumerGroupRegularExpressionKey,
    ConsumerGroupRegularExpressionValue, ConsumerGroupTargetAssignmentMemberKey,
    ConsumerGroupTargetAssignmentMemberValue, ConsumerGroupTargetAssignmentMetadataKey,
    ConsumerGroupTargetAssignmentMetadataValue, CoordinatorRecord, GroupMetadataKey,
    GroupMetadataValue, GroupRecordKey, LegacyOffsetCommitKey, LegacyOffsetCommitValue,
    OffsetCommitKey, OffsetCommitValue, decode_value, encode_value,
};
use crate::protocol::reader::{DecodeError, Reader};
use crate::protocol::string::Str;
use crate::protocol::writer::EncodeError;
use bytes::Bytes;

/// The version that carries an expiry of its own, which only clients of 2.0 and before ask for.
const OFFSET_COMMIT_WITH_EXPIRY: i16 = 1;
/// The version with the topic's id.
const OFFSET_COMMIT: i16 = 4;
/// The last version that is not flexible: what Kafka writes as of 4.4.
const GROUP_METADATA: i16 = 3;

macro_rules! group_records {
    ($( $(#[$doc:meta])* $name:ident($key:ident, $value:ident, $group:ident), )*) => {
        /// A record of a group. A value of `None` is a tombstone.
        #[derive(Clone, PartialEq, Debug)]
        pub enum GroupRecord {
            $( $(#[$doc])* $name($key, Option<$value>), )*
        }

        $(
            impl From<($key, Option<$value>)> for GroupRecord {
                fn from((key, value): ($key, Option<$value>)) -> GroupRecord {
                    GroupRecord::$name(key, value)
                }
            }
        )*

        impl GroupRecord {
            /// The group that the record is about.
            #[must_use]
            pub fn group_id(&self) -> &Str {
                match self {
                    $( GroupRecord::$name(key, _) => &key.$group, )*
                }
            }

            /// Whether it says that something is gone.
            #[must_use]
            pub fn is_tombstone(&self) -> bool {
                match self {
                    $( GroupRecord::$name(_, value) => value.is_none(), )*
                }
            }

            /// Key and value as they stand in the log.
            ///
            /// # Errors
            /// A field that the version cannot hold.
            pub fn encode(&self) -> Result<(Bytes, Option<Bytes>), EncodeError> {
                match self {
                    $( GroupRecord::$name(key, value) => {
                        let value = match value {
                            Some(value) => Some(encode_value(value, value.version_written())?),
                            None => None,
                        };
                        Ok((key.encode_key()?, value))
                    } )*
                }
            }

            /// Reads a record; `None` where it is of a kind of group that klamm does not have.
            ///
            /// # Errors
            /// What cannot be read, with the group where the key still tells it.
            pub fn decode(
                key: &Bytes,
                value: Option<&Bytes>,
            ) -> Result<Option<GroupRecord>, DamagedRecord> {
                let decoded = GroupRecordKey::decode(key).map_err(|error| DamagedRecord {
                    subject: group_of(key),
                    error,
                })?;
                match decoded {
                    $( GroupRecordKey::$name(key) => match read(value) {
                        Ok(value) => Ok(Some(GroupRecord::$name(key, value))),
                        Err(error) => Err(DamagedRecord {
                            subject: Some(key.$group.detached()),
                            error,
                        }),
                    }, )*
                    GroupRecordKey::Other { .. } => Ok(None),
                }
            }
        }
    };
}

group_records! {
    /// A committed offset, as Kafka before 0.9 wrote it.
    LegacyOffsetCommit(LegacyOffsetCommitKey, LegacyOffsetCommitValue, group),
    /// A committed offset.
    OffsetCommit(OffsetCommitKey, OffsetCommitValue, group),
    /// A classic group: one generation of it.
    GroupMetadata(GroupMetadataKey, GroupMetadataValue, group),
    /// A consumer group: its epoch.
    ConsumerGroupMetadata(ConsumerGroupMetadataKey, ConsumerGroupMetadataValue, group_id),
    /// The topics of a consumer group, as Kafka 4.0 wrote them; later a hash stands for them.
    ConsumerGroupPartitionMetadata(ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue, group_id),
    /// A member of a consumer group: who it is, and what it wants.
    ConsumerGroupMemberMetadata(ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue, group_id),
    /// The epoch of a consumer group's target assignment.
    ConsumerGroupTargetAssignmentMetadata(ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue, group_id),
    /// What a member shall have.
    ConsumerGroupTargetAssignmentMember(ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue, group_id),
    /// What a member has, and its epoch.
    ConsumerGroupCurrentMemberAssignment(ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue, group_id),
    /// The topics that a regular expression was found to mean.
    ConsumerGroupRegularExpression(ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue, group_id),
}

/// Which version of a value is written.
trait Written: Message {
    fn version_written(&self) -> i16 {
        0
    }
}

impl Written for LegacyOffsetCommitValue {}
impl Written for ConsumerGroupMetadataValue {}
impl Written for ConsumerGroupPartitionMetadataValue {}
impl Written for ConsumerGroupMemberMetadataValue {}
impl Written for ConsumerGroupTargetAssignmentMetadataValue {}
impl Written for ConsumerGroupTargetAssignmentMemberValue {}
impl Written for ConsumerGroupCurrentMemberAssignmentValue {}
impl Written for ConsumerGroupRegularExpressionValue {}

impl Written for OffsetCommitValue {
    fn version_written(&self) -> i16 {
        if self.expire_timestamp == -1 {
            OFFSET_COMMIT
        } else {
            OFFSET_COMMIT_WITH_EXPIRY
        }
    }
}

impl Written for GroupMetadataValue {
    fn version_written(&self) -> i16 {
        GROUP_METADATA
    }
}

fn read<M: Message>(value: Option<&Bytes>) -> Result<Option<M>, DecodeError> {
    match value {
        Some(value) => decode_value::<M>(value).map(|(value, _)| Some(value)),
        None => Ok(None),
    }
}

/// The group in a key, even if the rest of the key cannot be read: in all of them it comes first.
#[must_use]
pub fn group_of(key: &Bytes) -> Option<Str> {
    let mut reader = Reader::new(key.clone());
    reader.i16().ok()?;
    let length = usize::try_from(reader.i16().ok()?).ok()?;
    let rest = reader.take_rest();
    Str::from_utf8(Bytes::copy_from_slice(rest.get(..length)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use crate::base::uuid::Uuid;

    fn commit(expire_timestamp: i64) -> GroupRecord {
        GroupRecord::OffsetCommit(
            OffsetCommitKey {
                group: "g".into(),
                topic: "t".into(),
                partition: 3,
                ..OffsetCommitKey::default()
            },
            Some(OffsetCommitValue {
                offset: 42,
                leader_epoch: 7,
                metadata: "m".into(),
                commit_timestamp: 1000,
                expire_timestamp,
                topic_id: Uuid::from_random(1, 2),
                ..OffsetCommitValue::default()
            }),
        )
    }

    fn group() -> GroupRecord {
        GroupRecord::GroupMetadata(
            GroupMetadataKey {
                group: "g".into(),
                ..GroupMetadataKey::default()
            },
            Some(GroupMetadataValue {
                protocol_type: "consumer".into(),
                generation: 2,
                ..GroupMetadataValue::default()
            }),
        )
    }

    #[test]
    fn versions_are_apaches() {
        let version = |record: &GroupRecord| {
            let (_, value) = record.encode().expect("encodes");
            let value = value.expect("no tombstone");
            i16::from_be_bytes([value[0], value[1]])
        };
        assert_eq!(version(&commit(-1)), 4);
        assert_eq!(version(&commit(9)), 1);
        assert_eq!(version(&group()), 3);
        let epoch = GroupRecord::from((
            ConsumerGroupMetadataKey {
                group_id: "g".into(),
                ..ConsumerGroupMetadataKey::default()
            },
            Some(ConsumerGroupMetadataValue::default()),
        ));
        assert_eq!(version(&epoch), 0);
    }

    #[test]
    fn what_is_written_is_read() {
        for record in [commit(-1), group()] {
            let (key, value) = record.encode().expect("encodes");
            assert_eq!(
                GroupRecord::decode(&key, value.as_ref()),
                Ok(Some(record.clone()))
            );
            let tombstone = GroupRecord::decode(&key, None).expect("reads");
            assert!(tombstone.expect("a known type").is_tombstone());
            assert_eq!(record.group_id(), &"g");
        }
    }

    #[test]
    fn other_kinds_of_groups_are_passed_over_and_damage_names_its_group() {
        let share = Bytes::from_static(&[0, 11, 0, 1, b'g']);
        assert_eq!(GroupRecord::decode(&share, None), Ok(None));

        let (key, value) = commit(-1).encode().expect("encodes");
        let cut = value.expect("no tombstone").slice(..6);
        let damaged = GroupRecord::decode(&key, Some(&cut)).expect_err("a cut value");
        assert_eq!(damaged.subject, Some("g".into()));
        let damaged = GroupRecord::decode(&key.slice(..7), None).expect_err("a cut key");
        assert_eq!(damaged.subject, Some("g".into()));
        let damaged = GroupRecord::decode(&key.slice(..1), None).expect_err("no key at all");
        assert_eq!(damaged.subject, None);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut prng = Prng::new(16);
        for _ in 0..20_000 {
            let mut key = vec![0; 2 + prng.index(40)];
            let mut value = vec![0; 2 + prng.index(80)];
            prng.fill(&mut key);
            prng.fill(&mut value);
            key[0] = 0;
            key[1] %= 20;
            value[0] = 0;
            value[1] %= 6;
            let _ = GroupRecord::decode(&Bytes::from(key), Some(&Bytes::from(value)));
        }
    }
}
