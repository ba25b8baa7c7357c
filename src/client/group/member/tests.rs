//! The member against a coordinator that answers from a script.

use super::*;
use crate::base::prng::Prng;
use crate::client::cluster::tests::cluster;
use crate::client::group::range::decode_assignment;
use crate::protocol::messages::find_coordinator::{Coordinator, FindCoordinatorResponse};
use crate::protocol::messages::heartbeat::HeartbeatResponse;
use crate::protocol::messages::join_group::{JoinGroupResponse, JoinGroupResponseMember};
use crate::protocol::messages::offset_commit::{
    OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopics,
};
use crate::protocol::messages::sync_group::SyncGroupResponse;

const NOW: Instant = Instant(1_000_000_000);

fn member(instance_id: Option<&str>) -> Member {
    let options = MemberOptions {
        instance_id: instance_id.map(str::to_owned),
        ..MemberOptions::new("g")
    };
    Member::new(options, vec!["t".into()])
}

fn name(question: Option<Question>) -> &'static str {
    match question {
        None => "-",
        Some(Question::Coordinator(_)) => "coordinator",
        Some(Question::Metadata(_)) => "metadata",
        Some(Question::Join(_)) => "join",
        Some(Question::Sync(_)) => "sync",
        Some(Question::Offsets(_)) => "offsets",
        Some(Question::Heartbeat(_)) => "heartbeat",
        Some(Question::Commit(_)) => "commit",
        Some(Question::Leave(_)) => "leave",
    }
}

fn coordinator(error: ErrorCode) -> FindCoordinatorResponse {
    FindCoordinatorResponse {
        coordinators: vec![Coordinator {
            key: "g".into(),
            node_id: 2,
            error_code: error.into(),
            ..Coordinator::default()
        }],
        ..FindCoordinatorResponse::default()
    }
}

/// Member `me` in generation 5; with other members it is the leader.
fn joined(error: ErrorCode, members: &[(&str, &[&str])]) -> JoinGroupResponse {
    let topics = |topics: &[&str]| -> Vec<Rc<str>> { topics.iter().map(|&t| t.into()).collect() };
    JoinGroupResponse {
        error_code: error.into(),
        generation_id: 5,
        protocol_name: Some(RANGE.into()),
        leader: if members.is_empty() { "other" } else { "me" }.into(),
        member_id: "me".into(),
        members: members
            .iter()
            .map(|(id, subscribed)| JoinGroupResponseMember {
                member_id: (*id).into(),
                metadata: encode_subscription(&topics(subscribed), ""),
                ..JoinGroupResponseMember::default()
            })
            .collect(),
        ..JoinGroupResponse::default()
    }
}

fn synced(error: ErrorCode, partitions: &[i32]) -> SyncGroupResponse {
    let partitions: Vec<TopicIndex> = partitions.iter().map(|&p| ("t".into(), p)).collect();
    SyncGroupResponse {
        error_code: error.into(),
        assignment: encode_assignment(&partitions),
        ..SyncGroupResponse::default()
    }
}

fn offsets(error: ErrorCode, committed: &[(i32, i64)]) -> OffsetFetchResponse {
    let partitions = committed
        .iter()
        .map(
            |&(partition_index, committed_offset)| OffsetFetchResponsePartitions {
                partition_index,
                committed_offset,
                error_code: error.into(),
                ..OffsetFetchResponsePartitions::default()
            },
        );
    OffsetFetchResponse {
        groups: vec![OffsetFetchResponseGroup {
            group_id: "g".into(),
            topics: vec![OffsetFetchResponseTopics {
                name: "t".into(),
                partitions: partitions.collect(),
                ..OffsetFetchResponseTopics::default()
            }],
            ..OffsetFetchResponseGroup::default()
        }],
        ..OffsetFetchResponse::default()
    }
}

fn committed(errors: &[(i32, ErrorCode)]) -> OffsetCommitResponse {
    let partitions = errors
        .iter()
        .map(|&(partition_index, error)| OffsetCommitResponsePartition {
            partition_index,
            error_code: error.into(),
            ..OffsetCommitResponsePartition::default()
        });
    OffsetCommitResponse {
        topics: vec![OffsetCommitResponseTopic {
            name: "t".into(),
            partitions: partitions.collect(),
            ..OffsetCommitResponseTopic::default()
        }],
        ..OffsetCommitResponse::default()
    }
}

fn heartbeat(error: ErrorCode) -> HeartbeatResponse {
    HeartbeatResponse {
        error_code: error.into(),
        ..HeartbeatResponse::default()
    }
}

fn at(partition: i32, offset: i64) -> [(TopicIndex, Offset); 1] {
    [(("t".into(), partition), Offset(offset))]
}

