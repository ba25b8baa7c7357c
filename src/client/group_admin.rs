//! What administrators ask about groups: lists, descriptions, committed offsets, deletion. Each
//! group's coordinator is found and remembered; what a retry may mend is retried, elsewhere where
//! the coordinator moved, until `request.timeout.ms`.

use super::blocking::Client;
use super::error::ClientError;
use super::group::member::requests::{self, GROUPS_VERSION, NAMED_TOPICS_VERSION};
use super::group::range::{CONSUMER_PROTOCOL_TYPE, TopicIndex, decode_assignment};
use crate::base::ids::{NodeId, Offset};
use crate::base::time::Instant;
use crate::protocol::messages::consumer_group_describe as consumer;
use crate::protocol::messages::delete_groups::DeleteGroupsRequest;
use crate::protocol::messages::describe_groups::{self as classic, DescribeGroupsRequest};
use crate::protocol::messages::find_coordinator::{
    FindCoordinatorRequest, FindCoordinatorResponse,
};
use crate::protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use crate::protocol::messages::list_groups::ListGroupsRequest;
use crate::protocol::messages::offset_commit::OffsetCommitRequest;
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use crate::protocol::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use crate::protocol::{ErrorCode, Request, Str};
use std::collections::BTreeMap;
use std::rc::Rc;

/// First version of FindCoordinator that asks about many groups, of Kafka 3.0.
const BATCHED_VERSION: i16 = 4;

/// First version of ListGroups that filters by state.
const STATES_VERSION: i16 = 4;

/// First version of ListGroups that filters by type. KIP-848.
const TYPES_VERSION: i16 = 5;

/// First version of LeaveGroup that removes many members. KIP-345.
const MEMBERS_VERSION: i16 = 3;

/// The member type in ConsumerGroupDescribe of one that speaks the consumer protocol.
const CONSUMER_MEMBER: i8 = 1;

/// A group in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupListing {
    /// Its id.
    pub group_id: String,
    /// `consumer`, `connect`, …; empty where it only has offsets.
    pub protocol_type: String,
    /// `Stable`, `Empty`, …; empty where the broker is too old to say.
    pub state: String,
    /// `Classic`, `Consumer`, …; empty where the broker is too old to say.
    pub group_type: String,
}

/// Where a group's coordinator is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CoordinatorAddress {
    /// Its node.
    pub node: i32,
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A group as its coordinator describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupDescription {
    /// Its id.
    pub group_id: String,
    /// `Classic` or `Consumer`.
    pub group_type: &'static str,
    /// `consumer`, `connect`, …; empty where it only has offsets.
    pub protocol_type: String,
    /// `Stable`, `Empty`, …
    pub state: String,
    /// Who shares the partitions out; empty where nobody does.
    pub assignor: String,
    /// Who answered.
    pub coordinator: CoordinatorAddress,
    /// Epochs of the group and of its target assignment, of consumer groups.
    pub epochs: Option<(i32, i32)>,
    /// Its members, in the coordinator's order.
    pub members: Vec<MemberDescription>,
}

/// A member as the coordinator describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberDescription {
    /// Its id.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// `client.id`.
    pub client_id: String,
    /// Where it connects from, with Kafka's slash before it.
    pub host: String,
    /// What it has, sorted.
    pub assignment: Vec<TopicIndex>,
    /// What it shall have, of consumer groups.
    pub target: Option<Vec<TopicIndex>>,
    /// Its epoch, of consumer groups.
    pub epoch: Option<i32>,
    /// Whether it speaks the consumer protocol, in a consumer group that says so.
    pub is_upgraded: Option<bool>,
}

/// An offset that a group has committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommittedOffset {
    /// The next offset to read.
    pub offset: Offset,
    /// The leader epoch of what was read last, where it was said.
    pub leader_epoch: Option<i32>,
    /// What the committer wrote beside it.
    pub metadata: String,
}

/// The result for each partition that was asked about.
pub type PartitionErrors = BTreeMap<TopicIndex, ErrorCode>;

/// What is found out about each group: `None` while it has to be asked again.
type Found = BTreeMap<String, Option<Result<GroupDescription, ClientError>>>;

