//! Members become a generation, and the next one.

use super::*;

#[test]
fn two_members_become_a_generation() {
    let mut harness = Harness::new(&[]);
    let first = join().protocols(&["range", "sticky"]).ask(&mut harness);
    let second = join().protocols(&["sticky", "range"]).ask(&mut harness);
    harness.advance_ms(2_999);
    assert_eq!(harness.waiting(), 2);
    assert_eq!(state(&harness), State::PreparingRebalance);
    harness.advance_ms(3_002);
    let first = joined(&mut harness, first);
    let second = joined(&mut harness, second);
    for member in [&first, &second] {
        assert_eq!(member.error_code, 0);
        assert_eq!(member.generation_id, 1);
        assert_eq!(member.leader, first.member_id);
        assert_eq!(member.protocol_type, Some("consumer".into()));
        assert_eq!(member.protocol_name, Some("range".into()));
        assert!(member.member_id.starts_with("client-"));
        assert_eq!(member.member_id.len(), "client-".len() + 36);
    }
    let mut told: Vec<&Str> = first
        .members
        .iter()
        .map(|member| &member.member_id)
        .collect();
    told.sort_by_key(|id| **id != first.member_id);
    assert_eq!(told, [&first.member_id, &second.member_id]);
    assert_eq!(first.members[0].metadata, Bytes::from_static(b"range"));
    assert!(second.members.is_empty());
    assert_eq!(state(&harness), State::CompletingRebalance);
    assert!(harness.log.is_empty());

    let waits = sync(&mut harness, &second, &[]);
    assert_eq!(harness.waiting(), 1);
    let stranger = Str::from("stranger");
    let assignments = [(&second.member_id, "for two"), (&stranger, "for none")];
    let leads = sync(&mut harness, &first, &assignments);
    let waited = synced(&mut harness, waits);
    assert_eq!(waited.assignment, Bytes::from_static(b"for two"));
    assert_eq!(waited.protocol_name, Some("range".into()));
    let led = synced(&mut harness, leads);
    assert_eq!((led.error_code, led.assignment), (0, Bytes::new()));
    assert_eq!(state(&harness), State::Stable);

    let record = last_record(&harness);
    assert_eq!(record.protocol_type, "consumer");
    assert_eq!(record.protocol, Some("range".into()));
    assert_eq!(record.generation, 1);
    assert_eq!(record.leader, Some(first.member_id));
    assert_eq!(record.members.len(), 2);
    for member in &record.members {
        assert_eq!(member.client_id, "client");
        assert_eq!(member.client_host, "/127.0.0.1");
        assert_eq!(member.session_timeout, 10_000);
        assert_eq!(member.rebalance_timeout, 60_000);
        assert_eq!(member.subscription, Bytes::from_static(b"range"));
    }
    let described = group(&harness).describe(&"g".into());
    assert_eq!(described.group_state, "Stable");
    assert_eq!(described.protocol_data, "range");
    assert_eq!(described.members.len(), 2);
}

#[test]
fn the_initial_delay_grows_with_members_up_to_the_rebalance_timeout() {
    let mut harness = Harness::new(&[]);
    let mut hasty = join();
    hasty.request.rebalance_timeout_ms = 7_000;
    hasty.ask(&mut harness);
    for _ in 0..2 {
        harness.advance_ms(2_900);
        hasty.ask(&mut harness);
        assert_eq!(state(&harness), State::PreparingRebalance);
    }
    // 3 s, 3 s more, and the one second that is left of seven.
    harness.advance_ms(7_000 - 5_800 - 1);
    assert_eq!(state(&harness), State::PreparingRebalance);
    harness.advance_ms(1);
    assert_eq!(state(&harness), State::CompletingRebalance);
    assert_eq!(harness.waiting(), 0);
}

