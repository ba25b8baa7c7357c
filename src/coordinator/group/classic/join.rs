//! JoinGroup: a member comes, or comes again. It is answered at once with an error or with the
//! generation that is, or when the next generation begins.

use super::member::rebalance_timeout_of;
use super::turn::{Turn, join_refusal};
use super::{ClassicGroup, Member, Protocols, State};
use crate::base::limits::PENDING_MEMBERS_PER_GROUP_MAX;
use crate::base::time::milliseconds;
use crate::base::uuid::Uuid;
use crate::coordinator::group::{Asked, GroupReply, Groups, Kind, Step, consumer};
use crate::coordinator::machine::World;
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::join_group::JoinGroupRequest;
use crate::protocol::string::Str;
use std::time::Duration;

/// From this version on a member must join with an id that it was given. KIP-394.
const MEMBER_ID_REQUIRED: i16 = 4;

/// A member that waits for its first generation is forgotten after this, since it does not know
/// its id yet and cannot say that it lives. As Kafka's.
const NEW_MEMBER_JOIN_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Answers JoinGroup.
pub fn handle(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    asked: &Asked,
    request: JoinGroupRequest,
) -> Step {
    let refused = |error| {
        let response = join_refusal(request.member_id.clone(), error);
        Step::reply(origin, GroupReply::JoinGroup(response))
    };
    let Some(asker) = origin else {
        return Step::nothing();
    };
    if request.group_id.is_empty() {
        return refused(ErrorCode::INVALID_GROUP_ID);
    }
    let shortest = world.configuration.group_min_session_timeout_ms();
    let longest = world.configuration.group_max_session_timeout_ms();
    if request.session_timeout_ms < shortest || request.session_timeout_ms > longest {
        return refused(ErrorCode::INVALID_SESSION_TIMEOUT);
    }
    let mut records = Vec::new();
    match groups.groups.get_mut(&request.group_id) {
        Some(group) => match &group.kind {
            Kind::Consumer(consumers) if consumers.is_empty() => {
                if !request.member_id.is_empty() {
                    return refused(ErrorCode::UNKNOWN_MEMBER_ID);
                }
                consumers.tombstones(&request.group_id, &mut records);
                group.kind = Kind::Classic(ClassicGroup::simple());
            }
            Kind::Consumer(_) => {
                return consumer::classic_member::join(groups, world, origin, asked, request);
            }
            Kind::Classic(_) => {}
        },
        None if !request.member_id.is_empty() => return refused(ErrorCode::UNKNOWN_MEMBER_ID),
        None if request.protocol_type.is_empty() || request.protocols.is_empty() => {
            return refused(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
        }
        None => {
            groups.get_or_simple(&request.group_id);
        }
    }
    let mut turn =
        Turn::begin(groups, world, &request.group_id).expect("there is one now, a classic one");
    turn.step.records = records;
    turn.join(asker, asked, &request);
    turn.step
}

/// What joins.
pub(super) struct Joining<'r> {
    pub(super) origin: Origin,
    pub(super) asked: &'r Asked,
    pub(super) request: &'r JoinGroupRequest,
    pub(super) protocols: Protocols,
}

impl Joining<'_> {
    pub(super) fn rebalance_timeout_ms(&self) -> i32 {
        rebalance_timeout_of(self.request, self.asked.version)
    }
}

