//! Drives the client's state machines over blocking sockets: for tools, which have one thread and
//! nothing better to do than to wait. One connection per broker, made when it is first needed.

mod drive;
mod link;
mod options;

pub use options::ClientOptions;

use crate::base::ids::NodeId;
use crate::base::time::{Instant, Now};
use crate::client::cluster::Cluster;
use crate::client::connection::{Connection, Response};
use crate::client::error::ClientError;
use crate::client::throttle::Throttled;
use crate::protocol::Request;
use crate::protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use crate::runtime::blocking::{Clock, Interest, Socket, wait};
use bytes::Bytes;
use link::{Link, due, flush, interest, receive};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

/// Bytes read from a socket at once.
const RECEIVE_BYTES: usize = 256 << 10;

/// How long nothing is done where something is due that only an answer can set going.
const IDLE: Duration = Duration::from_millis(20);

/// Ids from here on are those of second connections, to brokers as coordinators: an answer to
/// JoinGroup takes minutes, and those behind it on the same connection would wait.
const COORDINATOR_LINKS: i32 = i32::MAX / 2;

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// Standard input has something to read, or has ended.
    StandardInput,
    /// A broker, a deadline, or a signal.
    Other,
}

/// A client with one connection per broker.
#[derive(Debug)]
pub struct Client {
    options: ClientOptions,
    clock: Clock,
    cluster: Cluster,
    links: BTreeMap<NodeId, Link>,
    /// What brokers asked to wait on connections that are gone.
    throttled_before: Throttled,
    next_token: u64,
    arrived: VecDeque<Response>,
    /// Marks of requests whose connection broke, with why.
    broken: BTreeMap<u64, String>,
    /// Marks of the producer's requests, the broker that was asked, and the producer's own ids of
    /// them.
    producing: BTreeMap<u64, (NodeId, u64)>,
    /// Marks of the consumer's requests, and the broker that was asked.
    fetching: BTreeMap<u64, NodeId>,
    /// Who coordinates each group, as far as it was asked.
    pub(super) coordinators: BTreeMap<String, NodeId>,
    next_refresh: Instant,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects to the first bootstrap server that answers, and learns the brokers from it.
    pub fn connect(options: ClientOptions) -> Result<Client, ClientError> {
        Client::connect_by(Clock::start(), options)
    }

    /// The same by a clock that others go by, too.
    pub fn connect_by(clock: Clock, options: ClientOptions) -> Result<Client, ClientError> {
        let mut client = Client {
            options,
            clock,
            cluster: Cluster::default(),
            links: BTreeMap::new(),
            throttled_before: Throttled::default(),
            next_token: 1,
            arrived: VecDeque::new(),
            broken: BTreeMap::new(),
            producing: BTreeMap::new(),
            fetching: BTreeMap::new(),
            coordinators: BTreeMap::new(),
            next_refresh: Instant(0),
            buffer: vec![0; RECEIVE_BYTES],
        };
        client.refresh(Some(&[]), false)?;
        Ok(client)
    }

    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// What it was told.
    #[must_use]
    pub fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// The cluster as last told.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Asks about all topics.
    pub fn refresh_all_topics(&mut self) -> Result<(), ClientError> {
        self.cluster = Cluster::default();
        self.refresh(None, false)
    }

    /// Asks about some topics (`None`: all), and the brokers.
    pub fn refresh(&mut self, topics: Option<&[&str]>, create: bool) -> Result<(), ClientError> {
        let request = MetadataRequest {
            topics: topics.map(|topics| {
                topics
                    .iter()
                    .map(|&topic| MetadataRequestTopic {
                        name: Some(topic.into()),
                        ..MetadataRequestTopic::default()
                    })
                    .collect()
            }),
            allow_auto_topic_creation: create,
            ..MetadataRequest::default()
        };
        let response = self.call_any(&request)?;
        self.cluster.update(&response);
        Ok(())
    }

