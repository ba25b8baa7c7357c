//! Whether a write into the page cache may have to wait: the kernel makes writers wait when too much
//! is dirty, half-way between the threshold where it begins to write back and its limit.
//!
//! ```text
//!   0        background threshold      low   high   free run ends        limit
//!   ├────────────────┼──────────────────┼──────┼──────────┤────────────────┤
//!      calm          │ the kernel writes back             │ writers wait
//!                                       └ calm again     └ (background + limit) / 2
//! ```
//! It is looked at after so many appended bytes that the free run cannot have been used up meanwhile;
//! a core that appends nothing never looks. What cannot be foreseen (a lock of the file system, memory
//! that is short in a control group) is learned from appends that waited.

use crate::base::time::Instant;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// How often it is looked again while the pressure is high.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long an append that waited keeps the pressure high.
const WAITED_FOR: Duration = Duration::from_secs(4);
/// Of what is left of the free run, a core may append this part before it looks again: others do too.
const SHARE: u64 = 8;
const LOOK_BYTES_MIN: u64 = 1 << 20;
const LOOK_BYTES_MAX: u64 = 64 << 20;
/// `/proc/vmstat` is half as long.
const VMSTAT_BYTES: usize = 16 << 10;

/// What a core knows of the machine's dirty pages.
pub struct Pressure {
    vmstat: Option<File>,
    page_bytes: u64,
    is_high: bool,
    /// It is looked again when this core has appended so many bytes in all,
    next_bytes: u64,
    /// or, while the pressure is high, at this time.
    next_at: Instant,
    /// An append waited: the pressure counts as high until then.
    high_until: Instant,
}

/// In pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Dirty {
    /// Dirty, or being written back.
    pages: u64,
    background: u64,
    limit: u64,
}

impl Pressure {
    /// Nothing is known yet.
    pub fn new() -> Pressure {
        Pressure {
            vmstat: File::open("/proc/vmstat").ok(),
            page_bytes: super::sys::page_bytes(),
            is_high: false,
            next_bytes: 0,
            next_at: Instant::NEVER,
            high_until: Instant(0),
        }
    }

    /// Whether appends should leave the turn.
    pub fn is_high(&self) -> bool {
        self.is_high
    }

    /// A turn begins; this core has appended so many bytes since the start.
    pub fn on_turn(&mut self, now: Instant, appended_bytes: u64) {
        if appended_bytes >= self.next_bytes || now >= self.next_at {
            self.look(now, appended_bytes);
        }
    }

    /// An append has waited in the kernel, whatever for.
    pub fn on_waited(&mut self, now: Instant) {
        self.high_until = now + WAITED_FOR;
        self.is_high = true;
        self.next_at = now + LOOK_EVERY;
    }

    #[cold]
    fn look(&mut self, now: Instant, appended_bytes: u64) {
        let found = self.vmstat.as_ref().and_then(read);
        let (is_dirty, left) = found.map_or((false, LOOK_BYTES_MAX), |dirty| {
            let (is_high, left) = dirty.judge(self.is_high);
            (is_high, left.saturating_mul(self.page_bytes))
        });
        self.is_high = is_dirty || now < self.high_until;
        self.next_at = if self.is_high {
            now + LOOK_EVERY
        } else {
            Instant::NEVER
        };
        let share = (left / SHARE).clamp(LOOK_BYTES_MIN, LOOK_BYTES_MAX);
        self.next_bytes = appended_bytes + share;
    }
}

impl Dirty {
    /// Whether the pressure is high, as it was or was not before; and the pages left until it is.
    fn judge(self, was_high: bool) -> (bool, u64) {
        let free_run = self.background.midpoint(self.limit);
        let above = free_run.saturating_sub(self.background);
        let high = self.background + above / 2;
        let low = self.background + above / 4;
        let is_high = self.pages > if was_high { low } else { high };
        (is_high, high.saturating_sub(self.pages))
    }

    fn parse(vmstat: &str) -> Option<Dirty> {
        let value = |name: &str| {
            let mut lines = vmstat.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
            line.trim().parse::<u64>().ok()
        };
        Some(Dirty {
            pages: value("nr_dirty")? + value("nr_writeback")?,
            background: value("nr_dirty_background_threshold")?,
            limit: value("nr_dirty_threshold")?,
        })
    }
}

fn read(vmstat: &File) -> Option<Dirty> {
    let mut bytes = [0; VMSTAT_BYTES];
    let count = vmstat.read_at(&mut bytes, 0).ok()?;
    Dirty::parse(std::str::from_utf8(&bytes[..count]).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pressure_is_high_before_writers_wait() {
        let dirty = |pages| Dirty {
            pages,
            background: 1000,
            limit: 2000,
        };
        assert_eq!(dirty(900).judge(false), (false, 350));
        assert_eq!(dirty(1250).judge(false), (false, 0));
        assert_eq!(dirty(1251).judge(false), (true, 0));
        // Back at what the kernel leaves when it has written back.
        assert_eq!(dirty(1200).judge(true), (true, 50));
        assert_eq!(dirty(1100).judge(true), (false, 150));
    }

    #[test]
    fn vmstat_is_understood() {
        let text = "nr_free_pages 1\nnr_dirty 5\nnr_writeback 7\nnr_writeback_temp 9\n\
                    nr_dirty_threshold 2000\nnr_dirty_background_threshold 1000\nnr_dirtied 3\n";
        let found = Dirty::parse(text);
        let wanted = Dirty {
            pages: 12,
            background: 1000,
            limit: 2000,
        };
        assert_eq!(found, Some(wanted));
        assert_eq!(Dirty::parse("nr_dirty 5\n"), None);
        // This machine's has what is wanted.
        let vmstat = File::open("/proc/vmstat").unwrap();
        assert!(read(&vmstat).is_some_and(|dirty| dirty.background < dirty.limit));
    }

    #[test]
    fn an_append_that_waited_counts_for_a_while() {
        let mut pressure = Pressure::new();
        pressure.vmstat = None;
        pressure.on_turn(Instant(0), 0);
        assert!(!pressure.is_high());
        assert_eq!(pressure.next_bytes, LOOK_BYTES_MAX / SHARE);
        pressure.on_waited(Instant(5));
        pressure.on_turn(Instant(5) + LOOK_EVERY, 0);
        assert!(pressure.is_high());
        pressure.on_turn(Instant(5) + WAITED_FOR, 0);
        assert!(!pressure.is_high());
        assert_eq!(pressure.next_at, Instant::NEVER);
    }
}
