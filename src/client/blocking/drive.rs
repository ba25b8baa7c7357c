//! Serves producers and consumers: what they have to send is sent, what arrives for them is handed over.

use super::{Client, IDLE, Wake};
use crate::base::ids::{ProducerEpoch, ProducerId};
use crate::base::time::{Instant, milliseconds};
use crate::client::consumer::Consumer;
use crate::client::error::ClientError;
use crate::client::producer::{Acks, Producer};
use crate::client::throttle;
use crate::protocol::ErrorCode;
use crate::protocol::messages::fetch::FetchRequest;
use crate::protocol::messages::init_producer_id::InitProducerIdRequest;
use crate::protocol::messages::produce::ProduceRequest;
use std::collections::BTreeMap;

/// Last version of Produce and Fetch that names topics rather than giving their ids.
const NAMED_TOPICS_VERSION: i16 = 12;

impl Client {
    /// Serves a producer once: what it needs is asked for, what it has to send is sent, and answers
    /// are waited for until something happens or is due. Ends also when standard input is ready,
    /// where that is asked for.
    pub fn drive_producer(
        &mut self,
        producer: &mut Producer,
        standard_input: bool,
    ) -> Result<Wake, ClientError> {
        let until = self.send_produces(producer)?;
        let wake = self.pump(until, standard_input)?;
        self.receive_produces(producer)?;
        Ok(wake)
    }

    /// Makes a producer ready to send: an idempotent one is given its id.
    pub fn prepare_producer(&mut self, producer: &mut Producer) -> Result<(), ClientError> {
        if producer.needs_identity() {
            self.identify(producer)?;
        }
        Ok(())
    }

