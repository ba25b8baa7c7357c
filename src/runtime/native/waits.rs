//! Whether this core's appends wait in the kernel. Each is looked at by itself: a turn may be long because the
//! processor was taken away, and have waited a moment for something else, a directory's lock, say. What
//! leaves the turn then must be known to be an append, since to write by workers costs more.
//!
//! To look costs two system calls for each append, so it is done only while [`super::turns`] asks for it.

use super::sys;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// An append that took so long, and waited meanwhile, is worth leaving the turn for.
const LONG: Duration = Duration::from_millis(1);

thread_local! {
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    static HAS_WAITED: Cell<bool> = const { Cell::new(false) };
}

/// From now on the appends of this thread are looked at, or are not.
pub fn watch(is_watched: bool) {
    IS_WATCHED.set(is_watched);
}

/// Does what appends to a file.
pub fn appending<T>(append: impl FnOnce() -> T) -> T {
    if IS_WATCHED.get() {
        watched(append)
    } else {
        append()
    }
}

/// Whether an append has waited since this was asked last.
pub fn take_waited() -> bool {
    HAS_WAITED.take()
}

#[cold]
fn watched<T>(append: impl FnOnce() -> T) -> T {
    let before = sys::switches();
    let begun = Instant::now();
    let answer = append();
    if begun.elapsed() >= LONG
        && let (Some(before), Some(after)) = (before, sys::switches())
        && after.voluntary > before.voluntary
    {
        HAS_WAITED.set(true);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn only_what_is_watched_and_sleeps_has_waited() {
        let sleeps = || thread::sleep(LONG);
        let computes = || {
            let begun = Instant::now();
            while begun.elapsed() < LONG {}
        };
        appending(sleeps);
        assert!(!take_waited());
        watch(true);
        appending(computes);
        assert!(!take_waited());
        appending(sleeps);
        assert!(take_waited());
        assert!(!take_waited());
        watch(false);
        appending(sleeps);
        assert!(!take_waited());
    }
}
