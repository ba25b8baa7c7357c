//! The cluster as its metadata log describes it. Each shard replays the committed batches into an
//! image of its own; the controller has one more, which runs ahead by what is not yet committed.
//! An image changes in no other way.

pub mod access;
pub mod cluster;
pub mod configs;
pub mod features;
pub mod node_list;
pub mod partition;
pub mod topics;

use crate::base::ids::{LeaderEpoch, Offset, ProducerId};
use crate::base::limits::METADATA_TRANSACTION_RECORDS_MAX;
use crate::base::time::Timestamp;
use crate::metadata::batch::MetadataBatch;
use crate::metadata::delta::MetadataDelta;
use crate::metadata::error::ReplayError;
use crate::protocol::metadata_records::{MetadataRecord, ProducerIdsRecord};
use access::{AclsImage, ClientQuotasImage, DelegationTokensImage, ScramImage};
use cluster::ClusterImage;
use configs::ConfigsImage;
use features::FeaturesImage;
use topics::TopicsImage;

/// Up to where an image has replayed the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Provenance {
    /// Offset of the last record, or -1.
    pub last_offset: Offset,
    /// Epoch of the quorum's leader that wrote it, or -1.
    pub last_epoch: LeaderEpoch,
    /// When its batch was appended.
    pub last_timestamp: Timestamp,
}

/// The next producer ids to hand out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProducerIdsImage {
    /// First id of the block that is handed out next; 0 where none was.
    pub next_producer_id: ProducerId,
}

/// A whole cluster.
#[derive(Clone, PartialEq, Debug)]
pub struct MetadataImage {
    /// Up to where the log was replayed.
    pub provenance: Provenance,
    /// Feature levels.
    pub features: FeaturesImage,
    /// Brokers and controllers.
    pub cluster: ClusterImage,
    /// Topics and partitions.
    pub topics: TopicsImage,
    /// Dynamic configurations.
    pub configs: ConfigsImage,
    /// Producer ids.
    pub producer_ids: ProducerIdsImage,
    /// Client quotas.
    pub client_quotas: ClientQuotasImage,
    /// Access control entries.
    pub acls: AclsImage,
    /// SCRAM credentials.
    pub scram: ScramImage,
    /// Delegation tokens.
    pub delegation_tokens: DelegationTokensImage,
    // Records of a metadata transaction that has begun and not ended: half of it must not show.
    transaction: Option<Vec<MetadataRecord>>,
}

impl MetadataImage {
    /// Before the first record.
    #[must_use]
    pub fn empty() -> MetadataImage {
        MetadataImage {
            provenance: Provenance {
                last_offset: Offset(-1),
                last_epoch: LeaderEpoch::NONE,
                last_timestamp: Timestamp::NONE,
            },
            features: FeaturesImage::empty(),
            cluster: ClusterImage::default(),
            topics: TopicsImage::default(),
            configs: ConfigsImage::default(),
            producer_ids: ProducerIdsImage::default(),
            client_quotas: ClientQuotasImage::default(),
            acls: AclsImage::default(),
            scram: ScramImage::default(),
            delegation_tokens: DelegationTokensImage::default(),
            transaction: None,
        }
    }

    /// Whether a metadata transaction has begun and not ended: no snapshot can be taken then.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// Replays one committed batch and says what it changed. An error leaves the image undefined:
    /// it is fatal.
    pub fn replay(&mut self, batch: &MetadataBatch) -> Result<MetadataDelta, ReplayError> {
        let mut delta = MetadataDelta::default();
        for record in &batch.records {
            self.replay_in_transaction(record, &mut delta)
                .map_err(|error| error.at(batch.base_offset))?;
        }
        if self.transaction.is_none() {
            self.check_whole_topics(&delta)
                .map_err(|error| error.at(batch.base_offset))?;
        }
        self.provenance = Provenance {
            last_offset: batch.last_offset,
            last_epoch: batch.leader_epoch,
            last_timestamp: batch.append_timestamp,
        };
        Ok(delta)
    }

    /// Replays one record of a snapshot; `finish_snapshot` follows the last.
    pub(super) fn replay_snapshot_record(
        &mut self,
        record: &MetadataRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        self.replay_in_transaction(record, delta)
    }

    /// Checks what can only be checked when all records of a snapshot have been replayed.
    pub(super) fn finish_snapshot(
        &mut self,
        provenance: Provenance,
        delta: &MetadataDelta,
    ) -> Result<(), ReplayError> {
        if self.transaction.is_some() {
            let why = "the snapshot ends within a metadata transaction".to_owned();
            return Err(ReplayError::record("BeginTransactionRecord", why));
        }
        self.provenance = provenance;
        self.check_whole_topics(delta)
    }

    fn check_whole_topics(&self, delta: &MetadataDelta) -> Result<(), ReplayError> {
        let mut checked = None;
        for partition in delta.partitions.keys() {
            if checked == Some(partition.topic_id) {
                continue;
            }
            checked = Some(partition.topic_id);
            if let Some(gap) = self.topics.first_gap(partition.topic_id) {
                let topic = partition.topic_id;
                let why = format!("topic id {topic} has no partition {gap}, but higher ones");
                return Err(ReplayError::record("PartitionRecord", why));
            }
        }
        Ok(())
    }

