//! Consumer groups in the hand of a test: a coordinator without a broker, topics that are made by
//! hand, and requests as members send them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names the one answer that it wants"
)]

mod churn;
mod group;
mod migration;
mod racks;
mod reconcile;

use super::ConsumerGroup;
use super::partitions::by_topic;
use crate::base::ids::{LeaderEpoch, TopicId, TopicPartition};
use crate::base::time::Timestamp;
use crate::base::uuid::Uuid;
use crate::coordinator::TopicsChanged;
use crate::coordinator::group::harness::{Harness, asked};
use crate::coordinator::group::{GroupCommand, GroupReply};
use crate::metadata::batch::MetadataBatch;
use crate::metadata::delta::MetadataDelta;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::consumer_group_describe::DescribedGroup;
use crate::protocol::messages::consumer_group_heartbeat::request::TopicPartitions;
use crate::protocol::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use crate::protocol::metadata_records::{
    ConfigRecord, MetadataRecord, PartitionRecord, RegisterBrokerRecord, RemoveTopicRecord,
    TopicRecord,
};
use crate::protocol::string::Str;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

const GROUP: &str = "group";

/// A coordinator, and topics.
struct Cluster {
    harness: Harness,
    topics_made: u8,
}

impl Deref for Cluster {
    type Target = Harness;

    fn deref(&self) -> &Harness {
        &self.harness
    }
}

impl DerefMut for Cluster {
    fn deref_mut(&mut self) -> &mut Harness {
        &mut self.harness
    }
}

impl Cluster {
    fn new(settings: &[&str]) -> Cluster {
        Cluster {
            harness: Harness::new(settings),
            topics_made: 0,
        }
    }

    /// Changes the cluster, and tells of it as a shard does.
    fn change(&mut self, records: Vec<MetadataRecord>) {
        let delta = self.replay(records);
        let changed = TopicsChanged::of(&self.image, &delta);
        self.topics_changed(&changed);
    }

    fn replay(&mut self, records: Vec<MetadataRecord>) -> MetadataDelta {
        let base_offset = self.image.provenance.last_offset.next();
        let count = i64::try_from(records.len()).expect("few");
        let batch = MetadataBatch {
            base_offset,
            last_offset: base_offset.plus(count - 1),
            leader_epoch: LeaderEpoch(1),
            append_timestamp: Timestamp(0),
            records,
            control: Vec::new(),
        };
        self.image.replay(&batch).expect("a sound batch")
    }

    /// Makes a topic and tells of it.
    fn make_topic(&mut self, name: &str, partitions: i32) -> TopicId {
        self.topics_made += 1;
        let topic_id = Uuid([self.topics_made; 16]);
        self.replay(vec![MetadataRecord::TopicRecord(TopicRecord {
            name: name.into(),
            topic_id,
            ..TopicRecord::default()
        })]);
        self.grow_topic(name, partitions);
        topic_id
    }

    /// Adds partitions to a topic and tells of it.
    fn grow_topic(&mut self, name: &str, more: i32) {
        let topic = self.image.topics.by_name(name).expect("it exists");
        let (topic_id, first) = (topic.id, topic.partition_count());
        let first = i32::try_from(first).expect("few");
        let partition = |partition_id| {
            MetadataRecord::PartitionRecord(PartitionRecord {
                partition_id,
                topic_id,
                replicas: vec![1],
                isr: vec![1],
                leader: 1,
                ..PartitionRecord::default()
            })
        };
        self.change((first..first + more).map(partition).collect());
    }

    fn delete_topic(&mut self, name: &str) {
        let topic = self.image.topics.by_name(name).expect("it exists");
        let topic_id = topic.id;
        self.change(vec![MetadataRecord::RemoveTopicRecord(RemoveTopicRecord {
            topic_id,
            ..RemoveTopicRecord::default()
        })]);
    }

    /// A broker registers, in a rack or in none.
    fn register_broker(&mut self, broker_id: i32, rack: Option<&str>) {
        let record = RegisterBrokerRecord {
            broker_id,
            broker_epoch: self.image.provenance.last_offset.next().0,
            rack: rack.map(Str::from),
            ..RegisterBrokerRecord::default()
        };
        self.change(vec![MetadataRecord::RegisterBrokerRecord(record)]);
    }

