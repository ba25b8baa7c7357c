//! Whether the machine itself stood still while something was measured.
//!
//! A hypervisor takes all of a guest's processors away now and then, for tens of milliseconds and up to
//! seconds, and does not always own up to it as `steal`: whoever is measured gets the blame. So a thread
//! that no broker and no client can hold up sleeps on each processor, two milliseconds at a time, in a
//! process of its own. Where all of them woke late in one moment, nothing in the guest was to blame. Where
//! one did, a hypervisor had that processor, or a system call that the kernel does not interrupt: a core of
//! a broker that slept on it meanwhile has no long turn to show for it, and was late all the same.

use crate::figures::Figures;
use crate::machine::real;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The word that makes this program the one that sleeps.
pub const SLEEPERS: &str = "--sleepers";

const NAP: Duration = Duration::from_millis(2);
/// Later than this a sleeper says so: a system call of somebody else is shorter.
const LATE: Duration = Duration::from_millis(5);

/// From when until when, in microseconds.
type Span = (u64, u64);

/// Sleeps on every processor, and says each time when it was woken late, until nobody listens.
pub fn sleep_and_tell() {
    let base = Instant::now();
    let cores = std::thread::available_parallelism().map_or(1, |count| count.get());
    for core in 0..cores {
        std::thread::spawn(move || sleep_on(core, base));
    }
    // Ends with the program that started it.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn sleep_on(core: usize, base: Instant) {
    let mut set = CpuSet::new();
    set.set(core);
    if sched_setaffinity(None, &set).is_err() {
        return;
    }
    loop {
        let due = Instant::now() + NAP;
        std::thread::sleep(NAP);
        let now = Instant::now();
        if now > due + LATE {
            let from = (due - base).as_micros();
            let until = (now - base).as_micros();
            let _ = writeln!(std::io::stdout().lock(), "{core} {from} {until}");
        }
    }
}

/// The process that sleeps.
pub struct Sleepers(Child);

impl Sleepers {
    /// Lays them down; `None` where nobody may have a thread that others do not hold up.
    pub fn start() -> Option<Sleepers> {
        let program = std::env::current_exe().ok()?;
        let child = Command::new("chrt")
            .args(["-f", "50"])
            .arg(program)
            .arg(SLEEPERS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        child.ok().map(Sleepers)
    }

    /// Wakes them, and puts into the figures how long all of them slept too long at once.
    pub fn end(self, figures: &mut Figures) {
        // Its standard input ends here.
        let Ok(output) = self.0.wait_with_output() else {
            return;
        };
        if !output.status.success() {
            return;
        }
        let cores = std::thread::available_parallelism().map_or(1, |count| count.get());
        let said = String::from_utf8_lossy(&output.stdout);
        let spans = at_once(&said, cores);
        figures.insert("held_up_ms".into(), length(&spans));
        let longest = spans.iter().map(|one| length(&[*one]));
        figures.insert("held_up_longest_ms".into(), longest.fold(0.0, f64::max));
        let each = (0..cores).map(|core| length(&late(&said, core)));
        figures.insert("held_up_core_ms".into(), each.fold(0.0, f64::max));
    }
}

/// In milliseconds, of all together. (`sum` makes -0 of nothing.)
fn length(spans: &[Span]) -> f64 {
    let each = spans.iter().map(|(from, until)| real(until - from) / 1e3);
    each.fold(0.0, |all, one| all + one)
}

/// When a core was late, by what all said.
fn late(said: &str, core: usize) -> Vec<Span> {
    let lines = said.lines().filter_map(|line| {
        let mut words = line.split_whitespace().map(str::parse::<u64>);
        let mut next = || words.next()?.ok();
        let (of, from, until) = (next()?, next()?, next()?);
        (usize::try_from(of) == Ok(core)).then_some((from, until))
    });
    lines.collect()
}

/// When all cores were late.
fn at_once(said: &str, cores: usize) -> Vec<Span> {
    let mut all = late(said, 0);
    for core in 1..cores {
        let others = late(said, core);
        let common = all.iter().flat_map(|one| {
            let shared = others
                .iter()
                .map(|other| (one.0.max(other.0), one.1.min(other.1)));
            shared.filter(|(from, until)| from < until)
        });
        all = common.collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_holds_up_every_core_counts() {
        let said = "0 1000 9000\n1 20000 30000\n0 50000 115000\n1 49000 120000\n0 300000 306000\n\
                    1 305000 312000\n";
        assert_eq!(at_once(said, 2), [(50_000, 115_000), (305_000, 306_000)]);
        assert_eq!(at_once(said, 1).len(), 3);
        assert_eq!(length(&at_once(said, 2)), 66.0);
        assert_eq!(length(&late(said, 1)), 10.0 + 71.0 + 7.0);
        assert_eq!(length(&late(said, 2)), 0.0);
        assert_eq!(at_once("", 2), []);
        assert_eq!(at_once("what is this\n1 2", 1), []);
    }
}
