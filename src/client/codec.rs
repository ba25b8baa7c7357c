//! What the client asks of the codec, in one place: which versions klamm speaks of an API, and
//! messages to and from frames.

use super::error::ClientError;
use crate::protocol::{
    ApiKey, DecodeError, Message, Reader, Request, decode_response_header, encode_request,
};
use bytes::Bytes;
use std::collections::VecDeque;

/// The stable versions that klamm speaks.
pub fn versions<R: Request>() -> (i16, i16) {
    let versions = R::KEY.versions();
    (versions.low, versions.high)
}

/// Appends a whole frame, in pieces: records that the request names by a token lie in `records` and
/// are not copied. What the version cannot say is the caller's error.
pub fn encode<R: Request>(
    out: &mut VecDeque<Bytes>,
    request: &R,
    records: &[Bytes],
    version: i16,
    correlation_id: i32,
    client_id: &str,
) -> Result<(), ClientError> {
    let encoded = encode_request(R::KEY, version, correlation_id, Some(client_id), request)
        .map_err(|error| ClientError::Malformed {
            what: format!("a request of {}", R::KEY.name()),
            why: error.to_string(),
        })?;
    let mut rest = encoded.bytes;
    let mut written = 0;
    for hole in encoded.holes {
        let before = rest.split_to(hole.position - written);
        written = hole.position;
        let records = records
            .get(hole.token)
            .filter(|records| records.len() == hole.bytes)
            .expect("a request names the records that come with it");
        out.extend(
            [before, records.clone()]
                .into_iter()
                .filter(|piece| !piece.is_empty()),
        );
    }
    out.extend(Some(rest).filter(|piece| !piece.is_empty()));
    Ok(())
}

/// The correlation id of an answer (without its size), and its body.
pub fn split_header(
    frame: Bytes,
    api_key: ApiKey,
    version: i16,
) -> Result<(i32, Bytes), ClientError> {
    let (correlation_id, mut reader) = decode_response_header(frame, api_key, version)
        .map_err(|error| malformed(api_key, error))?;
    let left = reader.remaining();
    let body = reader
        .take(left)
        .map_err(|error| malformed(api_key, error))?;
    Ok((correlation_id, body))
}

/// The body of an answer to such a request.
pub fn decode<R: Request>(version: i16, body: &Bytes) -> Result<R::Response, ClientError> {
    R::Response::decode(&mut Reader::new(body.clone()), version)
        .map_err(|error| malformed(R::KEY, error))
}

fn malformed(api_key: ApiKey, error: DecodeError) -> ClientError {
    ClientError::Malformed {
        what: format!("an answer of {}", api_key.name()),
        why: error.to_string(),
    }
}
