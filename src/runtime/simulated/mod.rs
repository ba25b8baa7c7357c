//! A world in memory: files, sockets and clocks of one simulation, all from one seed.

pub mod disk;
