//! Whether a rate that was asked for was kept: by when the records were through, not by when they were
//! made.

use super::schedule::Schedule;
use crate::base::convert::f64_from;
use serde_json::{Value, json};
use std::time::Duration;

/// A rate counts as kept where the last record was delivered at most so much later than it was due, as
/// a part of the whole time, or so long: the way there and back is not the generator's.
const RATE_SLACK_PART: f64 = 0.01;
const RATE_SLACK: Duration = Duration::from_millis(250);

/// Whether a rate was kept.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RateKept {
    /// Records per second that were asked for, on average over the run.
    pub asked: f64,
    /// Records per second that were sent.
    pub sent: f64,
    /// Longest time that a record was sent after it was due.
    pub late_max: Duration,
    /// Whether that is the rate asked for.
    pub is_kept: bool,
}

impl RateKept {
    /// Compares the time until so many records were delivered with the time that they were given.
    #[must_use]
    pub fn of(
        schedule: Schedule,
        records: u64,
        taken: Duration,
        late_max: Duration,
    ) -> Option<RateKept> {
        let last = records.checked_sub(1)?;
        let planned = schedule.due_at(last);
        let slack = planned.mul_f64(RATE_SLACK_PART).max(RATE_SLACK);
        let over = |time: Duration| f64_from(last) / time.as_secs_f64().max(1e-6);
        let is_kept = taken <= planned.saturating_add(slack);
        let (asked, sent) = match last {
            0 => (schedule.rate(), schedule.rate()),
            _ => (over(planned), over(taken)),
        };
        Some(RateKept {
            asked,
            sent,
            late_max,
            is_kept,
        })
    }

    /// That it was not kept, and by how much; nothing where it was.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        (!self.is_kept).then(|| {
            format!(
                "The rate was not kept: {:.1} records/sec were sent, {:.1} % less than the {:.1} asked \
                 for; the latest record was sent {:.1} ms after it was due.",
                self.sent,
                100.0 * (1.0 - self.sent / self.asked),
                self.asked,
                self.late_max.as_secs_f64() * 1000.0,
            )
        })
    }

    /// The same as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "asked": self.asked,
            "sent": self.sent,
            "kept": self.is_kept,
            "late_ms_max": self.late_max.as_secs_f64() * 1000.0,
        })
    }
}
