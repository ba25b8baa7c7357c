//! Reads a received frame. Every length is held against what is left before it is believed;
//! bytes, strings and records are slices of the frame, never copies.

use crate::base::convert::usize_from_u32;
use crate::base::limits::TAGGED_FIELDS_MAX;
use crate::base::uuid::Uuid;
use crate::protocol::string::Str;
use bytes::Bytes;
use std::fmt;

/// A position in a frame.
#[derive(Clone, Debug)]
pub struct Reader {
    frame: Bytes,
    position: usize,
}

/// Where in a message decoding failed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The innermost structure that was being read, or "" outside of any.
    pub structure: &'static str,
    /// Its field, as named in klamm, or "" outside of any.
    pub field: &'static str,
    /// What was wrong.
    pub reason: DecodeReason,
}

/// Why a frame could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeReason {
    /// A value of `needed` bytes begins where only `left` are left.
    Truncated {
        /// Bytes the value takes.
        needed: usize,
        /// Bytes left of the frame.
        left: usize,
    },
    /// A variable-length integer does not end within its five or ten bytes, or is too large.
    Varint,
    /// A length is negative and is not the -1 of null, or exceeds what its type allows.
    Length(i64),
    /// An array claims more elements than the rest of the frame can hold.
    Count {
        /// Elements claimed.
        claimed: u32,
        /// Bytes left of the frame.
        left: usize,
    },
    /// Null where the version does not allow it.
    Null,
    /// A string is not UTF-8.
    Utf8,
    /// More tagged fields than `limits::TAGGED_FIELDS_MAX`, or than the frame can hold.
    TaggedFieldCount(u32),
    /// Tags must increase strictly.
    TagOrder(u32),
    /// The version does not have this tag.
    TagNotInVersion(u32),
    /// A tagged field says it has `claimed` bytes and has `read`.
    TaggedFieldBytes {
        /// The size before the field.
        claimed: u32,
        /// The bytes its value took.
        read: usize,
    },
    /// The message has no such version.
    Version(i16),
    /// No API has this key.
    ApiKey(i16),
    /// A metadata record's framing has another version than 1.
    FrameVersion(u32),
    /// No metadata or coordinator record has this type.
    RecordType(u32),
    /// Bytes follow where the value must end.
    Trailing(usize),
}

impl DecodeError {
    /// An error outside of any field yet.
    #[must_use]
    pub const fn new(reason: DecodeReason) -> DecodeError {
        DecodeError {
            structure: "",
            field: "",
            reason,
        }
    }

