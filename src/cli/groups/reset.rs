//! `klamm groups --reset-offsets`: what each group would read next, shown, exported, or committed.

use super::plan::{self, Plan};
use super::{Errand, GroupsArguments, NAME_WIDTH, column, java, time};
use crate::base::ids::Offset;
use crate::cli::error::CliError;
use crate::cli::output::notice;
use crate::client::admin::OffsetSpec;
use crate::client::group::range::TopicIndex;
use crate::protocol::ErrorCode;
use crate::runtime::disk::Disk;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Largest plan that is read.
const PLAN_BYTES_MAX: usize = 256 << 20;

/// Offsets by partition.
type Offsets = BTreeMap<TopicIndex, Offset>;

/// Where offsets are reset to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// This offset, or the nearest that the partition has.
    Offset(i64),
    /// So many records from the committed offset.
    ShiftBy(i64),
    /// The first record of a time, in ms since 1970.
    Time(i64),
    /// The first record not older than so many ms.
    Age(i64),
    Earliest,
    Latest,
    /// The committed offset; the end where nothing is committed.
    Current,
    /// What a file says.
    Plan(Plan),
}

/// What the flags say; `None` where no reset is asked for.
pub fn target(arguments: &GroupsArguments) -> Result<Option<Target>, CliError> {
    if !arguments.reset_offsets {
        return Ok(None);
    }
    let only = match arguments.group.as_slice() {
        [group] => Some(group.as_str()),
        [] | [_, ..] => None,
    };
    let target = if let Some(offset) = arguments.to_offset {
        Target::Offset(offset)
    } else if arguments.to_earliest {
        Target::Earliest
    } else if arguments.to_latest {
        Target::Latest
    } else if let Some(by) = arguments.shift_by {
        Target::ShiftBy(by)
    } else if let Some(text) = &arguments.to_datetime {
        Target::Time(time::parse_datetime(text)?)
    } else if let Some(text) = &arguments.by_duration {
        Target::Age(time::parse_duration(text)?)
    } else if let Some(path) = &arguments.from_file {
        let failed = |why: &dyn std::fmt::Display| {
            CliError::Failed(format!("cannot read {}: {why}", path.display()))
        };
        let bytes = Disk::Native
            .read(path, PLAN_BYTES_MAX)
            .map_err(|error| failed(&error))?;
        let text = String::from_utf8(bytes).map_err(|_| failed(&"it is not UTF-8"))?;
        Target::Plan(plan::parse(&text, only)?)
    } else if arguments.to_current {
        Target::Current
    } else {
        return Err(CliError::Usage(
            "Option '[reset-offsets]' requires one of the following scenarios: [to-offset], \
             [to-datetime], [by-duration], [to-earliest], [to-latest], [shift-by], [from-file], \
             [to-current]"
                .to_owned(),
        ));
    };
    Ok(Some(target))
}

impl Errand<'_, '_> {
    /// Resets the groups that the arguments name; those with members are left alone.
    pub fn reset(&mut self, target: &Target) -> Result<(), CliError> {
        if !self.arguments.execute && !self.arguments.dry_run {
            notice(
                "WARN: No action will be performed as the --execute option is missing. In version \
                 5.0, this command will require either --dry-run or --execute to be specified. You \
                 should add the --dry-run option explicitly if you are scripting this command and \
                 want to keep the current default behavior without prompting.",
            );
        }
        let groups = self.groups()?;
        let described = self
            .client
            .describe_groups(&groups)
            .map_err(|error| java::failed(&error))?;
        let streams = self.streams_groups();
        let mut plan = Plan::new();
        for (group, result) in described {
            let mut offsets = Offsets::new();
            match result {
                _ if streams.contains(&group) => self.complain(format_args!(
                    "Group '{group}' is a streams group. Use kafka-streams-groups.sh to reset its \
                     offsets."
                ))?,
                Ok(described) if !matches!(described.state.as_str(), "Empty" | "Dead") => self
                    .complain(format_args!(
                        "Assignments can only be reset if the group '{group}' is inactive, but \
                         the current state is {}.",
                        described.state
                    ))?,
                Ok(_) => offsets = self.reset_group(&group, target)?,
                // A group that is not there yet begins where it is reset to.
                Err(error) if error.code() == Some(ErrorCode::GROUP_ID_NOT_FOUND) => {
                    offsets = self.reset_group(&group, target)?;
                }
                Err(error) => return Err(java::failed(&error)),
            }
            plan.insert(group, offsets);
        }
        self.print(&plan)
    }

    /// Ids of the groups of Kafka Streams' own protocol. A broker that does not know of such has
    /// none.
    fn streams_groups(&mut self) -> Vec<String> {
        let listings = self.client.list_groups(&[], &["Streams"]);
        let ids = listings.unwrap_or_default().into_iter();
        ids.map(|listing| listing.group_id).collect()
    }

