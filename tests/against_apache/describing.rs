//! Metadata, DescribeCluster and DescribeTopicPartitions.

use crate::side::{Pair, Side, text};
use klamm::base::ids::TopicId;
use klamm::base::uuid::Uuid;
use klamm::protocol::messages::describe_cluster::DescribeClusterRequest;
use klamm::protocol::messages::describe_topic_partitions::request::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};
use klamm::protocol::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse,
};

/// The topics that are asked for, where the page begins, how many partitions it may have.
type Page<'a> = (&'a [&'a str], Option<(&'a str, i32)>, i32);

/// An id that no topic has.
const UNKNOWN: TopicId = Uuid([9; 16]);

pub fn compare(pair: &mut Pair) {
    metadata(pair);
    cluster(pair);
    topic_partitions(pair);
}

fn named(name: &str) -> MetadataRequestTopic {
    of!(MetadataRequestTopic {
        name: Some(text(name)),
        topic_id: TopicId::ZERO,
    })
}

fn with_id(topic_id: TopicId) -> MetadataRequestTopic {
    of!(MetadataRequestTopic {
        name: None,
        topic_id: topic_id,
    })
}

fn metadata(pair: &mut Pair) {
    ask_metadata(pair, "all topics", |_| None);
    ask_metadata(pair, "no topics", |_| Some(vec![]));
    ask_metadata(pair, "one by name", |_| Some(vec![named("many")]));
    ask_metadata(pair, "one twice", |_| {
        Some(vec![named("many"), named("many")])
    });
    ask_metadata(pair, "a missing name", |_| Some(vec![named("missing")]));
    ask_metadata(pair, "an invalid name", |_| Some(vec![named("a topic")]));
    ask_metadata(pair, "an empty name", |_| Some(vec![named("")]));
    ask_metadata(pair, "one by id", |side| {
        Some(vec![with_id(side.id("many"))])
    });
    ask_metadata(pair, "an unknown id", |_| Some(vec![with_id(UNKNOWN)]));
    ask_metadata(pair, "an unknown id with a name", |_| {
        Some(vec![MetadataRequestTopic {
            topic_id: UNKNOWN,
            ..named("many")
        }])
    });
    ask_metadata(pair, "an id and another's name", |side| {
        Some(vec![MetadataRequestTopic {
            topic_id: side.id("many"),
            ..named("plain")
        }])
    });
    ask_metadata(pair, "ids and names", |side| {
        Some(vec![with_id(side.id("many")), named("plain")])
    });
    ask_metadata(pair, "neither id nor name", |_| {
        Some(vec![with_id(TopicId::ZERO)])
    });
    pair.ask("what one may do", |_| {
        of!(MetadataRequest {
            topics: Some(vec![named("many"), named("missing")]),
            include_cluster_authorized_operations: true,
            include_topic_authorized_operations: true,
        })
    });
}

/// Topics stand in Apache's answer in the order of a hash table.
fn ask_metadata(
    pair: &mut Pair,
    what: &str,
    topics: impl Fn(&Side) -> Option<Vec<MetadataRequestTopic>>,
) {
    let sort = |response: &mut MetadataResponse| {
        response
            .topics
            .sort_by(|one, other| one.name.cmp(&other.name));
    };
    pair.ask_every(
        what,
        |side| {
            of!(MetadataRequest {
                topics: topics(side),
                allow_auto_topic_creation: false,
            })
        },
        |apache, klamm| {
            sort(apache);
            sort(klamm);
        },
    );
}

fn cluster(pair: &mut Pair) {
    for endpoint_type in [1, 2, 3, 0, -1] {
        for include_operations in [false, true] {
            pair.ask(
                &format!("endpoints of type {endpoint_type}, operations {include_operations}"),
                |_| {
                    of!(DescribeClusterRequest {
                        endpoint_type: endpoint_type,
                        include_cluster_authorized_operations: include_operations,
                    })
                },
            );
        }
    }
}

fn topic_partitions(pair: &mut Pair) {
    let cases: &[Page] = &[
        (&[], None, 2000),
        (&[], None, 3),
        (&[], None, 0),
        (&[], None, -1),
        (&["many"], None, 2000),
        (&["many", "many"], None, 2000),
        (&["many"], None, 4),
        (&["many", "plain"], None, 4),
        (&["many", "plain"], None, 5),
        (&["many", "zzz"], None, 4),
        (&["plain", "many"], None, 3),
        (&["missing"], None, 10),
        (&["many"], Some(("many", 2)), 10),
        (&["many"], Some(("many", 2)), 1),
        (&["many"], Some(("many", 9)), 10),
        (&["many"], Some(("many", -1)), 10),
        (&["many"], Some(("plain", 0)), 10),
        (&["many", "plain"], Some(("many", 4)), 10),
        (&["many", "plain"], Some(("nothing", 1)), 10),
        (&[], Some(("nothing", 1)), 10),
        (&[], Some(("many", 1)), 2),
    ];
    for (names, cursor, limit) in cases {
        pair.ask(&format!("{names:?} from {cursor:?}, {limit}"), |_| {
            of!(DescribeTopicPartitionsRequest {
                topics: names
                    .iter()
                    .map(|name| of!(TopicRequest { name: text(name) }))
                    .collect(),
                response_partition_limit: *limit,
                cursor: cursor.map(|(name, partition)| {
                    of!(Cursor {
                        topic_name: text(name),
                        partition_index: partition,
                    })
                }),
            })
        });
    }
}
