//! What this machine gives in this minute to a program that does nothing else: copying memory,
//! a stream over loopback, a few bytes there and back, checksums, receiving and writing, sending what
//! is in memory, and waiting for the device. Each probe runs for about as long as it is told.
//! `perf/src/probe.rs` has the same ones, by code of its own.

use super::io::Sent;
use super::native::sys;
use crate::base::convert::{f64_from, u64_from};
use socket2::SockRef;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Larger than the caches, so that memory is what is measured.
const MEMORY_BYTES: usize = 128 << 20;
/// What a large batch has.
const FRAME_BYTES: usize = 128 << 10;
/// The file that is written round and round.
const FILE_BYTES: usize = 64 << 20;
/// What is appended before each wait for the device.
const APPEND_BYTES: usize = 4 << 10;
/// What goes there and back.
const BALL_BYTES: usize = 100;
/// One call of sendfile, as klamm's own are, and what may lie in its socket: so little that a system which paces
/// connections has nothing to queue. Elsewhere it makes no difference (docs/decisions/fetches.md).
const SENDFILE_BYTES: usize = 256 << 10;
const SEND_BUFFER_BYTES: usize = 100 << 10;
/// Sockets that the sendfile loop serves, a thread each: as many as in `perf/`.
const SENDFILE_SOCKETS: usize = 4;
/// What a reader that throws away asks for at a time.
const DISCARD_BYTES: usize = 1 << 20;
/// Longest wait of one side for the other.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(30);

/// MB (10^6 bytes) per second of copying memory that no cache holds.
#[must_use]
pub fn memcpy_mb_per_s(duration: Duration) -> f64 {
    let from = vec![1_u8; MEMORY_BYTES];
    let mut to = vec![2_u8; MEMORY_BYTES];
    let start = Instant::now();
    let mut bytes = 0;
    while bytes == 0 || start.elapsed() < duration {
        black_box(&mut to).copy_from_slice(black_box(&from));
        bytes += MEMORY_BYTES;
    }
    rate(bytes, start)
}

/// MB per second of a checksum over frames that lie in the cache.
#[must_use]
pub fn checksum_mb_per_s(duration: Duration, checksum: fn(&[u8]) -> u32) -> f64 {
    let frame = vec![7_u8; FRAME_BYTES];
    let start = Instant::now();
    let mut bytes = 0;
    while bytes == 0 || start.elapsed() < duration {
        black_box(checksum(black_box(&frame)));
        bytes += FRAME_BYTES;
    }
    rate(bytes, start)
}

/// MB per second of one stream over loopback.
pub fn loopback_mb_per_s(duration: Duration) -> io::Result<f64> {
    streamed(duration, |_| Ok(()))
}

/// MB per second of what a broker cannot avoid: receive a frame, check it, write it to a file.
pub fn receive_check_write_mb_per_s(
    folder: &Path,
    duration: Duration,
    checksum: fn(&[u8]) -> u32,
) -> io::Result<f64> {
    let path = folder.join(format!(".klamm-probe-write-{}", std::process::id()));
    let file = std::fs::File::create(&path)?;
    let measured = file.set_len(u64_from(FILE_BYTES)).and_then(|()| {
        let mut position = 0;
        streamed(duration, |frame| {
            black_box(checksum(frame));
            // Round and round one file, so that the disk's space is bounded.
            file.write_all_at(frame, u64_from(position % FILE_BYTES))?;
            position += frame.len();
            Ok(())
        })
    });
    std::fs::remove_file(&path)?;
    measured
}

/// Milliseconds that 100 bytes take there and back between two threads that sleep meanwhile: the
/// median and the 99th percentile.
pub fn ping_pong_ms(duration: Duration) -> io::Result<(f64, f64)> {
    let (mut client, mut server) = pair()?;
    std::thread::scope(|scope| {
        let echo = std::thread::Builder::new().spawn_scoped(scope, move || {
            let mut ball = [0; BALL_BYTES];
            // It ends when the other side closes.
            while server.read_exact(&mut ball).is_ok() && server.write_all(&ball).is_ok() {}
        })?;
        let mut ball = [7; BALL_BYTES];
        let mut times = Vec::new();
        let mut played = Ok(());
        let start = Instant::now();
        while played.is_ok() && (times.is_empty() || start.elapsed() < duration) {
            let before = Instant::now();
            played = client
                .write_all(&ball)
                .and_then(|()| client.read_exact(&mut ball));
            times.push(before.elapsed());
        }
        drop(client);
        echo.join()
            .map_err(|_| io::Error::other("the echo panicked"))?;
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        played.map(|()| (at(50), at(99)))
    })
}

/// MB per second of what a broker cannot avoid on fetch: pages that are in memory to sockets, whose
/// other ends throw away what comes.
pub fn sendfile_mb_per_s(folder: &Path, duration: Duration) -> io::Result<f64> {
    let path = folder.join(format!(".klamm-probe-send-{}", std::process::id()));
    let mut file = std::fs::File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)?;
    let measured = fill(&mut file).and_then(|()| serve(&file, duration));
    drop(file);
    std::fs::remove_file(&path)?;
    measured
}

/// How often a second 4 KiB can be appended to a file and waited for (fdatasync).
pub fn synced_appends_per_s(folder: &Path, duration: Duration) -> io::Result<f64> {
    let path = folder.join(format!(".klamm-probe-sync-{}", std::process::id()));
    let mut file = std::fs::File::create(&path)?;
    let block = vec![7_u8; APPEND_BYTES];
    let start = Instant::now();
    let mut count = 0;
    let mut measured = Ok(());
    while measured.is_ok() && (count == 0 || start.elapsed() < duration) {
        measured = file.write_all(&block).and_then(|()| file.sync_data());
        count += 1;
    }
    let rate = f64_from(count) / start.elapsed().as_secs_f64().max(1e-6);
    drop(file);
    std::fs::remove_file(&path)?;
    measured.map(|()| rate)
}

