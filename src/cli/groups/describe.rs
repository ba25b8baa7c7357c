//! `klamm groups --describe`: offsets with their lag, members, or the state. Each row is collected
//! first and printed then, because the widest cell makes the width of its column.

use super::{Errand, NAME_WIDTH, column, java};
use crate::base::ids::Offset;
use crate::cli::error::CliError;
use crate::cli::output::notice;
use crate::client::ClientError;
use crate::client::admin::OffsetSpec;
use crate::client::group::range::TopicIndex;
use crate::client::group_admin::{CommittedOffset, GroupDescription, MemberDescription};
use crate::protocol::ErrorCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What stands in a cell without a value.
const MISSING: &str = "-";

/// One partition of a group: who reads it, and how far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OffsetRow {
    pub partition: TopicIndex,
    pub committed: Option<CommittedOffset>,
    /// The end of the log; `None` where the partition has no leader, or is gone.
    pub end: Option<Offset>,
    /// Member id, host and client id of its reader.
    pub reader: Option<[String; 3]>,
}

impl OffsetRow {
    fn lag(&self) -> Option<i64> {
        let committed = self.committed.as_ref()?;
        Some(self.end?.0.saturating_sub(committed.offset.0))
    }
}

impl Errand<'_, '_> {
    /// Describes the groups that the arguments name.
    pub fn describe(&mut self) -> Result<(), CliError> {
        let groups = self.groups()?;
        let results = self
            .client
            .describe_groups(&groups)
            .map_err(|error| java::failed(&error))?;
        let mut described = Vec::new();
        for (group, result) in results {
            match result {
                Ok(description) => described.push(description),
                // Gone since it was listed: that is what the others are asked about for.
                Err(error)
                    if self.arguments.all_groups
                        && error.code() == Some(ErrorCode::GROUP_ID_NOT_FOUND) => {}
                Err(error) => {
                    let why = not_described(&group, &error);
                    self.complain(java::command_failed(why))?;
                }
            }
        }
        let mut objects = Vec::new();
        for group in described {
            let object = if self.arguments.members {
                self.describe_members(&group)?
            } else if self.arguments.state.is_some() {
                self.describe_state(&group)?
            } else {
                self.describe_offsets(&group)?
            };
            objects.push(object);
        }
        if self.is_json() {
            self.output.line(Value::from(objects))?;
        }
        Ok(())
    }

    fn describe_offsets(&mut self, group: &GroupDescription) -> Result<Value, CliError> {
        let committed = self
            .client
            .committed_offsets(&group.group_id)
            .map_err(|error| java::failed(&error))?;
        let mut wanted: Vec<TopicIndex> = committed.keys().cloned().collect();
        for member in &group.members {
            wanted.extend(member.assignment.iter().cloned());
        }
        wanted.sort();
        wanted.dedup();
        let ends = self.ends(&wanted)?;
        let rows = offset_rows(group, &committed, &ends);
        if !self.is_json() && says_state(group) && !rows.is_empty() {
            let verbose = self.arguments.verbose;
            for line in offset_lines(&group.group_id, &rows, verbose) {
                self.output.line(line)?;
            }
        }
        Ok(offsets_json(group, &rows))
    }

    /// The ends of those partitions that have a leader.
    fn ends(&mut self, wanted: &[TopicIndex]) -> Result<BTreeMap<TopicIndex, Offset>, CliError> {
        self.look_up(wanted)?;
        let led: Vec<TopicIndex> = wanted
            .iter()
            .filter(|(topic, index)| self.client.cluster().leader(topic, *index).is_some())
            .cloned()
            .collect();
        let listed = self
            .client
            .list_offsets(&led, OffsetSpec::LATEST)
            .map_err(|error| java::failed(&error))?;
        Ok(listed
            .into_iter()
            .filter_map(|listed| {
                let end = listed.result.ok().flatten()?;
                Some(((listed.topic, listed.partition), end))
            })
            .collect())
    }

    /// Asks about the topics of partitions.
    pub fn look_up(&mut self, partitions: &[TopicIndex]) -> Result<(), CliError> {
        let mut topics: Vec<&str> = partitions.iter().map(|(topic, _)| &**topic).collect();
        topics.sort_unstable();
        topics.dedup();
        self.client
            .refresh(Some(&topics), false)
            .map_err(|error| java::failed(&error))
    }

