//! Record batches inside a message: bytes of the frame itself, or bytes that lie elsewhere (in a
//! segment file) and are sent from there.

use bytes::Bytes;

/// The records of one partition, opaque to the codec.
#[derive(Clone, PartialEq, Eq)]
pub enum Records {
    /// In memory. A decoded request or response always gives this: a slice of its frame.
    Bytes(Bytes),
    /// Not in memory: the writer leaves a hole of `bytes` bytes, named by `token`, which the
    /// connection fills from wherever the token stands for.
    Elsewhere {
        /// How many bytes the hole takes on the wire.
        bytes: usize,
        /// What the connection finds them by; means nothing to the codec.
        token: usize,
    },
}

impl Records {
    /// No records: zero bytes, which is not the same as null.
    pub const EMPTY: Records = Records::Bytes(Bytes::new());

    /// How many bytes the records take on the wire.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Records::Bytes(bytes) => bytes.len(),
            Records::Elsewhere { bytes, .. } => *bytes,
        }
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, where they are in memory.
    #[must_use]
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Records::Bytes(bytes) => Some(bytes),
            Records::Elsewhere { .. } => None,
        }
    }
}

impl Default for Records {
    fn default() -> Records {
        Records::EMPTY
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Records {
        Records::Bytes(bytes)
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Records::Bytes(bytes) => write!(f, "{} bytes of records", bytes.len()),
            Records::Elsewhere { bytes, token } => {
                write!(f, "{bytes} bytes of records at {token}")
            }
        }
    }
}
