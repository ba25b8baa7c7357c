//! What the machine is and what it spends, read from /proc: CPU time of processes, threads and
//! the whole machine, memory of a process, and the description that goes into each result.

use rustix::param::clock_ticks_per_second;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// The nearest float: counts here stay far below 2^53.
#[expect(
    clippy::as_conversions,
    reason = "there is no lossless conversion to ask for"
)]
pub fn real(count: u64) -> f64 {
    count as f64
}

/// The nearest float of a length.
pub fn real_length(count: usize) -> f64 {
    real(u64::try_from(count).expect("usize is 64 bits wide here"))
}

fn seconds_of_ticks(ticks: u64) -> f64 {
    real(ticks) / real(clock_ticks_per_second())
}

/// CPU seconds of a process, all its threads, those that ended included.
pub fn process_cpu_s(process: u32) -> Result<f64, String> {
    let fields = stat_fields(&process.to_string())?;
    Ok(seconds_of_ticks(fields[11] + fields[12]))
}

/// The numbers of /proc/NAME/stat from the parent's id (field 4) on; what is no number is 0.
/// So field N of proc(5) stands at N - 3, field 3 (the state) being a letter.
fn stat_fields(name: &str) -> Result<Vec<u64>, String> {
    let path = format!("/proc/{name}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let (_, rest) = text
        .rsplit_once(')')
        .ok_or(format!("{path} has no name in it"))?;
    let fields: Vec<u64> = rest
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(0))
        .collect();
    if fields.len() < 15 {
        return Err(format!("{path} has only {} fields", fields.len()));
    }
    Ok(fields)
}

/// CPU seconds of the calling thread, to the nanosecond.
pub fn thread_cpu_s() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok());
    real(nanos.unwrap_or(0)) / 1e9
}

/// Resident memory of a process in MB (10^6 bytes): now, and at its highest.
pub fn memory_mb(process: u32) -> Result<(f64, f64), String> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let kib = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
            .ok_or(format!("{path} has no {name}"))
    };
    Ok((
        real(kib("VmRSS:")?) * 1.024e-3,
        real(kib("VmHWM:")?) * 1.024e-3,
    ))
}

/// What has been spent up to a moment.
#[derive(Clone, Debug)]
pub struct Reading {
    at: Instant,
    /// Of each core: busy ticks, and all.
    cores: Vec<(u64, u64)>,
    broker_s: f64,
    machine_busy_s: f64,
    steal_s: f64,
    own_s: f64,
    children_s: f64,
}

/// What was spent between two readings.
#[derive(Clone, Debug)]
pub struct Spent {
    /// Of each core, the part of the time in which it was busy.
    pub core_busy: Vec<f64>,
    /// By the clock.
    pub wall_s: f64,
    /// By the broker, all threads.
    pub broker_s: f64,
    /// By the whole machine: user, nice, system, interrupts.
    pub machine_busy_s: f64,
    /// By the load generator: this process, and programs it started that have ended.
    pub client_s: f64,
    /// What the hypervisor took away.
    pub steal_s: f64,
}

impl Reading {
    /// Reads the counters; `broker` is a process id.
    pub fn now(broker: u32) -> Result<Reading, String> {
        let own = stat_fields("self")?;
        let text = fs::read_to_string("/proc/stat")
            .map_err(|error| format!("cannot read /proc/stat: {error}"))?;
        let words: Vec<u64> = text
            .lines()
            .next()
            .unwrap_or("")
            .split_whitespace()
            .skip(1)
            .map(|word| word.parse().unwrap_or(0))
            .collect();
        if words.len() < 8 {
            return Err("the first line of /proc/stat is not the machine's".to_owned());
        }
        Ok(Reading {
            at: Instant::now(),
            cores: cores(&text),
            broker_s: process_cpu_s(broker)?,
            machine_busy_s: seconds_of_ticks(words[0] + words[1] + words[2] + words[5] + words[6]),
            steal_s: seconds_of_ticks(words[7]),
            own_s: seconds_of_ticks(own[11] + own[12]),
            children_s: seconds_of_ticks(own[13] + own[14]),
        })
    }

