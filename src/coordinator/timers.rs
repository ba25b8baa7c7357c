//! Timers by key: each key has at most one, and setting it again replaces it.

use crate::base::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// Timers of a machine.
#[derive(Debug)]
pub struct Timers<K> {
    by_key: BTreeMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Timers<K> {
        Timers {
            by_key: BTreeMap::new(),
            by_time: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Clone> Timers<K> {
    /// Sets a timer, instead of the one that the key had.
    pub fn set(&mut self, key: K, at: Instant) {
        if let Some(before) = self.by_key.insert(key.clone(), at) {
            self.by_time.remove(&(before, key.clone()));
        }
        self.by_time.insert((at, key));
    }

    /// Takes a key's timer away. False where it had none.
    pub fn cancel(&mut self, key: &K) -> bool {
        match self.by_key.remove_entry(key) {
            Some((key, at)) => self.by_time.remove(&(at, key)),
            None => false,
        }
    }

    /// When a key's timer is due.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<Instant> {
        self.by_key.get(key).copied()
    }

    /// When the first of all is due, or [`Instant::NEVER`].
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        self.by_time.first().map_or(Instant::NEVER, |(at, _)| *at)
    }

    /// The key of a timer that is due, which is then gone.
    pub fn take_due(&mut self, now: Instant) -> Option<K> {
        let (at, _) = self.by_time.first()?;
        if *at > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_timer() {
        let mut timers = Timers::default();
        timers.set("a", Instant(5));
        timers.set("b", Instant(7));
        timers.set("a", Instant(9));
        assert_eq!(timers.next_deadline(), Instant(7));
        assert_eq!(timers.take_due(Instant(6)), None);
        assert_eq!(timers.take_due(Instant(20)), Some("b"));
        assert!(timers.cancel(&"a"));
        assert!(!timers.cancel(&"a"));
        assert_eq!(timers.next_deadline(), Instant::NEVER);
    }
}
