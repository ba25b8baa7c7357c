//! Commands on offsets, as clients give them, and what a coordinator knows that reads its log.

use super::ask::{
    Member, all_of, commit, commit_codes, commit_with_ids, delete, fetch, heartbeat, join, leave,
    must_commit, named,
};
use crate::base::prng::Prng;
use crate::base::uuid::Uuid;
use crate::coordinator::group::GroupRecord;
use crate::coordinator::group::harness::Harness;
use crate::coordinator::machine::TopicsChanged;
use crate::protocol::coordinator_records::{LegacyOffsetCommitKey, LegacyOffsetCommitValue};
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::offset_commit::OffsetCommitRequest;
use std::collections::BTreeMap;

const NONE: i16 = 0;
const MINUTE_MS: u64 = 60_000;

fn by(member: &Member, mut request: OffsetCommitRequest) -> OffsetCommitRequest {
    request.member_id = member.member_id.clone();
    request.generation_id_or_member_epoch = member.generation_id;
    request
}

#[test]
fn a_commit_without_membership_makes_the_group() {
    let mut harness = Harness::new(&[]);
    let mut request = commit("simple", &[("t", 0, 7), ("t", 3, 8), ("u", 0, 9)]);
    request.topics[0].partitions[0].committed_leader_epoch = 4;
    request.topics[0].partitions[0].committed_metadata = Some("why".into());
    assert_eq!(commit_codes(&mut harness, 9, request), [NONE; 3]);

    for restarted in [false, true] {
        if restarted {
            harness.restart();
        }
        let group = fetch(&mut harness, named("simple", "t", &[0, 1, 3]));
        let found: Vec<(i64, i32, &str, i16)> = group.topics[0]
            .partitions
            .iter()
            .map(|partition| {
                (
                    partition.committed_offset,
                    partition.committed_leader_epoch,
                    partition.metadata.as_deref().expect("never null"),
                    partition.error_code,
                )
            })
            .collect();
        assert_eq!(
            found,
            [(7, 4, "why", NONE), (-1, -1, "", NONE), (8, -1, "", NONE)]
        );
        let all = all_of(&mut harness, "simple");
        let expected = [("t", 0, 7), ("t", 3, 8), ("u", 0, 9)];
        assert_eq!(all, expected.map(|(t, p, o)| (t.to_owned(), p, o)));
    }
}

#[test]
fn a_group_that_is_not_there_has_no_offsets_and_no_generation() {
    let mut harness = Harness::new(&[]);
    let group = fetch(&mut harness, named("nobody", "t", &[5]));
    assert_eq!(group.error_code, NONE);
    assert_eq!(group.topics[0].partitions[0].committed_offset, -1);
    assert_eq!(all_of(&mut harness, "nobody"), []);

    let mut request = commit("nobody", &[("t", 0, 1)]);
    request.generation_id_or_member_epoch = 3;
    let codes = commit_codes(&mut harness, 8, request.clone());
    assert_eq!(codes, [ErrorCode::ILLEGAL_GENERATION.code()]);
    let codes = commit_codes(&mut harness, 9, request);
    assert_eq!(codes, [ErrorCode::GROUP_ID_NOT_FOUND.code()]);
    assert!(harness.log.is_empty());
    assert_eq!(all_of(&mut harness, "nobody"), []);
}

#[test]
fn metadata_is_limited_by_partition_as_java_counts() {
    let mut harness = Harness::new(&["offset.metadata.max.bytes=4"]);
    let mut request = commit("g", &[("t", 0, 1), ("t", 1, 1), ("t", 2, 1)]);
    request.topics[0].partitions[0].committed_metadata = Some("12345".into());
    // Ten bytes, four characters.
    request.topics[1].partitions[0].committed_metadata = Some("öäüß".into());
    // Four bytes a character, two of Java's: five are ten.
    request.topics[2].partitions[0].committed_metadata = Some("𝄞𝄞𝄞".into());
    let too_large = ErrorCode::OFFSET_METADATA_TOO_LARGE.code();
    assert_eq!(
        commit_codes(&mut harness, 9, request),
        [too_large, NONE, too_large]
    );
    assert_eq!(all_of(&mut harness, "g"), [("t".to_owned(), 1, 1)]);
}

