//! Kafka's UUID: 16 bytes, written as 22 characters of URL-safe base64.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// A 128-bit id: of a topic, a log directory, a broker's incarnation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// All zero bits: "no id".
    pub const ZERO: Uuid = Uuid([0; 16]);
    /// The fixed id of `__cluster_metadata`: `AAAAAAAAAAAAAAAAAAAAAQ`.
    pub const METADATA_TOPIC: Uuid = Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    /// A version 4 UUID from 128 random bits. As Kafka's: never one that starts with `-` when
    /// written, and never one of the reserved ids (the first 100).
    #[must_use]
    pub fn from_random(high: u64, low: u64) -> Uuid {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.to_be_bytes());
        bytes[6] = (bytes[6] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        if bytes[0] >> 2 == 62 {
            bytes[0] &= 0x7F; // 62 is `-` in URL-safe base64: tools would take the id for a flag
        }
        Uuid(bytes)
    }

    /// The id written as text, or `None` where the text is not 22 characters of URL-safe base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Uuid> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        Some(Uuid(bytes.try_into().ok()?))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        assert_eq!(Uuid::METADATA_TOPIC.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        let id = Uuid::from_random(u64::MAX, 7);
        assert_eq!(Uuid::parse(&id.to_string()), Some(id));
        assert!(!id.to_string().starts_with('-'));
        assert_eq!(Uuid::parse("short"), None);
    }
}
