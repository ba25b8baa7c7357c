//! Kafka's primitive types: how each is read, written, measured, and sampled at random.
//!
//! ```text
//!            not flexible            flexible (KIP-482)
//! string     int16 length, bytes     uvarint length + 1, bytes
//! bytes      int32 length, bytes     uvarint length + 1, bytes
//! array      int32 count, elements   uvarint count + 1, elements
//! null       length -1               0
//! structure  its fields              its fields, tagged fields
//! nullable structure: one byte first, -1 for null, else 1; as a tagged field 0 for null, else 1
//! ```

use crate::base::convert::usize_from_u32;
use crate::base::prng::Prng;
use crate::base::uuid::Uuid;
use crate::protocol::json;
use crate::protocol::reader::{DecodeError, DecodeReason, Read, Reader};
use crate::protocol::records::Records;
use crate::protocol::string::Str;
use crate::protocol::writer::{EncodeError, EncodeReason, Write, Writer, uvarint_bytes};
use bytes::Bytes;

/// What the version makes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The version of the message.
    pub version: i16,
    /// Whether that version has compact lengths and tagged fields.
    pub flexible: bool,
    /// Whether this value may be null in that version.
    pub nullable: bool,
    /// Whether this value is a tagged field's.
    pub tagged: bool,
}

impl Shape {
    /// The shape of what lies inside: an element, a structure's contents.
    #[must_use]
    pub const fn inner(self) -> Shape {
        Shape {
            nullable: false,
            tagged: false,
            ..self
        }
    }

    /// The shape of a value that turned out to be there.
    const fn present(self) -> Shape {
        Shape {
            nullable: false,
            ..self
        }
    }
}

/// A type that a field can have.
pub trait Field: Sized + PartialEq {
    /// The value of a field that a version lacks, where its row names none.
    fn absent() -> Self;
    /// The fewest bytes that any value takes: what bounds the count of an array.
    fn bytes_min(shape: Shape) -> usize;
    /// Reads a value.
    fn read(reader: &mut Reader, shape: Shape) -> Read<Self>;
    /// Writes the value.
    fn write(&self, writer: &mut Writer, shape: Shape) -> Write;
    /// How many bytes the value takes on the wire.
    fn written_bytes(&self, shape: Shape) -> usize;
    /// A random value: for tests, and for the simulator's clients.
    fn sample(prng: &mut Prng, shape: Shape) -> Self;
    /// Appends the value as Apache's JSON converters write it.
    fn json(&self, shape: Shape, text: &mut String);
}

/// A type of which there is also null.
pub trait Nullable: Field {
    /// As [`Field::bytes_min`], with null.
    fn nullable_bytes_min(shape: Shape) -> usize;
    /// Reads a value, or null.
    fn read_nullable(reader: &mut Reader, shape: Shape) -> Read<Option<Self>>;
    /// Writes a value, or null.
    fn write_nullable(value: Option<&Self>, writer: &mut Writer, shape: Shape) -> Write;
    /// How many bytes a value, or null, takes.
    fn nullable_written_bytes(value: Option<&Self>, shape: Shape) -> usize;
}

macro_rules! number {
    ($type:ty, $method:ident, $bytes:literal, $json:literal, $prng:ident => $sample:expr) => {
        impl Field for $type {
            fn absent() -> $type {
                <$type>::default()
            }

            fn bytes_min(_: Shape) -> usize {
                $bytes
            }

            fn read(reader: &mut Reader, _: Shape) -> Read<$type> {
                reader.$method()
            }

            fn write(&self, writer: &mut Writer, _: Shape) -> Write {
                writer.$method(*self);
                Ok(())
            }

            fn written_bytes(&self, _: Shape) -> usize {
                $bytes
            }

            fn sample($prng: &mut Prng, _: Shape) -> $type {
                $sample
            }

            fn json(&self, _: Shape, text: &mut String) {
                text.push_str(&format!($json, self));
            }
        }
    };
}

