//! ConsumerGroupHeartbeat, the one request of a member: it joins with epoch 0, leaves with -1 (or goes
//! away for a while with -2), and says otherwise what it has; the answer says what it may have.

use super::admit::{Admitted, Applicant};
use super::advance::{Revocation, advance};
use super::draft::Draft;
use super::member::{LEAVE_EPOCH, Member, MemberState, STATIC_LEAVE_EPOCH};
use super::partitions::{Owned, by_topic};
use super::{ConsumerGroup, Refusal, leave, migration, regex, settings, timer};
use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::base::uuid::Uuid;
use crate::coordinator::World;
use crate::coordinator::group::assignor::Assignor;
use crate::coordinator::group::{Asked, GroupRecord, GroupReply, Groups, Kind, Step};
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::consumer_group_heartbeat::response::{Assignment, TopicPartitions};
use crate::protocol::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use crate::protocol::string::Str;

/// The first version in which members make their own ids. KIP-1082.
const CLIENT_MADE_MEMBER_ID: i16 = 1;

/// A member that waits for partitions of others comes back after this time: what they give back is
/// taken soon, where an interval of five seconds would pass else.
const RECONCILING_HEARTBEAT_MS: i32 = 500;

/// API 68.
pub fn handle(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    asked: &Asked,
    request: ConsumerGroupHeartbeatRequest,
) -> Step {
    let result =
        validate(groups, world, asked, &request).and_then(|()| match request.member_epoch {
            LEAVE_EPOCH | STATIC_LEAVE_EPOCH => leave::by_heartbeat(groups, world, &request),
            _ => heartbeat(groups, world, asked, &request),
        });
    match result {
        Ok((mut step, response)) => {
            let reply = GroupReply::ConsumerGroupHeartbeat(response);
            step.replies.extend(origin.map(|origin| (origin, reply)));
            step
        }
        Err(refusal) => {
            let response = ConsumerGroupHeartbeatResponse {
                error_code: refusal.code.code(),
                error_message: Some(Str::from(refusal.message)),
                ..ConsumerGroupHeartbeatResponse::default()
            };
            Step::reply(origin, GroupReply::ConsumerGroupHeartbeat(response))
        }
    }
}

