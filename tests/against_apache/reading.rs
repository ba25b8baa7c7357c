//! Fetch, ListOffsets, OffsetForLeaderEpoch.

use crate::side::{Pair, Side, text};
use crate::writing::TIME;
use klamm::base::uuid::Uuid;
use klamm::protocol::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};
use klamm::protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use klamm::protocol::messages::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};

/// Topic, partition, offset.
type At<'a> = (&'a str, i32, i64);

pub fn compare(pair: &mut Pair) {
    fetch(pair);
    sessions(pair);
    list_offsets(pair);
    epochs(pair);
}

fn partition(at: At<'_>) -> FetchPartition {
    of!(FetchPartition {
        partition: at.1,
        fetch_offset: at.2,
        partition_max_bytes: 1 << 20,
    })
}

fn topic(side: &Side, name: &str, partitions: Vec<FetchPartition>) -> FetchTopic {
    let topic_id = match name {
        "missing" => Uuid([7; 16]),
        name => side.id(name),
    };
    of!(FetchTopic {
        topic: text(name),
        topic_id: topic_id,
        partitions: partitions
    })
}

fn request(side: &Side, asked: &[At<'_>]) -> FetchRequest {
    of!(FetchRequest {
        max_wait_ms: 10,
        min_bytes: 1,
        topics: asked
            .iter()
            .map(|at| topic(side, at.0, vec![partition(*at)]))
            .collect(),
    })
}

fn fetch(pair: &mut Pair) {
    let mut case = |what: &str, asked: &[At<'_>], adjust: &dyn Fn(&mut FetchRequest)| {
        pair.ask(what, |side| {
            let mut request = request(side, asked);
            adjust(&mut request);
            request
        });
    };
    let as_is = |_: &mut FetchRequest| {};
    case("from 0", &[("plain", 0, 0)], &as_is);
    case("from the middle of a batch", &[("plain", 0, 4)], &as_is);
    case("the end", &[("plain", 0, 1)], &|request| {
        request.topics[0].partitions[0].partition_max_bytes = 1;
    });
    case("out of range", &[("plain", 0, 1_000_000)], &as_is);
    case("negative", &[("plain", 0, -1)], &as_is);
    case("below the start", &[("many", 0, 0)], &as_is);
    case("empty", &[("set", 0, 0)], &as_is);
    case(
        "unknown",
        &[("missing", 0, 0), ("plain", 9, 0), ("plain", -1, 0)],
        &as_is,
    );
    case(
        "unknown and known",
        &[("missing", 0, 0), ("plain", 0, 0)],
        &as_is,
    );
    case(
        "several",
        &[("plain", 0, 0), ("many", 2, 0), ("many", 3, 0)],
        &as_is,
    );
    case(
        "a partition twice",
        &[("plain", 0, 0), ("plain", 0, 3)],
        &as_is,
    );
    case("nothing", &[], &as_is);
    case("read committed", &[("plain", 0, 0)], &|request| {
        request.isolation_level = 1
    });
    case("read committed, empty", &[("set", 0, 0)], &|request| {
        request.isolation_level = 1
    });
    case("isolation level 2", &[("set", 0, 0)], &|request| {
        request.isolation_level = 2
    });
    case(
        "max bytes 1",
        &[("plain", 0, 0), ("many", 3, 0)],
        &|request| request.max_bytes = 1,
    );
    case(
        "max bytes 150",
        &[("plain", 0, 0), ("many", 3, 0)],
        &|request| request.max_bytes = 150,
    );
    case(
        "max bytes 400",
        &[("plain", 0, 0), ("many", 3, 0)],
        &|request| request.max_bytes = 400,
    );
    case("max bytes 0", &[("plain", 0, 0)], &|request| {
        request.max_bytes = 0
    });
    case("max bytes -1", &[("plain", 0, 0)], &|request| {
        request.max_bytes = -1
    });
    for bytes in [0, -1, 1, 150, 300] {
        case(
            &format!("partition bytes {bytes}"),
            &[("plain", 0, 0), ("many", 3, 0)],
            &|request| {
                for topic in &mut request.topics {
                    topic.partitions[0].partition_max_bytes = bytes;
                }
            },
        );
    }
    case("min bytes 0", &[("set", 0, 0)], &|request| {
        request.min_bytes = 0
    });
    case("min bytes -1", &[("set", 0, 0)], &|request| {
        request.min_bytes = -1
    });
    case("no wait", &[("set", 0, 0)], &|request| {
        request.max_wait_ms = 0
    });
    case("negative wait", &[("set", 0, 0)], &|request| {
        request.max_wait_ms = -5
    });
    for epoch in [0, 1, -2, i32::MAX] {
        case(
            &format!("leader epoch {epoch}"),
            &[("plain", 0, 0)],
            &|request| {
                request.topics[0].partitions[0].current_leader_epoch = epoch;
            },
        );
        for offset in [2, 1_000_000] {
            case(
                &format!("fetched epoch {epoch} at {offset}"),
                &[("plain", 0, offset)],
                &|request| {
                    request.topics[0].partitions[0].last_fetched_epoch = epoch;
                },
            );
        }
    }
    case("as an unknown replica", &[("set", 0, 0)], &|request| {
        request.replica_id = 9;
        request.replica_state.replica_id = 9;
    });
    case("as a debugging consumer", &[("set", 0, 0)], &|request| {
        request.replica_id = -2;
        request.replica_state.replica_id = -2;
    });
    case("for another cluster", &[("set", 0, 0)], &|request| {
        request.cluster_id = Some(text("other"));
    });
    pair.ask("two partitions of one topic", |side| {
        let partitions = vec![partition(("", 3, 0)), partition(("", 2, 0))];
        of!(FetchRequest {
            min_bytes: 1,
            max_wait_ms: 10,
            topics: vec![topic(side, "many", partitions)]
        })
    });
    pair.ask("a zero id", |_| {
        let topics = vec![of!(FetchTopic {
            partitions: vec![partition(("", 0, 0))]
        })];
        of!(FetchRequest {
            min_bytes: 1,
            max_wait_ms: 10,
            topics: topics
        })
    });
}

fn sessions(pair: &mut Pair) {
    for version in [7, 11, 12, 13, 16, 17] {
        let mut step = |what: &str, epoch: i32, asked: &[At<'_>], forgotten: &[(&str, i32)]| {
            let answers = pair.ask_in(what, version, &["session_id"], |side| FetchRequest {
                session_id: side.session_id,
                session_epoch: epoch,
                forgotten_topics_data: forgotten
                    .iter()
                    .map(|(name, partition)| {
                        of!(ForgottenTopic {
                            topic: text(name),
                            topic_id: side.id(name),
                            partitions: vec![*partition],
                        })
                    })
                    .collect(),
                ..request(side, asked)
            });
            let (apache, klamm) = answers.expect("both answer");
            assert_eq!(
                apache.session_id == 0,
                klamm.session_id == 0,
                "{what}, version {version}: Apache gives session {}, klamm {}",
                apache.session_id,
                klamm.session_id,
            );
            (apache.session_id, klamm.session_id)
        };
        let (apache, klamm) = step("no session", -1, &[("set", 0, 0)], &[]);
        assert_eq!((apache, klamm), (0, 0));
        step("a session of nothing", 0, &[], &[]);
        let (apache, klamm) = step(
            "a new session",
            0,
            &[("set", 0, 0), ("many", 2, 0), ("plain", 0, 5)],
            &[],
        );
        pair.apache.session_id = apache;
        pair.klamm.session_id = klamm;
        let mut step = |what: &str, epoch: i32, asked: &[At<'_>], forgotten: &[(&str, i32)]| {
            pair.ask_in(
                &format!("session: {what}"),
                version,
                &["session_id"],
                |side| FetchRequest {
                    session_id: side.session_id,
                    session_epoch: epoch,
                    forgotten_topics_data: forgotten
                        .iter()
                        .map(|(name, partition)| {
                            of!(ForgottenTopic {
                                topic: text(name),
                                topic_id: side.id(name),
                                partitions: vec![*partition],
                            })
                        })
                        .collect(),
                    ..request(side, asked)
                },
            );
        };
        step("nothing changes", 1, &[], &[]);
        step(
            "to the ends",
            2,
            &[("many", 2, 1_000), ("plain", 0, 1_000_000)],
            &[],
        );
        step("errors are repeated", 3, &[], &[]);
        step("forget two", 4, &[], &[("many", 2), ("plain", 0)]);
        step("an old epoch", 4, &[], &[]);
        step("a new epoch", 9, &[], &[]);
        step("one comes back", 5, &[("many", 3, 0)], &[]);
        step(
            "unknown ones come",
            6,
            &[("missing", 0, 0), ("plain", 9, 0)],
            &[],
        );
        step("unknown ones stay", 7, &[("many", 3, 1_000)], &[]);
        step(
            "all are forgotten",
            8,
            &[],
            &[("set", 0), ("many", 3), ("plain", 9)],
        );
        step("goes on", 9, &[], &[]);
        step("the end", -1, &[], &[]);
        step("after the end", 1, &[], &[]);
        pair.apache.session_id = 0;
        pair.klamm.session_id = 0;
        pair.ask_in("an unknown session", version, &[], |side| FetchRequest {
            session_id: 12345,
            session_epoch: 1,
            ..request(side, &[("set", 0, 0)])
        });
        pair.ask_in("epoch 1 of no session", version, &[], |side| FetchRequest {
            session_epoch: 1,
            ..request(side, &[("set", 0, 0)])
        });
    }
}

fn list_offsets(pair: &mut Pair) {
    let ask = |asked: &[At<'_>], epoch: i32| {
        of!(ListOffsetsRequest {
            replica_id: -1,
            timeout_ms: 1000,
            topics: asked
                .iter()
                .map(|(topic, partition, timestamp)| {
                    of!(ListOffsetsTopic {
                        name: text(topic),
                        partitions: vec![of!(ListOffsetsPartition {
                            partition_index: *partition,
                            current_leader_epoch: epoch,
                            timestamp: *timestamp,
                        })],
                    })
                })
                .collect(),
        })
    };
    for timestamp in [
        -1,
        -2,
        -3,
        -4,
        -5,
        -6,
        -7,
        -100,
        0,
        1,
        TIME,
        TIME + 1,
        TIME + 2,
        TIME + 3,
    ] {
        for (topic, partition) in [
            ("plain", 0),
            ("set", 0),
            ("many", 0),
            ("many", 1),
            ("compacted", 0),
        ] {
            pair.ask(&format!("{timestamp} of {topic}-{partition}"), |_| {
                ask(&[(topic, partition, timestamp)], -1)
            });
            if timestamp == -1 || timestamp == TIME {
                pair.ask(
                    &format!("{timestamp} of {topic}-{partition}, committed"),
                    |_| ListOffsetsRequest {
                        isolation_level: 1,
                        ..ask(&[(topic, partition, timestamp)], -1)
                    },
                );
            }
        }
    }
    for epoch in [0, 1, -2] {
        pair.ask(&format!("leader epoch {epoch}"), |_| {
            ask(&[("plain", 0, -1)], epoch)
        });
    }
    pair.ask("unknown", |_| {
        ask(
            &[("missing", 0, -1), ("plain", 9, -1), ("plain", -1, -1)],
            -1,
        )
    });
    pair.ask("twice", |_| {
        ask(&[("plain", 0, -1), ("many", 0, -1), ("plain", 0, -2)], -1)
    });
    pair.ask("nothing", |_| ask(&[], -1));
    for replica in [9, -2] {
        pair.ask(&format!("replica {replica}"), |_| ListOffsetsRequest {
            replica_id: replica,
            ..ask(&[("plain", 0, -1)], -1)
        });
    }
}

fn epochs(pair: &mut Pair) {
    let mut case = |what: &str, replica: i32, asked: &[(&str, i32, i32, i32)]| {
        pair.ask(what, |_| {
            of!(OffsetForLeaderEpochRequest {
                replica_id: replica,
                topics: asked
                    .iter()
                    .map(|(topic, partition, current, epoch)| {
                        of!(OffsetForLeaderTopic {
                            topic: text(topic),
                            partitions: vec![of!(OffsetForLeaderPartition {
                                partition: *partition,
                                current_leader_epoch: *current,
                                leader_epoch: *epoch,
                            })],
                        })
                    })
                    .collect(),
            })
        });
    };
    for topic in ["plain", "set"] {
        for current in [-1, 0, 1] {
            for epoch in [-1, 0, 1, -2] {
                case(
                    &format!("{topic}, knows {current}, asks {epoch}"),
                    -1,
                    &[(topic, 0, current, epoch)],
                );
            }
        }
    }
    case("as a replica", 9, &[("plain", 0, 0, 0)]);
    case("unknown", -1, &[("missing", 0, -1, 0), ("plain", 9, -1, 0)]);
    case("twice", -1, &[("plain", 0, -1, 0), ("plain", 0, -1, 1)]);
    case("nothing", -1, &[]);
}
