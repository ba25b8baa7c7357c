//! SaslAuthenticate, API 36: SASL token exchange.

use crate::protocol::string::Str;
use bytes::Bytes;

declare! {
    /// The request of SaslAuthenticate.
    message SaslAuthenticateRequest [0-2 flexible(2+)] {
        auth_bytes: Bytes [0+],
    }

    /// The response of SaslAuthenticate.
    message SaslAuthenticateResponse [0-2 flexible(2+)] {
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
        auth_bytes: Bytes [0+],
        session_lifetime_ms: i64 [1+ ignorable],
    }
}
