//! The few requests that a load generator needs, encoded by hand at old, inflexible versions that
//! Apache Kafka 4 and klamm both serve. It shares no code with klamm: a mistake in klamm's codec
//! cannot hide here.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

/// API keys.
pub const PRODUCE: i16 = 0;
/// See [`PRODUCE`].
pub const FETCH: i16 = 1;
const LIST_OFFSETS: i16 = 2;
const API_VERSIONS: i16 = 18;
const CREATE_TOPICS: i16 = 19;
const DELETE_TOPICS: i16 = 20;

const CLIENT_ID: &str = "klamm-perf";
const REPLY_BYTES_MAX: usize = 64 << 20;

/// Big-endian primitives, appended.
#[derive(Clone, Debug, Default)]
pub struct Encoder(pub Vec<u8>);

impl Encoder {
    /// int8
    pub fn int8(&mut self, value: i8) -> &mut Encoder {
        self.0.extend(value.to_be_bytes());
        self
    }
    /// int16
    pub fn int16(&mut self, value: i16) -> &mut Encoder {
        self.0.extend(value.to_be_bytes());
        self
    }
    /// int32, or the count of an array
    pub fn int32(&mut self, value: i32) -> &mut Encoder {
        self.0.extend(value.to_be_bytes());
        self
    }
    /// int64
    pub fn int64(&mut self, value: i64) -> &mut Encoder {
        self.0.extend(value.to_be_bytes());
        self
    }
    /// string with a length of two bytes
    pub fn string(&mut self, value: &str) -> &mut Encoder {
        self.int16(i16::try_from(value.len()).expect("our own short string"));
        self.0.extend(value.as_bytes());
        self
    }
    /// An unsigned varint.
    pub fn varint(&mut self, value: usize) -> &mut Encoder {
        let mut left = value;
        loop {
            let low = u8::try_from(left & 0x7f).expect("seven bits");
            left >>= 7;
            if left == 0 {
                self.0.push(low);
                return self;
            }
            self.0.push(low | 0x80);
        }
    }
    /// compact string
    pub fn compact_string(&mut self, value: &str) -> &mut Encoder {
        self.varint(value.len() + 1);
        self.0.extend(value.as_bytes());
        self
    }
    /// bytes with a length of four bytes
    pub fn bytes(&mut self, value: &[u8]) -> &mut Encoder {
        self.int32(length(value.len()));
        self.0.extend(value);
        self
    }
}

/// A count as it goes over the wire.
pub fn length(count: usize) -> i32 {
    i32::try_from(count).expect("our own message is small")
}

/// A whole request: length, header v1, body.
pub fn frame(api_key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut header = Encoder::default();
    header
        .int16(api_key)
        .int16(version)
        .int32(7)
        .string(CLIENT_ID);
    let mut whole = Encoder::default();
    whole.int32(length(header.0.len() + body.len()));
    whole.0.extend(header.0);
    whole.0.extend(body);
    whole.0
}

/// A whole request of a flexible version: length, header v2, body, which ends with its tags.
pub fn flexible_frame(api_key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut header = Encoder::default();
    header
        .int16(api_key)
        .int16(version)
        .int32(7)
        .string(CLIENT_ID)
        .varint(0);
    let mut whole = Encoder::default();
    whole.int32(length(header.0.len() + body.len()));
    whole.0.extend(header.0);
    whole.0.extend(body);
    whole.0
}

/// Big-endian primitives, taken from the front.
#[derive(Clone, Debug)]
pub struct Decoder<'a>(pub &'a [u8]);