    /// The same error, with its place where it has none yet.
    #[must_use]
    pub const fn at(self, structure: &'static str, field: &'static str) -> DecodeError {
        if self.structure.is_empty() {
            DecodeError {
                structure,
                field,
                reason: self.reason,
            }
        } else {
            self
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.structure, self.field) {
            ("", _) => {}
            (structure, "") => write!(f, "{structure}: ")?,
            (structure, field) => write!(f, "{structure}.{field}: ")?,
        }
        match self.reason {
            DecodeReason::Truncated { needed, left } => write!(
                f,
                "a value of {needed} bytes begins where the message has {left} left"
            ),
            DecodeReason::Varint => {
                f.write_str("a variable-length integer is longer than its type allows")
            }
            DecodeReason::Length(length) => write!(f, "{length} is not a possible length"),
            DecodeReason::Count { claimed, left } => write!(
                f,
                "an array claims {claimed} elements where the message has {left} bytes left"
            ),
            DecodeReason::Null => f.write_str("null, which this version does not allow here"),
            DecodeReason::Utf8 => f.write_str("text that is not UTF-8"),
            DecodeReason::TaggedFieldCount(count) => write!(f, "claims {count} tagged fields"),
            DecodeReason::TagOrder(tag) => {
                write!(f, "tag {tag} does not follow the tag before it")
            }
            DecodeReason::TagNotInVersion(tag) => write!(f, "this version has no tag {tag}"),
            DecodeReason::TaggedFieldBytes { claimed, read } => write!(
                f,
                "a tagged field says that it has {claimed} bytes and has {read}"
            ),
            DecodeReason::Version(version) => write!(f, "there is no version {version}"),
            DecodeReason::ApiKey(key) => write!(f, "no API has the key {key}"),
            DecodeReason::FrameVersion(version) => {
                write!(f, "a record frame of version {version}; only 1 is known")
            }
            DecodeReason::RecordType(id) => write!(f, "no record has the type {id}"),
            DecodeReason::Trailing(bytes) => {
                write!(f, "{bytes} bytes follow where the message ends")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// What low-level reads return: the place is added on the way out.
pub type Read<T> = Result<T, DecodeError>;

impl Reader {
    /// Reads `frame` from its beginning.
    #[must_use]
    pub const fn new(frame: Bytes) -> Reader {
        Reader { frame, position: 0 }
    }

    /// Bytes that are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.frame.len() - self.position
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// The whole frame, read or not.
    #[must_use]
    pub const fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// Nothing is left, or [`DecodeReason::Trailing`].
    pub fn expect_end(&self) -> Read<()> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(DecodeError::new(DecodeReason::Trailing(left))),
        }
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        match self.frame[self.position..].first_chunk::<N>() {
            Some(bytes) => {
                self.position += N;
                Ok(*bytes)
            }
            None => Err(self.truncated(N)),
        }
    }

    #[cold]
    fn truncated(&self, needed: usize) -> DecodeError {
        DecodeError::new(DecodeReason::Truncated {
            needed,
            left: self.remaining(),
        })
    }

    /// The next `count` bytes, as a slice of the frame.
    pub fn take(&mut self, count: usize) -> Read<Bytes> {
        if count > self.remaining() {
            return Err(self.truncated(count));
        }
        let begin = self.position;
        self.position += count;
        // An empty slice holds no reference to the frame.
        Ok(if count == 0 {
            Bytes::new()
        } else {
            self.frame.slice(begin..self.position)
        })
    }

    /// What is left, as a slice of the frame.
    pub fn take_rest(&mut self) -> Bytes {
        let rest = self.frame.slice(self.position..);
        self.position = self.frame.len();
        rest
    }

    /// One byte.
    pub fn u8(&mut self) -> Read<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// One signed byte.
    pub fn i8(&mut self) -> Read<i8> {
        self.array().map(i8::from_be_bytes)
    }

    /// Two bytes, big-endian.
    pub fn i16(&mut self) -> Read<i16> {
        self.array().map(i16::from_be_bytes)
    }

    /// Two bytes, big-endian, unsigned.
    pub fn u16(&mut self) -> Read<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, big-endian.
    pub fn i32(&mut self) -> Read<i32> {
        self.array().map(i32::from_be_bytes)
    }

    /// Eight bytes, big-endian.
    pub fn i64(&mut self) -> Read<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// Eight bytes, big-endian, IEEE 754.
    pub fn f64(&mut self) -> Read<f64> {
        self.array().map(f64::from_be_bytes)
    }

    /// Sixteen bytes.
    pub fn uuid(&mut self) -> Read<Uuid> {
        self.array().map(Uuid)
    }

    /// An unsigned integer in groups of seven bits, the lowest first: at most five bytes.
    pub fn uvarint(&mut self) -> Read<u32> {
        let first = self.u8()?;
        if first < 0x80 {
            return Ok(u32::from(first));
        }
        let mut value = u32::from(first & 0x7F);
        for shift in [7, 14, 21, 28] {
            let byte = self.u8()?;
            if shift == 28 && byte > 0x0F {
                break;
            }
            value |= u32::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::new(DecodeReason::Varint))
    }

    /// A signed integer as [`Reader::uvarint`], with the sign in the lowest bit.
    pub fn varint(&mut self) -> Read<i32> {
        let zigzag = self.uvarint()?;
        Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }

    /// A signed 64-bit integer, zigzag, at most ten bytes.
    pub fn varlong(&mut self) -> Read<i64> {
        let mut value: u64 = 0;
        for shift in [0, 7, 14, 21, 28, 35, 42, 49, 56, 63] {
            let byte = self.u8()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err(DecodeError::new(DecodeReason::Varint))
    }

    /// The length of something flexible: one more than the length, or 0 for null.
    pub fn compact_length(&mut self) -> Read<Option<u32>> {
        Ok(self.uvarint()?.checked_sub(1))
    }

    /// A length of two bytes, or -1 for null.
    pub fn short_length(&mut self) -> Read<Option<u32>> {
        let length = self.i16()?;
        match u32::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(DecodeError::new(DecodeReason::Length(i64::from(length)))),
        }
    }

    /// A length of four bytes, or -1 for null.
    pub fn long_length(&mut self) -> Read<Option<u32>> {
        let length = self.i32()?;
        match u32::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(DecodeError::new(DecodeReason::Length(i64::from(length)))),
        }
    }

    /// The next `length` bytes as text. As Apache's, text has at most 32767 bytes.
    pub fn text(&mut self, length: u32) -> Read<Str> {
        if length > 0x7FFF {
            return Err(DecodeError::new(DecodeReason::Length(i64::from(length))));
        }
        let bytes = self.take(usize_from_u32(length))?;
        Str::from_utf8(bytes).ok_or(DecodeError::new(DecodeReason::Utf8))
    }

    /// A string with a length of two bytes before it, or null: the client id of request headers.
    pub fn nullable_string(&mut self) -> Read<Option<Str>> {
        match self.short_length()? {
            Some(length) => self.text(length).map(Some),
            None => Ok(None),
        }
    }

    /// How many tagged fields follow: no more than the limit, and than can fit.
    pub fn tagged_field_count(&mut self) -> Read<u32> {
        let count = self.uvarint()?;
        // The smallest tagged field is a tag and a size of zero.
        if usize_from_u32(count) > TAGGED_FIELDS_MAX.min(self.remaining() / 2) {
            return Err(DecodeError::new(DecodeReason::TaggedFieldCount(count)));
        }
        Ok(count)
    }

    /// The next tag, and the size of its value. Tags must increase.
    pub fn tag(&mut self, previous: Option<u32>) -> Read<(u32, u32)> {
        let tag = self.uvarint()?;
        if previous.is_some_and(|previous| tag <= previous) {
            return Err(DecodeError::new(DecodeReason::TagOrder(tag)));
        }
        let size = self.uvarint()?;
        if usize_from_u32(size) > self.remaining() {
            return Err(self.truncated(usize_from_u32(size)));
        }
        Ok((tag, size))
    }

    /// Passes over tagged fields that nobody wants: those of headers.
    pub fn skip_tagged_fields(&mut self) -> Read<()> {
        let mut previous = None;
        for _ in 0..self.tagged_field_count()? {
            let (tag, size) = self.tag(previous)?;
            self.position += usize_from_u32(size);
            previous = Some(tag);
        }
        Ok(())
    }
}
