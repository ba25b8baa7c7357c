//! Nothing that was started outlives this program: on Ctrl-C, SIGTERM or a panic every child is
//! killed and the work folder removed. Children are started here and nowhere else: from the moment
//! at which the others were killed, no more are.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

static ORPHANS: Mutex<Orphans> = Mutex::new(Orphans::new());

/// The children that are alive, and what is theirs.
#[derive(Debug)]
struct Orphans {
    children: Vec<u32>,
    work: Option<PathBuf>,
    /// The end has come: what is started now would be left behind.
    is_over: bool,
}

impl Orphans {
    const fn new() -> Orphans {
        Orphans {
            children: Vec::new(),
            work: None,
            is_over: false,
        }
    }

    fn spawn(&mut self, command: &mut Command) -> io::Result<Child> {
        if self.is_over {
            return Err(io::Error::other("this program is about to end"));
        }
        let child = command.spawn()?;
        self.children.push(child.id());
        Ok(child)
    }

    fn end_all(&mut self) {
        self.is_over = true;
        for child in self.children.drain(..) {
            kill(child);
        }
    }
}

/// A panic inside the lock leaves nothing half done that would matter to a killing.
fn orphans() -> MutexGuard<'static, Orphans> {
    ORPHANS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a child that dies with this program. Whoever waits for it calls [`release`].
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    orphans().spawn(command)
}

/// Runs a program to its end, and gives what it printed.
pub fn output(command: &mut Command) -> io::Result<Output> {
    let child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let process = child.id();
    let output = child.wait_with_output();
    release(process);
    output
}

/// This child has been waited for.
pub fn release(process: u32) {
    orphans().children.retain(|child| *child != process);
}

/// Kills a child of ours.
pub fn kill(process: u32) {
    let process = i32::try_from(process)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(process) = process {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
}

/// Arms the clean-up; `work` is removed by it.
pub fn guard(work: &Path) -> Result<(), String> {
    orphans().work = Some(work.to_path_buf());
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        end_all();
    }));
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|error| format!("cannot watch for signals: {error}"))?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            end_all();
            std::process::exit(130);
        }
    });
    Ok(())
}

/// Kills every child, lets no other be started, and removes the work folder.
pub fn end_all() {
    // Under the lock to the end: who comes second ends the program only when all is removed.
    let mut orphans = orphans();
    orphans.end_all();
    crate::cap::remove_all();
    crate::kernel::restore();
    if let Some(work) = orphans.work.take() {
        let _ = std::fs::remove_dir_all(work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_started_once_the_end_has_come() {
        let mut orphans = Orphans::new();
        let mut sleep = Command::new("sleep");
        sleep.arg("600");
        let mut child = orphans.spawn(&mut sleep).expect("there is a sleep");
        orphans.end_all();
        let ended = child.wait().expect("it is our child");
        assert!(!ended.success(), "it was killed");
        // A broker that was about to be started when the signal came.
        assert!(orphans.spawn(&mut sleep).is_err());
    }
}
