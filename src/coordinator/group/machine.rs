//! Groups as the machine of a coordinator's partition: which command and which record go where.

use super::{
    GroupCommand, GroupRecord, GroupReply, Groups, Step, TimerKey, admin, classic, consumer,
    offsets,
};
use crate::base::ids::TopicId;
use crate::base::time::{Instant, Now};
use crate::coordinator::machine::{DamagedRecord, Machine, TopicsChanged, World};
use crate::metadata::image::MetadataImage;
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;
use crate::protocol::writer::EncodeError;
use bytes::Bytes;

impl Machine for Groups {
    type Command = GroupCommand;
    type Record = GroupRecord;
    type Reply = GroupReply;

    fn subject(command: &GroupCommand) -> Option<&Str> {
        command.group_id()
    }

    /// Offsets are committed by what the group is, never by what it has committed: the commits of a
    /// whole turn stand in one batch.
    fn shares_round(command: &GroupCommand) -> bool {
        match command {
            GroupCommand::OffsetCommit(..) => true,
            GroupCommand::JoinGroup(..)
            | GroupCommand::SyncGroup(..)
            | GroupCommand::Heartbeat(_)
            | GroupCommand::LeaveGroup(..)
            | GroupCommand::OffsetFetch { .. }
            | GroupCommand::OffsetDelete(_)
            | GroupCommand::DeleteGroup(_)
            | GroupCommand::DescribeGroup(..)
            | GroupCommand::ListGroups { .. }
            | GroupCommand::ConsumerGroupHeartbeat(..)
            | GroupCommand::ConsumerGroupDescribe(_)
            | GroupCommand::Timer(_)
            | GroupCommand::RefreshMetadata(_)
            | GroupCommand::DeleteTopicOffsets { .. } => false,
        }
    }

    fn handle(
        &mut self,
        world: &mut World<'_>,
        origin: Option<Origin>,
        command: GroupCommand,
    ) -> Step {
        match command {
            GroupCommand::JoinGroup(asked, request) => {
                classic::join::handle(self, world, origin, &asked, request)
            }
            GroupCommand::SyncGroup(asked, request) => {
                classic::sync::handle(self, world, origin, &asked, request)
            }
            GroupCommand::Heartbeat(request) => {
                classic::heartbeat::handle(self, world, origin, &request)
            }
            GroupCommand::LeaveGroup(asked, request) => {
                classic::leave::handle(self, world, origin, &asked, request)
            }
            GroupCommand::OffsetCommit(asked, request) => {
                offsets::commit::handle(self, world, origin, &asked, request)
            }
            GroupCommand::OffsetFetch {
                version,
                group,
                require_stable,
            } => offsets::fetch::handle(self, origin, version, group, require_stable),
            GroupCommand::OffsetDelete(request) => offsets::delete::handle(self, origin, &request),
            GroupCommand::DeleteTopicOffsets { group_id, topics } => {
                offsets::delete::on_topics_deleted(self, world.image, &group_id, &topics)
            }
            GroupCommand::DeleteGroup(group_id) => admin::delete::handle(self, origin, group_id),
            GroupCommand::DescribeGroup(version, group_id) => {
                admin::describe::handle(self, origin, version, group_id)
            }
            GroupCommand::ListGroups { states, types } => {
                admin::list::handle(self, origin, &states, &types)
            }
            GroupCommand::ConsumerGroupHeartbeat(asked, request) => {
                consumer::heartbeat::handle(self, world, origin, &asked, request)
            }
            GroupCommand::ConsumerGroupDescribe(group_id) => {
                consumer::describe::handle(self, world, origin, group_id)
            }
            GroupCommand::RefreshMetadata(group_id) => {
                consumer::metadata::refresh(self, world, &group_id)
            }
            GroupCommand::Timer(key) => match key {
                TimerKey::ClassicSession { .. }
                | TimerKey::ClassicPendingMember { .. }
                | TimerKey::ClassicJoin(_)
                | TimerKey::ClassicSync(_) => classic::timer::on_timer(self, world, &key),
                TimerKey::ConsumerSession { .. }
                | TimerKey::ConsumerRebalance { .. }
                | TimerKey::ConsumerClassicMember { .. }
                | TimerKey::ConsumerAssignment(_)
                | TimerKey::ConsumerRegex(_) => consumer::timer::on_timer(self, world, &key),
                TimerKey::OffsetsExpiry => offsets::expire::on_timer(self, world),
            },
        }
    }

    fn replay(&mut self, now: Now, record: GroupRecord) {
        match record {
            GroupRecord::LegacyOffsetCommit(key, value) => offsets::replay_legacy(self, key, value),
            GroupRecord::OffsetCommit(key, value) => offsets::replay(self, key, value),
            GroupRecord::GroupMetadata(key, value) => classic::replay(self, now, key, value),
            GroupRecord::ConsumerGroupMetadata(..)
            | GroupRecord::ConsumerGroupPartitionMetadata(..)
            | GroupRecord::ConsumerGroupMemberMetadata(..)
            | GroupRecord::ConsumerGroupTargetAssignmentMetadata(..)
            | GroupRecord::ConsumerGroupTargetAssignmentMember(..)
            | GroupRecord::ConsumerGroupCurrentMemberAssignment(..)
            | GroupRecord::ConsumerGroupRegularExpression(..) => {
                consumer::replay::replay(self, now, record);
            }
        }
    }

    fn on_loaded(&mut self, world: &mut World<'_>) -> Step {
        let mut step = classic::on_loaded(self, world);
        step.extend(consumer::on_loaded(self, world));
        offsets::expire::on_loaded(self, world);
        step
    }

    fn topics_gone(&self, image: &MetadataImage) -> Vec<(Str, TopicId)> {
        offsets::delete::topics_gone(self, image)
    }

    fn on_metadata(&mut self, world: &mut World<'_>, changed: &TopicsChanged) -> Vec<GroupCommand> {
        let mut commands = offsets::delete::on_metadata(self, changed);
        commands.extend(consumer::metadata::on_metadata(self, world, changed));
        commands
    }

    fn next_deadline(&self) -> Instant {
        self.timers.next_deadline()
    }

    fn due(&mut self, now: Instant) -> Vec<GroupCommand> {
        let mut commands = Vec::new();
        while let Some(key) = self.timers.take_due(now) {
            commands.push(GroupCommand::Timer(key));
        }
        commands
    }

    fn resign(&mut self, error: ErrorCode) -> Vec<(Origin, GroupReply)> {
        classic::resign(self, error)
    }

    fn refusal(command: &GroupCommand, error: ErrorCode) -> Option<GroupReply> {
        command.refusal(error)
    }

    fn failed(reply: GroupReply, error: ErrorCode) -> GroupReply {
        reply.failed(error)
    }

    fn encode(record: &GroupRecord) -> Result<(Bytes, Option<Bytes>), EncodeError> {
        record.encode()
    }

    fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Option<GroupRecord>, DamagedRecord> {
        GroupRecord::decode(key, value)
    }

    fn owner(key: &Bytes) -> Option<Str> {
        super::record::group_of(key)
    }
}