impl Client {
    /// Who coordinates groups, as one broker says it.
    pub(super) fn find_coordinators(
        &mut self,
        request: &FindCoordinatorRequest,
    ) -> Result<FindCoordinatorResponse, ClientError> {
        match self.call_any(request) {
            // Before Kafka 3.0 one group was asked about at a time.
            Err(ClientError::Malformed { .. } | ClientError::Unreachable { .. })
                if self.is_before::<FindCoordinatorRequest>(BATCHED_VERSION) =>
            {
                Err(too_old::<FindCoordinatorRequest>(BATCHED_VERSION))
            }
            result => result,
        }
    }

    /// Whether a broker that can be reached is too old for a version of a request.
    fn is_before<R: Request>(&mut self, lowest: i16) -> bool {
        let nodes: Vec<NodeId> = self.cluster().brokers().map(|broker| broker.node).collect();
        nodes.into_iter().any(|node| {
            self.version::<R>(node)
                .is_ok_and(|version| version < lowest)
        })
    }

    /// The broker that coordinates a group; remembered until it says otherwise.
    pub fn group_coordinator(&mut self, group_id: &str) -> Result<NodeId, ClientError> {
        let deadline = self.now().instant + self.options().request_timeout;
        loop {
            if let Some(&node) = self.coordinators.get(group_id) {
                return Ok(node);
            }
            let errors = self.locate(&[group_id.to_owned()])?;
            if let Some(error) = errors.into_values().next() {
                self.pause_or(deadline, error)?;
            }
        }
    }

    /// Finds the coordinators of groups; gives the errors of those that were not found.
    fn locate(&mut self, groups: &[String]) -> Result<BTreeMap<String, ClientError>, ClientError> {
        let request = FindCoordinatorRequest {
            coordinator_keys: groups.iter().map(Str::from).collect(),
            ..FindCoordinatorRequest::default()
        };
        let response = self.find_coordinators(&request)?;
        let mut errors = BTreeMap::new();
        for coordinator in &response.coordinators {
            let group_id = coordinator.key.to_string();
            match ErrorCode::from(coordinator.error_code) {
                ErrorCode::NONE => {
                    self.coordinators
                        .insert(group_id, NodeId(coordinator.node_id));
                }
                error => {
                    let what = format!("finding the coordinator of group {group_id}");
                    let message = said(coordinator.error_message.as_ref());
                    errors.insert(group_id, ClientError::kafka(&what, error, message));
                }
            }
        }
        let is_known = |node: &NodeId| self.cluster().broker(*node).is_some();
        if !self.coordinators.values().all(is_known) {
            self.refresh(Some(&[]), false)?;
        }
        Ok(errors)
    }

    /// Rests where the error may pass before the deadline; otherwise it is returned.
    fn pause_or(&mut self, deadline: Instant, error: ClientError) -> Result<(), ClientError> {
        if !error.is_retriable() || self.now().instant >= deadline {
            return Err(error);
        }
        self.pause(self.options().retry_backoff)
    }

