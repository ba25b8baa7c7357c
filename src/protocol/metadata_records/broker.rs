//! Metadata records of brokers and controllers: who is there, and in which state.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// Metadata record 0.
    message RegisterBrokerRecord [0-4 flexible(0+)] {
        broker_id: i32 [0+],
        is_migrating_zk_broker: bool [2+],
        incarnation_id: Uuid [0+],
        broker_epoch: i64 [0+],
        end_points: Vec<BrokerEndpoint> [0+],
        features: Vec<BrokerFeature> [0+],
        rack: Option<Str> [0+ nullable(0+)],
        fenced: bool [0+ default(true)],
        in_controlled_shutdown: bool [1+],
        log_dirs: Vec<Uuid> [3+ tag(0)],
        cordoned_log_dirs: Option<Vec<Uuid>> [4+ nullable(4+) tag(1) default(None)],
    }

    /// In [`RegisterBrokerRecord`].
    struct BrokerEndpoint {
        name: Str [0+],
        host: Str [0+],
        port: u16 [0+],
        security_protocol: i16 [0+],
    }

    /// In [`RegisterBrokerRecord`].
    struct BrokerFeature {
        name: Str [0+],
        min_supported_version: i16 [0+],
        max_supported_version: i16 [0+],
    }

    /// Metadata record 1.
    message UnregisterBrokerRecord [0 flexible(0+)] {
        broker_id: i32 [0+],
        broker_epoch: i64 [0+],
    }

    /// Metadata record 17.
    message BrokerRegistrationChangeRecord [0-3 flexible(0+)] {
        broker_id: i32 [0+],
        broker_epoch: i64 [0+],
        fenced: i8 [0+ tag(0)],
        in_controlled_shutdown: i8 [1+ tag(1)],
        log_dirs: Vec<Uuid> [2+ tag(2)],
        cordoned_log_dirs: Option<Vec<Uuid>> [3+ nullable(3+) tag(3) default(None)],
    }

    /// Metadata record 7.
    message FenceBrokerRecord [0 flexible(0+)] {
        id: i32 [0+],
        epoch: i64 [0+],
    }

    /// Metadata record 8.
    message UnfenceBrokerRecord [0 flexible(0+)] {
        id: i32 [0+],
        epoch: i64 [0+],
    }

    /// Metadata record 27.
    message RegisterControllerRecord [0 flexible(0+)] {
        controller_id: i32 [0+],
        incarnation_id: Uuid [0+],
        zk_migration_ready: bool [0+],
        end_points: Vec<ControllerEndpoint> [0+],
        features: Vec<ControllerFeature> [0+],
    }

    /// In [`RegisterControllerRecord`].
    struct ControllerEndpoint {
        name: Str [0+],
        host: Str [0+],
        port: u16 [0+],
        security_protocol: i16 [0+],
    }

    /// In [`RegisterControllerRecord`].
    struct ControllerFeature {
        name: Str [0+],
        min_supported_version: i16 [0+],
        max_supported_version: i16 [0+],
    }

    /// Metadata record 29.
    message UnregisterControllerRecord [0 flexible(0+)] {
        controller_id: i32 [0+],
    }
}
