//! Every message that klamm knows, by name: what the oracle, the fuzz tests and the simulator's
//! hostile clients walk.

use crate::base::prng::Prng;
use crate::protocol::api::wire_messages;
use crate::protocol::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription,
};
use crate::protocol::control_records::control_messages;
use crate::protocol::coordinator_records::coordinator_messages;
use crate::protocol::declare::{Message, Versions};
use crate::protocol::metadata_records::metadata_messages;
use crate::protocol::principal::DefaultPrincipalData;
use crate::protocol::reader::{DecodeError, Reader};
use crate::protocol::writer::{EncodeError, Writer};
use bytes::Bytes;

/// One message, without its type.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Kafka's name.
    pub name: &'static str,
    /// The versions there are.
    pub versions: Versions,
    rewrite: fn(Bytes, i16) -> Result<Bytes, RewriteError>,
    arbitrary: fn(&mut Prng, i16) -> Bytes,
}

/// Why bytes could not be read and written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewriteError {
    /// They are not the message.
    Decode(DecodeError),
    /// What was read cannot be written: a fault of the codec.
    Encode(EncodeError),
}

impl Entry {
    /// The entry of a message.
    #[must_use]
    pub const fn of<M: Message>() -> Entry {
        Entry {
            name: M::NAME,
            versions: M::VERSIONS,
            rewrite: rewrite::<M>,
            arbitrary: arbitrary::<M>,
        }
    }

    /// Reads `bytes` to their end, and writes what was read.
    pub fn rewrite(&self, bytes: Bytes, version: i16) -> Result<Bytes, RewriteError> {
        (self.rewrite)(bytes, version)
    }

    /// A random message of the version, as bytes.
    pub fn arbitrary(&self, prng: &mut Prng, version: i16) -> Bytes {
        (self.arbitrary)(prng, version)
    }
}

fn write<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let size = message.size(version);
    let mut writer = Writer::with_capacity(size);
    message.encode(&mut writer, version)?;
    let encoded = writer.finish();
    assert_eq!(encoded.bytes.len(), size, "{} v{version}", M::NAME);
    Ok(encoded.bytes)
}

fn rewrite<M: Message>(bytes: Bytes, version: i16) -> Result<Bytes, RewriteError> {
    let mut reader = Reader::new(bytes);
    let message = M::decode(&mut reader, version).map_err(RewriteError::Decode)?;
    reader.expect_end().map_err(RewriteError::Decode)?;
    write(&message, version).map_err(RewriteError::Encode)
}

fn arbitrary<M: Message>(prng: &mut Prng, version: i16) -> Bytes {
    let message = M::arbitrary(prng, version);
    let bytes = write(&message, version).expect("a sample holds only what its version can say");
    let again =
        M::decode(&mut Reader::new(bytes.clone()), version).expect("what was written can be read");
    assert_eq!(again, message, "{} v{version}", M::NAME);
    bytes
}

/// Every message that klamm knows.
#[must_use]
pub fn entries() -> Vec<Entry> {
    let mut entries = wire_messages();
    entries.extend(metadata_messages());
    entries.extend(control_messages());
    entries.extend(coordinator_messages());
    entries.push(Entry::of::<ConsumerProtocolSubscription>());
    entries.push(Entry::of::<ConsumerProtocolAssignment>());
    entries.push(Entry::of::<DefaultPrincipalData>());
    entries
}