impl Turn<'_, '_> {
    fn join(&mut self, origin: Origin, asked: &Asked, request: &JoinGroupRequest) {
        if !self.has_room_for(&request.member_id) {
            // Who rejoins a group that has become too small for it is out.
            self.remove(&request.member_id);
            self.refuse_join(origin, Str::EMPTY, ErrorCode::GROUP_MAX_SIZE_REACHED);
            self.complete_if_joined();
            return;
        }
        let protocols = Protocols::copied(&request.protocols);
        if !self.group.supports(&request.protocol_type, &protocols) {
            let member_id = request.member_id.clone();
            self.refuse_join(origin, member_id, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
            return;
        }
        let joining = Joining {
            origin,
            asked,
            request,
            protocols,
        };
        if request.member_id.is_empty() {
            self.join_as_new(joining);
        } else if self.group.pending_join.contains(&request.member_id)
            && request.group_instance_id.is_none()
        {
            let member_id = request.member_id.detached();
            self.timers.cancel(&self.pending_key(&member_id));
            self.add(joining, member_id);
        } else {
            self.join_again(joining);
        }
    }

    /// Whether `group.max.size` lets a member in. While members are gathered, those who have come
    /// count and not those who are known: so the last to come back are out where the limit sank.
    fn has_room_for(&self, member_id: &Str) -> bool {
        let max = self.world.configuration.group_max_size();
        let max = usize::try_from(max).unwrap_or(0);
        let member = self.group.members.get(member_id);
        match self.group.state {
            State::Empty => true,
            State::PreparingRebalance => {
                member.is_some_and(|member| member.awaiting_join.is_some())
                    || self.group.awaiting_join < max
            }
            State::CompletingRebalance | State::Stable => {
                member.is_some() || self.group.members.len() < max
            }
        }
    }

    /// One without an id.
    fn join_as_new(&mut self, joining: Joining<'_>) {
        let name = match &joining.request.group_instance_id {
            Some(instance) => instance,
            None => &joining.asked.client.id,
        };
        let member_id = self.new_member_id(name);
        let known = match &joining.request.group_instance_id {
            Some(instance) => self.group.static_members.get(instance).cloned(),
            None if joining.asked.version >= MEMBER_ID_REQUIRED => {
                self.require_member_id(&joining, member_id);
                return;
            }
            None => None,
        };
        match known {
            Some(known) => self.replace_static_member(joining, &known, member_id),
            None => self.add(joining, member_id),
        }
    }

    /// Gives an id, to come back with: so a client that never sees the answer to its JoinGroup
    /// leaves an id behind and not a member. KIP-394.
    fn require_member_id(&mut self, joining: &Joining<'_>, member_id: Str) {
        if self.group.pending_join.len() >= PENDING_MEMBERS_PER_GROUP_MAX {
            let error = ErrorCode::GROUP_MAX_SIZE_REACHED;
            self.refuse_join(joining.origin, Str::EMPTY, error);
            return;
        }
        self.group.pending_join.insert(member_id.clone());
        let timeout = milliseconds(i64::from(joining.request.session_timeout_ms));
        let until = self.now() + timeout;
        self.timers.set(self.pending_key(&member_id), until);
        self.refuse_join(joining.origin, member_id, ErrorCode::MEMBER_ID_REQUIRED);
    }

    /// A member more.
    fn add(&mut self, joining: Joining<'_>, member_id: Str) {
        if let Some(initial) = &mut self.group.initial {
            initial.has_new_member = true;
        }
        let rebalance_timeout_ms = joining.rebalance_timeout_ms();
        let mut member = Member::joining(
            member_id.clone(),
            &joining.asked.client,
            joining.request,
            rebalance_timeout_ms,
            joining.protocols,
        );
        member.awaiting_join = Some(joining.origin);
        self.group.add(member, &joining.request.protocol_type);
        self.begin_session(&member_id, NEW_MEMBER_JOIN_TIMEOUT);
        self.prepare_or_complete();
    }

    /// One who says that it is a member.
    fn join_again(&mut self, joining: Joining<'_>) {
        let request = joining.request;
        let instance = request.group_instance_id.as_ref();
        if let Err(error) = self.group.validate_member(&request.member_id, instance) {
            self.refuse_join(joining.origin, request.member_id.clone(), error);
            return;
        }
        let Some(member) = self.group.members.get(&request.member_id) else {
            return;
        };
        let member_id = member.member_id.clone();
        let is_unchanged = member.protocols == joining.protocols;
        let is_leader = self.group.is_leader(&member_id);
        let knows_all = match self.group.state {
            // It has not seen the answer to its last JoinGroup.
            State::CompletingRebalance => is_unchanged,
            // A leader that comes again wants to assign anew: topics have changed, say.
            State::Stable => is_unchanged && !is_leader,
            State::Empty | State::PreparingRebalance => false,
        };
        if knows_all {
            let with_members = is_leader && self.group.state == State::CompletingRebalance;
            let response = self.generation_for(&member_id, with_members);
            self.reply_join(joining.origin, response);
            return;
        }
        let rebalance_timeout_ms = joining.rebalance_timeout_ms();
        let session_timeout_ms = request.session_timeout_ms;
        self.group.update(
            &member_id,
            joining.protocols,
            rebalance_timeout_ms,
            session_timeout_ms,
        );
        self.await_join(&member_id, joining.origin);
        self.prepare_or_complete();
    }

    /// A name and a random UUID, as Kafka's.
    fn new_member_id(&mut self, name: &Str) -> Str {
        let random = &mut self.world.random;
        let Uuid(bytes) = Uuid::from_random(random.next(), random.next());
        let mut id = format!("{name}-");
        for (index, byte) in bytes.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                id.push('-');
            }
            id.push_str(&format!("{byte:02x}"));
        }
        Str::from(id)
    }
}