#[test]
fn a_commit_that_cannot_be_written_has_not_happened() {
    let mut harness = Harness::new(&[]);
    must_commit(&mut harness, "g", &[("t", 0, 1)]);
    harness.writes_fail = true;
    let codes = commit_codes(&mut harness, 9, commit("g", &[("t", 0, 2)]));
    assert_eq!(codes, [ErrorCode::COORDINATOR_NOT_AVAILABLE.code()]);
    assert_eq!(all_of(&mut harness, "g"), [("t".to_owned(), 0, 1)]);
}

#[test]
fn only_members_commit_to_a_classic_group_that_has_some() {
    let mut harness = Harness::new(&[]);
    let member = join(&mut harness, "g", "consumer", "t");
    let request = commit("g", &[("t", 0, 5)]);
    let good = by(&member, request.clone());
    assert_eq!(commit_codes(&mut harness, 7, good.clone()), [NONE]);

    let mut stale = good.clone();
    stale.generation_id_or_member_epoch += 1;
    let mut stranger = good.clone();
    stranger.member_id = "stranger".into();
    let mut fenced = good;
    fenced.group_instance_id = Some("nobody".into());
    for (request, error) in [
        (request.clone(), ErrorCode::UNKNOWN_MEMBER_ID),
        (stale, ErrorCode::ILLEGAL_GENERATION),
        (stranger, ErrorCode::UNKNOWN_MEMBER_ID),
        (fenced, ErrorCode::UNKNOWN_MEMBER_ID),
    ] {
        assert_eq!(commit_codes(&mut harness, 7, request), [error.code()]);
    }

    leave(&mut harness, &member);
    assert_eq!(commit_codes(&mut harness, 7, request), [NONE]);
}

#[test]
fn a_classic_members_commit_is_a_sign_of_life() {
    let mut harness = Harness::new(&[]);
    let member = join(&mut harness, "g", "consumer", "t");
    for offset in 0..10 {
        harness.advance_ms(6_000);
        let request = by(&member, commit("g", &[("t", 0, offset)]));
        assert_eq!(commit_codes(&mut harness, 7, request), [NONE]);
    }
    harness.advance_ms(11_000);
    let request = by(&member, commit("g", &[("t", 0, 11)]));
    let codes = commit_codes(&mut harness, 7, request);
    assert_eq!(codes, [ErrorCode::UNKNOWN_MEMBER_ID.code()]);
}

#[test]
fn members_of_a_consumer_group_commit_and_fetch_in_their_epoch() {
    let mut harness = Harness::new(&[]);
    let member_id = "AAAAAAAAAAAAAAAAAAAAAQ";
    let epoch = heartbeat(&mut harness, "g", member_id, 0, "t");
    let member = Member {
        group_id: "g".into(),
        member_id: member_id.into(),
        generation_id: epoch,
    };
    let good = by(&member, commit("g", &[("t", 0, 5)]));
    let mut newer = good.clone();
    newer.generation_id_or_member_epoch += 1;
    let mut older = good.clone();
    older.generation_id_or_member_epoch -= 1;
    let mut stranger = good.clone();
    stranger.member_id = "stranger".into();
    for (version, request, error) in [
        (8, good.clone(), ErrorCode::UNSUPPORTED_VERSION),
        (9, newer, ErrorCode::STALE_MEMBER_EPOCH),
        (9, older, ErrorCode::STALE_MEMBER_EPOCH),
        (9, stranger, ErrorCode::UNKNOWN_MEMBER_ID),
        (9, commit("g", &[("t", 0, 5)]), ErrorCode::UNKNOWN_MEMBER_ID),
        (9, good, ErrorCode::NONE),
    ] {
        assert_eq!(commit_codes(&mut harness, version, request), [error.code()]);
    }

    let asks = |member_id: Option<&str>, member_epoch| {
        let mut request = named("g", "t", &[0]);
        request.member_id = member_id.map(Into::into);
        request.member_epoch = member_epoch;
        request
    };
    for (request, error) in [
        (asks(None, -1), ErrorCode::NONE),
        (asks(Some(member_id), epoch), ErrorCode::NONE),
        (
            asks(Some(member_id), epoch + 1),
            ErrorCode::STALE_MEMBER_EPOCH,
        ),
        (asks(Some("stranger"), epoch), ErrorCode::UNKNOWN_MEMBER_ID),
    ] {
        let group = fetch(&mut harness, request);
        assert_eq!(group.error_code, error.code());
        let offsets = group.topics.iter().flat_map(|topic| &topic.partitions);
        let offsets: Vec<i64> = offsets.map(|found| found.committed_offset).collect();
        let expected: &[i64] = if error == ErrorCode::NONE { &[5] } else { &[] };
        assert_eq!(offsets, expected);
    }

    // An administrator commits once nobody is there.
    heartbeat(&mut harness, "g", member_id, -1, "t");
    must_commit(&mut harness, "g", &[("t", 0, 3)]);
}

