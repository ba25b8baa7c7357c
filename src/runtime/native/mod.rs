//! The real machine: Linux, io_uring, glommio.

mod away;
mod cold;
pub(super) mod core;
pub(super) mod disk;
pub mod drive;
mod files;
pub(super) mod gather;
pub mod listen;
mod operations;
pub(super) mod pacing;
mod pressure;
pub mod process;
mod replace;
pub(super) mod residency;
pub(super) mod ring;
mod sockets;
pub(super) mod sys;
mod turns;
mod waits;
