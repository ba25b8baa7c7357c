//! A world in memory: files, sockets and clocks of one simulation, all from one seed.

pub(super) mod core;
pub mod disk;
pub mod drive;
pub mod network;
