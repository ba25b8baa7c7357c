//! One member of a consumer group of the classic protocol, as a plain state machine: it says what
//! to ask next, and is given the answers. It asks one question at a time, all of the group's
//! coordinator, on a connection of its own: an answer to JoinGroup may take minutes.
//!
//! ```text
//!            join            sync             offsets
//!  Outside ────────► ( Assigning ) ► Syncing ────────► Locating ────────► Stable
//!     ▲                leader only      │                  │                 │
//!     └──── the group rebalances, or does not know the member any more ──────┘
//!
//!  any ──────► Leaving ──────► Left
//! ```

mod answers;
pub mod requests;

use super::range::{
    self, CONSUMER_PROTOCOL_TYPE, RANGE, Subscriber, TopicIndex, encode_assignment,
    encode_subscription,
};
use crate::base::ids::{NodeId, Offset};
use crate::base::time::Instant;
use crate::client::cluster::Cluster;
use crate::protocol::messages::find_coordinator::FindCoordinatorRequest;
use crate::protocol::messages::heartbeat::HeartbeatRequest;
use crate::protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use crate::protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use crate::protocol::messages::offset_commit::OffsetCommitRequest;
use crate::protocol::messages::offset_fetch::OffsetFetchRequest;
use crate::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use crate::protocol::{ErrorCode, Str};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

/// What a member is told when it is made. Kafka's names and defaults.
#[derive(Clone, Debug)]
pub struct MemberOptions {
    /// `group.id`.
    pub group_id: String,
    /// `group.instance.id`: a static member, which keeps its partitions over a restart. KIP-345.
    pub instance_id: Option<String>,
    /// `session.timeout.ms`.
    pub session_timeout: Duration,
    /// `max.poll.interval.ms`: how long the others wait for this one to join again.
    pub rebalance_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// `client.rack`.
    pub rack: String,
    /// `retry.backoff.ms`.
    pub retry_backoff: Duration,
}

impl MemberOptions {
    /// Kafka's defaults.
    #[must_use]
    pub fn new(group_id: &str) -> MemberOptions {
        MemberOptions {
            group_id: group_id.to_owned(),
            instance_id: None,
            session_timeout: Duration::from_secs(45),
            rebalance_timeout: Duration::from_secs(300),
            heartbeat_interval: Duration::from_secs(3),
            rack: String::new(),
            retry_backoff: Duration::from_millis(100),
        }
    }
}

/// What has to be asked next.
#[derive(Debug)]
pub enum Question {
    /// Of any broker: who coordinates the group.
    Coordinator(FindCoordinatorRequest),
    /// Of any broker: the partitions of these topics. The answer belongs to the cluster; that it
    /// came is told with [`Member::handle_metadata`].
    Metadata(Vec<Str>),
    /// Of the coordinator. The answer may take `rebalance_timeout`.
    Join(JoinGroupRequest),
    /// Of the coordinator. The answer may take `rebalance_timeout`.
    Sync(SyncGroupRequest),
    /// Of the coordinator.
    Offsets(OffsetFetchRequest),
    /// Of the coordinator.
    Heartbeat(HeartbeatRequest),
    /// Of the coordinator.
    Commit(OffsetCommitRequest),
    /// Of the coordinator.
    Leave(LeaveGroupRequest),
}

/// What the consumer has to do. Nothing is asked before all events are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Its partitions are taken away, to be shared out anew: commit what was read, and stop.
    Revoked,
    /// The group has gone on without it: stop. A commit would be refused.
    Lost,
    /// Its partitions, each with the offset that is committed, where there is one.
    Assigned(Vec<(Rc<str>, i32, Option<Offset>)>),
    /// An offset was not committed.
    CommitRefused {
        /// Name of the topic.
        topic: Rc<str>,
        /// Which partition of it.
        partition: i32,
        /// Why.
        error: ErrorCode,
    },
}