    fn reset_group(&mut self, group: &str, target: &Target) -> Result<Offsets, CliError> {
        let wanted = self.scope(group)?;
        let offsets = self.offsets(group, &wanted, target)?;
        if self.arguments.execute {
            let results = self
                .client
                .alter_group_offsets(group, &offsets)
                .map_err(|error| java::failed(&error))?;
            let failed: Vec<String> = results
                .iter()
                .filter(|(_, error)| !error.is_none())
                .map(|((topic, index), _)| format!("{topic}-{index}"))
                .collect();
            let first = results.values().find(|error| !error.is_none());
            if let Some(first) = first {
                return Err(CliError::Failed(java::command_failed(format_args!(
                    "the offsets of {} of group {group} were not committed: {}",
                    failed.join(", "),
                    java::sentence(*first)
                ))));
            }
        }
        Ok(offsets)
    }

    /// The partitions to reset.
    fn scope(&mut self, group: &str) -> Result<Vec<TopicIndex>, CliError> {
        let (wanted, missing) = if self.arguments.all_topics {
            let committed = self.client.committed_offsets(group);
            let committed = committed.map_err(|error| java::failed(&error))?;
            (committed.into_keys().collect(), Vec::new())
        } else {
            self.named_partitions()?
        };
        if !missing.is_empty() {
            let why = java::sentence(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
            return Err(CliError::Failed(java::command_failed(why)));
        }
        self.check_partitions(&wanted)?;
        Ok(wanted)
    }

    /// Refuses partitions that do not exist, or have no leader.
    fn check_partitions(&mut self, partitions: &[TopicIndex]) -> Result<(), CliError> {
        self.look_up(partitions)?;
        let cluster = self.client.cluster();
        let names = |is_wrong: &dyn Fn(&TopicIndex) -> bool| -> String {
            let wrong = partitions.iter().filter(|partition| is_wrong(partition));
            let names: Vec<String> = wrong
                .map(|(topic, index)| format!("{topic}-{index}"))
                .collect();
            names.join(",")
        };
        let missing = names(&|(topic, index)| cluster.partition(topic, *index).is_none());
        let headless = names(&|(topic, index)| cluster.leader(topic, *index).is_none());
        let why = if !missing.is_empty() {
            format!("The partitions \"{missing}\" do not exist")
        } else if !headless.is_empty() {
            format!("The partitions \"{headless}\" have no leader")
        } else {
            return Ok(());
        };
        Err(CliError::Failed(java::command_failed(why)))
    }

    fn offsets(
        &mut self,
        group: &str,
        wanted: &[TopicIndex],
        target: &Target,
    ) -> Result<Offsets, CliError> {
        match target {
            Target::Offset(offset) => {
                let all = wanted.iter().map(|key| (key.clone(), Offset(*offset)));
                self.within_range(all.collect())
            }
            Target::Earliest => self.listed(wanted, OffsetSpec::EARLIEST),
            Target::Latest => self.listed(wanted, OffsetSpec::LATEST),
            Target::Time(at) => self.at_time(wanted, *at),
            Target::Age(age) => {
                let now = self.client.now().timestamp.0;
                self.at_time(wanted, now.saturating_sub(*age))
            }
            Target::ShiftBy(by) => {
                let committed = self.committed(group)?;
                let mut shifted = Offsets::new();
                for key in wanted {
                    let Some(offset) = committed.get(key) else {
                        return Err(CliError::Usage(format!(
                            "Cannot shift offset for partition {}-{} since there is no current \
                             committed offset",
                            key.0, key.1
                        )));
                    };
                    shifted.insert(key.clone(), Offset(offset.0.saturating_add(*by)));
                }
                self.within_range(shifted)
            }
            Target::Current => {
                let committed = self.committed(group)?;
                let (known, unknown): (Vec<TopicIndex>, Vec<TopicIndex>) = wanted
                    .iter()
                    .cloned()
                    .partition(|key| committed.contains_key(key));
                let mut offsets = self.listed(&unknown, OffsetSpec::LATEST)?;
                offsets.extend(known.into_iter().filter_map(|key| {
                    let offset = committed.get(&key).copied()?;
                    Some((key, offset))
                }));
                Ok(offsets)
            }
            Target::Plan(plan) => {
                let Some(offsets) = plan.get(group) else {
                    self.complain(format_args!("No reset plan for group {group} found"))?;
                    return Ok(Offsets::new());
                };
                let partitions: Vec<TopicIndex> = offsets.keys().cloned().collect();
                self.check_partitions(&partitions)?;
                self.within_range(offsets.clone())
            }
        }
    }

    fn committed(&mut self, group: &str) -> Result<Offsets, CliError> {
        let committed = self
            .client
            .committed_offsets(group)
            .map_err(|error| java::failed(&error))?;
        Ok(committed
            .into_iter()
            .map(|(key, committed)| (key, committed.offset))
            .collect())
    }

    /// The offsets that leaders have for it; where there is none, the end.
    fn listed(&mut self, wanted: &[TopicIndex], spec: OffsetSpec) -> Result<Offsets, CliError> {
        let listed = self
            .client
            .list_offsets(wanted, spec)
            .map_err(|error| java::failed(&error))?;
        let mut offsets = Offsets::new();
        for listed in listed {
            let offset = listed.result.map_err(|error| {
                CliError::Failed(java::command_failed(java::exception_of(error, None)))
            })?;
            if let Some(offset) = offset {
                offsets.insert((listed.topic, listed.partition), offset);
            }
        }
        Ok(offsets)
    }

    fn at_time(&mut self, wanted: &[TopicIndex], at: i64) -> Result<Offsets, CliError> {
        // Negative ones are not times on the wire: the first record is not older than 1970.
        let mut offsets = self.listed(wanted, OffsetSpec(at.max(0)))?;
        let without: Vec<TopicIndex> = wanted
            .iter()
            .filter(|key| !offsets.contains_key(key))
            .cloned()
            .collect();
        for (topic, index) in &without {
            let warning = format!(
                "\nWarn: Partition {index} from topic {topic} is empty. Falling back to latest \
                 known offset."
            );
            if self.is_json() {
                notice(warning.trim_start());
            } else {
                self.output.line(warning)?;
            }
        }
        offsets.extend(self.listed(&without, OffsetSpec::LATEST)?);
        Ok(offsets)
    }

    /// The nearest offsets that the partitions have, with a warning where it is another one.
    fn within_range(&mut self, offsets: Offsets) -> Result<Offsets, CliError> {
        let wanted: Vec<TopicIndex> = offsets.keys().cloned().collect();
        let starts = self.listed(&wanted, OffsetSpec::EARLIEST)?;
        let ends = self.listed(&wanted, OffsetSpec::LATEST)?;
        Ok(offsets
            .into_iter()
            .map(|(key, offset)| {
                let (start, end) = (starts.get(&key).copied(), ends.get(&key).copied());
                let (kept, warning) = clamped(&key, offset, start, end);
                if let Some(warning) = warning {
                    notice(warning);
                }
                (key, kept)
            })
            .collect())
    }

    fn print(&mut self, plan: &Plan) -> Result<(), CliError> {
        if self.arguments.export {
            let with_group = self.arguments.group.len() != 1;
            return self.output.line(plan::write(plan, with_group));
        }
        if self.is_json() {
            return self.output.line(reset_json(plan));
        }
        for line in reset_lines(plan) {
            self.output.line(line)?;
        }
        Ok(())
    }
}

/// The nearest offset that a partition has, and Kafka's warning where it is another one.
pub fn clamped(
    (topic, index): &TopicIndex,
    offset: Offset,
    start: Option<Offset>,
    end: Option<Offset>,
) -> (Offset, Option<String>) {
    let beyond = end.filter(|&end| offset > end);
    let before = start.filter(|&start| offset < start);
    let (kept, how) = match (beyond, before) {
        (Some(end), _) => (end, "higher than latest"),
        (None, Some(start)) => (start, "lower than earliest"),
        (None, None) => return (offset, None),
    };
    let warning = format!(
        "WARN New offset ({offset}) is {how} offset for topic partition {topic}-{index}. Value \
         will be set to {kept}"
    );
    (kept, Some(warning))
}

/// The table of a reset.
pub fn reset_lines(plan: &Plan) -> Vec<String> {
    let group_width = column(NAME_WIDTH, plan.keys().map(String::as_str));
    let topics = plan.values().flat_map(BTreeMap::keys);
    let topic_width = column(NAME_WIDTH, topics.map(|(topic, _)| &**topic));
    let line = |group: &str, topic: &str, partition: &str, offset: &str| {
        format!("{group:<group_width$} {topic:<topic_width$} {partition:<10} {offset}")
    };
    let mut lines = vec![String::new()];
    if !plan.is_empty() {
        lines.push(line("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"));
    }
    for (group, offsets) in plan {
        for ((topic, index), offset) in offsets {
            lines.push(line(group, topic, &index.to_string(), &offset.to_string()));
        }
    }
    lines
}

fn reset_json(plan: &Plan) -> Value {
    let mut rows = Vec::new();
    for (group, offsets) in plan {
        for ((topic, index), offset) in offsets {
            rows.push(json!({
                "group": group, "topic": &**topic, "partition": index, "newOffset": offset.0,
            }));
        }
    }
    Value::from(rows)
}
