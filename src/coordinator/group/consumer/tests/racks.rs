//! Racks: what moves to another rack is another topic to a group, which then assigns anew.

use super::{Cluster, assigned, beat, beat_with, join, text};
use crate::base::ids::TopicId;
use crate::protocol::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use crate::protocol::metadata_records::{MetadataRecord, PartitionChangeRecord};

fn in_rack(rack: &str, request: ConsumerGroupHeartbeatRequest) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        rack_id: text(rack),
        ..request
    }
}

/// Partition 0 has its replica on this broker now.
fn moved(topic_id: TopicId, broker: i32) -> Vec<MetadataRecord> {
    vec![MetadataRecord::PartitionChangeRecord(
        PartitionChangeRecord {
            partition_id: 0,
            topic_id,
            replicas: Some(vec![broker]),
            isr: Some(vec![broker]),
            leader: broker,
            ..PartitionChangeRecord::default()
        },
    )]
}

#[test]
fn a_broker_in_another_rack_makes_a_group_assign_anew() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    cluster.register_broker(1, Some("north"));
    cluster.make_topic("orders", 2);
    cluster.make_topic("letters", 2);
    let member = cluster.must_beat(in_rack("north", join("a", &["orders"])));
    let (epoch, all) = (cluster.group().group_epoch(), assigned(&member));

    // The same registration says nothing new, and neither does one of a broker without partitions.
    cluster.register_broker(1, Some("north"));
    cluster.register_broker(2, Some("south"));
    assert_eq!(cluster.group().group_epoch(), epoch);

    cluster.register_broker(1, Some("south"));
    assert_eq!(cluster.group().group_epoch(), epoch + 1);
    assert_eq!(
        cluster.group().target_epoch(),
        epoch + 1,
        "it is assigned at once"
    );
    let told = cluster.must_beat(beat("a", member.member_epoch));
    assert_eq!(told.member_epoch, epoch + 1);
    assert_eq!(assigned(&told), None, "what it has does not change");
    let again = cluster.must_beat(beat_with("a", epoch + 1, all.into_iter().flatten()));
    assert_eq!(again.member_epoch, epoch + 1);
    cluster.check_replay();

    cluster.register_broker(1, None);
    assert_eq!(cluster.group().group_epoch(), epoch + 2, "nor is none any");
}

#[test]
fn replicas_that_move_to_another_rack_make_a_group_assign_anew() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    for (broker, rack) in [(1, "north"), (2, "north"), (3, "south")] {
        cluster.register_broker(broker, Some(rack));
    }
    let orders = cluster.make_topic("orders", 2);
    let letters = cluster.make_topic("letters", 2);
    cluster.must_beat(join("a", &["orders"]));
    let epoch = cluster.group().group_epoch();

    cluster.change(moved(letters, 3));
    assert_eq!(cluster.group().group_epoch(), epoch, "not its topic");
    cluster.change(moved(orders, 2));
    assert_eq!(cluster.group().group_epoch(), epoch, "the same rack");
    cluster.change(moved(orders, 3));
    assert_eq!(cluster.group().group_epoch(), epoch + 1);
}

/// A coordinator that comes after the change knows it by what the group wrote before.
#[test]
fn racks_that_changed_while_nobody_looked_are_noticed() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    cluster.register_broker(1, Some("north"));
    cluster.make_topic("orders", 2);
    cluster.must_beat(join("a", &["orders"]));
    let epoch = cluster.group().group_epoch();
    cluster.restart();
    assert_eq!(cluster.group().group_epoch(), epoch);
    let record = super::RegisterBrokerRecord {
        broker_id: 1,
        broker_epoch: 100,
        rack: text("south"),
        ..super::RegisterBrokerRecord::default()
    };
    cluster.replay(vec![MetadataRecord::RegisterBrokerRecord(record)]);
    cluster.restart();
    assert_eq!(cluster.group().group_epoch(), epoch + 1);
}

/// As Apache's `Utils.computeTopicHash` and `computeGroupHash` of 4.3.1 gave it.
#[test]
fn the_hash_of_topics_is_apaches() {
    let hash = |cluster: &Cluster, topics: &[&str]| {
        let names = topics.iter().map(|&name| name.into()).collect();
        crate::coordinator::group::consumer::metadata::hash(&cluster.image, &names)
    };
    let mut cluster = Cluster::new(&[]);
    cluster.make_topic("orders", 2);
    cluster.make_topic("letters", 1000);
    assert_eq!(hash(&cluster, &["nothing"]), 0);
    assert_eq!(hash(&cluster, &["orders"]), 2_418_189_869_542_540_743);

    let mut cluster = Cluster::new(&[]);
    cluster.register_broker(1, None);
    cluster.register_broker(2, Some("south"));
    cluster.register_broker(3, Some("north"));
    let orders = cluster.make_topic("orders", 2);
    cluster.make_topic("letters", 1000);
    for (partition_id, replicas) in [(0, vec![2, 3]), (1, vec![3])] {
        cluster.change(vec![MetadataRecord::PartitionChangeRecord(
            PartitionChangeRecord {
                partition_id,
                topic_id: orders,
                isr: Some(replicas.clone()),
                leader: 3,
                replicas: Some(replicas),
                ..PartitionChangeRecord::default()
            },
        )]);
    }
    assert_eq!(
        hash(&cluster, &["orders", "letters", "nothing"]),
        -8_915_406_366_007_426_958
    );
}
