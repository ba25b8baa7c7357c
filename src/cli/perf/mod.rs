//! The measuring tools: load generators that take Kafka's flags and print Kafka's lines, against
//! any broker that speaks its protocol.
//!
//! ```text
//! producer.rs   flags ─► settings.rs, payload.rs, keys.rs, schedule.rs: what to send, and when
//! load.rs       one thread: some producers, each with its own connections
//!                 └─► tally.rs: a window of latencies, shared with
//! report.rs     the main thread: Kafka's lines, the live line (live.rs), JSON, HdrHistogram files
//!               (hdr.rs)
//! consumer.rs   a member of a group that counts
//! latency/      a producer and a consumer, and the time between them
//! page.rs       --report: one page, with what timeline.rs kept of each interval
//! ```

pub mod consumer;
pub mod date;
pub mod hdr;
pub mod keys;
pub mod latency;
pub mod live;
pub mod load;
pub mod page;
pub mod payload;
pub mod producer;
pub mod rate;
pub mod report;
pub mod schedule;
pub mod settings;
pub mod tally;
pub mod timeline;
