//! A consumer that reads as a member of a group: the member says which partitions, the consumer
//! reads them, and what was read is committed. Drives both over the sockets of a [`Client`].

use super::member::{Event, Member, MemberOptions, Question, requests};
use super::older;
use super::range::TopicIndex;
use crate::base::ids::{NodeId, Offset};
use crate::base::time::Instant;
use crate::client::admin::OffsetSpec;
use crate::client::blocking::{Client, coordinator_link};
use crate::client::connection::Response;
use crate::client::consumer::{Consumer, ConsumerOptions, FetchedBatch};
use crate::client::error::ClientError;
use crate::protocol::messages::heartbeat::HeartbeatRequest;
use crate::protocol::messages::join_group::JoinGroupRequest;
use crate::protocol::messages::leave_group::LeaveGroupRequest;
use crate::protocol::messages::offset_commit::OffsetCommitRequest;
use crate::protocol::messages::offset_fetch::OffsetFetchRequest;
use crate::protocol::messages::sync_group::SyncGroupRequest;
use crate::protocol::{ErrorCode, Request};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// How much longer than the group's patience an answer to JoinGroup may take.
const JOIN_GRACE: Duration = Duration::from_secs(5);

/// How long closing may take at most, last commit included.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// How soon a topic that does not exist is looked for again.
const MISSING_TOPIC: Duration = Duration::from_secs(1);

/// Where reading starts without a committed offset: `auto.offset.reset`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OffsetReset {
    /// At the start of the log.
    Earliest,
    /// At its end.
    Latest,
    /// Nowhere: it is an error.
    None,
}

/// Whether a topic of this name, internal or not, is wanted.
pub type TopicFilter = dyn Fn(&str, bool) -> bool;

/// Which topics a consumer reads.
pub enum Subscription {
    /// These.
    Topics(Vec<String>),
    /// All whose name the function takes; told also whether Kafka itself writes the topic.
    Matching(Box<TopicFilter>),
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subscription::Topics(topics) => f.debug_tuple("Topics").field(topics).finish(),
            Subscription::Matching(_) => f.write_str("Matching"),
        }
    }
}

/// What a group's consumer is told when it is made.
#[derive(Clone, Debug)]
pub struct GroupConsumerOptions {
    /// Of the membership.
    pub member: MemberOptions,
    /// Of the fetches.
    pub consumer: ConsumerOptions,
    /// `enable.auto.commit`.
    pub auto_commit: bool,
    /// `auto.commit.interval.ms`.
    pub auto_commit_interval: Duration,
    /// `auto.offset.reset`.
    pub reset: OffsetReset,
    /// `metadata.max.age.ms`: how often new topics and partitions are looked for.
    pub metadata_age_max: Duration,
}

impl GroupConsumerOptions {
    /// Kafka's defaults.
    #[must_use]
    pub fn new(group_id: &str) -> GroupConsumerOptions {
        GroupConsumerOptions {
            member: MemberOptions::new(group_id),
            consumer: ConsumerOptions::default(),
            auto_commit: true,
            auto_commit_interval: Duration::from_secs(5),
            reset: OffsetReset::Latest,
            metadata_age_max: Duration::from_secs(300),
        }
    }
}

/// A question that was sent to the coordinator.
#[derive(Clone, Copy, Debug)]
struct Sent {
    token: u64,
    link: NodeId,
    /// When waiting for the answer ends.
    until: Instant,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Join,
    Sync,
    Offsets,
    Heartbeat,
    Commit,
    Leave,
}

/// The consumer.
#[derive(Debug)]
pub struct GroupConsumer {
    options: GroupConsumerOptions,
    subscription: Subscription,
    member: Member,
    consumer: Consumer,
    sent: Option<Sent>,
    /// What is committed of each partition, as far as this consumer knows.
    committed: BTreeMap<TopicIndex, Offset>,
    next_commit: Instant,
    next_metadata: Instant,
    /// What happened that a user may want to know, oldest first.
    notices: Vec<String>,
}

impl GroupConsumer {
    /// Subscribes; the group is joined by [`GroupConsumer::poll_batch`] and [`GroupConsumer::wait`].
    pub fn new(
        client: &mut Client,
        options: GroupConsumerOptions,
        subscription: Subscription,
    ) -> Result<GroupConsumer, ClientError> {
        let mut consumer = GroupConsumer {
            member: Member::new(options.member.clone(), Vec::new()),
            consumer: Consumer::new(options.consumer.clone()),
            options,
            subscription,
            sent: None,
            committed: BTreeMap::new(),
            next_commit: Instant(0),
            next_metadata: Instant(0),
            notices: Vec::new(),
        };
        consumer.refresh(client)?;
        Ok(consumer)
    }

