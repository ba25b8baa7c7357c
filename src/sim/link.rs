//! A simulated client's connection: frames out in pieces, answers in, and what both belong to.

use super::world::Scene;
use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::protocol::messages::api_versions::ApiVersionsRequest;
use crate::protocol::{ApiKey, Message, Reader, Request, decode_response_header, encode_request};
use crate::runtime::io::{Received, Sent};
use crate::runtime::simulated::drive::ClientSocket;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::Duration;

/// An answer may take this long in the simulated world, or the broker has forgotten the request.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

/// The connection.
pub struct Link {
    name: String,
    socket: Option<ClientSocket>,
    outgoing: BytesMut,
    incoming: BytesMut,
    in_flight: VecDeque<InFlight>,
    next_correlation_id: i32,
    connect_at: Instant,
}

struct InFlight {
    correlation_id: i32,
    token: u64,
    api: ApiKey,
    version: i16,
    sent_at: Instant,
}

/// Something that a client's step finds.
pub enum Happened {
    /// Connected: everything that was under way is to be asked again.
    Connected,
    /// An answer.
    Reply(Reply),
}

/// An answer, its header taken off.
pub struct Reply {
    /// The client's mark of the request.
    pub token: u64,
    /// In which version it was asked.
    pub version: i16,
    api: ApiKey,
    body: Bytes,
}

impl Reply {
    /// The body as the answer to such a request.
    pub fn decode<R: Request>(&self) -> Result<R::Response, String> {
        assert_eq!(self.api, R::KEY, "a client mixes up its own requests");
        let mut reader = Reader::new(self.body.clone());
        let decoded = R::Response::decode(&mut reader, self.version).and_then(|response| {
            reader.expect_end()?;
            Ok(response)
        });
        decoded.map_err(|error| {
            format!(
                "the answer to {} version {} cannot be read: {error}",
                self.api.name(),
                self.version
            )
        })
    }
}

/// A version of an API, any that the broker serves.
pub fn any_version<R: Request>(prng: &mut Prng, lowest: i16) -> i16 {
    let versions = R::KEY.versions();
    let lowest = versions.low.max(lowest);
    let count = u64::try_from(versions.high - lowest + 1).expect("a range of versions");
    lowest + i16::try_from(prng.below(count)).expect("versions are small")
}

impl Link {
    pub fn new(name: String) -> Link {
        Link {
            name,
            socket: None,
            outgoing: BytesMut::new(),
            incoming: BytesMut::new(),
            in_flight: VecDeque::new(),
            next_correlation_id: 0,
            connect_at: Instant(0),
        }
    }

    /// Whose connection it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Requests that wait for their answer.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Sends a request in that version.
    pub fn request<R: Request>(
        &mut self,
        scene: &mut Scene<'_>,
        version: i16,
        token: u64,
        request: &R,
    ) {
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id += 1;
        let encoded = encode_request(R::KEY, version, correlation_id, Some(&self.name), request)
            .expect("the simulated clients say only what the version can");
        self.outgoing.extend_from_slice(&encoded.bytes);
        scene.note(|| format!("{} asks {} v{version}", self.name, R::KEY.name()));
        self.in_flight.push_back(InFlight {
            correlation_id,
            token,
            api: R::KEY,
            version,
            sent_at: scene.now().instant,
        });
    }

