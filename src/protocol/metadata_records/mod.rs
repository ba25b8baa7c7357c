//! The records of KRaft's log, `__cluster_metadata-0`: what the state of a cluster is replayed from.
//!
//! ```text
//! record value   uvarint frame version (1) | uvarint type | uvarint version | message
//! ```
//!
//! Every message is flexible. Nothing may follow it, and an unknown type is an error: a state that
//! was replayed without one of its records would be another state.

use crate::protocol::catalogue::Entry;
use crate::protocol::declare::{Message, Versions};
use crate::protocol::json;
use crate::protocol::reader::{DecodeError, DecodeReason, Reader};
use crate::protocol::writer::{EncodeError, Writer};
use bytes::Bytes;

pub mod broker;
pub mod cluster;
pub mod security;
pub mod topic;

pub use broker::{
    BrokerRegistrationChangeRecord, FenceBrokerRecord, RegisterBrokerRecord,
    RegisterControllerRecord, UnfenceBrokerRecord, UnregisterBrokerRecord,
    UnregisterControllerRecord,
};
pub use cluster::{
    AbortTransactionRecord, BeginTransactionRecord, ClientQuotaRecord, ConfigRecord,
    EndTransactionRecord, FeatureLevelRecord, NoOpRecord, ProducerIdsRecord,
    ZkMigrationStateRecord,
};
pub use security::{
    AccessControlEntryRecord, DelegationTokenRecord, RemoveAccessControlEntryRecord,
    RemoveDelegationTokenRecord, RemoveUserScramCredentialRecord, UserScramCredentialRecord,
};
pub use topic::{
    ClearElrRecord, PartitionChangeRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
};

/// The only version of the framing.
const FRAME_VERSION: u32 = 1;

macro_rules! metadata_records {
    ($( $id:literal $name:ident, )*) => {
        /// Any metadata record.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant holds the record of its name")]
        pub enum MetadataRecord {
            $( $name($name), )*
        }

        $(
            impl $name {
                /// The record's type in its frame.
                pub const API_KEY: u32 = $id;
            }

            impl From<$name> for MetadataRecord {
                fn from(record: $name) -> MetadataRecord {
                    MetadataRecord::$name(record)
                }
            }
        )*

        impl MetadataRecord {
            /// The record's type in its frame.
            #[must_use]
            pub const fn api_key(&self) -> u32 {
                match self {
                    $( MetadataRecord::$name(_) => $id, )*
                }
            }

            /// Kafka's name.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $( MetadataRecord::$name(_) => stringify!($name), )*
                }
            }

            /// The versions of this type of record.
            #[must_use]
            pub const fn versions(&self) -> Versions {
                match self {
                    $( MetadataRecord::$name(_) => <$name as Message>::VERSIONS, )*
                }
            }

            fn decode_message(reader: &mut Reader, id: u32, version: i16) -> Result<MetadataRecord, DecodeError> {
                match id {
                    $( $id => $name::decode(reader, version).map(MetadataRecord::$name), )*
                    _ => Err(DecodeError::new(DecodeReason::RecordType(id))),
                }
            }

            /// The record as `kafka-dump-log --cluster-metadata-decoder` prints it:
            /// `{"type":"TOPIC_RECORD","version":0,"data":{…}}`.
            #[must_use]
            pub fn to_json(&self, version: i16) -> String {
                let data = match self {
                    $( MetadataRecord::$name(record) => record.to_json(version), )*
                };
                let name = json::constant_name(self.name());
                format!("{{\"type\":\"{name}\",\"version\":{version},\"data\":{data}}}")
            }

            fn encode_message(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
                match self {
                    $( MetadataRecord::$name(record) => record.encode(writer, version), )*
                }
            }
        }

        /// Every metadata record, for the catalogue.
        pub(crate) fn metadata_messages() -> Vec<Entry> {
            vec![$( Entry::of::<$name>() ),*]
        }
    };
}

metadata_records! {
    0 RegisterBrokerRecord,
    1 UnregisterBrokerRecord,
    2 TopicRecord,
    3 PartitionRecord,
    4 ConfigRecord,
    5 PartitionChangeRecord,
    7 FenceBrokerRecord,
    8 UnfenceBrokerRecord,
    9 RemoveTopicRecord,
    10 DelegationTokenRecord,
    11 UserScramCredentialRecord,
    12 FeatureLevelRecord,
    14 ClientQuotaRecord,
    15 ProducerIdsRecord,
    17 BrokerRegistrationChangeRecord,
    18 AccessControlEntryRecord,
    19 RemoveAccessControlEntryRecord,
    20 NoOpRecord,
    21 ZkMigrationStateRecord,
    22 RemoveUserScramCredentialRecord,
    23 BeginTransactionRecord,
    24 EndTransactionRecord,
    25 AbortTransactionRecord,
    26 RemoveDelegationTokenRecord,
    27 RegisterControllerRecord,
    28 ClearElrRecord,
    29 UnregisterControllerRecord,
}

impl MetadataRecord {
    /// Reads a record's value.
    pub fn decode(value: &Bytes) -> Result<MetadataRecord, DecodeError> {
        MetadataRecord::decode_versioned(value).map(|(record, _)| record)
    }

