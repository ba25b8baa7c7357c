//! One connection to a broker, without the socket: requests become bytes, bytes become answers.
//! The first exchange is ApiVersions (KIP-511); after it, every request is sent in the highest
//! version that both sides know.
//!
//! ```text
//! request:   size i32 | api key i16 | version i16 | correlation id i32 | client id | body
//! response:  size i32 | correlation id i32 | body
//! ```
//! Answers come in the order of the requests (Kafka promises it); anything else is malformed.

use super::codec;
use super::error::ClientError;
use super::throttle::{self, Throttled};
use crate::base::convert::u64_from;
use crate::base::time::{Instant, milliseconds};
use crate::protocol::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use crate::protocol::{ApiKey, ErrorCode, Request, Str};
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Largest answer that is taken: above any `fetch.max.bytes` that makes sense.
const RESPONSE_BYTES_MAX: usize = 1 << 30;

/// Largest answer to ApiVersions: what claims more is not Kafka.
const VERSIONS_BYTES_MAX: usize = 1 << 20;

const _: () = assert!(VERSIONS_BYTES_MAX < RESPONSE_BYTES_MAX);

/// An answer, its header taken off.
#[derive(Clone, Debug)]
pub struct Response {
    /// The caller's mark of the request.
    pub token: u64,
    /// The API that was asked.
    pub api_key: ApiKey,
    /// In which version.
    pub version: i16,
    /// When the request was made.
    pub sent_at: Instant,
    /// The body. Records in it are slices of it.
    pub body: Bytes,
}

impl Response {
    /// The body as the answer to such a request.
    pub fn decode<R: Request>(&self) -> Result<R::Response, ClientError> {
        codec::decode::<R>(self.version, &self.body)
    }
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    correlation_id: i32,
    token: u64,
    api_key: ApiKey,
    version: i16,
    sent_at: Instant,
}

/// Where a connection stands.
#[derive(Clone, Debug)]
enum State {
    /// The broker has not yet said what it serves.
    Negotiating,
    /// The versions of each API that it serves.
    Ready(BTreeMap<i16, (i16, i16)>),
}

/// The machine.
#[derive(Debug)]
pub struct Connection {
    client_id: Str,
    state: State,
    next_correlation_id: i32,
    in_flight: VecDeque<InFlight>,
    /// Pieces, none of them empty.
    outgoing: VecDeque<Bytes>,
    incoming: BytesMut,
    /// Until when the broker has asked not to be sent anything. KIP-219.
    throttled_until: Instant,
    throttled: Throttled,
}

impl Connection {
    /// A new connection; its first bytes to send are the ApiVersions request.
    #[must_use]
    pub fn new(now: Instant, client_id: &str) -> Connection {
        let mut connection = Connection {
            client_id: client_id.into(),
            state: State::Negotiating,
            next_correlation_id: 0,
            in_flight: VecDeque::new(),
            outgoing: VecDeque::new(),
            incoming: BytesMut::new(),
            throttled_until: Instant(0),
            throttled: Throttled::default(),
        };
        connection.ask_for_versions(now, codec::versions::<ApiVersionsRequest>().1);
        connection
    }

    fn ask_for_versions(&mut self, now: Instant, version: i16) {
        let request = ApiVersionsRequest {
            client_software_name: "klamm".into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
            ..ApiVersionsRequest::default()
        };
        self.push(now, 0, &request, &[], version, true)
            .expect("the versions of ApiVersions differ in nothing that is said here");
    }

