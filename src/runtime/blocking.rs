//! Sockets, clocks and signals for the tools: one thread, plain system calls, every wait bounded.
//! The broker does not use this; a tool that waits for a broker has nothing better to do.

use super::native::pacing;
use crate::base::time::{Instant, Now, Timestamp};
use socket2::{Domain, Type};
use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest single wait: a tool looks at least this often whether it was interrupted.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Both clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: std::time::Instant,
}

impl Clock {
    /// A clock whose monotonic side starts at zero.
    #[must_use]
    pub fn start() -> Clock {
        Clock {
            started: std::time::Instant::now(),
        }
    }

    /// Reads both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        let nanos = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Now {
            instant: Instant(nanos),
            timestamp: Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)),
        }
    }
}

/// 128 random bits from the kernel, or its error.
pub fn random_bits() -> io::Result<(u64, u64)> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let wide = u128::from_le_bytes(bytes);
    let low = u64::try_from(wide & u128::from(u64::MAX)).expect("masked to 64 bits");
    let high = u64::try_from(wide >> 64).expect("shifted to 64 bits");
    Ok((high, low))
}

/// Whether Ctrl-C or SIGTERM arrived since [`Interrupt::catch`].
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on SIGINT and SIGTERM set a flag; a second one ends the process at once.
    pub fn catch() -> io::Result<Interrupt> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [libc::SIGINT, libc::SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))?;
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Interrupt(flag))
    }

    /// Whether a signal arrived.
    #[must_use]
    pub fn arrived(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a read from a socket gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing is there yet.
    Nothing,
    /// The other side has closed.
    Closed,
}

/// How much the kernel may hold of what is sent and received by a socket; `None` leaves it to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SocketBuffers {
    /// `SO_SNDBUF`.
    pub send_bytes: Option<usize>,
    /// `SO_RCVBUF`.
    pub receive_bytes: Option<usize>,
}

/// A connected TCP socket that never blocks: [`wait`] does.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
}

