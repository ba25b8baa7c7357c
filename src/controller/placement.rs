//! Which brokers get the replicas of new partitions: striped over the racks, and within a rack over
//! its brokers, as Kafka's `StripedReplicaPlacer`. Leaders fall evenly on brokers that are not
//! fenced; a fenced broker may hold a further replica.

use crate::base::ids::NodeId;
use crate::base::prng::Prng;
use crate::metadata::image::cluster::ClusterImage;
use crate::metadata::image::node_list::NodeList;
use std::collections::BTreeMap;

/// The brokers of one rack, in a random order that successive partitions step through.
struct Rack {
    active: Vec<NodeId>,
    fenced: Vec<NodeId>,
}

/// Chooses the replicas of `partition_count` partitions, or says in Kafka's words why it cannot.
pub fn place(
    cluster: &ClusterImage,
    partition_count: usize,
    replication_factor: i16,
    prng: &mut Prng,
) -> Result<Vec<NodeList>, String> {
    let Some(replicas) = usize::try_from(replication_factor)
        .ok()
        .filter(|&count| count > 0)
    else {
        return Err(format!(
            "Invalid replication factor {replication_factor}: the replication factor must be \
             positive."
        ));
    };
    let mut racks = racks(cluster);
    let active_count: usize = racks.iter().map(|rack| rack.active.len()).sum();
    if active_count == 0 {
        return Err(
            "All brokers are currently fenced, or have all their log directories cordoned."
                .to_owned(),
        );
    }
    let broker_count = cluster.brokers.len();
    if replicas > broker_count {
        return Err(format!(
            "The target replication factor of {replication_factor} cannot be reached because only \
             {broker_count} broker(s) are registered or some brokers have all their log directories \
             cordoned."
        ));
    }
    let mut placed = Vec::with_capacity(partition_count);
    // Once every active broker has led, the order is drawn anew: else the same brokers would
    // always share the same partitions.
    let mut step = active_count;
    for _ in 0..partition_count {
        if step == active_count {
            shuffle_all(&mut racks, prng);
            step = 0;
        }
        placed.push(place_one(&racks, step, replicas));
        step += 1;
    }
    Ok(placed)
}

fn racks(cluster: &ClusterImage) -> Vec<Rack> {
    let mut racks: BTreeMap<Option<&str>, Rack> = BTreeMap::new();
    for broker in cluster.brokers.values() {
        let rack = racks.entry(broker.rack.as_deref()).or_insert_with(|| Rack {
            active: Vec::new(),
            fenced: Vec::new(),
        });
        // As Kafka: a broker that is stopping is not counted as fenced, but its replica joins no ISR.
        let list = if broker.fenced {
            &mut rack.fenced
        } else {
            &mut rack.active
        };
        list.push(broker.id);
    }
    racks.into_values().collect()
}

fn shuffle_all(racks: &mut [Rack], prng: &mut Prng) {
    shuffle(racks, prng);
    for rack in racks {
        shuffle(&mut rack.active, prng);
        shuffle(&mut rack.fenced, prng);
    }
}

/// The replicas of one partition; `step` counts the partitions since the order was drawn.
fn place_one(racks: &[Rack], step: usize, replicas: usize) -> NodeList {
    let leading: Vec<usize> = (0..racks.len())
        .filter(|&rack| !racks[rack].active.is_empty())
        .collect();
    let first_rack = leading[step % leading.len()];
    let turn = step / leading.len();
    // Each rack offers its brokers in turn: active ones first, beginning further on at each turn.
    let offers: Vec<Vec<NodeId>> = racks
        .iter()
        .map(|rack| {
            rotated(&rack.active, turn)
                .chain(rotated(&rack.fenced, turn))
                .collect()
        })
        .collect();
    // A rack gives its second replica only when every other has given its first.
    let depth_max = offers.iter().map(Vec::len).max().unwrap_or(0);
    let rack_count = racks.len();
    let stripes = (0..depth_max).flat_map(|depth| {
        (0..rack_count).map(move |ahead| ((first_rack + ahead) % rack_count, depth))
    });
    stripes
        .filter_map(|(rack, depth)| offers[rack].get(depth).copied())
        .take(replicas)
        .collect()
}

fn rotated(brokers: &[NodeId], step: usize) -> impl Iterator<Item = NodeId> {
    let start = if brokers.is_empty() {
        0
    } else {
        step % brokers.len()
    };
    brokers[start..].iter().chain(&brokers[..start]).copied()
}

fn shuffle<T>(items: &mut [T], prng: &mut Prng) {
    for last in (1..items.len()).rev() {
        let other = prng.index(last + 1);
        items.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::uuid::Uuid;
    use crate::metadata::image::cluster::BrokerRegistration;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    fn cluster(brokers: &[(i32, Option<&str>, bool)]) -> ClusterImage {
        let mut cluster = ClusterImage::default();
        for &(id, rack, fenced) in brokers {
            let registration = BrokerRegistration {
                id: NodeId(id),
                epoch: 1,
                incarnation_id: Uuid([1; 16]),
                listeners: Vec::new(),
                features: BTreeMap::new(),
                rack: rack.map(Arc::from),
                fenced,
                in_controlled_shutdown: false,
                is_migrating_zk_broker: false,
                directories: vec![Uuid([2; 16])],
                cordoned_directories: None,
            };
            cluster.brokers.insert(NodeId(id), registration);
        }
        cluster
    }

    #[test]
    fn leaders_fall_evenly_and_replicas_on_different_racks() {
        let brokers: Vec<_> = (0..6)
            .map(|id| {
                (
                    id,
                    Some(["a", "b", "c"][usize::try_from(id % 3).unwrap()]),
                    false,
                )
            })
            .collect();
        let cluster = cluster(&brokers);
        for seed in 0..50 {
            let placed = place(&cluster, 12, 3, &mut Prng::new(seed)).unwrap();
            for leader in 0..6 {
                let led = placed
                    .iter()
                    .filter(|replicas| replicas[0] == NodeId(leader))
                    .count();
                assert_eq!(led, 2, "seed {seed}, broker {leader}");
            }
            for replicas in &placed {
                let racks: BTreeSet<i32> = replicas.iter().map(|node| node.0 % 3).collect();
                assert_eq!(racks.len(), 3, "seed {seed}, {replicas:?}");
            }
        }
    }

    #[test]
    fn a_fenced_broker_follows_but_does_not_lead() {
        let cluster = cluster(&[(1, None, false), (2, None, true)]);
        for replicas in place(&cluster, 5, 2, &mut Prng::new(1)).unwrap() {
            assert_eq!(replicas.to_ids(), [1, 2]);
        }
    }

    #[test]
    fn it_refuses_in_the_words_of_kafka() {
        let refuse = |brokers: &[_], factor| {
            place(&cluster(brokers), 1, factor, &mut Prng::new(1)).unwrap_err()
        };
        let brokers = [(1, None, false)];
        expect_test::expect![[r#"
            Invalid replication factor 0: the replication factor must be positive.
            The target replication factor of 2 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.
            All brokers are currently fenced, or have all their log directories cordoned."#]]
        .assert_eq(&[refuse(&brokers, 0), refuse(&brokers, 2), refuse(&[(1, None, true)], 1)].join("\n"));
    }
}
