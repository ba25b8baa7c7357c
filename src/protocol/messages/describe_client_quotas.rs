//! DescribeClientQuotas, API 48: describe quotas.

use crate::protocol::string::Str;

declare! {
    /// The request of DescribeClientQuotas.
    message DescribeClientQuotasRequest [0-1 flexible(1+)] {
        components: Vec<ComponentData> [0+],
        strict: bool [0+],
    }

    /// In [`DescribeClientQuotasRequest`].
    struct ComponentData {
        entity_type: Str [0+],
        match_type: i8 [0+],
        r#match: Option<Str> [0+ nullable(0+)],
    }

    /// The response of DescribeClientQuotas.
    message DescribeClientQuotasResponse [0-1 flexible(1+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
        entries: Option<Vec<EntryData>> [0+ nullable(0+)],
    }

    /// In [`DescribeClientQuotasResponse`].
    struct EntryData {
        entity: Vec<EntityData> [0+],
        values: Vec<ValueData> [0+],
    }

    /// In [`DescribeClientQuotasResponse`].
    struct EntityData {
        entity_type: Str [0+],
        entity_name: Option<Str> [0+ nullable(0+)],
    }

    /// In [`DescribeClientQuotasResponse`].
    struct ValueData {
        key: Str [0+],
        value: f64 [0+],
    }
}
