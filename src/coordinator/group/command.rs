//! What may be asked of the coordinator of a group, and what it answers: the messages of the wire,
//! cut to one group each where a request may name several.

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
use crate::protocol::messages::offset_commit::{OffsetCommitRequest, OffsetCommitResponse};
use crate::protocol::messages::offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchResponseGroup,
};
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
#[derive(Debug)]
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
        /// Names of topics.
        topics: Vec<Str>,
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