    /// How many partitions a topic has. One that does not exist is created where the broker does
    /// that, and waited for at most `max.block.ms`.
    pub fn partition_count(&mut self, topic: &str) -> Result<i32, ClientError> {
        let started = self.now().instant;
        loop {
            let count = self.cluster.partition_count(topic);
            if count > 0 {
                return Ok(count);
            }
            self.refresh(Some(&[topic]), true)?;
            if self.cluster.partition_count(topic) > 0 {
                continue;
            }
            let error = self.cluster.error(topic);
            if let Some(error) = error.filter(|error| !error.is_retriable()) {
                return Err(ClientError::kafka(&format!("topic {topic}"), error, None));
            }
            if self.now().instant.since(started) >= self.options.max_block {
                return Err(ClientError::TimedOut {
                    what: format!("metadata of topic {topic}"),
                    after: self.options.max_block,
                });
            }
            self.pause(self.options.retry_backoff)?;
        }
    }

    /// Waits, and takes in what arrives meanwhile.
    pub fn pause(&mut self, duration: Duration) -> Result<(), ClientError> {
        let until = self.now().instant + duration;
        while self.now().instant < until {
            self.pump(until, false)?;
        }
        Ok(())
    }

    /// Asks one broker and waits for its answer.
    pub fn call<R: Request>(
        &mut self,
        node: NodeId,
        request: &R,
    ) -> Result<R::Response, ClientError> {
        self.call_at_most(node, request, i16::MAX)
    }

    /// The same in a version of at most `highest`.
    pub(super) fn call_at_most<R: Request>(
        &mut self,
        node: NodeId,
        request: &R,
        highest: i16,
    ) -> Result<R::Response, ClientError> {
        let token = self.submit(node, request, highest, true)?;
        let deadline = self.now().instant + self.options.request_timeout;
        loop {
            if let Some(answer) = self.take_answer(token) {
                return answer?.decode::<R>();
            }
            if self.now().instant >= deadline {
                self.abandon(node, token);
                return Err(ClientError::TimedOut {
                    what: R::KEY.name().to_owned(),
                    after: self.options.request_timeout,
                });
            }
            self.pump(deadline, false)?;
        }
    }

    /// The answer to a request, or that its connection broke; `None` while neither is so.
    pub(super) fn take_answer(&mut self, token: u64) -> Option<Result<Response, ClientError>> {
        let position = self
            .arrived
            .iter()
            .position(|response| response.token == token);
        if let Some(response) = position.and_then(|position| self.arrived.remove(position)) {
            return Some(Ok(response));
        }
        let server = self.broken.remove(&token)?;
        Some(Err(ClientError::Disconnected {
            server,
            error: None,
        }))
    }

    /// Waits no longer for that answer: the connection is given up.
    pub(super) fn abandon(&mut self, node: NodeId, token: u64) {
        self.lose(node);
        self.broken.remove(&token);
    }

    /// What brokers have asked this client to wait so far.
    #[must_use]
    pub fn throttled(&self) -> Throttled {
        let links = self.links.values();
        links.fold(self.throttled_before, |sum, link| {
            sum.plus(link.connection.throttled())
        })
    }

    /// Asks whichever broker can be reached, first those already connected to.
    pub fn call_any<R: Request>(&mut self, request: &R) -> Result<R::Response, ClientError> {
        self.call_any_at_most(request, i16::MAX)
    }

    /// The same in a version of at most `highest`.
    pub(super) fn call_any_at_most<R: Request>(
        &mut self,
        request: &R,
        highest: i16,
    ) -> Result<R::Response, ClientError> {
        let bootstrap = (0..self.options.bootstrap.len()).map(bootstrap_node);
        let mut nodes: Vec<NodeId> = self
            .links
            .keys()
            .copied()
            .filter(|node| (0..COORDINATOR_LINKS).contains(&node.0))
            .collect();
        // Those that throttle are asked last.
        let now = self.now().instant;
        nodes.sort_by_key(|node| self.links[node].connection.throttled_until() > now);
        nodes.extend(self.cluster.brokers().map(|broker| broker.node));
        nodes.extend(bootstrap);
        let mut tried = Vec::new();
        let mut last = None;
        for node in nodes {
            if tried.contains(&node) {
                continue;
            }
            tried.push(node);
            match self.call_at_most(node, request, highest) {
                Err(
                    error @ (ClientError::Connect { .. }
                    | ClientError::Disconnected { .. }
                    | ClientError::Malformed { .. }),
                ) => last = Some(error),
                result => return result,
            }
        }
        Err(ClientError::Unreachable {
            servers: self.options.servers(),
            last: last.map_or_else(String::new, |error| error.to_string()),
        })
    }

