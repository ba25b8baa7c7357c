//! Connections that are spread over cores and handed over to that of their group or partition, and members
//! whose heartbeats are gathered: nobody may notice, whatever they ask next, and however much at once.

use crate::broker::{Broker, unique};
use crate::deadline::wait_for;
use crate::exact::{fetching, produce};
use crate::group_client::{Joined, Peer, committing, name};
use crate::wire::{Answer, receive};
use crate::zero_copy::counters;
use klamm::base::ids::Offset;
use klamm::base::time::Timestamp;
use klamm::protocol::messages::fetch::FetchRequest;
use klamm::protocol::messages::offset_commit::OffsetCommitRequest;
use klamm::protocol::{Request, encode_request};
use klamm::record::BatchBuilder;
use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

/// Enough that some of them are on the wrong core.
const PEERS: i64 = 16;
/// More than it takes to move, many times over.
const COMMITS: i64 = 60;
/// As many, of the requests that a consumer makes.
const FETCHES: i32 = 60;
/// Heartbeats that follow each other faster wait for something.
const PAUSE: Duration = Duration::from_millis(250);

fn produce_one(peer: &mut Peer, topic: &str, value: &[u8]) {
    let mut builder = BatchBuilder::new(Offset(0));
    builder.append(Timestamp(1_700_000_000_000), None, Some(value), &[]);
    let produced = produce(&mut peer.stream, topic, builder.finish());
    assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
}

#[test]
fn connections_that_move_lose_nothing_and_keep_their_order() {
    let mut broker = Broker::start(2);
    let topic = unique("topic");
    Peer::when_ready(&broker, "any").create_topic(&topic, 1);
    let mut peers: Vec<(String, Peer)> = (0..PEERS)
        .map(|_| {
            let group = unique("group");
            let peer = Peer::when_ready(&broker, &group);
            (group, peer)
        })
        .collect();
    for offset in 0..COMMITS {
        for (group, peer) in &mut peers {
            peer.commit_simply(group, &topic, offset);
            if offset % 10 == 0 {
                assert_eq!(peer.committed(group, &topic), offset);
            }
        }
    }
    // Many at once, as they come: the answers are in the order of the requests.
    for (group, peer) in &mut peers {
        let mut frames = Vec::new();
        for number in 0..50 {
            let request = committing(group, &topic, &[(0, COMMITS + i64::from(number), "")]);
            let key = OffsetCommitRequest::KEY;
            let encoded = encode_request(key, 9, number, Some("test"), &request).unwrap();
            frames.extend(encoded.bytes);
        }
        peer.stream.write_all(&frames).unwrap();
        for number in 0..50_i32 {
            match receive(&mut peer.stream) {
                Answer::Reply(reply) => assert_eq!(reply[..4], number.to_be_bytes()),
                Answer::Closed => panic!("the connection of {group} ended"),
            }
        }
        assert_eq!(peer.committed(group, &topic), COMMITS + 49);
    }
    if broker.is_klamm() {
        broker.stop();
        let sums = counters(&broker.printed());
        assert!(sums["handed_over"] > 0, "{sums:?}");
    }
}

