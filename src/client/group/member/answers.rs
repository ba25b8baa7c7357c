//! What a member makes of the answers to its questions, one function per answer. Each ignores an
//! answer to a question that it no longer asks.

use super::{Asked, Event, Member, State};
use crate::base::ids::{NodeId, Offset};
use crate::base::time::Instant;
use crate::client::error::ClientError;
use crate::client::group::range::{Subscriber, TopicIndex, decode_assignment, decode_subscription};
use crate::protocol::messages::find_coordinator::FindCoordinatorResponse;
use crate::protocol::messages::heartbeat::HeartbeatResponse;
use crate::protocol::messages::join_group::JoinGroupResponse;
use crate::protocol::messages::offset_commit::OffsetCommitResponse;
use crate::protocol::messages::offset_fetch::OffsetFetchResponse;
use crate::protocol::messages::sync_group::SyncGroupResponse;
use crate::protocol::{ErrorCode, Str};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What became of an error of the group, whatever it answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// There was none.
    GoOn,
    /// The member joins again: with what it is, or anew.
    Join,
    /// The question is asked again, perhaps of another coordinator.
    AskAgain,
}

impl Member {
    /// Takes the step that an error of the group asks for; one that asks for none is returned.
    fn step(&mut self, now: Instant, what: &str, error: ErrorCode) -> Result<Step, ClientError> {
        match error {
            ErrorCode::NONE => return Ok(Step::GoOn),
            ErrorCode::UNKNOWN_MEMBER_ID => self.lose_membership(),
            ErrorCode::ILLEGAL_GENERATION => self.lose_generation(),
            ErrorCode::REBALANCE_IN_PROGRESS => self.rejoin(),
            error if self.is_elsewhere(now, error) => return Ok(Step::AskAgain),
            error => return Err(self.refused(what, error)),
        }
        Ok(Step::Join)
    }

    fn refused(&self, what: &str, error: ErrorCode) -> ClientError {
        let what = format!("{what} of group {}", self.options.group_id);
        ClientError::kafka(&what, error, None)
    }

    /// The connection broke, or nobody could be asked, or no answer came in time.
    pub fn handle_disconnect(&mut self, now: Instant) {
        match self.asked.take() {
            Some(Asked::Leave) => self.state = State::Left,
            Some(Asked::Commit) => {
                // Newer offsets of the same partitions win.
                let newer = std::mem::take(&mut self.commits);
                self.commits = std::mem::take(&mut self.committing);
                self.commits.extend(newer);
            }
            Some(
                Asked::Coordinator
                | Asked::Metadata
                | Asked::Join
                | Asked::Sync
                | Asked::Offsets
                | Asked::Heartbeat,
            )
            | None => {}
        }
        self.coordinator = None;
        self.rest(now);
    }

    /// Who coordinates the group. An error that no retry mends is returned.
    pub fn handle_coordinator(
        &mut self,
        now: Instant,
        response: &FindCoordinatorResponse,
    ) -> Result<(), ClientError> {
        if !self.is_answer(Asked::Coordinator) {
            return Ok(());
        }
        let group_id = self.options.group_id.as_str();
        let found = response
            .coordinators
            .iter()
            .find(|coordinator| &*coordinator.key == group_id);
        match found.map(|found| (ErrorCode::from(found.error_code), found)) {
            Some((ErrorCode::NONE, found)) => {
                self.coordinator = Some(NodeId(found.node_id));
                Ok(())
            }
            Some((error, found)) if !error.is_retriable() => {
                let message = found.error_message.as_ref().map(ToString::to_string);
                let what = format!("finding the coordinator of group {group_id}");
                Err(ClientError::kafka(&what, error, message))
            }
            Some(_) | None => {
                self.rest(now);
                Ok(())
            }
        }
    }

    /// The cluster knows of the topics in [`Question::Metadata`] what there is to know.
    pub fn handle_metadata(&mut self) {
        self.is_answer(Asked::Metadata);
    }

    /// The answer to JoinGroup. An error that no retry mends is returned.
    pub fn handle_join(
        &mut self,
        now: Instant,
        response: &JoinGroupResponse,
    ) -> Result<(), ClientError> {
        if !self.is_answer(Asked::Join) {
            return Ok(());
        }
        match ErrorCode::from(response.error_code) {
            ErrorCode::MEMBER_ID_REQUIRED => {
                self.member_id = response.member_id.detached();
                return Ok(());
            }
            // It is joining.
            ErrorCode::REBALANCE_IN_PROGRESS => {
                self.rest(now);
                return Ok(());
            }
            error => match self.step(now, "joining", error)? {
                Step::GoOn => {}
                Step::Join | Step::AskAgain => return Ok(()),
            },
        }
        self.member_id = response.member_id.detached();
        self.generation = response.generation_id;
        self.protocol = response
            .protocol_name
            .as_ref()
            .map_or(Str::EMPTY, Str::detached);
        self.next_heartbeat = now + self.options.heartbeat_interval;
        if !matches!(self.state, State::Outside) {
            // Leaving meanwhile.
            return Ok(());
        }
        // KIP-814: a static leader that came back leaves the assignment as it is.
        let is_leader = response.leader == self.member_id && !response.skip_assignment;
        self.state = if is_leader {
            let members = response.members.iter().map(|member| {
                Ok(Subscriber {
                    member_id: member.member_id.detached(),
                    instance_id: member.group_instance_id.as_ref().map(Str::detached),
                    topics: decode_subscription(&member.metadata)?,
                })
            });
            State::Assigning {
                members: members.collect::<Result<_, ClientError>>()?,
                is_looked_up: false,
            }
        } else {
            State::Syncing {
                assignments: Vec::new(),
            }
        };
        Ok(())
    }