/// Random bits, of which many high ones are often zero.
fn bits<const N: usize>(prng: &mut Prng) -> [u8; N] {
    let shift = prng.below(64);
    let word = (prng.next() >> shift).to_be_bytes();
    *word
        .last_chunk()
        .expect("no number is longer than eight bytes")
}

number!(i8, i8, 1, "{}", prng => i8::from_be_bytes(bits(prng)));
number!(i16, i16, 2, "{}", prng => i16::from_be_bytes(bits(prng)));
number!(u16, u16, 2, "{}", prng => u16::from_be_bytes(bits(prng)));
number!(i32, i32, 4, "{}", prng => i32::from_be_bytes(bits(prng)));
number!(i64, i64, 8, "{}", prng => i64::from_be_bytes(bits(prng)));
number!(f64, f64, 8, "{:?}", prng => f64::from(i32::from_be_bytes(bits(prng))) / 8.0);
number!(Uuid, uuid, 16, "\"{}\"", prng => Uuid::from_random(prng.next(), prng.next()));

impl Field for bool {
    fn absent() -> bool {
        false
    }

    fn bytes_min(_: Shape) -> usize {
        1
    }

    fn read(reader: &mut Reader, _: Shape) -> Read<bool> {
        Ok(reader.u8()? != 0)
    }

    fn write(&self, writer: &mut Writer, _: Shape) -> Write {
        writer.u8(u8::from(*self));
        Ok(())
    }

    fn written_bytes(&self, _: Shape) -> usize {
        1
    }

    fn sample(prng: &mut Prng, _: Shape) -> bool {
        prng.one_in(2)
    }

    fn json(&self, _: Shape, text: &mut String) {
        text.push_str(if *self { "true" } else { "false" });
    }
}

/// How a type's length is written where the version is not flexible.
enum Prefix {
    Short,
    Long,
}

fn prefix_bytes_min(prefix: &Prefix, shape: Shape) -> usize {
    match (shape.flexible, prefix) {
        (true, _) => 1,
        (false, Prefix::Short) => 2,
        (false, Prefix::Long) => 4,
    }
}

fn prefix_bytes(prefix: &Prefix, length: usize, shape: Shape) -> usize {
    if shape.flexible {
        uvarint_bytes(u32::try_from(length).map_or(u32::MAX, |length| length.saturating_add(1)))
    } else {
        prefix_bytes_min(prefix, shape)
    }
}

fn read_prefix(prefix: &Prefix, reader: &mut Reader, shape: Shape) -> Read<Option<u32>> {
    match (shape.flexible, prefix) {
        (true, _) => reader.compact_length(),
        (false, Prefix::Short) => reader.short_length(),
        (false, Prefix::Long) => reader.long_length(),
    }
}

fn write_prefix(prefix: &Prefix, writer: &mut Writer, length: usize, shape: Shape) -> Write {
    let too_long = || EncodeError::new(EncodeReason::Length(length));
    match prefix {
        Prefix::Short => {
            let short = i16::try_from(length).map_err(|_| too_long())?;
            if shape.flexible {
                writer.uvarint(u32::from(short.unsigned_abs()) + 1);
            } else {
                writer.i16(short);
            }
        }
        Prefix::Long => {
            let long = i32::try_from(length).map_err(|_| too_long())?;
            if shape.flexible {
                writer.uvarint(long.unsigned_abs() + 1);
            } else {
                writer.i32(long);
            }
        }
    }
    Ok(())
}

fn write_null(prefix: &Prefix, writer: &mut Writer, shape: Shape) -> Write {
    match (shape.flexible, prefix) {
        (true, _) => writer.uvarint(0),
        (false, Prefix::Short) => writer.i16(-1),
        (false, Prefix::Long) => writer.i32(-1),
    }
    Ok(())
}

