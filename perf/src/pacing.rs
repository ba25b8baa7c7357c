//! The machine's congestion control, which weighs on every row: BBR sends by a timer of each connection's, and
//! over the loopback that timer costs more than either broker (tuning/README.md). Rows are taken with what stock
//! kernels have; what was is put back at the end, but not where this program is killed by SIGKILL.

use std::fs;
use std::sync::{Mutex, PoisonError};

const FILE: &str = "/proc/sys/net/ipv4/tcp_congestion_control";
const PACED: &str = "bbr";
const STOCK: &str = "cubic";

static FORMER: Mutex<Option<String>> = Mutex::new(None);

/// What is set now.
pub fn congestion_control() -> String {
    let set = fs::read_to_string(FILE).unwrap_or_default();
    set.trim().to_owned()
}

/// Ends pacing while this program runs, or says what it does to the rows.
pub fn end() {
    let former = congestion_control();
    if former != PACED {
        return;
    }
    // Under the lock: a signal that comes between puts back what was, too.
    let mut kept = FORMER.lock().unwrap_or_else(PoisonError::into_inner);
    match fs::write(FILE, STOCK) {
        Ok(()) => {
            println!("{FILE} is {STOCK} while this runs, and {former} again after it");
            *kept = Some(former);
        }
        Err(error) => eprintln!(
            "{FILE} is {former}, whose timers weigh more than either broker, and cannot be set to {STOCK}: {error}; as \
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
