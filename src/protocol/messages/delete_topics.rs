//! DeleteTopics, API 20: delete topics (fwd).

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of DeleteTopics.
    message DeleteTopicsRequest [1-6 flexible(4+)] {
        topics: Vec<DeleteTopicState> [6+],
        topic_names: Vec<Str> [0-5 ignorable],
        timeout_ms: i32 [0+],
    }

    /// In [`DeleteTopicsRequest`].
    struct DeleteTopicState {
        name: Option<Str> [6+ nullable(6+) default(None)],
        topic_id: Uuid [6+],
    }

    /// The response of DeleteTopics.
    message DeleteTopicsResponse [1-6 flexible(4+)] {
        throttle_time_ms: i32 [1+ ignorable],
        responses: Vec<DeletableTopicResult> [0+],
    }

    /// In [`DeleteTopicsResponse`].
    struct DeletableTopicResult {
        name: Option<Str> [0+ nullable(6+)],
        topic_id: Uuid [6+ ignorable],
        error_code: i16 [0+],
        error_message: Option<Str> [5+ nullable(5+) default(None) ignorable],
    }
}