/// Sends frames over loopback for so long, and gives each to `take` where it is received.
fn streamed(duration: Duration, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<f64> {
    let (client, mut server) = pair()?;
    std::thread::scope(|scope| {
        let sender = std::thread::Builder::new().spawn_scoped(scope, move || {
            let frame = vec![7_u8; FRAME_BYTES];
            // It ends when the other side closes.
            while (&client).write_all(&frame).is_ok() {}
        })?;
        let mut frame = vec![0_u8; FRAME_BYTES];
        let start = Instant::now();
        let mut bytes = 0;
        let mut received = Ok(());
        while received.is_ok() && (bytes == 0 || start.elapsed() < duration) {
            received = server.read_exact(&mut frame).and_then(|()| take(&frame));
            bytes += FRAME_BYTES;
        }
        let rate = rate(bytes, start);
        drop(server);
        sender
            .join()
            .map_err(|_| io::Error::other("the sender panicked"))?;
        received.map(|()| rate)
    })
}

/// Both ends of a connection over loopback.
fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SOCKET_TIMEOUT))?;
        stream.set_write_timeout(Some(SOCKET_TIMEOUT))?;
    }
    Ok((client, server))
}

/// Has a file's pages in memory: their first touch is paid for before the clock runs.
fn fill(file: &mut std::fs::File) -> io::Result<()> {
    let chunk = vec![7_u8; 1 << 20];
    for _ in 0..MEMORY_BYTES / chunk.len() {
        file.write_all(&chunk)?;
    }
    Ok(())
}

/// Sends a file round and round to sockets, each by a thread of its own; MB per second.
fn serve(file: &std::fs::File, duration: Duration) -> io::Result<f64> {
    let mut pairs = Vec::new();
    for _ in 0..SENDFILE_SOCKETS {
        pairs.push(pair()?);
    }
    std::thread::scope(|scope| {
        let start = Instant::now();
        let mut senders = Vec::new();
        let mut readers = Vec::new();
        for (client, server) in pairs {
            let server = OwnedFd::from(server);
            SockRef::from(&server).set_send_buffer_size(SEND_BUFFER_BYTES)?;
            let sender = std::thread::Builder::new()
                .spawn_scoped(scope, move || send_round(file, &server, start, duration))?;
            senders.push(sender);
            let reader =
                std::thread::Builder::new().spawn_scoped(scope, move || discard_all(&client))?;
            readers.push(reader);
        }
        for sender in senders {
            sender
                .join()
                .map_err(|_| io::Error::other("a sender panicked"))??;
        }
        let mut bytes = 0;
        for reader in readers {
            bytes += reader
                .join()
                .map_err(|_| io::Error::other("a reader panicked"))??;
        }
        Ok(rate(bytes, start))
    })
}

/// Sends a file to a socket, which waits where it is full, until the time is over.
fn send_round(
    file: &std::fs::File,
    socket: &OwnedFd,
    start: Instant,
    duration: Duration,
) -> io::Result<()> {
    let mut sent = 0;
    while sent == 0 || start.elapsed() < duration {
        let offset = sent % u64_from(MEMORY_BYTES);
        match sys::send_file(socket, file.as_raw_fd(), offset, SENDFILE_BYTES) {
            Sent::Bytes(count) => sent += u64_from(count),
            Sent::Blocked | Sent::Broken => {
                return Err(io::Error::other("sendfile sends nothing more"));
            }
        }
    }
    Ok(())
}

/// Receives and throws away until the other side closes, without copying: the cheapest reader.
#[expect(unsafe_code, reason = "the standard library receives without flags")]
fn discard_all(stream: &TcpStream) -> io::Result<usize> {
    let mut buffer = vec![0_u8; DISCARD_BYTES];
    let mut total = 0;
    loop {
        // SAFETY: the buffer is borrowed mutably and `len` bytes long.
        let count = unsafe {
            libc::recv(
                stream.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                libc::MSG_TRUNC,
            )
        };
        match usize::try_from(count) {
            Ok(0) => return Ok(total),
            Ok(count) => total += count,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
}

fn rate(bytes: usize, start: Instant) -> f64 {
    f64_from(u64_from(bytes)) / 1e6 / start.elapsed().as_secs_f64().max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probe_gives_a_rate_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        // Whoever is held up for longer than that has done something once all the same.
        let short = Duration::ZERO;
        let checksum: fn(&[u8]) -> u32 = |bytes| u32::from(bytes[0]);
        let rates = [
            memcpy_mb_per_s(short),
            checksum_mb_per_s(short, checksum),
            loopback_mb_per_s(short).unwrap(),
            receive_check_write_mb_per_s(folder.path(), short, checksum).unwrap(),
            synced_appends_per_s(folder.path(), short).unwrap(),
            sendfile_mb_per_s(folder.path(), short).unwrap(),
        ];
        assert!(rates.iter().all(|rate| *rate > 0.0), "{rates:?}");
        let (p50, p99) = ping_pong_ms(short).unwrap();
        assert!(0.0 < p50 && p50 <= p99, "{p50} {p99}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let nowhere = Path::new("/proc/nowhere");
        assert!(synced_appends_per_s(nowhere, Duration::ZERO).is_err());
        assert!(sendfile_mb_per_s(nowhere, Duration::ZERO).is_err());
    }
}