/// A member that has partitions 0 (from offset 7) and 1 of topic t.
fn stable(instance_id: Option<&str>) -> (Member, Cluster) {
    let cluster = cluster(&[("t", &[1, 1])]);
    let mut member = member(instance_id);
    assert_eq!(name(member.poll_question(NOW, &cluster)), "coordinator");
    member
        .handle_coordinator(NOW, &coordinator(ErrorCode::NONE))
        .unwrap();
    assert_eq!(name(member.poll_question(NOW, &cluster)), "join");
    member
        .handle_join(NOW, &joined(ErrorCode::NONE, &[]))
        .unwrap();
    assert_eq!(name(member.poll_question(NOW, &cluster)), "sync");
    member
        .handle_sync(NOW, &synced(ErrorCode::NONE, &[0, 1]))
        .unwrap();
    assert_eq!(name(member.poll_question(NOW, &cluster)), "offsets");
    let found = offsets(ErrorCode::NONE, &[(0, 7), (1, -1)]);
    member.handle_offsets(NOW, &found).unwrap();
    let assigned = vec![("t".into(), 0, Some(Offset(7))), ("t".into(), 1, None)];
    assert!(
        member.poll_question(NOW, &cluster).is_none(),
        "an event waits"
    );
    assert_eq!(member.poll_event(), Some(Event::Assigned(assigned)));
    assert!(member.is_stable());
    (member, cluster)
}

#[test]
fn a_follower_joins_and_beats() {
    let (mut member, cluster) = stable(None);
    assert!(member.poll_question(NOW, &cluster).is_none());
    let due = member.next_deadline();
    assert_eq!(due, NOW + member.options().heartbeat_interval);
    assert_eq!(name(member.poll_question(due, &cluster)), "heartbeat");
    assert_eq!(
        member.next_deadline(),
        Instant::NEVER,
        "it waits for the answer"
    );
    member
        .handle_heartbeat(due, &heartbeat(ErrorCode::NONE))
        .unwrap();
    assert!(member.is_stable());
    assert!(member.next_deadline() > due);
}

#[test]
fn a_leader_shares_out_what_it_has_looked_up() {
    let known = cluster(&[("t", &[1, 1, 1])]);
    let both = cluster(&[("t", &[1, 1, 1]), ("u", &[1])]);
    let mut member = member(None);
    drop(member.poll_question(NOW, &known));
    member
        .handle_coordinator(NOW, &coordinator(ErrorCode::NONE))
        .unwrap();
    drop(member.poll_question(NOW, &known));
    member
        .handle_join(NOW, &joined(ErrorCode::MEMBER_ID_REQUIRED, &[]))
        .unwrap();
    // KIP-394: it joins again with the id that it was given.
    let Some(Question::Join(join)) = member.poll_question(NOW, &known) else {
        panic!("it joins again");
    };
    assert_eq!(&*join.member_id, "me");
    let members: &[(&str, &[&str])] = &[("me", &["t"]), ("you", &["t", "u"])];
    member
        .handle_join(NOW, &joined(ErrorCode::NONE, members))
        .unwrap();
    let Some(Question::Metadata(topics)) = member.poll_question(NOW, &known) else {
        panic!("it does not know u");
    };
    assert_eq!(topics, [Str::from("u")]);
    member.handle_metadata();
    let Some(Question::Sync(sync)) = member.poll_question(NOW, &both) else {
        panic!("it knows all");
    };
    assert_eq!(sync.generation_id, 5);
    let shares: Vec<(String, Vec<TopicIndex>)> = sync
        .assignments
        .iter()
        .map(|share| {
            let partitions = decode_assignment(&share.assignment).unwrap();
            (share.member_id.to_string(), partitions)
        })
        .collect();
    assert_eq!(
        shares,
        [
            ("me".to_owned(), vec![("t".into(), 0), ("t".into(), 1)]),
            ("you".to_owned(), vec![("t".into(), 2), ("u".into(), 0)]),
        ]
    );
    member
        .handle_sync(NOW, &synced(ErrorCode::NONE, &[]))
        .unwrap();
    assert_eq!(member.poll_event(), Some(Event::Assigned(Vec::new())));
    member.check(&both);
    assert!(member.is_stable());
    // The leader sees that a topic has grown.
    member.check(&cluster(&[("t", &[1, 1, 1, 1]), ("u", &[1])]));
    assert_eq!(member.poll_event(), Some(Event::Revoked));
    assert_eq!(name(member.poll_question(NOW, &both)), "join");
}

