//! What a log says, replayed: transactions, deltas, and what does not fit.

use super::*;
use crate::base::ids::{NodeId, PartitionIndex, TopicId, TopicPartition};
use crate::base::uuid::Uuid;
use crate::metadata::delta::PartitionDelta;
use crate::protocol::metadata_records::{
    AbortTransactionRecord, BeginTransactionRecord, ConfigRecord, EndTransactionRecord,
    FeatureLevelRecord, PartitionChangeRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
    UnfenceBrokerRecord,
};

const TOPIC: TopicId = Uuid([3; 16]);

fn topic(name: &str, topic_id: TopicId) -> MetadataRecord {
    MetadataRecord::TopicRecord(TopicRecord {
        name: name.into(),
        topic_id,
        ..TopicRecord::default()
    })
}

fn partition(partition_id: i32) -> MetadataRecord {
    MetadataRecord::PartitionRecord(PartitionRecord {
        partition_id,
        topic_id: TOPIC,
        replicas: vec![1],
        isr: vec![1],
        leader: 1,
        leader_epoch: 0,
        partition_epoch: 0,
        ..PartitionRecord::default()
    })
}

fn change(leader: i32) -> MetadataRecord {
    MetadataRecord::PartitionChangeRecord(PartitionChangeRecord {
        partition_id: 0,
        topic_id: TOPIC,
        leader,
        leader_recovery_state: -1,
        ..PartitionChangeRecord::default()
    })
}

fn config(value: Option<&str>) -> MetadataRecord {
    MetadataRecord::ConfigRecord(ConfigRecord {
        resource_type: 2,
        resource_name: "foo".into(),
        name: "retention.ms".into(),
        value: value.map(Into::into),
        ..ConfigRecord::default()
    })
}

fn begin() -> MetadataRecord {
    MetadataRecord::BeginTransactionRecord(BeginTransactionRecord::default())
}

fn end() -> MetadataRecord {
    MetadataRecord::EndTransactionRecord(EndTransactionRecord::default())
}

fn remove() -> MetadataRecord {
    MetadataRecord::RemoveTopicRecord(RemoveTopicRecord {
        topic_id: TOPIC,
        ..RemoveTopicRecord::default()
    })
}

fn replay(
    image: &mut MetadataImage,
    records: Vec<MetadataRecord>,
) -> Result<MetadataDelta, ReplayError> {
    let base_offset = image.provenance.last_offset.next();
    let count = i64::try_from(records.len()).unwrap();
    image.replay(&MetadataBatch {
        base_offset,
        last_offset: base_offset.plus(count - 1),
        leader_epoch: LeaderEpoch(1),
        append_timestamp: Timestamp(5),
        records,
        control: Vec::new(),
    })
}

fn place(partition: i32) -> TopicPartition {
    TopicPartition {
        topic_id: TOPIC,
        partition: PartitionIndex(partition),
    }
}

#[test]
fn a_delta_says_what_came_what_changed_and_what_went() {
    let mut image = MetadataImage::empty();
    let created = vec![
        topic("foo", TOPIC),
        config(Some("5")),
        partition(0),
        partition(1),
    ];
    let delta = replay(&mut image, created).unwrap();
    assert!(delta.topics_created.contains(&TOPIC));
    assert_eq!(delta.partitions[&place(1)], PartitionDelta::Created);
    assert_eq!(delta.configs.len(), 1);
    assert_eq!(image.topics.partition_count(), 2);

    let delta = replay(&mut image, vec![change(-1), change(1)]).unwrap();
    let changed = PartitionDelta::Changed {
        leader_before: NodeId(1),
        leader_epoch_before: LeaderEpoch(0),
        partition_epoch_before: 0,
    };
    assert_eq!(delta.partitions[&place(0)], changed);
    let now = image.topics.partition(TOPIC, PartitionIndex(0)).unwrap();
    assert_eq!(
        (now.leader(), now.partition_epoch),
        (Some((NodeId(1), LeaderEpoch(2))), 2)
    );

    let delta = replay(&mut image, vec![change(1), remove()]).unwrap();
    assert!(delta.partitions.is_empty());
    assert_eq!(delta.topics_deleted[0].partition_count(), 2);
    assert!(image.topics.is_empty() && image.topics.partition_count() == 0);
    assert!(
        image.configs.topic("foo").is_empty(),
        "its settings went with it"
    );

    let delta = replay(
        &mut image,
        vec![topic("foo", TOPIC), partition(0), remove()],
    )
    .unwrap();
    assert!(delta.is_empty(), "it came and went in one batch");
}

#[test]
fn deltas_of_two_batches_make_one() {
    let mut image = MetadataImage::empty();
    let mut delta = replay(&mut image, vec![topic("foo", TOPIC), partition(0)]).unwrap();
    delta.absorb(replay(&mut image, vec![change(1)]).unwrap());
    assert_eq!(delta.partitions[&place(0)], PartitionDelta::Created);
    delta.absorb(replay(&mut image, vec![remove()]).unwrap());
    assert!(delta.is_empty());
}

