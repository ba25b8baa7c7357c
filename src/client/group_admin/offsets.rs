//! What groups have committed: read, set, deleted; and groups that are deleted.

use super::{failed, none_or, said};
use crate::base::ids::Offset;
use crate::client::blocking::Client;
use crate::client::error::ClientError;
use crate::client::group::member::requests::{self, GROUPS_VERSION, NAMED_TOPICS_VERSION};
use crate::client::group::range::TopicIndex;
use crate::protocol::ErrorCode;
use crate::protocol::messages::delete_groups::DeleteGroupsRequest;
use crate::protocol::messages::offset_commit::OffsetCommitRequest;
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use crate::protocol::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use std::collections::BTreeMap;
use std::rc::Rc;

/// An offset that a group has committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommittedOffset {
    /// The next offset to read.
    pub offset: Offset,
    /// The leader epoch of what was read last, where it was said.
    pub leader_epoch: Option<i32>,
    /// What the committer wrote beside it.
    pub metadata: String,
}

/// The result for each partition that was asked about.
pub type PartitionErrors = BTreeMap<TopicIndex, ErrorCode>;

impl Client {
    /// All offsets that a group has committed.
    pub fn committed_offsets(
        &mut self,
        group_id: &str,
    ) -> Result<BTreeMap<TopicIndex, CommittedOffset>, ClientError> {
        let request = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: group_id.into(),
                topics: None,
                ..OffsetFetchRequestGroup::default()
            }],
            ..OffsetFetchRequest::default()
        };
        let versions = (GROUPS_VERSION, NAMED_TOPICS_VERSION);
        let response = self.ask_coordinator(group_id, &request, versions, |response| {
            response.groups.iter().try_for_each(|group| {
                let error = ErrorCode::from(group.error_code);
                none_or(error, || {
                    failed("fetching the offsets", group_id, error, None)
                })
            })
        })?;
        let mut offsets = BTreeMap::new();
        for topic in response.groups.iter().flat_map(|group| &group.topics) {
            let name: Rc<str> = Rc::from(&*topic.name);
            for partition in &topic.partitions {
                if partition.error_code != 0 || partition.committed_offset < 0 {
                    continue;
                }
                let epoch = partition.committed_leader_epoch;
                let committed = CommittedOffset {
                    offset: Offset(partition.committed_offset),
                    leader_epoch: Some(epoch).filter(|&epoch| epoch >= 0),
                    metadata: partition
                        .metadata
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default(),
                };
                offsets.insert((Rc::clone(&name), partition.partition_index), committed);
            }
        }
        Ok(offsets)
    }

    /// Commits offsets for a group without members; gives the result of each partition.
    pub fn alter_group_offsets(
        &mut self,
        group_id: &str,
        offsets: &BTreeMap<TopicIndex, Offset>,
    ) -> Result<PartitionErrors, ClientError> {
        if offsets.is_empty() {
            return Ok(PartitionErrors::new());
        }
        let request = requests::offset_commit(group_id, offsets);
        let versions = (0, NAMED_TOPICS_VERSION);
        let response = self.ask_coordinator::<OffsetCommitRequest>(
            group_id,
            &request,
            versions,
            |response| {
                let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
                partitions.try_for_each(|partition| {
                    let error = ErrorCode::from(partition.error_code);
                    // Only what concerns the whole group is tried again.
                    let concerns_group = matches!(
                        error,
                        ErrorCode::NOT_COORDINATOR
                            | ErrorCode::COORDINATOR_NOT_AVAILABLE
                            | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
                            | ErrorCode::REBALANCE_IN_PROGRESS
                    );
                    if concerns_group {
                        return Err(failed("committing offsets", group_id, error, None));
                    }
                    Ok(())
                })
            },
        )?;
        let mut results = PartitionErrors::new();
        for topic in &response.topics {
            let name: Rc<str> = Rc::from(&*topic.name);
            for partition in &topic.partitions {
                let key = (Rc::clone(&name), partition.partition_index);
                results.insert(key, ErrorCode::from(partition.error_code));
            }
        }
        Ok(results)
    }

    /// Deletes committed offsets; gives the result of each partition. An error of the whole group
    /// is returned.
    pub fn delete_group_offsets(
        &mut self,
        group_id: &str,
        partitions: &[TopicIndex],
    ) -> Result<PartitionErrors, ClientError> {
        let mut topics: BTreeMap<&Rc<str>, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
        for (topic, index) in partitions {
            let partition = OffsetDeleteRequestPartition {
                partition_index: *index,
                ..OffsetDeleteRequestPartition::default()
            };
            topics.entry(topic).or_default().push(partition);
        }
        let request = OffsetDeleteRequest {
            group_id: group_id.into(),
            topics: topics
                .into_iter()
                .map(|(topic, partitions)| OffsetDeleteRequestTopic {
                    name: (&**topic).into(),
                    partitions,
                    ..OffsetDeleteRequestTopic::default()
                })
                .collect(),
            ..OffsetDeleteRequest::default()
        };
        let response = self.ask_coordinator(group_id, &request, (0, i16::MAX), |response| {
            let error = ErrorCode::from(response.error_code);
            none_or(error, || failed("deleting offsets", group_id, error, None))
        })?;
        let mut results = PartitionErrors::new();
        for topic in &response.topics {
            let name: Rc<str> = Rc::from(&*topic.name);
            for partition in &topic.partitions {
                let key = (Rc::clone(&name), partition.partition_index);
                results.insert(key, ErrorCode::from(partition.error_code));
            }
        }
        Ok(results)
    }

    /// Deletes a group with its offsets; it must have no members.
    pub fn delete_group(&mut self, group_id: &str) -> Result<(), ClientError> {
        let request = DeleteGroupsRequest {
            groups_names: vec![group_id.into()],
            ..DeleteGroupsRequest::default()
        };
        self.ask_coordinator(group_id, &request, (0, i16::MAX), |response| {
            response.results.iter().try_for_each(|result| {
                let error = ErrorCode::from(result.error_code);
                let message = said(result.error_message.as_ref());
                none_or(error, || failed("deleting", group_id, error, message))
            })
        })
        .map(|_| ())
    }
}
