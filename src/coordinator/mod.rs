//! Coordinators: state machines whose state is a log. Each partition of `__consumer_offsets` has one,
//! on the shard that owns the partition.
//!
//! ```text
//!   command ─► machine.handle ─► records + replies          nothing has changed yet
//!                                   │
//!                     one batch per partition and round, written
//!                                   │
//!              records ─► machine.replay                     now it has
//!              replies ─► leave when the batch is below the high watermark
//! ```
//! A round takes at most one command per subject (a group), so that each command sees what those
//! before it did, and many commands share one write. A write that fails undoes nothing, because
//! nothing was done: its replies become errors. Timers are commands too.

pub mod group;
mod load;
mod machine;
mod partition;
mod round;
mod timers;

pub use load::Progress;
pub use machine::{DamagedRecord, Machine, Step, TopicsChanged, World};
pub use partition::Coordinator;
pub use timers::Timers;