    /// Sends a request without waiting for its answer; gives its mark.
    pub(super) fn submit<R: Request>(
        &mut self,
        node: NodeId,
        request: &R,
        highest: i16,
        expects_response: bool,
    ) -> Result<u64, ClientError> {
        self.submit_with(node, request, &[], highest, expects_response)
    }

    /// The same with records that the request names by their place here.
    pub(super) fn submit_with<R: Request>(
        &mut self,
        node: NodeId,
        request: &R,
        records: &[Bytes],
        highest: i16,
        expects_response: bool,
    ) -> Result<u64, ClientError> {
        let token = self.next_token;
        self.next_token += 1;
        let now = self.now().instant;
        let link = self.link(node)?;
        link.connection
            .request_with(now, token, request, records, highest, expects_response)?;
        let result = flush(link, now);
        if let Err(error) = result {
            let server = link.server.clone();
            self.lose(node);
            self.broken.remove(&token);
            return Err(ClientError::Disconnected {
                server,
                error: Some(error),
            });
        }
        Ok(token)
    }

    /// The connection to a broker, ready to send.
    fn link(&mut self, node: NodeId) -> Result<&mut Link, ClientError> {
        if !self.links.contains_key(&node) {
            let (host, port) = self.address(node)?;
            let server = format!("{host}:{port}");
            let socket = Socket::connect(
                &host,
                port,
                self.options.connect_timeout,
                self.options.buffers,
            )
            .map_err(|error| ClientError::Connect {
                server: server.clone(),
                error,
            })?;
            let connection = Connection::new(self.now().instant, &self.options.client_id);
            let mut link = Link {
                socket,
                connection,
                server,
            };
            self.negotiate(&mut link)?;
            self.links.insert(node, link);
        }
        Ok(self.links.get_mut(&node).expect("inserted above"))
    }

    fn address(&self, node: NodeId) -> Result<(String, u16), ClientError> {
        let bootstrap = usize::try_from(-1 - i64::from(node.0)).ok();
        let found = match bootstrap {
            Some(index) => self.options.bootstrap.get(index).cloned(),
            None => self
                .cluster
                .broker(behind_link(node))
                .map(|broker| (broker.host.clone(), broker.port)),
        };
        found.ok_or_else(|| ClientError::Connect {
            server: format!("broker {node}"),
            error: io::Error::new(io::ErrorKind::NotFound, "the cluster does not name it"),
        })
    }

    /// Exchanges ApiVersions.
    fn negotiate(&mut self, link: &mut Link) -> Result<(), ClientError> {
        let deadline = self.now().instant + self.options.request_timeout;
        let lost = |server: &str, error| ClientError::Disconnected {
            server: server.to_owned(),
            error,
        };
        while !link.connection.is_ready() {
            let now = self.now().instant;
            if now >= deadline {
                return Err(ClientError::TimedOut {
                    what: format!("ApiVersions by {}", link.server),
                    after: self.options.request_timeout,
                });
            }
            flush(link, now).map_err(|error| lost(&link.server, Some(error)))?;
            let interest = interest(link, now);
            wait(&[interest], deadline.since(now))
                .map_err(|error| lost(&link.server, Some(error)))?;
            match receive(link, &mut self.buffer) {
                Ok(true) => drop(link.connection.poll_response(now)?),
                Ok(false) => return Err(lost(&link.server, None)),
                Err(error) => return Err(lost(&link.server, Some(error))),
            }
        }
        Ok(())
    }

    /// Sends and receives what can be, waiting at most until `until` where nothing is there.
    pub(super) fn pump(
        &mut self,
        until: Instant,
        standard_input: bool,
    ) -> Result<Wake, ClientError> {
        pump_all(std::slice::from_mut(self), until, standard_input)
    }

