//! What may be asked of the coordinator of a group, and what it answers: the messages of the wire,
//! cut to one group each where a request may name several.

use crate::base::ids::TopicId;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::consumer_group_describe::DescribedGroup as ConsumerDescribedGroup;
use crate::protocol::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use crate::protocol::messages::delete_groups::DeletableGroupResult;
use crate::protocol::messages::describe_groups::DescribedGroup;
use crate::protocol::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use crate::protocol::messages::join_group::{JoinGroupRequest, JoinGroupResponse};
use crate::protocol::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse};
use crate::protocol::messages::list_groups::ListedGroup;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use crate::protocol::messages::offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};
use crate::protocol::messages::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchResponseGroup};
use crate::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use crate::protocol::string::Str;

/// Who asked, and how.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The client's name and where it is.
    pub client: Client,
    /// Version of the request.
    pub version: i16,
}

/// A client as groups describe their members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// `client.id`, perhaps empty.
    pub id: Str,
    /// Its address, as Kafka writes it: `/127.0.0.1`.
    pub host: Str,
}

/// Something that a group shall do. Requests of one group name it themselves.
#[derive(Clone, Debug)]
pub enum GroupCommand {
    /// API 11.
    JoinGroup(Asked, JoinGroupRequest),
    /// API 14.
    SyncGroup(Asked, SyncGroupRequest),
    /// API 12.
    Heartbeat(HeartbeatRequest),
    /// API 13; in all versions the members are in the list.
    LeaveGroup(Asked, LeaveGroupRequest),
    /// API 8. The handler has found topics by id and refused those it does not know: each topic here
    /// has its name, and its id where the cluster has the topic.
    OffsetCommit(Asked, OffsetCommitRequest),
    /// API 9, one group of it; topics have names (and ids in version 10).
    OffsetFetch {
        /// Version of the request.
        version: i16,
        /// The group.
        group: OffsetFetchRequestGroup,
        /// Whether offsets of open transactions make it wait.
        require_stable: bool,
    },
    /// API 47.
    OffsetDelete(OffsetDeleteRequest),
    /// API 42, one group of it.
    DeleteGroup(Str),
    /// API 15, one group of it, by version.
    DescribeGroup(i16, Str),
    /// API 16: states and types that are wanted, any where empty; lower case.
    ListGroups {
        /// Names of states.
        states: Vec<Str>,
        /// Names of types.
        types: Vec<Str>,
    },
    /// API 68.
    ConsumerGroupHeartbeat(Asked, ConsumerGroupHeartbeatRequest),
    /// API 69, one group of it.
    ConsumerGroupDescribe(Str),
    /// A timer is due.
    Timer(TimerKey),
    /// Topics that a group subscribes to have changed: it looks at them at its next heartbeat.
    RefreshMetadata(Str),
    /// A topic was deleted: its offsets go.
    DeleteTopicOffsets {
        /// The group.
        group_id: Str,
        /// Names of topics, and the ids that they had.
        topics: Vec<(Str, TopicId)>,
    },
}

/// What a group answers.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each holds the response of its command")]
pub enum GroupReply {
    JoinGroup(JoinGroupResponse),
    SyncGroup(SyncGroupResponse),
    Heartbeat(HeartbeatResponse),
    LeaveGroup(LeaveGroupResponse),
    OffsetCommit(OffsetCommitResponse),
    OffsetFetch(OffsetFetchResponseGroup),
    OffsetDelete(OffsetDeleteResponse),
    DeleteGroup(DeletableGroupResult),
    DescribeGroup(DescribedGroup),
    ListGroups(Vec<ListedGroup>),
    /// Instead of a list.
    ListGroupsFailed(ErrorCode),
    ConsumerGroupHeartbeat(ConsumerGroupHeartbeatResponse),
    ConsumerGroupDescribe(ConsumerDescribedGroup),
}

/// What a timer is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TimerKey {
    /// A member of a classic group has not been heard of for its session timeout.
    ClassicSession {
        /// The group.
        group_id: Str,
        /// The member.
        member_id: Str,
    },
    /// A member was given an id and never came back with it (KIP-394).
    ClassicPendingMember {
        /// The group.
        group_id: Str,
        /// The id.
        member_id: Str,
    },
    /// Members had their time to join, or the initial delay has passed.
    ClassicJoin(Str),
    /// Members had their time to send SyncGroup.
    ClassicSync(Str),
    /// A member of a consumer group has not been heard of for its session timeout.
    ConsumerSession {
        /// The group.
        group_id: Str,
        /// The member.
        member_id: Str,
    },
    /// A member of a consumer group had its time to give partitions back.
    ConsumerRebalance {
        /// The group.
        group_id: Str,
        /// The member.
        member_id: Str,
    },
    /// A member of a consumer group that speaks the classic protocol had its time to join or sync.
    ConsumerClassicMember {
        /// The group.
        group_id: Str,
        /// The member.
        member_id: Str,
    },
    /// Assignments are not computed more often than `group.consumer.assignment.interval.ms`.
    ConsumerAssignment(Str),
    /// Subscriptions by regular expression are looked up anew.
    ConsumerRegex(Str),
    /// Offsets that nobody uses are looked for. Every group of the partition.
    OffsetsExpiry,
}

