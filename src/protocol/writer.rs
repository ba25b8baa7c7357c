//! Writes a message. Records that lie in a file leave a *hole*: their length is written and
//! counted, their bytes are put in by the connection, straight from the file.
//!
//! ```text
//! Encoded.bytes   [ size | header | ... | records length ][ next field ... ]
//! Encoded.holes                                          ^ position, bytes, token
//! ```

use crate::base::uuid::Uuid;
use bytes::{BufMut, Bytes};
use std::fmt;

/// Collects a message's bytes, and the holes between them.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
    holes: Vec<Hole>,
}

/// Bytes that are sent from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// They come after this many bytes of [`Encoded::bytes`]; several may share a position.
    pub position: usize,
    /// How many they are.
    pub bytes: usize,
    /// As in [`crate::protocol::Records::Elsewhere`].
    pub token: usize,
}

/// A written message: what is in memory, and what must be put between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// All that is in memory, in order.
    pub bytes: Bytes,
    /// The holes, in order of position.
    pub holes: Vec<Hole>,
}

impl Encoded {
    /// Bytes on the wire, holes included.
    #[must_use]
    pub fn wire_bytes(&self) -> usize {
        self.bytes.len() + self.holes.iter().map(|hole| hole.bytes).sum::<usize>()
    }
}

/// A message holds what its version cannot say: a fault of the caller, not of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// The structure that was being written.
    pub structure: &'static str,
    /// Its field, as named in klamm.
    pub field: &'static str,
    /// What was wrong.
    pub reason: EncodeReason,
}

/// Why a message could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeReason {
    /// The message has no such version.
    Version(i16),
    /// The field is set, the version lacks it, and it may not be left out.
    NotInVersion(i16),
    /// Null where the version does not allow it.
    Null,
    /// Longer than its length can say.
    Length(usize),
}

impl EncodeError {
    /// An error outside of any field yet.
    #[must_use]
    pub const fn new(reason: EncodeReason) -> EncodeError {
        EncodeError {
            structure: "",
            field: "",
            reason,
        }
    }

    /// The same error, with its place where it has none yet.
    #[must_use]
    pub const fn at(self, structure: &'static str, field: &'static str) -> EncodeError {
        if self.structure.is_empty() {
            EncodeError {
                structure,
                field,
                reason: self.reason,
            }
        } else {
            self
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}: ", self.structure, self.field)?;
        match self.reason {
            EncodeReason::Version(version) => write!(f, "there is no version {version}"),
            EncodeReason::NotInVersion(version) => {
                write!(f, "is set, and version {version} cannot say it")
            }
            EncodeReason::Null => f.write_str("null, which this version does not allow here"),
            EncodeReason::Length(length) => write!(f, "{length} bytes or elements are too many"),
        }
    }
}

impl std::error::Error for EncodeError {}

/// What low-level writes return: the place is added on the way out.
pub type Write = Result<(), EncodeError>;

/// How many bytes an unsigned variable-length integer takes.
#[must_use]
pub const fn uvarint_bytes(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        0x20_0000..=0xFFF_FFFF => 4,
        0x1000_0000.. => 5,
    }
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Writer {
        Writer::default()
    }

    /// An empty writer with room for `bytes` bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Writer {
        Writer {
            buffer: Vec::with_capacity(bytes),
            holes: Vec::new(),
        }
    }

    /// Bytes written into memory so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// What was written, without the room that was not needed: an answer may wait for long.
    #[must_use]
    pub fn finish(self) -> Encoded {
        Encoded {
            bytes: Bytes::from(self.buffer.into_boxed_slice()),
            holes: self.holes,
        }
    }

    /// Writes the size of the frame that began with four empty bytes at `begin`, holes included.
    pub(crate) fn finish_frame(&mut self, begin: usize) -> Write {
        let holes: usize = self.holes.iter().map(|hole| hole.bytes).sum();
        let size = self.buffer.len() - begin - 4 + holes;
        let size_field =
            i32::try_from(size).map_err(|_| EncodeError::new(EncodeReason::Length(size)))?;
        self.buffer[begin..begin + 4].copy_from_slice(&size_field.to_be_bytes());
        Ok(())
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Leaves a hole here.
    pub fn hole(&mut self, bytes: usize, token: usize) {
        self.holes.push(Hole {
            position: self.buffer.len(),
            bytes,
            token,
        });
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.buffer.put_u8(value);
    }

    /// One signed byte.
    pub fn i8(&mut self, value: i8) {
        self.buffer.put_i8(value);
    }

    /// Two bytes, big-endian.
    pub fn i16(&mut self, value: i16) {
        self.buffer.put_i16(value);
    }

    /// Two bytes, big-endian, unsigned.
    pub fn u16(&mut self, value: u16) {
        self.buffer.put_u16(value);
    }

    /// Four bytes, big-endian.
    pub fn i32(&mut self, value: i32) {
        self.buffer.put_i32(value);
    }

    /// Eight bytes, big-endian.
    pub fn i64(&mut self, value: i64) {
        self.buffer.put_i64(value);
    }

    /// Eight bytes, big-endian, IEEE 754.
    pub fn f64(&mut self, value: f64) {
        self.buffer.put_f64(value);
    }

    /// Sixteen bytes.
    pub fn uuid(&mut self, value: Uuid) {
        self.buffer.extend_from_slice(&value.0);
    }

    /// An unsigned integer in groups of seven bits, the lowest first.
    pub fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            let [low, ..] = value.to_le_bytes();
            self.buffer.put_u8(low | 0x80);
            value >>= 7;
        }
        let [low, ..] = value.to_le_bytes();
        self.buffer.put_u8(low);
    }

    /// A signed integer as [`Writer::uvarint`], with the sign in the lowest bit.
    pub fn varint(&mut self, value: i32) {
        self.uvarint(((value << 1) ^ (value >> 31)).cast_unsigned());
    }

    /// A signed 64-bit integer, zigzag.
    pub fn varlong(&mut self, value: i64) {
        let mut zigzag = ((value << 1) ^ (value >> 63)).cast_unsigned();
        while zigzag >= 0x80 {
            let [low, ..] = zigzag.to_le_bytes();
            self.buffer.put_u8(low | 0x80);
            zigzag >>= 7;
        }
        let [low, ..] = zigzag.to_le_bytes();
        self.buffer.put_u8(low);
    }

    /// The size of a tagged field's value.
    pub fn tagged_size(&mut self, size: usize) -> Write {
        let field =
            u32::try_from(size).map_err(|_| EncodeError::new(EncodeReason::Length(size)))?;
        self.uvarint(field);
        Ok(())
    }

    /// A nullable string with a length of two bytes: the client id of request headers.
    pub fn nullable_string(&mut self, text: Option<&str>) -> Write {
        match text {
            Some(text) => {
                let length = i16::try_from(text.len())
                    .map_err(|_| EncodeError::new(EncodeReason::Length(text.len())))?;
                self.i16(length);
                self.bytes(text.as_bytes());
            }
            None => self.i16(-1),
        }
        Ok(())
    }
}
