//! Many connections over one epoll, one request in flight on each at most: members of groups.

use crate::wire;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

const REPLY_BYTES_MAX: usize = 16 << 20;
const EVENTS_MAX: usize = 1024;

/// The connections.
pub struct Links {
    poll: OwnedFd,
    links: Vec<Link>,
    events: Vec<Event>,
    buffer: Vec<u8>,
}

struct Link {
    stream: TcpStream,
    /// Of a reply: what has arrived and is not whole yet.
    pending: Vec<u8>,
}

/// The reply to what a connection has asked: its body, behind the correlation id.
pub struct Reply {
    /// Which connection.
    pub link: usize,
    /// What it got.
    pub body: Vec<u8>,
}

impl Links {
    /// Opens so many connections; each is accepted and has been answered once.
    pub fn open(port: u16, count: usize) -> io::Result<Links> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut links = Vec::with_capacity(count);
        for index in 0..count {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_nodelay(true)?;
            let mut connection = wire::Connection(stream);
            wire::ask_versions(&mut connection)?;
            let stream = connection.0;
            stream.set_nonblocking(true)?;
            let data = EventData::new_u64(u64::try_from(index).expect("usize is 64 bits wide"));
            epoll::add(&poll, &stream, data, EventFlags::IN)?;
            links.push(Link {
                stream,
                pending: Vec::new(),
            });
        }
        Ok(Links {
            poll,
            links,
            events: Vec::with_capacity(EVENTS_MAX),
            buffer: vec![0; 64 << 10],
        })
    }

    /// Sends a request. A broker that does not read makes this wait.
    pub fn send(&mut self, link: usize, frame: &[u8]) -> io::Result<()> {
        let stream = &mut self.links[link].stream;
        match stream.write(frame) {
            Ok(count) if count == frame.len() => Ok(()),
            Ok(count) => {
                stream.set_nonblocking(false)?;
                stream.write_all(&frame[count..])?;
                stream.set_nonblocking(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits for replies, at most so long; none where that has passed.
    pub fn replies(&mut self, patience: Duration) -> io::Result<Vec<Reply>> {
        let patience = rustix::time::Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        };
        self.events.clear();
        epoll::wait(
            &self.poll,
            rustix::buffer::spare_capacity(&mut self.events),
            Some(&patience),
        )?;
        let mut replies = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let index = usize::try_from(event.data.u64()).expect("our own index");
            let link = &mut self.links[index];
            if let Some(body) = link.receive(&mut self.buffer)? {
                replies.push(Reply { link: index, body });
            }
        }
        Ok(replies)
    }
}

impl Link {
    /// Receives once; the reply where it is whole.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Vec<u8>>> {
        let count = match self.stream.read(buffer) {
            Ok(0) => return Err(io::Error::other("the broker closed a connection")),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        self.pending.extend_from_slice(&buffer[..count]);
        let Some(size) = self.pending.first_chunk::<4>() else {
            return Ok(None);
        };
        let size = usize::try_from(i32::from_be_bytes(*size)).unwrap_or(0);
        if !(4..=REPLY_BYTES_MAX).contains(&size) {
            return Err(io::Error::other(format!("a reply of {size} bytes")));
        }
        if self.pending.len() < 4 + size {
            return Ok(None);
        }
        if self.pending.len() > 4 + size {
            return Err(io::Error::other("more than one reply to one request"));
        }
        Ok(Some(std::mem::take(&mut self.pending).split_off(8)))
    }
}
