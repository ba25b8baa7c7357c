//! ConsumerGroupMemberMetadata: records of type 5 in `__consumer_offsets`.

use crate::protocol::string::Str;
use bytes::Bytes;

declare! {
    /// The key of record type 5.
    message ConsumerGroupMemberMetadataKey [0] {
        group_id: Str [0],
        member_id: Str [0],
    }

    /// The value of record type 5.
    message ConsumerGroupMemberMetadataValue [0 flexible(0+)] {
        instance_id: Option<Str> [0+ nullable(0+)],
        rack_id: Option<Str> [0+ nullable(0+)],
        client_id: Str [0+],
        client_host: Str [0+],
        subscribed_topic_names: Vec<Str> [0+],
        subscribed_topic_regex: Option<Str> [0+ nullable(0+)],
        rebalance_timeout_ms: i32 [0+ default(-1)],
        server_assignor: Option<Str> [0+ nullable(0+)],
        classic_member_metadata: Option<ClassicMemberMetadata> [0+ nullable(0+) tag(0)],
    }

    /// In [`ConsumerGroupMemberMetadataValue`].
    struct ClassicMemberMetadata {
        session_timeout_ms: i32 [0+],
        supported_protocols: Vec<ClassicProtocol> [0+],
    }

    /// In [`ConsumerGroupMemberMetadataValue`].
    struct ClassicProtocol {
        name: Str [0+],
        metadata: Bytes [0+],
    }
}
