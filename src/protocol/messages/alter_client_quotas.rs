//! AlterClientQuotas, API 49: alter quotas (fwd).

pub use request::AlterClientQuotasRequest;
pub use response::AlterClientQuotasResponse;

/// [`AlterClientQuotasRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::protocol::string::Str;

    declare! {
        /// The request of AlterClientQuotas.
        message AlterClientQuotasRequest [0-1 flexible(1+)] {
            entries: Vec<EntryData> [0+],
            validate_only: bool [0+],
        }

        /// In [`AlterClientQuotasRequest`].
        struct EntryData {
            entity: Vec<EntityData> [0+],
            ops: Vec<OpData> [0+],
        }

        /// In [`AlterClientQuotasRequest`].
        struct EntityData {
            entity_type: Str [0+],
            entity_name: Option<Str> [0+ nullable(0+)],
        }

        /// In [`AlterClientQuotasRequest`].
        struct OpData {
            key: Str [0+],
            value: f64 [0+],
            remove: bool [0+],
        }
    }
}

/// [`AlterClientQuotasResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::protocol::string::Str;

    declare! {
        /// The response of AlterClientQuotas.
        message AlterClientQuotasResponse [0-1 flexible(1+)] {
            throttle_time_ms: i32 [0+],
            entries: Vec<EntryData> [0+],
        }

        /// In [`AlterClientQuotasResponse`].
        struct EntryData {
            error_code: i16 [0+],
            error_message: Option<Str> [0+ nullable(0+)],
            entity: Vec<EntityData> [0+],
        }

        /// In [`AlterClientQuotasResponse`].
        struct EntityData {
            entity_type: Str [0+],
            entity_name: Option<Str> [0+ nullable(0+)],
        }
    }
}
