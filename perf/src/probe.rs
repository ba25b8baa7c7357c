//! The limits of this machine in this minute: what memory, the loopback and the page cache give a
//! program that does nothing else. Each probe is bounded in time and says MB (10^6 bytes) per
//! second and, where two threads share the work, the CPU seconds that the server's side took.

use crate::figures::{self, Figures};
use crate::machine::{real, real_length, thread_cpu_s};
use crate::requests::micros;
use hdrhistogram::Histogram;
use rustix::net::RecvFlags;
use std::fs;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// One call of sendfile, as klamm's own are, and what may lie in its socket: so little that a system which paces
/// connections has nothing to queue. Elsewhere it makes no difference (docs/decisions/fetches.md).
const SENDFILE_BYTES: usize = 256 << 10;
const SEND_BUFFER_BYTES: usize = 100 << 10;
const FILE_BYTES: usize = 256 << 20;
const FRAME_BYTES: usize = 128 << 10;
const APPENDED_FILES: usize = 16;
/// A batch ends anywhere in a page.
const UNALIGNED_BYTES: usize = 1000;
const APPENDED_BYTES_MAX: usize = 1 << 30;
const BALL_BYTES: usize = 100;

/// Runs every probe, each for `duration`; `streams` is how many sockets the sendfile loop serves.
pub fn all(work: &Path, duration: Duration, streams: usize) -> Result<Figures, String> {
    let said = |error: io::Error| format!("the limit probe failed: {error}");
    let mut figures = Figures::new();
    figures.insert("memcpy_mb_per_s".into(), memcpy(duration));
    let ping_pong = ping_pong(duration).map_err(said)?;
    for (name, quantile) in [
        ("ping_pong_p50_ms", 0.5),
        ("ping_pong_p99_ms", 0.99),
        ("ping_pong_p999_ms", 0.999),
    ] {
        let micros = ping_pong.value_at_quantile(quantile);
        figures.insert(name.into(), real(micros) / 1e3);
    }
    let (rate, cpu) = loopback(duration).map_err(said)?;
    figures.insert("loopback_mb_per_s".into(), rate);
    figures.insert("loopback_sender_cpu_s_per_gb".into(), cpu);
    let (rate, cpu) = receive_check_write(work, duration).map_err(said)?;
    figures.insert("recv_crc_write_mb_per_s".into(), rate);
    figures.insert("recv_crc_write_cpu_s_per_gb".into(), cpu);
    let (rate, cpu) = receive_check_append(work, duration).map_err(said)?;
    figures.insert("recv_crc_append_mb_per_s".into(), rate);
    figures.insert("recv_crc_append_cpu_s_per_gb".into(), cpu);
    figures.insert("append_cpu_s_per_gb".into(), append(work).map_err(said)?);
    figures.extend(
        sendfile(work, duration, streams)?
            .iter()
            .map(|(name, value)| (name.clone(), *value)),
    );
    Ok(figures)
}

/// The sendfile loop alone.
pub fn sendfile(work: &Path, duration: Duration, streams: usize) -> Result<Figures, String> {
    let (rate, cpu) = sendfile_loop(work, duration, streams)
        .map_err(|error| format!("the sendfile probe failed: {error}"))?;
    Ok(Figures::from([
        ("sendfile_mb_per_s".into(), rate),
        ("sendfile_cpu_s_per_gb".into(), cpu),
    ]))
}

/// What syncing asks for: one append of so many bytes and one fdatasync after the other, each
/// counted as one that was acknowledged.
pub fn sync(work: &Path, duration: Duration, bytes: usize) -> Result<Figures, String> {
    let path = work.join("probe-sync");
    let append = || -> io::Result<Figures> {
        let mut file = fs::File::create(&path)?;
        let frame = vec![7_u8; bytes];
        let mut latencies = figures::latencies();
        let start = Instant::now();
        while start.elapsed() < duration {
            let before = Instant::now();
            file.write_all(&frame)?;
            file.sync_data()?;
            latencies.saturating_record(micros(before.elapsed()));
        }
        let rate = real(latencies.len()) / start.elapsed().as_secs_f64();
        let mut figures = Figures::from([("acks_per_s".into(), rate)]);
        figures.put_latencies(&latencies);
        fs::remove_file(&path)?;
        Ok(figures)
    };
    append().map_err(|error| format!("the sync probe failed: {error}"))
}

