//! Time as an argument. The runtime reads both clocks once per turn; nothing else reads one.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point of the monotonic clock, in nanoseconds since the process (or the simulation) began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Instant(pub u64);

/// A point of the wall clock, in milliseconds since 1970, as Kafka stamps records; -1 is "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The record has no timestamp.
    pub const NONE: Timestamp = Timestamp(-1);
}

/// Both clocks, read once per turn.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Now {
    /// For timeouts: never goes back.
    pub instant: Instant,
    /// For timestamps: may jump.
    pub timestamp: Timestamp,
}

impl Instant {
    /// A deadline that never comes.
    pub const NEVER: Instant = Instant(u64::MAX);

    /// Time passed since `earlier`, or zero where that lies ahead.
    #[must_use]
    pub fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Instant(self.0.saturating_add(nanos))
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.since(earlier)
    }
}

/// Kafka's signed milliseconds as a duration; negative ones are zero.
#[must_use]
pub fn milliseconds(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}
