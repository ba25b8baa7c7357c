//! How brokers before Kafka 3.0 are asked about groups: about one at a time, in fields of its own.
//! Questions are made as newer brokers want them; here they are turned into the older form, and the
//! answers back.

use super::member::requests::GROUPS_VERSION;
use crate::protocol::Str;
use crate::protocol::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use crate::protocol::messages::leave_group::LeaveGroupRequest;
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestTopic, OffsetFetchResponse, OffsetFetchResponseGroup,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};

/// First version of FindCoordinator that asks about many groups, of Kafka 3.0.
pub(in crate::client) const MANY_COORDINATORS_VERSION: i16 = 4;

/// First version of OffsetFetch that can ask for stable offsets only. KIP-447, Kafka 2.5.
const STABLE_VERSION: i16 = 7;

/// First version of LeaveGroup in which several members leave. KIP-345, Kafka 2.4.
const MANY_LEAVE_VERSION: i16 = 3;

/// Who coordinates that group?
pub(in crate::client) fn find_coordinator(group_id: &Str) -> FindCoordinatorRequest {
    FindCoordinatorRequest {
        key: group_id.clone(),
        ..FindCoordinatorRequest::default()
    }
}

/// The answer to it.
pub(in crate::client) fn coordinator(
    group_id: &Str,
    response: FindCoordinatorResponse,
) -> Coordinator {
    Coordinator {
        key: group_id.clone(),
        node_id: response.node_id,
        host: response.host,
        port: response.port,
        error_code: response.error_code,
        error_message: response.error_message,
        ..Coordinator::default()
    }
}

/// The question of a member, as this version has it.
pub(super) fn offset_fetch(version: i16, mut request: OffsetFetchRequest) -> OffsetFetchRequest {
    if version >= GROUPS_VERSION {
        return request;
    }
    let group = request.groups.pop().unwrap_or_default();
    let topics = group.topics.into_iter().flatten();
    OffsetFetchRequest {
        group_id: group.group_id,
        topics: Some(
            topics
                .map(|topic| OffsetFetchRequestTopic {
                    name: topic.name,
                    partition_indexes: topic.partition_indexes,
                    ..OffsetFetchRequestTopic::default()
                })
                .collect(),
        ),
        require_stable: request.require_stable && version >= STABLE_VERSION,
        ..OffsetFetchRequest::default()
    }
}

/// The answer in this version, as newer brokers give it.
pub(super) fn offsets(version: i16, response: OffsetFetchResponse) -> OffsetFetchResponse {
    if version >= GROUPS_VERSION {
        return response;
    }
    let topics = response.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter();
        OffsetFetchResponseTopics {
            name: topic.name,
            partitions: partitions
                .map(|partition| OffsetFetchResponsePartitions {
                    partition_index: partition.partition_index,
                    committed_offset: partition.committed_offset,
                    committed_leader_epoch: partition.committed_leader_epoch,
                    metadata: partition.metadata,
                    error_code: partition.error_code,
                    ..OffsetFetchResponsePartitions::default()
                })
                .collect(),
            ..OffsetFetchResponseTopics::default()
        }
    });
    OffsetFetchResponse {
        throttle_time_ms: response.throttle_time_ms,
        groups: vec![OffsetFetchResponseGroup {
            topics: topics.collect(),
            error_code: response.error_code,
            ..OffsetFetchResponseGroup::default()
        }],
        ..OffsetFetchResponse::default()
    }
}

/// The farewell of a member, as this version has it.
pub(super) fn leave_group(version: i16, mut request: LeaveGroupRequest) -> LeaveGroupRequest {
    if version < MANY_LEAVE_VERSION
        && let Some(member) = request.members.pop()
    {
        request.member_id = member.member_id;
    }
    request
}
