//! The language in which messages are declared: one declaration per message, one row per field.
//!
//! ```text
//! declare! {
//!     message FetchRequest [4-18 flexible(12+)] {          versions, and the flexible ones
//!         cluster_id: Option<Str> [12+ nullable(12+) tag(0) default(None) ignorable],
//!         replica_id: i32 [0-14 default(-1)],
//!         topics: Vec<FetchTopic> [0+],
//!     }
//!     struct FetchTopic {
//!         topic: Str [0-12 ignorable],
//!     }
//! }
//! ```
//!
//! A row has its field's versions, then, in this order, those in which it may be null, its tag,
//! its default (where that is not zero, empty or false), and whether a version that lacks it may
//! leave it out silently. Everything else derives from the rows.

use crate::base::prng::Prng;
use crate::protocol::api::ApiKey;
use crate::protocol::primitives::{Field, Shape};
use crate::protocol::reader::{DecodeError, DecodeReason, Reader};
use crate::protocol::writer::{EncodeError, EncodeReason, Writer};
use std::fmt;

/// A range of versions, both ends included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The lowest.
    pub low: i16,
    /// The highest.
    pub high: i16,
}

impl Versions {
    /// No version at all.
    pub const NONE: Versions = Versions { low: 0, high: -1 };

    /// From `low` to `high`, both included.
    #[must_use]
    pub const fn new(low: i16, high: i16) -> Versions {
        Versions { low, high }
    }

    /// Whether `version` is one of them.
    #[must_use]
    pub const fn contains(self, version: i16) -> bool {
        self.low <= version && version <= self.high
    }

    /// Every version, the lowest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = i16> {
        self.low..=self.high
    }

    /// The versions that both have.
    #[must_use]
    pub fn intersection(self, other: Versions) -> Versions {
        Versions {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Versions { low, high } if low > high => f.write_str("none"),
            Versions {
                low,
                high: i16::MAX,
            } => write!(f, "{low}+"),
            Versions { low, high } if low == high => write!(f, "{low}"),
            Versions { low, high } => write!(f, "{low}-{high}"),
        }
    }
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a field's row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Versions that have the field.
    pub versions: Versions,
    /// Versions in which it may be null.
    pub nullable: Versions,
    /// Its tag, where it is a tagged field.
    pub tag: Option<u32>,
    /// Whether it is left out silently where a version lacks it.
    pub ignorable: bool,
}

impl Row {
    /// A field of these versions; nothing more is said of it.
    #[must_use]
    pub const fn new(versions: Versions) -> Row {
        Row {
            versions,
            nullable: Versions::NONE,
            tag: None,
            ignorable: false,
        }
    }

    /// Null is allowed in these versions.
    #[must_use]
    pub const fn nullable(mut self, versions: Versions) -> Row {
        self.nullable = versions;
        self
    }

    /// The field is tagged.
    #[must_use]
    pub const fn tag(mut self, tag: u32) -> Row {
        self.tag = Some(tag);
        self
    }

    /// The field may be left out.
    #[must_use]
    pub const fn ignorable(mut self) -> Row {
        self.ignorable = true;
        self
    }

    /// Whether `version` has the field, and in its place.
    #[must_use]
    pub const fn is_plain_in(&self, version: i16) -> bool {
        self.tag.is_none() && self.versions.contains(version)
    }

    /// Whether `version` has the field as a tagged one.
    #[must_use]
    pub const fn is_tagged_in(&self, version: i16) -> bool {
        self.tag.is_some() && self.versions.contains(version)
    }

    /// Whether the field has this tag, in some version.
    #[must_use]
    pub const fn has_tag(&self, tag: u32) -> bool {
        matches!(self.tag, Some(own) if own == tag)
    }

    /// The shape of the field's value inside a structure of `shape`.
    #[must_use]
    pub const fn shape(&self, shape: Shape) -> Shape {
        Shape {
            nullable: self.nullable.contains(shape.version),
            tagged: self.tag.is_some(),
            ..shape
        }
    }
}

/// One more than the highest tag of a structure's rows.
#[must_use]
pub const fn tag_end(rows: &[Row]) -> u32 {
    let mut end = 0;
    let mut index = 0;
    while index < rows.len() {
        if let Some(tag) = rows[index].tag
            && tag >= end
        {
            end = tag + 1;
        }
        index += 1;
    }
    end
}

