//! An image as records: what a snapshot holds, in the order in which Kafka writes it. Replaying
//! them into an empty image gives the same image again.

use super::delta::MetadataDelta;
use super::error::ReplayError;
use super::image::{MetadataImage, Provenance};
use crate::protocol::metadata_records::{
    ConfigRecord, FeatureLevelRecord, MetadataRecord, ProducerIdsRecord, TopicRecord,
};

/// Every record of the image, in order: features first, because `metadata.version` decides how
/// the others are read.
///
/// # Panics
/// Where the image is within a metadata transaction: half a transaction must not be kept.
pub fn records(image: &MetadataImage) -> impl Iterator<Item = MetadataRecord> {
    assert!(
        !image.is_in_transaction(),
        "a snapshot is never taken within a transaction"
    );
    let version = image.features.metadata_version();
    let features = image.features.iter().map(|(name, level)| {
        MetadataRecord::FeatureLevelRecord(FeatureLevelRecord {
            name: name.into(),
            feature_level: level,
            ..FeatureLevelRecord::default()
        })
    });
    let brokers = image.cluster.brokers.values();
    let brokers =
        brokers.map(move |broker| MetadataRecord::RegisterBrokerRecord(broker.to_record(version)));
    let controllers = image.cluster.controllers.values();
    let controllers = controllers.filter(move |_| version.is_controller_registration_supported());
    let controllers = controllers
        .map(|controller| MetadataRecord::RegisterControllerRecord(controller.to_record()));
    let topics = image.topics.iter().flat_map(move |topic| {
        let record = MetadataRecord::TopicRecord(TopicRecord {
            name: (&*topic.name).into(),
            topic_id: topic.id,
            ..TopicRecord::default()
        });
        let partitions = topic.partitions().map(move |(index, partition)| {
            MetadataRecord::PartitionRecord(partition.to_record(topic.id, index.0, version))
        });
        std::iter::once(record).chain(partitions)
    });
    let configs = image
        .configs
        .iter()
        .flat_map(|(resource_type, name, settings)| {
            settings.iter().map(move |(key, value)| {
                MetadataRecord::ConfigRecord(ConfigRecord {
                    resource_type: resource_type.0,
                    resource_name: (&**name).into(),
                    name: (&**key).into(),
                    value: Some((&**value).into()),
                    ..ConfigRecord::default()
                })
            })
        });
    let next_producer_id = image.producer_ids.next_producer_id;
    let producer_ids = (next_producer_id.0 > 0).then(|| {
        MetadataRecord::ProducerIdsRecord(ProducerIdsRecord {
            // As Kafka's snapshots: who took the last block is not kept.
            broker_id: -1,
            broker_epoch: -1,
            next_producer_id: next_producer_id.0,
            ..ProducerIdsRecord::default()
        })
    });
    features
        .chain(brokers)
        .chain(controllers)
        .chain(topics)
        .chain(configs)
        .chain(
            image
                .client_quotas
                .to_records()
                .map(MetadataRecord::ClientQuotaRecord),
        )
        .chain(producer_ids)
        .chain(
            image
                .acls
                .iter()
                .cloned()
                .map(MetadataRecord::AccessControlEntryRecord),
        )
        .chain(
            image
                .scram
                .iter()
                .cloned()
                .map(MetadataRecord::UserScramCredentialRecord),
        )
        .chain(
            image
                .delegation_tokens
                .iter()
                .cloned()
                .map(MetadataRecord::DelegationTokenRecord),
        )
}

/// Builds the image that a snapshot's records describe.
pub struct SnapshotReplay {
    image: MetadataImage,
    delta: MetadataDelta,
}

impl SnapshotReplay {
    /// Nothing replayed yet.
    #[must_use]
    pub fn new() -> SnapshotReplay {
        SnapshotReplay {
            image: MetadataImage::empty(),
            delta: MetadataDelta::default(),
        }
    }

    /// Replays the next record.
    pub fn replay(&mut self, record: &MetadataRecord) -> Result<(), ReplayError> {
        self.image.replay_snapshot_record(record, &mut self.delta)
    }

    /// The image, once the last record was replayed; `provenance` says which beginning of the log
    /// the snapshot stands for.
    pub fn finish(mut self, provenance: Provenance) -> Result<MetadataImage, ReplayError> {
        self.image.finish_snapshot(provenance, &self.delta)?;
        Ok(self.image)
    }
}

impl Default for SnapshotReplay {
    fn default() -> SnapshotReplay {
        SnapshotReplay::new()
    }
}
