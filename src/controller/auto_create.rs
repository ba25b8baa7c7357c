//! Topics that are created because a client asked for their metadata (`auto.create.topics.enable`).

use crate::config::Configuration;
use crate::protocol::Str;
use crate::protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};

/// The request that a broker sends to its controller for topics that do not exist: with the
/// defaults of this broker, which may differ from the controller's.
#[must_use]
pub fn auto_create_request<'a>(
    names: impl Iterator<Item = &'a str>,
    configuration: &Configuration,
) -> CreateTopicsRequest {
    let factor = configuration.default_replication_factor();
    let topics = names.map(|name| CreatableTopic {
        name: Str::from(name),
        num_partitions: configuration.num_partitions(),
        replication_factor: i16::try_from(factor).unwrap_or(i16::MAX),
        ..CreatableTopic::default()
    });
    CreateTopicsRequest {
        topics: topics.collect(),
        ..CreateTopicsRequest::default()
    }
}
