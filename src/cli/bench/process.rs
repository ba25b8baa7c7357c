//! What a broker's process uses, from the files in which Linux says it: its CPU time and memory, and
//! which process listens on a port.

use crate::cli::error::CliError;
use crate::cli::tune::machine::Tree;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most processes that are looked through for a socket.
const PROCESSES_MAX: usize = 100_000;

/// `TCP_LISTEN`, as /proc/net/tcp writes it.
const LISTENING: &str = "0A";

/// Where a broker's CPU time and memory are read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meter {
    /// Of one process.
    Process(u32),
    /// Of a control group.
    Cgroup(PathBuf),
    /// Nowhere, and why.
    None(String),
}

/// What was used until some moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// CPU time.
    pub cpu: Duration,
    /// Memory that is resident now.
    pub resident_bytes: u64,
}

impl Meter {
    /// The meter of a side: what it was told, else the process that listens on its port here.
    pub fn find(
        tree: Tree<'_>,
        pid: Option<u32>,
        cgroup: Option<&Path>,
        port: Option<u16>,
    ) -> Result<Meter, CliError> {
        if let Some(pid) = pid {
            let meter = Meter::Process(pid);
            return match meter.read(tree, 1) {
                Ok(_) => Ok(meter),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(CliError::Failed(format!("there is no process {pid}")))
                }
                Err(error) => Err(CliError::Failed(format!(
                    "the CPU time of process {pid} cannot be read: {error}"
                ))),
            };
        }
        if let Some(path) = cgroup {
            let meter = Meter::Cgroup(path.to_path_buf());
            return match meter.read(tree, 1) {
                Ok(_) => Ok(meter),
                Err(error) => Err(CliError::Failed(format!(
                    "{} is no control group whose CPU time can be read: {error}",
                    path.display()
                ))),
            };
        }
        let Some(port) = port else {
            let why = "the broker is on another machine: its CPU is not known";
            return Ok(Meter::None(why.to_owned()));
        };
        Ok(match listening(tree, port) {
            Some(pid) => Meter::Process(pid),
            None => Meter::None(format!(
                "the process that listens on port {port} cannot be seen from here, so its CPU is not \
                 known: give --pid or --cgroup, or run as its user or root"
            )),
        })
    }

    /// Reads it. The kernel counts a second of a process in so many ticks.
    pub fn read(&self, tree: Tree<'_>, ticks_per_second: u64) -> io::Result<Usage> {
        match self {
            Meter::Process(pid) => {
                let stat = tree.read(&format!("/proc/{pid}/stat"))?;
                let status = tree.read(&format!("/proc/{pid}/status"))?;
                let ticks = cpu_ticks(&stat).ok_or(io::ErrorKind::InvalidData)?;
                let micros = u128::from(ticks) * 1_000_000 / u128::from(ticks_per_second.max(1));
                Ok(Usage {
                    cpu: Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)),
                    resident_bytes: kibibytes(&status, "VmRSS:").unwrap_or(0) * 1024,
                })
            }
            Meter::Cgroup(path) => {
                let read = |file: &str| tree.read(&path.join(file).to_string_lossy());
                let stat = read("cpu.stat")?;
                let micros = field(&stat, "usage_usec").ok_or(io::ErrorKind::InvalidData)?;
                let resident = read("memory.current").ok();
                Ok(Usage {
                    cpu: Duration::from_micros(micros),
                    resident_bytes: resident
                        .and_then(|text| text.trim().parse().ok())
                        .unwrap_or(0),
                })
            }
            Meter::None(why) => Err(io::Error::new(io::ErrorKind::Unsupported, why.clone())),
        }
    }

    /// Whether there is anything to read.
    #[must_use]
    pub fn is_known(&self) -> bool {
        match self {
            Meter::Process(_) | Meter::Cgroup(_) => true,
            Meter::None(_) => false,
        }
    }

    /// Why there is nothing to read; empty where there is.
    #[must_use]
    pub fn describe_unknown(&self) -> &str {
        match self {
            Meter::Process(_) | Meter::Cgroup(_) => "",
            Meter::None(why) => why,
        }
    }

    /// What it is, in words. Not the command line: that may hold secrets.
    #[must_use]
    pub fn describe(&self, tree: Tree<'_>) -> String {
        match self {
            Meter::Process(pid) => {
                let name = tree.read(&format!("/proc/{pid}/comm")).unwrap_or_default();
                format!("process {} (pid {pid})", name.trim())
            }
            Meter::Cgroup(path) => format!("control group {}", path.display()),
            Meter::None(why) => why.clone(),
        }
    }
}

/// User and system time of /proc/PID/stat, in ticks (proc_pid_stat(5), fields 14 and 15). The name
/// in parentheses may hold anything, so what comes after its end is counted.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

/// The number behind a name.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    field(status, name)
}

