//! Nothing that was started outlives this program: on Ctrl-C, SIGTERM or a panic every child is
//! killed and the work folder removed.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

static CHILDREN: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static WORK: Mutex<Option<PathBuf>> = Mutex::new(None);

/// From now on this child dies with this program.
pub fn adopt(process: u32) {
    if let Ok(mut children) = CHILDREN.lock() {
        children.push(process);
    }
}

/// This child has been waited for.
pub fn release(process: u32) {
    if let Ok(mut children) = CHILDREN.lock() {
        children.retain(|child| *child != process);
    }
}

/// Arms the clean-up; `work` is removed by it.
pub fn guard(work: &Path) -> Result<(), String> {
    if let Ok(mut folder) = WORK.lock() {
        *folder = Some(work.to_path_buf());
    }
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

/// Kills every child and removes the work folder.
pub fn end_all() {
    if let Ok(children) = CHILDREN.lock() {
        for child in children.iter() {
            let process = i32::try_from(*child)
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            if let Some(process) = process {
                let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
            }
        }
    }
    if let Some(work) = WORK.lock().ok().and_then(|mut folder| folder.take()) {
        let _ = std::fs::remove_dir_all(work);
    }
}
