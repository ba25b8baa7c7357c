//! The cluster as the client knows it: brokers, topics, leaders. Filled by Metadata responses; what
//! is missing or wrong in it is found out by the errors of other requests.

use crate::base::ids::NodeId;
use crate::base::uuid::Uuid;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::metadata::MetadataResponse;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most partitions of one topic that are believed: far above what any cluster has.
const PARTITIONS_MAX: i32 = 1 << 20;

/// Where a broker is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broker {
    /// Its id.
    pub node: NodeId,
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Its rack, where it says.
    pub rack: Option<String>,
}

/// One topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// Its name.
    pub name: Rc<str>,
    /// Its id; zero where the broker is too old to say.
    pub topic_id: Uuid,
    /// Whether Kafka itself writes it.
    pub is_internal: bool,
    /// Its partitions, in order of their index.
    pub partitions: Vec<Partition>,
}

/// One partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Which of its topic.
    pub index: i32,
    /// Its leader; `None` while it has none.
    pub leader: Option<NodeId>,
    /// Epoch of that leadership; -1 where the broker is too old to say.
    pub leader_epoch: i32,
    /// Brokers that hold it, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those in sync.
    pub isr: Vec<i32>,
    /// Those that are offline.
    pub offline_replicas: Vec<i32>,
}

/// What is known.
#[derive(Clone, Default, Debug)]
pub struct Cluster {
    cluster_id: Option<String>,
    controller: Option<NodeId>,
    brokers: BTreeMap<NodeId, Broker>,
    topics: BTreeMap<Rc<str>, Topic>,
    names: BTreeMap<Uuid, Rc<str>>,
    /// Topics that the last answer had an error for.
    errors: BTreeMap<String, ErrorCode>,
}

impl Cluster {
    /// Takes in an answer: brokers are replaced, topics that it names are replaced or removed.
    pub fn update(&mut self, response: &MetadataResponse) {
        self.cluster_id = response.cluster_id.as_ref().map(ToString::to_string);
        self.controller = (response.controller_id >= 0).then_some(NodeId(response.controller_id));
        self.brokers = response
            .brokers
            .iter()
            .filter_map(|broker| {
                let node = NodeId(broker.node_id);
                // A port that no machine has: such a broker cannot be reached, so it is left out.
                let port = u16::try_from(broker.port).ok()?;
                let broker = Broker {
                    node,
                    host: broker.host.to_string(),
                    port,
                    rack: broker.rack.as_ref().map(ToString::to_string),
                };
                Some((node, broker))
            })
            .collect();
        self.errors.clear();
        for topic in &response.topics {
            let Some(name) = &topic.name else {
                continue;
            };
            let error = ErrorCode::from(topic.error_code);
            if error != ErrorCode::NONE {
                self.errors.insert(name.to_string(), error);
                self.remove(name);
                continue;
            }
            let name = Rc::<str>::from(&**name);
            let mut partitions: Vec<Partition> = topic
                .partitions
                .iter()
                .filter(|partition| (0..PARTITIONS_MAX).contains(&partition.partition_index))
                .map(|partition| Partition {
                    index: partition.partition_index,
                    leader: (partition.leader_id >= 0).then_some(NodeId(partition.leader_id)),
                    leader_epoch: partition.leader_epoch,
                    replicas: partition.replica_nodes.clone(),
                    isr: partition.isr_nodes.clone(),
                    offline_replicas: partition.offline_replicas.clone(),
                })
                .collect();
            partitions.sort_by_key(|partition| partition.index);
            partitions.dedup_by_key(|partition| partition.index);
            self.remove(&name);
            if topic.topic_id != Uuid::ZERO {
                self.names.insert(topic.topic_id, Rc::clone(&name));
            }
            self.topics.insert(
                Rc::clone(&name),
                Topic {
                    name,
                    topic_id: topic.topic_id,
                    is_internal: topic.is_internal,
                    partitions,
                },
            );
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some(topic) = self.topics.remove(name) {
            self.names.remove(&topic.topic_id);
        }
    }

    /// The id of the cluster, where it says one.
    #[must_use]
    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    /// The controller, as the broker that answered sees it.
    #[must_use]
    pub fn controller(&self) -> Option<NodeId> {
        self.controller
    }

    /// All brokers, by id.
    pub fn brokers(&self) -> impl Iterator<Item = &Broker> {
        self.brokers.values()
    }

    /// One broker.
    #[must_use]
    pub fn broker(&self, node: NodeId) -> Option<&Broker> {
        self.brokers.get(&node)
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.values()
    }

    /// One topic, where it is known.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.get(name)
    }

