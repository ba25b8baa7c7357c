//! Fetch sessions (KIP-227): a consumer of a thousand partitions names them once, then only what
//! changed; the broker answers only what changed.
//!
//! A session lives on the core of the connection that uses it, and moves with it. A client that comes
//! back by another connection, on another core, is told FETCH_SESSION_ID_NOT_FOUND and makes a new one, as
//! after a broker's restart.
//!
//! ```text
//!   request (id, epoch)      meaning                       answer
//!   (0, 0)                   full, make a session          (new id, or 0 where there is no room)
//!   (_, -1)                  full, no session; close id    (0)
//!   (id, 0)                  full, replace session id      (new id)
//!   (id, n)                  incremental                   (id), n must be the session's epoch
//! ```

use crate::base::collections::HashMap;
use crate::base::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId};
use crate::base::time::Instant;
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;
use std::time::Duration;

/// A session idle for this long may be evicted for a new one. As Kafka's.
const EVICTION_IDLE: Duration = Duration::from_secs(120);

/// Epoch of a request that makes a session.
pub const INITIAL_EPOCH: i32 = 0;
/// Epoch of a request that wants none.
pub const FINAL_EPOCH: i32 = -1;

/// A partition as a Fetch request names it: by id since version 13, by name before.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FetchTarget {
    /// The topic's id, or zero.
    pub topic_id: TopicId,
    /// The topic's name, or empty.
    pub topic: Str,
    /// Which partition.
    pub partition: PartitionIndex,
}

/// What a client wants of a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FetchPosition {
    /// First offset wanted.
    pub offset: Offset,
    /// Most bytes wanted.
    pub bytes_max: i32,
    /// The leader epoch that the client knows, or -1.
    pub current_leader_epoch: LeaderEpoch,
    /// The epoch of the last record that the client has, or -1.
    pub last_fetched_epoch: LeaderEpoch,
}

/// What a session was last told about a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Told {
    high_watermark: Offset,
    log_start_offset: Offset,
}

/// The sessions of one core.
#[derive(Debug)]
pub struct FetchSessions {
    sessions: HashMap<i32, Session>,
    slots: usize,
    /// Which core this is, of how many: the ids that it gives are its own.
    core: usize,
    cores: usize,
}

/// A session on its way to another core, with its connection.
#[derive(Debug)]
pub struct MovingSession {
    id: i32,
    session: Session,
}

#[derive(Debug)]
struct Session {
    /// The connection, of this core, that used it last.
    connection: Option<u32>,
    /// The epoch that the next request must have.
    epoch: i32,
    uses_topic_ids: bool,
    /// In the order in which partitions are served.
    partitions: Vec<(FetchTarget, FetchPosition, Option<Told>)>,
    used_at: Instant,
}

/// How one Fetch request is to be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FetchContext {
    /// The session to name in the response, or 0.
    pub session_id: i32,
    /// Whether unchanged partitions are left out.
    pub is_incremental: bool,
}

/// A request's part that sessions are about.
#[derive(Debug)]
pub struct SessionRequest {
    /// The connection that it came by.
    pub connection: u32,
    /// The session, or 0.
    pub session_id: i32,
    /// Its epoch.
    pub epoch: i32,
    /// Whether topics are named by id (version 13 and above).
    pub uses_topic_ids: bool,
    /// Partitions named in the request.
    pub partitions: Vec<(FetchTarget, FetchPosition)>,
    /// Partitions that the client wants no more.
    pub forgotten: Vec<FetchTarget>,
}

impl FetchSessions {
    /// Room for so many sessions, on a core of so many.
    #[must_use]
    pub fn new(slots: usize, core: usize, cores: usize) -> FetchSessions {
        FetchSessions {
            sessions: HashMap::default(),
            slots,
            core,
            cores,
        }
    }

