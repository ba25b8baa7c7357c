//! A member of a classic group.

use crate::base::time::{Instant, milliseconds};
use crate::coordinator::group::Client;
use crate::partition::work::Origin;
use crate::protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use crate::protocol::string::Str;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::time::Duration;

/// A member: who it is, what it can do, what it has, and what it waits for.
#[derive(Debug)]
pub struct Member {
    pub(super) member_id: Str,
    pub(super) group_instance_id: Option<Str>,
    pub(super) client: Client,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) session_timeout_ms: i32,
    pub(super) protocols: Protocols,
    pub(super) assignment: Bytes,
    /// Who is answered when all have joined; counted by the group, which alone changes it.
    pub(super) awaiting_join: Option<Origin>,
    /// Who is answered when the leader has assigned.
    pub(super) awaiting_sync: Option<Origin>,
    /// It waits for its first generation: it cannot send heartbeats, since it does not know its id.
    pub(super) is_new: bool,
    pub(super) session: Session,
}

/// How long a member may be silent. A heartbeat moves the deadline only; the timer that is set
/// looks at the deadline when it is due, so that heartbeats cost no timers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    pub(super) deadline: Instant,
    /// When the timer is due; `NEVER` where none is set.
    pub(super) armed: Instant,
}

/// The protocols that a member offers, the preferred first, each name once; in one piece of memory
/// of its own, however many they are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Protocols(Box<[(Str, Bytes)]>);

impl Member {
    /// A member that joins. What it keeps of the request is copied: the frame goes.
    pub(super) fn joining(
        member_id: Str,
        client: &Client,
        request: &JoinGroupRequest,
        rebalance_timeout_ms: i32,
        protocols: Protocols,
    ) -> Member {
        Member {
            member_id,
            group_instance_id: request.group_instance_id.as_ref().map(Str::detached),
            client: Client {
                id: client.id.detached(),
                host: client.host.detached(),
            },
            rebalance_timeout_ms,
            session_timeout_ms: request.session_timeout_ms,
            protocols,
            assignment: Bytes::new(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: true,
            session: Session::NONE,
        }
    }

    /// Its id, given by the coordinator.
    #[must_use]
    pub fn member_id(&self) -> &Str {
        &self.member_id
    }

    /// Its own name for itself, where it is static. KIP-345.
    #[must_use]
    pub fn group_instance_id(&self) -> Option<&Str> {
        self.group_instance_id.as_ref()
    }

    /// Where it joined from.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How long it may take to join again.
    #[must_use]
    pub fn rebalance_timeout_ms(&self) -> i32 {
        self.rebalance_timeout_ms
    }

    /// How long it may be silent.
    #[must_use]
    pub fn session_timeout_ms(&self) -> i32 {
        self.session_timeout_ms
    }

    /// What it offers.
    #[must_use]
    pub fn protocols(&self) -> &Protocols {
        &self.protocols
    }

    /// What the leader gave it, perhaps nothing.
    #[must_use]
    pub fn assignment(&self) -> &Bytes {
        &self.assignment
    }

    pub(super) fn is_static(&self) -> bool {
        self.group_instance_id.is_some()
    }

    pub(super) fn session_timeout(&self) -> Duration {
        milliseconds(i64::from(self.session_timeout_ms))
    }

    /// Whether its silence is no sign of death: it waits for us.
    pub(super) fn is_excused(&self) -> bool {
        // A new member may be gone for good while it waits: a connection that is not read shows
        // no end. Its session is longer instead.
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }
}

impl Session {
    pub(super) const NONE: Session = Session {
        deadline: Instant::NEVER,
        armed: Instant::NEVER,
    };

    /// The session begins anew. Returns when the timer is to be set to, where it has to be.
    pub(super) fn begin(&mut self, now: Instant, timeout: Duration) -> Option<Instant> {
        self.deadline = now + timeout;
        if self.deadline < self.armed {
            self.armed = self.deadline;
            return Some(self.armed);
        }
        None
    }
}

/// Timeouts as the request's version means them: before version 1 there is one for both.
pub(super) fn rebalance_timeout_of(request: &JoinGroupRequest, version: i16) -> i32 {
    if version == 0 {
        request.session_timeout_ms
    } else {
        request.rebalance_timeout_ms
    }
}

impl Protocols {
    /// Copies what a request offers; a name that comes again is passed over.
    #[must_use]
    pub fn copied(offered: &[JoinGroupRequestProtocol]) -> Protocols {
        let mut seen = BTreeSet::new();
        let offered: Vec<_> = offered
            .iter()
            .filter(|protocol| seen.insert(protocol.name.as_bytes()))
            .collect();
        let sizes = offered
            .iter()
            .map(|protocol| protocol.name.len() + protocol.metadata.len());
        let mut memory = Vec::with_capacity(sizes.sum());
        for protocol in &offered {
            memory.extend_from_slice(protocol.name.as_bytes());
            memory.extend_from_slice(&protocol.metadata);
        }
        let mut memory = Bytes::from(memory);
        let list = offered.iter().map(|protocol| {
            let name = memory.split_to(protocol.name.len());
            let metadata = memory.split_to(protocol.metadata.len());
            let name = Str::from_utf8(name).expect("a copy of text is text");
            (name, metadata)
        });
        Protocols(list.collect())
    }

    /// The one protocol that a record tells of.
    #[must_use]
    pub(super) fn one(name: Str, metadata: Bytes) -> Protocols {
        Protocols(Box::new([(name, metadata)]))
    }

    /// Names and metadata, the preferred first.
    pub fn iter(&self) -> impl Iterator<Item = &(Str, Bytes)> {
        self.0.iter()
    }

    /// The names, the preferred first.
    pub fn names(&self) -> impl Iterator<Item = &Str> {
        self.0.iter().map(|(name, _)| name)
    }

    /// What it says with a protocol, where it offers that.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&Bytes> {
        let found = self.0.iter().find(|(offered, _)| *offered == *name);
        found.map(|(_, metadata)| metadata)
    }

    /// Whether it offers none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(name: &str, metadata: &'static [u8]) -> JoinGroupRequestProtocol {
        JoinGroupRequestProtocol {
            name: name.into(),
            metadata: Bytes::from_static(metadata),
            ..JoinGroupRequestProtocol::default()
        }
    }

    #[test]
    fn protocols_are_copied_in_their_order_and_once() {
        let offered = [
            offer("range", b"one"),
            offer("", b""),
            offer("range", b"two"),
            offer("sticky", b"three"),
        ];
        let protocols = Protocols::copied(&offered);
        let names: Vec<&Str> = protocols.names().collect();
        assert_eq!(names, ["range", "", "sticky"]);
        assert_eq!(
            protocols.metadata("range"),
            Some(&Bytes::from_static(b"one"))
        );
        assert_eq!(
            protocols.metadata("sticky"),
            Some(&Bytes::from_static(b"three"))
        );
        assert_eq!(protocols.metadata("roundrobin"), None);
        assert!(Protocols::copied(&[]).is_empty());
    }

    #[test]
    fn a_heartbeat_sets_no_timer() {
        let mut session = Session::NONE;
        let timeout = Duration::from_nanos(100);
        assert_eq!(session.begin(Instant(1), timeout), Some(Instant(101)));
        assert_eq!(session.begin(Instant(50), timeout), None);
        assert_eq!(session.deadline, Instant(150));
        let shorter = session.begin(Instant(60), Duration::from_nanos(10));
        assert_eq!(shorter, Some(Instant(70)));
    }
}