    fn replay_in_transaction(
        &mut self,
        record: &MetadataRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        if let MetadataRecord::BeginTransactionRecord(_) = record {
            if self.transaction.is_some() {
                let why = "a metadata transaction is open already".to_owned();
                return Err(ReplayError::record("BeginTransactionRecord", why));
            }
            self.transaction = Some(Vec::new());
            return Ok(());
        }
        if let MetadataRecord::EndTransactionRecord(_) = record {
            let records = self.close_transaction("EndTransactionRecord")?;
            return records
                .iter()
                .try_for_each(|record| self.replay_record(record, delta));
        }
        if let MetadataRecord::AbortTransactionRecord(_) = record {
            return self.close_transaction("AbortTransactionRecord").map(drop);
        }
        let Some(records) = &mut self.transaction else {
            return self.replay_record(record, delta);
        };
        if records.len() == METADATA_TRANSACTION_RECORDS_MAX {
            let why = format!(
                "the transaction holds more than {METADATA_TRANSACTION_RECORDS_MAX} records"
            );
            return Err(ReplayError::record("BeginTransactionRecord", why));
        }
        records.push(record.clone());
        Ok(())
    }

    fn close_transaction(
        &mut self,
        record: &'static str,
    ) -> Result<Vec<MetadataRecord>, ReplayError> {
        let none = || ReplayError::record(record, "no metadata transaction is open".to_owned());
        self.transaction.take().ok_or_else(none)
    }

    fn replay_record(
        &mut self,
        record: &MetadataRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        match record {
            MetadataRecord::RegisterBrokerRecord(record) => {
                self.cluster.replay_register_broker(record, delta);
            }
            MetadataRecord::UnregisterBrokerRecord(record) => {
                self.cluster.replay_unregister_broker(record, delta)?;
            }
            MetadataRecord::BrokerRegistrationChangeRecord(record) => {
                self.cluster.replay_registration_change(record, delta)?;
            }
            MetadataRecord::FenceBrokerRecord(record) => {
                let name = "FenceBrokerRecord";
                self.cluster
                    .replay_fencing(name, record.id, record.epoch, true, delta)?;
            }
            MetadataRecord::UnfenceBrokerRecord(record) => {
                let name = "UnfenceBrokerRecord";
                self.cluster
                    .replay_fencing(name, record.id, record.epoch, false, delta)?;
            }
            MetadataRecord::RegisterControllerRecord(record) => {
                self.cluster.replay_register_controller(record, delta);
            }
            MetadataRecord::UnregisterControllerRecord(record) => {
                self.cluster.replay_unregister_controller(record, delta);
            }
            MetadataRecord::TopicRecord(record) => self.topics.replay_topic(record, delta)?,
            MetadataRecord::PartitionRecord(record) => {
                self.topics.replay_partition(record, delta)?
            }
            MetadataRecord::PartitionChangeRecord(record) => {
                self.topics.replay_partition_change(record, delta)?;
            }
            MetadataRecord::RemoveTopicRecord(record) => {
                let name = self.topics.replay_remove(record, delta)?;
                self.configs.topic_deleted(&name, delta);
            }
            MetadataRecord::ClearElrRecord(record) => self.topics.replay_clear_elr(record, delta),
            MetadataRecord::ConfigRecord(record) => self.configs.replay(record, delta),
            MetadataRecord::FeatureLevelRecord(record) => self.features.replay(record, delta)?,
            MetadataRecord::ProducerIdsRecord(record) => self.replay_producer_ids(record, delta)?,
            MetadataRecord::ClientQuotaRecord(record) => self.client_quotas.replay(record, delta),
            MetadataRecord::AccessControlEntryRecord(record) => self.acls.replay(record, delta),
            MetadataRecord::RemoveAccessControlEntryRecord(record) => {
                self.acls.replay_remove(record, delta);
            }
            MetadataRecord::UserScramCredentialRecord(record) => self.scram.replay(record, delta),
            MetadataRecord::RemoveUserScramCredentialRecord(record) => {
                self.scram.replay_remove(record, delta);
            }
            MetadataRecord::DelegationTokenRecord(record) => {
                self.delegation_tokens.replay(record, delta)
            }
            MetadataRecord::RemoveDelegationTokenRecord(record) => {
                self.delegation_tokens.replay_remove(record, delta);
            }
            // They only move the log on; ZooKeeper's state is a relic that says nothing.
            MetadataRecord::NoOpRecord(_) | MetadataRecord::ZkMigrationStateRecord(_) => {}
            MetadataRecord::BeginTransactionRecord(_)
            | MetadataRecord::EndTransactionRecord(_)
            | MetadataRecord::AbortTransactionRecord(_) => {
                let why = "a metadata transaction holds another".to_owned();
                return Err(ReplayError::record("BeginTransactionRecord", why));
            }
        }
        Ok(())
    }

    fn replay_producer_ids(
        &mut self,
        record: &ProducerIdsRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        let next = ProducerId(record.next_producer_id);
        if next < self.producer_ids.next_producer_id {
            let why = format!(
                "the next producer id goes back from {} to {next}",
                self.producer_ids.next_producer_id
            );
            return Err(ReplayError::record("ProducerIdsRecord", why));
        }
        self.producer_ids.next_producer_id = next;
        delta.producer_ids = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
