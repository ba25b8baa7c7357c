//! Every setting as one row, and what a broker, a topic, a group is configured with.
//!
//! - `rows/`: the tables. Kafka's name, type, default, scope, bounds; what klamm does with it.
//! - [`Configuration`]: a broker's settings in force, from `server.properties`, `KAFKA_*`
//!   variables, overrides and altered configs. Read by typed methods (`accessors.rs`).
//! - [`TopicConfig`]: the settings of a topic that have an effect, its own over the broker's.
//! - [`describe`]: the rows of a DescribeConfigs response.
//! - [`alter`]: what an IncrementalAlterConfigs or CreateTopics request comes to.

mod accessors;
pub mod alter;
pub mod broker;
mod checks;
pub mod describe;
pub mod error;
pub mod listener;
pub mod nearest;
pub mod properties;
pub mod rows;
pub mod setting;
pub mod sources;
pub mod topic;
pub mod value;

pub use broker::{Configuration, Overrides};
pub use error::{ConfigError, ConfigErrors, Notice, Origin};
pub use listener::{Listener, SecurityProtocol};
pub use sources::Sources;
pub use topic::{CleanupPolicy, CompressionType, TimestampType, TopicConfig};