/// The process that listens on a port of this machine, as far as this process may see.
fn listening(tree: Tree<'_>, port: u16) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let inodes: Vec<String> = tables
        .iter()
        .filter_map(|table| tree.read(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    let pids = tree
        .names("/proc")
        .into_iter()
        .filter_map(|name| name.parse().ok());
    pids.take(PROCESSES_MAX).find(|pid: &u32| {
        let folder = format!("/proc/{pid}/fd");
        tree.names(&folder).iter().any(|descriptor| {
            let target = tree.link_target(&format!("{folder}/{descriptor}"));
            target.is_ok_and(|target| inodes.contains(&target))
        })
    })
}

/// The inodes of the sockets that listen on a port, in a table like /proc/net/tcp (proc_net_tcp(5)).
fn listening_inodes(table: &str, port: u16) -> Vec<u64> {
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
        let is_it = u16::from_str_radix(local_port, 16) == Ok(port)
            && fields.get(3).copied() == Some(LISTENING);
        is_it.then(|| fields.get(9)?.parse().ok()).flatten()
    };
    table.lines().skip(1).filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::stopwatch::Stopwatch;
    use crate::runtime::disk::Disk;

    #[test]
    fn a_process_may_be_called_anything() {
        let fields = "S 1 1 1 0 -1 4194560 1 2 3 4 250 31 7 8 20 0 3 0 99 100 200";
        assert_eq!(cpu_ticks(&format!("12 (a) R (b)) {fields}")), Some(281));
        assert_eq!(cpu_ticks("12 (java) S 1 1"), None);
        assert_eq!(cpu_ticks(""), None);
    }

    #[test]
    fn the_listener_of_a_port_is_found_in_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode\n\
            0: 0100007F:2384 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1 0 100\n\
            1: 0100007F:2384 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 4712 1 0 100\n\
            2: nonsense\n";
        assert_eq!(listening_inodes(table, 9092), [4711]);
        assert!(listening_inodes(table, 9093).is_empty());
    }

    #[test]
    fn this_process_can_be_read() {
        let disk = Disk::Native;
        let tree = Tree {
            disk: &disk,
            root: Path::new("/"),
        };
        let usage = Meter::Process(std::process::id()).read(tree, 100).unwrap();
        assert!(usage.resident_bytes > 0);
    }

    #[test]
    fn a_control_group_is_read_where_linux_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::Native;
        let tree = Tree {
            disk: &disk,
            root: folder.path(),
        };
        let group = folder.path().join("sys/fs/cgroup/broker");
        disk.create_directories(&group).unwrap();
        let write = |name: &str, content: &str| {
            let path = group.join(name);
            disk.write_atomically(&path, content.as_bytes()).unwrap();
        };
        let find = || {
            let path = Path::new("/sys/fs/cgroup/broker");
            Meter::find(tree, None, Some(path), None)
        };
        // What version 1 of control groups has instead.
        write("cpuacct.usage", "1500000000\n");
        let refused = find().unwrap_err().to_string();
        assert!(
            refused.starts_with("/sys/fs/cgroup/broker is no control group"),
            "{refused}"
        );
        write(
            "cpu.stat",
            "usage_usec 1500000\nuser_usec 900000\nsystem_usec 600000\nnr_periods 0\n",
        );
        let meter = find().unwrap();
        let told = "control group /sys/fs/cgroup/broker";
        assert_eq!(
            (meter.describe(tree).as_str(), meter.is_known()),
            (told, true)
        );
        // The root group does not say what memory it has.
        let usage = meter.read(tree, 100).unwrap();
        assert_eq!(usage.cpu, Duration::from_millis(1500));
        assert_eq!(usage.resident_bytes, 0);
        write("memory.current", "4096000\n");
        let stopwatch = Stopwatch::start(tree, &meter);
        write("cpu.stat", "usage_usec 2000000\n");
        write("memory.current", "5120000\n");
        let used = stopwatch.stop();
        assert_eq!(used.broker_cpu_s, Some(0.5));
        assert_eq!(used.resident, Some(5_120_000.0));
        assert_eq!(used.resident_growth, Some(1_024_000.0));
        write("cpu.stat", "user_usec 5\n");
        assert!(meter.read(tree, 100).is_err(), "no usage, no meter");
    }

    #[test]
    fn what_cannot_be_read_is_one_sentence() {
        let disk = Disk::Native;
        let tree = Tree {
            disk: &disk,
            root: Path::new("/"),
        };
        let error = Meter::find(tree, Some(u32::MAX), None, None).unwrap_err();
        assert_eq!(error.to_string(), "there is no process 4294967295");
        let nowhere = Some(Path::new("/nowhere"));
        let error = Meter::find(tree, None, nowhere, None).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("/nowhere is no control group")
        );
        let Meter::None(why) = Meter::find(tree, None, None, Some(1)).unwrap() else {
            panic!("nobody listens on port 1");
        };
        assert!(why.contains("--pid"), "{why}");
    }
}
