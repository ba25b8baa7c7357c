//! A consumer in a group as a process of its own. Each client has a program that is one member; all
//! speak the same few words, so that one test drives every client:
//!
//! ```text
//!   arguments   BOOTSTRAP GROUP TOPIC [key=value …]
//!   it prints   assigned 0,2        what it has now, after each change
//!               record 2 17 text    partition, offset, value; committed once it is printed
//!   it is told  close               on standard input: it leaves the group and ends
//! ```

use crate::deadline::wait_for;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A member's process.
pub struct Member {
    name: String,
    child: Child,
    seen: Arc<Mutex<Seen>>,
}

/// What a member has printed.
#[derive(Clone, Default, Debug)]
pub struct Seen {
    /// The partitions that it has now.
    pub assigned: BTreeSet<i32>,
    /// How often that changed.
    pub assignments: usize,
    /// What it read: partition, offset, value.
    pub records: Vec<(i32, i64, String)>,
    /// Lines that are neither: complaints.
    pub other: Vec<String>,
}

impl Member {
    /// Starts a member.
    pub fn start(
        mut program: Command,
        name: &str,
        bootstrap: &str,
        group: &str,
        topic: &str,
        settings: &[&str],
    ) -> Member {
        program.args([bootstrap, group, topic]).args(settings);
        Member::run(program, name)
    }

    /// Starts a member whose program has its arguments already.
    pub fn run(mut program: Command, name: &str) -> Member {
        let mut child = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let note = Arc::clone(&seen);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                note.lock().unwrap().take(&line);
            }
        });
        Member {
            name: name.to_owned(),
            child,
            seen,
        }
    }

    /// What it has printed so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("our own child can be waited for");
    }

    /// Tells it to leave, and waits until it has.
    pub fn close(mut self) -> Seen {
        let mut stdin = self.child.stdin.take().expect("a pipe");
        // It may have ended already, which the wait says better.
        let _ = stdin.write_all(b"close\n");
        drop(stdin);
        let status = wait_for(&format!("{} to leave", self.name), || {
            self.child.try_wait().expect("our own child")
        });
        assert!(status.success(), "{} ended with {status}", self.name);
        self.seen()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let seen = self.seen();
            eprintln!(
                "{} has {:?} after {} changes, read {} records, and said {:?}",
                self.name,
                seen.assigned,
                seen.assignments,
                seen.records.len(),
                seen.other
            );
        }
    }
}

impl Seen {
    fn take(&mut self, line: &str) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("assigned"), list, None, None) => {
                let partitions = list
                    .unwrap_or("")
                    .split(',')
                    .filter(|word| !word.is_empty());
                self.assigned = partitions
                    .map(|word| word.parse().expect("a partition"))
                    .collect();
                self.assignments += 1;
            }
            (Some("record"), Some(partition), Some(offset), Some(value)) => {
                self.records.push((
                    partition.parse().expect("a partition"),
                    offset.parse().expect("an offset"),
                    value.to_owned(),
                ));
            }
            _ => self.other.push(line.to_owned()),
        }
    }
}
