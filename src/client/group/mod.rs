//! A member of a consumer group, by the classic protocol (JoinGroup, SyncGroup, Heartbeat).
//!
//! - `member`: the membership as a plain state machine; `range`: what members tell each other, and
//!   how a leader shares partitions out.
//! - [`GroupConsumer`]: a member and a [`Consumer`](super::consumer::Consumer) together, driven over
//!   blocking sockets: for the tools.

pub mod consumer;
pub mod member;
pub mod range;

pub use consumer::{GroupConsumer, GroupConsumerOptions, OffsetReset, Subscription};
pub use member::{Event, Member, MemberOptions, Question};