    /// What was spent since.
    pub fn until_now(&self, broker: u32) -> Result<Spent, String> {
        let now = Reading::now(broker)?;
        let core_busy = self.cores.iter().zip(&now.cores).map(|(before, after)| {
            let all = after.1.saturating_sub(before.1).max(1);
            real(after.0.saturating_sub(before.0)) / real(all)
        });
        Ok(Spent {
            core_busy: core_busy.collect(),
            wall_s: now.at.duration_since(self.at).as_secs_f64(),
            broker_s: now.broker_s - self.broker_s,
            machine_busy_s: now.machine_busy_s - self.machine_busy_s,
            client_s: now.own_s - self.own_s + now.children_s - self.children_s,
            steal_s: now.steal_s - self.steal_s,
        })
    }
}

/// Busy ticks of each core and all of its ticks, from the lines "cpu0 …" of /proc/stat: user, nice,
/// system, idle, waiting for a disk, interrupts twice, stolen.
fn cores(stat: &str) -> Vec<(u64, u64)> {
    stat.lines()
        .skip(1)
        .take_while(|line| line.starts_with("cpu"))
        .map(|line| {
            let ticks: Vec<u64> = line
                .split_whitespace()
                .skip(1)
                .take(8)
                .map(|word| word.parse().unwrap_or(0))
                .collect();
            let all: u64 = ticks.iter().sum();
            let idle = ticks.iter().skip(3).take(2).sum::<u64>();
            (all - idle, all)
        })
        .collect()
}

/// Lets this program, and what it starts, have as many files open as it may: a connection is one on
/// either side.
pub fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limits = Rlimit {
        current: maximum,
        maximum,
    };
    // Where it cannot be raised, a row of many connections says so itself.
    let _ = setrlimit(Resource::Nofile, limits);
}

/// What a run may need of new pages, several times over.
pub const ONE_RUN: u64 = 4 << 30;
/// All that there is.
pub const ALL_MEMORY: u64 = 20 << 30;

/// Touches the guest's memory, so that no run pays for a first touch: reads a sparse file as large
/// as what is free, less what the brokers need, into the page cache, and deletes it. A hypervisor
/// takes free pages back within seconds and gives them again at 8 µs each (2 CPU s per GB written,
/// seen here), so that it is done before every run.
pub fn warm_memory(work: &Path, at_most: u64) -> Result<(), String> {
    const LEFT_ALONE: u64 = 4 << 30;
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024;
    let bytes = available.saturating_sub(LEFT_ALONE).min(at_most);
    let path = work.join("warm");
    let said = |error: std::io::Error| format!("cannot warm memory in {}: {error}", path.display());
    let file = fs::File::create(&path).map_err(said)?;
    file.set_len(bytes).map_err(said)?;
    let mut reader = fs::File::open(&path).map_err(said)?;
    let mut buffer = vec![0; 1 << 20];
    while std::io::Read::read(&mut reader, &mut buffer).map_err(said)? > 0 {}
    fs::remove_file(&path).map_err(said)
}

/// The machine, for a result file.
pub fn describe(work: &Path) -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |text: &str, name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split_once(':'))
            .map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = |path: &str| {
        fs::read_to_string(path)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let mut machine = json!({
        "cpu": field(&cpu, "model name"),
        "cores": std::thread::available_parallelism().map_or(0, |count| count.get()),
        "memory": field(&memory, "MemTotal"),
        "kernel": line("/proc/sys/kernel/osrelease"),
        "file_system": file_system(work),
        "load_average": line("/proc/loadavg"),
    });
    for (name, set) in crate::kernel::settings() {
        machine[name] = set.into();
    }
    machine
}

/// Device, type and options of the file system that `folder` is on.
pub fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let point = words.get(1)?;
            folder
                .starts_with(point)
                .then(|| (point.len(), words[2..4].join(" ")))
        })
        .max_by_key(|(length, _)| *length)
        .map_or(String::new(), |(_, kind)| kind)
}

/// The first line that a program prints, or nothing.
pub fn first_line(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    output.map_or(String::new(), |output| {
        let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
        printed.lines().next().unwrap_or("").to_owned()
    })
}

/// Waits until what was written is on disk, so that one run's writeback is not the next one's.
pub fn settle_disk(folder: &Path) -> Result<(), String> {
    let file = fs::File::open(folder)
        .map_err(|error| format!("cannot open {}: {error}", folder.display()))?;
    rustix::fs::syncfs(&file).map_err(|error| format!("cannot sync {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_busy_with_all_but_idling_and_waiting_for_disks() {
        let stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 10 20 4 5 6 0 0\ncpu1 0 0 0 7 0 0 0 0 0 0\nintr 5\n";
        assert_eq!(cores(stat), [(21, 51), (0, 7)]);
    }
}
