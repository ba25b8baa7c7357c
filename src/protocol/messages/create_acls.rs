//! CreateAcls, API 30: create ACLs (fwd).

use crate::protocol::string::Str;

declare! {
    /// The request of CreateAcls.
    message CreateAclsRequest [1-3 flexible(2+)] {
        creations: Vec<AclCreation> [0+],
    }

    /// In [`CreateAclsRequest`].
    struct AclCreation {
        resource_type: i8 [0+],
        resource_name: Str [0+],
        resource_pattern_type: i8 [1+ default(3)],
        principal: Str [0+],
        host: Str [0+],
        operation: i8 [0+],
        permission_type: i8 [0+],
    }

    /// The response of CreateAcls.
    message CreateAclsResponse [1-3 flexible(2+)] {
        throttle_time_ms: i32 [0+],
        results: Vec<AclCreationResult> [0+],
    }

    /// In [`CreateAclsResponse`].
    struct AclCreationResult {
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
    }
}