    /// Reads a record's value, and says in which version it was written.
    pub fn decode_versioned(value: &Bytes) -> Result<(MetadataRecord, i16), DecodeError> {
        const NAME: &str = "MetadataRecord";
        let mut reader = Reader::new(value.clone());
        let mut header = |field| reader.uvarint().map_err(|error| error.at(NAME, field));
        let frame_version = header("frame_version")?;
        let id = header("type")?;
        let version = header("version")?;
        if frame_version != FRAME_VERSION {
            let reason = DecodeReason::FrameVersion(frame_version);
            return Err(DecodeError::new(reason).at(NAME, "frame_version"));
        }
        let version = i16::try_from(version)
            .map_err(|_| DecodeError::new(DecodeReason::Version(i16::MAX)).at(NAME, "version"))?;
        let record = MetadataRecord::decode_message(&mut reader, id, version)
            .map_err(|error| error.at(NAME, "type"))?;
        reader
            .expect_end()
            .map_err(|error| error.at(record.name(), ""))?;
        Ok((record, version))
    }

    /// The record's value, in a version of its message.
    pub fn encode(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::with_capacity(64);
        writer.uvarint(FRAME_VERSION);
        writer.uvarint(self.api_key());
        // A version that does not exist is refused by the message itself.
        writer.uvarint(u32::from(version.unsigned_abs()));
        self.encode_message(&mut writer, version)?;
        Ok(writer.finish().bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use crate::base::uuid::Uuid;

    #[test]
    fn known_bytes() {
        let record = MetadataRecord::from(TopicRecord {
            name: "foo".into(),
            topic_id: Uuid([1; 16]),
            ..TopicRecord::default()
        });
        let bytes = record.encode(0).expect("encodes");
        let mut expected = vec![1, 2, 0, 4];
        expected.extend_from_slice(b"foo");
        expected.extend_from_slice(&[1; 16]);
        expected.push(0);
        assert_eq!(bytes, expected);
        assert_eq!(MetadataRecord::decode_versioned(&bytes), Ok((record, 0)));
    }

    #[test]
    fn known_json() {
        let record = MetadataRecord::from(TopicRecord {
            name: "f\"oo".into(),
            topic_id: Uuid([1; 16]),
            ..TopicRecord::default()
        });
        assert_eq!(
            record.to_json(0),
            r#"{"type":"TOPIC_RECORD","version":0,"data":{"name":"f\"oo","topicId":"AQEBAQEBAQEBAQEBAQEBAQ"}}"#
        );
        // A tagged field is there only where it says something.
        let record = MetadataRecord::from(PartitionChangeRecord {
            partition_id: 4,
            isr: Some(vec![1, 2]),
            ..PartitionChangeRecord::default()
        });
        assert_eq!(
            record.to_json(0),
            r#"{"type":"PARTITION_CHANGE_RECORD","version":0,"data":{"partitionId":4,"topicId":"AAAAAAAAAAAAAAAAAAAAAA","isr":[1,2]}}"#
        );
    }

    #[test]
    fn a_partition_change_writes_only_what_changed_and_its_tags_in_order() {
        let record = MetadataRecord::from(PartitionChangeRecord {
            partition_id: 0,
            leader: 7,
            eligible_leader_replicas: Some(vec![]),
            directories: Some(vec![]),
            ..PartitionChangeRecord::default()
        });
        let bytes = record.encode(2).expect("encodes");
        assert_eq!(bytes[..3], [1, 5, 2]);
        let tagged = &bytes[3 + 4 + 16..];
        assert_eq!(tagged, [3, 1, 4, 0, 0, 0, 7, 6, 1, 1, 8, 1, 1]);
        assert_eq!(MetadataRecord::decode(&bytes), Ok(record.clone()));
        // Version 0 has neither of the two.
        assert!(record.encode(0).is_err());
    }

    #[test]
    fn what_is_no_record_is_an_error() {
        for (bytes, reason) in [
            (&[2, 2, 0][..], DecodeReason::FrameVersion(2)),
            (&[1, 6, 0][..], DecodeReason::RecordType(6)),
            (&[1, 20, 1][..], DecodeReason::Version(1)),
            (&[1, 20, 0, 0, 9][..], DecodeReason::Trailing(1)),
            (&[1][..], DecodeReason::Truncated { needed: 1, left: 0 }),
        ] {
            let error =
                MetadataRecord::decode(&Bytes::copy_from_slice(bytes)).expect_err("no record");
            assert_eq!(error.reason, reason, "{error}");
        }
        let mut prng = Prng::new(8);
        for _ in 0..20_000 {
            let mut bytes = vec![0; prng.index(40)];
            prng.fill(&mut bytes);
            bytes.splice(
                0..0,
                [
                    1,
                    u8::try_from(prng.below(30)).expect("small"),
                    u8::try_from(prng.below(5)).expect("small"),
                ],
            );
            if let Ok((record, version)) = MetadataRecord::decode_versioned(&Bytes::from(bytes)) {
                let again = record
                    .encode(version)
                    .expect("what was read can be written");
                assert_eq!(MetadataRecord::decode(&again), Ok(record));
            }
        }
    }
}
