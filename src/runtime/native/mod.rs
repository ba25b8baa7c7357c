//! The real machine: Linux, io_uring, glommio.

pub(super) mod disk;
