//! Groups under members that mean no good, or have very bad luck: hundreds that die in the middle of
//! joining, thousands of protocols, expressions that explode. Another group of the same coordinator
//! goes on as if nothing were, and the broker's memory stays within its bound.

use crate::broker::{Broker, unique};
use crate::deadline::wait_for;
use crate::exact;
use crate::group_client::{Joined, Peer, SESSION_MS, beating, committing, joining, name, protocol};
use klamm::base::prng::Prng;
use klamm::protocol::messages::delete_groups::DeleteGroupsRequest;
use klamm::protocol::messages::describe_groups::DescribeGroupsRequest;
use klamm::protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use klamm::protocol::messages::sync_group::SyncGroupRequest;
use klamm::protocol::{ApiKey, Str, encode_request};
use std::io::Write;
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

/// All groups have one coordinator.
const SETTINGS: &[&str] = &[
    "group.initial.rebalance.delay.ms=0",
    "auto.create.topics.enable=false",
    "offsets.topic.num.partitions=1",
];

/// Runs `harm` while a member of a classic group and one of a KIP-848 group, of the same
/// coordinator, live their lives: neither is ever told of anything, and memory stays bounded.
fn beside_calm_groups(broker: &Broker, harm: impl FnOnce()) {
    beside_calm_groups_with(broker, 0, harm);
}

/// Likewise; the broker may hold so many bytes more than hostile clients are allowed elsewhere.
fn beside_calm_groups_with(broker: &Broker, more_bytes: u64, harm: impl FnOnce()) {
    let topic = unique("calm");
    let (classic, consumer) = (unique("calm"), unique("calm-848"));
    let mut peer = Peer::when_ready(broker, &classic);
    peer.create_topic(&topic, 4);
    peer.topic_id(&topic);
    let joined = peer.join_alone(&classic);
    let mut beat = beating(&consumer, "calm-member", &topic);
    let first = peer.consumer_heartbeat(&beat);
    assert_eq!(name(first.error_code), "NONE");
    beat.member_epoch = first.member_epoch;
    beat.subscribed_topic_names = None;
    beat.rebalance_timeout_ms = -1;
    beat.topic_partitions = first.assignment.map(|assignment| {
        let topics = assignment.topic_partitions.into_iter();
        topics
            .map(|topic| {
                klamm::protocol::messages::consumer_group_heartbeat::request::TopicPartitions {
                    topic_id: topic.topic_id,
                    partitions: topic.partitions,
                    ..Default::default()
                }
            })
            .collect()
    });
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let calm = scope.spawn(|| {
            let mut offset = 0;
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(peer.heartbeat(&joined), "NONE");
                offset += 1;
                peer.commit_as(&joined, &topic, offset);
                let answer = peer.consumer_heartbeat(&beat);
                assert_eq!(name(answer.error_code), "NONE");
                assert_eq!(answer.member_epoch, first.member_epoch);
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            assert_eq!(peer.committed(&classic, &topic), offset);
            assert!(offset > 0, "the calm group had its turn");
        });
        // A failure must reach whoever reads it, not wait for the calm groups.
        let harmed = catch_unwind(AssertUnwindSafe(harm));
        is_over.store(true, Ordering::Relaxed);
        calm.join().expect("the calm groups noticed nothing");
        if let Err(failure) = harmed {
            resume_unwind(failure);
        }
    });
    let resident = broker.resident_bytes();
    let bound = broker.resident_bytes_max() + more_bytes;
    assert!(
        resident <= bound,
        "{resident} bytes are resident, more than {bound}"
    );
}

