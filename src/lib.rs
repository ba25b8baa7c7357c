//! klamm: a broker that speaks Apache Kafka's wire protocol, one shard per core, on io_uring.
//!
//! The rooms stand bottom up: a module imports only from those above it in this list
//! (`tests/tidy.rs` holds it). `docs/ARCHITECTURE.md` is the map.

pub mod base;
pub mod cli;
pub mod client;
pub mod config;
pub mod connection;
pub mod controller;
pub mod coordinator;
pub mod handler;
pub mod log;
pub mod metadata;
pub mod partition;
pub mod protocol;
pub mod raft;
pub mod record;
pub mod runtime;
pub mod shard;
pub mod sim;