#[test]
fn offsets_of_another_topic_of_the_same_name_are_not_given_out() {
    let mut harness = Harness::new(&[]);
    let (old, new) = (Uuid::from_random(1, 1), Uuid::from_random(2, 2));
    let request = commit_with_ids("g", &[("t", old, 0, 5), ("t", Uuid::ZERO, 1, 6)]);
    assert_eq!(commit_codes(&mut harness, 10, request), [NONE; 2]);
    for (topic_id, expected) in [(old, [5, 6]), (new, [-1, 6]), (Uuid::ZERO, [5, 6])] {
        let mut request = named("g", "t", &[0, 1]);
        let topics = request.topics.as_mut().expect("named");
        topics[0].topic_id = topic_id;
        let group = fetch(&mut harness, request);
        let partitions = group.topics[0].partitions.iter();
        let offsets: Vec<i64> = partitions.map(|found| found.committed_offset).collect();
        assert_eq!(offsets, expected);
        assert_eq!(group.topics[0].topic_id, topic_id);
    }
}

#[test]
fn offsets_go_with_their_topic_but_not_with_one_of_the_same_name() {
    let mut harness = Harness::new(&[]);
    let (old, new) = (Uuid::from_random(1, 1), Uuid::from_random(2, 2));
    let offsets = [
        ("t", old, 0, 1),
        ("t", new, 1, 2),
        ("t", Uuid::ZERO, 2, 3),
        ("u", old, 0, 4),
    ];
    assert_eq!(
        commit_codes(&mut harness, 10, commit_with_ids("g", &offsets)),
        [NONE; 4]
    );
    must_commit(&mut harness, "other", &[("u", 0, 1)]);
    harness.topics_changed(&TopicsChanged {
        deleted: vec![("t".into(), old), ("v".into(), new)],
        ..TopicsChanged::default()
    });
    for _ in 0..2 {
        let left = [("t".to_owned(), 1, 2), ("u".to_owned(), 0, 4)];
        assert_eq!(all_of(&mut harness, "g"), left);
        assert_eq!(all_of(&mut harness, "other"), [("u".to_owned(), 0, 1)]);
        harness.restart();
    }
}

#[test]
fn a_large_topic_goes_in_several_steps() {
    let mut harness = Harness::new(&[]);
    let offsets: Vec<(&str, i32, i64)> = (0..20_000).map(|partition| ("t", partition, 1)).collect();
    must_commit(&mut harness, "g", &offsets);
    must_commit(&mut harness, "g", &[("u", 0, 2)]);
    let length = harness.log.len();
    harness.topics_changed(&TopicsChanged {
        deleted: vec![("t".into(), Uuid::from_random(1, 1))],
        ..TopicsChanged::default()
    });
    assert_eq!(harness.log.len() - length, 20_000);
    assert_eq!(all_of(&mut harness, "g"), [("u".to_owned(), 0, 2)]);
}

