//! Words that every room uses: ids and quantities as types, time, randomness, limits.
//! Nothing here does I/O or knows what Kafka's messages look like.

pub mod collections;
pub mod convert;
pub mod ids;
pub mod limits;
pub mod prng;
pub mod time;
pub mod uuid;
