//! What klamm knows of Kafka's features: which levels it supports, which it finalizes on a new
//! cluster, and which record versions a `metadata.version` asks for (inventory 3.0).

use crate::metadata::image::cluster::VersionRange;
use crate::protocol::metadata_records::{BrokerRegistrationChangeRecord, MetadataRecord};
use std::fmt;

/// The feature that decides what the metadata log may contain.
pub const METADATA_VERSION: &str = "metadata.version";

/// The feature of the quorum itself; it stands in control records, never in a FeatureLevelRecord.
pub const KRAFT_VERSION: &str = "kraft.version";

/// Empty ISRs and eligible leader replicas (KIP-966).
pub const ELIGIBLE_LEADER_REPLICAS_VERSION: &str = "eligible.leader.replicas.version";

/// Groups of the consumer protocol (KIP-848).
pub const GROUP_VERSION: &str = "group.version";

/// A level of `metadata.version`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MetadataVersion(pub i16);

/// 3.3-IV3, the lowest that Kafka 4 reads.
pub const METADATA_VERSION_MIN: MetadataVersion = MetadataVersion(7);

/// 4.3-IV0: what a new cluster gets, so that Apache's tools of 4.3.1 decode every record.
pub const METADATA_VERSION_DEFAULT: MetadataVersion = MetadataVersion(30);

/// Kafka's name of [`METADATA_VERSION_DEFAULT`].
pub const METADATA_VERSION_DEFAULT_NAME: &str = "4.3-IV0";

/// The highest level whose records klamm writes.
pub const METADATA_VERSION_MAX: MetadataVersion = MetadataVersion(30);

/// One feature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feature {
    /// Kafka's name.
    pub name: &'static str,
    /// The levels klamm supports; what is advertised in ApiVersions and in registrations.
    pub supported: VersionRange,
    /// The level finalized when a directory is formatted; 0 leaves the feature off.
    pub finalized_on_format: i16,
}

/// Every feature klamm supports. A row is added by the issue that makes the feature work:
/// `transaction.version`, `share.version` and `streams.version` follow.
pub const FEATURES: [Feature; 4] = [
    Feature {
        name: METADATA_VERSION,
        supported: VersionRange {
            min: METADATA_VERSION_MIN.0,
            max: METADATA_VERSION_MAX.0,
        },
        finalized_on_format: METADATA_VERSION_DEFAULT.0,
    },
    Feature {
        name: ELIGIBLE_LEADER_REPLICAS_VERSION,
        supported: VersionRange { min: 0, max: 1 },
        finalized_on_format: 1,
    },
    Feature {
        name: GROUP_VERSION,
        supported: VersionRange { min: 0, max: 1 },
        finalized_on_format: 1,
    },
    Feature {
        name: KRAFT_VERSION,
        supported: VersionRange { min: 0, max: 1 },
        finalized_on_format: 0,
    },
];

/// The row of a feature, where klamm supports it.
#[must_use]
pub fn feature(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}

impl MetadataVersion {
    /// The level, or a sentence that says why klamm cannot work at it.
    pub fn from_level(level: i16) -> Result<MetadataVersion, String> {
        let version = MetadataVersion(level);
        if version < METADATA_VERSION_MIN || version > METADATA_VERSION_MAX {
            return Err(format!(
                "{METADATA_VERSION} is finalized at {level}, and klamm supports {METADATA_VERSION_MIN} \
                 to {METADATA_VERSION_MAX}"
            ));
        }
        Ok(version)
    }

    /// Whether partition records carry eligible leader replicas (4.0-IV1).
    #[must_use]
    pub fn is_elr_supported(self) -> bool {
        self.0 >= 23
    }

    /// Whether partition records carry log directories (3.7-IV2).
    #[must_use]
    pub fn is_directory_assignment_supported(self) -> bool {
        self.0 >= 17
    }

    /// Whether controllers register (3.7-IV0).
    #[must_use]
    pub fn is_controller_registration_supported(self) -> bool {
        self.0 >= 15
    }

    /// Whether batches may be bracketed as a metadata transaction (3.6-IV1).
    #[must_use]
    pub fn is_metadata_transaction_supported(self) -> bool {
        self.0 >= 13
    }

    /// Whether a broker may say that it is stopping (3.3-IV3: all that klamm supports).
    #[must_use]
    pub fn is_controlled_shutdown_state_supported(self) -> bool {
        self.0 >= 7
    }

    /// Whether an ISR that shrinks must start a new leader epoch, as before 3.6-IV0 (KAFKA-15021).
    #[must_use]
    pub fn is_leader_epoch_bump_required_on_isr_shrink(self) -> bool {
        self.0 < 12
    }

    /// Whether brokers may cordon log directories (4.3-IV0).
    #[must_use]
    pub fn is_cordoning_supported(self) -> bool {
        self.0 >= 30
    }

    /// The version at which a record is written.
    #[must_use]
    pub fn record_version(self, record: &MetadataRecord) -> i16 {
        match record {
            MetadataRecord::RegisterBrokerRecord(_) => match self.0 {
                30.. => 4,
                17.. => 3,
                8.. => 2,
                _ => 1,
            },
            MetadataRecord::PartitionRecord(_) | MetadataRecord::PartitionChangeRecord(_) => {
                match self.0 {
                    23.. => 2,
                    17.. => 1,
                    _ => 0,
                }
            }
            MetadataRecord::BrokerRegistrationChangeRecord(record) => {
                registration_change_version(record)
            }
            MetadataRecord::UnregisterBrokerRecord(_)
            | MetadataRecord::TopicRecord(_)
            | MetadataRecord::ConfigRecord(_)
            | MetadataRecord::FenceBrokerRecord(_)
            | MetadataRecord::UnfenceBrokerRecord(_)
            | MetadataRecord::RemoveTopicRecord(_)
            | MetadataRecord::DelegationTokenRecord(_)
            | MetadataRecord::UserScramCredentialRecord(_)
            | MetadataRecord::FeatureLevelRecord(_)
            | MetadataRecord::ClientQuotaRecord(_)
            | MetadataRecord::ProducerIdsRecord(_)
            | MetadataRecord::AccessControlEntryRecord(_)
            | MetadataRecord::RemoveAccessControlEntryRecord(_)
            | MetadataRecord::NoOpRecord(_)
            | MetadataRecord::ZkMigrationStateRecord(_)
            | MetadataRecord::RemoveUserScramCredentialRecord(_)
            | MetadataRecord::BeginTransactionRecord(_)
            | MetadataRecord::EndTransactionRecord(_)
            | MetadataRecord::AbortTransactionRecord(_)
            | MetadataRecord::RemoveDelegationTokenRecord(_)
            | MetadataRecord::RegisterControllerRecord(_)
            | MetadataRecord::ClearElrRecord(_)
            | MetadataRecord::UnregisterControllerRecord(_) => 0,
        }
    }
}

impl fmt::Display for MetadataVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The lowest version that carries what the record says, as Kafka chooses it.
fn registration_change_version(record: &BrokerRegistrationChangeRecord) -> i16 {
    if record.cordoned_log_dirs.is_some() {
        3
    } else if !record.log_dirs.is_empty() {
        2
    } else if record.in_controlled_shutdown != 0 {
        1
    } else {
        0
    }
}
