//! Whether what comes next on a connection can wait a few milliseconds.
//!
//! A consumer's connection to its coordinator carries a heartbeat every few seconds and nothing else for
//! most of its life. Nobody waits for the answer: what the client does next does not depend on it. A
//! thousand of them at moments of their own wake a core a thousand times; gathered, a hundred times.

use crate::base::time::Instant;
use crate::protocol::api::ApiKey;
use std::time::Duration;

/// Heartbeats in a row after which the next request is expected to be one, too.
const HEARTBEATS: u8 = 2;
/// Heartbeats that follow each other faster wait for something: an assignment, a revocation.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// What a connection asked last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    heartbeats: u8,
    last: Option<Instant>,
}

impl Patience {
    /// A request begins. Returns whether the next one can wait.
    pub fn note(&mut self, api: ApiKey, now: Instant) -> bool {
        let is_heartbeat = matches!(api, ApiKey::Heartbeat | ApiKey::ConsumerGroupHeartbeat);
        let is_hasty = self
            .last
            .replace(now)
            .is_some_and(|last| now.since(last) < PAUSE_MIN);
        self.heartbeats = if is_heartbeat && !is_hasty {
            self.heartbeats.saturating_add(1)
        } else {
            0
        };
        self.heartbeats >= HEARTBEATS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant(milliseconds * 1_000_000)
    }

    #[test]
    fn only_heartbeats_with_pauses_can_wait() {
        let mut patience = Patience::default();
        assert!(!patience.note(ApiKey::JoinGroup, at(0)));
        assert!(!patience.note(ApiKey::Heartbeat, at(3_000)));
        assert!(patience.note(ApiKey::Heartbeat, at(6_000)));
        assert!(patience.note(ApiKey::Heartbeat, at(9_000)));
        assert!(!patience.note(ApiKey::OffsetCommit, at(9_500)));
        assert!(!patience.note(ApiKey::ConsumerGroupHeartbeat, at(12_000)));
        assert!(patience.note(ApiKey::ConsumerGroupHeartbeat, at(15_000)));
        assert!(!patience.note(ApiKey::ConsumerGroupHeartbeat, at(15_010)));
    }
}