    /// Sets a config of the group.
    fn configure_group(&mut self, key: &str, value: &str) {
        self.replay(vec![MetadataRecord::ConfigRecord(ConfigRecord {
            resource_type: 32,
            resource_name: GROUP.into(),
            name: key.into(),
            value: Some(value.into()),
            ..ConfigRecord::default()
        })]);
    }

    fn group(&self) -> &ConsumerGroup {
        self.groups.consumer(GROUP).expect("a consumer group")
    }

    fn beat(&mut self, request: ConsumerGroupHeartbeatRequest) -> ConsumerGroupHeartbeatResponse {
        self.beat_with_version(1, request)
    }

    fn beat_with_version(
        &mut self,
        version: i16,
        request: ConsumerGroupHeartbeatRequest,
    ) -> ConsumerGroupHeartbeatResponse {
        let command = GroupCommand::ConsumerGroupHeartbeat(asked(version), request);
        match self.ask_now(command) {
            GroupReply::ConsumerGroupHeartbeat(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// A heartbeat that succeeds.
    fn must_beat(
        &mut self,
        request: ConsumerGroupHeartbeatRequest,
    ) -> ConsumerGroupHeartbeatResponse {
        let response = self.beat(request);
        assert_eq!(response.error_code, 0, "{response:?}");
        response
    }

    fn describe(&mut self) -> DescribedGroup {
        match self.ask_now(GroupCommand::ConsumerGroupDescribe(GROUP.into())) {
            GroupReply::ConsumerGroupDescribe(described) => described,
            other => panic!("{other:?}"),
        }
    }

    /// Another coordinator reads the same log: it must know the same.
    fn check_replay(&mut self) {
        let before = self.describe();
        self.restart();
        assert_eq!(self.describe(), before);
    }

    /// No partition has two members.
    fn check_owners(&self) {
        let Some(group) = self.groups.consumer(GROUP) else {
            return;
        };
        let mut owned = BTreeSet::new();
        for member in group.members() {
            for partition in member.holds() {
                assert!(owned.insert(partition), "two have {partition:?}");
                assert!(!group.is_free(partition), "{partition:?} is not free");
            }
        }
        assert_eq!(owned.len(), group.owners.len(), "what nobody has is free");
    }
}

/// A member joins with these topics.
fn join(member_id: &str, topics: &[&str]) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: GROUP.into(),
        member_id: member_id.into(),
        member_epoch: 0,
        rebalance_timeout_ms: 30_000,
        subscribed_topic_names: Some(topics.iter().map(|&name| name.into()).collect()),
        topic_partitions: Some(Vec::new()),
        ..ConsumerGroupHeartbeatRequest::default()
    }
}

/// A member has nothing new to say.
fn beat(member_id: &str, member_epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: GROUP.into(),
        member_id: member_id.into(),
        member_epoch,
        rebalance_timeout_ms: -1,
        ..ConsumerGroupHeartbeatRequest::default()
    }
}

/// A member says what it has.
fn beat_with(
    member_id: &str,
    member_epoch: i32,
    owned: impl IntoIterator<Item = TopicPartition>,
) -> ConsumerGroupHeartbeatRequest {
    let topics = by_topic(owned)
        .into_iter()
        .map(|(topic_id, partitions)| TopicPartitions {
            topic_id,
            partitions,
            ..TopicPartitions::default()
        });
    ConsumerGroupHeartbeatRequest {
        topic_partitions: Some(topics.collect()),
        ..beat(member_id, member_epoch)
    }
}

/// The partitions of an answer; `None` where it says nothing of them.
fn assigned(response: &ConsumerGroupHeartbeatResponse) -> Option<BTreeSet<TopicPartition>> {
    let topics = &response.assignment.as_ref()?.topic_partitions;
    let partitions = topics.iter().flat_map(|topic| {
        let id = topic.topic_id;
        let numbers = topic.partitions.iter();
        numbers.map(move |&number| super::partitions::partition(id, number))
    });
    Some(partitions.collect())
}

fn code(response: &ConsumerGroupHeartbeatResponse) -> ErrorCode {
    ErrorCode(response.error_code)
}

fn text(text: &str) -> Option<Str> {
    Some(text.into())
}
