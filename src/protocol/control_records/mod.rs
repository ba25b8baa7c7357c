//! The messages of control records: the batches that only the log itself reads. The key of each is
//! [`ControlRecordTypeSchema`] after an int16 version; `record::control` frames them.
//!
//! ```text
//! key     int16 version (0) | int16 type
//! value   the message, whose first field is its version; types 0 and 1 have int16 version before it
//! ```
//!
//! Apache 4.4 reads and writes all of them in version 0.

use crate::protocol::catalogue::Entry;

pub mod leader_change;
pub mod markers;
pub mod voters;

pub use leader_change::LeaderChangeMessage;
pub use markers::{
    ControlRecordTypeSchema, EndTxnMarker, KRaftVersionRecord, SnapshotFooterRecord,
    SnapshotHeaderRecord,
};
pub use voters::VotersRecord;

/// Every control record's message, for the catalogue.
pub(crate) fn control_messages() -> Vec<Entry> {
    vec![
        Entry::of::<LeaderChangeMessage>(),
        Entry::of::<ControlRecordTypeSchema>(),
        Entry::of::<EndTxnMarker>(),
        Entry::of::<KRaftVersionRecord>(),
        Entry::of::<SnapshotFooterRecord>(),
        Entry::of::<SnapshotHeaderRecord>(),
        Entry::of::<VotersRecord>(),
    ]
}
