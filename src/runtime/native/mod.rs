//! The real machine: Linux, io_uring, glommio.

pub(super) mod core;
pub(super) mod disk;
pub mod drive;
pub(super) mod gather;
pub mod listen;
pub mod process;
pub(super) mod ring;
pub(super) mod sys;
