//! Lists of groups, and what their coordinators say of each: classic ones and consumer groups alike.

use super::coordinators::is_elsewhere;
use super::{failed, none_or, said, too_old};
use crate::base::ids::NodeId;
use crate::client::blocking::Client;
use crate::client::error::ClientError;
use crate::client::group::range::{CONSUMER_PROTOCOL_TYPE, TopicIndex, decode_assignment};
use crate::protocol::messages::consumer_group_describe as consumer;
use crate::protocol::messages::describe_groups::{self as classic, DescribeGroupsRequest};
use crate::protocol::messages::list_groups::ListGroupsRequest;
use crate::protocol::{ErrorCode, Str};
use std::collections::BTreeMap;
use std::rc::Rc;

/// First version of ListGroups that filters by state.
const STATES_VERSION: i16 = 4;

/// First version of ListGroups that filters by type. KIP-848.
const TYPES_VERSION: i16 = 5;

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

/// What is found out about each group: `None` while it has to be asked again.
type Found = BTreeMap<String, Option<Result<GroupDescription, ClientError>>>;

impl Client {
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
