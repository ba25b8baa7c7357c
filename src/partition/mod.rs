//! The partitions of one core: their leaders' logs, high watermarks, and who waits for them.
//!
//! ```text
//!   another core, or this one                     the owner's turn
//!   ─────────────────────────                     ──────────────────────────────────────────
//!   Work::Produce ───────────────────────────────► append to the log's queue
//!                                                  … all other work of the turn …
//!                                                  one write per file  (group commit)
//!   Answer::Produce ◄───────────────────────────── high watermark passed the last offset
//!   Work::Fetch ─────────────────────────────────► slices of files, or a watch
//!   Wake ◄──────────────────────────────────────── the high watermark moved
//! ```

mod append;
mod away;
mod describe;
mod flush;
mod leader;
mod partitions;
pub mod placement;
mod read;
mod room;
pub mod session;
pub mod settings;
mod sync;
pub mod work;

pub use leader::{Fate, Partition};
pub use partitions::{Partitions, TurnEffects};
