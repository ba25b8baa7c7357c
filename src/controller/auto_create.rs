//! Topics that are created because a client asked for their metadata (`auto.create.topics.enable`).

use crate::config::Configuration;
use crate::protocol::Str;
use crate::protocol::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};

/// The request that a broker sends to its controller for topics that do not exist: with the
/// defaults of this broker, which may differ from the controller's.
#[must_use]
pub fn auto_create_request<'a>(
    names: impl Iterator<Item = &'a str>,
    configuration: &Configuration,
) -> CreateTopicsRequest {
    let topics = names.map(|name| match name {
        "__consumer_offsets" => offsets_topic(configuration),
        name => CreatableTopic {
            name: Str::from(name),
            num_partitions: configuration.num_partitions(),
            replication_factor: short(configuration.default_replication_factor()),
            ..CreatableTopic::default()
        },
    });
    CreateTopicsRequest {
        topics: topics.collect(),
        ..CreateTopicsRequest::default()
    }
}

/// The topic of groups and their offsets. Of each key only the last record counts, so it is compacted.
fn offsets_topic(configuration: &Configuration) -> CreatableTopic {
    let segment_bytes = configuration.offsets_topic_segment_bytes().to_string();
    let configs = [
        ("cleanup.policy", "compact"),
        ("compression.type", "producer"),
        ("segment.bytes", &segment_bytes),
    ];
    CreatableTopic {
        name: Str::from("__consumer_offsets"),
        num_partitions: configuration.offsets_topic_num_partitions(),
        replication_factor: short(configuration.offsets_topic_replication_factor()),
        configs: configs
            .into_iter()
            .map(|(name, value)| CreatableTopicConfig {
                name: Str::from(name),
                value: Some(Str::from(value)),
                ..CreatableTopicConfig::default()
            })
            .collect(),
        ..CreatableTopic::default()
    }
}

fn short(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}