#[test]
fn who_does_not_join_again_in_time_is_out_and_leads_no_more() {
    let mut harness = Harness::new(NO_DELAY);
    let members = stable(&mut harness, &[join(), join(), join()]);
    let (leader, follower) = (&members[0].member_id, &members[1].member_id);
    let waits = join().member(follower).changed().ask(&mut harness);
    for _ in 0..60 {
        for member in &members {
            heartbeat(&mut harness, &member.member_id, 1);
        }
        assert_eq!(harness.waiting(), 1);
        harness.advance_ms(1_000);
    }
    let response = joined(&mut harness, waits);
    assert_eq!((response.generation_id, &response.leader), (2, follower));
    assert_eq!(response.members.len(), 1);
    let error = heartbeat(&mut harness, leader, 1);
    assert_eq!(error, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn who_does_not_sync_in_time_is_out() {
    let mut harness = Harness::new(NO_DELAY);
    let members = generation(&mut harness, &[join(), join()]);
    let (leader, other) = (&members[0], &members[1]);
    let waits = sync(&mut harness, leader, &[(&leader.member_id, "all")]);
    let all = synced(&mut harness, waits).assignment;
    assert_eq!(all, Bytes::from_static(b"all"));
    for _ in 0..59 {
        harness.advance_ms(1_000);
        for member in &members {
            let error = heartbeat(&mut harness, &member.member_id, 1);
            assert_eq!(error, ErrorCode::NONE);
        }
    }
    harness.advance_ms(1_000);
    let error = heartbeat(&mut harness, &other.member_id, 1);
    assert_eq!(error, ErrorCode::UNKNOWN_MEMBER_ID);
    let error = heartbeat(&mut harness, &leader.member_id, 1);
    assert_eq!(error, ErrorCode::REBALANCE_IN_PROGRESS);
}

#[test]
fn a_change_interrupts_who_waits_for_its_assignment() {
    let mut harness = Harness::new(NO_DELAY);
    let members = generation(&mut harness, &[join(), join()]);
    let waits = sync(&mut harness, &members[1], &[]);
    join().ask(&mut harness);
    let error = synced(&mut harness, waits).error_code;
    assert_eq!(error, ErrorCode::REBALANCE_IN_PROGRESS.code());
}

#[test]
fn a_leader_that_comes_again_wants_to_assign_and_a_follower_does_not() {
    let mut harness = Harness::new(NO_DELAY);
    let members = stable(&mut harness, &[join(), join()]);
    let (leader, follower) = (&members[0].member_id, &members[1].member_id);
    let same = join().member(follower).ask_now(&mut harness);
    assert_eq!((same.error_code, same.generation_id), (0, 1));
    assert_eq!((&same.leader, same.members.len()), (leader, 0));
    assert_eq!(state(&harness), State::Stable);
    let waits = join().member(leader).ask(&mut harness);
    assert_eq!(state(&harness), State::PreparingRebalance);
    let other = join().member(follower).ask_now(&mut harness);
    assert_eq!(other.generation_id, 2);
    let led = joined(&mut harness, waits);
    assert_eq!(led.members.len(), 2);

    // It has lost the answer, and gets it again.
    let again = join().member(leader).ask_now(&mut harness);
    assert_eq!(again, led);
    join().member(follower).changed().ask(&mut harness);
    assert_eq!(state(&harness), State::PreparingRebalance);
}

#[test]
fn the_protocol_that_most_prefer_is_chosen_of_those_that_all_have() {
    let cases: &[(&[&[&str]], &str)] = &[
        (&[&["range"]], "range"),
        (&[&["a", "b"], &["b", "a"], &["b", "a"]], "b"),
        (&[&["a", "b"], &["b", "a"]], "a"),
        (&[&["x", "b", "a"], &["b", "a", "y"], &["a", "b"]], "b"),
    ];
    for (members, chosen) in cases {
        let mut harness = Harness::new(NO_DELAY);
        let joins = members.iter().map(|protocols| join().protocols(protocols));
        let joins: Vec<Join> = joins.collect();
        for response in generation(&mut harness, &joins) {
            assert_eq!(
                response.protocol_name,
                Some((*chosen).into()),
                "{members:?}"
            );
        }
    }
}

#[test]
fn a_group_outlives_its_coordinator() {
    for is_compacted in [false, true] {
        let mut harness = Harness::new(NO_DELAY);
        let joins = [join().protocols(&["range", "sticky"]), join()];
        let members = stable(&mut harness, &joins);
        if is_compacted {
            harness.compact(true);
        }
        harness.restart();
        assert_eq!(state(&harness), State::Stable);
        for member in &members {
            let error = heartbeat(&mut harness, &member.member_id, 1);
            assert_eq!(error, ErrorCode::NONE);
            let ticket = sync(&mut harness, member, &[]);
            let assignment = synced(&mut harness, ticket).assignment;
            assert_eq!(assignment, Bytes::from_static(b"a"));
        }
        harness.advance_ms(9_999);
        assert_eq!(state(&harness), State::Stable);
        harness.advance_ms(1);
        assert_eq!(state(&harness), State::Empty);
        harness.restart();
        assert_eq!(state(&harness), State::Empty);
        assert_eq!(group(&harness).generation(), 2);
    }
}

#[test]
fn an_assignment_that_cannot_be_written_is_asked_for_again() {
    let mut harness = Harness::new(NO_DELAY);
    let members = generation(&mut harness, &[join(), join()]);
    harness.writes_fail = true;
    let follows = sync(&mut harness, &members[1], &[]);
    let leads = sync(&mut harness, &members[0], &[]);
    for ticket in [follows, leads] {
        let error = synced(&mut harness, ticket).error_code;
        assert_eq!(error, ErrorCode::COORDINATOR_NOT_AVAILABLE.code());
    }
    assert_eq!(state(&harness), State::CompletingRebalance);
    harness.writes_fail = false;
    let again: Vec<JoinGroupResponse> = members
        .iter()
        .map(|member| join().member(&member.member_id).ask_now(&mut harness))
        .collect();
    assert_eq!(again[0].generation_id, 1);
    settle(&mut harness, &again);
}
