//! Why records could not be replayed. Each of these is fatal to the process: a node that cannot
//! follow the metadata log must not guess what it says.

use crate::base::ids::Offset;
use std::fmt;

/// A record that does not fit the image it is replayed into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplayError {
    /// Kafka's name of the record.
    pub record: &'static str,
    /// What does not fit.
    pub why: String,
    /// Offset of the batch, where it is known.
    pub batch_offset: Option<Offset>,
}

impl ReplayError {
    pub(super) fn record(record: &'static str, why: String) -> ReplayError {
        ReplayError {
            record,
            why,
            batch_offset: None,
        }
    }

    pub(super) fn at(mut self, batch_offset: Offset) -> ReplayError {
        self.batch_offset = Some(batch_offset);
        self
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReplayError {
            record,
            why,
            batch_offset,
        } = self;
        write!(f, "the metadata log cannot be replayed: {record}")?;
        if let Some(offset) = batch_offset {
            write!(f, " in the batch at offset {offset}")?;
        }
        write!(
            f,
            ": {why}; look at it with `klamm dump-log --cluster-metadata-decoder` on \
             __cluster_metadata-0, and start from an intact copy of that directory"
        )
    }
}

impl std::error::Error for ReplayError {}
