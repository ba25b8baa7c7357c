//! What a server of small requests cannot avoid: an epoll, a receive, a send. It answers frames with a
//! reply as long as a broker's, and does nothing else.

use crate::figures::Figures;
use crate::machine::{real, thread_cpu_s};
use crate::requests::{self, Load};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

const RECEIVE_BYTES: usize = 64 << 10;

/// One connection of the server.
struct Served {
    stream: TcpStream,
    /// Of a frame: what has arrived and is not whole yet.
    pending: Vec<u8>,
}

/// Puts a load of requests on an echo server of one thread: requests in all, per second, and per CPU second.
/// `reply` is a whole frame.
pub fn ask(load: &Load, reply: &[u8]) -> Result<Figures, String> {
    let count = load.frames.len();
    let (answered, cpu) = beside(count, reply, |port| requests::run(port, load))?;
    let requests = real(answered.requests);
    let mut figures = answered.figures();
    figures.insert("requests_per_broker_cpu_s".into(), requests / cpu);
    figures.insert("broker_cpu_us_per_request".into(), cpu * 1e6 / requests);
    Ok(figures)
}

/// Runs an echo server of one thread beside a client of so many connections, which closes them at its end.
/// Gives what the client does, and the CPU seconds of the server since all were open.
pub fn beside<T>(
    count: usize,
    reply: &[u8],
    client: impl FnOnce(u16) -> Result<T, String>,
) -> Result<(T, f64), String> {
    let said = |error: io::Error| format!("the echo server failed: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(said)?;
    listener.set_nonblocking(true).map_err(said)?;
    let port = listener.local_addr().map_err(said)?.port();
    let reply = reply.to_vec();
    let server = std::thread::spawn(move || serve(&listener, count, &reply));
    let done = client(port)?;
    let cpu = server
        .join()
        .map_err(|_| "the echo server panicked".to_owned())?
        .map_err(said)?;
    Ok((done, cpu))
}

/// The listener, among the connections.
const LISTENER: u64 = u64::MAX;

/// Serves so many connections until they are closed; gives the CPU seconds of this thread since all were open.
fn serve(listener: &TcpListener, count: usize, reply: &[u8]) -> io::Result<f64> {
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    let data = EventData::new_u64(LISTENER);
    epoll::add(&poll, listener, data, EventFlags::IN)?;
    let mut served: Vec<Served> = Vec::with_capacity(count);
    let patience = rustix::time::Timespec {
        tv_sec: 30,
        tv_nsec: 0,
    };
    let mut events: Vec<Event> = Vec::with_capacity(count);
    let mut buffer = vec![0; RECEIVE_BYTES];
    let mut answers = Vec::new();
    let mut cpu = 0.0;
    let mut closed = 0;
    while closed < count {
        events.clear();
        epoll::wait(
            &poll,
            rustix::buffer::spare_capacity(&mut events),
            Some(&patience),
        )?;
        if events.is_empty() {
            return Err(io::Error::other("no request for 30 s"));
        }
        for event in &events {
            if event.data.u64() == LISTENER {
                let (stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                let index = u64::try_from(served.len()).expect("usize is 64 bits wide here");
                epoll::add(&poll, &stream, EventData::new_u64(index), EventFlags::IN)?;
                served.push(Served {
                    stream,
                    pending: Vec::new(),
                });
                if served.len() == count {
                    epoll::delete(&poll, listener)?;
                    cpu = thread_cpu_s();
                }
                continue;
            }
            let index = usize::try_from(event.data.u64()).expect("our own index");
            if served[index].answer(&mut buffer, reply, &mut answers)? {
                epoll::delete(&poll, &served[index].stream)?;
                closed += 1;
            }
        }
    }
    Ok(thread_cpu_s() - cpu)
}

impl Served {
    /// Receives once and answers every whole frame; true where the client has hung up.
    fn answer(
        &mut self,
        buffer: &mut [u8],
        reply: &[u8],
        answers: &mut Vec<u8>,
    ) -> io::Result<bool> {
        let count = match self.stream.read(buffer) {
            Ok(0) => return Ok(true),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        self.pending.extend_from_slice(&buffer[..count]);
        answers.clear();
        let mut at = 0;
        while let Some(size) = self.pending[at..].first_chunk::<4>() {
            let size = usize::try_from(i32::from_be_bytes(*size))
                .map_err(|_| io::Error::other("a frame of a negative size"))?;
            if self.pending.len() < at + 4 + size {
                break;
            }
            at += 4 + size;
            answers.extend_from_slice(reply);
        }
        self.pending.drain(..at);
        // A window of replies is far smaller than a socket's buffer.
        if !answers.is_empty() {
            self.stream.write_all(answers)?;
        }
        Ok(false)
    }
}

/// The reply of a broker to one frame, whole: what the echo server then says.
pub fn reply_of(port: u16, frame: &[u8]) -> Result<Vec<u8>, String> {
    let ask = || -> io::Result<Vec<u8>> {
        let mut connection = crate::wire::Connection::open(port, Duration::from_secs(30))?;
        connection.0.write_all(frame)?;
        let body = connection.reply()?;
        let size = i32::try_from(body.len() + 4).map_err(io::Error::other)?;
        let correlation = frame.get(8..12).ok_or(io::ErrorKind::InvalidData)?;
        Ok([&size.to_be_bytes()[..], correlation, &body].concat())
    };
    ask().map_err(|error| format!("cannot ask a broker once: {error}"))
}