    /// Whether the versions are known: before that, nothing else can be sent.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match self.state {
            State::Negotiating => false,
            State::Ready(_) => true,
        }
    }

    /// The version that a request would be sent in.
    pub fn version<R: Request>(&self, highest: i16) -> Result<i16, ClientError> {
        let (min, max) = codec::versions::<R>();
        let served = match &self.state {
            State::Negotiating => None,
            State::Ready(served) => served.get(&R::KEY.code()).copied(),
        };
        served
            .map(|(broker_min, broker_max)| (broker_min.max(min), broker_max.min(max).min(highest)))
            .filter(|(lowest, version)| lowest <= version)
            .map(|(_, version)| version)
            .ok_or_else(|| ClientError::Unsupported {
                api: R::KEY.name().to_owned(),
                broker: served,
            })
    }

    /// Sends a request in the highest common version, at most `highest`. Where no answer comes
    /// (Produce with acks=0), say so.
    pub fn request<R: Request>(
        &mut self,
        now: Instant,
        token: u64,
        request: &R,
        highest: i16,
        expects_response: bool,
    ) -> Result<(), ClientError> {
        self.request_with(now, token, request, &[], highest, expects_response)
    }

    /// The same with records that the request names by their place here: they are sent from where
    /// they lie.
    pub fn request_with<R: Request>(
        &mut self,
        now: Instant,
        token: u64,
        request: &R,
        records: &[Bytes],
        highest: i16,
        expects_response: bool,
    ) -> Result<(), ClientError> {
        let version = self.version::<R>(highest)?;
        self.push(now, token, request, records, version, expects_response)
    }

    fn push<R: Request>(
        &mut self,
        now: Instant,
        token: u64,
        request: &R,
        records: &[Bytes],
        version: i16,
        expects_response: bool,
    ) -> Result<(), ClientError> {
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id = self.next_correlation_id.wrapping_add(1) & i32::MAX;
        codec::encode(
            &mut self.outgoing,
            request,
            records,
            version,
            correlation_id,
            &self.client_id,
        )?;
        if expects_response {
            self.in_flight.push_back(InFlight {
                correlation_id,
                token,
                api_key: R::KEY,
                version,
                sent_at: now,
            });
        }
        Ok(())
    }

    /// The first bytes that wait to be sent; nothing where none do.
    #[must_use]
    pub fn outgoing(&self) -> &[u8] {
        self.outgoing.front().map_or(&[], |piece| piece)
    }

    /// All bytes that wait to be sent, piece by piece.
    pub fn outgoing_pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.outgoing.iter().map(|piece| &**piece)
    }

    /// So many of them were sent.
    pub fn handle_sent(&mut self, mut count: usize) {
        while let Some(piece) = self.outgoing.front_mut() {
            if count < piece.len() {
                drop(piece.split_to(count));
                return;
            }
            count -= piece.len();
            self.outgoing.pop_front();
        }
    }

    /// Bytes that arrived.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// The next whole answer, or `None` where more bytes have to come. What is not Kafka's
    /// protocol is an error, and the connection is of no more use.
    pub fn poll_response(&mut self, now: Instant) -> Result<Option<Response>, ClientError> {
        while let Some(response) = self.split_response()? {
            if self.is_ready() {
                let asked = throttle::asked(response.api_key, response.version, &response.body);
                self.throttle(now, asked);
                return Ok(Some(response));
            }
            self.handle_versions(now, &response)?;
        }
        Ok(None)
    }

    fn split_response(&mut self) -> Result<Option<Response>, ClientError> {
        let Some(size) = self.incoming.first_chunk::<4>() else {
            return Ok(None);
        };
        let size = i32::from_be_bytes(*size);
        let length_max = if self.is_ready() {
            RESPONSE_BYTES_MAX
        } else {
            VERSIONS_BYTES_MAX
        };
        let length = usize::try_from(size)
            .ok()
            .filter(|length| (4..=length_max).contains(length))
            .ok_or_else(|| malformed_size(&self.incoming, size))?;
        if self.incoming.len() - 4 < length {
            return Ok(None);
        }
        let mut frame = self.incoming.split_to(4 + length).freeze();
        drop(frame.split_to(4));
        let malformed = |why| ClientError::Malformed {
            what: "an answer".to_owned(),
            why,
        };
        let Some(request) = self.in_flight.pop_front() else {
            return Err(malformed("nothing was asked".to_owned()));
        };
        let (found, body) = codec::split_header(frame, request.api_key, request.version)?;
        let expected = request.correlation_id;
        if found != expected {
            let why = format!("its correlation id is {found}, and {expected} was next");
            return Err(malformed(why));
        }
        Ok(Some(Response {
            token: request.token,
            api_key: request.api_key,
            version: request.version,
            sent_at: request.sent_at,
            body,
        }))
    }

    fn handle_versions(&mut self, now: Instant, response: &Response) -> Result<(), ClientError> {
        // KIP-511: a broker that does not know our version answers in version 0.
        let code = response
            .body
            .first_chunk::<2>()
            .map(|code| i16::from_be_bytes(*code));
        let unsupported = code.map(ErrorCode::from) == Some(ErrorCode::UNSUPPORTED_VERSION);
        let version = if unsupported { 0 } else { response.version };
        let answer: ApiVersionsResponse =
            codec::decode::<ApiVersionsRequest>(version, &response.body)?;
        let served: BTreeMap<i16, (i16, i16)> = answer
            .api_keys
            .iter()
            .map(|api| (api.api_key, (api.min_version, api.max_version)))
            .collect();
        if unsupported {
            let api_key = ApiKey::ApiVersions.code();
            let highest = served.get(&api_key).map_or(0, |&(_, max)| max);
            let again = highest.min(response.version - 1).max(0);
            if response.version == 0 {
                return Err(ClientError::kafka(
                    "ApiVersions",
                    ErrorCode::UNSUPPORTED_VERSION,
                    None,
                ));
            }
            self.ask_for_versions(now, again);
            return Ok(());
        }
        let error = ErrorCode::from(answer.error_code);
        if error != ErrorCode::NONE {
            return Err(ClientError::kafka("ApiVersions", error, None));
        }
        if version >= throttle::API_VERSIONS_SINCE {
            self.throttle(now, milliseconds(i64::from(answer.throttle_time_ms)));
        }
        self.state = State::Ready(served);
        Ok(())
    }

    /// The broker asks to be sent nothing for so long. [`Connection::poll_response`] heeds all
    /// answers but those of Produce, whose bodies it does not read.
    pub fn throttle(&mut self, now: Instant, asked: Duration) {
        if !asked.is_zero() {
            self.throttled_until = self.throttled_until.max(now + asked);
            self.throttled.add(asked);
        }
    }

    /// What the broker has asked to wait so far.
    #[must_use]
    pub fn throttled(&self) -> Throttled {
        self.throttled
    }

    /// Until when nothing may be sent; long ago where the broker does not throttle.
    #[must_use]
    pub fn throttled_until(&self) -> Instant {
        self.throttled_until
    }

    /// Requests that wait for their answer.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The marks of the requests that wait for their answer, oldest first.
    pub fn tokens(&self) -> impl Iterator<Item = u64> {
        self.in_flight.iter().map(|request| request.token)
    }

    /// Since when the oldest request waits for its answer: while the broker throttles it is not
    /// sent.
    #[must_use]
    pub fn oldest(&self) -> Option<Instant> {
        let oldest = self.in_flight.front()?;
        Some(oldest.sent_at.max(self.throttled_until))
    }

    /// Bytes that arrived and are no whole answer yet.
    #[must_use]
    pub fn incoming_bytes(&self) -> u64 {
        u64_from(self.incoming.len())
    }
}

/// Names what speaks on the other side where that can be told.
fn malformed_size(incoming: &[u8], size: i32) -> ClientError {
    let why = if incoming.starts_with(b"HTTP") {
        "an HTTP server answers there".to_owned()
    } else if incoming.starts_with(&[0x15, 0x03]) {
        "that listener wants TLS".to_owned()
    } else {
        format!("its size is {size}, which no answer has")
    };
    ClientError::Malformed {
        what: "an answer".to_owned(),
        why,
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
