//! UpdateFeatures, API 57: finalize feature levels (fwd).

use crate::protocol::string::Str;

declare! {
    /// The request of UpdateFeatures.
    message UpdateFeaturesRequest [0-2 flexible(0+)] {
        timeout_ms: i32 [0+ default(60000)],
        feature_updates: Vec<FeatureUpdateKey> [0+],
        validate_only: bool [1+],
    }

    /// In [`UpdateFeaturesRequest`].
    struct FeatureUpdateKey {
        feature: Str [0+],
        max_version_level: i16 [0+],
        allow_downgrade: bool [0],
        upgrade_type: i8 [1+ default(1)],
    }

    /// The response of UpdateFeatures.
    message UpdateFeaturesResponse [0-2 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
        results: Vec<UpdatableFeatureResult> [0-1 ignorable],
    }

    /// In [`UpdateFeaturesResponse`].
    struct UpdatableFeatureResult {
        feature: Str [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
    }
}
