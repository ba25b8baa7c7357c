//! The machine's congestion control, which weighs on every row: BBR sends by a timer of each connection's, and
//! over the loopback that timer costs more than either broker (tuning/README.md). Rows are taken with what stock
//! kernels have; what was is put back at the end, but not where this program is killed by SIGKILL.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

const FILE: &str = "/proc/sys/net/ipv4/tcp_congestion_control";
const PACED: &str = "bbr";
const STOCK: &str = "cubic";

static FORMER: Mutex<Option<String>> = Mutex::new(None);

/// What is set now.
pub fn congestion_control() -> String {
    read(Path::new(FILE))
}

/// Ends pacing while this program runs, or says what it does to the rows.
pub fn end() {
    // Under the lock: a signal that comes between puts back what was, too.
    let mut kept = FORMER.lock().unwrap_or_else(PoisonError::into_inner);
    match end_in(Path::new(FILE)) {
        Ok(None) => {}
        Ok(Some(former)) => {
            println!("{FILE} is {STOCK} while this runs, and {former} again after it");
            *kept = Some(former);
        }
        Err(error) => eprintln!(
            "{FILE} is {PACED}, whose timers weigh more than either broker, and cannot be set to {STOCK}: {error}; as \
             root: sysctl -w net.ipv4.tcp_congestion_control={STOCK}"
        ),
    }
}

/// Puts back what was.
pub fn restore() {
    let former = FORMER.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(former) = former {
        let _ = fs::write(FILE, former);
    }
}

fn read(file: &Path) -> String {
    let set = fs::read_to_string(file).unwrap_or_default();
    set.trim().to_owned()
}

/// What was, where it had to be changed.
fn end_in(file: &Path) -> io::Result<Option<String>> {
    let former = read(file);
    if former != PACED {
        return Ok(None);
    }
    fs::write(file, STOCK)?;
    Ok(Some(former))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_paces_is_replaced_and_told_and_nothing_else_is_touched() {
        let name = format!("klamm-perf-pacing-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        fs::write(&file, "bbr\n").unwrap();
        assert_eq!(end_in(&file).unwrap().as_deref(), Some("bbr"));
        assert_eq!(read(&file), "cubic");
        assert_eq!(end_in(&file).unwrap(), None);
        fs::write(&file, "reno\n").unwrap();
        assert_eq!(end_in(&file).unwrap(), None);
        assert_eq!(read(&file), "reno");
        fs::remove_file(&file).unwrap();
        assert_eq!(
            end_in(&file).unwrap(),
            None,
            "a kernel that has no such file"
        );
    }
}
