//! DescribeUserScramCredentials, API 50: describe SCRAM users.

use crate::protocol::string::Str;

declare! {
    /// The request of DescribeUserScramCredentials.
    message DescribeUserScramCredentialsRequest [0 flexible(0+)] {
        users: Option<Vec<UserName>> [0+ nullable(0+)],
    }

    /// In [`DescribeUserScramCredentialsRequest`].
    struct UserName {
        name: Str [0+],
    }

    /// The response of DescribeUserScramCredentials.
    message DescribeUserScramCredentialsResponse [0 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
        results: Vec<DescribeUserScramCredentialsResult> [0+],
    }

    /// In [`DescribeUserScramCredentialsResponse`].
    struct DescribeUserScramCredentialsResult {
        user: Str [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
        credential_infos: Vec<CredentialInfo> [0+],
    }

    /// In [`DescribeUserScramCredentialsResponse`].
    struct CredentialInfo {
        mechanism: i8 [0+],
        iterations: i32 [0+],
    }
}
