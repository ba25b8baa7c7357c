//! ControllerRegistration, API 70: controller registers endpoints/features with active controller.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of ControllerRegistration.
    message ControllerRegistrationRequest [0 flexible(0+)] {
        controller_id: i32 [0+],
        incarnation_id: Uuid [0+],
        zk_migration_ready: bool [0+],
        listeners: Vec<Listener> [0+],
        features: Vec<Feature> [0+],
    }

    /// In [`ControllerRegistrationRequest`].
    struct Listener {
        name: Str [0+],
        host: Str [0+],
        port: u16 [0+],
        security_protocol: i16 [0+],
    }

    /// In [`ControllerRegistrationRequest`].
    struct Feature {
        name: Str [0+],
        min_supported_version: i16 [0+],
        max_supported_version: i16 [0+],
    }

    /// The response of ControllerRegistration.
    message ControllerRegistrationResponse [0 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
    }
}