    fn describe_members(&mut self, group: &GroupDescription) -> Result<Value, CliError> {
        if !self.is_json() {
            says_state(group);
            for line in member_lines(group, self.arguments.verbose) {
                self.output.line(line)?;
            }
        }
        Ok(members_json(group))
    }

    fn describe_state(&mut self, group: &GroupDescription) -> Result<Value, CliError> {
        if !self.is_json() && says_state(group) {
            for line in state_lines(group, self.arguments.verbose) {
                self.output.line(line)?;
            }
        }
        Ok(state_json(group))
    }
}

/// Why a group is not described, as Java's exception has it.
fn not_described(group: &str, error: &ClientError) -> String {
    match error {
        ClientError::Kafka { error, message, .. } => {
            let is_missing = *error == ErrorCode::GROUP_ID_NOT_FOUND;
            let message = match message {
                None if is_missing => Some(format!("Group {group} not found.")),
                message => message.clone(),
            };
            java::exception_of(*error, message.as_deref())
        }
        ClientError::Address { .. }
        | ClientError::Unreachable { .. }
        | ClientError::Connect { .. }
        | ClientError::Disconnected { .. }
        | ClientError::TimedOut { .. }
        | ClientError::Malformed { .. }
        | ClientError::Unsupported { .. }
        | ClientError::Batch { .. } => error.to_string(),
    }
}

/// Says on standard error what a group's state means for what is shown; whether the group has
/// anything to show.
fn says_state(group: &GroupDescription) -> bool {
    let id = &group.group_id;
    match group.state.as_str() {
        "Dead" => {
            notice(format_args!(
                "\nError: Consumer group '{id}' does not exist."
            ));
            return false;
        }
        "Empty" => notice(format_args!(
            "\nConsumer group '{id}' has no active members."
        )),
        "PreparingRebalance" | "CompletingRebalance" | "Assigning" | "Reconciling" => {
            notice(format_args!(
                "\nWarning: Consumer group '{id}' is rebalancing."
            ));
        }
        _ => {}
    }
    true
}

/// The rows of a group: first by reader, those with most partitions before others; then what
/// nobody reads.
pub fn offset_rows(
    group: &GroupDescription,
    committed: &BTreeMap<TopicIndex, CommittedOffset>,
    ends: &BTreeMap<TopicIndex, Offset>,
) -> Vec<OffsetRow> {
    let row = |partition: &TopicIndex, reader: Option<&MemberDescription>| OffsetRow {
        partition: partition.clone(),
        committed: committed.get(partition).cloned(),
        end: ends.get(partition).copied(),
        reader: reader
            .map(|member| [&member.member_id, &member.host, &member.client_id].map(String::clone)),
    };
    let mut members: Vec<&MemberDescription> = group.members.iter().collect();
    members.sort_by_key(|member| std::cmp::Reverse(member.assignment.len()));
    let mut rows = Vec::new();
    for member in members {
        rows.extend(
            member
                .assignment
                .iter()
                .map(|partition| row(partition, Some(member))),
        );
    }
    let is_read = |partition: &TopicIndex| rows.iter().any(|row| row.partition == *partition);
    let unread: Vec<&TopicIndex> = committed
        .keys()
        .filter(|partition| !is_read(partition))
        .collect();
    rows.extend(unread.into_iter().map(|partition| row(partition, None)));
    rows
}

fn shown(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| MISSING.to_owned(), |value| value.to_string())
}

/// Cells side by side, each padded to the width of its column; those of width 0 are not.
fn padded(cells: &[(&str, usize)]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .map(|(cell, width)| format!("{cell:<width$}"))
        .collect();
    cells.join(" ")
}