#[test]
fn what_was_read_is_committed_before_it_joins_again() {
    let (mut member, cluster) = stable(None);
    let due = member.next_deadline();
    assert_eq!(name(member.poll_question(due, &cluster)), "heartbeat");
    member
        .handle_heartbeat(due, &heartbeat(ErrorCode::REBALANCE_IN_PROGRESS))
        .unwrap();
    assert!(member.poll_question(due, &cluster).is_none());
    assert_eq!(member.poll_event(), Some(Event::Revoked));
    member.commit(at(0, 9));
    let Some(Question::Commit(commit)) = member.poll_question(due, &cluster) else {
        panic!("the commit goes first");
    };
    assert_eq!(commit.generation_id_or_member_epoch, 5);
    assert_eq!(commit.topics[0].partitions[0].committed_offset, 9);
    member
        .handle_commit(due, &committed(&[(0, ErrorCode::NONE)]))
        .unwrap();
    let Some(Question::Join(join)) = member.poll_question(due, &cluster) else {
        panic!("then it joins");
    };
    assert_eq!(&*join.member_id, "me");
}

#[test]
fn a_member_that_is_not_known_begins_anew() {
    for (error, id) in [
        (ErrorCode::UNKNOWN_MEMBER_ID, ""),
        (ErrorCode::ILLEGAL_GENERATION, "me"),
    ] {
        let (mut member, cluster) = stable(None);
        let due = member.next_deadline();
        drop(member.poll_question(due, &cluster));
        member.handle_heartbeat(due, &heartbeat(error)).unwrap();
        assert_eq!(member.poll_event(), Some(Event::Lost));
        member.commit(at(0, 9));
        let Some(Question::Join(join)) = member.poll_question(due, &cluster) else {
            panic!("nothing is committed any more");
        };
        assert_eq!(&*join.member_id, id, "{error}");
    }
}

