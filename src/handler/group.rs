//! What the APIs of groups have in common: from a group to its coordinator, on whichever core that
//! lives, and back. The answer may be a long time coming: a member that joins waits for the others.

use super::{
    Context, Outcome, Request, Responder, State, consumer_group_describe, consumer_group_heartbeat,
    delete_groups, describe_groups, heartbeat, join_group, leave_group, list_groups, offset_commit,
    offset_delete, offset_fetch, sync_group,
};
use crate::base::ids::{PartitionIndex, TopicPartition};
use crate::coordinator::group::topic::{OFFSETS_TOPIC, partition_of};
use crate::coordinator::group::{Asked, Client, GroupCommand, GroupReply};
use crate::metadata::image::topics::Topic;
use crate::partition::placement::owner;
use crate::partition::work::RequestId;
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;
use crate::runtime::io::{IpAddr, SocketAddr};

/// What anyone may do with a group while no authorizer is configured: read, delete, describe, describe
/// and alter its settings, as a set of bits (KIP-430).
pub(super) const GROUP_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// A request that is with the coordinators of its groups.
pub enum Waiting {
    /// API 8.
    OffsetCommit(offset_commit::Waiting),
    /// API 9.
    OffsetFetch(offset_fetch::Waiting),
    /// API 11.
    JoinGroup(Responder),
    /// API 12.
    Heartbeat(Responder),
    /// API 13.
    LeaveGroup(Responder),
    /// API 14.
    SyncGroup(Responder),
    /// API 15.
    DescribeGroups(describe_groups::Waiting),
    /// API 16.
    ListGroups(list_groups::Waiting),
    /// API 42.
    DeleteGroups(delete_groups::Waiting),
    /// API 47.
    OffsetDelete(offset_delete::Waiting),
    /// API 68.
    ConsumerGroupHeartbeat(Responder),
    /// API 69.
    ConsumerGroupDescribe(consumer_group_describe::Waiting),
}

/// Goes on with a request: a coordinator has answered.
pub(super) fn on_reply(context: &mut Context<'_>, waiting: Waiting, reply: GroupReply) -> Outcome {
    match (waiting, reply) {
        (Waiting::OffsetCommit(waiting), GroupReply::OffsetCommit(reply)) => {
            offset_commit::on_reply(waiting, reply)
        }
        (Waiting::OffsetFetch(waiting), GroupReply::OffsetFetch(reply)) => {
            offset_fetch::on_reply(context, waiting, reply)
        }
        (Waiting::JoinGroup(responder), GroupReply::JoinGroup(reply)) => {
            join_group::on_reply(&responder, reply)
        }
        (Waiting::Heartbeat(responder), GroupReply::Heartbeat(reply)) => {
            heartbeat::on_reply(&responder, &reply)
        }
        (Waiting::LeaveGroup(responder), GroupReply::LeaveGroup(reply)) => {
            leave_group::on_reply(&responder, reply)
        }
        (Waiting::SyncGroup(responder), GroupReply::SyncGroup(reply)) => {
            sync_group::on_reply(&responder, &reply)
        }
        (Waiting::DescribeGroups(waiting), GroupReply::DescribeGroup(reply)) => {
            describe_groups::on_reply(waiting, reply)
        }
        (Waiting::ListGroups(waiting), GroupReply::ListGroups(groups)) => {
            list_groups::on_reply(waiting, Ok(groups))
        }
        (Waiting::ListGroups(waiting), GroupReply::ListGroupsFailed(error)) => {
            list_groups::on_reply(waiting, Err(error))
        }
        (Waiting::DeleteGroups(waiting), GroupReply::DeleteGroup(reply)) => {
            delete_groups::on_reply(waiting, reply)
        }
        (Waiting::OffsetDelete(waiting), GroupReply::OffsetDelete(reply)) => {
            offset_delete::on_reply(waiting, reply)
        }
        (Waiting::ConsumerGroupHeartbeat(responder), GroupReply::ConsumerGroupHeartbeat(reply)) => {
            consumer_group_heartbeat::on_reply(&responder, &reply)
        }
        (Waiting::ConsumerGroupDescribe(waiting), GroupReply::ConsumerGroupDescribe(reply)) => {
            consumer_group_describe::on_reply(waiting, reply)
        }
        _ => unreachable!("an answer is of the kind of its command"),
    }
}

