//! Members that have names of their own (KIP-345).

use super::*;

#[test]
fn a_static_member_comes_back_and_nobody_notices() {
    let mut harness = Harness::new(NO_DELAY);
    stable(&mut harness, &[join().instance("i"), join().instance("j")]);
    let fenced = ErrorCode::FENCED_INSTANCE_ID;
    for instance in ["i", "j"] {
        let before = group(&harness).static_member(instance).expect("a member");
        let before = before.member_id().clone();
        let led = group(&harness).leader() == Some(&before);
        let written = harness.log.len();
        let back = join().instance(instance).version(9).ask_now(&mut harness);
        assert_eq!((back.error_code, back.generation_id), (0, 1));
        assert_ne!(back.member_id, before);
        assert!(back.member_id.starts_with(instance));
        assert_eq!(back.skip_assignment, led);
        assert_eq!(back.members.len(), if led { 2 } else { 0 });
        assert_eq!(back.leader == back.member_id, led);
        assert_eq!(state(&harness), State::Stable);
        assert_eq!(harness.log.len(), written + 1);
        let record = last_record(&harness);
        let mut members = record.members.iter();
        assert!(members.any(|member| member.member_id == back.member_id));

        // Who it was before is fenced.
        let error = heartbeat_of(&mut harness, &before, 1, Some(instance));
        assert_eq!(error, fenced);
        let error = heartbeat(&mut harness, &before, 1);
        assert_eq!(error, ErrorCode::UNKNOWN_MEMBER_ID);
        let rejoins = join().member(&before).instance(instance);
        assert_eq!(rejoins.refused(&mut harness), fenced);
        let left = leave(&mut harness, 3, &[(&before, Some(instance))]);
        assert_eq!(errors_of(&left), [fenced]);

        let error = heartbeat_of(&mut harness, &back.member_id, 1, Some(instance));
        assert_eq!(error, ErrorCode::NONE);
        let waits = sync(&mut harness, &back, &[]);
        let assignment = synced(&mut harness, waits).assignment;
        assert_eq!(assignment, Bytes::from_static(b"a"));
    }
    // An old client must not think that it leads, or it would assign.
    for instance in ["i", "j"] {
        let back = join().instance(instance).version(8).ask_now(&mut harness);
        assert!(!back.skip_assignment);
        assert_ne!(back.leader, back.member_id);
        assert_eq!(back.members.len(), 0);
    }
    // The log knows who they are now.
    let known: Vec<Str> = group(&harness)
        .members()
        .map(|member| member.member_id().clone())
        .collect();
    harness.restart();
    for member_id in known {
        assert_eq!(heartbeat(&mut harness, &member_id, 1), ErrorCode::NONE);
    }
}

#[test]
fn a_static_member_that_changes_what_is_chosen_makes_all_rebalance() {
    let mut harness = Harness::new(NO_DELAY);
    let both = join().protocols(&["a", "b"]);
    let members = stable(&mut harness, &[both.clone(), both.clone().instance("i")]);
    assert_eq!(members[0].protocol_name, Some("a".into()));
    let other = group(&harness).members();
    let other = other.filter(|member| member.group_instance_id().is_none());
    let other = other.last().expect("a member").member_id().clone();
    let comes_back = join().instance("i").protocols(&["b"]);
    let waits = comes_back.ask(&mut harness);
    assert_eq!(state(&harness), State::PreparingRebalance);
    let response = both.member(&other).ask_now(&mut harness);
    assert_eq!(response.protocol_name, Some("b".into()));
    let back = joined(&mut harness, waits);

    // Between join and sync the leader knows the old id only.
    let waits = comes_back.ask(&mut harness);
    assert_eq!(state(&harness), State::PreparingRebalance);
    // And while members are gathered, who waits in its old name is fenced.
    comes_back.ask(&mut harness);
    let fenced = joined(&mut harness, waits);
    assert_eq!(fenced.error_code, ErrorCode::FENCED_INSTANCE_ID.code());
    assert_ne!(fenced.member_id, back.member_id);
}

#[test]
fn a_static_member_is_waited_for_until_its_session_ends() {
    let mut harness = Harness::new(NO_DELAY);
    let mut slow = join().instance("i");
    slow.request.session_timeout_ms = 300_000;
    stable(&mut harness, &[slow, join()]);
    let other = group(&harness).members();
    let other = other.filter(|member| member.group_instance_id().is_none());
    let other = other.last().expect("a member").member_id().clone();
    let waits = join().member(&other).changed().ask(&mut harness);
    harness.advance_ms(60_000);
    let response = joined(&mut harness, waits);
    assert_eq!(response.generation_id, 2);
    assert_eq!((&response.leader, response.members.len()), (&other, 2));
    let ticket = sync(&mut harness, &response, &[]);
    assert_eq!(synced(&mut harness, ticket).error_code, 0);
    assert_eq!(state(&harness), State::Stable);
}

#[test]
fn a_static_member_whose_id_cannot_be_written_comes_again() {
    let mut harness = Harness::new(NO_DELAY);
    stable(&mut harness, &[join().instance("i")]);
    harness.writes_fail = true;
    let comes_back = join().instance("i").version(9);
    let error = comes_back.refused(&mut harness);
    assert_eq!(error, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    harness.writes_fail = false;
    let back = comes_back.ask_now(&mut harness);
    assert_eq!((back.error_code, back.generation_id), (0, 1));
    harness.restart();
    let error = heartbeat_of(&mut harness, &back.member_id, 1, Some("i"));
    assert_eq!(error, ErrorCode::NONE);
}