/// What is wrong with a request by itself.
fn validate(
    groups: &Groups,
    world: &World<'_>,
    asked: &Asked,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<(), Refusal> {
    let invalid = |why: &str| Err(Refusal::new(ErrorCode::INVALID_REQUEST, why.to_owned()));
    let is_empty = |text: &Option<Str>| text.as_ref().is_some_and(|text| text.is_empty());
    if asked.version >= CLIENT_MADE_MEMBER_ID && request.member_id.is_empty() {
        return invalid("MemberId can't be empty.");
    }
    if request.group_id.is_empty() {
        return invalid("GroupId can't be empty.");
    }
    if is_empty(&request.instance_id) {
        return invalid("InstanceId can't be empty.");
    }
    if is_empty(&request.rack_id) {
        return invalid("RackId can't be empty.");
    }
    match request.member_epoch {
        0 => {
            if request.rebalance_timeout_ms == -1 {
                return invalid("RebalanceTimeoutMs must be provided in first request.");
            }
            if !Owned(request.topic_partitions.as_deref()).is_nothing() {
                return invalid("TopicPartitions must be empty when (re-)joining.");
            }
            if request.subscribed_topic_names.is_none() && request.subscribed_topic_regex.is_none()
            {
                return invalid(
                    "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when \
                     (re-)joining.",
                );
            }
        }
        LEAVE_EPOCH | 1.. => {
            if request.member_id.is_empty() {
                return invalid("MemberId can't be empty.");
            }
        }
        STATIC_LEAVE_EPOCH => {
            if request.member_id.is_empty() {
                return invalid("MemberId can't be empty.");
            }
            if request.instance_id.is_none() {
                return invalid("InstanceId can't be null.");
            }
        }
        _ => return invalid("MemberEpoch is invalid."),
    }
    if let Some(name) = &request.server_assignor {
        let assignors = settings::assignors(world.configuration);
        let known = Assignor::by_name(name).is_some_and(|one| assignors.contains(&one));
        if !known {
            let names: Vec<&str> = assignors.iter().map(|one| one.name()).collect();
            return Err(Refusal::new(
                ErrorCode::UNSUPPORTED_ASSIGNOR,
                format!(
                    "ServerAssignor {name} is not supported. Supported assignors: {}.",
                    names.join(", ")
                ),
            ));
        }
    }
    if let Some(text) = request
        .subscribed_topic_regex
        .as_ref()
        .filter(|text| !text.is_empty())
        // What the group uses already was found good.
        .filter(|text| !groups.uses_regex(&request.group_id, text))
    {
        regex::compile(text).map_err(|why| {
            Refusal::new(
                ErrorCode::INVALID_REGULAR_EXPRESSION,
                format!("SubscribedTopicRegex `{text}` is not a valid regular expression: {why}."),
            )
        })?;
    }
    Ok(())
}

/// What a heartbeat makes, before the timers that go with it.
struct Outcome {
    records: Vec<GroupRecord>,
    response: ConsumerGroupHeartbeatResponse,
    member_id: Str,
    revocation: Revocation,
    assign_at: Option<Instant>,
    has_regex: bool,
    is_upgraded: bool,
}

fn heartbeat(
    groups: &mut Groups,
    world: &mut World<'_>,
    asked: &Asked,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<(Step, ConsumerGroupHeartbeatResponse), Refusal> {
    let member_id = if request.member_id.is_empty() {
        new_member_id(world.random)
    } else {
        request.member_id.clone()
    };
    let group_id = &groups.own_id(&request.group_id);
    let outcome = outcome(groups, world, asked, request, group_id, &member_id)?;
    let session = settings::session_timeout(world, group_id);
    timer::session(groups, world, group_id, &outcome.member_id, session);
    timer::revocation(
        groups,
        world,
        group_id,
        &outcome.member_id,
        outcome.revocation,
    );
    timer::assign_later(groups, group_id, outcome.assign_at);
    if outcome.has_regex {
        regex::begin(groups, world, group_id);
    }
    let mut step = Step {
        records: outcome.records,
        replies: Vec::new(),
    };
    if outcome.is_upgraded {
        step.replies
            .extend(migration::upgraded(groups, world, group_id));
    }
    Ok((step, outcome.response))
}

fn outcome(
    groups: &Groups,
    world: &World<'_>,
    asked: &Asked,
    request: &ConsumerGroupHeartbeatRequest,
    group_id: &Str,
    member_id: &Str,
) -> Result<Outcome, Refusal> {
    let joins = request.member_epoch == 0;
    let owned = Owned(request.topic_partitions.as_deref());
    let applicant = Applicant {
        group_id,
        member_id,
        instance_id: request.instance_id.as_ref(),
        epoch: Some(request.member_epoch),
        owned,
        joins,
    };
    let found = find_group(groups, world, group_id, joins)?;
    let group = found.group();
    check_size(group, world, member_id)?;
    let admitted = applicant.admit(group)?;

    // The usual heartbeat finds everything as it was.
    if let Admitted::Known(member) = admitted
        && group.group_epoch <= group.target_epoch
        && member.is_reconciled_to(group.target_epoch)
        && member.subscription.is_repeated_by(asked, request)
    {
        let settled = Settled {
            assign_at: None,
            is_pending: false,
            tell_partitions: joins,
        };
        return Ok(Outcome {
            records: Vec::new(),
            response: response(world, group_id, member, settled),
            member_id: member.id.clone(),
            revocation: Revocation::Unchanged,
            assign_at: None,
            has_regex: false,
            is_upgraded: false,
        });
    }

    let mut draft = Draft::new(group_id, group);
    let is_new = matches!(admitted, Admitted::New(_));
    let advanced = advance(
        &mut draft,
        world,
        admitted,
        |known| {
            let changes = is_new || !known.is_repeated_by(asked, request);
            changes.then(|| known.updated(asked, request))
        },
        owned,
    )?;
    let member = &advanced.member;
    let is_full = joins
        || (request.rebalance_timeout_ms != -1
            && request.subscribed_topic_names.is_some()
            && request.topic_partitions.is_some());
    let settled = Settled {
        assign_at: advanced.assign_at,
        is_pending: member.current.state == MemberState::UnreleasedPartitions
            || draft.group_epoch > member.current.epoch,
        tell_partitions: is_full || advanced.has_other_partitions,
    };
    let response = response(world, group_id, member, settled);
    let mut written = draft.records;
    let (mut records, is_upgraded) = match found {
        Found::There(_) => (Vec::new(), false),
        Found::Made(made) => (made.records, made.is_upgraded),
    };
    records.append(&mut written);
    Ok(Outcome {
        records,
        response,
        member_id: advanced.member.id.clone(),
        revocation: advanced.revocation,
        assign_at: advanced.assign_at,
        has_regex: advanced.member.subscription.topic_regex.is_some(),
        is_upgraded,
    })
}

/// What the answer depends on besides the member.
struct Settled {
    assign_at: Option<Instant>,
    is_pending: bool,
    tell_partitions: bool,
}

fn response(
    world: &World<'_>,
    group_id: &Str,
    member: &Member,
    settled: Settled,
) -> ConsumerGroupHeartbeatResponse {
    let mut interval = settings::heartbeat_interval_ms(world, group_id);
    if let Some(at) = settled.assign_at {
        let wait = at.since(world.now.instant).as_millis();
        let wait = i32::try_from(wait).unwrap_or(i32::MAX).saturating_add(1);
        interval = interval.min(wait);
    } else if settled.is_pending {
        interval = interval.min(RECONCILING_HEARTBEAT_MS);
    }
    let assigned = member.current.assigned.iter();
    let assignment = settled.tell_partitions.then(|| Assignment {
        topic_partitions: by_topic(assigned.map(|(partition, _)| *partition))
            .into_iter()
            .map(|(topic_id, partitions)| TopicPartitions {
                topic_id,
                partitions,
                ..TopicPartitions::default()
            })
            .collect(),
        ..Assignment::default()
    });
    ConsumerGroupHeartbeatResponse {
        member_id: Some(member.id.clone()),
        member_epoch: member.current.epoch,
        heartbeat_interval_ms: interval,
        assignment,
        ..ConsumerGroupHeartbeatResponse::default()
    }
}

/// The group of a heartbeat.
enum Found<'a> {
    /// It is there.
    There(&'a ConsumerGroup),
    /// It is made.
    Made(Box<Made>),
}

/// A group that a heartbeat makes, and by which records.
struct Made {
    group: ConsumerGroup,
    records: Vec<GroupRecord>,
    is_upgraded: bool,
}

impl Found<'_> {
    fn group(&self) -> &ConsumerGroup {
        match self {
            Found::There(group) => group,
            Found::Made(made) => &made.group,
        }
    }
}

fn find_group<'a>(
    groups: &'a Groups,
    world: &World<'_>,
    group_id: &Str,
    joins: bool,
) -> Result<Found<'a>, Refusal> {
    let not_found = |what: String| Err(Refusal::new(ErrorCode::GROUP_ID_NOT_FOUND, what));
    let mut records = Vec::new();
    match groups.groups.get(group_id).map(|group| &group.kind) {
        Some(Kind::Consumer(group)) => return Ok(Found::There(group)),
        None if joins => {}
        None => return not_found(format!("Consumer group {group_id} not found.")),
        Some(Kind::Classic(group)) if joins && group.is_empty() => {
            if !group.is_simple() {
                group.tombstones(group_id, &mut records);
            }
        }
        Some(Kind::Classic(group)) => {
            if joins && let Some((group, records)) = migration::upgrade(world, group_id, group) {
                return Ok(Found::Made(Box::new(Made {
                    group,
                    records,
                    is_upgraded: true,
                })));
            }
            return not_found(format!("Group {group_id} is not a consumer group."));
        }
    }
    Ok(Found::Made(Box::new(Made {
        group: ConsumerGroup::new(),
        records,
        is_upgraded: false,
    })))
}

pub(super) fn check_size(
    group: &ConsumerGroup,
    world: &World<'_>,
    member_id: &str,
) -> Result<(), Refusal> {
    let most = world.configuration.group_consumer_max_size();
    let is_full = usize::try_from(most).is_ok_and(|most| group.member_count() >= most);
    if is_full && group.member(member_id).is_none() {
        return Err(Refusal::new(
            ErrorCode::GROUP_MAX_SIZE_REACHED,
            format!("The consumer group has reached its maximum capacity of {most} members."),
        ));
    }
    Ok(())
}

/// An id for a member that has none.
pub(super) fn new_member_id(random: &mut Prng) -> Str {
    Str::from(Uuid::from_random(random.next(), random.next()).to_string())
}
