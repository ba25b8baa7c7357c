//! The topics that are asked about.

use crate::side::{Pair, text};
use klamm::protocol::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};

fn topic(name: &str, partitions: i32, replicas: i16) -> CreatableTopic {
    of!(CreatableTopic {
        name: text(name),
        num_partitions: partitions,
        replication_factor: replicas,
    })
}

fn with_configs(topic: CreatableTopic, configs: &[(&str, Option<&str>)]) -> CreatableTopic {
    CreatableTopic {
        configs: configs
            .iter()
            .map(|(name, value)| {
                of!(CreatableTopicConfig {
                    name: text(name),
                    value: value.map(text)
                })
            })
            .collect(),
        ..topic
    }
}

/// Topics that the other comparisons use.
pub fn create_what_others_need(pair: &mut Pair) {
    pair.tell_both(7, || {
        of!(CreateTopicsRequest {
            topics: vec![
                topic("plain", 1, 1),
                topic("garbage", 1, 1),
                topic("many", 4, -1),
                with_configs(topic("small", 1, 1), &[("max.message.bytes", Some("300"))]),
                with_configs(
                    topic("compacted", 1, 1),
                    &[("cleanup.policy", Some("compact"))]
                ),
                with_configs(
                    topic("stamped", 1, 1),
                    &[("message.timestamp.type", Some("LogAppendTime"))],
                ),
                with_configs(
                    topic("set", 2, 1),
                    &[
                        ("retention.ms", Some("86400000")),
                        ("cleanup.policy", Some("compact,delete")),
                        ("flush.messages", Some("10")),
                    ],
                ),
            ],
        })
    });
    pair.settle();
}
