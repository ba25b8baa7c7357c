//! Records as short lines, for the snapshots of tests.

use crate::protocol::metadata_records::MetadataRecord;
use std::fmt::Write as _;

/// One line per record.
pub fn lines(records: &[MetadataRecord]) -> String {
    records.iter().map(|record| line(record) + "\n").collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the rest say themselves by Debug"
)]
/// What a record says, without what is left at its default.
pub fn line(record: &MetadataRecord) -> String {
    let mut text = String::new();
    match record {
        MetadataRecord::TopicRecord(record) => {
            write!(text, "Topic {} {}", &*record.name, record.topic_id).unwrap();
        }
        MetadataRecord::RemoveTopicRecord(record) => {
            write!(text, "RemoveTopic {}", record.topic_id).unwrap();
        }
        MetadataRecord::PartitionRecord(record) => {
            write!(
                text,
                "Partition {} replicas {:?} isr {:?} leader {} leader_epoch {} partition_epoch {} \
                 directories {:?}",
                record.partition_id,
                record.replicas,
                record.isr,
                record.leader,
                record.leader_epoch,
                record.partition_epoch,
                record.directories
            )
            .unwrap();
        }
        MetadataRecord::PartitionChangeRecord(record) => {
            write!(text, "PartitionChange {}", record.partition_id).unwrap();
            let mut field = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    write!(text, " {name} {value}").unwrap();
                }
            };
            let list = |list: &Option<Vec<i32>>| list.as_ref().map(|list| format!("{list:?}"));
            field("isr", list(&record.isr));
            field(
                "leader",
                (record.leader != -2).then(|| record.leader.to_string()),
            );
            field("replicas", list(&record.replicas));
            let state = record.leader_recovery_state;
            field(
                "leader_recovery_state",
                (state != -1).then(|| state.to_string()),
            );
            field("elr", list(&record.eligible_leader_replicas));
            field("last_known_elr", list(&record.last_known_elr));
            field(
                "directories",
                record.directories.as_ref().map(|ids| format!("{ids:?}")),
            );
        }
        MetadataRecord::ConfigRecord(record) => {
            let value = record.value.as_deref();
            write!(
                text,
                "Config {} {:?} {} = {value:?}",
                record.resource_type, &*record.resource_name, &*record.name
            )
            .unwrap();
        }
        MetadataRecord::FeatureLevelRecord(record) => {
            write!(
                text,
                "FeatureLevel {} {}",
                &*record.name, record.feature_level
            )
            .unwrap();
        }
        MetadataRecord::RegisterBrokerRecord(record) => {
            write!(
                text,
                "RegisterBroker {} epoch {} fenced {} log_dirs {:?}",
                record.broker_id, record.broker_epoch, record.fenced, record.log_dirs
            )
            .unwrap();
        }
        MetadataRecord::RegisterControllerRecord(record) => {
            write!(text, "RegisterController {}", record.controller_id).unwrap();
        }
        MetadataRecord::BrokerRegistrationChangeRecord(record) => {
            write!(
                text,
                "BrokerRegistrationChange {} epoch {} fenced {} stopping {} cordoned {:?}",
                record.broker_id,
                record.broker_epoch,
                record.fenced,
                record.in_controlled_shutdown,
                record.cordoned_log_dirs
            )
            .unwrap();
        }
        MetadataRecord::ProducerIdsRecord(record) => {
            write!(text, "ProducerIds next {}", record.next_producer_id).unwrap();
        }
        MetadataRecord::ClearElrRecord(record) => {
            write!(text, "ClearElr {:?}", &*record.topic_name).unwrap();
        }
        MetadataRecord::BeginTransactionRecord(_) => text.push_str("BeginTransaction"),
        MetadataRecord::EndTransactionRecord(_) => text.push_str("EndTransaction"),
        MetadataRecord::AbortTransactionRecord(_) => text.push_str("AbortTransaction"),
        MetadataRecord::NoOpRecord(_) => text.push_str("NoOp"),
        other => write!(text, "{other:?}").unwrap(),
    }
    text
}
