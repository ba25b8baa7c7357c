//! A reader that costs as little as a reader can, so that the broker is the limit: Fetch v4 over
//! plain sockets, one thread for each, batch headers looked at for the next offset, records
//! thrown away inside the kernel (`MSG_TRUNC`).
//!
//! ```text
//! reply: length i32 │ correlation i32 │ throttle i32 │ topics i32 = 1 │ name │ partitions i32
//!   each: index i32 │ error i16 │ high watermark i64 │ last stable i64 │ aborted i32 × (i64 i64) │ bytes i32 │ records
//! ```

use crate::wire::{Encoder, FETCH, frame};
use rustix::net::RecvFlags;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// The defaults of Apache's consumer: fetch.max.bytes and max.partition.fetch.bytes.
const RESPONSE_BYTES_MAX: i32 = 50 << 20;
const PARTITION_BYTES_MAX: i32 = 1 << 20;
const BATCH_HEADER_BYTES: usize = 61;

/// What was read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fetched {
    /// Bytes of record batches.
    pub bytes: usize,
    /// By the clock, from the first request to the last reply.
    pub seconds: f64,
}

/// Reads the topic's partitions round and round for `duration`, spread over `connections`.
pub fn fetch(
    port: u16,
    topic: &str,
    partitions: usize,
    connections: usize,
    duration: Duration,
) -> Result<Fetched, String> {
    let start = Instant::now();
    let threads: Vec<_> = (0..connections)
        .map(|connection| {
            let mine: Vec<usize> = (0..partitions)
                .filter(|index| index % connections == connection)
                .collect();
            let topic = topic.to_owned();
            std::thread::spawn(move || Reader::open(port, &topic, &mine)?.run(start, duration))
        })
        .collect();
    let mut bytes = 0;
    for thread in threads {
        bytes += thread
            .join()
            .map_err(|_| "a fetching thread panicked".to_owned())?
            .map_err(|error| format!("fetching failed: {error}"))?;
    }
    Ok(Fetched {
        bytes,
        seconds: start.elapsed().as_secs_f64(),
    })
}

struct Reader {
    input: Input,
    topic: String,
    /// Partition and the next offset.
    positions: Vec<(i32, i64)>,
}

impl Reader {
    fn open(port: u16, topic: &str, partitions: &[usize]) -> io::Result<Reader> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Reader {
            input: Input::new(stream),
            topic: topic.to_owned(),
            positions: partitions
                .iter()
                .map(|index| (i32::try_from(*index).expect("few partitions"), 0))
                .collect(),
        })
    }

    fn run(mut self, start: Instant, duration: Duration) -> io::Result<usize> {
        let mut bytes = 0;
        while start.elapsed() < duration {
            let request = self.request();
            self.input.stream.write_all(&request)?;
            bytes += self.reply()?;
        }
        Ok(bytes)
    }

    fn request(&mut self) -> Vec<u8> {
        // The one that came first goes last: a response limit then starves nobody.
        self.positions.rotate_left(1);
        let mut body = Encoder::default();
        body.int32(-1)
            .int32(500)
            .int32(1)
            .int32(RESPONSE_BYTES_MAX)
            .int8(0);
        body.int32(1).string(&self.topic);
        body.int32(i32::try_from(self.positions.len()).expect("few partitions"));
        for (partition, offset) in &self.positions {
            body.int32(*partition)
                .int64(*offset)
                .int32(PARTITION_BYTES_MAX);
        }
        frame(FETCH, 4, &body.0)
    }

    /// Reads one reply and moves the positions; gives the bytes of records in it.
    fn reply(&mut self) -> io::Result<usize> {
        let input = &mut self.input;
        let size = input.length()?;
        input.left = size;
        input.skip(8)?;
        let mut total = 0;
        for _ in 0..input.length()? {
            let name = usize::from(u16::from_be_bytes(input.array()?));
            input.skip(name)?;
            for _ in 0..input.length()? {
                let partition = i32::from_be_bytes(input.array()?);
                let error = i16::from_be_bytes(input.array()?);
                let high_watermark = i64::from_be_bytes(input.array()?);
                input.skip(8)?;
                let aborted = i32::from_be_bytes(input.array()?);
                input.skip(16 * usize::try_from(aborted).unwrap_or(0))?;
                let bytes = usize::try_from(i32::from_be_bytes(input.array()?)).unwrap_or(0);
                if error != 0 {
                    return Err(io::Error::other(format!(
                        "partition {partition}: error {error}"
                    )));
                }
                total += bytes;
                if let Some(next) = input.batches(bytes)? {
                    let next = if next >= high_watermark { 0 } else { next };
                    let mine = self.positions.iter_mut().find(|mine| mine.0 == partition);
                    mine.ok_or(io::Error::other("a partition nobody asked for"))?
                        .1 = next;
                }
            }
        }
        if input.left != 0 {
            return Err(io::Error::other(format!(
                "{} bytes after the reply",
                input.left
            )));
        }
        Ok(total)
    }
}

