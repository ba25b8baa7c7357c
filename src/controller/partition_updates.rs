//! What a broker's coming or going means for partitions: new leaders, smaller ISRs, eligible
//! replicas.

use super::Controller;
use super::partition_change::{ChangeContext, Election, PartitionChange};
use crate::base::ids::{NodeId, PartitionIndex};
use crate::metadata::features::ELIGIBLE_LEADER_REPLICAS_VERSION;
use crate::metadata::image::configs::ConfigResourceType;
use crate::metadata::image::partition::{NO_LEADER, Partition};
use crate::metadata::image::topics::Topic;
use crate::protocol::metadata_records::MetadataRecord;

/// What happened to a broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BrokerChange {
    /// It leaves in order: nothing is lost with it.
    Leaves(NodeId),
    /// It may lead from now on, although the image still has it as fenced.
    Joins(NodeId),
    /// It stopped without finishing, and may have lost what it acknowledged.
    StoppedUncleanly(NodeId),
}

impl Controller {
    /// Records for every partition that `concerns` picks and that changes.
    pub(super) fn partition_updates(
        &self,
        change: BrokerChange,
        concerns: impl Fn(&Partition) -> bool,
        records: &mut Vec<MetadataRecord>,
    ) {
        for topic in self.image.topics.iter() {
            let mut rules = None;
            for (index, partition) in topic
                .partitions()
                .filter(|(_, partition)| concerns(partition))
            {
                let (min_isr, election) =
                    *rules.get_or_insert_with(|| (self.min_isr(topic), self.election(topic)));
                let record =
                    self.partition_update(change, topic, index, partition, min_isr, election);
                records.extend(record);
            }
        }
    }

    fn partition_update(
        &self,
        change: BrokerChange,
        topic: &Topic,
        index: PartitionIndex,
        partition: &Partition,
        min_isr: usize,
        election: Election,
    ) -> Option<MetadataRecord> {
        let is_acceptable = |replica: NodeId| {
            let is_active = match change {
                BrokerChange::Leaves(broker) | BrokerChange::StoppedUncleanly(broker) => {
                    replica != broker && self.is_active(replica)
                }
                BrokerChange::Joins(broker) => replica == broker || self.is_active(replica),
            };
            is_active && self.has_online_directory(partition, replica)
        };
        let default_directory = |replica: NodeId| self.default_directory(replica);
        let context = ChangeContext {
            version: self.image.features.metadata_version(),
            is_elr_enabled: self.is_elr_enabled(),
            min_isr,
            is_acceptable_leader: &is_acceptable,
            default_directory: &default_directory,
        };
        let built = PartitionChange::new(partition, topic.id, index.0, context).election(election);
        let built = match change {
            BrokerChange::Leaves(broker) => built.target_isr(partition.isr.without(broker)),
            BrokerChange::Joins(_) => built,
            BrokerChange::StoppedUncleanly(broker) => built
                .target_isr(partition.isr.without(broker))
                .unclean_shutdown(broker),
        };
        built.build().map(MetadataRecord::PartitionChangeRecord)
    }

    pub(super) fn is_elr_enabled(&self) -> bool {
        self.image.features.metadata_version().is_elr_supported()
            && self.image.features.level(ELIGIBLE_LEADER_REPLICAS_VERSION) > 0
    }

    fn has_online_directory(&self, partition: &Partition, replica: NodeId) -> bool {
        let directory = partition.directory_of(replica);
        let broker = self.image.cluster.broker(replica);
        broker
            .zip(directory)
            .is_some_and(|(broker, id)| broker.has_online_directory(id))
    }

    fn min_isr(&self, topic: &Topic) -> usize {
        let configured = self
            .effective_setting(&topic.name, "min.insync.replicas")
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or_else(|| self.settings.configuration.min_insync_replicas());
        let factor = topic
            .partitions()
            .next()
            .map_or(0, |(_, first)| first.replicas.len());
        usize::try_from(configured).unwrap_or(0).min(factor)
    }

    fn election(&self, topic: &Topic) -> Election {
        let configured = self.effective_setting(&topic.name, "unclean.leader.election.enable");
        let is_unclean = match configured {
            Some(value) => value.trim().eq_ignore_ascii_case("true"),
            None => {
                let of_node = self
                    .settings
                    .configuration
                    .value("unclean.leader.election.enable");
                of_node.boolean().unwrap_or(false)
            }
        };
        if is_unclean {
            Election::Unclean
        } else {
            Election::Online
        }
    }

    /// A dynamic setting that holds for a topic: its own, else this node's, else the cluster's.
    fn effective_setting(&self, topic: &str, key: &str) -> Option<&str> {
        let configs = &self.image.configs;
        let node = self.settings.node_id.0.to_string();
        configs
            .value(ConfigResourceType::TOPIC, topic, key)
            .or_else(|| configs.value(ConfigResourceType::BROKER, &node, key))
            .or_else(|| configs.value(ConfigResourceType::BROKER, "", key))
    }
}

/// The ISR contains the broker.
pub(super) fn in_isr(broker: NodeId) -> impl Fn(&Partition) -> bool {
    move |partition| partition.isr.contains(&broker)
}

/// The broker is eligible to lead, outside the ISR.
pub(super) fn in_elr_only(broker: NodeId) -> impl Fn(&Partition) -> bool {
    move |partition| {
        partition.eligible_leader_replicas().contains(&broker) && !partition.isr.contains(&broker)
    }
}

/// Nobody leads.
pub(super) fn is_leaderless(partition: &Partition) -> bool {
    partition.leader == NO_LEADER
}
