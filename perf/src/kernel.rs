//! Settings of the machine's kernel that weigh on every row more than either broker does. While rows are taken
//! they are as on a machine of one's own; what was is put back at the end, but not where this program is killed
//! by SIGKILL.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

struct Setting {
    /// What it is called in a result.
    name: &'static str,
    file: &'static str,
    /// Whether it weighs on the rows as it is.
    weighs: fn(&str) -> bool,
    wanted: &'static str,
    why: &'static str,
}

/// The largest block of pages that Linux keeps is of order 10 (4 MiB on x86-64).
const MAX_PAGE_ORDER: u64 = 10;

const SETTINGS: [Setting; 2] = [
    Setting {
        name: "congestion_control",
        file: "/proc/sys/net/ipv4/tcp_congestion_control",
        weighs: |set| set == "bbr",
        wanted: "cubic",
        why: "BBR sends by a timer of each connection's (tuning/README.md)",
    },
    // Where a guest reports free pages, its host takes them away, and gives them again at 8 µs each, with stops
    // of the whole guest (docs/decisions/stalls.md).
    Setting {
        name: "page_reporting_order",
        file: "/sys/module/page_reporting/parameters/page_reporting_order",
        weighs: |set| set.parse().is_ok_and(|order: u64| order <= MAX_PAGE_ORDER),
        wanted: "11",
        why: "this guest gives its free memory back to its host, and waits for it again (tuning/README.md)",
    },
];

static FORMER: Mutex<Vec<(&str, String)>> = Mutex::new(Vec::new());

/// What is set now, by its name in a result.
pub fn settings() -> impl Iterator<Item = (&'static str, String)> {
    SETTINGS
        .iter()
        .map(|setting| (setting.name, read(Path::new(setting.file))))
}

/// Puts right what weighs on the rows while this program runs, or says that it does.
pub fn prepare() {
    // Under the lock: a signal that comes between puts back what was, too.
    let mut kept = FORMER.lock().unwrap_or_else(PoisonError::into_inner);
    for setting in &SETTINGS {
        let Setting {
            file, wanted, why, ..
        } = setting;
        match replace(setting, Path::new(file)) {
            Ok(None) => {}
            Ok(Some(former)) => {
                println!("{file} is {wanted} while this runs, and {former} again after it: {why}");
                kept.push((file, former));
            }
            Err(error) => {
                eprintln!(
                    "{file} cannot be set to {wanted}: {error}; {why}; as root: echo {wanted} > {file}"
                );
            }
        }
    }
}

/// Puts back what was.
pub fn restore() {
    let mut kept = FORMER.lock().unwrap_or_else(PoisonError::into_inner);
    for (file, former) in kept.drain(..) {
        let _ = fs::write(file, former);
    }
}

fn read(file: &Path) -> String {
    let set = fs::read_to_string(file).unwrap_or_default();
    set.trim().to_owned()
}

/// What was, where it had to be changed.
fn replace(setting: &Setting, file: &Path) -> io::Result<Option<String>> {
    let former = read(file);
    if !(setting.weighs)(&former) {
        return Ok(None);
    }
    fs::write(file, setting.wanted)?;
    Ok(Some(former))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_weighs_is_replaced_and_told_and_nothing_else_is_touched() {
        let name = format!("klamm-perf-kernel-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        for (setting, weighs, weighs_not) in [
            (&SETTINGS[0], ["bbr", "bbr"], ["reno", "cubic"]),
            (&SETTINGS[1], ["9", "0"], ["4294967295", "-1"]),
        ] {
            for set in weighs {
                fs::write(&file, format!("{set}\n")).unwrap();
                assert_eq!(replace(setting, &file).unwrap().as_deref(), Some(set));
                assert_eq!(read(&file), setting.wanted);
                assert_eq!(replace(setting, &file).unwrap(), None);
            }
            for set in weighs_not {
                fs::write(&file, format!("{set}\n")).unwrap();
                assert_eq!(replace(setting, &file).unwrap(), None);
                assert_eq!(read(&file), set);
            }
            fs::remove_file(&file).unwrap();
            // A kernel that has no such file.
            assert_eq!(replace(setting, &file).unwrap(), None);
        }
    }
}