/// Every tag that a structure's rows may have.
#[must_use]
pub const fn tags_below(end: u32) -> std::ops::Range<u32> {
    0..end
}

/// A whole message: a request, a response, or a record's contents.
pub trait Message: Field + Default + Clone + fmt::Debug {
    /// Kafka's name.
    const NAME: &'static str;
    /// The versions there are.
    const VERSIONS: Versions;
    /// The versions that have compact lengths and tagged fields.
    const FLEXIBLE: Versions;

    /// Whether the version is one of [`Message::FLEXIBLE`].
    #[must_use]
    fn is_flexible(version: i16) -> bool {
        Self::FLEXIBLE.contains(version)
    }

    /// The shape of the message in a version.
    #[must_use]
    fn shape(version: i16) -> Shape {
        Shape {
            version,
            flexible: Self::is_flexible(version),
            nullable: false,
            tagged: false,
        }
    }

    /// Reads the message. What follows it in the frame is left unread, as Apache leaves it.
    fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        if !Self::VERSIONS.contains(version) {
            return Err(DecodeError::new(DecodeReason::Version(version)).at(Self::NAME, ""));
        }
        Self::read(reader, Self::shape(version))
    }

    /// Writes the message, or says which field the version cannot express.
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if !Self::VERSIONS.contains(version) {
            return Err(EncodeError::new(EncodeReason::Version(version)).at(Self::NAME, ""));
        }
        self.write(writer, Self::shape(version))
    }

    /// Bytes that the message takes on the wire, records that lie elsewhere included.
    fn size(&self, version: i16) -> usize {
        self.written_bytes(Self::shape(version))
    }

    /// The message as Apache's JSON converters write it: fields in the order of its rows, in
    /// camel case, tagged ones only where they differ from their default.
    fn to_json(&self, version: i16) -> String {
        let mut text = String::new();
        self.json(Self::shape(version), &mut text);
        text
    }

    /// A random message of the version: for tests, and for the simulator's clients.
    fn arbitrary(prng: &mut Prng, version: i16) -> Self {
        Self::sample(prng, Self::shape(version))
    }
}

/// A message that asks.
pub trait Request: Message {
    /// Its API.
    const KEY: ApiKey;
    /// The message that answers it.
    type Response: Response;
}

/// A message that answers.
pub trait Response: Message {
    /// Its API.
    const KEY: ApiKey;
}