pub fn offset_lines(group: &str, rows: &[OffsetRow], verbose: bool) -> Vec<String> {
    let reader = |row: &OffsetRow, index: usize| {
        let cell = row.reader.as_ref().and_then(|reader| reader.get(index));
        cell.cloned().unwrap_or_else(|| MISSING.to_owned())
    };
    let width = |index: usize| {
        let cells: Vec<String> = rows.iter().map(|row| reader(row, index)).collect();
        column(NAME_WIDTH, cells.iter().map(String::as_str))
    };
    let group_width = column(NAME_WIDTH, std::iter::once(group));
    let topic_width = column(NAME_WIDTH, rows.iter().map(|row| &*row.partition.0));
    let (id_width, host_width) = (width(0), width(1));
    let line = |cells: [&str; 10]| {
        let [
            group,
            topic,
            partition,
            epoch,
            current,
            end,
            lag,
            id,
            host,
            client,
        ] = cells;
        let mut line = vec![(group, group_width), (topic, topic_width), (partition, 10)];
        if verbose {
            line.push((epoch, 15));
        }
        line.extend([(current, 15), (end, 15), (lag, 15)]);
        line.extend([(id, id_width), (host, host_width), (client, 0)]);
        padded(&line)
    };
    let mut lines = vec![String::new()];
    lines.push(line([
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ]));
    lines.extend(rows.iter().map(|row| {
        let committed = row.committed.as_ref();
        line([
            group,
            &row.partition.0,
            &row.partition.1.to_string(),
            &shown(committed.and_then(|committed| committed.leader_epoch)),
            &shown(committed.map(|committed| committed.offset)),
            &shown(row.end),
            &shown(row.lag()),
            &reader(row, 0),
            &reader(row, 1),
            &reader(row, 2),
        ])
    }));
    lines
}

pub fn offsets_json(group: &GroupDescription, rows: &[OffsetRow]) -> Value {
    let partitions: Vec<Value> = rows
        .iter()
        .map(|row| {
            let committed = row.committed.as_ref();
            let [id, host, client] = row
                .reader
                .clone()
                .map_or([None, None, None], |reader| reader.map(Some));
            json!({
                "topic": &*row.partition.0, "partition": row.partition.1,
                "leaderEpoch": committed.and_then(|committed| committed.leader_epoch),
                "currentOffset": committed.map(|committed| committed.offset.0),
                "logEndOffset": row.end.map(|end| end.0), "lag": row.lag(),
                "consumerId": id, "host": host, "clientId": client,
            })
        })
        .collect();
    json!({ "group": group.group_id, "state": group.state, "partitions": partitions })
}

/// Partitions as `topic:0,1;other:2`.
fn assignment(partitions: &[TopicIndex]) -> String {
    let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (topic, index) in partitions {
        topics.entry(topic).or_default().push(index.to_string());
    }
    if topics.is_empty() {
        return MISSING.to_owned();
    }
    let topics: Vec<String> = topics
        .into_iter()
        .map(|(topic, indexes)| format!("{topic}:{}", indexes.join(",")))
        .collect();
    topics.join(";")
}

/// The cells of a member, in the order of [`member_lines`].
fn member_cells(group: &GroupDescription, member: &MemberDescription) -> [String; 11] {
    [
        group.group_id.clone(),
        member.member_id.clone(),
        member.instance_id.clone().unwrap_or_default(),
        member.host.clone(),
        member.client_id.clone(),
        member.assignment.len().to_string(),
        shown(member.epoch),
        assignment(&member.assignment),
        shown(group.epochs.map(|(_, target)| target)),
        assignment(member.target.as_deref().unwrap_or_default()),
        shown(member.is_upgraded),
    ]
}

