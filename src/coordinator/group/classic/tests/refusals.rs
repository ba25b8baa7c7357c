//! What is refused, and what is too much.

use super::*;
use crate::config::Configuration;
use crate::coordinator::group::offsets::ExpiryBase;

#[test]
fn joins_are_refused() {
    let mut harness = Harness::new(NO_DELAY);
    let with = |change: fn(&mut JoinGroupRequest)| {
        let mut join = join();
        change(&mut join.request);
        join
    };
    let inconsistent = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
    let without_a_group = [
        (
            with(|r| r.group_id = Str::EMPTY),
            ErrorCode::INVALID_GROUP_ID,
        ),
        (
            with(|r| r.session_timeout_ms = 5_999),
            ErrorCode::INVALID_SESSION_TIMEOUT,
        ),
        (
            with(|r| r.session_timeout_ms = 1_800_001),
            ErrorCode::INVALID_SESSION_TIMEOUT,
        ),
        (
            with(|r| r.member_id = "who".into()),
            ErrorCode::UNKNOWN_MEMBER_ID,
        ),
        (with(|r| r.protocol_type = Str::EMPTY), inconsistent),
        (with(|r| r.protocols.clear()), inconsistent),
    ];
    for (join, error) in without_a_group {
        assert_eq!(join.refused(&mut harness), error, "{:?}", join.request);
        assert!(harness.groups.groups.is_empty());
    }
    let members = stable(&mut harness, &[join().instance("i")]);
    let in_a_group = [
        (
            with(|r| r.member_id = "who".into()),
            ErrorCode::UNKNOWN_MEMBER_ID,
        ),
        (with(|r| r.protocol_type = "connect".into()), inconsistent),
        (
            with(|r| r.protocols = vec![protocol("other", "")]),
            inconsistent,
        ),
        (with(|r| r.protocols.clear()), inconsistent),
        (
            join().member(&"who".into()).instance("i"),
            ErrorCode::FENCED_INSTANCE_ID,
        ),
        (
            join().member(&members[0].member_id).instance("j"),
            ErrorCode::UNKNOWN_MEMBER_ID,
        ),
    ];
    for (join, error) in in_a_group {
        assert_eq!(join.refused(&mut harness), error, "{:?}", join.request);
        assert_eq!(state(&harness), State::Stable);
    }
}

#[test]
fn syncs_are_refused() {
    let mut harness = Harness::new(NO_DELAY);
    let ticket = sync(&mut harness, &JoinGroupResponse::default(), &[]);
    let error = synced(&mut harness, ticket).error_code;
    assert_eq!(error, ErrorCode::UNKNOWN_MEMBER_ID.code());
    let members = stable(&mut harness, &[join()]);
    let with = |change: fn(&mut SyncGroupRequest)| {
        let mut request = sync_request(&members[0], &[]);
        request.protocol_type = Some("consumer".into());
        request.protocol_name = Some("range".into());
        change(&mut request);
        request
    };
    let inconsistent = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
    let cases = [
        (with(|_| {}), ErrorCode::NONE),
        (
            with(|r| r.group_id = Str::EMPTY),
            ErrorCode::INVALID_GROUP_ID,
        ),
        (
            with(|r| r.member_id = "who".into()),
            ErrorCode::UNKNOWN_MEMBER_ID,
        ),
        (with(|r| r.generation_id = 0), ErrorCode::ILLEGAL_GENERATION),
        (with(|r| r.generation_id = 2), ErrorCode::ILLEGAL_GENERATION),
        (with(|r| r.protocol_type = None), inconsistent),
        (with(|r| r.protocol_name = None), inconsistent),
        (
            with(|r| r.protocol_name = Some("sticky".into())),
            inconsistent,
        ),
        (
            with(|r| r.protocol_type = Some("connect".into())),
            inconsistent,
        ),
    ];
    for (request, error) in cases {
        let ticket = harness.ask(GroupCommand::SyncGroup(asked(5), request.clone()));
        let found = synced(&mut harness, ticket).error_code;
        assert_eq!(found, error.code(), "{request:?}");
    }
    // Someone joins: it is to join again first.
    join().ask(&mut harness);
    let ticket = sync(&mut harness, &members[0], &[]);
    let error = synced(&mut harness, ticket).error_code;
    assert_eq!(error, ErrorCode::REBALANCE_IN_PROGRESS.code());
}

