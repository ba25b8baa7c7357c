//! Members come, live, and go.

use super::*;
use crate::coordinator::machine::Machine;

#[test]
fn an_id_is_required_before_a_member_is_one() {
    let mut harness = Harness::new(NO_DELAY);
    let given = join().version(4).ask_now(&mut harness);
    assert_eq!(given.error_code, ErrorCode::MEMBER_ID_REQUIRED.code());
    assert_eq!(state(&harness), State::Empty);
    let joining = join().version(4).member(&given.member_id);
    let first = joining.ask(&mut harness);
    harness.advance_ms(1);
    assert_eq!(joined(&mut harness, first).member_id, given.member_id);

    // Another one is waited for, and does not come back within its session timeout.
    let other = join().version(9).ask_now(&mut harness);
    assert_eq!(other.error_code, ErrorCode::MEMBER_ID_REQUIRED.code());
    let third = join().ask(&mut harness);
    let again = joining.ask(&mut harness);
    assert_eq!(harness.waiting(), 2);
    harness.advance_ms(10_000);
    assert_eq!(joined(&mut harness, third).generation_id, 2);
    assert_eq!(joined(&mut harness, again).generation_id, 2);
    let late = join().version(9).member(&other.member_id);
    assert_eq!(late.refused(&mut harness), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn ids_that_nobody_uses_leave_nothing_behind() {
    let mut harness = Harness::new(NO_DELAY);
    let given = join().version(4).ask_now(&mut harness);
    join().version(4).ask_now(&mut harness);
    let left = leave(&mut harness, 3, &[(&given.member_id, None)]);
    assert_eq!(errors_of(&left), [ErrorCode::NONE]);
    harness.advance_ms(10_000);
    assert!(harness.groups.groups.is_empty());
    assert!(harness.log.is_empty());
}

#[test]
fn ids_are_not_given_without_end() {
    let mut harness = Harness::new(NO_DELAY);
    let asks = join().version(4);
    for _ in 0..crate::base::limits::PENDING_MEMBERS_PER_GROUP_MAX {
        assert_eq!(asks.refused(&mut harness), ErrorCode::MEMBER_ID_REQUIRED);
    }
    let full = ErrorCode::GROUP_MAX_SIZE_REACHED;
    assert_eq!(asks.refused(&mut harness), full);
    harness.advance_ms(10_000);
    assert!(harness.groups.groups.is_empty());
    assert!(harness.groups.next_deadline() > harness.now.instant);
}

#[test]
fn heartbeats_tell_what_to_do() {
    let mut harness = Harness::new(NO_DELAY);
    let unknown = ErrorCode::UNKNOWN_MEMBER_ID;
    assert_eq!(heartbeat(&mut harness, &Str::EMPTY, 1), unknown);
    let members = stable(&mut harness, &[join(), join()]);
    let first = &members[0].member_id;
    assert_eq!(heartbeat(&mut harness, first, 1), ErrorCode::NONE);
    let old = heartbeat(&mut harness, first, 0);
    assert_eq!(old, ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(heartbeat(&mut harness, &"who".into(), 1), unknown);
    join().ask(&mut harness);
    let joining = heartbeat(&mut harness, first, 1);
    assert_eq!(joining, ErrorCode::REBALANCE_IN_PROGRESS);
}

#[test]
fn who_is_silent_is_out() {
    let mut harness = Harness::new(NO_DELAY);
    let members = stable(&mut harness, &[join(), join()]);
    let lives = members[0].member_id.clone();
    for _ in 0..4 {
        harness.advance_ms(2_400);
        assert_eq!(heartbeat(&mut harness, &lives, 1), ErrorCode::NONE);
    }
    harness.advance_ms(400);
    let error = heartbeat(&mut harness, &lives, 1);
    assert_eq!(error, ErrorCode::REBALANCE_IN_PROGRESS);
    let again = join().member(&lives).ask_now(&mut harness);
    assert_eq!((again.generation_id, again.members.len()), (2, 1));
    settle(&mut harness, &[again]);
    harness.advance_ms(10_000);
    assert_eq!(state(&harness), State::Empty);
    let record = last_record(&harness);
    assert_eq!((record.generation, record.members.len()), (3, 0));
    assert_eq!((record.protocol, record.leader), (None, None));
    assert_eq!(record.protocol_type, "consumer");
}

#[test]
fn who_waits_is_not_silent_unless_it_is_new() {
    let mut harness = Harness::new(NO_DELAY);
    let mut patient = join();
    patient.request.rebalance_timeout_ms = 600_000;
    let members = stable(&mut harness, &[patient.clone(), patient.clone()]);
    let again = patient.clone().member(&members[0].member_id);
    let new = patient.ask(&mut harness);
    let mut waits = again.ask(&mut harness);
    // The other heartbeats and does not join: all wait for it, the new one five minutes at most.
    for second in 0..299 {
        harness.advance_ms(1_000);
        heartbeat(&mut harness, &members[1].member_id, 1);
        if second == 100 {
            // It has lost its connection and asks again: its request before ends.
            let before = std::mem::replace(&mut waits, again.ask(&mut harness));
            let error = joined(&mut harness, before).error_code;
            assert_eq!(error, ErrorCode::REBALANCE_IN_PROGRESS.code());
        }
    }
    assert_eq!(harness.waiting(), 2);
    harness.advance_ms(1_000);
    let error = joined(&mut harness, new).error_code;
    assert_eq!(error, ErrorCode::UNKNOWN_MEMBER_ID.code());
    harness.advance_ms(10_000);
    assert_eq!(joined(&mut harness, waits).generation_id, 2);
}

#[test]
fn members_leave() {
    let mut harness = Harness::new(NO_DELAY);
    let none = ErrorCode::NONE;
    let unknown = ErrorCode::UNKNOWN_MEMBER_ID;
    let fenced = ErrorCode::FENCED_INSTANCE_ID;
    let nobody = leave(&mut harness, 3, &[("a", None), ("b", Some("i"))]);
    assert_eq!(errors_of(&nobody), [unknown; 2]);
    assert_eq!(nobody.error_code, 0);
    let old = leave(&mut harness, 2, &[("a", None)]);
    assert_eq!((old.error_code, old.members.len()), (unknown.code(), 0));

    let joins = [join(), join().instance("i"), join().instance("j")];
    let members = stable(&mut harness, &joins);
    let i = group(&harness).static_member("i").expect("a member");
    let i = i.member_id().clone();
    let given = join().version(4).ask_now(&mut harness).member_id;
    let leaving: [(&str, Option<&str>); 6] = [
        (&i, Some("j")),
        ("", Some("i")),
        ("", Some("i")),
        ("", None),
        ("who", None),
        (&given, None),
    ];
    let left = leave(&mut harness, 5, &leaving);
    let expected = [fenced, none, unknown, unknown, unknown, none];
    assert_eq!(errors_of(&left), expected);
    assert_eq!(left.members[1].group_instance_id, Some("i".into()));
    assert_eq!(state(&harness), State::PreparingRebalance);

    let written = harness.log.len();
    let rest: Vec<(&str, Option<&str>)> = members
        .iter()
        .filter(|member| member.member_id != i)
        .map(|member| (member.member_id.as_str(), None))
        .collect();
    assert_eq!(errors_of(&leave(&mut harness, 3, &rest)), [none, none]);
    assert_eq!(state(&harness), State::Empty);
    assert_eq!(harness.log.len(), written + 1);
    assert_eq!(last_record(&harness).generation, 2);
    // Who comes now begins with the generation after.
    assert_eq!(generation(&mut harness, &[join()])[0].generation_id, 3);
}
