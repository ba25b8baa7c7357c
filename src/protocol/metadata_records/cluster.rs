//! Metadata records of the cluster: configs, quotas, features, producer ids, transactions of the log.

use crate::protocol::string::Str;

declare! {
    /// Metadata record 4.
    message ConfigRecord [0 flexible(0+)] {
        resource_type: i8 [0+],
        resource_name: Str [0+],
        name: Str [0+],
        value: Option<Str> [0+ nullable(0+)],
    }

    /// Metadata record 14.
    message ClientQuotaRecord [0 flexible(0+)] {
        entity: Vec<EntityData> [0+],
        key: Str [0+],
        value: f64 [0+],
        remove: bool [0+],
    }

    /// In [`ClientQuotaRecord`].
    struct EntityData {
        entity_type: Str [0+],
        entity_name: Option<Str> [0+ nullable(0+)],
    }

    /// Metadata record 12.
    message FeatureLevelRecord [0 flexible(0+)] {
        name: Str [0+],
        feature_level: i16 [0+],
    }

    /// Metadata record 15.
    message ProducerIdsRecord [0 flexible(0+)] {
        broker_id: i32 [0+],
        broker_epoch: i64 [0+ default(-1)],
        next_producer_id: i64 [0+],
    }

    /// Metadata record 20.
    message NoOpRecord [0 flexible(0+)] {}

    /// Metadata record 21.
    message ZkMigrationStateRecord [0 flexible(0+)] {
        zk_migration_state: i8 [0+],
    }

    /// Metadata record 23.
    message BeginTransactionRecord [0 flexible(0+)] {
        name: Option<Str> [0+ nullable(0+) tag(0) default(None)],
    }

    /// Metadata record 24.
    message EndTransactionRecord [0 flexible(0+)] {}

    /// Metadata record 25.
    message AbortTransactionRecord [0 flexible(0+)] {
        reason: Option<Str> [0+ nullable(0+) tag(0) default(None)],
    }
}