impl TimerKey {
    /// The group whose timer it is; `None` where it is every group's.
    #[must_use]
    pub fn group_id(&self) -> Option<&Str> {
        match self {
            TimerKey::ClassicSession { group_id, .. }
            | TimerKey::ClassicPendingMember { group_id, .. }
            | TimerKey::ClassicJoin(group_id)
            | TimerKey::ClassicSync(group_id)
            | TimerKey::ConsumerSession { group_id, .. }
            | TimerKey::ConsumerRebalance { group_id, .. }
            | TimerKey::ConsumerClassicMember { group_id, .. }
            | TimerKey::ConsumerAssignment(group_id)
            | TimerKey::ConsumerRegex(group_id) => Some(group_id),
            TimerKey::OffsetsExpiry => None,
        }
    }
}

impl GroupCommand {
    /// The group that it is about; `None` where it is about every group of the partition.
    #[must_use]
    pub fn group_id(&self) -> Option<&Str> {
        match self {
            GroupCommand::JoinGroup(_, request) => Some(&request.group_id),
            GroupCommand::SyncGroup(_, request) => Some(&request.group_id),
            GroupCommand::Heartbeat(request) => Some(&request.group_id),
            GroupCommand::LeaveGroup(_, request) => Some(&request.group_id),
            GroupCommand::OffsetCommit(_, request) => Some(&request.group_id),
            GroupCommand::OffsetFetch { group, .. } => Some(&group.group_id),
            GroupCommand::OffsetDelete(request) => Some(&request.group_id),
            GroupCommand::DeleteGroup(group_id)
            | GroupCommand::DescribeGroup(_, group_id)
            | GroupCommand::ConsumerGroupDescribe(group_id)
            | GroupCommand::RefreshMetadata(group_id)
            | GroupCommand::DeleteTopicOffsets { group_id, .. } => Some(group_id),
            GroupCommand::ConsumerGroupHeartbeat(_, request) => Some(&request.group_id),
            GroupCommand::ListGroups { .. } => None,
            GroupCommand::Timer(key) => key.group_id(),
        }
    }

    /// What is answered where it cannot be done now; `None` where nobody asked.
    ///
    /// A heartbeat that comes while the groups are being loaded is answered with no error, as by
    /// Kafka: the member is to come again, not to join again.
    #[must_use]
    pub fn refusal(&self, error: ErrorCode) -> Option<GroupReply> {
        let error_code = error.code();
        Some(match self {
            GroupCommand::JoinGroup(_, request) => GroupReply::JoinGroup(JoinGroupResponse {
                error_code,
                member_id: request.member_id.clone(),
                ..JoinGroupResponse::default()
            }),
            GroupCommand::SyncGroup(..) => GroupReply::SyncGroup(SyncGroupResponse {
                error_code,
                ..SyncGroupResponse::default()
            }),
            GroupCommand::Heartbeat(_) => GroupReply::Heartbeat(HeartbeatResponse {
                error_code: if error == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
                    ErrorCode::NONE.code()
                } else {
                    error_code
                },
                ..HeartbeatResponse::default()
            }),
            GroupCommand::LeaveGroup(..) => GroupReply::LeaveGroup(LeaveGroupResponse {
                error_code,
                ..LeaveGroupResponse::default()
            }),
            GroupCommand::OffsetCommit(_, request) => {
                GroupReply::OffsetCommit(refused_commit(request, error))
            }
            GroupCommand::OffsetFetch { group, .. } => {
                GroupReply::OffsetFetch(OffsetFetchResponseGroup {
                    group_id: group.group_id.clone(),
                    error_code,
                    ..OffsetFetchResponseGroup::default()
                })
            }
            GroupCommand::OffsetDelete(_) => GroupReply::OffsetDelete(OffsetDeleteResponse {
                error_code,
                ..OffsetDeleteResponse::default()
            }),
            GroupCommand::DeleteGroup(group_id) => GroupReply::DeleteGroup(DeletableGroupResult {
                group_id: group_id.clone(),
                error_code,
                ..DeletableGroupResult::default()
            }),
            GroupCommand::DescribeGroup(_, group_id) => GroupReply::DescribeGroup(DescribedGroup {
                group_id: group_id.clone(),
                error_code,
                ..DescribedGroup::default()
            }),
            GroupCommand::ListGroups { .. } => GroupReply::ListGroupsFailed(error),
            GroupCommand::ConsumerGroupHeartbeat(..) => {
                GroupReply::ConsumerGroupHeartbeat(ConsumerGroupHeartbeatResponse {
                    error_code,
                    ..ConsumerGroupHeartbeatResponse::default()
                })
            }
            GroupCommand::ConsumerGroupDescribe(group_id) => {
                GroupReply::ConsumerGroupDescribe(ConsumerDescribedGroup {
                    group_id: group_id.clone(),
                    error_code,
                    ..ConsumerDescribedGroup::default()
                })
            }
            GroupCommand::Timer(_)
            | GroupCommand::RefreshMetadata(_)
            | GroupCommand::DeleteTopicOffsets { .. } => return None,
        })
    }
}

