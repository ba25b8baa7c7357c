//! The requests of groups, encoded by hand as in `wire.rs`: the classic protocol at its last
//! inflexible versions, KIP-848's heartbeat at version 0, which is flexible.

use crate::wire::{self, Connection, Decoder, Encoder, flexible_frame, frame, length};
use std::io;
use std::time::{Duration, Instant};

const OFFSET_COMMIT: i16 = 8;
const OFFSET_FETCH: i16 = 9;
const FIND_COORDINATOR: i16 = 10;
const JOIN_GROUP: i16 = 11;
const HEARTBEAT: i16 = 12;
const LEAVE_GROUP: i16 = 13;
const SYNC_GROUP: i16 = 14;
const CONSUMER_GROUP_HEARTBEAT: i16 = 68;

/// Error codes that members live with.
pub const NONE: i16 = 0;
/// REBALANCE_IN_PROGRESS
pub const REBALANCE: i16 = 27;
/// MEMBER_ID_REQUIRED
pub const MEMBER_ID_REQUIRED: i16 = 79;

const SESSION_MS: i32 = 45_000;
const REBALANCE_MS: i32 = 300_000;
const PROTOCOL: &str = "range";

/// Waits until the groups have their coordinator: the first who asks makes `__consumer_offsets`.
pub fn find_coordinators<'a>(
    port: u16,
    groups: impl IntoIterator<Item = &'a str>,
) -> Result<(), String> {
    let said = |error: io::Error| format!("cannot find a coordinator: {error}");
    let mut connection = Connection::open(port, Duration::from_secs(30)).map_err(said)?;
    let end = Instant::now() + Duration::from_secs(60);
    for group in groups {
        let mut last = find(&mut connection, group).map_err(said)?;
        while last != NONE {
            if Instant::now() > end {
                return Err(format!(
                    "group {group} has no coordinator: error code {last}"
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
            last = find(&mut connection, group).map_err(said)?;
        }
    }
    Ok(())
}

/// The error code: of FindCoordinator, then of an OffsetFetch, since a coordinator may be found
/// before it has loaded its log.
fn find(connection: &mut Connection, group: &str) -> io::Result<i16> {
    let mut body = Encoder::default();
    body.string(group).int8(0);
    let reply = connection.ask(FIND_COORDINATOR, 1, &body.0)?;
    let mut reply = Decoder(&reply);
    reply.int32()?;
    match reply.int16()? {
        NONE => offset_fetch_error(connection, group),
        error => Ok(error),
    }
}

/// The error code of an OffsetFetch of everything.
pub fn offset_fetch_error(connection: &mut Connection, group: &str) -> io::Result<i16> {
    let mut body = Encoder::default();
    // No topic at all: a group that has committed much would answer much.
    body.string(group).int32(0);
    let reply = connection.ask(OFFSET_FETCH, 3, &body.0)?;
    let end = reply
        .len()
        .checked_sub(2)
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    Decoder(&reply[end..]).int16()
}

/// OffsetCommit of one topic without membership, as a whole request.
pub fn offset_commit(
    group: &str,
    topic: &str,
    partitions: impl ExactSizeIterator<Item = i32>,
    offset: i64,
) -> Vec<u8> {
    let mut body = Encoder::default();
    body.string(group).int32(-1).string("");
    body.int32(1).string(topic).int32(length(partitions.len()));
    for partition in partitions {
        body.int32(partition).int64(offset).int32(-1).string("");
    }
    frame(OFFSET_COMMIT, 6, &body.0)
}

/// The first error code in the body of a reply to [`offset_commit`].
pub fn offset_commit_error(reply: &[u8]) -> io::Result<i16> {
    let mut reply = Decoder(reply);
    reply.int32()?;
    let mut error = NONE;
    for _ in 0..reply.int32()? {
        reply.skip_string()?;
        for _ in 0..reply.int32()? {
            reply.int32()?;
            error = match (error, reply.int16()?) {
                (NONE, code) => code,
                (error, _) => error,
            };
        }
    }
    Ok(error)
}

/// JoinGroup of a consumer; `note` is told to the leader with the subscription, as sticky assignors
/// do: a member with another note wants a rebalance.
pub fn join_group(group: &str, member_id: &str, topic: &str, note: i32) -> Vec<u8> {
    let mut subscription = Encoder::default();
    subscription.int16(1).int32(1).string(topic);
    subscription.bytes(&note.to_be_bytes()).int32(0);
    let mut body = Encoder::default();
    body.string(group).int32(SESSION_MS).int32(REBALANCE_MS);
    body.string(member_id).int16(-1).string("consumer");
    body.int32(1).string(PROTOCOL).bytes(&subscription.0);
    frame(JOIN_GROUP, 5, &body.0)
}

/// What JoinGroup is answered.
pub struct Joined {
    /// Kafka's code.
    pub error: i16,
    /// The generation.
    pub generation: i32,
    /// The member's own id.
    pub member_id: String,
    /// Everybody, where the member leads.
    pub members: Vec<String>,
}

/// The body of a reply to [`join_group`].
pub fn joined(reply: &[u8]) -> io::Result<Joined> {
    let mut reply = Decoder(reply);
    reply.int32()?;
    let error = reply.int16()?;
    let generation = reply.int32()?;
    reply.skip_string()?;
    reply.skip_string()?;
    let member_id = reply.string()?;
    let mut members = Vec::new();
    for _ in 0..reply.int32()? {
        members.push(reply.string()?);
        reply.skip_string()?;
        reply.bytes()?;
    }
    Ok(Joined {
        error,
        generation,
        member_id,
        members,
    })
}

/// SyncGroup; the leader says which partitions of the topic each member has.
pub fn sync_group(
    group: &str,
    generation: i32,
    member_id: &str,
    topic: &str,
    assignments: &[(String, Vec<i32>)],
) -> Vec<u8> {
    let mut body = Encoder::default();
    body.string(group).int32(generation).string(member_id);
    body.int16(-1).int32(length(assignments.len()));
    for (member_id, partitions) in assignments {
        let mut assignment = Encoder::default();
        assignment.int16(1).int32(1).string(topic);
        assignment.int32(length(partitions.len()));
        for partition in partitions {
            assignment.int32(*partition);
        }
        assignment.int32(-1);
        body.string(member_id).bytes(&assignment.0);
    }
    frame(SYNC_GROUP, 3, &body.0)
}

/// Error code and number of partitions in the body of a reply to [`sync_group`].
pub fn synced(reply: &[u8]) -> io::Result<(i16, usize)> {
    let mut reply = Decoder(reply);
    reply.int32()?;
    let error = reply.int16()?;
    let assignment = reply.bytes()?;
    if assignment.is_empty() {
        return Ok((error, 0));
    }
    let mut assignment = Decoder(&assignment);
    assignment.int16()?;
    let mut partitions = 0;
    for _ in 0..assignment.int32()? {
        assignment.skip_string()?;
        let count = usize::try_from(assignment.int32()?).unwrap_or(0);
        assignment.skip(count * 4)?;
        partitions += count;
    }
    Ok((error, partitions))
}

/// Heartbeat of a classic member.
pub fn heartbeat(group: &str, generation: i32, member_id: &str) -> Vec<u8> {
    let mut body = Encoder::default();
    body.string(group).int32(generation).string(member_id);
    body.int16(-1);
    frame(HEARTBEAT, 3, &body.0)
}

/// The error code in the body of a reply to [`heartbeat`] or [`leave_group`].
pub fn error_after_throttle(reply: &[u8]) -> io::Result<i16> {
    let mut reply = Decoder(reply);
    reply.int32()?;
    reply.int16()
}

/// LeaveGroup of several members.
pub fn leave_group<'a>(group: &str, members: impl ExactSizeIterator<Item = &'a str>) -> Vec<u8> {
    let mut body = Encoder::default();
    body.string(group).int32(length(members.len()));
    for member_id in members {
        body.string(member_id).int16(-1);
    }
    frame(LEAVE_GROUP, 3, &body.0)
}

/// Partitions as KIP-848 names them: topic id and number.
pub type Partition = ([u8; 16], i32);

/// What a member of a consumer group says.
pub struct Beat<'a> {
    /// The group.
    pub group: &'a str,
    /// The member's id, made by itself.
    pub member_id: &'a str,
    /// 0 to join, -1 to leave.
    pub epoch: i32,
    /// What it wants; only when it joins.
    pub topics: Option<&'a [String]>,
    /// What it has, sorted; only when that has changed.
    pub owned: Option<&'a [Partition]>,
}

/// ConsumerGroupHeartbeat.
pub fn consumer_heartbeat(beat: &Beat<'_>) -> Vec<u8> {
    let mut body = Encoder::default();
    body.compact_string(beat.group)
        .compact_string(beat.member_id);
    body.int32(beat.epoch).varint(0).varint(0);
    match beat.topics {
        Some(topics) => {
            body.int32(REBALANCE_MS).varint(topics.len() + 1);
            for topic in topics {
                body.compact_string(topic);
            }
        }
        None => {
            body.int32(-1).varint(0);
        }
    }
    body.varint(0);
    match beat.owned {
        None => {
            body.varint(0);
        }
        Some(owned) => {
            let topics: Vec<&[Partition]> = owned.chunk_by(|one, other| one.0 == other.0).collect();
            body.varint(topics.len() + 1);
            for topic in topics {
                body.0.extend(topic[0].0);
                body.varint(topic.len() + 1);
                for (_, number) in topic {
                    body.int32(*number);
                }
                body.varint(0);
            }
        }
    }
    body.varint(0);
    flexible_frame(CONSUMER_GROUP_HEARTBEAT, 0, &body.0)
}

/// What a heartbeat is answered.
pub struct Beaten {
    /// Kafka's code.
    pub error: i16,
    /// Why.
    pub message: String,
    /// The member's epoch.
    pub epoch: i32,
    /// When it shall come again.
    pub interval: Duration,
    /// What it may have, sorted, where that is said.
    pub assignment: Option<Vec<Partition>>,
}

/// The body of a reply to [`consumer_heartbeat`].
pub fn beaten(reply: &[u8]) -> io::Result<Beaten> {
    let mut reply = Decoder(reply);
    reply.tags()?;
    reply.int32()?;
    let error = reply.int16()?;
    let message = reply.compact_string()?;
    reply.compact_string()?;
    let epoch = reply.int32()?;
    let interval_ms = reply.int32()?;
    let mut assignment = None;
    // A struct that may be null: a byte says whether it is there.
    if reply.raw(1)?[0] == 1 {
        let mut partitions = Vec::new();
        for _ in 1..reply.varint()? {
            let mut topic_id = [0; 16];
            topic_id.copy_from_slice(reply.raw(16)?);
            for _ in 1..reply.varint()? {
                partitions.push((topic_id, reply.int32()?));
            }
            reply.tags()?;
        }
        partitions.sort_unstable();
        assignment = Some(partitions);
    }
    Ok(Beaten {
        error,
        message,
        epoch,
        interval: Duration::from_millis(u64::try_from(interval_ms).unwrap_or(0)),
        assignment,
    })
}

/// The topics of a row, each with so many partitions.
pub fn create_topics(port: u16, names: &[String], partitions: i32) -> Result<(), String> {
    names
        .iter()
        .try_for_each(|name| wire::create_topic(port, name, partitions))
}
