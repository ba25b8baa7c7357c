//! Why a setting has no effect, and why one is refused: each reason once, as the user reads it.

use crate::config::setting::Refusal;

/// The part that would read it does not exist yet.
pub const NOT_YET: &str = "klamm does not have the part that reads it yet";
/// Thread pools and the queues between them.
pub const SHARDS: &str =
    "klamm has one shard per core instead of thread pools: klamm.cores sets how many";
/// How coordinators gather what they write, and read what they load.
pub const TURNS: &str =
    "a coordinator of klamm writes what each turn brings in one batch, and loads a slice per turn";
/// How often Kafka sweeps its purgatories.
pub const PURGATORY: &str = "klamm drops a waiting request as soon as it is answered";
/// Settings of the log cleaner.
pub const NO_COMPACTION: &str =
    "klamm does not compact yet: cleanup.policy=compact asks for keys and keeps every record";
/// The size of a batch of the metadata log.
pub const METADATA_BATCHES: &str =
    "klamm bounds the batches of its metadata log by records, 10000 to a batch";
/// Anything between several nodes.
pub const ALONE: &str = "klamm is a cluster of one, for now";
/// SASL settings.
pub const NO_SASL: &str = "klamm does not serve SASL yet";
/// TLS settings.
pub const NO_TLS: &str = "klamm does not serve TLS yet";
/// Settings of tiered storage.
pub const NO_REMOTE: &str = "klamm keeps all segments on its own disks";
/// How Java classes report metrics.
pub const JAVA_METRICS: &str = "klamm loads no Java classes to report its metrics";
/// Other Java classes.
pub const JAVA: &str = "klamm loads no Java classes";
/// Throttled replication.
pub const REPLICAS_THROTTLE: &str = "klamm does not replicate yet";

/// An authorizer.
pub const AUTHORIZER: Refusal = Refusal {
    reason: "it has no access control lists yet, and everyone would be allowed everything",
    mend: "remove the line, and let only trusted hosts reach the listeners",
};
/// Tiered storage.
pub const REMOTE_STORAGE: Refusal = Refusal {
    reason: "it has no remote storage, and segments that lie there would be lost to readers",
    mend: "set it to false once all topics have remote.storage.enable=false",
};
/// A Java key store.
pub const KEYSTORE: Refusal = Refusal {
    reason: "it does not serve TLS yet, and it will read PEM files instead of Java key stores",
    mend: "remove the line; to convert the store: keytool -importkeystore -srckeystore STORE \
           -destkeystore store.p12 -deststoretype PKCS12 && openssl pkcs12 -in store.p12 -out \
           server.pem",
};
/// A Java trust store.
pub const TRUSTSTORE: Refusal = Refusal {
    reason: "it does not serve TLS yet, and it will read PEM files instead of Java trust stores",
    mend: "remove the line; to convert the store: keytool -list -rfc -keystore STORE > trusted.pem",
};
/// Keys and certificates in the file itself.
pub const TLS_CERTIFICATES: Refusal = Refusal {
    reason: "it does not serve TLS yet, and connections would be plain text",
    mend: "remove the line, and serve PLAINTEXT listeners to trusted hosts only",
};
/// Certificates of clients.
pub const CLIENT_CERTIFICATES: Refusal = Refusal {
    reason: "it does not serve TLS yet, and no client would be asked for its certificate",
    mend: "remove the line, and let only trusted hosts reach the listeners",
};
/// A TLS engine of the user's own.
pub const TLS_ENGINE: Refusal = Refusal {
    reason: "it loads no Java classes, and what this one checks would go unchecked",
    mend: "remove the line",
};
/// Delegation tokens.
pub const DELEGATION_TOKENS: Refusal = Refusal {
    reason: "it has no delegation tokens yet, and clients that hold one could not log in",
    mend: "remove the line",
};
/// A policy for topics or configs.
pub const POLICY: Refusal = Refusal {
    reason: "it loads no Java classes, and what this policy forbids would be allowed",
    mend: "remove the line",
};
/// A quota callback.
pub const QUOTA_CALLBACK: Refusal = Refusal {
    reason: "it loads no Java classes, and the quotas of this one would not hold",
    mend: "remove the line",
};
/// A principal builder.
pub const PRINCIPAL_BUILDER: Refusal = Refusal {
    reason: "it loads no Java classes, and clients would act under other names",
    mend: "remove the line",
};
/// Providers of secrets.
pub const PROVIDERS: Refusal = Refusal {
    reason: "it loads no Java classes, and ${provider:path:key} would be taken for the value itself",
    mend: "remove the line, and write the values into the file or into KAFKA_ variables",
};
/// Two-phase commit.
pub const TWO_PHASE: Refusal = Refusal {
    reason: "it has no two-phase commit yet, and prepared transactions would be aborted",
    mend: "set it to false",
};
/// Login callbacks.
pub const SASL_CALLBACK: Refusal = Refusal {
    reason: "it loads no Java classes, and what this one checks would go unchecked",
    mend: "remove the line",
};
/// Unreleased versions.
pub const UNSTABLE: Refusal = Refusal {
    reason: "it has no unreleased versions to enable",
    mend: "set it to false",
};