#[test]
fn offsets_as_old_brokers_wrote_them_are_read() {
    let mut harness = Harness::new(&[]);
    let legacy = |partition, offset: Option<i64>| {
        let key = LegacyOffsetCommitKey {
            group: "g".into(),
            topic: "t".into(),
            partition,
            ..LegacyOffsetCommitKey::default()
        };
        let value = offset.map(|offset| LegacyOffsetCommitValue {
            offset,
            metadata: "old".into(),
            commit_timestamp: 5,
            ..LegacyOffsetCommitValue::default()
        });
        let record = GroupRecord::LegacyOffsetCommit(key, value);
        record.encode().expect("encodes")
    };
    harness.log = vec![legacy(0, Some(3)), legacy(1, Some(4)), legacy(0, None)];
    harness.restart();
    assert_eq!(all_of(&mut harness, "g"), [("t".to_owned(), 1, 4)]);
    let group = fetch(&mut harness, named("g", "t", &[1]));
    let metadata = &group.topics[0].partitions[0].metadata;
    assert_eq!(metadata, &Some("old".into()));

    // A tombstone makes no group.
    harness.log = vec![legacy(0, None)];
    harness.restart();
    assert!(harness.groups.groups.is_empty());
}

#[test]
fn offsets_are_deleted_where_nobody_subscribes() {
    let mut harness = Harness::new(&[]);
    let codes = |response: &crate::protocol::messages::offset_delete::OffsetDeleteResponse| {
        let topics = response.topics.iter();
        let codes: Vec<i16> = topics
            .flat_map(|topic| &topic.partitions)
            .map(|partition| partition.error_code)
            .collect();
        (response.error_code, codes)
    };
    let subscribed = ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC.code();

    let nobody = delete(&mut harness, "nobody", &[("t", 0)]);
    let not_found = ErrorCode::GROUP_ID_NOT_FOUND.code();
    assert_eq!(codes(&nobody), (not_found, vec![]));
    let unnamed = delete(&mut harness, "", &[("t", 0)]);
    let invalid = ErrorCode::INVALID_GROUP_ID.code();
    assert_eq!(codes(&unnamed), (invalid, vec![]));

    must_commit(
        &mut harness,
        "classic",
        &[("t", 0, 1), ("u", 0, 2), ("u", 1, 3)],
    );
    let member = join(&mut harness, "classic", "consumer", "t");
    let length = harness.log.len();
    let response = delete(&mut harness, "classic", &[("t", 0), ("u", 0), ("u", 7)]);
    assert_eq!(codes(&response), (NONE, vec![subscribed, NONE, NONE]));
    assert_eq!(harness.records_since(length).len(), 1);
    let left = [("t".to_owned(), 0, 1), ("u".to_owned(), 1, 3)];
    assert_eq!(all_of(&mut harness, "classic"), left);
    leave(&mut harness, &member);
    let response = delete(&mut harness, "classic", &[("t", 0)]);
    assert_eq!(codes(&response), (NONE, vec![NONE]));

    must_commit(&mut harness, "connect", &[("t", 0, 1)]);
    join(&mut harness, "connect", "connect", "t");
    let response = delete(&mut harness, "connect", &[("t", 0)]);
    let non_empty = ErrorCode::NON_EMPTY_GROUP.code();
    assert_eq!(codes(&response), (non_empty, vec![]));

    must_commit(&mut harness, "consumer", &[("t", 0, 1), ("u", 0, 2)]);
    heartbeat(&mut harness, "consumer", "AAAAAAAAAAAAAAAAAAAAAQ", 0, "t");
    let response = delete(&mut harness, "consumer", &[("t", 0), ("u", 0)]);
    assert_eq!(codes(&response), (NONE, vec![subscribed, NONE]));
}

