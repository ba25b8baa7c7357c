//! AlterUserScramCredentials, API 51: alter SCRAM users (fwd).

use crate::protocol::string::Str;
use bytes::Bytes;

declare! {
    /// The request of AlterUserScramCredentials.
    message AlterUserScramCredentialsRequest [0 flexible(0+)] {
        deletions: Vec<ScramCredentialDeletion> [0+],
        upsertions: Vec<ScramCredentialUpsertion> [0+],
    }

    /// In [`AlterUserScramCredentialsRequest`].
    struct ScramCredentialDeletion {
        name: Str [0+],
        mechanism: i8 [0+],
    }

    /// In [`AlterUserScramCredentialsRequest`].
    struct ScramCredentialUpsertion {
        name: Str [0+],
        mechanism: i8 [0+],
        iterations: i32 [0+],
        salt: Bytes [0+],
        salted_password: Bytes [0+],
    }

    /// The response of AlterUserScramCredentials.
    message AlterUserScramCredentialsResponse [0 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        results: Vec<AlterUserScramCredentialsResult> [0+],
    }

    /// In [`AlterUserScramCredentialsResponse`].
    struct AlterUserScramCredentialsResult {
        user: Str [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
    }
}
