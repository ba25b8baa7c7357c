//! Envelope, API 58: broker to controller: wrapped client request + principal.

use bytes::Bytes;

declare! {
    /// The request of Envelope.
    message EnvelopeRequest [0 flexible(0+)] {
        request_data: Bytes [0+],
        request_principal: Option<Bytes> [0+ nullable(0+)],
        client_host_address: Bytes [0+],
    }

    /// The response of Envelope.
    message EnvelopeResponse [0 flexible(0+)] {
        response_data: Option<Bytes> [0+ nullable(0+) default(None)],
        error_code: i16 [0+],
    }
}
