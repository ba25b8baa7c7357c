//! The live line: one line of progress on a terminal, drawn over and over, and gone when something
//! else is printed. Where standard error is no terminal there is none.

use crate::base::convert::f64_from;
use crate::base::time::Instant;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// How often it is drawn.
pub const LIVE_INTERVAL: Duration = Duration::from_millis(500);

/// The line.
#[derive(Debug)]
pub struct Live {
    is_wanted: bool,
    is_drawn: bool,
    /// When it was drawn last, and how much had been done then: a rate counts from there.
    last: Option<(Instant, u64)>,
}

impl Live {
    /// A line on standard error, where that is a terminal.
    #[must_use]
    pub fn on_standard_error() -> Live {
        Live {
            is_wanted: std::io::stderr().is_terminal(),
            is_drawn: false,
            last: None,
        }
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Draws it anew where it is time to, so much having been done; `line` gives the words, told how
    /// much is done per second.
    pub fn draw(&mut self, now: Instant, count: u64, line: impl FnOnce(f64) -> String) {
        if !self.is_wanted {
            return;
        }
        let (at, before) = *self.last.get_or_insert((now, count));
        let elapsed = now.since(at);
        if elapsed < LIVE_INTERVAL {
            return;
        }
        let words = line(f64_from(count.saturating_sub(before)) / elapsed.as_secs_f64());
        self.last = Some((now, count));
        self.is_drawn = true;
        let mut error = std::io::stderr().lock();
        // Carriage return, the words, erase to the end of the line (ECMA-48). Nobody may look.
        drop(write!(error, "\r{words}\x1b[K"));
        drop(error.flush());
    }

    /// Takes it away, so that something else can be printed.
    pub fn clear(&mut self) {
        if self.is_drawn {
            self.is_drawn = false;
            drop(write!(std::io::stderr().lock(), "\r\x1b[K"));
        }
    }
}