    /// Sends what a producer has to send, and asks for what it needs. Gives the time at which it
    /// wants to be served again, even if nothing arrives.
    pub fn send_produces(&mut self, producer: &mut Producer) -> Result<Instant, ClientError> {
        self.prepare_producer(producer)?;
        if producer.take_needs_metadata() {
            self.refresh_known()?;
        }
        let now = self.now().instant;
        // Where no answer comes, only a full socket says that the broker has enough.
        while !(producer.options().acks == Acks::None && self.has_unsent()) {
            let Some(outgoing) = producer.poll_request(now, &self.cluster) else {
                break;
            };
            let highest = named_version(outgoing.has_topic_ids);
            let sent = self.submit_with::<ProduceRequest>(
                outgoing.node,
                &outgoing.request,
                &outgoing.records,
                highest,
                outgoing.expects_response,
            );
            match sent {
                Ok(token) if outgoing.expects_response => {
                    let asked = (outgoing.node, outgoing.request_id);
                    self.producing.insert(token, asked);
                }
                Ok(_) => {}
                Err(error) if error.is_retriable() => {
                    producer.handle_disconnect(now, outgoing.request_id);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(match producer.next_deadline() {
            _ if producer.has_deliveries() => now,
            due if due <= now => now + IDLE,
            due => due,
        })
    }

    /// Hands a producer the answers that arrived for it.
    pub fn receive_produces(&mut self, producer: &mut Producer) -> Result<(), ClientError> {
        let now = self.now().instant;
        while let Some(position) = self.position_of(&self.producing) {
            let response = self.arrived.remove(position).expect("found there");
            let (node, request_id) = self.producing.remove(&response.token).expect("found there");
            match response.decode::<ProduceRequest>() {
                Ok(mut answer) => {
                    // An older broker has waited itself.
                    if response.version < throttle::PRODUCE_SINCE {
                        answer.throttle_time_ms = 0;
                    }
                    if let Some(link) = self.links.get_mut(&node) {
                        let asked = milliseconds(i64::from(answer.throttle_time_ms));
                        link.connection.throttle(now, asked);
                    }
                    producer.handle_response(now, &self.cluster, request_id, &answer);
                }
                Err(error) => {
                    producer.handle_disconnect(now, request_id);
                    return Err(error);
                }
            }
        }
        for (_, request_id) in take_broken(&mut self.producing, &mut self.broken) {
            producer.handle_disconnect(now, request_id);
        }
        Ok(())
    }

    fn has_unsent(&self) -> bool {
        self.links
            .values()
            .any(|link| !link.connection.outgoing().is_empty())
    }

    /// Waits until all that was sent without expecting an answer has left this process, at most
    /// `request.timeout.ms`.
    pub fn finish_sending(&mut self) -> Result<(), ClientError> {
        let deadline = self.now().instant + self.options.request_timeout;
        while self.has_unsent() && self.now().instant < deadline {
            self.pump(deadline, false)?;
        }
        Ok(())
    }

    fn position_of<T>(&self, tokens: &BTreeMap<u64, T>) -> Option<usize> {
        self.arrived
            .iter()
            .position(|response| tokens.contains_key(&response.token))
    }

    /// Gives an idempotent producer its id.
    fn identify(&mut self, producer: &mut Producer) -> Result<(), ClientError> {
        let started = self.now().instant;
        loop {
            let request = InitProducerIdRequest {
                // Null, not empty: Kafka refuses the empty name.
                transactional_id: None,
                transaction_timeout_ms: i32::MAX,
                ..InitProducerIdRequest::default()
            };
            let response = self.call_any(&request)?;
            let error = ErrorCode::from(response.error_code);
            if error == ErrorCode::NONE {
                producer.set_identity(
                    ProducerId(response.producer_id),
                    ProducerEpoch(response.producer_epoch),
                );
                return Ok(());
            }
            let waited = self.now().instant.since(started);
            if !error.is_retriable() || waited >= self.options.max_block {
                return Err(ClientError::kafka("InitProducerId", error, None));
            }
            self.pause(self.options.retry_backoff)?;
        }
    }

    /// Serves a consumer once: fetches are sent, and answers are waited for at most until `until`.
    pub fn drive_consumer(
        &mut self,
        consumer: &mut Consumer,
        until: Instant,
    ) -> Result<(), ClientError> {
        let due = self.send_fetches(consumer)?;
        self.pump(until.min(due), false)?;
        self.receive_fetches(consumer)
    }

    /// Sends the fetches that a consumer has to send. Gives the time at which it wants to be served
    /// again, even if nothing arrives.
    pub fn send_fetches(&mut self, consumer: &mut Consumer) -> Result<Instant, ClientError> {
        if consumer.take_needs_metadata() {
            self.refresh_known()?;
        }
        let now = self.now().instant;
        while let Some(outgoing) = consumer.poll_request(now, &self.cluster) {
            let highest = named_version(outgoing.has_topic_ids);
            match self.submit::<FetchRequest>(outgoing.node, &outgoing.request, highest, true) {
                Ok(token) => {
                    self.fetching.insert(token, outgoing.node);
                }
                Err(error) if error.is_retriable() => {
                    consumer.handle_disconnect(now, outgoing.node);
                }
                Err(error) => return Err(error),
            }
        }
        // Without a fetch on its way there is only the rest after an error to wait for.
        let due = consumer.next_deadline(now);
        Ok(if self.fetching.is_empty() {
            due.min(now + self.options.retry_backoff)
        } else {
            due
        })
    }

    /// Hands a consumer the answers that arrived for it.
    pub fn receive_fetches(&mut self, consumer: &mut Consumer) -> Result<(), ClientError> {
        let now = self.now().instant;
        while let Some(position) = self.position_of(&self.fetching) {
            let response = self.arrived.remove(position).expect("found there");
            let node = self.fetching.remove(&response.token).expect("found there");
            let answer = response.decode::<FetchRequest>()?;
            consumer.handle_response(now, &self.cluster, node, &answer)?;
        }
        for node in take_broken(&mut self.fetching, &mut self.broken) {
            consumer.handle_disconnect(now, node);
        }
        Ok(())
    }
}

fn named_version(has_topic_ids: bool) -> i16 {
    if has_topic_ids {
        i16::MAX
    } else {
        NAMED_TOPICS_VERSION
    }
}

/// What waited under marks whose connection broke: it waits no longer.
fn take_broken<T>(waiting: &mut BTreeMap<u64, T>, broken: &mut BTreeMap<u64, String>) -> Vec<T> {
    let taken = waiting.extract_if(.., |token, _| broken.remove(token).is_some());
    taken.map(|(_, what)| what).collect()
}
