//! The feature levels of an image: `metadata.version` and those beside it.

use crate::metadata::delta::MetadataDelta;
use crate::metadata::error::ReplayError;
use crate::metadata::features::{METADATA_VERSION, METADATA_VERSION_MIN, MetadataVersion};
use crate::protocol::metadata_records::FeatureLevelRecord;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Finalized features: what the whole cluster agreed to use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeaturesImage {
    metadata_version: Option<MetadataVersion>,
    finalized: BTreeMap<Arc<str>, i16>,
}

impl FeaturesImage {
    pub(super) fn empty() -> FeaturesImage {
        FeaturesImage {
            metadata_version: None,
            finalized: BTreeMap::new(),
        }
    }

    /// The level that decides which records and versions are written. Kafka takes an absent one for
    /// the lowest.
    #[must_use]
    pub fn metadata_version(&self) -> MetadataVersion {
        self.metadata_version.unwrap_or(METADATA_VERSION_MIN)
    }

    /// Whether the bootstrap records have been replayed.
    #[must_use]
    pub fn is_bootstrapped(&self) -> bool {
        self.metadata_version.is_some()
    }

    /// The level of a feature; 0 where it is off.
    #[must_use]
    pub fn level(&self, feature: &str) -> i16 {
        if feature == METADATA_VERSION {
            return self.metadata_version().0;
        }
        self.finalized.get(feature).copied().unwrap_or(0)
    }

    /// Every finalized feature above 0 with its level, `metadata.version` first, then by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i16)> {
        let version = self
            .metadata_version
            .map(|version| (METADATA_VERSION, version.0));
        version
            .into_iter()
            .chain(self.finalized.iter().map(|(name, &level)| (&**name, level)))
    }

    pub(super) fn replay(
        &mut self,
        record: &FeatureLevelRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        let level = record.feature_level;
        if &*record.name == METADATA_VERSION {
            let version = MetadataVersion::from_level(level)
                .map_err(|why| ReplayError::record("FeatureLevelRecord", why))?;
            self.metadata_version = Some(version);
        } else if level == 0 {
            self.finalized.remove(&*record.name);
        } else {
            self.finalized.insert(Arc::from(&*record.name), level);
        }
        delta.features = true;
        Ok(())
    }
}
