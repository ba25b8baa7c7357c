//! `--offsets-decoder`: records of `__consumer_offsets` in the JSON of Apache's tool.
//!
//! ```text
//! key: {"type":"1","data":{…}} payload: {"version":"4","data":{…}}     <DELETE>: a tombstone
//! ```

use crate::protocol::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription,
};
use crate::protocol::coordinator_records::{
    CoordinatorRecord, GroupMetadataValue, GroupRecordKey, decode_value,
};
use crate::protocol::{DecodeError, Message, json};
use crate::record::Record;
use bytes::Bytes;

/// What Kafka's tool prints for the value of a tombstone.
const TOMBSTONE: &str = "<DELETE>";

/// Key and value as Kafka's tool prints them; `None` where it prints nothing.
pub fn decode(record: &Record<'_>) -> (Option<String>, Option<String>) {
    let offset = record.offset;
    let Some(key) = record.key else {
        // Kafka's tool ends here: the other records are worth more.
        let why = format!(
            "Failed to decode message at offset {offset} using the specified decoder (message had \
             a missing key)"
        );
        return (Some(why), None);
    };
    let value = record.value.map(Bytes::copy_from_slice);
    match decoded(&Bytes::copy_from_slice(key), value.as_ref()) {
        Ok(Some((key, value))) => (Some(key), Some(value)),
        Ok(None) => {
            let record_type = key
                .first_chunk::<2>()
                .map(|bytes| i16::from_be_bytes(*bytes));
            let record_type = record_type.unwrap_or_default();
            let why = format!("Unknown record type {record_type} at offset {offset}, skipping.");
            (Some(why), None)
        }
        Err(error) => {
            let why = format!("Error at offset {offset}, skipping. {error}");
            (Some(why), None)
        }
    }
}

/// Key and value; `None` where the type is not known.
fn decoded(key: &Bytes, value: Option<&Bytes>) -> Result<Option<(String, String)>, DecodeError> {
    match GroupRecordKey::decode(key)? {
        GroupRecordKey::LegacyOffsetCommit(key) => pair(&key, value),
        GroupRecordKey::OffsetCommit(key) => pair(&key, value),
        GroupRecordKey::GroupMetadata(key) => {
            let shown = value
                .map(decode_value::<GroupMetadataValue>)
                .transpose()?
                .map(|(message, version)| (group_metadata(&message, version), version));
            Ok(Some((key_json(&key), value_json(shown))))
        }
        GroupRecordKey::ConsumerGroupMetadata(key) => pair(&key, value),
        GroupRecordKey::ConsumerGroupPartitionMetadata(key) => pair(&key, value),
        GroupRecordKey::ConsumerGroupMemberMetadata(key) => pair(&key, value),
        GroupRecordKey::ConsumerGroupTargetAssignmentMetadata(key) => pair(&key, value),
        GroupRecordKey::ConsumerGroupTargetAssignmentMember(key) => pair(&key, value),
        GroupRecordKey::ConsumerGroupCurrentMemberAssignment(key) => pair(&key, value),
        GroupRecordKey::ConsumerGroupRegularExpression(key) => pair(&key, value),
        GroupRecordKey::Other { .. } => Ok(None),
    }
}

fn pair<K: CoordinatorRecord>(
    key: &K,
    value: Option<&Bytes>,
) -> Result<Option<(String, String)>, DecodeError> {
    let shown = value
        .map(decode_value::<K::Value>)
        .transpose()?
        .map(|(message, version)| (message.to_json(version), version));
    Ok(Some((key_json(key), value_json(shown))))
}

fn key_json<K: CoordinatorRecord>(key: &K) -> String {
    format!("{{\"type\":\"{}\",\"data\":{}}}", K::TYPE, key.to_json(0))
}

fn value_json(value: Option<(String, i16)>) -> String {
    value.map_or_else(
        || TOMBSTONE.to_owned(),
        |(data, version)| format!("{{\"version\":\"{version}\",\"data\":{data}}}"),
    )
}

/// The value of a classic group: what consumers say to each other in it is opened.
fn group_metadata(group: &GroupMetadataValue, version: i16) -> String {
    let text = group.to_json(version);
    if &*group.protocol_type != "consumer" {
        return text;
    }
    // The members' fields follow each other in this order, so each is looked for behind the last.
    let mut opened = String::new();
    let mut rest = text.as_str();
    for member in &group.members {
        let subscription = embedded::<ConsumerProtocolSubscription>(&member.subscription);
        let assignment = embedded::<ConsumerProtocolAssignment>(&member.assignment);
        for (field, bytes, json) in [
            ("subscription", &member.subscription, subscription),
            ("assignment", &member.assignment, assignment),
        ] {
            let mut raw = format!("\"{field}\":");
            let name = raw.len();
            json::bytes(&mut raw, bytes);
            let Some(at) = rest.find(&raw) else {
                continue;
            };
            let (before, after) = rest.split_at(at + raw.len());
            match json {
                Some(json) => {
                    opened.push_str(&before[..at + name]);
                    opened.push_str(&json);
                }
                // As in Kafka's tool, what cannot be read stays as it is.
                None => opened.push_str(before),
            }
            rest = after;
        }
    }
    opened.push_str(rest);
    opened
}