    /// Asks a group's coordinator, in a version between `lowest` and `highest`, until the answer's
    /// error, which `judge` finds, is none that a retry may mend.
    fn ask_coordinator<R: Request>(
        &mut self,
        group_id: &str,
        request: &R,
        (lowest, highest): (i16, i16),
        judge: impl Fn(&R::Response) -> Result<(), ClientError>,
    ) -> Result<R::Response, ClientError> {
        let deadline = self.now().instant + self.options().request_timeout;
        loop {
            let node = self.group_coordinator(group_id)?;
            let answer = match self.version::<R>(node) {
                Ok(version) if version < lowest => Err(too_old::<R>(lowest)),
                Ok(_) => self.call_at_most(node, request, highest),
                Err(error) => Err(error),
            };
            let error = match answer.and_then(|response| judge(&response).map(|()| response)) {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if is_elsewhere(&error) {
                self.coordinators.remove(group_id);
            }
            self.pause_or(deadline, error)?;
        }
    }

    /// All groups, by id: those in one of the states and of one of the types, where such are
    /// given, in Kafka's spelling. Every broker is asked for those that it coordinates.
    pub fn list_groups(
        &mut self,
        states: &[&str],
        types: &[&str],
    ) -> Result<Vec<GroupListing>, ClientError> {
        self.refresh(Some(&[]), false)?;
        let nodes: Vec<NodeId> = self.cluster().brokers().map(|broker| broker.node).collect();
        let mut groups = BTreeMap::new();
        for node in nodes {
            for listing in self.groups_of(node, states, types)? {
                groups.insert(listing.group_id.clone(), listing);
            }
        }
        Ok(groups.into_values().collect())
    }

    fn groups_of(
        &mut self,
        node: NodeId,
        states: &[&str],
        types: &[&str],
    ) -> Result<Vec<GroupListing>, ClientError> {
        let version = self.version::<ListGroupsRequest>(node)?;
        if version < STATES_VERSION && !states.is_empty() {
            return Err(too_old::<ListGroupsRequest>(STATES_VERSION));
        }
        // Before there were types, all groups were classic.
        let classic_only = version < TYPES_VERSION && !types.is_empty();
        if classic_only && !types.contains(&"Classic") {
            return Ok(Vec::new());
        }
        let text = |words: &[&str]| words.iter().map(|&word| word.into()).collect();
        let request = ListGroupsRequest {
            states_filter: text(states),
            types_filter: if classic_only {
                Vec::new()
            } else {
                text(types)
            },
            ..ListGroupsRequest::default()
        };
        let deadline = self.now().instant + self.options().request_timeout;
        loop {
            let answer = self.call(node, &request);
            let result = answer.and_then(|response| {
                judged("ListGroups", response.error_code, None).map(|()| response)
            });
            match result {
                Ok(response) => {
                    let listings = response.groups.iter().map(|group| GroupListing {
                        group_id: group.group_id.to_string(),
                        protocol_type: group.protocol_type.to_string(),
                        state: group.group_state.to_string(),
                        group_type: spelled(&group.group_type),
                    });
                    return Ok(listings.collect());
                }
                Err(error) => self.pause_or(deadline, error)?,
            }
        }
    }

    /// Describes groups, each or why it cannot be; one that does not exist is
    /// [`ErrorCode::GROUP_ID_NOT_FOUND`].
    pub fn describe_groups(
        &mut self,
        groups: &[String],
    ) -> Result<BTreeMap<String, Result<GroupDescription, ClientError>>, ClientError> {
        let deadline = self.now().instant + self.options().request_timeout;
        let mut found: Found = groups.iter().map(|group| (group.clone(), None)).collect();
        loop {
            let open = |found: &Found| -> Vec<String> {
                let open = found.iter().filter(|(_, result)| result.is_none());
                open.map(|(group, _)| group.clone()).collect()
            };
            let lost: Vec<String> = open(&found)
                .into_iter()
                .filter(|group| !self.coordinators.contains_key(group))
                .collect();
            let mut last = BTreeMap::new();
            if !lost.is_empty() {
                last = self.locate(&lost)?;
            }
            let mut by_node: BTreeMap<NodeId, Vec<String>> = BTreeMap::new();
            for group in open(&found) {
                if let Some(&node) = self.coordinators.get(&group) {
                    by_node.entry(node).or_default().push(group);
                }
            }
            for (node, groups) in by_node {
                self.describe_at(node, &groups, &mut found, &mut last)?;
            }
            let is_late = self.now().instant >= deadline;
            for (group, error) in last {
                if is_elsewhere(&error) {
                    self.coordinators.remove(&group);
                }
                if is_late || !error.is_retriable() {
                    found.insert(group, Some(Err(error)));
                }
            }
            if found.values().all(Option::is_some) {
                let known = found.into_iter();
                return Ok(known
                    .filter_map(|(group, result)| result.map(|result| (group, result)))
                    .collect());
            }
            if is_late {
                return Err(ClientError::TimedOut {
                    what: "describing groups".to_owned(),
                    after: self.options().request_timeout,
                });
            }
            self.pause(self.options().retry_backoff)?;
        }
    }

    /// Asks one coordinator about its groups: as consumer groups, then those that are none as
    /// classic ones.
    fn describe_at(
        &mut self,
        node: NodeId,
        groups: &[String],
        found: &mut Found,
        last: &mut BTreeMap<String, ClientError>,
    ) -> Result<(), ClientError> {
        let broker = self.cluster().broker(node);
        let coordinator = CoordinatorAddress {
            node: node.0,
            host: broker.map(|broker| broker.host.clone()).unwrap_or_default(),
            port: broker.map_or(0, |broker| broker.port),
        };
        let mut classic_ones: Vec<Str> = Vec::new();
        let request = consumer::ConsumerGroupDescribeRequest {
            group_ids: groups.iter().map(Str::from).collect(),
            ..consumer::ConsumerGroupDescribeRequest::default()
        };
        match self.call(node, &request) {
            Ok(response) => {
                for group in response.groups {
                    let group_id = group.group_id.to_string();
                    match ErrorCode::from(group.error_code) {
                        ErrorCode::NONE => {
                            let described = described_consumer(&group, coordinator.clone());
                            found.insert(group_id, Some(Ok(described)));
                        }
                        ErrorCode::GROUP_ID_NOT_FOUND | ErrorCode::UNSUPPORTED_VERSION => {
                            classic_ones.push(group.group_id);
                        }
                        error => {
                            let message = said(group.error_message.as_ref());
                            last.insert(
                                group_id,
                                failed("describing", &group.group_id, error, message),
                            );
                        }
                    }
                }
            }
            Err(ClientError::Unsupported { .. }) => {
                classic_ones = groups.iter().map(Str::from).collect();
            }
            Err(error) if error.is_retriable() => {
                for group in groups {
                    self.coordinators.remove(group);
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if classic_ones.is_empty() {
            return Ok(());
        }
        let request = DescribeGroupsRequest {
            groups: classic_ones,
            ..DescribeGroupsRequest::default()
        };
        let response = match self.call(node, &request) {
            Err(error) if error.is_retriable() => {
                for group in groups {
                    self.coordinators.remove(group);
                }
                return Ok(());
            }
            result => result?,
        };
        for group in response.groups {
            let group_id = group.group_id.to_string();
            match ErrorCode::from(group.error_code) {
                ErrorCode::NONE => {
                    let described = described_classic(&group, coordinator.clone());
                    found.insert(group_id, Some(described));
                }
                error => {
                    let message = said(group.error_message.as_ref());
                    last.insert(
                        group_id,
                        failed("describing", &group.group_id, error, message),
                    );
                }
            }
        }
        Ok(())
    }

    /// All offsets that a group has committed.
    pub fn committed_offsets(
        &mut self,
        group_id: &str,
    ) -> Result<BTreeMap<TopicIndex, CommittedOffset>, ClientError> {
        let request = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: group_id.into(),
                topics: None,
                ..OffsetFetchRequestGroup::default()
            }],
            ..OffsetFetchRequest::default()
        };
        let versions = (GROUPS_VERSION, NAMED_TOPICS_VERSION);
        let response = self.ask_coordinator(group_id, &request, versions, |response| {
            response.groups.iter().try_for_each(|group| {
                let error = ErrorCode::from(group.error_code);
                none_or(error, || {
                    failed("fetching the offsets", group_id, error, None)
                })
            })
        })?;
        let mut offsets = BTreeMap::new();
        for topic in response.groups.iter().flat_map(|group| &group.topics) {
            let name: Rc<str> = Rc::from(&*topic.name);
            for partition in &topic.partitions {
                if partition.error_code != 0 || partition.committed_offset < 0 {
                    continue;
                }
                let epoch = partition.committed_leader_epoch;
                let committed = CommittedOffset {
                    offset: Offset(partition.committed_offset),
                    leader_epoch: Some(epoch).filter(|&epoch| epoch >= 0),
                    metadata: partition
                        .metadata
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default(),
                };
                offsets.insert((Rc::clone(&name), partition.partition_index), committed);
            }
        }
        Ok(offsets)
    }

    /// Commits offsets for a group without members; gives the result of each partition.
    pub fn alter_group_offsets(
        &mut self,
        group_id: &str,
        offsets: &BTreeMap<TopicIndex, Offset>,
    ) -> Result<PartitionErrors, ClientError> {
        if offsets.is_empty() {
            return Ok(PartitionErrors::new());
        }
        let request = requests::offset_commit(group_id, offsets);
        let versions = (0, NAMED_TOPICS_VERSION);
        let response = self.ask_coordinator::<OffsetCommitRequest>(
            group_id,
            &request,
            versions,
            |response| {
                let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
                partitions.try_for_each(|partition| {
                    let error = ErrorCode::from(partition.error_code);
                    // Only what concerns the whole group is tried again.
                    let concerns_group = matches!(
                        error,
                        ErrorCode::NOT_COORDINATOR
                            | ErrorCode::COORDINATOR_NOT_AVAILABLE
                            | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
                            | ErrorCode::REBALANCE_IN_PROGRESS
                    );
                    if concerns_group {
                        return Err(failed("committing offsets", group_id, error, None));
                    }
                    Ok(())
                })
            },
        )?;
        let mut results = PartitionErrors::new();
        for topic in &response.topics {
            let name: Rc<str> = Rc::from(&*topic.name);
            for partition in &topic.partitions {
                let key = (Rc::clone(&name), partition.partition_index);
                results.insert(key, ErrorCode::from(partition.error_code));
            }
        }
        Ok(results)
    }

    /// Deletes committed offsets; gives the result of each partition. An error of the whole group
    /// is returned.
    pub fn delete_group_offsets(
        &mut self,
        group_id: &str,
        partitions: &[TopicIndex],
    ) -> Result<PartitionErrors, ClientError> {
        let mut topics: BTreeMap<&Rc<str>, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
        for (topic, index) in partitions {
            let partition = OffsetDeleteRequestPartition {
                partition_index: *index,
                ..OffsetDeleteRequestPartition::default()
            };
            topics.entry(topic).or_default().push(partition);
        }
        let request = OffsetDeleteRequest {
            group_id: group_id.into(),
            topics: topics
                .into_iter()
                .map(|(topic, partitions)| OffsetDeleteRequestTopic {
                    name: (&**topic).into(),
                    partitions,
                    ..OffsetDeleteRequestTopic::default()
                })
                .collect(),
            ..OffsetDeleteRequest::default()
        };
        let response = self.ask_coordinator(group_id, &request, (0, i16::MAX), |response| {
            let error = ErrorCode::from(response.error_code);
            none_or(error, || failed("deleting offsets", group_id, error, None))
        })?;
        let mut results = PartitionErrors::new();
        for topic in &response.topics {
            let name: Rc<str> = Rc::from(&*topic.name);
            for partition in &topic.partitions {
                let key = (Rc::clone(&name), partition.partition_index);
                results.insert(key, ErrorCode::from(partition.error_code));
            }
        }
        Ok(results)
    }

    /// Deletes a group with its offsets; it must have no members.
    pub fn delete_group(&mut self, group_id: &str) -> Result<(), ClientError> {
        let request = DeleteGroupsRequest {
            groups_names: vec![group_id.into()],
            ..DeleteGroupsRequest::default()
        };
        self.ask_coordinator(group_id, &request, (0, i16::MAX), |response| {
            response.results.iter().try_for_each(|result| {
                let error = ErrorCode::from(result.error_code);
                let message = said(result.error_message.as_ref());
                none_or(error, || failed("deleting", group_id, error, message))
            })
        })
        .map(|_| ())
    }

    /// Removes static members, by their instance ids, from a classic group. KIP-571.
    pub fn remove_group_members(
        &mut self,
        group_id: &str,
        instance_ids: &[String],
    ) -> Result<(), ClientError> {
        let request = LeaveGroupRequest {
            group_id: group_id.into(),
            members: instance_ids
                .iter()
                .map(|instance_id| MemberIdentity {
                    group_instance_id: Some(instance_id.as_str().into()),
                    reason: Some("removed by an administrator".into()),
                    ..MemberIdentity::default()
                })
                .collect(),
            ..LeaveGroupRequest::default()
        };
        self.ask_coordinator(
            group_id,
            &request,
            (MEMBERS_VERSION, i16::MAX),
            |response| {
                let of_members = response.members.iter().map(|member| member.error_code);
                std::iter::once(response.error_code)
                    .chain(of_members)
                    .map(ErrorCode::from)
                    .try_for_each(|error| {
                        none_or(error, || failed("removing members", group_id, error, None))
                    })
            },
        )
        .map(|_| ())
    }
}

/// Whether another broker has to be asked.
fn is_elsewhere(error: &ClientError) -> bool {
    match error {
        ClientError::Connect { .. } | ClientError::Disconnected { .. } => true,
        ClientError::Kafka { error, .. } => matches!(
            *error,
            ErrorCode::NOT_COORDINATOR | ErrorCode::COORDINATOR_NOT_AVAILABLE
        ),
        ClientError::Address { .. }
        | ClientError::Unreachable { .. }
        | ClientError::TimedOut { .. }
        | ClientError::Malformed { .. }
        | ClientError::Unsupported { .. }
        | ClientError::Batch { .. } => false,
    }
}

fn too_old<R: Request>(lowest: i16) -> ClientError {
    ClientError::Unsupported {
        api: R::KEY.name().to_owned(),
        broker: Some((0, lowest - 1)),
    }
}

fn said(message: Option<&Str>) -> Option<String> {
    message
        .map(ToString::to_string)
        .filter(|text| !text.is_empty())
}

fn failed(what: &str, group_id: &str, error: ErrorCode, message: Option<String>) -> ClientError {
    ClientError::kafka(&format!("{what} of group {group_id}"), error, message)
}

fn none_or(error: ErrorCode, failure: impl FnOnce() -> ClientError) -> Result<(), ClientError> {
    if error.is_none() {
        Ok(())
    } else {
        Err(failure())
    }
}

fn judged(what: &str, code: i16, message: Option<String>) -> Result<(), ClientError> {
    let error = ErrorCode::from(code);
    none_or(error, || ClientError::kafka(what, error, message))
}

/// A type in Kafka's spelling, whatever the broker's.
fn spelled(group_type: &str) -> String {
    let mut letters = group_type.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}

fn described_consumer(
    group: &consumer::DescribedGroup,
    coordinator: CoordinatorAddress,
) -> GroupDescription {
    let partitions = |assignment: &consumer::Assignment| {
        let mut partitions = Vec::new();
        for topic in &assignment.topic_partitions {
            let name: Rc<str> = Rc::from(&*topic.topic_name);
            let indexes = topic.partitions.iter();
            partitions.extend(indexes.map(|&index| (Rc::clone(&name), index)));
        }
        partitions.sort();
        partitions
    };
    let members = group.members.iter().map(|member| MemberDescription {
        member_id: member.member_id.to_string(),
        instance_id: member.instance_id.as_ref().map(ToString::to_string),
        client_id: member.client_id.to_string(),
        host: member.client_host.to_string(),
        assignment: partitions(&member.assignment),
        target: Some(partitions(&member.target_assignment)),
        epoch: Some(member.member_epoch),
        is_upgraded: (member.member_type >= 0).then_some(member.member_type == CONSUMER_MEMBER),
    });
    GroupDescription {
        group_id: group.group_id.to_string(),
        group_type: "Consumer",
        protocol_type: CONSUMER_PROTOCOL_TYPE.to_owned(),
        state: group.group_state.to_string(),
        assignor: group.assignor_name.to_string(),
        coordinator,
        epochs: Some((group.group_epoch, group.assignment_epoch)),
        members: members.collect(),
    }
}

fn described_classic(
    group: &classic::DescribedGroup,
    coordinator: CoordinatorAddress,
) -> Result<GroupDescription, ClientError> {
    let is_consumers =
        group.protocol_type.is_empty() || &*group.protocol_type == CONSUMER_PROTOCOL_TYPE;
    let members = group.members.iter().map(|member| {
        // What members of other kinds of groups say to each other is not known here.
        let assignment = if is_consumers {
            decode_assignment(&member.member_assignment)?
        } else {
            Vec::new()
        };
        Ok(MemberDescription {
            member_id: member.member_id.to_string(),
            instance_id: member.group_instance_id.as_ref().map(ToString::to_string),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
            assignment,
            target: None,
            epoch: None,
            is_upgraded: None,
        })
    });
    let members = members.collect::<Result<_, ClientError>>()?;
    if &*group.group_state == "Dead" {
        // So answered brokers before DescribeGroups 6 where there is no such group.
        let message = format!("Group {} not found.", group.group_id);
        let error = ErrorCode::GROUP_ID_NOT_FOUND;
        return Err(failed("describing", &group.group_id, error, Some(message)));
    }
    Ok(GroupDescription {
        group_id: group.group_id.to_string(),
        group_type: "Classic",
        protocol_type: group.protocol_type.to_string(),
        state: group.group_state.to_string(),
        assignor: group.protocol_data.to_string(),
        coordinator,
        epochs: None,
        members,
    })
}
