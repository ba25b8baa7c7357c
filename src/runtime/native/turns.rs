//! How long the turns of one core took: from waking to going to sleep again.
//!
//! A turn that waits in the kernel holds up every partition of its core, so the longest turns are what
//! a tail of latencies is made of. Every turn is counted, in constant time and without allocating.
//! Whether a long one waited or was pushed off its processor costs a system call to know: it is
//! asked only for the turns that follow a long one, as such turns come in company.

use super::sys::{self, Switches};
use super::waits;
use crate::base::time::Instant;
use hdrhistogram::Histogram;
use std::time::Duration;

/// A turn that took so long is a long one.
const LONG: Duration = Duration::from_millis(2);
/// So many turns after a long one are looked at closely.
const WATCHED_TURNS: u32 = 256;
/// A turn that took so long is worth a line in the log.
const SAID: Duration = Duration::from_millis(100);
/// At most one such line in so long.
const SAID_EVERY: Duration = Duration::from_secs(60);
/// The longest turn that is told from longer ones, in microseconds: ten minutes.
const MICROSECONDS_MAX: u64 = 600_000_000;
/// Two digits: a bucket is at most 1 % wide.
const DIGITS: u8 = 2;

/// The turns of one core.
pub struct Turns {
    core: usize,
    /// Since the start, without `recent`.
    former: Counted,
    /// Since they were last told.
    recent: Counted,
    /// How many of the next turns are looked at closely.
    watched: u32,
    /// What the kernel had counted when this turn began, where it is looked at closely.
    switches: Option<Switches>,
    /// This turn writes a line about the others: it is not counted itself.
    tells: bool,
    begun: Instant,
    quiet_until: Instant,
}

/// Turns of some time.
struct Counted {
    /// Durations in microseconds.
    times: Histogram<u32>,
    /// Turns of two milliseconds and more.
    long: u64,
    /// Of those, the ones that were looked at closely and had waited in the kernel.
    waited: u64,
    /// Of those, the ones that had not waited and were pushed off the processor by others.
    preempted: u64,
}

impl Turns {
    /// No turn yet.
    pub fn new(core: usize) -> Turns {
        Turns {
            core,
            former: Counted::new(),
            recent: Counted::new(),
            watched: 0,
            switches: None,
            tells: false,
            begun: Instant::NEVER,
            quiet_until: Instant(0),
        }
    }

    /// A turn begins.
    pub fn begin(&mut self, now: Instant) {
        self.begun = now;
        self.tells = false;
        waits::watch(self.watched > 0);
        if self.watched > 0 {
            self.watched -= 1;
            self.switches = sys::switches();
        }
    }

    /// It has ended. Answers whether one of its appends is known to have waited in the kernel.
    pub fn end(&mut self, now: Instant) -> bool {
        let before = self.switches.take();
        let has_append_waited = waits::take_waited();
        if self.tells {
            return has_append_waited;
        }
        let took = now.since(self.begun);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.recent.times.saturating_record(microseconds);
        if took >= LONG {
            self.on_long(now, took, before);
        }
        has_append_waited
    }

    #[cold]
    fn on_long(&mut self, now: Instant, took: Duration, before: Option<Switches>) {
        self.watched = WATCHED_TURNS;
        self.recent.long += 1;
        if let (Some(before), Some(after)) = (before, sys::switches()) {
            if after.voluntary > before.voluntary {
                self.recent.waited += 1;
            } else if after.involuntary > before.involuntary {
                self.recent.preempted += 1;
            }
        }
        if took >= SAID && now >= self.quiet_until {
            self.quiet_until = now + SAID_EVERY;
            let milliseconds = took.as_millis();
            tracing::warn!(
                "core {} was held up by a turn of {milliseconds} ms",
                self.core
            );
        }
    }

    /// Says how long the turns took since this was asked last, without the one that says it.
    pub fn say_recent(&mut self) {
        self.tells = true;
        self.recent.say(self.core, "turns");
        self.former.add(&mut self.recent);
    }