#[test]
fn a_coordinator_that_moved_is_looked_for() {
    for error in [
        ErrorCode::NOT_COORDINATOR,
        ErrorCode::COORDINATOR_NOT_AVAILABLE,
    ] {
        let (mut member, cluster) = stable(None);
        member.commit(at(0, 9));
        drop(member.poll_question(NOW, &cluster));
        member
            .handle_commit(NOW, &committed(&[(0, error)]))
            .unwrap();
        assert!(member.poll_question(NOW, &cluster).is_none(), "it rests");
        let later = member.next_deadline();
        assert_eq!(name(member.poll_question(later, &cluster)), "coordinator");
        let busy = coordinator(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        member.handle_coordinator(later, &busy).unwrap();
        let later = member.next_deadline();
        assert_eq!(name(member.poll_question(later, &cluster)), "coordinator");
        let found = coordinator(ErrorCode::NONE);
        member.handle_coordinator(later, &found).unwrap();
        assert_eq!(name(member.poll_question(later, &cluster)), "commit");
        assert!(
            member.is_stable(),
            "the membership outlives the coordinator"
        );
    }
    let mut member = member(None);
    let cluster = cluster(&[]);
    drop(member.poll_question(NOW, &cluster));
    let refused = coordinator(ErrorCode::GROUP_AUTHORIZATION_FAILED);
    assert!(member.handle_coordinator(NOW, &refused).is_err());
}

#[test]
fn a_commit_is_tried_again_after_a_broken_connection() {
    let (mut member, cluster) = stable(None);
    member.commit([at(0, 9), at(1, 1)].concat());
    drop(member.poll_question(NOW, &cluster));
    member.commit(at(0, 12));
    member.handle_disconnect(NOW);
    let later = member.next_deadline();
    drop(member.poll_question(later, &cluster));
    member
        .handle_coordinator(later, &coordinator(ErrorCode::NONE))
        .unwrap();
    let Some(Question::Commit(commit)) = member.poll_question(later, &cluster) else {
        panic!("it is tried again");
    };
    let tried: Vec<i64> = commit.topics[0]
        .partitions
        .iter()
        .map(|partition| partition.committed_offset)
        .collect();
    assert_eq!(tried, [12, 1], "the newer offset wins");
    let refused = [
        (0, ErrorCode::OFFSET_METADATA_TOO_LARGE),
        (1, ErrorCode::NONE),
    ];
    member.handle_commit(later, &committed(&refused)).unwrap();
    let event = Event::CommitRefused {
        topic: "t".into(),
        partition: 0,
        error: ErrorCode::OFFSET_METADATA_TOO_LARGE,
    };
    assert_eq!(member.poll_event(), Some(event));
}

#[test]
fn whoever_leaves_commits_and_says_so() {
    let (mut member, cluster) = stable(None);
    member.commit(at(0, 9));
    member.leave();
    assert_eq!(name(member.poll_question(NOW, &cluster)), "commit");
    member
        .handle_commit(NOW, &committed(&[(0, ErrorCode::NONE)]))
        .unwrap();
    assert_eq!(name(member.poll_question(NOW, &cluster)), "leave");
    member.handle_leave();
    assert!(member.has_left());
    assert!(member.poll_question(NOW, &cluster).is_none());
    assert_eq!(member.next_deadline(), Instant::NEVER);

    let (mut member, cluster) = stable(None);
    member.leave();
    drop(member.poll_question(NOW, &cluster));
    member.handle_disconnect(NOW);
    assert!(member.has_left(), "nobody is there to be told");

    // KIP-345: a static member is expected back.
    let (mut member, cluster) = stable(Some("i"));
    member.leave();
    assert!(member.poll_question(NOW, &cluster).is_none());
    assert!(member.has_left());

    let mut member = self::member(None);
    member.leave();
    assert!(member.poll_question(NOW, &cluster).is_none());
    assert!(member.has_left(), "whom nobody knows need not say goodbye");
}

#[test]
fn errors_that_no_retry_mends_are_returned() {
    let cluster = cluster(&[("t", &[1])]);
    for error in [
        ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ErrorCode::GROUP_MAX_SIZE_REACHED,
        ErrorCode::FENCED_INSTANCE_ID,
        ErrorCode::INVALID_SESSION_TIMEOUT,
    ] {
        let mut member = member(None);
        drop(member.poll_question(NOW, &cluster));
        member
            .handle_coordinator(NOW, &coordinator(ErrorCode::NONE))
            .unwrap();
        drop(member.poll_question(NOW, &cluster));
        let failure = member.handle_join(NOW, &joined(error, &[])).unwrap_err();
        assert_eq!(failure.code(), Some(error));
        assert!(failure.to_string().contains("group g"), "{failure}");
    }
    let (mut member, cluster) = stable(None);
    let due = member.next_deadline();
    drop(member.poll_question(due, &cluster));
    let fenced = heartbeat(ErrorCode::FENCED_INSTANCE_ID);
    assert!(member.handle_heartbeat(due, &fenced).is_err());
}

/// Whatever is answered, in whatever order: the member always has something to ask, to do or to
/// wait for, it owns partitions only between Assigned and the next event, and it leaves in the end.
#[test]
fn any_answers_leave_the_member_able_to_go_on() {
    let errors = [
        ErrorCode::NONE,
        ErrorCode::NONE,
        ErrorCode::NONE,
        ErrorCode::REBALANCE_IN_PROGRESS,
        ErrorCode::UNKNOWN_MEMBER_ID,
        ErrorCode::ILLEGAL_GENERATION,
        ErrorCode::NOT_COORDINATOR,
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
        ErrorCode::MEMBER_ID_REQUIRED,
        ErrorCode::FENCED_INSTANCE_ID,
        ErrorCode::UNSTABLE_OFFSET_COMMIT,
    ];
    let cluster = cluster(&[("t", &[1, 1])]);
    let mut stable_times = 0;
    for seed in 0..300 {
        let mut prng = Prng::new(seed);
        let mut member = member(None);
        let mut now = NOW;
        let mut owns = false;
        for step in 0..200 {
            if step == 150 {
                member.leave();
            }
            while let Some(event) = member.poll_event() {
                match event {
                    Event::Assigned(_) => {
                        assert!(!owns, "revoked before it is assigned anew");
                        owns = true;
                    }
                    Event::Revoked | Event::Lost => owns = false,
                    Event::CommitRefused { .. } => {}
                }
                if prng.one_in(2) {
                    member.commit(at(0, 1));
                }
            }
            stable_times += usize::from(member.is_stable());
            let error = errors[prng.index(errors.len())];
            let question = member.poll_question(now, &cluster);
            if question.is_some() && prng.one_in(10) {
                member.handle_disconnect(now);
                continue;
            }
            // An error that is returned ends a tool; here the member simply goes on.
            drop(match question {
                None => {
                    let due = member.next_deadline();
                    assert!(due < Instant::NEVER || member.has_left(), "seed {seed}");
                    if !member.has_left() {
                        now = now.max(due);
                    }
                    Ok(())
                }
                Some(Question::Coordinator(_)) => {
                    member.handle_coordinator(now, &coordinator(error))
                }
                Some(Question::Metadata(_)) => {
                    member.handle_metadata();
                    Ok(())
                }
                Some(Question::Join(_)) => {
                    let members: &[(&str, &[&str])] = &[("me", &["t", "x"])];
                    let members = if prng.one_in(2) { members } else { &[] };
                    member.handle_join(now, &joined(error, members))
                }
                Some(Question::Sync(_)) => member.handle_sync(now, &synced(error, &[1])),
                Some(Question::Offsets(_)) => {
                    member.handle_offsets(now, &offsets(error, &[(1, 3)]))
                }
                Some(Question::Heartbeat(_)) => member.handle_heartbeat(now, &heartbeat(error)),
                Some(Question::Commit(_)) => member.handle_commit(now, &committed(&[(0, error)])),
                Some(Question::Leave(_)) => {
                    member.handle_leave();
                    Ok(())
                }
            });
        }
        assert!(member.has_left(), "seed {seed}");
    }
    assert!(stable_times > 1000, "{stable_times}");
}