/// How a member of the storm dies.
fn die_somehow(broker: &Broker, group: &str, prng: &mut Prng) {
    let mut peer = Peer::of(broker);
    let request = joining(group);
    match prng.below(6) {
        // Without a word.
        0 => {}
        // In the middle of a word.
        1 => {
            let bytes = join_bytes(&request);
            let cut = prng.index(bytes.len());
            let _ = peer.stream.write_all(&bytes[..cut]);
        }
        // Before it hears of its id.
        2 => {
            let _ = peer.stream.write_all(&join_bytes(&request));
            let _ = peer.stream.shutdown(Shutdown::Both);
        }
        // With an id, and no more.
        3 => {
            let _ = peer.join(&request);
        }
        // While it waits for the others.
        4 => {
            let with_id = with_id(&mut peer, request);
            let _ = peer.stream.write_all(&join_bytes(&with_id));
            if prng.one_in(2) {
                let _ = peer.stream.shutdown(Shutdown::Write);
            }
        }
        // As a member, who asked for its share and does not wait for the answer.
        _ => {
            let with_id = with_id(&mut peer, request);
            let _ = peer.stream.write_all(&join_bytes(&with_id));
            let sync = SyncGroupRequest {
                group_id: group.into(),
                generation_id: 1,
                member_id: with_id.member_id,
                ..SyncGroupRequest::default()
            };
            let bytes = encode_request(ApiKey::SyncGroup, 5, 8, None, &sync);
            let _ = peer.stream.write_all(&bytes.expect("it can be said").bytes);
        }
    }
}

fn with_id(peer: &mut Peer, mut request: JoinGroupRequest) -> JoinGroupRequest {
    let answer = peer.join(&request);
    assert_eq!(name(answer.error_code), "MEMBER_ID_REQUIRED");
    request.member_id = answer.member_id;
    request
}

fn join_bytes(request: &JoinGroupRequest) -> Vec<u8> {
    let encoded = encode_request(ApiKey::JoinGroup, 9, 7, Some("storm"), request);
    encoded.expect("it can be said").bytes.to_vec()
}

#[test]
fn members_that_join_and_die_leave_nothing_behind() {
    const THREADS: u64 = 8;
    const MEMBERS_PER_THREAD: usize = 25;
    const WAVES: u64 = 3;
    let broker = Broker::start_with(2, SETTINGS);
    let group = unique("storm");
    Peer::when_ready(&broker, &group);
    beside_calm_groups(&broker, || {
        for wave in 0..WAVES {
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (broker, group) = (&broker, &group);
                    scope.spawn(move || {
                        let mut prng = Prng::new(wave * THREADS + thread);
                        for _ in 0..MEMBERS_PER_THREAD {
                            die_somehow(broker, group, &mut prng);
                        }
                    });
                }
            });
        }
        let mut peer = Peer::of(&broker);
        wait_for("the group of the storm to be empty", || {
            let described = peer.describe(&group);
            let state = described.group_state;
            (described.members.is_empty() && (state == "Empty" || state == "Dead")).then_some(())
        });
        // And it is of use again.
        let joined = peer.join_alone(&group);
        assert_eq!(peer.heartbeat(&joined), "NONE");
    });
}

#[test]
fn members_with_thousands_of_protocols_share_a_group() {
    const PROTOCOLS: usize = 10_000;
    let broker = Broker::start_with(2, SETTINGS);
    let group = unique("protocols");
    let mut first = Peer::when_ready(&broker, &group);
    let offers = |own: &str| JoinGroupRequest {
        rebalance_timeout_ms: 60_000,
        session_timeout_ms: 10 * SESSION_MS,
        protocols: (0..PROTOCOLS)
            .map(|index| protocol(&format!("{own}-{index}"), &[7; 100]))
            .chain([protocol("common", b"ours")])
            .collect::<Vec<JoinGroupRequestProtocol>>(),
        ..joining(&group)
    };
    beside_calm_groups(&broker, || {
        let request = with_id(&mut first, offers("first"));
        let alone = first.join(&request);
        assert_eq!(name(alone.error_code), "NONE");
        assert_eq!(alone.protocol_name, Some("first-0".into()));
        // The second waits for the first, which comes again.
        let mut second = Peer::of(&broker);
        let other = with_id(&mut second, offers("second"));
        let answers = std::thread::scope(|scope| {
            let second = scope.spawn(|| second.join(&other));
            let joined = Joined {
                group: group.clone(),
                member_id: request.member_id.to_string(),
                generation: alone.generation_id,
            };
            wait_for("the rebalance to be known", || {
                (first.heartbeat(&joined) == "REBALANCE_IN_PROGRESS").then_some(())
            });
            let first = first.join(&request);
            [first, second.join().expect("it is answered")]
        });
        for answer in answers {
            assert_eq!(name(answer.error_code), "NONE");
            assert_eq!(answer.protocol_name, Some("common".into()));
        }
        // One with as many, none of which the others have.
        let mut third = Peer::of(&broker);
        let mut stranger = offers("third");
        stranger.protocols.pop();
        let answer = third.join(&stranger);
        assert_eq!(name(answer.error_code), "INCONSISTENT_GROUP_PROTOCOL");
    });
}

