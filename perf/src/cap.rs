//! A cap on a broker's memory, page cache included: a memory cgroup of its own, version 2 or 1,
//! where this machine lets us make one.

use std::fs;
use std::path::{Path, PathBuf};

const V2: &str = "/sys/fs/cgroup";
const V1: &str = "/sys/fs/cgroup/memory";

/// A cgroup with a limit; it is removed when this is dropped, after its processes.
#[derive(Debug)]
pub struct Cap {
    folder: PathBuf,
}

/// What all our cgroups' names begin with.
fn prefix() -> String {
    format!("klamm-perf-{}-", std::process::id())
}

impl Cap {
    /// A cgroup in which all memory together is at most so much; none where there can be none.
    pub fn new(name: &str, bytes: u64) -> Option<Cap> {
        let has_memory = fs::read_to_string(Path::new(V2).join("cgroup.controllers"))
            .is_ok_and(|controllers| controllers.split_whitespace().any(|one| one == "memory"));
        let (root, limits) = if has_memory {
            // Where a parent does not hand the controller on, the limit below cannot be written.
            let _ = fs::write(Path::new(V2).join("cgroup.subtree_control"), "+memory");
            (V2, "memory.max")
        } else {
            (V1, "memory.limit_in_bytes")
        };
        let folder = Path::new(root).join(prefix() + name);
        fs::create_dir(&folder).ok()?;
        let cap = Cap { folder };
        fs::write(cap.folder.join(limits), bytes.to_string()).ok()?;
        Some(cap)
    }

    /// From now on this process and what it starts count here.
    pub fn take_in(&self, process: u32) -> Result<(), String> {
        let path = self.folder.join("cgroup.procs");
        fs::write(&path, process.to_string())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

impl Drop for Cap {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// Removes what this program has made, as far as the processes in it have ended.
pub fn remove_all() {
    for root in [V2, V1] {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix()) {
                remove(&entry.path());
            }
        }
    }
}

/// A killed process leaves its cgroup a moment later.
fn remove(folder: &Path) {
    for _ in 0..100 {
        if fs::remove_dir(folder).is_ok() || !folder.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
