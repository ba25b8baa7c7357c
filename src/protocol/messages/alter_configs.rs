//! AlterConfigs, API 33: legacy alter configs (fwd / local for loggers).

use crate::protocol::string::Str;

declare! {
    /// The request of AlterConfigs.
    message AlterConfigsRequest [0-2 flexible(2+)] {
        resources: Vec<AlterConfigsResource> [0+],
        validate_only: bool [0+],
    }

    /// In [`AlterConfigsRequest`].
    struct AlterConfigsResource {
        resource_type: i8 [0+],
        resource_name: Str [0+],
        configs: Vec<AlterableConfig> [0+],
    }

    /// In [`AlterConfigsRequest`].
    struct AlterableConfig {
        name: Str [0+],
        value: Option<Str> [0+ nullable(0+)],
    }

    /// The response of AlterConfigs.
    message AlterConfigsResponse [0-2 flexible(2+)] {
        throttle_time_ms: i32 [0+],
        responses: Vec<AlterConfigsResourceResponse> [0+],
    }

    /// In [`AlterConfigsResponse`].
    struct AlterConfigsResourceResponse {
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
        resource_type: i8 [0+],
        resource_name: Str [0+],
    }
}
