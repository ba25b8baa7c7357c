//! What an image says about clients: quotas, access control entries, SCRAM credentials, delegation
//! tokens. klamm does not act on them yet; it keeps them, so that a snapshot loses nothing.

use crate::base::uuid::Uuid;
use crate::metadata::delta::MetadataDelta;
use crate::protocol::metadata_records::cluster::EntityData;
use crate::protocol::metadata_records::{
    AccessControlEntryRecord, ClientQuotaRecord, DelegationTokenRecord,
    RemoveAccessControlEntryRecord, RemoveDelegationTokenRecord, RemoveUserScramCredentialRecord,
    UserScramCredentialRecord,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whom a quota is for: pairs of entity type (`user`, `client-id`, `ip`) and name, sorted by type;
/// no name is the default of that type.
pub type QuotaEntity = Vec<(Arc<str>, Option<Arc<str>>)>;

/// Quotas: entity, then key (`producer_byte_rate` …), then value.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ClientQuotasImage {
    quotas: BTreeMap<QuotaEntity, BTreeMap<Arc<str>, f64>>,
}

/// Access control entries by id.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AclsImage {
    entries: BTreeMap<Uuid, AccessControlEntryRecord>,
}

/// SCRAM credentials by mechanism and user.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ScramImage {
    credentials: BTreeMap<(i8, Arc<str>), UserScramCredentialRecord>,
}

/// Delegation tokens by id.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DelegationTokensImage {
    tokens: BTreeMap<Arc<str>, DelegationTokenRecord>,
}

impl ClientQuotasImage {
    /// Every entity with its quotas.
    pub fn iter(&self) -> impl Iterator<Item = (&QuotaEntity, &BTreeMap<Arc<str>, f64>)> {
        self.quotas.iter()
    }

    /// The records that describe all quotas.
    pub(in crate::metadata) fn to_records(&self) -> impl Iterator<Item = ClientQuotaRecord> {
        self.quotas.iter().flat_map(|(entity, quotas)| {
            quotas.iter().map(move |(key, &value)| ClientQuotaRecord {
                entity: entity
                    .iter()
                    .map(|(entity_type, name)| EntityData {
                        entity_type: (&**entity_type).into(),
                        entity_name: name.as_deref().map(Into::into),
                        ..EntityData::default()
                    })
                    .collect(),
                key: (&**key).into(),
                value,
                ..ClientQuotaRecord::default()
            })
        })
    }

    pub(super) fn replay(&mut self, record: &ClientQuotaRecord, delta: &mut MetadataDelta) {
        let mut entity: QuotaEntity = record
            .entity
            .iter()
            .map(|part| {
                (
                    Arc::from(&*part.entity_type),
                    part.entity_name.as_deref().map(Arc::from),
                )
            })
            .collect();
        entity.sort();
        if record.remove {
            if let Some(quotas) = self.quotas.get_mut(&entity) {
                quotas.remove(&*record.key);
                if quotas.is_empty() {
                    self.quotas.remove(&entity);
                }
            }
        } else {
            self.quotas
                .entry(entity)
                .or_default()
                .insert(Arc::from(&*record.key), record.value);
        }
        delta.client_quotas = true;
    }
}

impl AclsImage {
    /// Every entry, by id.
    pub fn iter(&self) -> impl Iterator<Item = &AccessControlEntryRecord> {
        self.entries.values()
    }

    pub(super) fn replay(&mut self, record: &AccessControlEntryRecord, delta: &mut MetadataDelta) {
        self.entries.insert(record.id, record.clone());
        delta.acls = true;
    }

    pub(super) fn replay_remove(
        &mut self,
        record: &RemoveAccessControlEntryRecord,
        delta: &mut MetadataDelta,
    ) {
        self.entries.remove(&record.id);
        delta.acls = true;
    }
}

impl ScramImage {
    /// Every credential, by mechanism and user.
    pub fn iter(&self) -> impl Iterator<Item = &UserScramCredentialRecord> {
        self.credentials.values()
    }

    pub(super) fn replay(&mut self, record: &UserScramCredentialRecord, delta: &mut MetadataDelta) {
        self.credentials
            .insert((record.mechanism, Arc::from(&*record.name)), record.clone());
        delta.scram = true;
    }

    pub(super) fn replay_remove(
        &mut self,
        record: &RemoveUserScramCredentialRecord,
        delta: &mut MetadataDelta,
    ) {
        self.credentials
            .remove(&(record.mechanism, Arc::from(&*record.name)));
        delta.scram = true;
    }
}

impl DelegationTokensImage {
    /// Every token, by id.
    pub fn iter(&self) -> impl Iterator<Item = &DelegationTokenRecord> {
        self.tokens.values()
    }

    pub(super) fn replay(&mut self, record: &DelegationTokenRecord, delta: &mut MetadataDelta) {
        self.tokens
            .insert(Arc::from(&*record.token_id), record.clone());
        delta.delegation_tokens = true;
    }

    pub(super) fn replay_remove(
        &mut self,
        record: &RemoveDelegationTokenRecord,
        delta: &mut MetadataDelta,
    ) {
        self.tokens.remove(&*record.token_id);
        delta.delegation_tokens = true;
    }
}