#[test]
fn expressions_that_explode_harm_nobody() {
    let broker = Broker::start_with(2, SETTINGS);
    let group = unique("expressions");
    let mut peer = Peer::when_ready(&broker, &group);
    for index in 0..50 {
        peer.create_topic(&format!("{}{index}", "a".repeat(200)), 1);
    }
    // Matching these takes a backtracking machine for ever.
    let slow = [
        "(a+)+b",
        "(a|a)*b",
        "(a|aa)+b",
        "(.*a){20}b",
        "(a*)*(a*)*(a*)*b",
    ];
    // Compiling these takes a careless one all memory.
    let large = [
        "((a{1,100}){1,100}){1,100}".to_owned(),
        "(((x{9}){99}){99}){99}".to_owned(),
        "(".repeat(30_000),
        format!("{}a{}", "(".repeat(10_000), ")*".repeat(10_000)),
        "a|".repeat(16_000),
        "[a-z]".repeat(6_000),
    ];
    beside_calm_groups(&broker, || {
        for (index, regex) in slow.iter().enumerate() {
            let mut beat = beating(&group, &format!("slow-{index}"), "");
            beat.subscribed_topic_names = None;
            beat.subscribed_topic_regex = Some((*regex).into());
            let answer = peer.consumer_heartbeat(&beat);
            assert_eq!(name(answer.error_code), "NONE", "{regex}");
        }
        if !broker.is_klamm() {
            // Apache Kafka compiles them, however long that takes and however large they become.
            return;
        }
        for (index, regex) in large.iter().enumerate() {
            let mut beat = beating(&group, &format!("large-{index}"), "");
            beat.subscribed_topic_names = None;
            beat.subscribed_topic_regex = Some(regex.as_str().into());
            for _ in 0..20 {
                let answer = exact::call(&mut peer.stream, 1, &beat);
                let error = name(answer.error_code);
                assert_eq!(error, "INVALID_REGULAR_EXPRESSION", "{}", &regex[..20]);
            }
        }
    });
}

/// What a request says many times is looked for once each: the time is not the square of it.
#[test]
fn requests_that_name_a_hundred_thousand_groups_or_topics_are_answered() {
    const COUNT: usize = 100_000;
    /// An answer of 100,000 groups is put together from half a kilobyte for each; and each core keeps
    /// 32 MiB of receive buffers until it has rested.
    const MORE_BYTES: u64 = (64 + 2 * 32) << 20;
    let broker = Broker::start_with(2, SETTINGS);
    let (group, topic) = (unique("many"), unique("topic"));
    let mut peer = Peer::when_ready(&broker, &group);
    peer.create_topic(&topic, 1);
    peer.topic_id(&topic);
    let names: Vec<Str> = (0..COUNT)
        .map(|number| Str::from(format!("g{number}")))
        .collect();
    beside_calm_groups_with(&broker, MORE_BYTES, || {
        let describe = DescribeGroupsRequest {
            groups: names.clone(),
            ..DescribeGroupsRequest::default()
        };
        let described = peer.ask(5, &describe).groups;
        let ids: Vec<Str> = described.into_iter().map(|group| group.group_id).collect();
        assert!(
            ids == names,
            "each is described once, in the order of the asking"
        );
        let delete = DeleteGroupsRequest {
            groups_names: names.clone(),
            ..DeleteGroupsRequest::default()
        };
        assert_eq!(peer.ask(2, &delete).results.len(), COUNT);
        // Each topic with a partition that exists, and one that does not.
        let mut commit = committing(&group, &topic, &[(0, 1, ""), (1, 1, "")]);
        commit.topics = vec![commit.topics[0].clone(); 5_000];
        let errors = peer.commit(9, &commit);
        let count = |wanted: &str| errors.iter().filter(|error| **error == wanted).count();
        assert_eq!(count("NONE"), 5_000);
        assert_eq!(count("UNKNOWN_TOPIC_OR_PARTITION"), 5_000);
    });
}
