//! SaslHandshake, API 17: SASL mechanism negotiation.

use crate::protocol::string::Str;

declare! {
    /// The request of SaslHandshake.
    message SaslHandshakeRequest [0-1] {
        mechanism: Str [0+],
    }

    /// The response of SaslHandshake.
    message SaslHandshakeResponse [0-1] {
        error_code: i16 [0+],
        mechanisms: Vec<Str> [0+],
    }
}