#[test]
fn consumers_that_move_take_their_fetch_sessions_with_them() {
    let mut broker = Broker::start(2);
    let mut peers: Vec<(String, i32, Peer)> = (0..PEERS)
        .map(|_| {
            let topic = unique("topic");
            let mut peer = Peer::of(&broker);
            peer.create_topic(&topic, 1);
            let request = FetchRequest {
                session_epoch: 0,
                ..fetching(&topic, 0)
            };
            let session = peer.ask(11, &request).session_id;
            assert_ne!(session, 0);
            (topic, session, peer)
        })
        .collect();
    let incremental = |session_id, session_epoch| FetchRequest {
        session_id,
        session_epoch,
        topics: Vec::new(),
        ..fetching("", 0)
    };
    for epoch in 1..=FETCHES {
        for (_, session, peer) in &mut peers {
            let answer = peer.ask(11, &incremental(*session, epoch));
            let told = (name(answer.error_code), answer.session_id);
            assert_eq!(told, ("NONE", *session), "epoch {epoch}");
            assert!(answer.responses.is_empty(), "nothing has changed");
        }
    }
    for (topic, session, peer) in &mut peers {
        produce_one(peer, topic, b"value");
        let answer = peer.ask(11, &incremental(*session, FETCHES + 1));
        let partition = &answer.responses[0].partitions[0];
        assert_eq!((partition.error_code, partition.high_watermark), (0, 1));
        let next = FetchRequest {
            session_id: *session,
            session_epoch: FETCHES + 2,
            ..fetching(topic, 1)
        };
        let answer = peer.ask(11, &next);
        assert_eq!((answer.error_code, answer.responses.len()), (0, 0));
    }
    if broker.is_klamm() {
        broker.stop();
        let sums = counters(&broker.printed());
        assert!(sums["handed_over"] > 0, "{sums:?}");
    }
}

/// Most clients ask a connection of its own for the brokers, and bring records by another.
#[test]
fn the_second_connections_of_clients_are_spread_over_cores() {
    const CLIENTS: usize = 8;
    let value = vec![b'v'; 64 << 10];
    let mut broker = Broker::start(2);
    let topic = unique("topic");
    Peer::of(&broker).create_topic(&topic, 16);
    let mut first = Vec::new();
    let mut second = Vec::new();
    for _ in 0..CLIENTS {
        let mut asks = Peer::of(&broker);
        asks.topic_id(&topic);
        first.push(asks);
        let mut brings = Peer::of(&broker);
        produce_one(&mut brings, &topic, &value);
        second.push(brings);
    }
    if broker.is_klamm() {
        broker.stop();
        let printed = broker.printed();
        let received = printed.split("received_bytes=").skip(1).map(|rest| {
            let digits = rest.split_whitespace().next();
            digits.and_then(|digits| digits.parse().ok()).unwrap()
        });
        let received: Vec<usize> = received.collect();
        assert_eq!(received.len(), 2, "{printed}");
        let least = CLIENTS / 4 * value.len();
        assert!(received.iter().all(|bytes| *bytes > least), "{received:?}");
    }
}

#[test]
fn members_that_only_beat_are_answered_and_may_do_something_else() {
    let broker = Broker::start_with(2, &["group.initial.rebalance.delay.ms=0"]);
    let topic = unique("topic");
    Peer::when_ready(&broker, "any").create_topic(&topic, 1);
    let mut members: Vec<(Joined, Peer)> = (0..PEERS)
        .map(|_| {
            let group = unique("group");
            let mut peer = Peer::when_ready(&broker, &group);
            (peer.join_alone(&group), peer)
        })
        .collect();
    for round in 0..5 {
        sleep(PAUSE);
        for (joined, peer) in &mut members {
            assert_eq!(peer.heartbeat(joined), "NONE", "round {round}");
        }
    }
    for (joined, peer) in &mut members {
        peer.commit_as(joined, &topic, 7);
        assert_eq!(peer.committed(&joined.group, &topic), 7);
        assert_eq!(peer.heartbeat(joined), "NONE");
    }
    for round in 0..3 {
        sleep(PAUSE);
        for (joined, peer) in &mut members {
            assert_eq!(peer.heartbeat(joined), "NONE", "round {round}");
        }
    }
    // The end of a connection is noticed as well, and another one goes on for the member.
    for (joined, peer) in members {
        drop(peer);
        let mut again = Peer::of(&broker);
        assert_eq!(again.heartbeat(&joined), "NONE");
        again.leave(&joined);
        wait_for("the group to be empty", || {
            (again.describe(&joined.group).group_state == "Empty").then_some(())
        });
    }
}
