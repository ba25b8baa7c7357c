//! IncrementalAlterConfigs, API 44: incremental alter configs (fwd).

use crate::protocol::string::Str;

declare! {
    /// The request of IncrementalAlterConfigs.
    message IncrementalAlterConfigsRequest [0-1 flexible(1+)] {
        resources: Vec<AlterConfigsResource> [0+],
        validate_only: bool [0+],
    }

    /// In [`IncrementalAlterConfigsRequest`].
    struct AlterConfigsResource {
        resource_type: i8 [0+],
        resource_name: Str [0+],
        configs: Vec<AlterableConfig> [0+],
    }

    /// In [`IncrementalAlterConfigsRequest`].
    struct AlterableConfig {
        name: Str [0+],
        config_operation: i8 [0+],
        value: Option<Str> [0+ nullable(0+)],
    }

    /// The response of IncrementalAlterConfigs.
    message IncrementalAlterConfigsResponse [0-1 flexible(1+)] {
        throttle_time_ms: i32 [0+],
        responses: Vec<AlterConfigsResourceResponse> [0+],
    }

    /// In [`IncrementalAlterConfigsResponse`].
    struct AlterConfigsResourceResponse {
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
        resource_type: i8 [0+],
        resource_name: Str [0+],
    }
}
