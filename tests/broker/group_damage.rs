//! What may be wrong with `__consumer_offsets` when it is loaded: records that cannot be read, batches
//! that cannot be believed, offsets of topics that are gone.

use crate::broker::{Broker, unique};
use crate::deadline::wait_for;
use crate::group_client::{Peer, committing, name};
use bytes::Bytes;
use klamm::base::ids::{LeaderEpoch, Offset};
use klamm::base::time::Timestamp;
use klamm::base::uuid::Uuid;
use klamm::coordinator::group::GroupRecord;
use klamm::protocol::coordinator_records::{OffsetCommitKey, OffsetCommitValue};
use klamm::record::{BatchBuilder, RecordBatch};
use std::path::PathBuf;

/// All groups are in one log.
const SETTINGS: &[&str] = &[
    "auto.create.topics.enable=false",
    "offsets.topic.num.partitions=1",
];

type KeyAndValue = (Bytes, Option<Bytes>);

/// A committed offset as it stands in the log.
fn committed(group: &str, topic: &str, topic_id: Uuid) -> KeyAndValue {
    let key = OffsetCommitKey {
        group: group.into(),
        topic: topic.into(),
        partition: 0,
        ..OffsetCommitKey::default()
    };
    let value = OffsetCommitValue {
        offset: 42,
        commit_timestamp: 4_000_000_000_000,
        topic_id,
        ..OffsetCommitValue::default()
    };
    let record = GroupRecord::OffsetCommit(key, Some(value));
    record.encode().expect("a sound record")
}

fn segment(broker: &Broker) -> PathBuf {
    let partition = broker.data().join("__consumer_offsets-0");
    partition.join("00000000000000000000.log")
}

/// Appends a batch to the log of a broker that is down.
fn append(broker: &Broker, records: &[KeyAndValue]) {
    let path = segment(broker);
    let mut bytes = std::fs::read(&path).expect("the broker wrote groups");
    let mut rest = Bytes::copy_from_slice(&bytes);
    let mut end = (0, Offset(0), LeaderEpoch(0));
    while let Ok((batch, tail)) = RecordBatch::split_first(rest) {
        let header = batch.header();
        let next = (header.next_offset(), header.partition_leader_epoch);
        end = (end.0 + batch.bytes().len(), next.0, next.1);
        rest = tail;
    }
    let (length, next_offset, leader_epoch) = end;
    let mut builder = BatchBuilder::new(next_offset).leader_epoch(leader_epoch);
    for (key, value) in records {
        let timestamp = Timestamp(1_700_000_000_000);
        builder.append(timestamp, Some(key), value.as_deref(), &[]);
    }
    bytes.truncate(length);
    bytes.extend(builder.finish());
    std::fs::write(&path, bytes).expect("the broker's log can be written");
}

#[test]
fn damage_is_named_by_its_group_and_the_rest_is_loaded() {
    let mut broker = Broker::start_with(1, SETTINGS);
    if !broker.is_klamm() {
        // Apache Kafka gives up the whole partition.
        return;
    }
    let (topic, before) = (unique("topic"), unique("before"));
    let mut peer = Peer::when_ready(&broker, &before);
    peer.create_topic(&topic, 1);
    let topic_id = peer.topic_id(&topic);
    peer.commit_simply(&before, &topic, 7);
    broker.kill();

    let sound = |group: &str| committed(group, &topic, topic_id);
    let (cut_value, odd_value, cut_key, after) = (
        sound("cut-value"),
        sound("odd-value"),
        sound("cut-key"),
        sound("after"),
    );
    let mut odd = odd_value.1.clone().expect("no tombstone").to_vec();
    odd[..2].copy_from_slice(&99_i16.to_be_bytes());
    append(
        &broker,
        &[
            (cut_value.0, cut_value.1.map(|value| value.slice(..9))),
            (odd_value.0, Some(odd.into())),
            // The group can still be read, its topic cannot.
            (cut_key.0.slice(..2 + 2 + 7 + 1), cut_key.1),
            // Neither can.
            (Bytes::from_static(&[0]), Some(Bytes::new())),
            // Of a kind that nobody knows: it is not damaged.
            (Bytes::from_static(&[0, 99, 1, 2, 3]), None),
            after,
        ],
    );
    broker.start_again();
    let mut peer = Peer::when_ready(&broker, &before);
    assert_eq!(peer.committed(&before, &topic), 7);
    assert_eq!(peer.committed("after", &topic), 42);
    for group in ["cut-value", "odd-value", "cut-key"] {
        assert_eq!(peer.committed(group, &topic), -1, "{group}");
        let named = format!("a record of group {group} cannot be read");
        assert!(broker.printed().contains(&named), "{group} is not named");
    }
    assert_eq!(broker.printed().matches("it is passed over").count(), 4);

    // A batch that was written long ago, and has lost a bit since.
    peer.commit_simply("lost-a-bit", &topic, 5);
    peer.commit_simply("later", &topic, 6);
    broker.stop();
    let mut bytes = std::fs::read(segment(&broker)).expect("the broker wrote groups");
    let name = b"lost-a-bit";
    let at = bytes.windows(name.len()).position(|part| part == name);
    // The last byte of its key is that of its partition.
    let at = at.expect("it was committed") + name.len() + 2 + topic.len() + 3;
    bytes[at] ^= 1;
    std::fs::write(segment(&broker), bytes).expect("the broker's log can be written");
    broker.start_again();
    let mut peer = Peer::when_ready(&broker, &before);
    for (group, offset) in [
        (before.as_str(), 7),
        ("after", 42),
        ("lost-a-bit", -1),
        ("later", 6),
    ] {
        assert_eq!(peer.committed(group, &topic), offset, "{group}");
    }
    let named = "a record of group lost-a-bit cannot be believed";
    assert!(broker.printed().contains(named), "it is not named");
}

