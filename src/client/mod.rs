//! The small Kafka client that tools, the perf programs and followers share. Its state machines
//! hold no socket and no clock.

pub mod partitioner;
