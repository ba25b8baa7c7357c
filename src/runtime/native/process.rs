//! The process: signals, limits, its cores, and whether this kernel lets klamm run at all.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

/// Why klamm cannot run here, in one sentence that names the command that mends it.
#[derive(Debug)]
pub struct Unfit(pub String);

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a signal takes its default action: the process ends at once.
static SIGNAL_ENDS: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Signals as descriptors: SIGTERM and SIGINT end the process, SIGUSR1 asks it for figures.
#[derive(Debug)]
pub struct Signals {
    stop: UnixStream,
    tell: UnixStream,
}

impl Signals {
    /// Takes the signals from here on: before anything is announced, so that none is missed.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn take() -> io::Result<Signals> {
        let (stop, write) = UnixStream::pair()?;
        stop.set_nonblocking(true)?;
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&SIGNAL_ENDS))?;
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        let (tell, write) = UnixStream::pair()?;
        tell.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGUSR1, write)?;
        Ok(Signals { stop, tell })
    }

    pub(super) fn stop(&self) -> RawFd {
        self.stop.as_raw_fd()
    }

    pub(super) fn tell(&self) -> RawFd {
        self.tell.as_raw_fd()
    }

    /// Figures are being told: the next signal asks anew.
    pub(super) fn told(&mut self) {
        let mut asked = [0; 64];
        while matches!(self.tell.read(&mut asked), Ok(count) if count == asked.len()) {}
    }
}

/// From now on a signal ends the process at once: who sends a second one does not want to wait.
pub(crate) fn next_signal_ends() {
    SIGNAL_ENDS.store(true, Ordering::Relaxed);
}

/// The cores this process may run on, in the order of their numbers.
#[must_use]
pub fn cores() -> Vec<usize> {
    let mut cores: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_default()
        .into_iter()
        .map(|core| core.id)
        .collect();
    cores.sort_unstable();
    if cores.is_empty() {
        cores.push(0);
    }
    cores
}

/// Raises the soft limit of open files to the hard one; returns the limit in force.
pub fn raise_open_files_limit() -> u64 {
    super::sys::raise_open_files_limit()
}

/// Tries what every core will need, so that a kernel that refuses is named before anything starts.
pub fn check_io_uring() -> Result<(), Unfit> {
    match super::ring::Ring::new() {
        Ok(_) => Ok(()),
        Err(error) => {
            let disabled = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled");
            Err(Unfit(explain_io_uring(
                &error,
                &disabled.unwrap_or_default(),
            )))
        }
    }
}

/// One sentence: what the kernel said, in the light of its `kernel.io_uring_disabled`.
fn explain_io_uring(error: &io::Error, disabled: &str) -> String {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => match disabled.trim() {
            disabled @ ("1" | "2") => format!(
                "io_uring is switched off on this machine (kernel.io_uring_disabled = {disabled}); \
                 switch it on with: sysctl -w kernel.io_uring_disabled=0"
            ),
            _ => "io_uring is forbidden to this process, most likely by a container's seccomp \
                  profile; allow io_uring_setup, io_uring_enter and io_uring_register, for example \
                  with: docker run --security-opt seccomp=unconfined"
                .to_owned(),
        },
        Some(libc::ENOSYS) => "this kernel has no io_uring; klamm needs Linux 6.1 or later: see \
                               uname -r"
            .to_owned(),
        Some(libc::EINVAL) => "this kernel's io_uring lacks DEFER_TASKRUN; klamm needs Linux 6.1 \
                               or later: see uname -r"
            .to_owned(),
        Some(libc::ENOMEM) => "the limit of locked memory is too small for io_uring; raise it \
                               with: ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)"
            .to_owned(),
        Some(libc::EMFILE | libc::ENFILE) => {
            "no file descriptor is left for io_uring; raise the limit with: ulimit -n 100000 \
             (systemd: LimitNOFILE=100000)"
                .to_owned()
        }
        Some(_) | None => format!("io_uring cannot be set up: {error}"),
    }
}

/// The clock that a process began with.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: std::time::Instant,
}

impl Clock {
    /// Begins now.
    #[must_use]
    pub fn start() -> Clock {
        Clock {
            epoch: std::time::Instant::now(),
        }
    }

    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> crate::base::time::Now {
        super::drive::clocks(self.epoch)
    }

    /// When it began, for the driver.
    #[must_use]
    pub fn epoch(&self) -> std::time::Instant {
        self.epoch
    }
}

/// This machine's name, for clients that are told no other.
#[must_use]
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name.to_owned()
    }
}

/// Random bits from the machine.
#[must_use]
pub fn random() -> u64 {
    super::sys::random()
}

/// The environment's variables whose names and values are text.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Logs go to standard error: one line per notable event.
pub fn log_to_standard_error() {
    use std::io::IsTerminal as _;
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(colours)
        .finish();
    // A second broker in one process (a test) keeps the first one's log.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn what_the_kernel_refuses_is_said_with_the_command_that_mends_it() {
        let mut said = String::new();
        for (errno, disabled) in [
            (libc::EPERM, "2\n"),
            (libc::EPERM, "1\n"),
            (libc::EPERM, "0\n"),
            (libc::EACCES, ""),
            (libc::ENOSYS, ""),
            (libc::EINVAL, "0\n"),
            (libc::ENOMEM, "0\n"),
            (libc::EMFILE, "0\n"),
            (libc::EIO, "0\n"),
        ] {
            let error = io::Error::from_raw_os_error(errno);
            said += &format!("{}\n", explain_io_uring(&error, disabled));
        }
        expect![[r#"
            io_uring is switched off on this machine (kernel.io_uring_disabled = 2); switch it on with: sysctl -w kernel.io_uring_disabled=0
            io_uring is switched off on this machine (kernel.io_uring_disabled = 1); switch it on with: sysctl -w kernel.io_uring_disabled=0
            io_uring is forbidden to this process, most likely by a container's seccomp profile; allow io_uring_setup, io_uring_enter and io_uring_register, for example with: docker run --security-opt seccomp=unconfined
            io_uring is forbidden to this process, most likely by a container's seccomp profile; allow io_uring_setup, io_uring_enter and io_uring_register, for example with: docker run --security-opt seccomp=unconfined
            this kernel has no io_uring; klamm needs Linux 6.1 or later: see uname -r
            this kernel's io_uring lacks DEFER_TASKRUN; klamm needs Linux 6.1 or later: see uname -r
            the limit of locked memory is too small for io_uring; raise it with: ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)
            no file descriptor is left for io_uring; raise the limit with: ulimit -n 100000 (systemd: LimitNOFILE=100000)
            io_uring cannot be set up: Input/output error (os error 5)
        "#]]
        .assert_eq(&said);
    }
}
