//! The whole broker in one thread, from a seed: simulated clients produce to it and read from it
//! while it is killed, stopped, started again, and its disk fails; checkers compare all they were
//! told with all they read.
//!
//! ```text
//!   seed ─► World ─► Simulation<Shard>   the real shards on simulated sockets, disk and clocks
//!             │
//!             ├──► clients               Admin, Producer, Consumer, Member: each a machine over a Link
//!             ├──► faults                kill, stop, full disk, failing syncs, cold pages, slow writes
//!             └──► Ledger, GroupLedger   what was acknowledged, what was read, what must hold
//! ```
//! `cargo dev sim SEED` replays one seed. See docs/decisions/simulator.md.

mod admin;
mod consumer;
mod group_ledger;
mod ledger;
mod link;
mod member;
mod producer;
mod world;

pub use member::{Lie, Way};
pub use world::{Failure, Report, run, run_group, run_group_with_a_lie};