/// Asks the coordinator of one group, and waits for its answer.
pub(super) fn ask(
    context: &mut Context<'_>,
    id: RequestId,
    command: GroupCommand,
    waiting: Waiting,
) -> Outcome {
    match context.ask_group(id, command) {
        Ok(()) => Outcome::Waits(State::Group(waiting)),
        Err(refused) => on_reply(context, waiting, *refused),
    }
}

impl Context<'_> {
    /// Sends a command to the coordinator of its group.
    ///
    /// # Errors
    /// The answer, where there is no coordinator: `__consumer_offsets` does not exist.
    pub(super) fn ask_group(
        &mut self,
        id: RequestId,
        command: GroupCommand,
    ) -> Result<(), Box<GroupReply>> {
        let Some(topic) = self.offsets_topic() else {
            let refused = command.refusal(ErrorCode::NOT_COORDINATOR);
            return Err(Box::new(refused.expect("what a client asks is answered")));
        };
        let group_id = command.group_id().map_or("", Str::as_str);
        let partition = partition_of(group_id, topic.partition_count());
        self.ask_partition(id, topic, partition, command);
        Ok(())
    }

    /// Sends a command to the coordinator of a partition.
    pub(super) fn ask_partition(
        &mut self,
        id: RequestId,
        topic: &Topic,
        partition: PartitionIndex,
        command: GroupCommand,
    ) {
        let topic_partition = TopicPartition {
            topic_id: topic.id,
            partition,
        };
        let core = owner(topic_partition, self.cores);
        let origin = self.origin(id);
        let command = Box::new(command);
        self.outbox.groups.push((core, origin, partition, command));
    }
}

impl<'a> Context<'a> {
    /// The topic that groups are written to, where it exists.
    pub(super) fn offsets_topic(&self) -> Option<&'a Topic> {
        self.image.topics.by_name(OFFSETS_TOPIC)
    }
}

/// Who asks, as groups describe their members.
pub(super) fn asked(request: &Request) -> Asked {
    Asked {
        client: Client {
            id: request.header.client_id.clone().unwrap_or_default(),
            host: Str::from(host(request.peer)),
        },
        version: request.header.api_version,
    }
}

/// Who asks, where only the version matters: nothing is allocated.
pub(super) fn asked_in_version(request: &Request) -> Asked {
    Asked {
        client: Client::default(),
        version: request.header.api_version,
    }
}

/// An address as Java's `InetAddress.toString` writes it: `/127.0.0.1`, `/0:0:0:0:0:0:0:1`.
fn host(peer: SocketAddr) -> String {
    match peer.ip().to_canonical() {
        IpAddr::V4(address) => format!("/{address}"),
        IpAddr::V6(address) => {
            let words = address.segments().map(|word| format!("{word:x}"));
            format!("/{}", words.join(":"))
        }
    }
}

/// What a request says of partitions that the cluster does not have, by topic: the coordinator is
/// not asked about them.
pub(super) struct Refused<T> {
    /// Where in the coordinator's answer the topic's other partitions are.
    pub(super) place: Option<usize>,
    /// The answer.
    pub(super) topic: T,
}

/// Puts what was refused beside what the coordinator answers: with the rest of its topic, else at
/// the end.
pub(super) fn add_refused<T>(
    topics: &mut Vec<T>,
    refused: Vec<Refused<T>>,
    add: impl Fn(&mut T, T),
) {
    for Refused { place, topic } in refused {
        match place.and_then(|place| topics.get_mut(place)) {
            Some(answered) => add(answered, topic),
            None => topics.push(topic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_java_does() {
        let host = |text: &str| host(text.parse().expect("an address"));
        assert_eq!(host("127.0.0.1:9092"), "/127.0.0.1");
        assert_eq!(host("[::1]:9092"), "/0:0:0:0:0:0:0:1");
        assert_eq!(host("[::ffff:10.0.0.7]:1"), "/10.0.0.7");
        assert_eq!(host("[fe80::a:0:ff]:1"), "/fe80:0:0:0:0:a:0:ff");
    }
}
