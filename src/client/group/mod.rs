//! A member of a consumer group, by the classic protocol (JoinGroup, SyncGroup, Heartbeat).
//!
//! - `member`: the membership as a plain state machine; `range`: what members tell each other, and
//!   how a leader shares partitions out; `older`: what brokers before Kafka 3.0 are asked instead.
//! - [`GroupConsumer`]: a member and a [`Consumer`](super::consumer::Consumer) together, driven over
//!   blocking sockets: for the tools.

pub mod consumer;
pub mod member;
pub(super) mod older;
pub mod range;

pub use consumer::{GroupConsumer, GroupConsumerOptions, OffsetReset, Subscription};
pub use member::{Event, Member, MemberOptions, Question};
