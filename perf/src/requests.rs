//! Many small requests: one thread, one epoll, 64 connections that each keep a window of Produce
//! requests in flight, every request one batch of one record. Frames are built beforehand.

use crate::wire;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// No run asks more often than this, whatever its time.
const REQUESTS_MAX: u64 = 20_000_000;
const REPLY_BYTES_MAX: usize = 4 << 10;

/// What shall be asked.
#[derive(Clone, Debug)]
pub struct Load {
    /// Connection i produces to partition i modulo `partitions`.
    pub topic: String,
    /// Partitions of the topic.
    pub partitions: i32,
    /// Sockets.
    pub connections: usize,
    /// Requests in flight on each.
    pub window: usize,
    /// Bytes of the record's value.
    pub value_bytes: usize,
    /// For how long requests are sent.
    pub duration: Duration,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// Requests that were acknowledged.
    pub requests: u64,
    /// From the first request to the last reply.
    pub seconds: f64,
}

struct Asking {
    stream: TcpStream,
    /// `window` frames, one after the other.
    frames: Vec<u8>,
    frame_bytes: usize,
    /// Of replies: what has arrived and is not whole yet.
    pending: Vec<u8>,
    in_flight: usize,
}

/// Asks until the time is over, then waits for what is in flight.
pub fn run(port: u16, load: &Load, now_ms: i64) -> Result<Answered, String> {
    drive(port, load, now_ms).map_err(|error| format!("small requests failed: {error}"))
}

fn drive(port: u16, load: &Load, now_ms: i64) -> io::Result<Answered> {
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    let batch = wire::batch(1, &vec![b'v'; load.value_bytes], now_ms);
    let mut asking = Vec::new();
    for index in 0..load.connections {
        let partition = i32::try_from(index).expect("few connections") % load.partitions;
        let frame = wire::produce(&load.topic, partition, &batch);
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
            in_flight: 0,
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
    let mut events: Vec<Event> = Vec::with_capacity(load.connections);
    let mut buffer = vec![0; 64 << 10];
    let mut requests = 0;
    while asking.iter().any(|connection| connection.in_flight > 0) {
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
            let answered = asking[index].receive(&mut buffer)?;
            requests += u64::try_from(answered).expect("a small count");
            if sending && answered > 0 {
                asking[index].send(answered)?;
            }
        }
    }
    Ok(Answered {
        requests,
        seconds: start.elapsed().as_secs_f64(),
    })
}

impl Asking {
    fn send(&mut self, count: usize) -> io::Result<()> {
        // A window is far smaller than a socket's buffer: it fits, or the broker does not read.
        self.stream
            .write_all(&self.frames[..count * self.frame_bytes])?;
        self.in_flight += count;
        Ok(())
    }

    /// Receives once and counts the whole replies, each of which must be without an error.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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
            let error = wire::produce_error(&reply[4..])?;
            if error != 0 {
                return Err(io::Error::other(format!("error code {error}")));
            }
            at += 4 + size;
            replies += 1;
        }
        self.pending.drain(..at);
        self.in_flight = self
            .in_flight
            .checked_sub(replies)
            .ok_or(io::Error::other("more replies than requests"))?;
        Ok(replies)
    }
}