    /// Sends and receives what can be over those of its connections that are ready.
    fn exchange(&mut self, ready: &[bool]) {
        let now = self.now().instant;
        let mut lost = Vec::new();
        for ((&node, link), &ready) in self.links.iter_mut().zip(ready) {
            let mut alive = true;
            if ready {
                alive = flush(link, now).is_ok();
                alive = alive && matches!(receive(link, &mut self.buffer), Ok(true));
                // Answers that arrived before the end still count.
                loop {
                    match link.connection.poll_response(now) {
                        Ok(Some(response)) => self.arrived.push_back(response),
                        Ok(None) => break,
                        Err(_) => {
                            alive = false;
                            break;
                        }
                    }
                }
            }
            // How long a coordinator may take, who asks it knows.
            let overdue = node.0 < COORDINATOR_LINKS
                && link
                    .connection
                    .oldest()
                    .is_some_and(|at| at + self.options.request_timeout + IDLE < now);
            if !alive || overdue {
                lost.push(node);
            }
        }
        for node in lost {
            self.lose(node);
        }
    }

    fn lose(&mut self, node: NodeId) {
        if let Some(link) = self.links.remove(&node) {
            self.throttled_before = self.throttled_before.plus(link.connection.throttled());
            for token in link.connection.tokens() {
                self.broken.insert(token, link.server.clone());
            }
        }
    }

    /// Asks again about the topics it knows, at most once per `retry.backoff.ms`.
    fn refresh_known(&mut self) -> Result<(), ClientError> {
        let now = self.now().instant;
        if now < self.next_refresh {
            return Ok(());
        }
        self.next_refresh = now + self.options.retry_backoff;
        let names: Vec<String> = self
            .cluster
            .topics()
            .map(|topic| topic.name.to_string())
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match self.refresh(Some(&names), false) {
            // Nobody answers at the moment: what is to be delivered decides how long to try.
            Err(ClientError::Unreachable { .. } | ClientError::TimedOut { .. }) => Ok(()),
            result => result,
        }
    }

    /// The version that one broker would be asked in.
    pub fn version<R: Request>(&mut self, node: NodeId) -> Result<i16, ClientError> {
        self.link(node)?.connection.version::<R>(i16::MAX)
    }
}

/// Sends and receives what can be over the connections of all these clients, waiting at most until
/// `until` where nothing is there. Their clocks are one.
pub fn pump_all(
    clients: &mut [Client],
    until: Instant,
    standard_input: bool,
) -> Result<Wake, ClientError> {
    let Some(first) = clients.first() else {
        return Ok(Wake::Other);
    };
    let waiting = clients
        .iter()
        .all(|client| client.arrived.is_empty() && client.broken.is_empty());
    let now = first.now().instant;
    let links = || clients.iter().flat_map(|client| client.links.values());
    let timeout = if waiting {
        let due = links().map(|link| due(link, now)).min();
        until.min(due.unwrap_or(Instant::NEVER)).since(now)
    } else {
        Duration::ZERO
    };
    let mut interests: Vec<Interest<'_>> = links().map(|link| interest(link, now)).collect();
    if standard_input {
        interests.push(Interest::StandardInput);
    }
    let ready = wait(&interests, timeout).map_err(|error| ClientError::Connect {
        server: "the brokers".to_owned(),
        error,
    })?;
    let mut rest = ready.as_slice();
    for client in clients {
        let (own, others) = rest.split_at(client.links.len());
        client.exchange(own);
        rest = others;
    }
    // What is left over is standard input, where it was asked for.
    Ok(if rest == [true] {
        Wake::StandardInput
    } else {
        Wake::Other
    })
}

/// Bootstrap servers have negative ids, as in Kafka's own client.
fn bootstrap_node(index: usize) -> NodeId {
    NodeId(i32::try_from(index).map_or(i32::MIN, |index| -1 - index))
}

/// The id of the second connection to a broker, as a coordinator; Kafka's own client counts so.
pub(super) fn coordinator_link(node: NodeId) -> NodeId {
    NodeId(i32::MAX - node.0.max(0))
}

/// The broker at the other end of a connection.
fn behind_link(node: NodeId) -> NodeId {
    if node.0 < COORDINATOR_LINKS {
        node
    } else {
        NodeId(i32::MAX - node.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_at_home_is_said_in_one_sentence() {
        // Port 1 (tcpmux) is closed wherever this runs.
        let options = ClientOptions::new("127.0.0.1:1", "x").unwrap();
        let error = Client::connect(options).unwrap_err().to_string();
        assert!(
            error.starts_with("no broker answers at 127.0.0.1:1"),
            "{error}"
        );
    }
}