    /// Says how long all turns took.
    pub fn say_all(&mut self) {
        self.former.add(&mut self.recent);
        self.former.say(self.core, "all turns");
    }
}

impl Counted {
    fn new() -> Counted {
        Counted {
            times: Histogram::new_with_max(MICROSECONDS_MAX, DIGITS).expect("bounds that it takes"),
            long: 0,
            waited: 0,
            preempted: 0,
        }
    }

    /// Moves what another has counted here.
    fn add(&mut self, other: &mut Counted) {
        self.times.add(&other.times).expect("of the same bounds");
        other.times.reset();
        self.long += std::mem::take(&mut other.long);
        self.waited += std::mem::take(&mut other.waited);
        self.preempted += std::mem::take(&mut other.preempted);
    }

    /// One line; times in microseconds.
    fn say(&self, core: usize, what: &str) {
        tracing::info!(
            shard = core,
            count = self.times.len(),
            p50_us = self.times.value_at_quantile(0.5),
            p90_us = self.times.value_at_quantile(0.9),
            p99_us = self.times.value_at_quantile(0.99),
            p999_us = self.times.value_at_quantile(0.999),
            p9999_us = self.times.value_at_quantile(0.9999),
            p99999_us = self.times.value_at_quantile(0.99999),
            longest_us = self.times.max(),
            over_2_ms = self.long,
            waited = self.waited,
            preempted = self.preempted,
            "{what}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(turns: &mut Turns, at: u64, microseconds: u64) {
        turns.begin(Instant(at));
        turns.end(Instant(at + 1_000 * microseconds));
    }

    #[test]
    fn turns_are_counted_and_long_ones_looked_at() {
        let mut turns = Turns::new(0);
        for at in 0..999 {
            turn(&mut turns, at, 20);
        }
        turn(&mut turns, 5_000, 30_000);
        assert_eq!(turns.recent.times.len(), 1000);
        assert_eq!(turns.recent.times.value_at_quantile(0.99), 20);
        assert_eq!(turns.recent.long, 1);
        assert_eq!(turns.watched, WATCHED_TURNS);
        turns.say_recent();
        assert_eq!((turns.recent.times.len(), turns.recent.long), (0, 0));
        turn(&mut turns, 6_000, 2_000);
        assert_eq!(turns.watched, WATCHED_TURNS);
        turns.say_all();
        assert_eq!((turns.former.times.len(), turns.former.long), (1001, 2));
        // The last value of a bucket stands for all of it.
        assert_eq!(turns.former.times.max() / 1_000, 30);
    }

    #[test]
    fn only_what_waits_in_an_append_says_so() {
        let pause = || std::thread::sleep(LONG);
        let mut turns = Turns::new(0);
        turn(&mut turns, 0, 30_000);
        turns.begin(Instant(40_000_000));
        pause();
        assert!(!turns.end(Instant(70_000_000)));
        assert_eq!(turns.recent.waited, 1);
        turns.begin(Instant(80_000_000));
        waits::appending(pause);
        assert!(turns.end(Instant(110_000_000)));
        assert_eq!(turns.recent.waited, 2);
    }

    #[test]
    fn the_turn_that_tells_is_not_counted() {
        let mut turns = Turns::new(0);
        turns.begin(Instant(0));
        turns.say_recent();
        assert!(!turns.end(Instant(30_000_000)));
        assert_eq!((turns.recent.times.len(), turns.recent.long), (0, 0));
        turn(&mut turns, 40_000_000, 20);
        assert_eq!(turns.recent.times.len(), 1);
    }

    #[test]
    fn a_turn_beyond_all_bounds_counts_as_the_longest() {
        let mut turns = Turns::new(0);
        turn(&mut turns, 0, 10 * MICROSECONDS_MAX);
        assert!(turns.recent.times.max() >= MICROSECONDS_MAX);
    }
}
