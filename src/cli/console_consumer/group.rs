//! How the console consumer joins a group: its id, Kafka's settings of a consumer, and which
//! topics it subscribes to.

use super::ConsoleConsumerArguments;
use crate::base::time::milliseconds;
use crate::cli::begin::generated_group_id;
use crate::cli::error::CliError;
use crate::cli::property::Properties;
use crate::cli::topic_filter::IncludeList;
use crate::client::consumer::ConsumerOptions;
use crate::client::group::{GroupConsumerOptions, MemberOptions, OffsetReset, Subscription};
use std::time::Duration;

/// Which group is joined, and how.
#[derive(Debug)]
pub struct Membership {
    /// Whether the user named the group.
    pub is_named: bool,
    /// How it is joined.
    pub options: GroupConsumerOptions,
}

/// Reads the flags and settings.
pub fn membership(
    arguments: &ConsoleConsumerArguments,
    settings: &Properties,
    consumer: ConsumerOptions,
) -> Result<Membership, CliError> {
    refuse_what_is_not_there(settings)?;
    let named = match (arguments.group.as_deref(), settings.get("group.id")) {
        (Some(flag), Some(setting)) if flag != setting => {
            return Err(CliError::Usage(format!(
                "The group ids provided in different places (directly using '--group', via \
                 '--command-property', or via '--command-config') do not match. Detected group \
                 ids: '{flag}', '{setting}'"
            )));
        }
        (flag, setting) => flag.or(setting).map(str::to_owned),
    };
    let is_named = named.is_some();
    let group_id = match named {
        Some(group_id) => group_id,
        None => generated_group_id("console-consumer")?,
    };
    let interval = |key: &str, default: Duration| match settings.get(key) {
        None => Ok(default),
        Some(text) => match text.trim().parse::<i32>() {
            Ok(number) if number >= 0 => Ok(milliseconds(i64::from(number))),
            Ok(_) | Err(_) => Err(CliError::Usage(format!(
                "{key} takes a number of milliseconds, not '{text}'"
            ))),
        },
    };
    let defaults = GroupConsumerOptions::new(&group_id);
    let member = defaults.member;
    Ok(Membership {
        is_named,
        options: GroupConsumerOptions {
            member: MemberOptions {
                group_id,
                instance_id: settings.get("group.instance.id").map(str::to_owned),
                session_timeout: interval("session.timeout.ms", member.session_timeout)?,
                rebalance_timeout: interval("max.poll.interval.ms", member.rebalance_timeout)?,
                heartbeat_interval: interval("heartbeat.interval.ms", member.heartbeat_interval)?,
                rack: consumer.rack.clone(),
                retry_backoff: interval("retry.backoff.ms", member.retry_backoff)?,
            },
            consumer,
            // As Kafka's tool: a group that is not used again need not leave offsets behind.
            auto_commit: settings.is_true("enable.auto.commit", is_named),
            auto_commit_interval: interval(
                "auto.commit.interval.ms",
                defaults.auto_commit_interval,
            )?,
            reset: reset(arguments.from_beginning, settings)?,
            metadata_age_max: interval("metadata.max.age.ms", defaults.metadata_age_max)?,
        },
    })
}

fn refuse_what_is_not_there(settings: &Properties) -> Result<(), CliError> {
    let protocol = settings.get("group.protocol").unwrap_or("classic");
    if !protocol.trim().eq_ignore_ascii_case("classic") {
        return Err(CliError::Usage(format!(
            "klamm's console consumer speaks the classic group protocol, not '{protocol}'"
        )));
    }
    let assignors = settings.get("partition.assignment.strategy");
    if assignors.is_some_and(|assignors| !assignors.contains("Range")) {
        return Err(CliError::Usage(format!(
            "klamm's console consumer has the RangeAssignor only, not '{}'",
            assignors.unwrap_or_default()
        )));
    }
    Ok(())
}

fn reset(from_beginning: bool, settings: &Properties) -> Result<OffsetReset, CliError> {
    let Some(text) = settings.get("auto.offset.reset") else {
        return Ok(if from_beginning {
            OffsetReset::Earliest
        } else {
            OffsetReset::Latest
        });
    };
    let reset = match text.trim() {
        "earliest" => OffsetReset::Earliest,
        "latest" => OffsetReset::Latest,
        "none" => OffsetReset::None,
        other => {
            return Err(CliError::Usage(format!(
                "auto.offset.reset is earliest, latest or none, not '{other}'"
            )));
        }
    };
    if from_beginning && reset != OffsetReset::Earliest {
        return Err(CliError::Usage(format!(
            "Can't simultaneously specify --from-beginning and 'auto.offset.reset={text}', please \
             remove one option"
        )));
    }
    Ok(reset)
}

/// What is subscribed to.
pub fn subscription(
    arguments: &ConsoleConsumerArguments,
    settings: &Properties,
) -> Result<Subscription, CliError> {
    let Some(include) = &arguments.include else {
        return Ok(Subscription::Topics(
            arguments.topic.iter().cloned().collect(),
        ));
    };
    let list = IncludeList::parse(include)?;
    let without_internal = settings.is_true("exclude.internal.topics", true);
    Ok(Subscription::Matching(Box::new(
        move |topic, is_internal| list.allows(topic) && !(is_internal && without_internal),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::console_consumer::tests::arguments;

    fn membership_of(line: &str) -> Result<Membership, CliError> {
        let arguments = arguments(line);
        let settings = arguments.settings()?;
        membership(&arguments, &settings, ConsumerOptions::default())
    }

    #[test]
    fn a_group_is_named_or_made_up() {
        let named = membership_of("--group g").unwrap();
        assert!(named.is_named && named.options.auto_commit);
        assert_eq!(named.options.member.group_id, "g");
        let named = membership_of("--command-property group.id=h").unwrap();
        assert_eq!(named.options.member.group_id, "h");
        let own = membership_of("").unwrap();
        assert!(!own.is_named && !own.options.auto_commit);
        let number = own
            .options
            .member
            .group_id
            .strip_prefix("console-consumer-");
        assert!(number.unwrap().parse::<u64>().is_ok());
        let kept = membership_of("--command-property enable.auto.commit=true").unwrap();
        assert!(kept.options.auto_commit);
        assert!(membership_of("--group g --command-property group.id=h").is_err());
        assert!(membership_of("--group g --command-property group.id=g").is_ok());
    }

    #[test]
    fn settings_of_a_consumer_take_effect() {
        let line = "--group g --command-property session.timeout.ms=6000 --command-property \
                    auto.offset.reset=none --command-property group.instance.id=i";
        let options = membership_of(line).unwrap().options;
        assert_eq!(options.member.session_timeout, Duration::from_secs(6));
        assert_eq!(options.member.instance_id.as_deref(), Some("i"));
        assert_eq!(options.reset, OffsetReset::None);
        let from_beginning = membership_of("--from-beginning").unwrap();
        assert_eq!(from_beginning.options.reset, OffsetReset::Earliest);
        for bad in [
            "--command-property session.timeout.ms=soon",
            "--command-property auto.offset.reset=sometimes",
            "--from-beginning --command-property auto.offset.reset=latest",
            "--command-property group.protocol=consumer",
            "--command-property partition.assignment.strategy=StickyAssignor",
        ] {
            assert!(membership_of(bad).is_err(), "{bad}");
        }
    }
}
