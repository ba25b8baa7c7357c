//! RenewDelegationToken, API 39: renew delegation token (fwd).

use bytes::Bytes;

declare! {
    /// The request of RenewDelegationToken.
    message RenewDelegationTokenRequest [1-2 flexible(2+)] {
        hmac: Bytes [0+],
        renew_period_ms: i64 [0+],
    }

    /// The response of RenewDelegationToken.
    message RenewDelegationTokenResponse [1-2 flexible(2+)] {
        error_code: i16 [0+],
        expiry_timestamp_ms: i64 [0+],
        throttle_time_ms: i32 [0+],
    }
}
