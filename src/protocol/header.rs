//! What stands before every message: the frame's size, and the request's or response's header.
//!
//! ```text
//! request   size i32 | api key i16 | version i16 | correlation id i32 | client id string?
//!           | tagged fields (header version 2) | body
//! response  size i32 | correlation id i32 | tagged fields (header version 1) | body
//! ```
//!
//! The client id has a length of two bytes even where the rest is flexible (KIP-482), and the
//! response to ApiVersions has header version 0 always (KIP-511).

use crate::protocol::api::ApiKey;
use crate::protocol::declare::{Message, Request};
use crate::protocol::reader::{DecodeError, DecodeReason, Reader};
use crate::protocol::string::Str;
use crate::protocol::writer::{EncodeError, Encoded, Writer};
use bytes::Bytes;

/// Room for a small message: most need no more.
const FRAME_CAPACITY_BYTES: usize = 256;

/// Who asks what, in which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API. One that klamm does not know is an error, as in Apache: nobody can say which
    /// header it has.
    pub api_key: ApiKey,
    /// The version of the request; it may be one that is not served.
    pub api_version: i16,
    /// The response repeats it.
    pub correlation_id: i32,
    /// What the client calls itself.
    pub client_id: Option<Str>,
}

/// Reads the header of `frame` (without its size): the reader then stands at the body.
pub fn decode_request_header(frame: Bytes) -> Result<(RequestHeader, Reader), DecodeError> {
    const NAME: &str = "RequestHeader";
    let mut reader = Reader::new(frame);
    let key = reader.i16().map_err(|error| error.at(NAME, "api_key"))?;
    let api_key = ApiKey::from_code(key)
        .ok_or(DecodeError::new(DecodeReason::ApiKey(key)).at(NAME, "api_key"))?;
    let api_version = reader
        .i16()
        .map_err(|error| error.at(NAME, "api_version"))?;
    let correlation_id = reader
        .i32()
        .map_err(|error| error.at(NAME, "correlation_id"))?;
    let client_id = reader
        .nullable_string()
        .map_err(|error| error.at(NAME, "client_id"))?;
    if api_key.request_header_version(api_version) >= 2 {
        reader
            .skip_tagged_fields()
            .map_err(|error| error.at(NAME, "tagged_fields"))?;
    }
    let header = RequestHeader {
        api_key,
        api_version,
        correlation_id,
        client_id,
    };
    Ok((header, reader))
}

/// Reads the body of a request. What follows it is ignored, as Apache ignores it.
pub fn decode_request<R: Request>(
    reader: &mut Reader,
    header: &RequestHeader,
) -> Result<R, DecodeError> {
    R::decode(reader, header.api_version)
}

/// Reads the header of a response `frame` (without its size): its correlation id, and a reader
/// that stands at the body.
pub fn decode_response_header(
    frame: Bytes,
    api_key: ApiKey,
    api_version: i16,
) -> Result<(i32, Reader), DecodeError> {
    const NAME: &str = "ResponseHeader";
    let mut reader = Reader::new(frame);
    let correlation_id = reader
        .i32()
        .map_err(|error| error.at(NAME, "correlation_id"))?;
    if api_key.response_header_version(api_version) >= 1 {
        reader
            .skip_tagged_fields()
            .map_err(|error| error.at(NAME, "tagged_fields"))?;
    }
    Ok((correlation_id, reader))
}

/// A whole response: size, header, body. An error means that the response holds what the
/// version cannot say: a fault of the handler.
pub fn encode_response<M: Message>(
    api_key: ApiKey,
    api_version: i16,
    correlation_id: i32,
    message: &M,
) -> Result<Encoded, EncodeError> {
    let mut writer = Writer::with_capacity(FRAME_CAPACITY_BYTES);
    writer.i32(0);
    writer.i32(correlation_id);
    if api_key.response_header_version(api_version) >= 1 {
        writer.uvarint(0);
    }
    message.encode(&mut writer, api_version)?;
    writer.finish_frame(0)?;
    Ok(writer.finish())
}

/// A whole request: size, header, body.
pub fn encode_request<M: Message>(
    api_key: ApiKey,
    api_version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
    message: &M,
) -> Result<Encoded, EncodeError> {
    let mut writer = Writer::with_capacity(FRAME_CAPACITY_BYTES);
    writer.i32(0);
    writer.i16(api_key.code());
    writer.i16(api_version);
    writer.i32(correlation_id);
    writer
        .nullable_string(client_id)
        .map_err(|error| error.at("RequestHeader", "client_id"))?;
    if api_key.request_header_version(api_version) >= 2 {
        writer.uvarint(0);
    }
    message.encode(&mut writer, api_version)?;
    writer.finish_frame(0)?;
    Ok(writer.finish())
}
