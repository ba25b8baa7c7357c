//! What a JVM keeps alive. Its resident set is no measure of that: what it asks for lies in memory that it has
//! touched before, until its collector comes by.

use crate::machine::real;
use std::process::Command;

/// The JDK's own tool; `cargo dev install java` brings it.
const TOOL: &str = "jcmd";

/// Live bytes in a JVM's heap, in KiB: what a full collection leaves.
pub fn live_kib(process: u32) -> Result<f64, String> {
    ask(process, "GC.run")?;
    let said = ask(process, "GC.heap_info")?;
    used_kib(&said)
        .ok_or_else(|| format!("{TOOL} does not say how much of the heap is used: {said}"))
}

fn ask(process: u32, what: &str) -> Result<String, String> {
    let output = Command::new(TOOL)
        .args([&process.to_string(), what])
        .output()
        .map_err(|error| {
            format!("cannot run {TOOL}: {error}; `cargo dev install java` brings it")
        })?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{TOOL} {process} {what} failed: {said}")),
    }
}

/// ` garbage-first heap   total reserved 1048576K, committed 1048576K, used 96257K [0x…`; the metaspace follows.
fn used_kib(said: &str) -> Option<f64> {
    let heap = said.lines().find(|line| line.contains(" heap "))?;
    let (_, used) = heap.split_once("used ")?;
    let (kib, _) = used.split_once('K')?;
    kib.parse().ok().map(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_of_the_heap_is_understood() {
        let said = "4242:\n garbage-first heap   total reserved 1048576K, committed 1048576K, used 96257K [0x1, 0x2)\n  \
                    region size 1024K, 4 young (4096K), 0 survivors (0K)\n Metaspace       used 70000K, committed 71000K\n";
        assert_eq!(used_kib(said), Some(96257.0));
        assert_eq!(
            used_kib(" garbage-first heap   total 1048576K, used 5K [0x1\n"),
            Some(5.0)
        );
        assert_eq!(used_kib("4242:\nCommand executed successfully\n"), None);
    }
}