/// Declares messages and the structures in them: see the module's own page.
macro_rules! declare {
    () => {};
    (
        $(#[$meta:meta])*
        message $name:ident [$($versions:tt)*] { $($rows:tt)* }
        $($rest:tt)*
    ) => {
        structure! { [$($versions)*] $(#[$meta])* $name { $($rows)* } }

        impl $crate::protocol::declare::Message for $name {
            const NAME: &'static str = stringify!($name);
            const VERSIONS: $crate::protocol::declare::Versions = message_versions!($($versions)*);
            const FLEXIBLE: $crate::protocol::declare::Versions = message_flexible!($($versions)*);
        }

        declare! { $($rest)* }
    };
    ($(#[$meta:meta])* struct $name:ident { $($rows:tt)* } $($rest:tt)*) => {
        structure! { [] $(#[$meta])* $name { $($rows)* } }

        declare! { $($rest)* }
    };
}

/// `3+`, `3-13` or `3` as [`Versions`].
macro_rules! versions {
    ($low:literal +) => {
        $crate::protocol::declare::Versions::new($low, i16::MAX)
    };
    ($low:literal - $high:literal) => {
        $crate::protocol::declare::Versions::new($low, $high)
    };
    ($only:literal) => {
        $crate::protocol::declare::Versions::new($only, $only)
    };
}

macro_rules! message_versions {
    ($low:literal - $high:literal $($rest:tt)*) => {
        versions!($low - $high)
    };
    ($only:literal $($rest:tt)*) => {
        versions!($only)
    };
}

macro_rules! message_flexible {
    ($low:literal - $high:literal $($rest:tt)*) => { message_flexible!($($rest)*) };
    ($only:literal $($rest:tt)*) => { message_flexible!($($rest)*) };
    (flexible($($flexible:tt)*)) => { versions!($($flexible)*) };
    () => { $crate::protocol::declare::Versions::NONE };
}

/// A field's row as a constant.
macro_rules! row {
    ($low:literal + $($options:tt)*) => { row!(@ versions!($low +); $($options)*) };
    ($low:literal - $high:literal $($options:tt)*) => {
        row!(@ versions!($low - $high); $($options)*)
    };
    ($only:literal $($options:tt)*) => { row!(@ versions!($only); $($options)*) };
    (@ $versions:expr; $($options:tt)*) => {
        row_options!($crate::protocol::declare::Row::new($versions), $($options)*)
    };
}

macro_rules! row_options {
    ($row:expr,) => { $row };
    ($row:expr, nullable($($versions:tt)*) $($options:tt)*) => {
        row_options!($row.nullable(versions!($($versions)*)), $($options)*)
    };
    ($row:expr, tag($tag:literal) $($options:tt)*) => {
        row_options!($row.tag($tag), $($options)*)
    };
    ($row:expr, default($default:expr) $($options:tt)*) => {
        row_options!($row, $($options)*)
    };
    ($row:expr, ignorable) => { $row.ignorable() };
}

/// A field's default: what its row names, else what its type has.
macro_rules! row_default {
    ($type:ty; $low:literal + $($options:tt)*) => { row_default!(@ $type; $($options)*) };
    ($type:ty; $low:literal - $high:literal $($options:tt)*) => {
        row_default!(@ $type; $($options)*)
    };
    ($type:ty; $only:literal $($options:tt)*) => { row_default!(@ $type; $($options)*) };
    (@ $type:ty; nullable($($nullable:tt)*) $($options:tt)*) => {
        row_default!(@ $type; $($options)*)
    };
    (@ $type:ty; tag($tag:literal) $($options:tt)*) => { row_default!(@ $type; $($options)*) };
    (@ $type:ty; default($default:expr) $($options:tt)*) => { $default };
    (@ $type:ty; $(ignorable)?) => {
        <$type as $crate::protocol::primitives::Field>::absent()
    };
}

/// A structure: its type, its default, and how it is read, written, measured and sampled.
macro_rules! structure {
    (
        [$($versions:tt)*]
        $(#[$meta:meta])*
        $name:ident { $( $field:ident : $type:ty [ $($row:tt)* ] ),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "the fields are Kafka's: its protocol guide says what they mean")]
        pub struct $name {
            $( pub $field: $type, )*
            /// Tagged fields that klamm does not know, kept to be written again.
            pub unknown_tagged_fields: $crate::protocol::UnknownTaggedFields,
        }

        impl Default for $name {
            fn default() -> $name {
                $name {
                    $( $field: row_default!($type; $($row)*), )*
                    unknown_tagged_fields: Vec::new(),
                }
            }
        }

        #[allow(unused_variables, unused_mut, unused_assignments, reason = "a structure may have no field, or none that is tagged")]
        const _: () = {
            use $crate::base::convert::usize_from_u32;
            use $crate::base::prng::Prng;
            use $crate::protocol::declare::{Row, tag_end, tags_below};
            use $crate::protocol::primitives::{Field, Nullable, Shape};
            use $crate::protocol::reader::{DecodeError, DecodeReason, Read, Reader};
            use $crate::protocol::writer::{EncodeError, EncodeReason, Write, Writer, uvarint_bytes};

            const NAME: &str = stringify!($name);
            const ROWS: &[Row] = &[$( row!($($row)*) ),*];
            const TAG_END: u32 = tag_end(ROWS);

            impl $name {
                /// How many tagged fields are to be written: those that differ from their default.
                fn tagged_count(&self, shape: Shape) -> usize {
                    let mut count = self.unknown_tagged_fields.len();
                    $({
                        const ROW: Row = row!($($row)*);
                        if ROW.is_tagged_in(shape.version) && self.$field != row_default!($type; $($row)*) {
                            count += 1;
                        }
                    })*
                    count
                }

                /// Reads the tagged fields. Tags increase, and every value fills its size.
                fn read_tagged(&mut self, reader: &mut Reader, shape: Shape) -> Read<()> {
                    let mut previous = None;
                    for _ in 0..reader.tagged_field_count()? {
                        let (tag, size) = reader.tag(previous)?;
                        previous = Some(tag);
                        let begin = reader.position();
                        let mut known = false;
                        $({
                            const ROW: Row = row!($($row)*);
                            if ROW.has_tag(tag) {
                                if !ROW.is_tagged_in(shape.version) {
                                    let reason = DecodeReason::TagNotInVersion(tag);
                                    return Err(DecodeError::new(reason).at(NAME, stringify!($field)));
                                }
                                known = true;
                                self.$field = <$type as Field>::read(reader, ROW.shape(shape))
                                    .map_err(|error| error.at(NAME, stringify!($field)))?;
                            }
                        })*
                        if !known {
                            let value = reader.take(usize_from_u32(size))?;
                            self.unknown_tagged_fields.push((tag, value));
                        }
                        let read = reader.position() - begin;
                        if read != usize_from_u32(size) {
                            let reason = DecodeReason::TaggedFieldBytes { claimed: size, read };
                            return Err(DecodeError::new(reason));
                        }
                    }
                    Ok(())
                }

                /// Writes the tagged fields, the lowest tag first.
                fn write_tagged(&self, writer: &mut Writer, shape: Shape) -> Write {
                    let count = self.tagged_count(shape);
                    writer.tagged_size(count)?;
                    if count == 0 {
                        return Ok(());
                    }
                    let mut unknown = self.unknown_tagged_fields.iter().peekable();
                    for tag in tags_below(TAG_END) {
                        $({
                            const ROW: Row = row!($($row)*);
                            if ROW.has_tag(tag)
                                && ROW.is_tagged_in(shape.version)
                                && self.$field != row_default!($type; $($row)*)
                            {
                                let field = ROW.shape(shape);
                                writer.uvarint(tag);
                                writer.tagged_size(self.$field.written_bytes(field))?;
                                self.$field
                                    .write(writer, field)
                                    .map_err(|error| error.at(NAME, stringify!($field)))?;
                            }
                        })*
                        if let Some((_, value)) = unknown.next_if(|(own, _)| *own == tag) {
                            writer.uvarint(tag);
                            writer.tagged_size(value.len())?;
                            writer.bytes(value);
                        }
                    }
                    for (tag, value) in unknown {
                        writer.uvarint(*tag);
                        writer.tagged_size(value.len())?;
                        writer.bytes(value);
                    }
                    Ok(())
                }

                /// How many bytes the tagged fields take, their count included.
                fn tagged_bytes(&self, shape: Shape) -> usize {
                    let count_bytes = |count: usize| {
                        uvarint_bytes(u32::try_from(count).unwrap_or(u32::MAX))
                    };
                    let mut bytes = count_bytes(self.tagged_count(shape));
                    $({
                        const ROW: Row = row!($($row)*);
                        if let Some(tag) = ROW.tag
                            && ROW.is_tagged_in(shape.version)
                            && self.$field != row_default!($type; $($row)*)
                        {
                            let size = self.$field.written_bytes(ROW.shape(shape));
                            bytes += uvarint_bytes(tag) + count_bytes(size) + size;
                        }
                    })*
                    for (tag, value) in &self.unknown_tagged_fields {
                        bytes += uvarint_bytes(*tag) + count_bytes(value.len()) + value.len();
                    }
                    bytes
                }
            }

            impl Field for $name {
                fn absent() -> $name {
                    $name::default()
                }

                fn bytes_min(shape: Shape) -> usize {
                    let mut bytes = usize::from(shape.flexible);
                    $({
                        const ROW: Row = row!($($row)*);
                        if ROW.is_plain_in(shape.version) {
                            bytes += <$type as Field>::bytes_min(ROW.shape(shape));
                        }
                    })*
                    bytes
                }

                fn read(reader: &mut Reader, shape: Shape) -> Read<$name> {
                    let mut structure = $name::default();
                    $({
                        const ROW: Row = row!($($row)*);
                        if ROW.is_plain_in(shape.version) {
                            structure.$field = <$type as Field>::read(reader, ROW.shape(shape))
                                .map_err(|error| error.at(NAME, stringify!($field)))?;
                        }
                    })*
                    if shape.flexible {
                        structure
                            .read_tagged(reader, shape)
                            .map_err(|error| error.at(NAME, "unknown_tagged_fields"))?;
                    }
                    Ok(structure)
                }

                fn write(&self, writer: &mut Writer, shape: Shape) -> Write {
                    $({
                        const ROW: Row = row!($($row)*);
                        if ROW.is_plain_in(shape.version) {
                            self.$field
                                .write(writer, ROW.shape(shape))
                                .map_err(|error| error.at(NAME, stringify!($field)))?;
                        } else if !ROW.ignorable
                            && !ROW.versions.contains(shape.version)
                            && self.$field != row_default!($type; $($row)*)
                        {
                            let reason = EncodeReason::NotInVersion(shape.version);
                            return Err(EncodeError::new(reason).at(NAME, stringify!($field)));
                        }
                    })*
                    if shape.flexible {
                        self.write_tagged(writer, shape)?;
                    } else if !self.unknown_tagged_fields.is_empty() {
                        let reason = EncodeReason::NotInVersion(shape.version);
                        return Err(EncodeError::new(reason).at(NAME, "unknown_tagged_fields"));
                    }
                    Ok(())
                }

                fn written_bytes(&self, shape: Shape) -> usize {
                    let mut bytes = 0;
                    $({
                        const ROW: Row = row!($($row)*);
                        if ROW.is_plain_in(shape.version) {
                            bytes += self.$field.written_bytes(ROW.shape(shape));
                        }
                    })*
                    if shape.flexible {
                        bytes += self.tagged_bytes(shape);
                    }
                    bytes
                }

                fn sample(prng: &mut Prng, shape: Shape) -> $name {
                    let mut structure = $name::default();
                    $({
                        const ROW: Row = row!($($row)*);
                        let is_left_out = ROW.tag.is_some() && prng.one_in(2);
                        if ROW.versions.contains(shape.version) && !is_left_out {
                            structure.$field = <$type as Field>::sample(prng, ROW.shape(shape));
                        }
                    })*
                    if shape.flexible && prng.one_in(8) {
                        let shape = shape.inner();
                        let value = <bytes::Bytes as Field>::sample(prng, shape);
                        structure.unknown_tagged_fields.push((100, value));
                        let value = <bytes::Bytes as Field>::sample(prng, shape);
                        structure.unknown_tagged_fields.push((10_000, value));
                    }
                    structure
                }

                fn json(&self, shape: Shape, text: &mut String) {
                    text.push('{');
                    let mut is_first = true;
                    $({
                        const ROW: Row = row!($($row)*);
                        if ROW.is_plain_in(shape.version)
                            || (ROW.is_tagged_in(shape.version)
                                && self.$field != row_default!($type; $($row)*))
                        {
                            $crate::protocol::json::field(text, &mut is_first, stringify!($field));
                            self.$field.json(ROW.shape(shape), text);
                        }
                    })*
                    text.push('}');
                }
            }

            impl Nullable for $name {
                fn nullable_bytes_min(_: Shape) -> usize {
                    1
                }

                fn read_nullable(reader: &mut Reader, shape: Shape) -> Read<Option<$name>> {
                    // Apache's generated classes write an unsigned varint where the structure is a
                    // tagged field, and an int8 elsewhere.
                    let is_null = if shape.tagged {
                        reader.uvarint()? == 0
                    } else {
                        reader.i8()? < 0
                    };
                    if is_null {
                        Ok(None)
                    } else {
                        <$name as Field>::read(reader, shape).map(Some)
                    }
                }

                fn write_nullable(value: Option<&$name>, writer: &mut Writer, shape: Shape) -> Write {
                    match value {
                        Some(value) => {
                            writer.i8(1);
                            value.write(writer, shape)
                        }
                        None => {
                            writer.i8(if shape.tagged { 0 } else { -1 });
                            Ok(())
                        }
                    }
                }

                fn nullable_written_bytes(value: Option<&$name>, shape: Shape) -> usize {
                    1 + value.map_or(0, |value| value.written_bytes(shape))
                }
            }
        };
    };
}