    /// The consumer that reads the partitions.
    #[must_use]
    pub fn consumer(&self) -> &Consumer {
        &self.consumer
    }

    /// The membership.
    #[must_use]
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// What happened since the last call that a user may want to know.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// The next batch that has come, or `None`: then [`GroupConsumer::wait`] for one. What the last
    /// call gave counts as read.
    pub fn poll_batch(&mut self, client: &mut Client) -> Result<Option<FetchedBatch>, ClientError> {
        self.commit_when_due(client.now().instant);
        self.serve(client)?;
        self.consumer.poll_batch()
    }

    /// Waits until something happens, at most until `until`: a signal is worth looking at then.
    pub fn wait(&mut self, client: &mut Client, until: Instant) -> Result<(), ClientError> {
        if client.now().instant >= self.next_metadata {
            match self.refresh(client) {
                Err(ClientError::Unreachable { .. } | ClientError::TimedOut { .. }) => {
                    self.next_metadata = client.now().instant + client.options().retry_backoff;
                }
                result => result?,
            }
        }
        let until = until.min(self.next_deadline());
        client.drive_consumer(&mut self.consumer, until)?;
        let mut lost = Vec::new();
        while let Some(out_of_range) = self.consumer.poll_out_of_range() {
            lost.push((out_of_range.topic, out_of_range.partition));
        }
        self.start_at_reset(client, &lost)
    }

    /// Goes back to an offset of a partition: what follows was not read after all.
    pub fn rewind(&mut self, topic: &Rc<str>, partition: i32, offset: Offset) {
        if self.consumer.position(topic, partition).is_some() {
            self.consumer.assign(topic, partition, offset);
        }
    }

    /// Commits what was read, and leaves the group. The time for it is bounded; what does not come
    /// about within it is an error only where it is one of the group.
    pub fn close(&mut self, client: &mut Client) -> Result<(), ClientError> {
        if self.options.auto_commit {
            self.commit();
        }
        // The others may take minutes to join: that is not waited for.
        if let Some(sent) = self.sent
            && matches!(sent.kind, Kind::Join | Kind::Sync)
        {
            let now = client.now().instant;
            client.abandon(sent.link, sent.token);
            self.sent = None;
            self.member.handle_disconnect(now);
        }
        self.member.leave();
        let deadline = client.now().instant + CLOSE_MAX.min(client.options().request_timeout);
        loop {
            self.serve(client)?;
            let now = client.now().instant;
            if self.member.has_left() || now >= deadline {
                return Ok(());
            }
            client.pump(deadline.min(self.next_deadline()), false)?;
        }
    }

    fn next_deadline(&self) -> Instant {
        let answer = self.sent.map_or(Instant::NEVER, |sent| sent.until);
        let commit = if self.options.auto_commit && self.member.is_stable() {
            self.next_commit
        } else {
            Instant::NEVER
        };
        self.member
            .next_deadline()
            .min(answer)
            .min(commit)
            .min(self.next_metadata)
    }

    fn commit_when_due(&mut self, now: Instant) {
        if self.options.auto_commit && now >= self.next_commit && self.member.is_stable() {
            self.next_commit = now + self.options.auto_commit_interval;
            self.commit();
        }
    }

    /// Commits the positions that are not committed.
    fn commit(&mut self) {
        let changed: Vec<(TopicIndex, Offset)> = self
            .consumer
            .positions()
            .filter(|(partition, position)| self.committed.get(partition) != Some(position))
            .collect();
        self.committed.extend(changed.iter().cloned());
        self.member.commit(changed);
    }

    /// Looks for topics and partitions that are new.
    fn refresh(&mut self, client: &mut Client) -> Result<(), ClientError> {
        let mut age = self.options.metadata_age_max;
        let topics: Vec<Rc<str>> = match &self.subscription {
            Subscription::Topics(topics) => {
                let names: Vec<&str> = topics.iter().map(String::as_str).collect();
                client.refresh(Some(&names), true)?;
                for &name in &names {
                    let error = client.cluster().error(name);
                    if let Some(error) = error.filter(|error| !error.is_retriable()) {
                        return Err(ClientError::kafka(&format!("topic {name}"), error, None));
                    }
                    if client.cluster().partition_count(name) == 0 {
                        age = age.min(MISSING_TOPIC);
                    }
                }
                names.into_iter().map(Rc::from).collect()
            }
            Subscription::Matching(matches) => {
                client.refresh_all_topics()?;
                let topics = client.cluster().topics();
                topics
                    .filter(|topic| matches(&topic.name, topic.is_internal))
                    .map(|topic| Rc::clone(&topic.name))
                    .collect()
            }
        };
        self.next_metadata = client.now().instant + age;
        self.member.subscribe(topics);
        self.member.check(client.cluster());
        Ok(())
    }