/// A hundred bytes there and back between two threads that sleep meanwhile, in µs.
fn ping_pong(duration: Duration) -> io::Result<Histogram<u64>> {
    let (mut client, mut server) = pair()?;
    let echo = std::thread::spawn(move || {
        let mut ball = [0; BALL_BYTES];
        while server.read_exact(&mut ball).is_ok() && server.write_all(&ball).is_ok() {}
    });
    let mut ball = [7; BALL_BYTES];
    let mut latencies = figures::latencies();
    let start = Instant::now();
    while start.elapsed() < duration {
        let before = Instant::now();
        client.write_all(&ball)?;
        client.read_exact(&mut ball)?;
        latencies.saturating_record(micros(before.elapsed()));
    }
    drop(client);
    echo.join()
        .map_err(|_| io::Error::other("the echo panicked"))?;
    Ok(latencies)
}

fn memcpy(duration: Duration) -> f64 {
    let from = vec![1_u8; FILE_BYTES];
    let mut to = vec![2_u8; FILE_BYTES];
    let start = Instant::now();
    let mut bytes = 0;
    while start.elapsed() < duration {
        black_box(&mut to).copy_from_slice(black_box(&from));
        bytes += FILE_BYTES;
    }
    real_length(bytes) / 1e6 / start.elapsed().as_secs_f64()
}

fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    }
    Ok((client, server))
}

/// Receives and throws away until the other side closes, without copying: the cheapest reader.
pub fn discard_all(stream: &TcpStream) -> io::Result<usize> {
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        let (_, count) = rustix::net::recv(stream, &mut buffer[..], RecvFlags::TRUNC)?;
        if count == 0 {
            return Ok(total);
        }
        total += count;
    }
}

fn loopback(duration: Duration) -> io::Result<(f64, f64)> {
    let (client, server) = pair()?;
    let reader = std::thread::spawn(move || discard_all(&client));
    let buffer = vec![7_u8; SENDFILE_BYTES];
    let (start, cpu) = (Instant::now(), thread_cpu_s());
    while start.elapsed() < duration {
        (&server).write_all(&buffer)?;
    }
    let cpu = thread_cpu_s() - cpu;
    drop(server);
    let bytes = reader
        .join()
        .map_err(|_| io::Error::other("the reader panicked"))??;
    let gigabytes = real_length(bytes) / 1e9;
    Ok((
        gigabytes * 1e3 / start.elapsed().as_secs_f64(),
        cpu / gigabytes,
    ))
}

/// What a broker cannot avoid on produce: receive a frame, check its CRC, write it to a file. Round and
/// round one file, as over recycled segments: its pages are there.
fn receive_check_write(work: &Path, duration: Duration) -> io::Result<(f64, f64)> {
    let path = work.join("probe-write");
    let file = fill(&path)?;
    let mut bytes = 0;
    let figures = receive_and_check(FRAME_BYTES, duration, |frame| {
        file.write_all_at(frame, real_offset(bytes % FILE_BYTES))?;
        bytes += frame.len();
        Ok(true)
    })?;
    fs::remove_file(&path)?;
    Ok(figures)
}

/// The same into files that grow, one after the other, each write ending where a batch would: what a log
/// pays, whose pages are new.
fn receive_check_append(work: &Path, duration: Duration) -> io::Result<(f64, f64)> {
    let (paths, mut files) = grown(work)?;
    let mut turn = 0;
    let figures = receive_and_check(FRAME_BYTES + UNALIGNED_BYTES, duration, |frame| {
        files[turn % APPENDED_FILES].write_all(frame)?;
        turn += 1;
        Ok(turn * frame.len() < APPENDED_BYTES_MAX)
    })?;
    for path in &paths {
        fs::remove_file(path)?;
    }
    Ok(figures)
}

