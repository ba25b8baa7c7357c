//! ConsumerGroupRegularExpression: records of type 16 in `__consumer_offsets`.

use crate::protocol::string::Str;

declare! {
    /// The key of record type 16.
    message ConsumerGroupRegularExpressionKey [0] {
        group_id: Str [0],
        regular_expression: Str [0],
    }

    /// The value of record type 16.
    message ConsumerGroupRegularExpressionValue [0 flexible(0+)] {
        topics: Vec<Str> [0+],
        version: i64 [0+],
        timestamp: i64 [0+],
    }
}