impl Socket {
    /// Connects to the first address of `host` that answers within `timeout`, tried in order.
    pub fn connect(
        host: &str,
        port: u16,
        timeout: Duration,
        buffers: SocketBuffers,
    ) -> io::Result<Socket> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (host, port).to_socket_addrs()? {
            match connected(&address, timeout, buffers) {
                Ok(stream) => return Ok(Socket { stream }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Sends what the kernel takes now of these pieces; 0 where its buffer is full.
    pub fn send(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.stream.write_vectored(pieces) {
            Ok(0) if pieces.iter().any(|piece| !piece.is_empty()) => {
                Err(io::Error::from(io::ErrorKind::WriteZero))
            }
            Ok(sent) => Ok(sent),
            Err(error) if transient(&error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Reads what has arrived into `buffer`, which is not empty.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        match self.stream.read(buffer) {
            Ok(0) => Ok(Received::Closed),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(error) if transient(&error) => Ok(Received::Nothing),
            Err(error) => Err(error),
        }
    }
}

/// What a socket is told before it connects counts from its first packet on: how large a window may ever be is said
/// in that packet, and a pacing that has begun does not end.
fn connected(
    address: &SocketAddr,
    timeout: Duration,
    buffers: SocketBuffers,
) -> io::Result<TcpStream> {
    let socket = socket2::Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(bytes) = buffers.send_bytes {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = buffers.receive_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    if address.ip().is_loopback() {
        pacing::end(&socket);
    }
    socket.connect_timeout(&(*address).into(), timeout.max(Duration::from_millis(1)))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// One thing to wait for.
#[derive(Clone, Copy, Debug)]
pub enum Interest<'a> {
    /// The socket has something to read, or has closed.
    Readable(&'a Socket),
    /// The socket can be written, or has something to read, or has closed.
    Writable(&'a Socket),
    /// Standard input has something to read, or has ended.
    StandardInput,
}

/// Waits until one of `interests` holds, a signal arrives, or `timeout` has passed; says of each
/// whether it holds, in their order.
pub fn wait(interests: &[Interest<'_>], timeout: Duration) -> io::Result<Vec<bool>> {
    let mut polled: Vec<libc::pollfd> = interests
        .iter()
        .map(|interest| match interest {
            Interest::Readable(socket) => entry(socket.stream.as_raw_fd(), libc::POLLIN),
            Interest::Writable(socket) => {
                entry(socket.stream.as_raw_fd(), libc::POLLIN | libc::POLLOUT)
            }
            Interest::StandardInput => entry(libc::STDIN_FILENO, libc::POLLIN),
        })
        .collect();
    poll(&mut polled, timeout.min(WAIT_MAX))?;
    Ok(polled.iter().map(|entry| entry.revents != 0).collect())
}

fn entry(fd: RawFd, events: libc::c_short) -> libc::pollfd {
    libc::pollfd {
        fd,
        events,
        revents: 0,
    }
}

#[expect(unsafe_code, reason = "the standard library has no poll")]
fn poll(polled: &mut [libc::pollfd], timeout: Duration) -> io::Result<()> {
    let count = libc::nfds_t::try_from(polled.len()).expect("few descriptors");
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).expect("bounded by WAIT_MAX"),
        tv_nsec: libc::c_long::from(timeout.subsec_nanos()),
    };
    // SAFETY: the slice is borrowed mutably for the whole call and `count` is its length; the
    // timeout lives on this stack; no signal mask is given.
    let result = unsafe { libc::ppoll(polled.as_mut_ptr(), count, &timeout, std::ptr::null()) };
    if result >= 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    // A signal: the caller looks at its flag.
    if error.kind() == io::ErrorKind::Interrupted {
        for entry in polled {
            entry.revents = 0;
        }
        return Ok(());
    }
    Err(error)
}

/// Runs each job on a thread of its own and gives what they gave, in their order. Meanwhile `watch`
/// is called on this thread, once per `interval`.
pub fn side_by_side<T: Send>(
    jobs: Vec<impl FnOnce() -> T + Send>,
    interval: Duration,
    mut watch: impl FnMut(),
) -> io::Result<Vec<T>> {
    let (ended, ends) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let mut threads = Vec::with_capacity(jobs.len());
        for (index, job) in jobs.into_iter().enumerate() {
            let ended = ended.clone();
            let thread = std::thread::Builder::new()
                .name(format!("job-{index}"))
                .spawn_scoped(scope, move || {
                    let result = job();
                    ended.send(()).expect("who waits for it outlives it");
                    result
                })?;
            threads.push(thread);
        }
        let mut next = std::time::Instant::now() + interval;
        let mut running = threads.len();
        while running > 0 {
            let left = next.saturating_duration_since(std::time::Instant::now());
            match ends.recv_timeout(left) {
                Ok(()) => running -= 1,
                Err(_) => {
                    watch();
                    next += interval;
                }
            }
        }
        Ok(threads
            .into_iter()
            .map(|thread| thread.join().expect("a panic ends the process"))
            .collect())
    })
}

/// How far local time is east of Greenwich at some moment, in seconds; 0 where nobody knows.
#[expect(unsafe_code, reason = "the standard library knows no time zones")]
#[must_use]
pub fn local_offset_seconds(at: Timestamp) -> i64 {
    let seconds: libc::time_t = at.0.div_euclid(1000);
    let mut local = std::mem::MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both live on this stack, and the call writes all of the structure where it gives a
    // pointer to it.
    let written = unsafe { libc::localtime_r(&raw const seconds, local.as_mut_ptr()) };
    if written.is_null() {
        return 0;
    }
    // SAFETY: written, as was just seen.
    let local = unsafe { local.assume_init() };
    local.tm_gmtoff
}

/// CPU time that this process has used, by its own code and by the kernel for it.
#[expect(unsafe_code, reason = "the standard library does not say it")]
#[must_use]
pub fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure lives on this stack and is written before the call returns.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    if result == 0 {
        Duration::new(seconds, nanos)
    } else {
        Duration::ZERO
    }
}

/// How many ticks a second has in which the kernel counts the CPU time of processes.
#[expect(unsafe_code, reason = "the standard library does not say it")]
#[must_use]
pub fn clock_ticks_per_second() -> u64 {
    // SAFETY: no pointers are passed.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).unwrap_or(100).max(1)
}

/// Whether a name or address is one of this machine's own: only those can be bound here.
#[must_use]
pub fn is_own_address(host: &str) -> bool {
    let Ok(mut addresses) = (host, 0).to_socket_addrs() else {
        return false;
    };
    addresses.any(|address| UdpSocket::bind(address).is_ok())
}

/// Reads from standard input what is there, waiting where nothing is; 0 is its end. Unlike
/// [`std::io::stdin`] it keeps nothing back, so that [`wait`] tells the truth.
#[expect(
    unsafe_code,
    reason = "std's standard input buffers, and poll would not see what it holds"
)]
pub fn read_standard_input(buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer is borrowed mutably for the whole call and its length is given.
    let count = unsafe { libc::read(libc::STDIN_FILENO, buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::SockRef;
    use std::net::TcpListener;

    #[test]
    fn a_socket_sends_waits_and_receives() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let buffers = SocketBuffers {
            send_bytes: Some(70_000),
            receive_bytes: Some(50_000),
        };
        let timeout = Duration::from_secs(5);
        let mut socket = Socket::connect("127.0.0.1", port, timeout, buffers).unwrap();
        let options = SockRef::from(&socket.stream);
        let doubled = "the kernel doubles it";
        assert_eq!(options.send_buffer_size().unwrap(), 140_000, "{doubled}");
        assert_eq!(options.recv_buffer_size().unwrap(), 100_000, "{doubled}");
        assert!(
            !pacing::end(&socket.stream),
            "nothing paces what stays here"
        );
        let (mut peer, _) = listener.accept().unwrap();
        let mut buffer = [0; 16];
        assert_eq!(socket.receive(&mut buffer).unwrap(), Received::Nothing);
        let nothing = wait(&[Interest::Readable(&socket)], Duration::from_micros(10)).unwrap();
        assert_eq!(nothing, [false]);
        let pieces = [IoSlice::new(b"pi"), IoSlice::new(b"ng")];
        assert_eq!(socket.send(&pieces).unwrap(), 4);
        peer.read_exact(&mut buffer[..4]).unwrap();
        assert_eq!(&buffer[..4], b"ping");
        peer.write_all(b"pong").unwrap();
        let answer = wait(&[Interest::Readable(&socket)], Duration::from_secs(5)).unwrap();
        assert_eq!(answer, [true]);
        assert_eq!(socket.receive(&mut buffer).unwrap(), Received::Bytes(4));
        drop(peer);
        wait(&[Interest::Writable(&socket)], Duration::from_secs(5)).unwrap();
        wait(&[Interest::Readable(&socket)], Duration::from_secs(5)).unwrap();
        assert_eq!(socket.receive(&mut buffer).unwrap(), Received::Closed);
    }

    #[test]
    fn jobs_run_side_by_side() {
        let meeting = std::sync::Barrier::new(3);
        let meeting = &meeting;
        let jobs = (0..3).map(|index| {
            move || {
                meeting.wait();
                index * 2
            }
        });
        let mut watched = 0;
        let watch = || watched += 1;
        let results = side_by_side(jobs.collect(), Duration::from_millis(1), watch).unwrap();
        assert_eq!(results, [0, 2, 4]);
    }

    #[test]
    fn random_bits_differ() {
        assert_ne!(random_bits().unwrap(), random_bits().unwrap());
    }
}
