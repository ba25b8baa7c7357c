//! Topics by regular expression, resolved here rather than by the members.
//!
//! Expressions are RE2/J's (`re2.rs`, `class.rs`), which know no backtracking: matching is linear in
//! the text, and an expression that would compile to too much is refused. A match is one of the whole
//! name. What an expression was found to mean is a record, so that a restart changes nothing.
//!
//! An expression is resolved when it comes; all of a group's, when topics change, but at most once
//! in [`LOOK_UP_INTERVAL`], and every `group.consumer.regex.refresh.interval.ms`.

mod class;
mod re2;

use crate::base::time::{Instant, milliseconds};
use crate::coordinator::World;
use crate::coordinator::group::{Groups, TimerKey};
use crate::metadata::image::MetadataImage;
use crate::protocol::string::Str;
use regex::bytes::{Regex, RegexBuilder};
use std::time::Duration;

/// Topics that come one after the other are looked at together.
pub const LOOK_UP_INTERVAL: Duration = Duration::from_secs(10);

/// Longest expression. A topic's name has at most 249 characters.
const REGEX_BYTES_MAX: usize = 4096;

/// What an expression may compile to.
const COMPILED_BYTES_MAX: usize = 1 << 19;

/// How deep an expression may nest.
const NEST_MAX: u32 = 250;

/// Topics that belong to the broker.
const INTERNAL_TOPICS: &[&str] = &[
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
    "__cluster_metadata",
];

/// Compiles an expression of RE2/J's.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn compile(regex: &str) -> Result<Regex, String> {
    if regex.len() > REGEX_BYTES_MAX {
        return Err(format!("it is longer than {REGEX_BYTES_MAX} bytes"));
    }
    let translated = re2::translate(regex)?;
    RegexBuilder::new(&format!(r"\A(?:{translated})\z"))
        .unicode(false)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(COMPILED_BYTES_MAX)
        .nest_limit(NEST_MAX)
        .build()
        .map_err(|error| {
            if let regex::Error::CompiledTooBig(limit) = error {
                return format!("it compiles to more than {limit} bytes");
            }
            format!("it nests deeper than {NEST_MAX} levels")
        })
}

/// The topics that an expression means, sorted; none where it does not compile, which a heartbeat
/// does not let happen.
#[must_use]
pub fn resolve(image: &MetadataImage, regex: &str) -> Vec<Str> {
    let Ok(regex) = compile(regex) else {
        return Vec::new();
    };
    image
        .topics
        .iter()
        .filter(|topic| {
            regex.is_match(topic.name.as_bytes()) && !INTERNAL_TOPICS.contains(&&*topic.name)
        })
        .map(|topic| Str::from(&*topic.name))
        .collect()
}

/// Whether a group's expressions may be looked up now. If so, that it is done is remembered, and
/// the next time set; if it was done just now, it is put off.
pub fn may_be_looked_up(groups: &mut Groups, world: &World<'_>, group_id: &Str) -> bool {
    let now = world.now.instant;
    let key = TimerKey::ConsumerRegex(group_id.clone());
    let Some(group) = groups
        .consumer_mut(group_id)
        .filter(|one| one.has_regexes())
    else {
        return false;
    };
    if let Some(last) = group.regexes_refreshed
        && now.since(last) < LOOK_UP_INTERVAL
    {
        let at = last + LOOK_UP_INTERVAL;
        let at = groups.timers.get(&key).map_or(at, |set| set.min(at));
        groups.timers.set(key, at);
        return false;
    }
    group.regexes_refreshed = Some(now);
    groups.timers.set(key, now + refresh_interval(world));
    true
}

/// An expression came: the group's are looked up from time to time.
pub fn begin(groups: &mut Groups, world: &World<'_>, group_id: &Str) {
    let key = TimerKey::ConsumerRegex(group_id.clone());
    if groups.timers.get(&key).is_none() {
        let at: Instant = world.now.instant + refresh_interval(world);
        groups.timers.set(key, at);
    }
}

/// The group looks at its topics again soon.
pub fn look_again(groups: &mut Groups, world: &World<'_>, group_id: &Str) {
    let key = TimerKey::ConsumerRegex(group_id.clone());
    groups.timers.set(key, world.now.instant + LOOK_UP_INTERVAL);
}

fn refresh_interval(world: &World<'_>) -> Duration {
    let interval = world
        .configuration
        .group_consumer_regex_refresh_interval_ms();
    milliseconds(i64::from(interval)).max(LOOK_UP_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_name_is_matched() {
        let regex = compile("orders|pay.*").expect("it is one");
        assert!(regex.is_match(b"orders") && regex.is_match(b"payments"));
        assert!(!regex.is_match(b"orders-2") && !regex.is_match(b"my-orders"));
        let quoted = compile(r"\Qa.b\E.+").expect("it is one");
        assert!(quoted.is_match(b"a.b-1") && !quoted.is_match(b"axb-1"));
        assert!(
            compile(r"\\Q")
                .expect("a backslash and a Q")
                .is_match(b"\\Q")
        );
    }

    #[test]
    fn a_repetition_is_repeated_where_flags_stand_between() {
        for (regex, name) in [
            ("a+(?s)?b", "b"),
            ("a{2}(?s)?b", "b"),
            ("a?(?s){2}b", "aab"),
            ("a{2}(?s)?(?s){2}b", "aaaab"),
            ("{(?s)*b", "b"),
            ("a*{b", "aa{b"),
        ] {
            let compiled = compile(regex).expect("it is one");
            assert!(compiled.is_match(name.as_bytes()), "{regex} {name}");
        }
        let twice = compile("a{2}(?s)?b").expect("it is one");
        assert!(!twice.is_match(b"ab"));
    }

    #[test]
    fn letters_of_which_apache_never_finds_the_other_case_are_compared_as_any() {
        for regex in [
            "(?i)\u{1c80}|k",
            r"(?i)[a-\x{212a}]",
            "(?i)[k\u{1c80}-\u{1c88}]",
        ] {
            let compiled = compile(regex).expect("it is one");
            assert!(compiled.is_match(b"K") && !compiled.is_match(b"-"));
        }
    }

    #[test]
    fn what_is_no_expression_or_too_much_is_refused() {
        for bad in ["[", "a)|(b", "(?<n", "*", r"\1", "(?=a)", "a{1001}", "a**"] {
            assert!(compile(bad).is_err(), "{bad}");
        }
        for bad in ["{*", "a{?", "a{{2}", "a*{+", "a*??"] {
            assert!(compile(bad).is_err(), "{bad}");
        }
        assert!(compile(&"a".repeat(REGEX_BYTES_MAX + 1)).is_err());
        assert!(compile("((a{100}){100}){100}").is_err());
        assert!(compile(&"(".repeat(1000)).is_err());
        assert!(compile(&format!("{}a{}", "(".repeat(500), ")".repeat(500))).is_err());
    }
}
