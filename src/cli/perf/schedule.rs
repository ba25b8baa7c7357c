//! When each record is due: a rate, and how it is reached. The times do not depend on how the
//! broker fares, so that a latency counted from them leaves nothing out (no coordinated omission).
//!
//! ```text
//! rate ┤        ________      records due by t:  rate·t²/(2·ramp)    within the ramp
//!      │      /                                  rate·(t − ramp/2)   after it
//!    0 └─────┴───────────► t
//!          ramp
//! ```

use crate::base::convert::{f64_from, u64_from_f64};
use std::time::Duration;

/// Records at a rate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Schedule {
    rate: f64,
    ramp_seconds: f64,
}

impl Schedule {
    /// So many records a second, above 0, reached within `ramp`.
    ///
    /// # Panics
    /// Where the rate is not above 0.
    #[must_use]
    pub fn new(rate: f64, ramp: Duration) -> Schedule {
        assert!(rate > 0.0, "a rate is above zero");
        Schedule {
            rate,
            ramp_seconds: ramp.as_secs_f64(),
        }
    }

    /// Records per second, once they are reached.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// How long after the start a record is due; the first one is at once.
    #[must_use]
    pub fn due_at(&self, index: u64) -> Duration {
        let index = f64_from(index);
        let within_ramp = self.rate * self.ramp_seconds / 2.0;
        let seconds = if index < within_ramp {
            (2.0 * self.ramp_seconds * index / self.rate).sqrt()
        } else {
            index / self.rate + self.ramp_seconds / 2.0
        };
        // A rate of next to nothing puts records beyond the end of time.
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// How many records are due so long after the start.
    #[must_use]
    pub fn due_by(&self, elapsed: Duration) -> u64 {
        let seconds = elapsed.as_secs_f64();
        let records = if seconds < self.ramp_seconds {
            self.rate * seconds * seconds / (2.0 * self.ramp_seconds)
        } else {
            self.rate * (seconds - self.ramp_seconds / 2.0)
        };
        u64_from_f64(records).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    #[test]
    fn a_steady_rate_is_evenly_spaced() {
        let schedule = Schedule::new(1000.0, Duration::ZERO);
        assert_eq!(schedule.due_at(0), Duration::ZERO);
        assert_eq!(schedule.due_at(5), Duration::from_millis(5));
        assert_eq!(schedule.due_by(Duration::ZERO), 1);
        assert_eq!(schedule.due_by(Duration::from_micros(4_500)), 5);
    }

    #[test]
    fn a_ramp_sends_half_of_what_the_rate_would() {
        let schedule = Schedule::new(1000.0, Duration::from_secs(10));
        assert_eq!(schedule.due_by(Duration::from_secs(10)), 5001);
        assert_eq!(schedule.due_by(Duration::from_secs(11)), 6001);
        assert_eq!(schedule.due_at(5000), Duration::from_secs(10));
        assert!(
            schedule.due_at(1250) < Duration::from_secs(6),
            "half the time, a quarter of them"
        );
    }

    #[test]
    fn what_is_due_is_due_at_its_time() {
        let mut prng = Prng::new(3);
        for _ in 0..1000 {
            let rate = f64_from(1 + prng.below(1_000_000));
            let schedule = Schedule::new(rate, Duration::from_millis(prng.below(20_000)));
            let index = prng.below(10_000_000);
            let at = schedule.due_at(index);
            let slack = Duration::from_micros(1);
            assert!(schedule.due_by(at + slack) > index, "{schedule:?} {index}");
            let before = at.saturating_sub(slack);
            let due = schedule.due_by(before);
            assert!(due <= index + 2, "{schedule:?} {index} {due}");
        }
    }

    #[test]
    fn a_rate_of_next_to_nothing_is_no_overflow() {
        let schedule = Schedule::new(f64::MIN_POSITIVE, Duration::from_secs(1));
        assert_eq!(schedule.due_at(u64::MAX), Duration::MAX);
        assert_eq!(schedule.due_by(Duration::from_secs(100)), 1);
    }
}