    /// Everything about the membership that can be done without waiting.
    fn serve(&mut self, client: &mut Client) -> Result<(), ClientError> {
        loop {
            self.take_answer(client)?;
            while let Some(event) = self.member.poll_event() {
                self.handle_event(client, event)?;
            }
            let now = client.now().instant;
            let Some(question) = self.member.poll_question(now, client.cluster()) else {
                return Ok(());
            };
            self.ask(client, question)?;
            if self.sent.is_some() {
                return Ok(());
            }
        }
    }

    fn handle_event(&mut self, client: &mut Client, event: Event) -> Result<(), ClientError> {
        match event {
            Event::Revoked => {
                if self.options.auto_commit {
                    self.commit();
                }
                self.consumer.unassign_all();
                self.committed.clear();
            }
            Event::Lost => {
                self.notices.push(format!(
                    "group {} went on without this consumer, which joins again: what it read \
                     since its last commit may be read once more",
                    self.options.member.group_id
                ));
                self.consumer.unassign_all();
                self.committed.clear();
            }
            Event::Assigned(partitions) => {
                self.consumer.unassign_all();
                self.committed.clear();
                let mut without = Vec::new();
                for (topic, partition, committed) in partitions {
                    match committed {
                        Some(offset) => {
                            self.consumer.assign(&topic, partition, offset);
                            self.committed.insert((topic, partition), offset);
                        }
                        None => without.push((topic, partition)),
                    }
                }
                self.start_at_reset(client, &without)?;
                let interval = self.options.auto_commit_interval;
                self.next_commit = client.now().instant + interval;
            }
            Event::CommitRefused {
                topic,
                partition,
                error,
            } => self.notices.push(format!(
                "the offset of {topic}-{partition} was not committed: {error}"
            )),
        }
        Ok(())
    }

    /// Gives partitions without a position the one of `auto.offset.reset`.
    fn start_at_reset(
        &mut self,
        client: &mut Client,
        partitions: &[TopicIndex],
    ) -> Result<(), ClientError> {
        if partitions.is_empty() {
            return Ok(());
        }
        let spec = match self.options.reset {
            OffsetReset::Earliest => OffsetSpec::EARLIEST,
            OffsetReset::Latest => OffsetSpec::LATEST,
            OffsetReset::None => {
                let names: Vec<String> = partitions
                    .iter()
                    .map(|(topic, index)| format!("{topic}-{index}"))
                    .collect();
                let message = format!(
                    "Undefined offset with no reset policy for partitions: [{}]",
                    names.join(", ")
                );
                let error = ErrorCode::OFFSET_OUT_OF_RANGE;
                return Err(ClientError::kafka(
                    "auto.offset.reset",
                    error,
                    Some(message),
                ));
            }
        };
        for listed in client.list_offsets(partitions, spec)? {
            match listed.result {
                Ok(offset) => {
                    let offset = offset.unwrap_or(Offset(0));
                    self.consumer
                        .assign(&listed.topic, listed.partition, offset);
                }
                Err(error) => {
                    let what = format!(
                        "finding where to start in {}-{}",
                        listed.topic, listed.partition
                    );
                    return Err(ClientError::kafka(&what, error, None));
                }
            }
        }
        Ok(())
    }