#[derive(Debug)]
enum State {
    /// Not in the group: it has to join, perhaps again.
    Outside,
    /// Leader of the generation: topics have to be known before they are shared out.
    Assigning {
        members: Vec<Subscriber>,
        /// Whether the cluster was asked about them.
        is_looked_up: bool,
    },
    /// The own assignment has to be fetched; a leader brings those of all.
    Syncing {
        assignments: Vec<SyncGroupRequestAssignment>,
    },
    /// The committed offsets have to be fetched.
    Locating { partitions: Vec<TopicIndex> },
    /// Reading.
    Stable,
    /// On its way out: last commits, then LeaveGroup.
    Leaving,
    /// Out.
    Left,
}

/// What was asked and not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Coordinator,
    Metadata,
    Join,
    Sync,
    Offsets,
    Heartbeat,
    Commit,
    Leave,
}

/// The machine.
#[derive(Debug)]
pub struct Member {
    options: MemberOptions,
    /// What it subscribes to, sorted.
    topics: Vec<Rc<str>>,
    state: State,
    coordinator: Option<NodeId>,
    /// Empty until the coordinator gives one.
    member_id: Str,
    /// -1 outside of any generation.
    generation: i32,
    /// The name of the group's protocol, as the coordinator chose it.
    protocol: Str,
    has_partitions: bool,
    /// Partitions of each topic that this member, as leader, has shared out.
    shared_out: BTreeMap<Str, i32>,
    asked: Option<Asked>,
    /// What waits to be committed.
    commits: BTreeMap<TopicIndex, Offset>,
    /// What is being committed.
    committing: BTreeMap<TopicIndex, Offset>,
    events: VecDeque<Event>,
    /// No question before that: a rest after an error.
    not_before: Instant,
    next_heartbeat: Instant,
}

impl Member {
    /// A member of nothing yet, which subscribes to these topics.
    #[must_use]
    pub fn new(options: MemberOptions, topics: Vec<Rc<str>>) -> Member {
        let mut member = Member {
            options,
            topics: Vec::new(),
            state: State::Outside,
            coordinator: None,
            member_id: Str::EMPTY,
            generation: -1,
            protocol: Str::EMPTY,
            has_partitions: false,
            shared_out: BTreeMap::new(),
            asked: None,
            commits: BTreeMap::new(),
            committing: BTreeMap::new(),
            events: VecDeque::new(),
            not_before: Instant(0),
            next_heartbeat: Instant(0),
        };
        member.subscribe(topics);
        member
    }

    /// What it was told.
    #[must_use]
    pub fn options(&self) -> &MemberOptions {
        &self.options
    }

    /// The broker to ask, once it is known.
    #[must_use]
    pub fn coordinator(&self) -> Option<NodeId> {
        self.coordinator
    }