#[test]
fn half_a_transaction_does_not_show() {
    let mut image = MetadataImage::empty();
    assert!(
        replay(&mut image, vec![begin(), topic("foo", TOPIC)])
            .unwrap()
            .is_empty()
    );
    assert!(image.is_in_transaction() && image.topics.is_empty());
    assert!(replay(&mut image, vec![partition(0)]).unwrap().is_empty());
    let delta = replay(&mut image, vec![config(Some("5")), end(), config(None)]).unwrap();
    assert!(delta.topics_created.contains(&TOPIC) && delta.partitions.len() == 1);
    assert!(!image.is_in_transaction() && image.configs.topic("foo").is_empty());
    let abort = MetadataRecord::AbortTransactionRecord(AbortTransactionRecord::default());
    let delta = replay(&mut image, vec![begin(), remove(), abort]).unwrap();
    assert!(delta.is_empty() && image.topics.len() == 1);
}

#[test]
fn what_does_not_fit_is_said_in_a_sentence() {
    let refuse = |records: Vec<MetadataRecord>| {
        let error = replay(&mut MetadataImage::empty(), records)
            .unwrap_err()
            .to_string();
        let (what, mend) = error.split_once("; ").unwrap();
        assert!(
            mend.starts_with("look at it with `klamm dump-log"),
            "{error}"
        );
        what.to_owned() + "\n"
    };
    let level = |feature_level| {
        MetadataRecord::FeatureLevelRecord(FeatureLevelRecord {
            name: "metadata.version".into(),
            feature_level,
            ..FeatureLevelRecord::default()
        })
    };
    let unfence = MetadataRecord::UnfenceBrokerRecord(UnfenceBrokerRecord {
        id: 5,
        epoch: 1,
        ..UnfenceBrokerRecord::default()
    });
    let all = [
        refuse(vec![partition(0)]),
        refuse(vec![topic("foo", TOPIC), topic("foo", Uuid([4; 16]))]),
        refuse(vec![topic("foo", TOPIC), partition(1)]),
        refuse(vec![topic("foo", TOPIC), partition(i32::MAX)]),
        refuse(vec![topic("foo", TOPIC), partition(-1)]),
        refuse(vec![topic("foo", TOPIC), change(1)]),
        refuse(vec![remove()]),
        refuse(vec![end()]),
        refuse(vec![begin(), begin()]),
        refuse(vec![level(33)]),
        refuse(vec![unfence]),
    ]
    .concat();
    expect_test::expect![[r#"
        the metadata log cannot be replayed: PartitionRecord in the batch at offset 0: partition 0 of topic id AwMDAwMDAwMDAwMDAwMDAw: there is no such topic
        the metadata log cannot be replayed: TopicRecord in the batch at offset 0: topic foo with id BAQEBAQEBAQEBAQEBAQEBA exists already
        the metadata log cannot be replayed: PartitionRecord in the batch at offset 0: topic id AwMDAwMDAwMDAwMDAwMDAw has no partition 0, but higher ones
        the metadata log cannot be replayed: PartitionRecord in the batch at offset 0: partition 2147483647 of topic id AwMDAwMDAwMDAwMDAwMDAw: a topic has at most 1000000
        the metadata log cannot be replayed: PartitionRecord in the batch at offset 0: partition -1 of topic id AwMDAwMDAwMDAwMDAwMDAw: a topic has at most 1000000
        the metadata log cannot be replayed: PartitionChangeRecord in the batch at offset 0: partition 0 of topic id AwMDAwMDAwMDAwMDAwMDAw: there is no such partition
        the metadata log cannot be replayed: RemoveTopicRecord in the batch at offset 0: there is no topic with id AwMDAwMDAwMDAwMDAwMDAw
        the metadata log cannot be replayed: EndTransactionRecord in the batch at offset 0: no metadata transaction is open
        the metadata log cannot be replayed: BeginTransactionRecord in the batch at offset 0: a metadata transaction is open already
        the metadata log cannot be replayed: FeatureLevelRecord in the batch at offset 0: metadata.version is finalized at 33, and klamm supports 7 to 30
        the metadata log cannot be replayed: UnfenceBrokerRecord in the batch at offset 0: broker 5 is not registered
    "#]]
    .assert_eq(&all);
}

#[test]
fn topics_are_found_by_name_from_any_name_on() {
    let mut image = MetadataImage::empty();
    let records = ["b", "d", "a", "c"].into_iter().zip(1..);
    let records = records
        .map(|(name, id)| topic(name, Uuid([id; 16])))
        .collect();
    replay(&mut image, records).unwrap();
    let names = |from: &str| -> Vec<String> {
        image
            .topics
            .from_name(from)
            .map(|topic| topic.name.to_string())
            .collect()
    };
    assert_eq!(names("b"), ["b", "c", "d"]);
    assert_eq!(names("bb"), ["c", "d"]);
    assert_eq!(names(""), ["a", "b", "c", "d"]);
}
