//! ApiVersions, Metadata, DescribeCluster, DescribeTopicPartitions, DescribeLogDirs, InitProducerId.

use crate::side::{Pair, metadata_of, text};
use klamm::base::ids::TopicId;
use klamm::protocol::messages::api_versions::ApiVersionsRequest;
use klamm::protocol::messages::describe_cluster::DescribeClusterRequest;
use klamm::protocol::messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsRequest,
};
use klamm::protocol::messages::describe_topic_partitions::request::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};
use klamm::protocol::messages::init_producer_id::InitProducerIdRequest;
use klamm::protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};

pub fn compare(pair: &mut Pair) {
    api_versions(pair);
    metadata(pair);
    describe_cluster(pair);
    describe_topic_partitions(pair);
    describe_log_dirs(pair);
    init_producer_id(pair);
}

fn api_versions(pair: &mut Pair) {
    // Fewer APIs are served, and the epoch is an offset of the metadata log.
    let masked = [
        "api_keys",
        "api_key",
        "min_version",
        "max_version",
        "finalized_features_epoch",
    ];
    for (name, version) in [("", "1"), ("a b", "1"), ("a", "-"), ("a", "")] {
        pair.ask_masked(
            &format!("software {name:?} {version:?}"),
            &masked,
            |_, _| {
                of!(ApiVersionsRequest {
                    client_software_name: text(name),
                    client_software_version: text(version),
                })
            },
        );
    }
    for (cluster, node) in [(Some("other"), -1), (None, 9)] {
        pair.ask_in("another cluster or node", 5, &masked, |_| {
            of!(ApiVersionsRequest {
                client_software_name: text("a"),
                client_software_version: text("1"),
                cluster_id: cluster.map(text),
                node_id: node,
            })
        });
    }
}

fn metadata(pair: &mut Pair) {
    pair.ask("all topics", |_| of!(MetadataRequest { topics: None }));
    pair.ask("no topics", |_| metadata_of(&[]));
    pair.ask("topics", |_| {
        metadata_of(&["plain", "many", "missing", "plain"])
    });
    pair.ask("invalid names", |_| metadata_of(&["", ".", "a b", "plain"]));
    let long = "x".repeat(250);
    pair.ask("a long name", |_| metadata_of(&[&long]));
    for (cluster, topic) in [(true, false), (false, true)] {
        pair.ask(&format!("operations {cluster} {topic}"), |_| {
            MetadataRequest {
                include_cluster_authorized_operations: cluster,
                include_topic_authorized_operations: topic,
                ..metadata_of(&["plain", "missing"])
            }
        });
    }
    let by_id = |topic_id: TopicId, name: Option<&str>| {
        of!(MetadataRequest {
            topics: Some(vec![of!(MetadataRequestTopic {
                topic_id: topic_id,
                name: name.map(text)
            })]),
        })
    };
    pair.ask("an id", |side| by_id(side.id("plain"), None));
    pair.ask("an id and a name", |side| {
        by_id(side.id("plain"), Some("many"))
    });
    pair.ask("an unknown id", |_| {
        by_id(klamm::base::uuid::Uuid([7; 16]), None)
    });
    pair.ask("an unknown id and a name", |_| {
        by_id(klamm::base::uuid::Uuid([7; 16]), Some("plain"))
    });
    pair.ask("neither id nor name", |_| by_id(TopicId::ZERO, None));
    pair.ask("ids and names", |side| {
        of!(MetadataRequest {
            topics: Some(vec![
                of!(MetadataRequestTopic {
                    topic_id: side.id("plain"),
                    name: None
                }),
                of!(MetadataRequestTopic {
                    name: Some(text("many"))
                }),
            ]),
        })
    });
}

pub fn compare_auto_creation(pair: &mut Pair) {
    let ask = |allow: bool, names: &[&str]| MetadataRequest {
        allow_auto_topic_creation: allow,
        ..metadata_of(names)
    };
    pair.ask_in("not allowed", 12, &[], |_| ask(false, &["fresh"]));
    pair.ask_in("allowed, at first", 12, &[], |_| {
        ask(true, &["fresh", "a b"])
    });
    pair.settle();
    pair.ask_in("allowed, afterwards", 12, &[], |_| ask(true, &["fresh"]));
    pair.ask_in("old versions create", 1, &[], |_| ask(true, &["fresh-old"]));
    pair.settle();
    pair.ask_in("old versions, afterwards", 1, &[], |_| {
        ask(true, &["fresh-old"])
    });
    pair.ask_in("allowed again", 12, &[], |_| {
        ask(true, &["fresh.dot", "fresh_dot"])
    });
    pair.settle();
    pair.ask_in("colliding names", 12, &[], |_| {
        ask(true, &["fresh.dot", "fresh_dot"])
    });
}

