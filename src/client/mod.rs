//! The small Kafka client that tools, the perf programs and followers share.
//!
//! - `connection`, `cluster`, `producer`, `consumer`, `partitioner`: plain state machines. They
//!   hold no socket and no clock; whoever drives them brings the bytes and the time.
//! - [`Client`]: drives them over blocking sockets, for the tools; `admin` and `group_admin` ask on
//!   top of it.
//! - `group`: a member of a consumer group, machine and shell.

pub mod admin;
pub mod blocking;
pub mod cluster;
mod codec;
pub mod connection;
pub mod consumer;
pub mod error;
pub mod group;
pub mod group_admin;
pub mod partitioner;
pub mod producer;
mod throttle;

pub use blocking::{Client, ClientOptions, Wake, pump_all};
pub use error::ClientError;
pub use throttle::Throttled;