impl Decoder<'_> {
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (head, rest) = self
            .0
            .split_first_chunk()
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(*head)
    }
    /// int16
    pub fn int16(&mut self) -> io::Result<i16> {
        self.take().map(i16::from_be_bytes)
    }
    /// int32
    pub fn int32(&mut self) -> io::Result<i32> {
        self.take().map(i32::from_be_bytes)
    }
    /// So many bytes.
    pub fn raw(&mut self, count: usize) -> io::Result<&[u8]> {
        let (head, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(head)
    }
    /// string with a length of two bytes; null is empty
    pub fn string(&mut self) -> io::Result<String> {
        let length = usize::try_from(self.int16()?).unwrap_or(0);
        Ok(String::from_utf8_lossy(self.raw(length)?).into_owned())
    }
    /// bytes with a length of four bytes; null is empty
    pub fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.int32()?).unwrap_or(0);
        Ok(self.raw(length)?.to_vec())
    }
    /// An unsigned varint: a length of flexible versions, which is one more than it says.
    pub fn varint(&mut self) -> io::Result<usize> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = usize::from(self.raw(1)?[0]);
            value |= (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }
    /// compact string, null is empty
    pub fn compact_string(&mut self) -> io::Result<String> {
        let length = self.varint()?.saturating_sub(1);
        Ok(String::from_utf8_lossy(self.raw(length)?).into_owned())
    }
    /// Tagged fields, of which we know none.
    pub fn tags(&mut self) -> io::Result<()> {
        for _ in 0..self.varint()? {
            self.varint()?;
            let length = self.varint()?;
            self.skip(length)?;
        }
        Ok(())
    }
    /// string with a length of two bytes, skipped; -1 is null
    pub fn skip_string(&mut self) -> io::Result<()> {
        let length = usize::try_from(self.int16()?).unwrap_or(0);
        self.skip(length)
    }
    /// what does not matter here
    pub fn skip(&mut self, count: usize) -> io::Result<()> {
        self.0 = self.0.get(count..).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(())
    }
}

/// A connection that asks and waits.
#[derive(Debug)]
pub struct Connection(pub TcpStream);

impl Connection {
    /// Connects to 127.0.0.1; a request then waits for at most `patience`.
    pub fn open(port: u16, patience: Duration) -> io::Result<Connection> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Connection(stream))
    }

    /// The body of the next reply, without length and correlation id.
    pub fn reply(&mut self) -> io::Result<Vec<u8>> {
        let mut size = [0; 4];
        self.0.read_exact(&mut size)?;
        let size = usize::try_from(i32::from_be_bytes(size)).unwrap_or(0);
        if !(4..=REPLY_BYTES_MAX).contains(&size) {
            return Err(io::Error::other(format!("a reply of {size} bytes")));
        }
        let mut reply = vec![0; size];
        self.0.read_exact(&mut reply)?;
        Ok(reply.split_off(4))
    }

    /// Sends a request and waits for its reply.
    pub fn ask(&mut self, api_key: i16, version: i16, body: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(&frame(api_key, version, body))?;
        self.reply()
    }
}

/// Whether the broker answers ApiVersions.
pub fn serves(port: u16) -> bool {
    Connection::open(port, Duration::from_secs(2))
        .and_then(|mut connection| ask_versions(&mut connection))
        .is_ok()
}

/// Asks ApiVersions: a connection that is answered is accepted.
pub fn ask_versions(connection: &mut Connection) -> io::Result<()> {
    connection.ask(API_VERSIONS, 0, &[]).map(drop)
}

/// TOPIC_ALREADY_EXISTS
pub const TOPIC_EXISTS: i16 = 36;

/// Asks once for a topic of one replica; gives the error code.
pub fn ask_for_topic(
    connection: &mut Connection,
    name: &str,
    partitions: i32,
    configs: &[(&str, &str)],
) -> io::Result<i16> {
    let mut body = Encoder::default();
    body.int32(1)
        .string(name)
        .int32(partitions)
        .int16(1)
        .int32(0)
        .int32(length(configs.len()));
    for (key, value) in configs {
        body.string(key).string(value);
    }
    body.int32(300_000).int8(0);
    let reply = connection.ask(CREATE_TOPICS, 4, &body.0)?;
    let mut reply = Decoder(&reply);
    reply.int32()?;
    reply.int32()?;
    reply.skip_string()?;
    reply.int16()
}

/// Creates a topic of one replica and waits for its leaders; one that exists is an error.
pub fn create_topic(port: u16, name: &str, partitions: i32) -> Result<(), String> {
    create_topic_with(port, name, partitions, &[])
}

/// The same with topic configs.
pub fn create_topic_with(
    port: u16,
    name: &str,
    partitions: i32,
    configs: &[(&str, &str)],
) -> Result<(), String> {
    let code = Connection::open(port, Duration::from_secs(300))
        .and_then(|mut connection| ask_for_topic(&mut connection, name, partitions, configs))
        .map_err(|error| format!("cannot create topic {name}: {error}"))?;
    if code != 0 {
        return Err(format!("creating topic {name} gave error code {code}"));
    }
    wait_for_leaders(port, name, partitions)
}