/// Receives frames and checks them, and lets each be written, until the time is over or nothing more is to
/// be written. MB per second, and CPU seconds per GB of the one thread.
fn receive_and_check(
    frame_bytes: usize,
    duration: Duration,
    mut write: impl FnMut(&[u8]) -> io::Result<bool>,
) -> io::Result<(f64, f64)> {
    let (client, server) = pair()?;
    let writer = std::thread::spawn(move || {
        let frame = vec![7_u8; frame_bytes];
        while (&client).write_all(&frame).is_ok() {}
    });
    let mut frame = vec![0_u8; frame_bytes];
    let (start, cpu) = (Instant::now(), thread_cpu_s());
    let mut bytes = 0;
    let mut goes_on = true;
    while goes_on && start.elapsed() < duration {
        (&server).read_exact(&mut frame)?;
        black_box(crc32c::crc32c(&frame));
        goes_on = write(&frame)?;
        bytes += frame.len();
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), thread_cpu_s() - cpu);
    drop(server);
    writer
        .join()
        .map_err(|_| io::Error::other("the writer panicked"))?;
    let gigabytes = real_length(bytes) / 1e9;
    Ok((gigabytes * 1e3 / seconds, cpu / gigabytes))
}

/// Empty files to append to.
fn grown(work: &Path) -> io::Result<(Vec<PathBuf>, Vec<fs::File>)> {
    let paths: Vec<_> = (0..APPENDED_FILES)
        .map(|place| work.join(format!("probe-append-{place}")))
        .collect();
    let files = paths.iter().map(fs::File::create_new);
    let files = files.collect::<io::Result<Vec<_>>>()?;
    Ok((paths, files))
}

/// What the page cache asks for new pages: CPU seconds per GB of appends, each of half a frame, to
/// files that grow.
fn append(work: &Path) -> io::Result<f64> {
    let frame = vec![7_u8; FRAME_BYTES / 2 + UNALIGNED_BYTES];
    let (paths, mut files) = grown(work)?;
    let cpu = thread_cpu_s();
    let mut bytes = 0;
    while bytes < FILE_BYTES {
        for file in &mut files {
            file.write_all(&frame)?;
            bytes += frame.len();
        }
    }
    let cpu = thread_cpu_s() - cpu;
    for path in &paths {
        fs::remove_file(path)?;
    }
    Ok(cpu / (real_length(bytes) / 1e9))
}

/// A file whose pages are resident: their first touch is paid for before the clock runs.
fn fill(path: &Path) -> io::Result<fs::File> {
    let mut file = fs::File::create_new(path)?;
    let chunk = vec![7_u8; 1 << 20];
    for _ in 0..FILE_BYTES / chunk.len() {
        file.write_all(&chunk)?;
    }
    Ok(file)
}

fn real_offset(bytes: usize) -> u64 {
    u64::try_from(bytes).expect("usize is 64 bits wide here")
}

/// What a broker cannot avoid on fetch: resident pages to sockets, one thread per socket.
fn sendfile_loop(work: &Path, duration: Duration, streams: usize) -> io::Result<(f64, f64)> {
    let path = work.join("probe-send");
    fill(&path)?;
    let start = Instant::now();
    let mut threads = Vec::new();
    for _ in 0..streams {
        let (client, server) = pair()?;
        rustix::net::sockopt::set_socket_send_buffer_size(&server, SEND_BUFFER_BYTES)?;
        let file = fs::File::open(&path)?;
        let sender = std::thread::spawn(move || -> io::Result<f64> {
            let cpu = thread_cpu_s();
            let mut offset = 0;
            while start.elapsed() < duration {
                rustix::fs::sendfile(&server, &file, Some(&mut offset), SENDFILE_BYTES)?;
                if offset >= real_offset(FILE_BYTES) {
                    offset = 0;
                }
            }
            Ok(thread_cpu_s() - cpu)
        });
        threads.push((sender, std::thread::spawn(move || discard_all(&client))));
    }
    let (mut bytes, mut cpu) = (0, 0.0);
    for (sender, reader) in threads {
        cpu += sender
            .join()
            .map_err(|_| io::Error::other("the sender panicked"))??;
        bytes += reader
            .join()
            .map_err(|_| io::Error::other("the reader panicked"))??;
    }
    let seconds = start.elapsed().as_secs_f64();
    fs::remove_file(&path)?;
    let gigabytes = real(real_offset(bytes)) / 1e9;
    Ok((gigabytes * 1e3 / seconds, cpu / gigabytes))
}
