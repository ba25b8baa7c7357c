//! Kafka's wire protocol: frames, primitive types, the API table, error codes, and every message.
//!
//! One declaration per message, one row per field (see [`declare`]); decoding, encoding, sizes,
//! version ranges and random samples derive from it. Nothing here does I/O, and nothing here
//! believes a count or length before it is bounded by what is left of the frame.

#[macro_use]
mod declare;

pub mod api;
pub mod catalogue;
pub mod consumer_protocol;
pub mod control_records;
pub mod coordinator_records;
pub mod errors;
pub mod header;
pub mod json;
pub mod messages;
pub mod metadata_records;
pub mod primitives;
pub mod principal;
pub mod reader;
pub mod records;
pub mod string;
pub mod writer;

pub use api::ApiKey;
pub use declare::{Message, Request, Response, Row, Versions};
pub use errors::ErrorCode;
pub use header::{
    RequestHeader, decode_request, decode_request_header, decode_response_header, encode_request,
    encode_response,
};
pub use primitives::{Field, Nullable, Shape};
pub use reader::{DecodeError, DecodeReason, Reader};
pub use records::Records;
pub use string::Str;
pub use writer::{EncodeError, EncodeReason, Encoded, Hole, Writer};

/// Tagged fields of a newer version than ours, kept so that they are written again unchanged.
pub type UnknownTaggedFields = Vec<(u32, bytes::Bytes)>;

#[cfg(test)]
mod tests;