/// Deletes a topic; its files go later.
pub fn delete_topic(port: u16, name: &str) -> Result<(), String> {
    let mut body = Encoder::default();
    body.int32(1).string(name).int32(30_000);
    let code = Connection::open(port, Duration::from_secs(40))
        .and_then(|mut connection| {
            let reply = connection.ask(DELETE_TOPICS, 1, &body.0)?;
            let mut reply = Decoder(&reply);
            reply.skip(8)?;
            reply.skip_string()?;
            reply.int16()
        })
        .map_err(|error| format!("cannot delete topic {name}: {error}"))?;
    match code {
        0 => Ok(()),
        code => Err(format!("deleting topic {name} gave error code {code}")),
    }
}

fn wait_for_leaders(port: u16, name: &str, partitions: i32) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if leads_all(port, name, partitions).unwrap_or(false) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(format!(
        "topic {name} did not get {partitions} leaders within a minute"
    ))
}

/// Whether the broker leads every partition: ListOffsets answers for each. Metadata may name a
/// leader a moment before it knows of its role.
fn leads_all(port: u16, name: &str, partitions: i32) -> io::Result<bool> {
    const EARLIEST: i64 = -2;
    let mut body = Encoder::default();
    body.int32(-1)
        .int8(0)
        .int32(1)
        .string(name)
        .int32(partitions);
    for partition in 0..partitions {
        body.int32(partition).int64(EARLIEST);
    }
    let mut connection = Connection::open(port, Duration::from_secs(10))?;
    let reply = connection.ask(LIST_OFFSETS, 2, &body.0)?;
    let mut reply = Decoder(&reply);
    reply.int32()?;
    reply.int32()?;
    reply.skip_string()?;
    let count = reply.int32()?;
    let mut led = 0;
    for _ in 0..count {
        reply.int32()?;
        led += i32::from(reply.int16()? == 0);
        reply.skip(16)?;
    }
    Ok(led == partitions)
}

/// A record batch v2 without a producer, of `count` records that each hold `value`.
pub fn batch(count: i32, value: &[u8], now_ms: i64) -> Vec<u8> {
    let mut records = Vec::new();
    for delta in 0..count {
        let mut record = vec![0];
        varint(0, &mut record);
        varint(delta, &mut record);
        varint(-1, &mut record);
        varint(length(value.len()), &mut record);
        record.extend(value);
        varint(0, &mut record);
        varint(length(record.len()), &mut records);
        records.extend(record);
    }
    let mut checked = Encoder::default();
    checked
        .int16(0)
        .int32(count - 1)
        .int64(now_ms)
        .int64(now_ms);
    checked.int64(-1).int16(-1).int32(-1).int32(count);
    checked.0.extend(records);
    let mut whole = Encoder::default();
    whole
        .int64(0)
        .int32(length(checked.0.len() + 9))
        .int32(-1)
        .int8(2);
    whole.0.extend(crc32c::crc32c(&checked.0).to_be_bytes());
    whole.0.extend(checked.0);
    whole.0
}

/// A zig-zag varint.
fn varint(value: i32, out: &mut Vec<u8>) {
    let mut left = ((value << 1) ^ (value >> 31)).cast_unsigned();
    loop {
        let low = u8::try_from(left & 0x7f).expect("seven bits");
        left >>= 7;
        if left == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// acks=all
pub const ACKS_ALL: i16 = -1;

/// A whole Produce v7 request of one batch, acks=1.
pub fn produce(topic: &str, partition: i32, batch: &[u8]) -> Vec<u8> {
    produce_with(1, topic, partition, batch)
}

/// The same with other acks.
pub fn produce_with(acks: i16, topic: &str, partition: i32, batch: &[u8]) -> Vec<u8> {
    let mut body = Encoder::default();
    body.int16(-1).int16(acks).int32(30_000);
    body.int32(1)
        .string(topic)
        .int32(1)
        .int32(partition)
        .bytes(batch);
    frame(PRODUCE, 7, &body.0)
}

/// The error code in the body of a reply to [`produce`].
pub fn produce_error(reply: &[u8]) -> io::Result<i16> {
    let mut reply = Decoder(reply);
    reply.int32()?;
    reply.skip_string()?;
    reply.int32()?;
    reply.int32()?;
    reply.int16()
}