    /// What the last answer held against a topic.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<ErrorCode> {
        self.errors.get(name).copied()
    }

    /// One partition, where it is known.
    #[must_use]
    pub fn partition(&self, topic: &str, index: i32) -> Option<&Partition> {
        let partitions = &self.topics.get(topic)?.partitions;
        let position = partitions
            .binary_search_by_key(&index, |partition| partition.index)
            .ok()?;
        partitions.get(position)
    }

    /// The leader of a partition, where it has one that can be reached.
    #[must_use]
    pub fn leader(&self, topic: &str, index: i32) -> Option<NodeId> {
        self.partition(topic, index)?
            .leader
            .filter(|leader| self.brokers.contains_key(leader))
    }

    /// The id of a topic, where both are known.
    #[must_use]
    pub fn topic_id(&self, name: &str) -> Option<Uuid> {
        self.topics
            .get(name)
            .map(|topic| topic.topic_id)
            .filter(|&id| id != Uuid::ZERO)
    }

    /// The name of a topic id.
    #[must_use]
    pub fn topic_name(&self, topic_id: Uuid) -> Option<Rc<str>> {
        self.names.get(&topic_id).cloned()
    }

    /// How many partitions a topic has; 0 where it is not known.
    #[must_use]
    pub fn partition_count(&self, name: &str) -> i32 {
        self.topics.get(name).map_or(0, |topic| {
            i32::try_from(topic.partitions.len()).expect("bounded by PARTITIONS_MAX")
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::protocol::messages::metadata::{
        MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
    };

    /// A cluster of brokers 1 and 2 with such topics: the leader of each partition.
    pub fn cluster(topics: &[(&str, &[i32])]) -> Cluster {
        let mut cluster = Cluster::default();
        cluster.update(&response(topics));
        cluster
    }

    fn response(topics: &[(&str, &[i32])]) -> MetadataResponse {
        let broker = |node_id| MetadataResponseBroker {
            node_id,
            host: "localhost".into(),
            port: 9092,
            ..MetadataResponseBroker::default()
        };
        let partition = |(partition_index, &leader_id): (i32, &i32)| MetadataResponsePartition {
            partition_index,
            leader_id,
            ..MetadataResponsePartition::default()
        };
        MetadataResponse {
            brokers: vec![broker(1), broker(2)],
            topics: (1..)
                .zip(topics)
                .map(|(id, (name, leaders))| MetadataResponseTopic {
                    name: Some((*name).into()),
                    topic_id: Uuid([id; 16]),
                    partitions: (0..).zip(*leaders).map(partition).collect(),
                    ..MetadataResponseTopic::default()
                })
                .collect(),
            ..MetadataResponse::default()
        }
    }

    #[test]
    fn an_answer_replaces_what_it_names() {
        let mut cluster = cluster(&[("t", &[1, 2, -1, 9]), ("u", &[2])]);
        assert_eq!(cluster.leader("t", 0), Some(NodeId(1)));
        assert_eq!(cluster.leader("t", 2), None, "no leader");
        assert_eq!(cluster.leader("t", 3), None, "a leader that is no broker");
        assert_eq!(cluster.leader("t", 4), None);
        assert_eq!(cluster.partition_count("t"), 4);
        assert_eq!(cluster.topic_name(Uuid([2; 16])).as_deref(), Some("u"));
        let mut next = response(&[("u", &[1, 1])]);
        next.topics.push(MetadataResponseTopic {
            name: Some("t".into()),
            error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.into(),
            ..MetadataResponseTopic::default()
        });
        next.brokers[1].port = 99_999;
        cluster.update(&next);
        assert_eq!(cluster.partition_count("u"), 2);
        assert_eq!(
            cluster.topic_name(Uuid([2; 16])),
            None,
            "the id belonged to the old topic"
        );
        assert_eq!(cluster.topic_id("u"), Some(Uuid([1; 16])));
        assert!(cluster.topic("t").is_none());
        assert_eq!(
            cluster.error("t"),
            Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
        );
        assert_eq!(cluster.brokers().count(), 1, "a port that does not exist");
    }
}
