//! Settings of a consumer group: its own, by the GROUP resource, else the broker's. A setting of the
//! group that lies outside of what the broker allows by now counts as the nearest that it allows.

use super::super::assignor::Assignor;
use super::member::Member;
use crate::base::time::milliseconds;
use crate::config::Configuration;
use crate::coordinator::World;
use crate::metadata::image::configs::ConfigResourceType;
use crate::protocol::string::Str;
use std::time::Duration;

/// A setting that a group may have of its own.
struct Bounded {
    of_group: &'static str,
    of_broker: &'static str,
    least: &'static str,
    most: &'static str,
}

/// How long a silent member is kept.
const SESSION_TIMEOUT: Bounded = Bounded {
    of_group: "consumer.session.timeout.ms",
    of_broker: "group.consumer.session.timeout.ms",
    least: "group.consumer.min.session.timeout.ms",
    most: "group.consumer.max.session.timeout.ms",
};

/// How often members are to be heard of.
const HEARTBEAT_INTERVAL: Bounded = Bounded {
    of_group: "consumer.heartbeat.interval.ms",
    of_broker: "group.consumer.heartbeat.interval.ms",
    least: "group.consumer.min.heartbeat.interval.ms",
    most: "group.consumer.max.heartbeat.interval.ms",
};

/// How often assignments are computed at most.
const ASSIGNMENT_INTERVAL: Bounded = Bounded {
    of_group: "consumer.assignment.interval.ms",
    of_broker: "group.consumer.assignment.interval.ms",
    least: "group.consumer.min.assignment.interval.ms",
    most: "group.consumer.max.assignment.interval.ms",
};

/// `group.consumer.migration.policy`: which ways groups may change over. KIP-848.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MigrationPolicy {
    /// A classic group becomes a consumer group when a consumer of that protocol joins.
    pub upgrade: bool,
    /// A consumer group becomes classic when its last consumer of that protocol leaves.
    pub downgrade: bool,
}

impl MigrationPolicy {
    /// The policy in force.
    #[must_use]
    pub fn of(configuration: &Configuration) -> MigrationPolicy {
        let policy = configuration.value("group.consumer.migration.policy");
        let policy = policy.text().unwrap_or_default().to_ascii_lowercase();
        MigrationPolicy {
            upgrade: matches!(policy.as_str(), "upgrade" | "bidirectional"),
            downgrade: matches!(policy.as_str(), "downgrade" | "bidirectional"),
        }
    }
}

/// `consumer.session.timeout.ms`
#[must_use]
pub fn session_timeout(world: &World<'_>, group_id: &str) -> Duration {
    milliseconds(value(world, group_id, &SESSION_TIMEOUT))
}

/// The session timeout of a member: one that speaks the classic protocol has its own.
#[must_use]
pub fn session_timeout_of(world: &World<'_>, group_id: &str, member: &Member) -> Duration {
    match &member.subscription.classic {
        Some(classic) => milliseconds(i64::from(classic.session_timeout_ms)),
        None => session_timeout(world, group_id),
    }
}

/// `consumer.heartbeat.interval.ms`, in milliseconds.
#[must_use]
pub fn heartbeat_interval_ms(world: &World<'_>, group_id: &str) -> i32 {
    i32::try_from(value(world, group_id, &HEARTBEAT_INTERVAL)).unwrap_or(i32::MAX)
}

/// `consumer.assignment.interval.ms`, in milliseconds. KIP-1263.
#[must_use]
pub fn assignment_interval_ms(world: &World<'_>, group_id: &str) -> i64 {
    value(world, group_id, &ASSIGNMENT_INTERVAL)
}

/// What a group has in force: its own value within the broker's bounds, else the broker's.
fn value(world: &World<'_>, group_id: &str, setting: &Bounded) -> i64 {
    let of_broker = |name: &str| world.configuration.value(name).number();
    let own = world
        .image
        .configs
        .value(ConfigResourceType::GROUP, group_id, setting.of_group)
        .and_then(|text| text.trim().parse::<i64>().ok());
    let Some(own) = own else {
        return of_broker(setting.of_broker).unwrap_or(0);
    };
    let least = of_broker(setting.least).unwrap_or(own);
    let most = of_broker(setting.most).unwrap_or(own);
    own.min(most).max(least)
}

/// The broker's assignors that klamm has, the default first; never none.
#[must_use]
pub fn assignors(configuration: &Configuration) -> Vec<Assignor> {
    let names = configuration.value("group.consumer.assignors");
    let mut assignors: Vec<Assignor> = names
        .list()
        .iter()
        .filter_map(|name| Assignor::by_name(name))
        .collect();
    if assignors.is_empty() {
        assignors.push(Assignor::Uniform);
    }
    assignors
}

/// The assignor that most members ask for, else the broker's first.
#[must_use]
pub fn preferred_assignor<'a>(
    configuration: &Configuration,
    wishes: impl Iterator<Item = &'a Str>,
) -> Assignor {
    let assignors = assignors(configuration);
    let mut votes = vec![0_usize; assignors.len()];
    for wish in wishes {
        let wished = Assignor::by_name(wish);
        if let Some(place) = assignors.iter().position(|one| Some(*one) == wished) {
            votes[place] += 1;
        }
    }
    let most = votes.iter().copied().max().unwrap_or(0);
    let place = votes.iter().position(|&count| count == most).unwrap_or(0);
    assignors[place]
}