    /// Connects where there is no connection, sends, receives.
    pub fn step(&mut self, scene: &mut Scene<'_>) -> Result<Vec<Happened>, String> {
        let mut happened = Vec::new();
        let Some(socket) = self.socket else {
            if scene.now().instant >= self.connect_at {
                self.socket = scene.simulation.connect();
                self.connect_at = scene.now().instant + Duration::from_millis(20);
                if self.socket.is_some() {
                    scene.note(|| format!("{} connects", self.name));
                    self.greet(scene);
                    happened.push(Happened::Connected);
                }
            }
            return Ok(happened);
        };
        self.send(scene, socket);
        let mut buffer = [0; 16 << 10];
        match scene.simulation.receive(socket, &mut buffer) {
            Received::Bytes(count) => self.incoming.extend_from_slice(&buffer[..count]),
            Received::Empty => {}
            Received::Closed => self.drop_connection(scene),
        }
        while let Some(reply) = self.split_reply()? {
            if reply.api == ApiKey::ApiVersions {
                let served = reply.decode::<ApiVersionsRequest>()?;
                if served.error_code != 0 || served.api_keys.is_empty() {
                    return Err(format!("ApiVersions is answered with {served:?}"));
                }
                continue;
            }
            happened.push(Happened::Reply(reply));
        }
        if let Some(oldest) = self.in_flight.front()
            && scene.now().instant.since(oldest.sent_at) > ANSWER_WAIT_MAX
        {
            return Err(format!(
                "{}: no answer to {} within {ANSWER_WAIT_MAX:?}",
                self.name,
                oldest.api.name()
            ));
        }
        Ok(happened)
    }

    fn greet(&mut self, scene: &mut Scene<'_>) {
        let version = any_version::<ApiVersionsRequest>(scene.prng, 0);
        let request = if version >= 3 {
            ApiVersionsRequest {
                client_software_name: "simulated".into(),
                client_software_version: "1".into(),
                ..ApiVersionsRequest::default()
            }
        } else {
            ApiVersionsRequest::default()
        };
        self.request(scene, version, 0, &request);
    }

    /// Sends a part, often all, of what waits.
    fn send(&mut self, scene: &mut Scene<'_>, socket: ClientSocket) {
        if self.outgoing.is_empty() {
            return;
        }
        let length = self.outgoing.len();
        let count = if scene.prng.one_in(3) {
            1 + scene.prng.index(length)
        } else {
            length
        };
        match scene.simulation.send(socket, &self.outgoing[..count]) {
            Sent::Bytes(sent) => drop(self.outgoing.split_to(sent)),
            Sent::Blocked => {}
            // What the broker said before it closed is still read.
            Sent::Broken => self.outgoing.clear(),
        }
    }

    /// Ends the connection: what was under way has no answer.
    pub fn drop_connection(&mut self, scene: &mut Scene<'_>) {
        if let Some(socket) = self.socket.take() {
            scene.note(|| format!("{} has lost its connection", self.name));
            scene.simulation.close(socket);
        }
        self.outgoing.clear();
        self.incoming.clear();
        self.in_flight.clear();
        let pause = Duration::from_millis(scene.prng.below(20));
        self.connect_at = scene.now().instant + pause;
    }

    /// Whether there is a connection now.
    pub fn is_connected(&self) -> bool {
        self.socket.is_some()
    }

    fn split_reply(&mut self) -> Result<Option<Reply>, String> {
        let Some(size) = self.incoming.first_chunk::<4>() else {
            return Ok(None);
        };
        let size = usize::try_from(i32::from_be_bytes(*size))
            .map_err(|_| format!("{}: an answer of negative size", self.name))?;
        if self.incoming.len() < 4 + size {
            return Ok(None);
        }
        let mut frame = self.incoming.split_to(4 + size).freeze();
        drop(frame.split_to(4));
        let Some(request) = self.in_flight.pop_front() else {
            return Err(format!("{}: an answer where nothing was asked", self.name));
        };
        let (correlation_id, mut reader) =
            decode_response_header(frame, request.api, request.version)
                .map_err(|error| format!("a response header cannot be read: {error}"))?;
        if correlation_id != request.correlation_id {
            return Err(format!(
                "{}: answer {correlation_id} where {} was next",
                self.name, request.correlation_id
            ));
        }
        Ok(Some(Reply {
            token: request.token,
            version: request.version,
            api: request.api,
            body: reader.take_rest(),
        }))
    }
}

impl Reply {
    /// Whether it answers such a request.
    pub fn is_of<R: Request>(&self) -> bool {
        self.api == R::KEY
    }
}