    /// The answer to SyncGroup. An error that no retry mends is returned.
    pub fn handle_sync(
        &mut self,
        now: Instant,
        response: &SyncGroupResponse,
    ) -> Result<(), ClientError> {
        if !self.is_answer(Asked::Sync) {
            return Ok(());
        }
        let error = ErrorCode::from(response.error_code);
        match self.step(now, "sharing out the partitions", error)? {
            Step::GoOn => {}
            Step::Join | Step::AskAgain => return Ok(()),
        }
        if !matches!(self.state, State::Syncing { .. }) {
            return Ok(());
        }
        let partitions = decode_assignment(&response.assignment)?;
        self.has_partitions = true;
        if partitions.is_empty() {
            self.events.push_back(Event::Assigned(Vec::new()));
            self.state = State::Stable;
        } else {
            self.state = State::Locating { partitions };
        }
        Ok(())
    }

    /// The committed offsets. An error that no retry mends is returned.
    pub fn handle_offsets(
        &mut self,
        now: Instant,
        response: &OffsetFetchResponse,
    ) -> Result<(), ClientError> {
        if !self.is_answer(Asked::Offsets) {
            return Ok(());
        }
        let State::Locating { partitions } = &self.state else {
            return Ok(());
        };
        let mut committed: BTreeMap<TopicIndex, Option<Offset>> = partitions
            .iter()
            .map(|partition| (partition.clone(), None))
            .collect();
        let mut failed = ErrorCode::NONE;
        for group in &response.groups {
            failed = worse(failed, ErrorCode::from(group.error_code));
            for topic in &group.topics {
                let name: Rc<str> = Rc::from(&*topic.name);
                for partition in &topic.partitions {
                    failed = worse(failed, ErrorCode::from(partition.error_code));
                    let key = (Rc::clone(&name), partition.partition_index);
                    if let Some(offset) = committed.get_mut(&key) {
                        // -1: nothing is committed.
                        let found = Offset(partition.committed_offset);
                        *offset = Some(found).filter(|found| found.0 >= 0);
                    }
                }
            }
        }
        match failed {
            ErrorCode::NONE => {
                let assigned = committed
                    .into_iter()
                    .map(|((topic, partition), offset)| (topic, partition, offset));
                self.events.push_back(Event::Assigned(assigned.collect()));
                self.state = State::Stable;
                Ok(())
            }
            error => match self.step(now, "fetching the offsets", error) {
                // Such as offsets of a transaction that has not ended.
                Err(_) if error.is_retriable() => {
                    self.rest(now);
                    Ok(())
                }
                result => result.map(drop),
            },
        }
    }

    /// The answer to Heartbeat. An error that no retry mends is returned.
    pub fn handle_heartbeat(
        &mut self,
        now: Instant,
        response: &HeartbeatResponse,
    ) -> Result<(), ClientError> {
        if !self.is_answer(Asked::Heartbeat) {
            return Ok(());
        }
        let error = ErrorCode::from(response.error_code);
        if self.step(now, "the heartbeat", error)? == Step::AskAgain {
            // The session ends while nobody is told of it: ask as soon as there is someone.
            self.next_heartbeat = now;
        }
        Ok(())
    }

    /// The answer to OffsetCommit. What is refused becomes an event; an error that ends the
    /// membership for good is returned.
    pub fn handle_commit(
        &mut self,
        now: Instant,
        response: &OffsetCommitResponse,
    ) -> Result<(), ClientError> {
        if !self.is_answer(Asked::Commit) {
            return Ok(());
        }
        let mut again = BTreeMap::new();
        let mut failed = ErrorCode::NONE;
        for topic in &response.topics {
            let name: Rc<str> = Rc::from(&*topic.name);
            for partition in &topic.partitions {
                let error = ErrorCode::from(partition.error_code);
                let key = (Rc::clone(&name), partition.partition_index);
                let Some(offset) = self.committing.remove(&key) else {
                    continue;
                };
                match error {
                    ErrorCode::NONE => {}
                    ErrorCode::NOT_COORDINATOR
                    | ErrorCode::COORDINATOR_NOT_AVAILABLE
                    | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
                    | ErrorCode::REQUEST_TIMED_OUT => {
                        again.insert(key, offset);
                        failed = worse(failed, error);
                    }
                    ErrorCode::UNKNOWN_MEMBER_ID
                    | ErrorCode::ILLEGAL_GENERATION
                    | ErrorCode::REBALANCE_IN_PROGRESS
                    | ErrorCode::FENCED_INSTANCE_ID => failed = worse(failed, error),
                    error => self.events.push_back(Event::CommitRefused {
                        topic: key.0,
                        partition: key.1,
                        error,
                    }),
                }
            }
        }
        self.committing.clear();
        again.append(&mut self.commits);
        self.commits = again;
        if failed == ErrorCode::REQUEST_TIMED_OUT {
            self.rest(now);
            return Ok(());
        }
        self.step(now, "the commit", failed).map(drop)
    }

    /// LeaveGroup was answered: whatever it says, this member is out.
    pub fn handle_leave(&mut self) {
        if self.is_answer(Asked::Leave) {
            self.state = State::Left;
        }
    }
}

/// The error that decides, of two: the first there is, and one that no retry mends before others.
fn worse(so_far: ErrorCode, error: ErrorCode) -> ErrorCode {
    if so_far.is_none() || so_far.is_retriable() && !error.is_none() && !error.is_retriable() {
        error
    } else {
        so_far
    }
}