/// The broker died between the end of a topic and that of its offsets. Apache Kafka keeps those until
/// they expire; klamm does not, so that a topic made anew is not begun in the middle.
#[test]
fn offsets_of_topics_that_went_while_the_broker_was_down_are_gone() {
    let mut broker = Broker::start_with(2, SETTINGS);
    if !broker.is_klamm() {
        return;
    }
    let (topic, kept) = (unique("topic"), unique("kept"));
    let mut peer = Peer::when_ready(&broker, &kept);
    peer.create_topic(&topic, 1);
    let topic_id = peer.topic_id(&topic);
    peer.commit_simply(&kept, &topic, 7);
    broker.kill();
    let other = Uuid::from_random(1, 2);
    append(
        &broker,
        &[
            committed("of-a-topic-that-is", &topic, topic_id),
            committed("of-an-old-broker", &topic, Uuid::ZERO),
            committed("of-its-forerunner", &topic, other),
            committed("of-a-topic-that-went", "gone", other),
            committed("of-a-topic-long-gone", "gone", Uuid::ZERO),
        ],
    );
    broker.start_again();
    for _ in 0..2 {
        let mut peer = Peer::when_ready(&broker, &kept);
        for group in [
            "of-its-forerunner",
            "of-a-topic-that-went",
            "of-a-topic-long-gone",
        ] {
            wait_for("the offsets to be gone", || {
                let topics = [topic.as_str(), "gone"];
                let offsets = topics.map(|topic| peer.committed(group, topic));
                (offsets == [-1, -1]).then_some(())
            });
        }
        for (group, offset) in [
            (kept.as_str(), 7),
            ("of-a-topic-that-is", 42),
            ("of-an-old-broker", 42),
        ] {
            assert_eq!(peer.committed(group, &topic), offset, "{group}");
        }
        broker.stop();
        broker.start_again();
    }
}

/// While the log of its partition cannot be opened a group has no coordinator, which is not to say
/// that it has no offsets; when it can be, all is there without a restart.
#[test]
fn a_log_that_could_not_be_opened_is_loaded_when_it_can_be() {
    let mut broker = Broker::start_with(2, SETTINGS);
    if !broker.is_klamm() {
        return;
    }
    let (topic, group) = (unique("topic"), unique("group"));
    let mut peer = Peer::when_ready(&broker, &group);
    peer.create_topic(&topic, 1);
    peer.topic_id(&topic);
    peer.commit_simply(&group, &topic, 7);
    broker.stop();
    let (log, aside) = (segment(&broker), broker.folder().join("aside.log"));
    std::fs::rename(&log, &aside).expect("the log of groups");
    std::fs::create_dir(&log).expect("its place is free");
    broker.start_again();
    let mut peer = Peer::of(&broker);
    assert_eq!(peer.find_coordinator(&group), "NONE");
    let described = peer.describe(&group);
    assert_eq!(name(described.error_code), "NOT_COORDINATOR");
    let commit = committing(&group, &topic, &[(0, 8, "")]);
    assert_eq!(peer.commit(9, &commit), ["NOT_COORDINATOR"]);
    std::fs::remove_dir(&log).expect("nothing was put there");
    std::fs::rename(&aside, &log).expect("its place is free again");
    wait_for("the group to have its coordinator again", || {
        let error = name(peer.describe(&group).error_code);
        (error == "NONE").then_some(())
    });
    assert_eq!(peer.committed(&group, &topic), 7);
}
