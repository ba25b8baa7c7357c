//! Many small requests: one thread, one epoll, connections that each keep a window of requests in
//! flight, the same frame again and again. Frames are built beforehand.

use crate::figures::{self, Figures};
use hdrhistogram::Histogram;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// No run asks more often than this, whatever its time.
const REQUESTS_MAX: u64 = 20_000_000;
const REPLY_BYTES_MAX: usize = 4 << 10;

/// What shall be asked.
#[derive(Clone, Debug)]
pub struct Load {
    /// What each connection sends, over and over.
    pub frames: Vec<Vec<u8>>,
    /// Requests in flight on each.
    pub window: usize,
    /// For how long requests are sent.
    pub duration: Duration,
    /// The error code in the body of a reply.
    pub error_of: fn(&[u8]) -> io::Result<i16>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Requests that were acknowledged.
    pub requests: u64,
    /// From the first request to the last reply.
    pub seconds: f64,
    /// From a request to its reply, in µs.
    pub latencies: Histogram<u64>,
}

impl Answered {
    /// Counts, rate and latencies.
    pub fn figures(&self) -> Figures {
        let requests = crate::machine::real(self.requests);
        let mut figures = Figures::from([
            ("requests".into(), requests),
            ("requests_per_s".into(), requests / self.seconds),
        ]);
        figures.put_latencies(&self.latencies);
        figures
    }
}

struct Asking {
    stream: TcpStream,
    /// `window` frames, one after the other.
    frames: Vec<u8>,
    frame_bytes: usize,
    /// Of replies: what has arrived and is not whole yet.
    pending: Vec<u8>,
    /// When each request that is not answered was sent.
    sent_at: VecDeque<Instant>,
}

/// Asks until the time is over, then waits for what is in flight.
pub fn run(port: u16, load: &Load) -> Result<Answered, String> {
    drive(port, load).map_err(|error| format!("small requests failed: {error}"))
}

fn drive(port: u16, load: &Load) -> io::Result<Answered> {
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    let mut asking = Vec::new();
    for (index, frame) in load.frames.iter().enumerate() {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let data = EventData::new_u64(u64::try_from(index).expect("usize is 64 bits wide here"));
        epoll::add(&poll, &stream, data, EventFlags::IN)?;
        asking.push(Asking {
            stream,
            frames: frame.repeat(load.window),
            frame_bytes: frame.len(),
            pending: Vec::new(),
            sent_at: VecDeque::with_capacity(load.window),
        });
    }
    let start = Instant::now();
    for connection in &mut asking {
        connection.send(load.window)?;
    }
    let patience = rustix::time::Timespec {
        tv_sec: 30,
        tv_nsec: 0,
    };
    let mut events: Vec<Event> = Vec::with_capacity(load.frames.len());
    let mut buffer = vec![0; 64 << 10];
    let mut requests = 0;
    let mut latencies = figures::latencies();
    while asking
        .iter()
        .any(|connection| !connection.sent_at.is_empty())
    {
        events.clear();
        epoll::wait(
            &poll,
            rustix::buffer::spare_capacity(&mut events),
            Some(&patience),
        )?;
        if events.is_empty() {
            return Err(io::Error::other("no reply for 30 s"));
        }
        let sending = start.elapsed() < load.duration && requests < REQUESTS_MAX;
        for event in &events {
            let index = usize::try_from(event.data.u64()).expect("our own index");
            let answered = asking[index].receive(&mut buffer, load.error_of, &mut latencies)?;
            requests += u64::try_from(answered).expect("a small count");
            if sending && answered > 0 {
                asking[index].send(answered)?;
            }
        }
    }
    Ok(Answered {
        requests,
        seconds: start.elapsed().as_secs_f64(),
        latencies,
    })
}

impl Asking {
    fn send(&mut self, count: usize) -> io::Result<()> {
        // A window is far smaller than a socket's buffer: it fits, or the broker does not read.
        self.stream
            .write_all(&self.frames[..count * self.frame_bytes])?;
        let now = Instant::now();
        self.sent_at.extend(std::iter::repeat_n(now, count));
        Ok(())
    }

    /// Receives once and counts the whole replies, each of which must be without an error.
    fn receive(
        &mut self,
        buffer: &mut [u8],
        error_of: fn(&[u8]) -> io::Result<i16>,
        latencies: &mut Histogram<u64>,
    ) -> io::Result<usize> {
        let count = match self.stream.read(buffer) {
            Ok(0) => return Err(io::Error::other("the broker closed a connection")),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error),
        };
        self.pending.extend_from_slice(&buffer[..count]);
        let mut at = 0;
        let mut replies = 0;
        while let Some(size) = self.pending[at..].first_chunk::<4>() {
            let size = usize::try_from(i32::from_be_bytes(*size)).unwrap_or(0);
            if !(8..=REPLY_BYTES_MAX).contains(&size) {
                return Err(io::Error::other(format!("a reply of {size} bytes")));
            }
            let Some(reply) = self.pending.get(at + 4..at + 4 + size) else {
                break;
            };
            let error = error_of(&reply[4..])?;
            if error != 0 {
                return Err(io::Error::other(format!("error code {error}")));
            }
            at += 4 + size;
            replies += 1;
        }
        self.pending.drain(..at);
        if replies > 0 {
            let now = Instant::now();
            for _ in 0..replies {
                let sent = self.sent_at.pop_front();
                let sent = sent.ok_or(io::Error::other("more replies than requests"))?;
                latencies.saturating_record(micros(now.duration_since(sent)));
            }
        }
        Ok(replies)
    }
}

/// Whole µs, for a histogram.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