/// Every partition of a commit with one error.
#[must_use]
pub fn refused_commit(request: &OffsetCommitRequest, error: ErrorCode) -> OffsetCommitResponse {
    let topics = request
        .topics
        .iter()
        .map(|topic| OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: topic
                .partitions
                .iter()
                .map(|partition| OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: error.code(),
                    ..OffsetCommitResponsePartition::default()
                })
                .collect(),
            ..OffsetCommitResponseTopic::default()
        });
    OffsetCommitResponse {
        topics: topics.collect(),
        ..OffsetCommitResponse::default()
    }
}

impl GroupReply {
    /// What is said instead, where the records that it rests on could not be written.
    #[must_use]
    pub fn failed(self, error: ErrorCode) -> GroupReply {
        let error_code = error.code();
        match self {
            GroupReply::JoinGroup(response) => GroupReply::JoinGroup(JoinGroupResponse {
                error_code,
                member_id: response.member_id,
                ..JoinGroupResponse::default()
            }),
            GroupReply::SyncGroup(_) => GroupReply::SyncGroup(SyncGroupResponse {
                error_code,
                ..SyncGroupResponse::default()
            }),
            GroupReply::Heartbeat(_) => GroupReply::Heartbeat(HeartbeatResponse {
                error_code,
                ..HeartbeatResponse::default()
            }),
            GroupReply::LeaveGroup(_) => GroupReply::LeaveGroup(LeaveGroupResponse {
                error_code,
                ..LeaveGroupResponse::default()
            }),
            GroupReply::OffsetCommit(mut response) => {
                let partitions = response
                    .topics
                    .iter_mut()
                    .flat_map(|topic| &mut topic.partitions);
                for partition in partitions {
                    // What was refused anyway keeps its own reason.
                    if partition.error_code == ErrorCode::NONE.code() {
                        partition.error_code = error_code;
                    }
                }
                GroupReply::OffsetCommit(response)
            }
            GroupReply::OffsetFetch(group) => GroupReply::OffsetFetch(OffsetFetchResponseGroup {
                group_id: group.group_id,
                error_code,
                ..OffsetFetchResponseGroup::default()
            }),
            GroupReply::OffsetDelete(_) => GroupReply::OffsetDelete(OffsetDeleteResponse {
                error_code,
                ..OffsetDeleteResponse::default()
            }),
            GroupReply::DeleteGroup(result) => GroupReply::DeleteGroup(DeletableGroupResult {
                group_id: result.group_id,
                error_code,
                ..DeletableGroupResult::default()
            }),
            GroupReply::DescribeGroup(group) => GroupReply::DescribeGroup(DescribedGroup {
                group_id: group.group_id,
                error_code,
                ..DescribedGroup::default()
            }),
            GroupReply::ListGroups(_) | GroupReply::ListGroupsFailed(_) => {
                GroupReply::ListGroupsFailed(error)
            }
            GroupReply::ConsumerGroupHeartbeat(_) => {
                GroupReply::ConsumerGroupHeartbeat(ConsumerGroupHeartbeatResponse {
                    error_code,
                    ..ConsumerGroupHeartbeatResponse::default()
                })
            }
            GroupReply::ConsumerGroupDescribe(group) => {
                GroupReply::ConsumerGroupDescribe(ConsumerDescribedGroup {
                    group_id: group.group_id,
                    error_code,
                    ..ConsumerDescribedGroup::default()
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_while_loading_is_no_reason_to_join_again() {
        let heartbeat = GroupCommand::Heartbeat(HeartbeatRequest::default());
        let code = |error| match heartbeat.refusal(error) {
            Some(GroupReply::Heartbeat(response)) => response.error_code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS), 0);
        assert_eq!(code(ErrorCode::NOT_COORDINATOR), 16);
    }

    #[test]
    fn a_failed_commit_keeps_the_reasons_it_has() {
        let partition = |error_code| OffsetCommitResponsePartition {
            error_code,
            ..OffsetCommitResponsePartition::default()
        };
        let reply = GroupReply::OffsetCommit(OffsetCommitResponse {
            topics: vec![OffsetCommitResponseTopic {
                partitions: vec![partition(0), partition(3)],
                ..OffsetCommitResponseTopic::default()
            }],
            ..OffsetCommitResponse::default()
        });
        let GroupReply::OffsetCommit(failed) = reply.failed(ErrorCode::NOT_COORDINATOR) else {
            panic!("a commit fails as a commit");
        };
        let codes: Vec<i16> = failed.topics[0]
            .partitions
            .iter()
            .map(|partition| partition.error_code)
            .collect();
        assert_eq!(codes, [16, 3]);
    }

    #[test]
    fn what_is_about_every_group_has_no_subject() {
        assert!(
            GroupCommand::Timer(TimerKey::OffsetsExpiry)
                .group_id()
                .is_none()
        );
        let timer = TimerKey::ClassicJoin("g".into());
        assert_eq!(
            GroupCommand::Timer(timer).group_id(),
            Some(&Str::from_static("g"))
        );
    }
}
