//! Metadata records of access rules, credentials and delegation tokens.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;
use bytes::Bytes;

declare! {
    /// Metadata record 18.
    message AccessControlEntryRecord [0 flexible(0+)] {
        id: Uuid [0+],
        resource_type: i8 [0+],
        resource_name: Str [0+],
        pattern_type: i8 [0+],
        principal: Str [0+],
        host: Str [0+],
        operation: i8 [0+],
        permission_type: i8 [0+],
    }

    /// Metadata record 19.
    message RemoveAccessControlEntryRecord [0 flexible(0+)] {
        id: Uuid [0+],
    }

    /// Metadata record 10.
    message DelegationTokenRecord [0 flexible(0+)] {
        owner: Str [0+],
        requester: Str [0+],
        renewers: Vec<Str> [0+],
        issue_timestamp: i64 [0+],
        max_timestamp: i64 [0+],
        expiration_timestamp: i64 [0+],
        token_id: Str [0+],
    }

    /// Metadata record 26.
    message RemoveDelegationTokenRecord [0 flexible(0+)] {
        token_id: Str [0+],
    }

    /// Metadata record 11.
    message UserScramCredentialRecord [0 flexible(0+)] {
        name: Str [0+],
        mechanism: i8 [0+],
        salt: Bytes [0+],
        stored_key: Bytes [0+],
        server_key: Bytes [0+],
        iterations: i32 [0+],
    }

    /// Metadata record 22.
    message RemoveUserScramCredentialRecord [0 flexible(0+)] {
        name: Str [0+],
        mechanism: i8 [0+],
    }
}
