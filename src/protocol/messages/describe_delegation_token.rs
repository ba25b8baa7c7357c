//! DescribeDelegationToken, API 41: describe delegation tokens.

use crate::protocol::string::Str;
use bytes::Bytes;

declare! {
    /// The request of DescribeDelegationToken.
    message DescribeDelegationTokenRequest [1-3 flexible(2+)] {
        owners: Option<Vec<DescribeDelegationTokenOwner>> [0+ nullable(0+)],
    }

    /// In [`DescribeDelegationTokenRequest`].
    struct DescribeDelegationTokenOwner {
        principal_type: Str [0+],
        principal_name: Str [0+],
    }

    /// The response of DescribeDelegationToken.
    message DescribeDelegationTokenResponse [1-3 flexible(2+)] {
        error_code: i16 [0+],
        tokens: Vec<DescribedDelegationToken> [0+],
        throttle_time_ms: i32 [0+],
    }

    /// In [`DescribeDelegationTokenResponse`].
    struct DescribedDelegationToken {
        principal_type: Str [0+],
        principal_name: Str [0+],
        token_requester_principal_type: Str [3+],
        token_requester_principal_name: Str [3+],
        issue_timestamp: i64 [0+],
        expiry_timestamp: i64 [0+],
        max_timestamp: i64 [0+],
        token_id: Str [0+],
        hmac: Bytes [0+],
        renewers: Vec<DescribedDelegationTokenRenewer> [0+],
    }

    /// In [`DescribeDelegationTokenResponse`].
    struct DescribedDelegationTokenRenewer {
        principal_type: Str [0+],
        principal_name: Str [0+],
    }
}