/// `Nullable`, and the parts of `Field` that follow from it, of a type that begins with its length.
macro_rules! with_length {
    ([$($element:ident)?] $type:ty; $prefix:expr, $empty:expr) => {
        impl $(<$element: Field>)? Nullable for $type {
            fn nullable_bytes_min(shape: Shape) -> usize {
                prefix_bytes_min(&$prefix, shape)
            }

            fn read_nullable(reader: &mut Reader, shape: Shape) -> Read<Option<$type>> {
                match read_prefix(&$prefix, reader, shape)? {
                    Some(length) => Self::read_contents(reader, length, shape).map(Some),
                    None => Ok(None),
                }
            }

            fn write_nullable(value: Option<&$type>, writer: &mut Writer, shape: Shape) -> Write {
                match value {
                    Some(value) => {
                        write_prefix(&$prefix, writer, value.len(), shape)?;
                        value.write_contents(writer, shape)
                    }
                    None => write_null(&$prefix, writer, shape),
                }
            }

            fn nullable_written_bytes(value: Option<&$type>, shape: Shape) -> usize {
                match value {
                    Some(value) => {
                        prefix_bytes(&$prefix, value.len(), shape) + value.contents_bytes(shape)
                    }
                    None => prefix_bytes_min(&$prefix, shape),
                }
            }
        }

        impl $(<$element: Field>)? Field for $type {
            fn absent() -> $type {
                $empty
            }

            fn bytes_min(shape: Shape) -> usize {
                Self::nullable_bytes_min(shape)
            }

            fn read(reader: &mut Reader, shape: Shape) -> Read<$type> {
                Self::read_nullable(reader, shape)?.ok_or(DecodeError::new(DecodeReason::Null))
            }

            fn write(&self, writer: &mut Writer, shape: Shape) -> Write {
                Self::write_nullable(Some(self), writer, shape)
            }

            fn written_bytes(&self, shape: Shape) -> usize {
                Self::nullable_written_bytes(Some(self), shape)
            }

            fn sample(prng: &mut Prng, shape: Shape) -> $type {
                Self::sample_contents(prng, shape)
            }

            fn json(&self, shape: Shape, text: &mut String) {
                self.json_contents(shape, text);
            }
        }
    };
}

/// What follows the length.
trait Contents: Sized {
    fn read_contents(reader: &mut Reader, length: u32, shape: Shape) -> Read<Self>;
    fn write_contents(&self, writer: &mut Writer, shape: Shape) -> Write;
    fn contents_bytes(&self, shape: Shape) -> usize;
    fn sample_contents(prng: &mut Prng, shape: Shape) -> Self;
    fn json_contents(&self, shape: Shape, text: &mut String);
}

with_length!([] Str; Prefix::Short, Str::EMPTY);
with_length!([] Bytes; Prefix::Long, Bytes::new());
with_length!([] Records; Prefix::Long, Records::EMPTY);
with_length!([T] Vec<T>; Prefix::Long, Vec::new());

impl Contents for Str {
    fn read_contents(reader: &mut Reader, length: u32, _: Shape) -> Read<Str> {
        reader.text(length)
    }

    fn write_contents(&self, writer: &mut Writer, _: Shape) -> Write {
        writer.bytes(self.as_bytes());
        Ok(())
    }

    fn contents_bytes(&self, _: Shape) -> usize {
        self.as_bytes().len()
    }

    fn sample_contents(prng: &mut Prng, _: Shape) -> Str {
        const LETTERS: [char; 8] = ['a', 'Z', '0', '-', '.', 'ß', '本', '🦀'];
        // Now and then so long that a compact length takes two bytes.
        let count = if prng.one_in(50) { 200 } else { prng.index(9) };
        let text: String = (0..count)
            .map(|_| LETTERS[prng.index(LETTERS.len())])
            .collect();
        Str::from(text)
    }

    fn json_contents(&self, _: Shape, text: &mut String) {
        json::text(text, self);
    }
}

impl Contents for Bytes {
    fn read_contents(reader: &mut Reader, length: u32, _: Shape) -> Read<Bytes> {
        reader.take(usize_from_u32(length))
    }

    fn write_contents(&self, writer: &mut Writer, _: Shape) -> Write {
        writer.bytes(self);
        Ok(())
    }

    fn contents_bytes(&self, _: Shape) -> usize {
        self.len()
    }

    fn sample_contents(prng: &mut Prng, _: Shape) -> Bytes {
        let mut bytes = vec![0; prng.index(20)];
        prng.fill(&mut bytes);
        Bytes::from(bytes)
    }

