//! Which topics and partitions a tool is about: Kafka's include lists (a regular expression with
//! commas for `|`) and the patterns of get-offsets' `--topic-partitions`.

use super::error::CliError;
use regex_lite::Regex;

/// Topics that Kafka itself writes.
const INTERNAL_TOPICS: [&str; 3] = [
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
];

/// Whether a topic of that name is one of Kafka's own.
#[must_use]
pub fn is_internal(topic: &str) -> bool {
    INTERNAL_TOPICS.contains(&topic)
}

/// A list of topics as Kafka's tools take it: `alpha,beta.*`.
#[derive(Clone, Debug)]
pub struct IncludeList {
    regex: Regex,
}

impl IncludeList {
    /// Reads a list, or says what is wrong with its regular expression.
    pub fn parse(text: &str) -> Result<IncludeList, CliError> {
        let quotes = ['"', '\''];
        let pattern = text
            .trim()
            .replace(',', "|")
            .replace(' ', "")
            .trim_matches(quotes)
            .to_owned();
        Regex::new(&format!("^(?:{pattern})$"))
            .map(|regex| IncludeList { regex })
            .map_err(|error| {
                CliError::Usage(format!("{text} is an invalid regular expression: {error}"))
            })
    }

    /// Whether the whole name matches.
    #[must_use]
    pub fn allows(&self, topic: &str) -> bool {
        self.regex.is_match(topic)
    }
}

/// Partitions of some topics.
#[derive(Clone, Debug)]
pub enum PartitionFilter {
    /// All topics that match, all partitions or those listed.
    Topics {
        /// Which topics; all where it is `None`.
        topics: Option<IncludeList>,
        /// Which partitions; all where it is empty.
        partitions: Vec<i32>,
    },
    /// Any of these patterns matches.
    Patterns(Vec<PartitionPattern>),
}

/// One pattern of `--topic-partitions`: `topic:3`, `topic:0-3`, `topic:5-`, `:-3`, `topic`.
#[derive(Clone, Debug)]
pub struct PartitionPattern {
    topic: Option<IncludeList>,
    /// First partition that matches.
    from: i32,
    /// First partition that no longer does; none where it is `None`.
    until: Option<i32>,
}

impl PartitionFilter {
    /// Reads the list of `--topic-partitions`.
    pub fn parse_patterns(text: &str) -> Result<PartitionFilter, CliError> {
        text.split(',')
            .map(PartitionPattern::parse)
            .collect::<Result<_, _>>()
            .map(PartitionFilter::Patterns)
    }

    /// Reads the list of `--partitions`.
    pub fn parse_partitions(text: &str) -> Result<Vec<i32>, CliError> {
        text.split(',')
            .filter(|piece| !piece.is_empty())
            .map(|piece| number("--partitions", piece))
            .collect()
    }

    /// Whether a topic may have partitions that match.
    #[must_use]
    pub fn allows_topic(&self, topic: &str) -> bool {
        match self {
            PartitionFilter::Topics { topics, .. } => {
                topics.as_ref().is_none_or(|topics| topics.allows(topic))
            }
            PartitionFilter::Patterns(patterns) => {
                patterns.iter().any(|pattern| pattern.allows_topic(topic))
            }
        }
    }

    /// Whether a partition matches.
    #[must_use]
    pub fn allows(&self, topic: &str, partition: i32) -> bool {
        match self {
            PartitionFilter::Topics { topics, partitions } => {
                topics.as_ref().is_none_or(|topics| topics.allows(topic))
                    && (partitions.is_empty() || partitions.contains(&partition))
            }
            PartitionFilter::Patterns(patterns) => patterns.iter().any(|pattern| {
                pattern.allows_topic(topic)
                    && partition >= pattern.from
                    && pattern.until.is_none_or(|until| partition < until)
            }),
        }
    }
}

impl PartitionPattern {
    fn parse(text: &str) -> Result<PartitionPattern, CliError> {
        let (topic, partitions) = text.split_once(':').unwrap_or((text, ""));
        let topic = match topic {
            "" => None,
            topic => Some(IncludeList::parse(topic)?),
        };
        let (from, until) = match partitions.split_once('-') {
            None if partitions.is_empty() => (0, None),
            None => {
                let partition = number("--topic-partitions", partitions)?;
                (partition, Some(partition.saturating_add(1)))
            }
            Some((from, until)) => (
                optional("--topic-partitions", from)?.unwrap_or(0),
                optional("--topic-partitions", until)?,
            ),
        };
        Ok(PartitionPattern { topic, from, until })
    }

    fn allows_topic(&self, topic: &str) -> bool {
        self.topic.as_ref().is_none_or(|list| list.allows(topic))
    }
}

fn optional(flag: &str, text: &str) -> Result<Option<i32>, CliError> {
    match text {
        "" => Ok(None),
        text => number(flag, text).map(Some),
    }
}

fn number(flag: &str, text: &str) -> Result<i32, CliError> {
    text.trim()
        .parse::<i32>()
        .ok()
        .filter(|&number| number >= 0)
        .ok_or_else(|| CliError::Usage(format!("{flag} takes partition numbers, not '{text}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_include_list_matches_whole_names() {
        let list = IncludeList::parse("alpha, be.*").unwrap();
        assert!(list.allows("alpha") && list.allows("beta"));
        assert!(!list.allows("alphabet") && !list.allows("gamma"));
        assert!(IncludeList::parse("'quoted'").unwrap().allows("quoted"));
        assert!(IncludeList::parse("(").is_err());
    }

    #[test]
    fn patterns_of_partitions_match_as_in_get_offsets() {
        let filter = PartitionFilter::parse_patterns("t1:1,t2:0-3,t3,t4:5-,t5:-3,:9").unwrap();
        for (topic, partition, expected) in [
            ("t1", 1, true),
            ("t1", 0, false),
            ("t2", 2, true),
            ("t2", 3, false),
            ("t3", 77, true),
            ("t4", 4, false),
            ("t4", 5, true),
            ("t5", 2, true),
            ("t5", 3, false),
            ("other", 9, true),
            ("other", 8, false),
        ] {
            assert_eq!(
                filter.allows(topic, partition),
                expected,
                "{topic}:{partition}"
            );
        }
        for bad in ["t:x", "t:1-x", "t:-1-", "(:1"] {
            assert!(PartitionFilter::parse_patterns(bad).is_err(), "{bad}");
        }
        assert_eq!(PartitionFilter::parse_partitions("1,2").unwrap(), [1, 2]);
        assert!(PartitionFilter::parse_partitions("1,-2").is_err());
    }
}
