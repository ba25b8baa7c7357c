//! ExpireDelegationToken, API 40: expire delegation token (fwd).

use bytes::Bytes;

declare! {
    /// The request of ExpireDelegationToken.
    message ExpireDelegationTokenRequest [1-2 flexible(2+)] {
        hmac: Bytes [0+],
        expiry_time_period_ms: i64 [0+],
    }

    /// The response of ExpireDelegationToken.
    message ExpireDelegationTokenResponse [1-2 flexible(2+)] {
        error_code: i16 [0+],
        expiry_timestamp_ms: i64 [0+],
        throttle_time_ms: i32 [0+],
    }
}
