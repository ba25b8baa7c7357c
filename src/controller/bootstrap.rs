//! The first records of a log, and what a controller writes before anything else when it takes
//! over (inventory 3.2, end).

use super::{Controller, ControllerResult, Reply};
use crate::metadata::features::{
    ELIGIBLE_LEADER_REPLICAS_VERSION, FEATURES, KRAFT_VERSION, METADATA_VERSION, MetadataVersion,
    feature,
};
use crate::metadata::image::MetadataImage;
use crate::metadata::image::configs::ConfigResourceType;
use crate::protocol::metadata_records::{
    AbortTransactionRecord, BeginTransactionRecord, ConfigRecord, EndTransactionRecord,
    FeatureLevelRecord, MetadataRecord,
};

/// The records of a freshly formatted directory: the level of every feature that is on by default,
/// `metadata.version` first, because it decides how the others are read.
#[must_use]
pub fn default_bootstrap_records() -> Vec<MetadataRecord> {
    let mut features: Vec<_> = FEATURES
        .iter()
        .filter(|feature| feature.finalized_on_format > 0 && feature.name != KRAFT_VERSION)
        .collect();
    features.sort_by_key(|feature| (feature.name != METADATA_VERSION, feature.name));
    let records = features.into_iter().map(|feature| {
        MetadataRecord::FeatureLevelRecord(FeatureLevelRecord {
            name: feature.name.into(),
            feature_level: feature.finalized_on_format,
            ..FeatureLevelRecord::default()
        })
    });
    records.collect()
}

/// Features that the cluster has finalized at a level klamm does not support: the directory was
/// written by a Kafka that can do more. Their records are kept; the start warns of them.
pub fn unsupported_features(image: &MetadataImage) -> impl Iterator<Item = (&str, i16)> {
    image.features.iter().filter(|&(name, level)| {
        feature(name).is_none_or(|feature| !feature.supported.contains(level))
    })
}

impl Controller {
    /// What a new leader writes first: the bootstrap records where the log has none, the end of a
    /// transaction that a leader before it left open.
    #[must_use]
    pub fn activate(&self, bootstrap: &[MetadataRecord]) -> ControllerResult {
        let mut records = Vec::new();
        if self.image.is_in_transaction() {
            records.push(MetadataRecord::AbortTransactionRecord(
                AbortTransactionRecord {
                    reason: Some("Controller failover".into()),
                    ..AbortTransactionRecord::default()
                },
            ));
        }
        if !self.image.features.is_bootstrapped() {
            self.push_bootstrap(bootstrap, &mut records);
        }
        ControllerResult::atomic(records, Reply::Done)
    }

    fn push_bootstrap(&self, bootstrap: &[MetadataRecord], records: &mut Vec<MetadataRecord>) {
        let level = |wanted: &str| {
            bootstrap.iter().find_map(|record| {
                let MetadataRecord::FeatureLevelRecord(feature) = record else {
                    return None;
                };
                (&*feature.name == wanted).then_some(feature.feature_level)
            })
        };
        let version = MetadataVersion(level(METADATA_VERSION).unwrap_or(0));
        let is_bracketed = version.is_metadata_transaction_supported();
        if is_bracketed {
            records.push(MetadataRecord::BeginTransactionRecord(
                BeginTransactionRecord {
                    name: Some("Bootstrap records".into()),
                    ..BeginTransactionRecord::default()
                },
            ));
        }
        records.extend_from_slice(bootstrap);
        // KIP-966: with eligible replicas on, the minimum must be the same for every broker, so the
        // configured one becomes the cluster's.
        if level(ELIGIBLE_LEADER_REPLICAS_VERSION).unwrap_or(0) > 0 {
            records.push(MetadataRecord::ConfigRecord(ConfigRecord {
                resource_type: ConfigResourceType::BROKER.0,
                resource_name: "".into(),
                name: "min.insync.replicas".into(),
                value: Some(
                    self.settings
                        .configuration
                        .min_insync_replicas()
                        .to_string()
                        .as_str()
                        .into(),
                ),
                ..ConfigRecord::default()
            }));
        }
        if is_bracketed {
            records.push(MetadataRecord::EndTransactionRecord(
                EndTransactionRecord::default(),
            ));
        }
    }
}