/// Kafka's tool prints the header of a group without members, too.
pub fn member_lines(group: &GroupDescription, verbose: bool) -> Vec<String> {
    const HEADER: [&str; 11] = [
        "GROUP",
        "CONSUMER-ID",
        "GROUP-INSTANCE-ID",
        "HOST",
        "CLIENT-ID",
        "#PARTITIONS",
        "CURRENT-EPOCH",
        "CURRENT-ASSIGNMENT",
        "TARGET-EPOCH",
        "TARGET-ASSIGNMENT",
        "UPGRADED",
    ];
    const WIDTHS: [usize; 11] = [15, 15, 17, 15, 15, 15, 15, 20, 15, 20, 0];
    /// Columns as wide as their widest cell.
    const STRETCHES: [bool; 11] = [
        true, true, true, true, true, false, false, true, false, true, false,
    ];
    let members = &group.members;
    let rows: Vec<[String; 11]> = members
        .iter()
        .map(|member| member_cells(group, member))
        .collect();
    let has_instances = members.iter().any(|member| {
        let instance_id = member.instance_id.as_ref();
        instance_id.is_some_and(|id| !id.is_empty())
    });
    let some = |upgraded| {
        members
            .iter()
            .any(|member| member.is_upgraded == Some(upgraded))
    };
    let is_migrating = some(true) && some(false);
    let is_shown = |index: usize| match index {
        2 => has_instances,
        0..=5 => true,
        10 => verbose && is_migrating,
        _ => verbose,
    };
    let width = |index: usize| {
        if STRETCHES[index] {
            column(WIDTHS[index], rows.iter().map(|row| row[index].as_str()))
        } else {
            WIDTHS[index]
        }
    };
    let line = |cells: &dyn Fn(usize) -> String| {
        let mut line = String::new();
        for index in (0..HEADER.len()).filter(|&index| is_shown(index)) {
            let (cell, width) = (cells(index), width(index));
            line += &format!("{cell:<width$}");
            // The first six columns end in a space even where nothing follows.
            let is_last = index == 10 || index == 9 && !is_migrating;
            if !is_last {
                line.push(' ');
            }
        }
        line
    };
    let mut lines = vec![String::new(), line(&|index| HEADER[index].to_owned())];
    lines.extend(rows.iter().map(|row| line(&|index| row[index].clone())));
    lines
}

pub fn members_json(group: &GroupDescription) -> Value {
    let partitions = |partitions: &[TopicIndex]| -> Vec<Value> {
        let partitions = partitions.iter();
        partitions
            .map(|(topic, index)| json!({ "topic": &**topic, "partition": index }))
            .collect()
    };
    let members: Vec<Value> = group
        .members
        .iter()
        .map(|member| {
            json!({
                "consumerId": member.member_id, "groupInstanceId": member.instance_id,
                "host": member.host, "clientId": member.client_id,
                "epoch": member.epoch, "upgraded": member.is_upgraded,
                "assignment": partitions(&member.assignment),
                "targetAssignment": member.target.as_deref().map(partitions),
            })
        })
        .collect();
    json!({ "group": group.group_id, "state": group.state, "members": members })
}

pub fn state_lines(group: &GroupDescription, verbose: bool) -> Vec<String> {
    let at = &group.coordinator;
    let coordinator = format!("{}:{}  ({})", at.host, at.port, at.node);
    let group_width = column(NAME_WIDTH, std::iter::once(group.group_id.as_str()));
    let coordinator_width = column(25, std::iter::once(coordinator.as_str()));
    let line = |cells: [&str; 7]| {
        let [id, coordinator, assignor, state, epoch, target, members] = cells;
        let mut line = vec![(id, group_width), (coordinator, coordinator_width)];
        line.extend([(assignor, 20), (state, 20)]);
        if verbose {
            line.extend([(epoch, 15), (target, 25)]);
        }
        line.push((members, 0));
        padded(&line)
    };
    let assignor = Some(group.assignor.as_str()).filter(|assignor| !assignor.is_empty());
    vec![
        String::new(),
        line([
            "GROUP",
            "COORDINATOR (ID)",
            "ASSIGNMENT-STRATEGY",
            "STATE",
            "GROUP-EPOCH",
            "TARGET-ASSIGNMENT-EPOCH",
            "#MEMBERS",
        ]),
        line([
            &group.group_id,
            &coordinator,
            assignor.unwrap_or(MISSING),
            &group.state,
            &shown(group.epochs.map(|(epoch, _)| epoch)),
            &shown(group.epochs.map(|(_, target)| target)),
            &group.members.len().to_string(),
        ]),
    ]
}

pub fn state_json(group: &GroupDescription) -> Value {
    json!({
        "group": group.group_id, "type": group.group_type, "state": group.state,
        "protocolType": group.protocol_type, "assignmentStrategy": group.assignor,
        "coordinator": {
            "id": group.coordinator.node, "host": group.coordinator.host,
            "port": group.coordinator.port,
        },
        "groupEpoch": group.epochs.map(|(epoch, _)| epoch),
        "targetAssignmentEpoch": group.epochs.map(|(_, target)| target),
        "members": group.members.len(),
    })
}
