//! The CSV that `--export` prints and `--from-file` reads: `topic,partition,offset`, or with the
//! group before it where a reset is of many groups. Quotes are where Jackson sets them, who writes
//! it for Apache's tool.

use crate::base::ids::Offset;
use crate::cli::error::CliError;
use crate::client::group::range::TopicIndex;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Offsets by group.
pub type Plan = BTreeMap<String, BTreeMap<TopicIndex, Offset>>;

/// Longer text than this is always quoted.
const UNQUOTED_MAX: usize = 24;

/// Prints a plan; each line names its group, or none does.
pub fn write(plan: &Plan, with_group: bool) -> String {
    let mut text = String::new();
    for (group, offsets) in plan {
        for ((topic, partition), offset) in offsets {
            if with_group {
                text += &format!("{},", quoted(group));
            }
            text += &format!("{},{partition},{offset}\n", quoted(topic));
        }
    }
    text
}

/// Characters before `-` in ASCII, among them the comma and the quote, make a field quoted.
fn quoted(field: &str) -> String {
    let is_plain = field.len() <= UNQUOTED_MAX && field.chars().all(|letter| letter >= '-');
    if is_plain {
        field.to_owned()
    } else {
        format!("\"{}\"", field.replace('"', "\"\""))
    }
}

/// Reads a plan. Lines of three fields are of `only`, the one group that was asked for.
pub fn parse(text: &str, only: Option<&str>) -> Result<Plan, CliError> {
    let mut plan = Plan::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let wrong = || {
            let fields = match only {
                Some(_) => "topic,partition,offset",
                None => "group,topic,partition,offset",
            };
            CliError::Failed(format!(
                "line {number} of the reset plan is no {fields}: '{line}'"
            ))
        };
        let fields = fields(line).ok_or_else(wrong)?;
        let (group, rest) = match (fields.as_slice(), only) {
            ([_, _, _], Some(group)) => (group.to_owned(), fields.as_slice()),
            ([group, rest @ ..], _) if rest.len() == 3 => (group.clone(), rest),
            (_, _) => return Err(wrong()),
        };
        let [topic, partition, offset] = rest else {
            return Err(wrong());
        };
        let partition: i32 = partition.trim().parse().map_err(|_| wrong())?;
        let offset: i64 = offset.trim().parse().map_err(|_| wrong())?;
        let key = (Rc::from(topic.as_str()), partition);
        plan.entry(group).or_default().insert(key, Offset(offset));
    }
    Ok(plan)
}

/// The fields of a line; `None` where a quote is not closed, or stands amid a field.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line.trim_end_matches('\r');
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(inner) => quoted_field(inner)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest.get(..end)?.to_owned(), rest.get(end..)?)
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(fields),
        }
    }
}

/// A field behind its first quote, and what follows its last.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        field.push_str(rest.get(..end)?);
        let after = rest.get(end + 1..)?;
        match after.strip_prefix('"') {
            // Two quotes are one.
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    fn plan(entries: &[(&str, &str, i32, i64)]) -> Plan {
        let mut plan = Plan::new();
        for (group, topic, partition, offset) in entries {
            let key = (Rc::from(*topic), *partition);
            let offsets = plan.entry((*group).to_owned()).or_default();
            offsets.insert(key, Offset(*offset));
        }
        plan
    }

    #[test]
    fn what_is_written_is_read_again() {
        let long = "a-topic-with-a-name-of-more-than-24";
        let plan = plan(&[
            ("g \"1\"", "t", 0, 5),
            ("h", long, 11, 0),
            ("h", "t.x_y", 1, 7),
        ]);
        let text = write(&plan, true);
        assert_eq!(
            text,
            format!("\"g \"\"1\"\"\",t,0,5\nh,\"{long}\",11,0\nh,t.x_y,1,7\n")
        );
        assert_eq!(parse(&text, None).unwrap(), plan);
        assert_eq!(parse(&text, Some("h")).unwrap(), plan);
    }

    #[test]
    fn lines_without_a_group_are_of_the_one_asked_for() {
        let expected = plan(&[("g", "t", 0, 5), ("g", "t", 1, 6)]);
        let text = write(&expected, false);
        assert_eq!(text, "t,0,5\nt,1,6\n");
        assert_eq!(parse(&text, Some("g")).unwrap(), expected);
        assert!(parse(&text, None).is_err(), "whose are they?");
        for bad in [
            "t,0",
            "t,x,1",
            "t,0,x",
            "\"t,0,1",
            "\"t\"x,0,1",
            "a,b,c,d,e",
            ",",
        ] {
            assert!(parse(bad, Some("g")).is_err(), "{bad}");
        }
    }

    #[test]
    fn noise_is_refused_or_read_without_a_panic() {
        let mut prng = Prng::new(11);
        let letters = ['"', ',', 't', '0', '\n', '\r', 'ü', ' ', '-', '9'];
        for _ in 0..2000 {
            let count = prng.below(30);
            let text: String = (0..count)
                .map(|_| letters[prng.index(letters.len())])
                .collect();
            drop(parse(&text, Some("g")));
            drop(parse(&text, None));
        }
    }
}