/// A socket read through a small buffer; long stretches are skipped without being copied.
struct Input {
    stream: TcpStream,
    buffer: Vec<u8>,
    taken: usize,
    filled: usize,
    /// What is left of the reply: nothing is read past it.
    left: usize,
    /// `recv` wants a slice as long as what it shall discard, though it writes nothing there.
    discarded: Vec<u8>,
}

impl Input {
    fn new(stream: TcpStream) -> Input {
        Input {
            stream,
            buffer: vec![0; 4 << 10],
            taken: 0,
            filled: 0,
            left: 4,
            discarded: vec![0; 1 << 20],
        }
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut array = [0; N];
        let mut have = 0;
        self.left = self
            .left
            .checked_sub(N)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        while have < N {
            if self.taken == self.filled {
                self.filled = self.stream.read(&mut self.buffer)?;
                self.taken = 0;
                if self.filled == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let count = (N - have).min(self.filled - self.taken);
            array[have..have + count].copy_from_slice(&self.buffer[self.taken..self.taken + count]);
            have += count;
            self.taken += count;
        }
        Ok(array)
    }

    /// A count or length, or, between replies, the length of the next.
    fn length(&mut self) -> io::Result<usize> {
        if self.left == 0 {
            self.left = 4;
        }
        usize::try_from(i32::from_be_bytes(self.array()?))
            .map_err(|_| io::Error::other("a negative length"))
    }

    fn skip(&mut self, count: usize) -> io::Result<()> {
        self.left = self
            .left
            .checked_sub(count)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let buffered = count.min(self.filled - self.taken);
        self.taken += buffered;
        let mut rest = count - buffered;
        while rest > 0 {
            let length = rest.min(self.discarded.len());
            let flags = RecvFlags::TRUNC | RecvFlags::WAITALL;
            let (_, count) = rustix::net::recv(&self.stream, &mut self.discarded[..length], flags)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            rest -= count;
        }
        Ok(())
    }

    /// Walks record batches of `bytes` in all; gives the offset after the last whole one.
    fn batches(&mut self, mut bytes: usize) -> io::Result<Option<i64>> {
        let mut next = None;
        while bytes >= BATCH_HEADER_BYTES {
            let base_offset = i64::from_be_bytes(self.array()?);
            let length = self.length()?;
            self.skip(11)?;
            let last_offset_delta = i32::from_be_bytes(self.array()?);
            let read = 8 + 4 + 11 + 4;
            let whole = length + 12;
            if whole < BATCH_HEADER_BYTES {
                return Err(io::Error::other(format!("a batch of {whole} bytes")));
            }
            if whole > bytes {
                // The last one is cut off at the limit: it is read again.
                self.skip(bytes - read)?;
                return Ok(next);
            }
            self.skip(whole - read)?;
            next = Some(base_offset + i64::from(last_offset_delta) + 1);
            bytes -= whole;
        }
        self.skip(bytes)?;
        Ok(next)
    }
}
