//! What an administrator sees of groups, and does to them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names the one answer that it wants"
)]

use crate::coordinator::group::harness::Harness;
use crate::coordinator::group::offsets::ask::{
    all_of, heartbeat, join, leave, must_commit, subscription,
};
use crate::coordinator::group::{GroupCommand, GroupReply};
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::describe_groups::DescribedGroup;
use crate::protocol::string::Str;

const MEMBER_ID: &str = "AAAAAAAAAAAAAAAAAAAAAQ";

fn list(harness: &mut Harness, states: &[&str], types: &[&str]) -> Vec<[String; 4]> {
    let texts = |texts: &[&str]| texts.iter().map(|&text| Str::from(text)).collect();
    let command = GroupCommand::ListGroups {
        states: texts(states),
        types: texts(types),
    };
    match harness.ask_now(command) {
        GroupReply::ListGroups(groups) => groups
            .iter()
            .map(|group| {
                let texts = [
                    &group.group_id,
                    &group.protocol_type,
                    &group.group_state,
                    &group.group_type,
                ];
                texts.map(ToString::to_string)
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn names(groups: &[[String; 4]]) -> Vec<&str> {
    groups.iter().map(|[id, ..]| id.as_str()).collect()
}

fn describe(harness: &mut Harness, version: i16, group_id: &str) -> DescribedGroup {
    match harness.ask_now(GroupCommand::DescribeGroup(version, group_id.into())) {
        GroupReply::DescribeGroup(group) => group,
        other => panic!("{other:?}"),
    }
}

fn delete(harness: &mut Harness, group_id: &str) -> i16 {
    match harness.ask_now(GroupCommand::DeleteGroup(group_id.into())) {
        GroupReply::DeleteGroup(result) => {
            assert_eq!(result.group_id, group_id);
            result.error_code
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let mut harness = Harness::new(&[]);
    must_commit(&mut harness, "simple", &[("t", 0, 1)]);
    join(&mut harness, "classic", "consumer", "t");
    let worker = join(&mut harness, "workers", "connect", "t");
    leave(&mut harness, &worker);
    heartbeat(&mut harness, "new", MEMBER_ID, 0, "t");

    let all = list(&mut harness, &[], &[]);
    let texts = [
        ["classic", "consumer", "Stable", "classic"],
        ["new", "consumer", "Stable", "consumer"],
        ["simple", "", "Empty", "classic"],
        ["workers", "connect", "Empty", "classic"],
    ];
    assert_eq!(all, texts.map(|texts| texts.map(str::to_owned)));

    type Names<'a> = &'a [&'a str];
    let cases: [(Names, Names, Names); 6] = [
        (&["empty"], &[], &["simple", "workers"]),
        (&["STABLE", "dead"], &[], &["classic", "new"]),
        (&["stable"], &["classic"], &["classic"]),
        (&[], &["Consumer"], &["new"]),
        (&[], &["share"], &[]),
        (&["no such state"], &[], &[]),
    ];
    for (states, types, expected) in cases {
        let listed = list(&mut harness, states, types);
        assert_eq!(names(&listed), expected, "{states:?} {types:?}");
    }
}

#[test]
fn a_stable_group_is_described_with_what_its_members_have() {
    let mut harness = Harness::new(&[]);
    let member = join(&mut harness, "g", "consumer", "t");
    for _ in 0..2 {
        let group = describe(&mut harness, 6, "g");
        assert_eq!((group.error_code, &group.error_message), (0, &None));
        assert_eq!(group.group_id, "g");
        assert_eq!(group.group_state, "Stable");
        assert_eq!(group.protocol_type, "consumer");
        assert_eq!(group.protocol_data, "range");
        let [found] = &group.members[..] else {
            panic!("{:?}", group.members);
        };
        assert_eq!(found.member_id, member.member_id);
        assert_eq!(found.client_id, "client");
        assert_eq!(found.client_host, "/127.0.0.1");
        assert_eq!(found.member_metadata, subscription("t"));
        assert_eq!(found.member_assignment[..], *b"assigned");
        harness.restart();
    }

    leave(&mut harness, &member);
    let group = describe(&mut harness, 6, "g");
    assert_eq!(group.group_state, "Empty");
    assert_eq!(group.protocol_type, "consumer");
    assert_eq!(group.protocol_data, "");
    assert!(group.members.is_empty());
}

#[test]
fn a_group_that_cannot_be_described_is_dead_or_not_found() {
    let mut harness = Harness::new(&[]);
    heartbeat(&mut harness, "new", MEMBER_ID, 0, "t");
    for (group_id, why) in [
        ("nobody", "Group nobody not found."),
        ("new", "Group new is not a classic group."),
    ] {
        let group = describe(&mut harness, 5, group_id);
        assert_eq!((group.error_code, group.error_message), (0, None));
        assert_eq!(group.group_state, "Dead");
        let group = describe(&mut harness, 6, group_id);
        assert_eq!(group.error_code, ErrorCode::GROUP_ID_NOT_FOUND.code());
        assert_eq!(group.error_message, Some(why.into()));
        assert_eq!(group.group_state, "Dead");
    }
}

#[test]
fn a_group_without_members_is_deleted_with_its_offsets() {
    let mut harness = Harness::new(&[]);
    let not_found = ErrorCode::GROUP_ID_NOT_FOUND.code();
    let non_empty = ErrorCode::NON_EMPTY_GROUP.code();
    assert_eq!(delete(&mut harness, "nobody"), not_found);

    let member = join(&mut harness, "classic", "consumer", "t");
    heartbeat(&mut harness, "new", MEMBER_ID, 0, "t");
    must_commit(
        &mut harness,
        "simple",
        &[("t", 0, 1), ("t", 1, 1), ("u", 0, 1)],
    );
    assert_eq!(delete(&mut harness, "classic"), non_empty);
    assert_eq!(delete(&mut harness, "new"), non_empty);

    leave(&mut harness, &member);
    heartbeat(&mut harness, "new", MEMBER_ID, -1, "t");
    must_commit(&mut harness, "classic", &[("t", 0, 1)]);
    must_commit(&mut harness, "new", &[("t", 0, 1)]);
    harness.writes_fail = true;
    let failed = ErrorCode::COORDINATOR_NOT_AVAILABLE.code();
    assert_eq!(delete(&mut harness, "classic"), failed);
    assert_eq!(all_of(&mut harness, "classic").len(), 1);
    harness.writes_fail = false;

    for group_id in ["classic", "new", "simple"] {
        assert_eq!(delete(&mut harness, group_id), 0);
        assert_eq!(delete(&mut harness, group_id), not_found);
        assert_eq!(all_of(&mut harness, group_id), []);
    }
    for compacted in [false, true] {
        if compacted {
            harness.compact(false);
        }
        harness.restart();
        assert_eq!(list(&mut harness, &[], &[]), Vec::<[String; 4]>::new());
    }
}