#[test]
fn a_group_has_no_more_members_than_it_may() {
    let settings = ["group.max.size=2", "group.initial.rebalance.delay.ms=0"];
    let mut harness = Harness::new(&settings);
    join().ask(&mut harness);
    join().ask(&mut harness);
    let full = ErrorCode::GROUP_MAX_SIZE_REACHED;
    assert_eq!(join().refused(&mut harness), full);
    harness.advance_ms(1);
    assert_eq!(join().refused(&mut harness), full);
    assert_eq!(join().version(4).refused(&mut harness), full);

    // Where the limit has sunk, the last to come back is out.
    let mut harness = Harness::new(NO_DELAY);
    let members = stable(&mut harness, &[join(), join(), join()]);
    harness.configuration = Configuration::from_overrides(&settings).expect("sound settings");
    harness.restart();
    assert_eq!(state(&harness), State::PreparingRebalance);
    let again = |index: usize| join().member(&members[index].member_id);
    let tickets = [0, 1].map(|index| again(index).ask(&mut harness));
    assert_eq!(again(2).refused(&mut harness), full);
    for ticket in tickets {
        assert_eq!(joined(&mut harness, ticket).generation_id, 2);
    }
}

#[test]
fn a_member_may_offer_ten_thousand_protocols() {
    let mut harness = Harness::new(NO_DELAY);
    let names: Vec<String> = (0..10_000).map(|number| format!("p{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let joins = [
        join().protocols(&names),
        join().protocols(&["p9999", "p1"]),
        join().protocols(&["p1", "p9999"]),
    ];
    let members = stable(&mut harness, &joins);
    assert_eq!(members[0].protocol_name, Some("p1".into()));
    let all: Vec<(&str, Option<&str>)> = members
        .iter()
        .map(|member| (member.member_id.as_str(), None))
        .collect();
    leave(&mut harness, 3, &all);
    let group = group(&harness);
    assert!(group.supported.is_empty() && group.members.is_empty());
}

#[test]
fn offsets_are_committed_by_whom_it_concerns() {
    let mut harness = Harness::new(NO_DELAY);
    stable(&mut harness, &[join().instance("i"), join()]);
    let stable = group(&harness);
    let known = stable.static_member("i").expect("a member").member_id();
    let others = stable.members().map(|member| member.member_id());
    let other = others.filter(|id| *id != known).last().expect("a member");
    let (none, who) = (Str::EMPTY, Str::from("who"));
    let (i, j) = (Str::from("i"), Str::from("j"));
    let unknown = Err(ErrorCode::UNKNOWN_MEMBER_ID);
    let cases = [
        (known, None, 1, Ok(())),
        (known, Some(&i), 1, Ok(())),
        (known, Some(&i), 0, Err(ErrorCode::ILLEGAL_GENERATION)),
        (known, None, -1, Err(ErrorCode::ILLEGAL_GENERATION)),
        (other, Some(&i), 1, Err(ErrorCode::FENCED_INSTANCE_ID)),
        (other, Some(&j), 1, unknown),
        (&who, None, 1, unknown),
        (&none, None, -1, unknown),
    ];
    for (member_id, instance, generation, expected) in cases {
        let found = stable.validate_offset_commit(member_id, instance, generation);
        assert_eq!(found, expected, "{member_id} {instance:?} {generation}");
    }
    let not_empty = Err(ErrorCode::NON_EMPTY_GROUP);
    assert_eq!(stable.validate_delete_group(), not_empty);
    let simple = ClassicGroup::simple();
    assert_eq!(simple.validate_offset_commit(&none, None, -1), Ok(()));
    assert_eq!(simple.validate_offset_commit(&who, None, -1), Ok(()));
    assert_eq!(simple.validate_offset_commit(&who, None, 0), unknown);
    assert_eq!(simple.validate_delete_group(), Ok(()));
}

#[test]
fn what_consumers_subscribe_to_is_known_where_it_can_be_read() {
    let text = "\0\u{3}\0\0\0\u{1}\0\u{6}orders\0\0\0\0and more";
    let by_commit = ExpiryBase::CommitTimestamp;
    let cases = [
        ("consumer", text, "orders", true, by_commit),
        ("consumer", text, "other", false, by_commit),
        ("consumer", "?", "other", true, ExpiryBase::Never),
        ("connect", text, "orders", false, ExpiryBase::Never),
    ];
    for (protocol_type, metadata, topic, expected, expiry) in cases {
        let mut harness = Harness::new(NO_DELAY);
        let mut consumer = join();
        consumer.request.protocol_type = protocol_type.into();
        consumer.request.protocols = vec![protocol("range", metadata)];
        let members = stable(&mut harness, &[consumer]);
        assert_eq!(group(&harness).is_subscribed_to(topic), expected);
        assert!(group(&harness).offset_expiry() == expiry);
        leave(&mut harness, 3, &[(&members[0].member_id, None)]);
        assert!(!group(&harness).is_subscribed_to(topic));
        let since = ExpiryBase::Since(harness.now.timestamp);
        assert!(group(&harness).offset_expiry() == since);
    }
}