    fn ask(&mut self, client: &mut Client, question: Question) -> Result<(), ClientError> {
        match question {
            Question::Coordinator(request) => match client.find_coordinators(&request) {
                Ok(response) => {
                    self.member
                        .handle_coordinator(client.now().instant, &response)?;
                    let known = self
                        .member
                        .coordinator()
                        .is_none_or(|node| client.cluster().broker(node).is_some());
                    if !known {
                        client.refresh(Some(&[]), false)?;
                    }
                    Ok(())
                }
                Err(error) => self.not_asked(client, error),
            },
            Question::Metadata(topics) => {
                let names: Vec<&str> = topics.iter().map(|topic| &**topic).collect();
                match client.refresh(Some(&names), false) {
                    Ok(()) => {
                        self.member.handle_metadata();
                        Ok(())
                    }
                    Err(error) => self.not_asked(client, error),
                }
            }
            Question::Join(request) => self.send(client, Kind::Join, &request, i16::MAX),
            Question::Sync(request) => self.send(client, Kind::Sync, &request, i16::MAX),
            Question::Offsets(request) => match self.version::<OffsetFetchRequest>(client) {
                Ok(version) => {
                    let request = older::offset_fetch(version, request);
                    let highest = requests::NAMED_TOPICS_VERSION;
                    self.send(client, Kind::Offsets, &request, highest)
                }
                Err(error) => self.not_asked(client, error),
            },
            Question::Heartbeat(request) => self.send(client, Kind::Heartbeat, &request, i16::MAX),
            Question::Commit(request) => {
                let highest = requests::NAMED_TOPICS_VERSION;
                self.send(client, Kind::Commit, &request, highest)
            }
            Question::Leave(request) => match self.version::<LeaveGroupRequest>(client) {
                Ok(version) => {
                    let request = older::leave_group(version, request);
                    self.send(client, Kind::Leave, &request, i16::MAX)
                }
                Err(error) => self.not_asked(client, error),
            },
        }
    }

    fn link(&self) -> NodeId {
        let node = self.member.coordinator();
        coordinator_link(node.expect("only a known coordinator is asked"))
    }

    /// The version that the coordinator would be asked in.
    fn version<R: Request>(&self, client: &mut Client) -> Result<i16, ClientError> {
        client.version::<R>(self.link())
    }

    fn not_asked(&mut self, client: &Client, error: ClientError) -> Result<(), ClientError> {
        let is_passing = error.is_retriable()
            || matches!(
                error,
                ClientError::Unreachable { .. } | ClientError::TimedOut { .. }
            );
        if !is_passing {
            return Err(error);
        }
        self.member.handle_disconnect(client.now().instant);
        Ok(())
    }

    fn send<R: Request>(
        &mut self,
        client: &mut Client,
        kind: Kind,
        request: &R,
        highest: i16,
    ) -> Result<(), ClientError> {
        let link = self.link();
        let patience = match kind {
            Kind::Join | Kind::Sync => {
                let rebalance = self.options.member.rebalance_timeout + JOIN_GRACE;
                rebalance.max(client.options().request_timeout)
            }
            Kind::Offsets | Kind::Heartbeat | Kind::Commit | Kind::Leave => {
                client.options().request_timeout
            }
        };
        match client.submit(link, request, highest, true) {
            Ok(token) => {
                self.sent = Some(Sent {
                    token,
                    link,
                    until: client.now().instant + patience,
                    kind,
                });
                Ok(())
            }
            Err(error) => self.not_asked(client, error),
        }
    }

    /// Gives the member the answer to its question, where it has come.
    fn take_answer(&mut self, client: &mut Client) -> Result<(), ClientError> {
        let Some(sent) = self.sent else {
            return Ok(());
        };
        let now = client.now().instant;
        match client.take_answer(sent.token) {
            Some(Ok(response)) => {
                self.sent = None;
                self.handle_answer(now, sent.kind, &response)
            }
            Some(Err(error)) => {
                self.sent = None;
                self.not_asked(client, error)
            }
            None => {
                if now >= sent.until {
                    client.abandon(sent.link, sent.token);
                    self.sent = None;
                    self.member.handle_disconnect(now);
                }
                Ok(())
            }
        }
    }

    fn handle_answer(
        &mut self,
        now: Instant,
        kind: Kind,
        response: &Response,
    ) -> Result<(), ClientError> {
        let member = &mut self.member;
        match kind {
            Kind::Join => member.handle_join(now, &response.decode::<JoinGroupRequest>()?),
            Kind::Sync => member.handle_sync(now, &response.decode::<SyncGroupRequest>()?),
            Kind::Offsets => {
                let answer = response.decode::<OffsetFetchRequest>()?;
                member.handle_offsets(now, &older::offsets(response.version, answer))
            }
            Kind::Heartbeat => {
                member.handle_heartbeat(now, &response.decode::<HeartbeatRequest>()?)
            }
            Kind::Commit => member.handle_commit(now, &response.decode::<OffsetCommitRequest>()?),
            Kind::Leave => {
                drop(response.decode::<LeaveGroupRequest>()?);
                member.handle_leave();
                Ok(())
            }
        }
    }
}
