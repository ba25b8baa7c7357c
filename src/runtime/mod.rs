//! THE SEAM: the only place that names glommio, io_uring, sockets, files, clocks, threads, `unsafe`.
//!
//! Everything above sees concrete types with two backends: `native` (Linux) and `simulated` (one
//! thread, one seed). It knows nothing of Kafka, so it stands right above `base`: the log holds
//! [`disk::File`]s, the shard is given an `Io` in each turn, and neither can tell which world it is in.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the seam: what the others may not name is named here"
)]

pub mod blocking;
pub mod buffer;
pub mod disk;
pub mod io;
mod mail;
pub mod native;
pub mod probe;
pub mod simulated;
