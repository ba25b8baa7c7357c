//! What callgrind counted, read from the file that it wrote.
//!
//! ```text
//! fn=(12) klamm::shard::serve       a function, whose name is told the first time only
//! 0 331                             a place in it, and its own instructions there
//! cfn=(7) malloc                    what it calls,
//! calls=3 0                         how often,
//! 0 520                             and the instructions of the calls, theirs and of all below
//! ```
//! "Callgrind Format Specification" of Valgrind's manual.

use std::collections::HashMap;

/// The turn of a shard: all that klamm does for a request.
const TURN: &str = "<klamm::shard::Shard as klamm::runtime::io::Turn>::turn";
/// The runtime under it, which is the simulated one here: its network and its disk are no work of a broker.
const RUNTIME: [&str; 2] = ["klamm::runtime::", "<klamm::runtime::"];

/// Instructions of klamm's turns without the runtime below them; of all, where there are no turns.
pub fn own_instructions(text: &str) -> Option<u64> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let (mut caller, mut callee) = ("", None);
    let (mut turns, mut runtime, mut has_turns) = (0_u64, 0_u64, false);
    let mut total = None;
    for line in text.lines() {
        if let Some(summary) = line.strip_prefix("summary: ") {
            total = summary.trim().parse().ok();
        } else if let Some(function) = line.strip_prefix("fn=") {
            caller = name(function, &mut names)?;
        } else if let Some(function) = line.strip_prefix("cfn=") {
            callee = Some(name(function, &mut names)?);
        } else if line.starts_with(|first: char| "0123456789+-*".contains(first))
            && let Some(callee) = callee.take()
        {
            let inclusive: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            if callee == TURN {
                has_turns = true;
                turns += inclusive;
            } else if is_runtime(callee) && is_klamm(caller) {
                runtime += inclusive;
            }
        }
    }
    if has_turns {
        turns.checked_sub(runtime)
    } else {
        total
    }
}

fn is_runtime(function: &str) -> bool {
    RUNTIME.iter().any(|prefix| function.starts_with(prefix))
}

/// Whether a function is klamm's own, above the runtime.
fn is_klamm(function: &str) -> bool {
    let is_of_klamm = function.starts_with("klamm::") || function.starts_with("<klamm::");
    is_of_klamm && !is_runtime(function)
}

/// `(12) name` says what 12 is called, `(12)` is what was said.
fn name<'t>(function: &'t str, names: &mut HashMap<&'t str, &'t str>) -> Option<&'t str> {
    let (id, told) = function.split_once(')')?;
    match told.trim() {
        "" => names.get(id).copied(),
        told => {
            names.insert(id, told);
            Some(told)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURNS: &str = "\
events: Ir
summary: 9000

fn=(1) klamm::runtime::simulated::drive::Simulation<T>::step
0 100
cfn=(2) <klamm::shard::Shard as klamm::runtime::io::Turn>::turn
calls=2 0
0 700

fn=(2)
0 200
cfn=(3) klamm::shard::Shard::settle
calls=2 0
0 500

fn=(3)
0 300
cfn=(4) klamm::runtime::disk::Disk::write
calls=1 0
+3 120
cfn=(5) malloc
calls=1 0
* 80

fn=(4)
0 20
cfn=(6) klamm::runtime::simulated::disk::SimulatedFile::write_at
calls=1 0
0 100
";

    #[test]
    fn the_runtime_is_taken_off_once() {
        assert_eq!(own_instructions(TURNS), Some(700 - 120));
    }

    #[test]
    fn without_turns_all_counts() {
        let text = "summary: 42\nfn=(1) main\n0 42\n";
        assert_eq!(own_instructions(text), Some(42));
        assert_eq!(own_instructions("fn=(9)\n0 1\n"), None);
    }
}
