//! Settings that a broker's file may still hold, though Kafka 4 has no row for them: what became
//! of each. A file that speaks of ZooKeeper is refused: the cluster it names would not be found.

use super::reasons::NO_REMOTE;
use crate::config::setting::{Class, Refusal};

const ZOOKEEPER: Refusal = Refusal {
    reason: "ZooKeeper is gone since Apache Kafka 4.0, and the topics it knows would not be found",
    mend: "migrate the cluster to KRaft with Apache Kafka 3.9, then remove the line",
};
const GONE: &str = "Apache Kafka 4.0 removed it";
const NO_ACCESS_CONTROL: &str = "klamm has no access control lists yet";

/// What became of a key, or of all keys with a prefix (they end in a dot).
static REMOVED: &[(&str, Class)] = &[
    (
        "allow.everyone.if.no.acl.found",
        Class::WithoutEffect(NO_ACCESS_CONTROL),
    ),
    ("broker.id.generation.enable", Class::WithoutEffect(GONE)),
    ("control.plane.listener.name", Class::WithoutEffect(GONE)),
    (
        "delegation.token.master.key",
        Class::Refused(super::reasons::DELEGATION_TOKENS),
    ),
    ("host.name", Class::WithoutEffect(GONE)),
    ("inter.broker.protocol.version", Class::WithoutEffect(GONE)),
    ("log.message.format.version", Class::WithoutEffect(GONE)),
    (
        "log.message.timestamp.difference.max.ms",
        Class::WithoutEffect(GONE),
    ),
    ("offsets.commit.required.acks", Class::WithoutEffect(GONE)),
    ("password.encoder.", Class::WithoutEffect(GONE)),
    ("port", Class::WithoutEffect(GONE)),
    ("reserved.broker.max.id", Class::WithoutEffect(GONE)),
    ("rlmm.config.", Class::WithoutEffect(NO_REMOTE)),
    ("rsm.config.", Class::WithoutEffect(NO_REMOTE)),
    ("super.users", Class::WithoutEffect(NO_ACCESS_CONTROL)),
    ("zookeeper.", Class::Refused(ZOOKEEPER)),
];

/// What became of `key`, where it once was a setting or is one of a plugin.
#[must_use]
pub fn removed(key: &str) -> Option<Class> {
    REMOVED
        .iter()
        .find(|(name, _)| *name == key || (name.ends_with('.') && key.starts_with(name)))
        .map(|(_, class)| *class)
}
