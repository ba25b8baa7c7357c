//! The real machine: Linux, io_uring, glommio.

mod away;
pub(super) mod core;
pub(super) mod disk;
pub mod drive;
mod files;
pub(super) mod gather;
pub mod listen;
mod pressure;
pub mod process;
mod replace;
pub(super) mod ring;
pub(super) mod sys;
mod turns;