#[test]
fn offsets_without_members_expire_by_their_commit() {
    let mut harness = Harness::new(&[
        "offsets.retention.minutes=10",
        "offsets.retention.check.interval.ms=60000",
    ]);
    must_commit(&mut harness, "g", &[("t", 0, 1), ("t", 1, 1)]);
    harness.advance_ms(6 * MINUTE_MS);
    must_commit(&mut harness, "g", &[("t", 1, 2)]);
    harness.advance_ms(5 * MINUTE_MS);
    assert_eq!(all_of(&mut harness, "g"), [("t".to_owned(), 1, 2)]);
    assert!(harness.groups.groups.contains_key("g"));
    harness.advance_ms(6 * MINUTE_MS);
    for _ in 0..2 {
        assert_eq!(all_of(&mut harness, "g"), []);
        assert!(
            !harness.groups.groups.contains_key("g"),
            "with its last offset"
        );
        harness.restart();
    }
}

#[test]
fn old_clients_say_how_long_their_offsets_are_kept() {
    let mut harness = Harness::new(&["offsets.retention.minutes=10"]);
    let mut request = commit("g", &[("t", 0, 1)]);
    request.retention_time_ms = 60 * 60_000;
    assert_eq!(commit_codes(&mut harness, 4, request), [NONE]);
    must_commit(&mut harness, "h", &[("t", 0, 1)]);
    harness.restart();
    harness.advance_ms(40 * MINUTE_MS);
    assert_eq!(all_of(&mut harness, "g"), [("t".to_owned(), 0, 1)]);
    assert_eq!(all_of(&mut harness, "h"), []);
    harness.advance_ms(40 * MINUTE_MS);
    assert_eq!(all_of(&mut harness, "g"), []);
}

#[test]
fn what_an_active_group_subscribes_to_never_expires() {
    let mut harness = Harness::new(&["offsets.retention.minutes=10"]);
    must_commit(&mut harness, "consumer", &[("t", 0, 1), ("u", 0, 1)]);
    let member_id = "AAAAAAAAAAAAAAAAAAAAAQ";
    let mut epoch = heartbeat(&mut harness, "consumer", member_id, 0, "t");
    must_commit(&mut harness, "classic", &[("t", 0, 1), ("u", 0, 1)]);
    let member = join(&mut harness, "classic", "consumer", "t");
    for _ in 0..(60 * 60 / 5) {
        harness.advance_ms(5_000);
        epoch = heartbeat(&mut harness, "consumer", member_id, epoch, "t");
        let request = by(&member, commit("classic", &[("w", 0, 1)]));
        assert_eq!(commit_codes(&mut harness, 7, request), [NONE]);
    }
    let left = [("t".to_owned(), 0, 1)];
    assert_eq!(all_of(&mut harness, "consumer"), left);
    let left = [("t".to_owned(), 0, 1), ("w".to_owned(), 0, 1)];
    assert_eq!(all_of(&mut harness, "classic"), left);

    // Once it is empty its time runs, from then on.
    leave(&mut harness, &member);
    harness.advance_ms(5 * MINUTE_MS);
    assert_eq!(all_of(&mut harness, "classic"), left);
    harness.restart();
    harness.advance_ms(16 * MINUTE_MS);
    assert_eq!(all_of(&mut harness, "classic"), []);
    assert!(!harness.groups.groups.contains_key("classic"));
}

#[test]
fn many_offsets_expire_some_at_a_time() {
    let mut harness = Harness::new(&["offsets.retention.minutes=1"]);
    for group in 0..3 {
        let offsets: Vec<(&str, i32, i64)> = (0..4_000)
            .map(|partition| (["t", "u"][group % 2], partition, 1))
            .collect();
        must_commit(&mut harness, &format!("g{group}"), &offsets);
    }
    harness.advance_ms(10 * MINUTE_MS - 1);
    let length = harness.log.len();
    harness.advance_ms(1);
    assert_eq!(harness.log.len() - length, 5_000);
    harness.advance_ms(10);
    assert_eq!(harness.log.len() - length, 10_000);
    harness.advance_ms(10);
    let with_the_groups_own = 12_003;
    assert_eq!(harness.log.len() - length, with_the_groups_own);
    assert!(harness.groups.groups.is_empty());
    harness.advance_ms(1_000);
    assert_eq!(harness.log.len() - length, with_the_groups_own);
}