fn embedded<M: Message>(bytes: &Bytes) -> Option<String> {
    let (message, version) = decode_value::<M>(bytes).ok()?;
    Some(message.to_json(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use crate::protocol::Str;
    use crate::protocol::consumer_protocol::{assignment, subscription};
    use crate::protocol::coordinator_records::group_metadata::MemberMetadata;
    use crate::protocol::coordinator_records::{
        GroupMetadataKey, OffsetCommitKey, OffsetCommitValue, encode_value,
    };
    use expect_test::expect;

    fn shown(key: &Bytes, value: Option<&Bytes>) -> String {
        let (key, value) = decoded(key, value).unwrap().unwrap();
        format!("key: {key} payload: {value}")
    }

    #[test]
    fn a_committed_offset_prints_as_kafka_prints_it() {
        let key = OffsetCommitKey {
            group: "g".into(),
            topic: "t".into(),
            partition: 3,
            ..OffsetCommitKey::default()
        };
        let value = OffsetCommitValue {
            offset: 42,
            leader_epoch: 0,
            commit_timestamp: 1_700_000_000_000,
            ..OffsetCommitValue::default()
        };
        let key = key.encode_key().unwrap();
        let value = encode_value(&value, 3).unwrap();
        expect![[r#"key: {"type":"1","data":{"group":"g","topic":"t","partition":3}} payload: {"version":"3","data":{"offset":42,"leaderEpoch":0,"metadata":"","commitTimestamp":1700000000000}}"#]].assert_eq(&shown(&key, Some(&value)));
        expect![[
            r#"key: {"type":"1","data":{"group":"g","topic":"t","partition":3}} payload: <DELETE>"#
        ]]
        .assert_eq(&shown(&key, None));
    }

    #[test]
    fn a_classic_group_prints_as_kafka_prints_it() {
        let subscription = ConsumerProtocolSubscription {
            topics: vec!["t".into()],
            owned_partitions: vec![subscription::TopicPartition {
                topic: "t".into(),
                partitions: vec![0],
                ..subscription::TopicPartition::default()
            }],
            ..ConsumerProtocolSubscription::default()
        };
        let assignment = ConsumerProtocolAssignment {
            assigned_partitions: vec![assignment::TopicPartition {
                topic: "t".into(),
                partitions: vec![0, 1],
                ..assignment::TopicPartition::default()
            }],
            ..ConsumerProtocolAssignment::default()
        };
        let member = |id: &str, assignment: Bytes| MemberMetadata {
            member_id: id.into(),
            client_id: "\"subscription\":\"\"".into(),
            client_host: "/127.0.0.1".into(),
            rebalance_timeout: 300_000,
            session_timeout: 45_000,
            subscription: encode_value(&subscription, 1).unwrap(),
            assignment,
            ..MemberMetadata::default()
        };
        let mut value = GroupMetadataValue {
            protocol_type: "consumer".into(),
            generation: 1,
            protocol: Some("range".into()),
            leader: Some("a".into()),
            current_state_timestamp: 5,
            members: vec![
                member("a", encode_value(&assignment, 1).unwrap()),
                member("b", Bytes::new()),
            ],
            ..GroupMetadataValue::default()
        };
        let key = GroupMetadataKey {
            group: "g".into(),
            ..GroupMetadataKey::default()
        };
        let key = key.encode_key().unwrap();
        let bytes = encode_value(&value, 3).unwrap();
        expect![[r#"key: {"type":"2","data":{"group":"g"}} payload: {"version":"3","data":{"protocolType":"consumer","generation":1,"protocol":"range","leader":"a","currentStateTimestamp":5,"members":[{"memberId":"a","groupInstanceId":null,"clientId":"\"subscription\":\"\"","clientHost":"/127.0.0.1","rebalanceTimeout":300000,"sessionTimeout":45000,"subscription":{"topics":["t"],"userData":null,"ownedPartitions":[{"topic":"t","partitions":[0]}]},"assignment":{"assignedPartitions":[{"topic":"t","partitions":[0,1]}],"userData":null}},{"memberId":"b","groupInstanceId":null,"clientId":"\"subscription\":\"\"","clientHost":"/127.0.0.1","rebalanceTimeout":300000,"sessionTimeout":45000,"subscription":{"topics":["t"],"userData":null,"ownedPartitions":[{"topic":"t","partitions":[0]}]},"assignment":""}]}}"#]].assert_eq(&shown(&key, Some(&bytes)));
        value.protocol_type = Str::from("connect");
        value.members.truncate(1);
        let bytes = encode_value(&value, 3).unwrap();
        expect![[r#"key: {"type":"2","data":{"group":"g"}} payload: {"version":"3","data":{"protocolType":"connect","generation":1,"protocol":"range","leader":"a","currentStateTimestamp":5,"members":[{"memberId":"a","groupInstanceId":null,"clientId":"\"subscription\":\"\"","clientHost":"/127.0.0.1","rebalanceTimeout":300000,"sessionTimeout":45000,"subscription":"AAEAAAABAAF0/////wAAAAEAAXQAAAABAAAAAA==","assignment":"AAEAAAABAAF0AAAAAgAAAAAAAAAB/////w=="}]}}"#]].assert_eq(&shown(&key, Some(&bytes)));
    }

    #[test]
    fn noise_is_named_and_the_rest_is_read() {
        let mut prng = Prng::new(5);
        for _ in 0..2000 {
            let mut noise = |bytes_max| {
                let mut bytes = vec![0; prng.index(bytes_max)];
                prng.fill(&mut bytes);
                // A type that is known, now and then.
                if let Some(first) = bytes.first_mut() {
                    *first = 0;
                }
                if let Some(second) = bytes.get_mut(1) {
                    *second %= 20;
                }
                Bytes::from(bytes)
            };
            let (key, value) = (noise(40), noise(60));
            drop(decoded(&key, Some(&value)));
        }
        assert!(
            decoded(&Bytes::from_static(&[0, 12, 1]), None)
                .unwrap()
                .is_none()
        );
        assert!(decoded(&Bytes::from_static(&[0]), None).is_err());
    }
}