    fn json_contents(&self, _: Shape, text: &mut String) {
        json::bytes(text, self);
    }
}

impl Contents for Records {
    fn read_contents(reader: &mut Reader, length: u32, _: Shape) -> Read<Records> {
        reader.take(usize_from_u32(length)).map(Records::Bytes)
    }

    fn write_contents(&self, writer: &mut Writer, _: Shape) -> Write {
        match self {
            Records::Bytes(bytes) => writer.bytes(bytes),
            Records::Elsewhere { bytes, token } => writer.hole(*bytes, *token),
        }
        Ok(())
    }

    fn contents_bytes(&self, _: Shape) -> usize {
        self.len()
    }

    fn sample_contents(prng: &mut Prng, shape: Shape) -> Records {
        Records::Bytes(Bytes::sample_contents(prng, shape))
    }

    fn json_contents(&self, _: Shape, text: &mut String) {
        // As Apache where it is asked to leave the records out: how many bytes they are.
        text.push_str(&self.len().to_string());
    }
}

impl<T: Field> Contents for Vec<T> {
    fn read_contents(reader: &mut Reader, length: u32, shape: Shape) -> Read<Vec<T>> {
        let shape = shape.inner();
        let count = usize_from_u32(length);
        let left = reader.remaining();
        if count > left / T::bytes_min(shape).max(1) {
            return Err(DecodeError::new(DecodeReason::Count {
                claimed: length,
                left,
            }));
        }
        // What is claimed reserves at most as much memory as the rest of the frame takes;
        // beyond that the vector grows with what really came.
        let mut elements = Vec::with_capacity(count.min(left / size_of::<T>().max(1) + 1));
        for _ in 0..count {
            elements.push(T::read(reader, shape)?);
        }
        Ok(elements)
    }

    fn write_contents(&self, writer: &mut Writer, shape: Shape) -> Write {
        let shape = shape.inner();
        self.iter()
            .try_for_each(|element| element.write(writer, shape))
    }

    fn contents_bytes(&self, shape: Shape) -> usize {
        let shape = shape.inner();
        self.iter()
            .map(|element| element.written_bytes(shape))
            .sum()
    }

    fn sample_contents(prng: &mut Prng, shape: Shape) -> Vec<T> {
        let shape = shape.inner();
        (0..prng.index(4)).map(|_| T::sample(prng, shape)).collect()
    }

    fn json_contents(&self, shape: Shape, text: &mut String) {
        let shape = shape.inner();
        text.push('[');
        for (index, element) in self.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            element.json(shape, text);
        }
        text.push(']');
    }
}

impl<T: Nullable> Field for Option<T> {
    fn absent() -> Option<T> {
        Some(T::absent())
    }

    fn bytes_min(shape: Shape) -> usize {
        if shape.nullable {
            T::nullable_bytes_min(shape)
        } else {
            T::bytes_min(shape)
        }
    }

    fn read(reader: &mut Reader, shape: Shape) -> Read<Option<T>> {
        if shape.nullable {
            T::read_nullable(reader, shape.present())
        } else {
            T::read(reader, shape).map(Some)
        }
    }

    fn write(&self, writer: &mut Writer, shape: Shape) -> Write {
        match self {
            value if shape.nullable => T::write_nullable(value.as_ref(), writer, shape.present()),
            Some(value) => value.write(writer, shape),
            None => Err(EncodeError::new(EncodeReason::Null)),
        }
    }

    fn written_bytes(&self, shape: Shape) -> usize {
        match self {
            value if shape.nullable => T::nullable_written_bytes(value.as_ref(), shape.present()),
            Some(value) => value.written_bytes(shape),
            None => 0,
        }
    }

    fn sample(prng: &mut Prng, shape: Shape) -> Option<T> {
        if shape.nullable && prng.one_in(3) {
            None
        } else {
            Some(T::sample(prng, shape.inner()))
        }
    }

    fn json(&self, shape: Shape, text: &mut String) {
        match self {
            Some(value) => value.json(shape.present(), text),
            None => text.push_str("null"),
        }
    }
}
