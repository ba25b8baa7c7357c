//! BrokerRegistration, API 62: broker registers with controller.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of BrokerRegistration.
    message BrokerRegistrationRequest [0-4 flexible(0+)] {
        broker_id: i32 [0+],
        cluster_id: Str [0+],
        incarnation_id: Uuid [0+],
        listeners: Vec<Listener> [0+],
        features: Vec<Feature> [0+],
        rack: Option<Str> [0+ nullable(0+)],
        is_migrating_zk_broker: bool [1+],
        log_dirs: Vec<Uuid> [2+ ignorable],
        previous_broker_epoch: i64 [3+ default(-1) ignorable],
    }

    /// In [`BrokerRegistrationRequest`].
    struct Listener {
        name: Str [0+],
        host: Str [0+],
        port: u16 [0+],
        security_protocol: i16 [0+],
    }

    /// In [`BrokerRegistrationRequest`].
    struct Feature {
        name: Str [0+],
        min_supported_version: i16 [0+],
        max_supported_version: i16 [0+],
    }

    /// The response of BrokerRegistration.
    message BrokerRegistrationResponse [0-4 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        broker_epoch: i64 [0+ default(-1)],
    }
}