#[test]
fn expiry_that_cannot_be_written_comes_again() {
    let mut harness = Harness::new(&["offsets.retention.minutes=1"]);
    let offsets: Vec<(&str, i32, i64)> = (0..6_000).map(|partition| ("t", partition, 1)).collect();
    must_commit(&mut harness, "g", &offsets);
    harness.writes_fail = true;
    harness.advance_ms(11 * MINUTE_MS);
    assert_eq!(all_of(&mut harness, "g").len(), 6_000);
    harness.writes_fail = false;
    harness.advance_ms(10 * MINUTE_MS);
    assert!(harness.groups.groups.is_empty());
}

#[test]
fn a_log_that_is_read_again_gives_the_same_answers() {
    for seed in 0..60 {
        let mut prng = Prng::new(seed);
        let mut harness = Harness::new(&["offset.metadata.max.bytes=8"]);
        let mut model: BTreeMap<(usize, usize, i32), (i64, i32, String)> = BTreeMap::new();
        let groups = ["a", "b", "c"];
        let topics = ["t", "u", "v"];
        let ids = [Uuid::from_random(1, 1), Uuid::from_random(2, 2)];
        for step in 0..200 {
            let (group, topic) = (prng.index(3), prng.index(3));
            let partition = i32::try_from(prng.below(600)).expect("small");
            match prng.below(12) {
                0..7 => {
                    let mut request = commit_with_ids(
                        groups[group],
                        &[(topics[topic], ids[prng.index(2)], partition, step)],
                    );
                    let metadata = "m".repeat(prng.index(10));
                    let committed = &mut request.topics[0].partitions[0];
                    let leader_epoch = i32::try_from(prng.below(4)).expect("small") - 2;
                    committed.committed_leader_epoch = leader_epoch;
                    committed.committed_metadata =
                        (!metadata.is_empty()).then(|| metadata.as_str().into());
                    let is_good = metadata.len() <= 8;
                    let codes = commit_codes(&mut harness, 10, request);
                    assert_eq!(codes[0] == NONE, is_good && !harness.writes_fail);
                    if is_good && !harness.writes_fail {
                        let key = (group, topic, partition);
                        model.insert(key, (step, leader_epoch.max(-1), metadata));
                    }
                }
                7 | 8 => {
                    let response =
                        delete(&mut harness, groups[group], &[(topics[topic], partition)]);
                    if response.error_code == NONE && !harness.writes_fail {
                        model.remove(&(group, topic, partition));
                    }
                }
                9 => harness.restart(),
                10 => {
                    harness.compact(prng.one_in(2));
                    harness.restart();
                }
                _ => harness.writes_fail = prng.one_in(3),
            }
        }
        for restarted in [false, true] {
            if restarted {
                harness.compact(true);
                harness.restart();
            }
            for (group, name) in groups.into_iter().enumerate() {
                let expected: Vec<(String, i32, i64)> = model
                    .range((group, 0, i32::MIN)..(group + 1, 0, i32::MIN))
                    .map(|(&(_, topic, partition), &(offset, _, _))| {
                        (topics[topic].to_owned(), partition, offset)
                    })
                    .collect();
                assert_eq!(all_of(&mut harness, name), expected, "seed {seed}");
            }
            for (&(group, topic, partition), (offset, leader_epoch, metadata)) in &model {
                let request = named(groups[group], topics[topic], &[partition]);
                let found = fetch(&mut harness, request);
                let found = &found.topics[0].partitions[0];
                assert_eq!(found.committed_offset, *offset);
                assert_eq!(found.committed_leader_epoch, *leader_epoch);
                assert_eq!(found.metadata.as_deref(), Some(metadata.as_str()));
            }
        }
    }
}
