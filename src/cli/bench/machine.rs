//! The machine that a bench runs on: what it is, how busy each of its cores was, and what it gives in
//! this minute.

use super::row::Run;
use crate::base::convert::f64_from;
use crate::cli::error::CliError;
use crate::cli::tune::machine::Tree;
use crate::record::checksum::crc32c;
use crate::runtime::probe;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The contestant that stands for the machine.
pub const LIMIT: &str = "limit";

/// What it is, by what is said of it.
#[must_use]
pub fn describe(tree: Tree<'_>) -> BTreeMap<String, String> {
    let read = |path: &str| {
        let text = tree.read(path).unwrap_or_default();
        text.trim().to_owned()
    };
    let cpuinfo = read("/proc/cpuinfo");
    let line_of = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let facts = [
        ("host", read("/proc/sys/kernel/hostname")),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("cpu", line_of(&cpuinfo, "model name")),
        ("cores", CoreTimes::read(tree).0.len().to_string()),
        ("memory", line_of(&read("/proc/meminfo"), "MemTotal")),
        ("load_average", read("/proc/loadavg")),
    ];
    facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Ticks of each core since the machine started: busy, and all.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CoreTimes(Vec<(u64, u64)>);

impl CoreTimes {
    /// Reads /proc/stat; a machine without it has no cores here.
    #[must_use]
    pub fn read(tree: Tree<'_>) -> CoreTimes {
        CoreTimes::parse(&tree.read("/proc/stat").unwrap_or_default())
    }

    /// Lines like `cpu0 user nice system idle iowait irq softirq steal guest guest_nice`
    /// (proc_stat(5)); guest time is in user time already.
    fn parse(stat: &str) -> CoreTimes {
        let core = |line: &str| {
            let rest = line.strip_prefix("cpu")?;
            let (number, rest) = rest.split_once(' ')?;
            number.parse::<u32>().ok()?;
            let ticks: Vec<u64> = rest
                .split_whitespace()
                .take(8)
                .map_while(|word| word.parse().ok())
                .collect();
            let all: u64 = ticks.iter().sum();
            let idle = ticks.get(3)? + ticks.get(4).copied().unwrap_or(0);
            Some((all.saturating_sub(idle), all))
        };
        CoreTimes(stat.lines().filter_map(core).collect())
    }

    /// The part of each core that was busy since an earlier reading.
    #[must_use]
    pub fn busy_since(&self, earlier: &CoreTimes) -> Vec<f64> {
        self.0
            .iter()
            .zip(&earlier.0)
            .map(|(now, then)| {
                let all = now.1.saturating_sub(then.1);
                f64_from(now.0.saturating_sub(then.0)) / f64_from(all.max(1))
            })
            .collect()
    }

    /// Seconds that all cores together were busy since an earlier reading.
    #[must_use]
    pub fn busy_seconds_since(&self, earlier: &CoreTimes, ticks_per_second: u64) -> f64 {
        let busy = |times: &CoreTimes| times.0.iter().map(|core| core.0).sum::<u64>();
        f64_from(busy(self).saturating_sub(busy(earlier))) / f64_from(ticks_per_second.max(1))
    }
}

/// What the machine gives now, as the run of a contestant.
pub fn limits(folder: &Path, round: usize, duration: Duration) -> Result<Run, CliError> {
    let failed = |error: std::io::Error| {
        CliError::Failed(format!(
            "what {} and the loopback give could not be measured: {error}",
            folder.display()
        ))
    };
    let (ping_pong_p50, ping_pong_p99) = probe::ping_pong_ms(duration).map_err(failed)?;
    let figures = [
        ("memcpy_mb_per_s", probe::memcpy_mb_per_s(duration)),
        ("ping_pong_p50_ms", ping_pong_p50),
        ("ping_pong_p99_ms", ping_pong_p99),
        (
            "crc32c_mb_per_s",
            probe::checksum_mb_per_s(duration, crc32c),
        ),
        (
            "loopback_mb_per_s",
            probe::loopback_mb_per_s(duration).map_err(failed)?,
        ),
        (
            "recv_crc_write_mb_per_s",
            probe::receive_check_write_mb_per_s(folder, duration, crc32c).map_err(failed)?,
        ),
        (
            "sendfile_mb_per_s",
            probe::sendfile_mb_per_s(folder, duration).map_err(failed)?,
        ),
        (
            "synced_appends_per_s",
            probe::synced_appends_per_s(folder, duration).map_err(failed)?,
        ),
    ];
    Ok(Run {
        round,
        contestant: LIMIT.to_owned(),
        figures: figures
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        ..Run::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_busy_where_it_neither_idles_nor_waits() {
        let before =
            CoreTimes::parse("cpu  9 9\ncpu0 10 0 10 80 0 0 0 0 0 0\ncpu1 0 0 0 100 0 0 0 0\n");
        let after =
            CoreTimes::parse("cpu0 40 0 20 120 10 0 0 0 0 0\ncpu1 0 0 0 200 0 0 0 0\nintr 5\n");
        let busy = after.busy_since(&before);
        assert_eq!(busy.len(), 2);
        assert!((busy[0] - 40.0 / 90.0).abs() < 1e-9);
        assert_eq!(busy[1], 0.0);
        assert_eq!(after.busy_seconds_since(&before, 100), 0.4);
        assert_eq!(CoreTimes::parse("garbage\ncpu0 x\n"), CoreTimes::default());
    }
}