fn describe_cluster(pair: &mut Pair) {
    for endpoint_type in [1, 2, 3, 0] {
        pair.ask(&format!("endpoint type {endpoint_type}"), |_| {
            of!(DescribeClusterRequest {
                endpoint_type: endpoint_type,
                include_cluster_authorized_operations: true,
            })
        });
    }
    pair.ask("fenced brokers", |_| {
        of!(DescribeClusterRequest {
            include_fenced_brokers: true
        })
    });
}

fn describe_topic_partitions(pair: &mut Pair) {
    let ask = |names: &[&str], limit: i32, cursor: Option<(&str, i32)>| {
        of!(DescribeTopicPartitionsRequest {
            topics: names
                .iter()
                .map(|name| of!(TopicRequest { name: text(name) }))
                .collect(),
            response_partition_limit: limit,
            cursor: cursor.map(|(topic, partition)| {
                of!(Cursor {
                    topic_name: text(topic),
                    partition_index: partition
                })
            }),
        })
    };
    let mut case = |names: &[&str], limit: i32, cursor: Option<(&str, i32)>| {
        pair.ask(&format!("{names:?} limit {limit} from {cursor:?}"), |_| {
            ask(names, limit, cursor)
        });
    };
    case(&[], 2000, None);
    case(&["plain", "many"], 2000, None);
    case(
        &["plain", "many", "plain", "missing", "a b", ""],
        2000,
        None,
    );
    case(&["plain", "many"], 2, None);
    case(&["plain", "many"], 4, None);
    case(&["plain", "many"], 0, None);
    case(&["plain", "many"], -1, None);
    case(&["many", "plain"], 2, Some(("many", 2)));
    case(&["many", "plain"], 2, Some(("many", 9)));
    case(&["many", "plain"], 2, Some(("many", -1)));
    case(&["many", "plain"], 2, Some(("nobody", 1)));
    case(&["many", "plain"], 2, Some(("zzz", 0)));
    case(&["many", "missing"], 2, Some(("missing", 1)));
    case(&[], 3, Some(("many", 1)));
    case(&[], 3, Some(("missing", 1)));
}

fn describe_log_dirs(pair: &mut Pair) {
    // Both use the same file system, which changes while they are asked.
    let masked = ["usable_bytes"];
    let mut case = |what: &str, topics: Option<&[(&str, &[i32])]>| {
        pair.ask_masked(what, &masked, |_, _| {
            of!(DescribeLogDirsRequest {
                topics: topics.map(|topics| {
                    topics
                        .iter()
                        .map(|(topic, partitions)| {
                            of!(DescribableLogDirTopic {
                                topic: text(topic),
                                partitions: partitions.to_vec(),
                            })
                        })
                        .collect()
                }),
            })
        });
    };
    case("one partition", Some(&[("plain", &[0])]));
    case("unknown", Some(&[("plain", &[9]), ("missing", &[0])]));
    case("none", Some(&[]));
    case("twice", Some(&[("plain", &[0, 0])]));
}

fn init_producer_id(pair: &mut Pair) {
    let ask = |transactional: Option<&str>, id: i64, epoch: i16| {
        of!(InitProducerIdRequest {
            transactional_id: transactional.map(text),
            transaction_timeout_ms: 1000,
            producer_id: id,
            producer_epoch: epoch,
        })
    };
    let masked = ["producer_id"];
    pair.ask_masked("a new id", &masked, |_, _| ask(None, -1, -1));
    pair.ask_masked("an empty transactional id", &[], |_, _| {
        ask(Some(""), -1, -1)
    });
    for (id, epoch) in [
        (5, 3),
        (5, -1),
        (-1, 3),
        (5, i16::MAX),
        (5, i16::MAX - 1),
        (-2, -2),
    ] {
        pair.ask_masked(&format!("id {id} epoch {epoch}"), &masked, |_, _| {
            ask(None, id, epoch)
        });
    }
}