    /// Takes a request into account: which partitions to read, in order, and how to answer.
    /// `random` gives an id for a new session.
    pub fn begin(
        &mut self,
        request: SessionRequest,
        now: Instant,
        mut random: impl FnMut() -> u64,
    ) -> Result<(FetchContext, Vec<(FetchTarget, FetchPosition)>), ErrorCode> {
        if request.epoch == INITIAL_EPOCH || request.epoch == FINAL_EPOCH {
            self.sessions.remove(&request.session_id);
            let mut session_id = 0;
            if request.epoch == INITIAL_EPOCH && self.make_room(now) {
                session_id = self.unused_id(&mut random);
                let session = Session {
                    connection: Some(request.connection),
                    epoch: next_epoch(INITIAL_EPOCH),
                    uses_topic_ids: request.uses_topic_ids,
                    partitions: request
                        .partitions
                        .iter()
                        .map(|(target, position)| (target.clone(), position.clone(), None))
                        .collect(),
                    used_at: now,
                };
                self.sessions.insert(session_id, session);
            }
            let context = FetchContext {
                session_id,
                is_incremental: false,
            };
            return Ok((context, request.partitions));
        }
        let Some(session) = self.sessions.get_mut(&request.session_id) else {
            return Err(ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
        };
        if session.epoch != request.epoch {
            return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        }
        if session.uses_topic_ids != request.uses_topic_ids {
            return Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
        }
        session.connection = Some(request.connection);
        session.used_at = now;
        session.epoch = next_epoch(session.epoch);
        session.update(request.partitions, &request.forgotten);
        let partitions: Vec<_> = session
            .partitions
            .iter()
            .map(|(target, position, _)| (target.clone(), position.clone()))
            .collect();
        if partitions.is_empty() {
            self.sessions.remove(&request.session_id);
            return Ok((
                FetchContext {
                    session_id: 0,
                    is_incremental: false,
                },
                partitions,
            ));
        }
        let context = FetchContext {
            session_id: request.session_id,
            is_incremental: true,
        };
        Ok((context, partitions))
    }

    /// Whether a partition belongs into the response, and takes note of what it says. Partitions with
    /// records go to the end of the session's order, so that each gets its turn.
    pub fn tell(
        &mut self,
        context: FetchContext,
        target: &FetchTarget,
        high_watermark: Offset,
        log_start_offset: Offset,
        has_records: bool,
        has_error: bool,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(&context.session_id) else {
            return true;
        };
        let Some(place) = session
            .partitions
            .iter()
            .position(|(known, ..)| known == target)
        else {
            return true;
        };
        let told = &mut session.partitions[place].2;
        let now = Told {
            high_watermark,
            log_start_offset,
        };
        let has_changed = *told != Some(now);
        // After an error the next answer must be whole, whatever it says.
        *told = (!has_error).then_some(now);
        if has_records {
            let entry = session.partitions.remove(place);
            session.partitions.push(entry);
        }
        !context.is_incremental || has_records || has_error || has_changed
    }

    /// Takes out the session that a connection uses, which leaves for another core.
    pub fn leave(&mut self, connection: u32) -> Option<MovingSession> {
        // Those whose connections ended may have had its place in the table before.
        let of_it = |(_, session): &(&i32, &Session)| session.connection == Some(connection);
        let uses = self.sessions.iter().filter(of_it);
        let (&id, _) = uses.max_by_key(|(id, session)| (session.used_at, **id))?;
        let session = self.sessions.remove(&id)?;
        Some(MovingSession { id, session })
    }

    /// Takes in a session whose connection comes from another core. Where there is no room, its client
    /// is told so by its next request.
    pub fn arrive(&mut self, moving: MovingSession, now: Instant) {
        let MovingSession { id, mut session } = moving;
        if self.make_room(now) {
            session.connection = None;
            self.sessions.insert(id, session);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sessions.len()
    }

    fn make_room(&mut self, now: Instant) -> bool {
        if self.sessions.len() < self.slots {
            return true;
        }
        let oldest = self
            .sessions
            .iter()
            .min_by_key(|(id, session)| (session.used_at, **id));
        let Some((&id, session)) = oldest else {
            return false;
        };
        if now.since(session.used_at) < EVICTION_IDLE {
            return false;
        }
        self.sessions.remove(&id);
        true
    }

    /// An id that no core has given: each gives those that leave its number over.
    fn unused_id(&self, random: &mut impl FnMut() -> u64) -> i32 {
        loop {
            let chosen = usize::try_from(random() >> 33).expect("31 bits");
            let own = chosen - chosen % self.cores + self.core;
            let id = i32::try_from(own).unwrap_or(0);
            if id != 0 && !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }
}

impl Session {
    fn update(&mut self, partitions: Vec<(FetchTarget, FetchPosition)>, forgotten: &[FetchTarget]) {
        // Most requests of a busy consumer name every partition it has: a table of places keeps this
        // linear in the session's size.
        if !partitions.is_empty() {
            let places: HashMap<FetchTarget, usize> = self
                .partitions
                .iter()
                .enumerate()
                .map(|(place, (target, ..))| (target.clone(), place))
                .collect();
            for (target, position) in partitions {
                match places.get(&target) {
                    Some(&place) => self.partitions[place].1 = position,
                    None => self.partitions.push((target, position, None)),
                }
            }
        }
        if !forgotten.is_empty() {
            self.partitions
                .retain(|(target, ..)| !forgotten.contains(target));
        }
    }
}

fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(partition: i32) -> FetchTarget {
        FetchTarget {
            topic_id: TopicId::ZERO,
            topic: "t".into(),
            partition: PartitionIndex(partition),
        }
    }

    fn position(offset: i64) -> FetchPosition {
        FetchPosition {
            offset: Offset(offset),
            bytes_max: 1,
            current_leader_epoch: LeaderEpoch::NONE,
            last_fetched_epoch: LeaderEpoch::NONE,
        }
    }

    fn request(session_id: i32, epoch: i32, partitions: &[(i32, i64)]) -> SessionRequest {
        SessionRequest {
            connection: 0,
            session_id,
            epoch,
            uses_topic_ids: false,
            partitions: partitions
                .iter()
                .map(|&(p, o)| (target(p), position(o)))
                .collect(),
            forgotten: Vec::new(),
        }
    }

    #[test]
    fn a_session_remembers_and_answers_what_changed() {
        let mut sessions = FetchSessions::new(2, 0, 1);
        let now = Instant(0);
        let full = request(0, INITIAL_EPOCH, &[(0, 5), (1, 7)]);
        let (context, read) = sessions.begin(full, now, || 9 << 33).unwrap();
        assert_eq!(
            (context.session_id, context.is_incremental, read.len()),
            (9, false, 2)
        );
        assert!(sessions.tell(context, &target(0), Offset(5), Offset(0), false, false));
        assert!(sessions.tell(context, &target(1), Offset(9), Offset(0), true, false));

        let (context, read) = sessions.begin(request(9, 1, &[(1, 9)]), now, || 0).unwrap();
        assert!(context.is_incremental);
        assert_eq!(read, [(target(0), position(5)), (target(1), position(9))]);
        assert!(!sessions.tell(context, &target(0), Offset(5), Offset(0), false, false));
        assert!(sessions.tell(context, &target(0), Offset(6), Offset(0), false, false));
        assert!(sessions.tell(context, &target(1), Offset(9), Offset(0), false, true));

        let mut forgets = request(9, 2, &[]);
        forgets.forgotten = vec![target(0)];
        let (context, read) = sessions.begin(forgets, now, || 0).unwrap();
        assert_eq!(read.len(), 1);
        // After an error the partition is answered again, though nothing moved.
        assert!(sessions.tell(context, &target(1), Offset(9), Offset(0), false, false));
    }

    #[test]
    fn a_wrong_session_or_epoch_is_refused() {
        let mut sessions = FetchSessions::new(1, 0, 1);
        let now = Instant(0);
        let none = sessions.begin(request(4, 1, &[(0, 0)]), now, || 0);
        assert_eq!(none.unwrap_err(), ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
        sessions
            .begin(request(0, 0, &[(0, 0)]), now, || 7 << 33)
            .unwrap();
        let wrong = sessions.begin(request(7, 2, &[]), now, || 0);
        assert_eq!(wrong.unwrap_err(), ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        let mut by_id = request(7, 1, &[]);
        by_id.uses_topic_ids = true;
        assert_eq!(
            sessions.begin(by_id, now, || 0).unwrap_err(),
            ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR
        );
        // No room: the fetch is answered without a session, until the old one has been idle.
        let (context, _) = sessions
            .begin(request(0, 0, &[(0, 0)]), now, || 8 << 33)
            .unwrap();
        assert_eq!(context.session_id, 0);
        let later = now + Duration::from_secs(121);
        let (context, _) = sessions
            .begin(request(0, 0, &[(0, 0)]), later, || 8 << 33)
            .unwrap();
        assert_eq!(context.session_id, 8);
        sessions
            .begin(request(8, FINAL_EPOCH, &[]), later, || 0)
            .unwrap();
        assert_eq!(sessions.count(), 0);
    }

    #[test]
    fn a_session_moves_with_its_connection() {
        let mut sessions = [FetchSessions::new(2, 0, 2), FetchSessions::new(1, 1, 2)];
        let now = Instant(0);
        let asked_by = |connection, session_id, epoch| SessionRequest {
            connection,
            ..request(session_id, epoch, &[(0, 5)])
        };
        for (connection, random) in [(3, 20_u64 << 33), (4, 31 << 33)] {
            let asked = asked_by(connection, 0, INITIAL_EPOCH);
            let (context, _) = sessions[0].begin(asked, now, || random).unwrap();
            assert_eq!(context.session_id % 2, 0, "core 0 gives even ids");
        }
        let moving = sessions[0].leave(4).expect("it uses one");
        assert!(sessions[0].leave(4).is_none());
        sessions[1].arrive(moving, now);
        let (context, read) = sessions[1].begin(asked_by(9, 30, 1), now, || 0).unwrap();
        assert!(context.is_incremental);
        assert_eq!(read.len(), 1);
        // The other one stayed; and where there is no room, none comes.
        let (context, _) = sessions[0].begin(asked_by(3, 20, 1), now, || 0).unwrap();
        assert_eq!(context.session_id, 20);
        let moving = sessions[0].leave(3).expect("it uses one");
        sessions[1].arrive(moving, now);
        assert_eq!(
            sessions[1]
                .begin(asked_by(8, 20, 2), now, || 0)
                .unwrap_err(),
            ErrorCode::FETCH_SESSION_ID_NOT_FOUND
        );
    }
}
