//! ListConfigResources, API 74: list config resources (client-metrics, groups, ...).

use crate::protocol::string::Str;

declare! {
    /// The request of ListConfigResources.
    message ListConfigResourcesRequest [0-1 flexible(0+)] {
        resource_types: Vec<i8> [1+],
    }

    /// The response of ListConfigResources.
    message ListConfigResourcesResponse [0-1 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        config_resources: Vec<ConfigResource> [0+],
    }

    /// In [`ListConfigResourcesResponse`].
    struct ConfigResource {
        resource_name: Str [0+],
        resource_type: i8 [1+ default(16) ignorable],
    }
}