    /// Whether it is in the group and has its assignment.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        matches!(self.state, State::Stable)
    }

    /// Whether it has left.
    #[must_use]
    pub fn has_left(&self) -> bool {
        matches!(self.state, State::Left)
    }

    /// Whether it waits for the others of its group.
    #[must_use]
    pub fn is_joining(&self) -> bool {
        matches!(self.asked, Some(Asked::Join | Asked::Sync))
    }

    /// Subscribes to these topics instead; a change makes the group rebalance.
    pub fn subscribe(&mut self, mut topics: Vec<Rc<str>>) {
        topics.sort();
        topics.dedup();
        if topics != self.topics {
            self.topics = topics;
            self.rejoin();
        }
    }

    /// Looks whether topics have other partitions than were shared out; the leader's task.
    pub fn check(&mut self, cluster: &Cluster) {
        let differs = self
            .shared_out
            .iter()
            .any(|(topic, count)| cluster.partition_count(topic) != *count);
        if differs && self.is_stable() {
            self.rejoin();
        }
    }

    /// Commits these offsets, the next to be read, as soon as something can be asked. Of a member
    /// that is in no generation nothing is committed.
    pub fn commit(&mut self, offsets: impl IntoIterator<Item = (TopicIndex, Offset)>) {
        if self.generation >= 0 {
            self.commits.extend(offsets);
        }
    }

    /// Leaves, after what waits to be committed. A static member only stops: its partitions wait
    /// for it until its session ends.
    pub fn leave(&mut self) {
        match self.state {
            State::Leaving | State::Left => {}
            State::Outside
            | State::Assigning { .. }
            | State::Syncing { .. }
            | State::Locating { .. }
            | State::Stable => self.state = State::Leaving,
        }
    }

    /// What has to be done next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Member::poll_question`] may have something next.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        if self.asked.is_some() {
            return Instant::NEVER;
        }
        if !self.events.is_empty() {
            return Instant(0);
        }
        match self.state {
            State::Left => Instant::NEVER,
            State::Stable if self.coordinator.is_some() && self.commits.is_empty() => {
                self.not_before.max(self.next_heartbeat)
            }
            State::Outside
            | State::Assigning { .. }
            | State::Syncing { .. }
            | State::Locating { .. }
            | State::Stable
            | State::Leaving => self.not_before,
        }
    }

    /// The next question, or `None` where one is unanswered, an event waits, or nothing is due.
    pub fn poll_question(&mut self, now: Instant, cluster: &Cluster) -> Option<Question> {
        if self.asked.is_some() || !self.events.is_empty() || now < self.not_before {
            return None;
        }
        let (asked, question) = self.next_question(now, cluster)?;
        self.asked = Some(asked);
        Some(question)
    }

    fn next_question(&mut self, now: Instant, cluster: &Cluster) -> Option<(Asked, Question)> {
        if let State::Leaving = self.state {
            // Whom nobody knows need not say goodbye.
            if self.member_id.is_empty() {
                self.state = State::Left;
            }
        }
        if let State::Left = self.state {
            return None;
        }
        if self.coordinator.is_none() {
            let request = FindCoordinatorRequest {
                coordinator_keys: vec![self.options.group_id.as_str().into()],
                ..FindCoordinatorRequest::default()
            };
            return Some((Asked::Coordinator, Question::Coordinator(request)));
        }
        if !self.commits.is_empty() && self.generation >= 0 {
            return Some((Asked::Commit, self.commit_question()));
        }
        if let State::Assigning {
            members,
            is_looked_up,
        } = &mut self.state
        {
            let mut unknown: Vec<Str> = Vec::new();
            for topic in members.iter().flat_map(|member| &member.topics) {
                if cluster.partition_count(topic) == 0 && !unknown.contains(topic) {
                    unknown.push(topic.clone());
                }
            }
            if !unknown.is_empty() && !std::mem::replace(is_looked_up, true) {
                return Some((Asked::Metadata, Question::Metadata(unknown)));
            }
            self.share_out(cluster);
        }
        match &self.state {
            State::Outside => Some((Asked::Join, self.join_question())),
            State::Assigning { .. } => None,
            State::Syncing { .. } => Some((Asked::Sync, self.sync_question())),
            State::Locating { .. } | State::Stable if now >= self.next_heartbeat => {
                self.next_heartbeat = now + self.options.heartbeat_interval;
                Some((Asked::Heartbeat, self.heartbeat_question()))
            }
            State::Locating { partitions } => {
                let request = requests::offset_fetch(&self.options.group_id, partitions);
                Some((Asked::Offsets, Question::Offsets(request)))
            }
            State::Stable | State::Left => None,
            State::Leaving if self.options.instance_id.is_some() => {
                self.state = State::Left;
                None
            }
            State::Leaving => Some((Asked::Leave, self.leave_question())),
        }
    }

    /// As leader: an assignment for every member.
    fn share_out(&mut self, cluster: &Cluster) {
        let State::Assigning { members, .. } = &self.state else {
            return;
        };
        let assigned = range::assign(members, |topic| cluster.partition_count(topic));
        self.shared_out = members
            .iter()
            .flat_map(|member| &member.topics)
            .map(|topic| (topic.detached(), cluster.partition_count(topic)))
            .collect();
        let assignments = assigned
            .into_iter()
            .map(|(member_id, partitions)| SyncGroupRequestAssignment {
                member_id,
                assignment: encode_assignment(&partitions),
                ..SyncGroupRequestAssignment::default()
            })
            .collect();
        self.state = State::Syncing { assignments };
    }

    fn instance_id(&self) -> Option<Str> {
        self.options.instance_id.as_deref().map(Str::from)
    }

    fn join_question(&mut self) -> Question {
        // Offsets of the generation that ends here can no longer be committed.
        self.commits.clear();
        self.generation = -1;
        self.shared_out.clear();
        let milliseconds =
            |duration: Duration| i32::try_from(duration.as_millis()).unwrap_or(i32::MAX);
        Question::Join(JoinGroupRequest {
            group_id: self.options.group_id.as_str().into(),
            session_timeout_ms: milliseconds(self.options.session_timeout),
            rebalance_timeout_ms: milliseconds(self.options.rebalance_timeout),
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id(),
            protocol_type: CONSUMER_PROTOCOL_TYPE.into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: RANGE.into(),
                metadata: encode_subscription(&self.topics, &self.options.rack),
                ..JoinGroupRequestProtocol::default()
            }],
            ..JoinGroupRequest::default()
        })
    }

    fn sync_question(&self) -> Question {
        let assignments = match &self.state {
            State::Syncing { assignments } => assignments.clone(),
            State::Outside
            | State::Assigning { .. }
            | State::Locating { .. }
            | State::Stable
            | State::Leaving
            | State::Left => Vec::new(),
        };
        Question::Sync(SyncGroupRequest {
            group_id: self.options.group_id.as_str().into(),
            generation_id: self.generation,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id(),
            protocol_type: Some(CONSUMER_PROTOCOL_TYPE.into()),
            protocol_name: Some(self.protocol.clone()),
            assignments,
            ..SyncGroupRequest::default()
        })
    }

    fn heartbeat_question(&self) -> Question {
        Question::Heartbeat(HeartbeatRequest {
            group_id: self.options.group_id.as_str().into(),
            generation_id: self.generation,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id(),
            ..HeartbeatRequest::default()
        })
    }

    fn commit_question(&mut self) -> Question {
        self.committing = std::mem::take(&mut self.commits);
        Question::Commit(OffsetCommitRequest {
            generation_id_or_member_epoch: self.generation,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id(),
            ..requests::offset_commit(&self.options.group_id, &self.committing)
        })
    }

    fn leave_question(&self) -> Question {
        Question::Leave(LeaveGroupRequest {
            group_id: self.options.group_id.as_str().into(),
            members: vec![MemberIdentity {
                member_id: self.member_id.clone(),
                reason: Some("the consumer is being closed".into()),
                ..MemberIdentity::default()
            }],
            ..LeaveGroupRequest::default()
        })
    }

    fn rest(&mut self, now: Instant) {
        self.not_before = now + self.options.retry_backoff;
    }

    /// Goes outside to join again. Where it has partitions they may still be committed.
    fn rejoin(&mut self) {
        self.go_outside(Event::Revoked);
    }

    /// The coordinator does not know the generation any more.
    fn lose_generation(&mut self) {
        self.generation = -1;
        self.commits.clear();
        self.go_outside(Event::Lost);
    }

    /// The coordinator does not know the member any more.
    fn lose_membership(&mut self) {
        self.member_id = Str::EMPTY;
        self.lose_generation();
    }

    fn go_outside(&mut self, event: Event) {
        match self.state {
            State::Leaving | State::Left => {}
            State::Outside
            | State::Assigning { .. }
            | State::Syncing { .. }
            | State::Locating { .. }
            | State::Stable => self.state = State::Outside,
        }
        if std::mem::take(&mut self.has_partitions) {
            self.events.push_back(event);
        }
    }

    /// Errors that say that the coordinator moved, or is not ready: whether it is one.
    fn is_elsewhere(&mut self, now: Instant, error: ErrorCode) -> bool {
        match error {
            ErrorCode::NOT_COORDINATOR | ErrorCode::COORDINATOR_NOT_AVAILABLE => {
                self.coordinator = None;
                self.rest(now);
                true
            }
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => {
                self.rest(now);
                true
            }
            _ => false,
        }
    }

    /// Takes the mark of the question off; false where the answer is to another one.
    fn is_answer(&mut self, asked: Asked) -> bool {
        let is_it = self.asked == Some(asked);
        if is_it {
            self.asked = None;
        }
        is_it
    }
}

#[cfg(test)]
mod tests;
