//! Waiting for what another process does. The only place of the tests that reads a clock: a
//! deadline ends a wait that would hang, no test asserts how long anything took.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest that anything here is waited for. Far more than it takes: CI machines are slow.
const PATIENCE: Duration = Duration::from_secs(180);

/// Asks `look` until it answers; panics with `what` when it never does.
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_up_to(PATIENCE, look).unwrap_or_else(|| panic!("waited {PATIENCE:?} for {what}"))
}

/// Asks `look` until it answers, or `patience` is over.
pub fn wait_up_to<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = look() {
            return Some(answer);
        }
        if start.elapsed() > patience {
            return None;
        }
        sleep(Duration::from_millis(10));
    }
}
