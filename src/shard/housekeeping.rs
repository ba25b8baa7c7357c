//! What is old goes, and files that nobody needs open are let go: through some of the logs in each turn, since a core
//! may have tens of thousands.

use super::Shard;
use super::mail::Mail;
use crate::runtime::io::Io;

/// Most logs that are gone through in one turn: what a log is to be asked has left the caches since the last time.
const LOGS_PER_TURN_MAX: usize = 256;

impl Shard {
    /// Begins where `is_due`, unless the last round is still under way, and goes on with what was begun.
    pub(super) fn keep_house(&mut self, io: &mut Io<Mail>, is_due: bool) {
        let next = &mut self.logs.next_to_tidy;
        if is_due {
            next.get_or_insert(0);
        }
        let Some(first) = *next else {
            return;
        };
        let end = self.partitions.places_end();
        let last = end.min(first.saturating_add(LOGS_PER_TURN_MAX));
        self.partitions.housekeeping(io, first..last);
        *next = (last < end).then_some(last);
        if next.is_some() {
            io.turn_again();
        }
    }
}
