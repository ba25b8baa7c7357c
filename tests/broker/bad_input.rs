//! Hostile and clumsy peers: the worst that happens is that their own connection ends. Other
//! clients notice nothing, and the broker's memory does not grow.

use crate::broker::Broker;
use crate::deadline::wait_for;
use crate::wire::{Answer, api_versions, frame, receive, request, send};
use klamm::base::prng::Prng;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

const PRODUCE: i16 = 0;
const FETCH: i16 = 1;
const LIST_OFFSETS: i16 = 2;
const METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;
const CREATE_TOPICS: i16 = 19;
const UNSUPPORTED_VERSION: i16 = 35;

/// A broker with a well-behaved client on it, which must be answered whatever others do.
struct Scene {
    broker: Broker,
    bystander: TcpStream,
}

impl Scene {
    fn new() -> Scene {
        let broker = Broker::start(2);
        let bystander = broker.connect();
        Scene { broker, bystander }
    }

    /// What a fresh connection is answered on these bytes.
    fn answer(&self, bytes: &[u8]) -> Answer {
        send(&mut self.broker.connect(), bytes)
    }

    fn assert_closed(&self, what: &str, bytes: &[u8]) {
        assert_eq!(self.answer(bytes), Answer::Closed, "{what}");
    }

    fn assert_nobody_noticed(&mut self) {
        for (who, stream) in [
            ("an old", &mut self.bystander),
            ("a new", &mut self.broker.connect()),
        ] {
            let Answer::Reply(reply) = send(stream, &api_versions()) else {
                panic!("{who} connection was closed");
            };
            assert_eq!(error_of_api_versions(&reply), 0, "{who} connection");
        }
        let peak = self.broker.resident_bytes_peak();
        let bound = self.broker.resident_bytes_max();
        assert!(
            peak <= bound,
            "{peak} bytes were resident at some time, more than {bound}"
        );
    }

    /// Waits until every core has taken what was sent to it so far: it answers newer connections.
    fn assert_all_cores_answer(&mut self) {
        for _ in 0..8 {
            self.assert_nobody_noticed();
        }
    }
}

/// ApiVersions answers with the correlation id, then the error code, in every version.
fn error_of_api_versions(reply: &[u8]) -> i16 {
    assert_eq!(reply[..4], 7_i32.to_be_bytes(), "the correlation id");
    i16::from_be_bytes([reply[4], reply[5]])
}

/// One plain, whole request of several APIs, to be damaged.
fn whole_requests() -> Vec<Vec<u8>> {
    let null_string = [0xff, 0xff];
    let topic = [&[0, 4][..], b"flip"].concat();
    let metadata = [&[0, 0, 0, 1][..], &topic].concat();
    let partition = [0, 0, 0, 1, 0, 0, 0, 0];
    let produce = [
        &null_string[..],
        &[0xff, 0xff, 0, 0, 3, 0xe8, 0, 0, 0, 1],
        &topic,
        &partition,
        &[0, 0, 0, 61],
        &[0; 61],
    ]
    .concat();
    let fetch = [
        &[
            0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 4, 0, 0, 0, 0, 0, 1,
        ][..],
        &topic,
        &partition,
        &[0; 8],
        &[0, 0, 4, 0],
    ]
    .concat();
    let list_offsets = [
        &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1][..],
        &topic,
        &partition,
        &[0xff; 8],
    ]
    .concat();
    let create_topics = [
        &[0, 0, 0, 1][..],
        &topic,
        &[0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 3, 0xe8, 1],
    ]
    .concat();
    vec![
        request(API_VERSIONS, 0, &[]),
        request(API_VERSIONS, 3, &[0, 2, b'a', 2, b'1', 0]),
        request(METADATA, 1, &metadata),
        request(PRODUCE, 3, &produce),
        request(FETCH, 4, &fetch),
        request(LIST_OFFSETS, 1, &list_offsets),
        request(CREATE_TOPICS, 2, &create_topics),
    ]
}

#[test]
fn a_frame_of_an_impossible_length_ends_its_connection() {
    let mut scene = Scene::new();
    for length in [i32::MAX, 100 << 20 | 1, -1, i32::MIN] {
        scene.assert_closed(&format!("a frame of {length} bytes"), &length.to_be_bytes());
    }
    scene.assert_nobody_noticed();
}

#[test]
fn frames_that_are_cut_short_or_too_short_do_no_harm() {
    let mut scene = Scene::new();
    for whole in whole_requests() {
        for cut in 0..whole.len() {
            // Cut by the network: the frame was longer.
            let mut stream = scene.broker.connect();
            let begun = &frame(&whole)[..4 + cut];
            stream
                .write_all(begun)
                .expect("a fresh connection takes a few bytes");
            stream
                .shutdown(Shutdown::Write)
                .expect("a fresh connection");
            assert_eq!(
                receive(&mut stream),
                Answer::Closed,
                "a frame cut after {cut} bytes"
            );
            // Cut by its sender: the length says so. What is left may be a request of its own.
            let mut stream = scene.broker.connect();
            stream
                .write_all(&frame(&whole[..cut]))
                .expect("a fresh connection takes a few bytes");
            stream
                .shutdown(Shutdown::Write)
                .expect("a fresh connection");
            let _ = receive(&mut stream);
        }
    }
    scene.assert_nobody_noticed();
}

#[test]
fn random_bytes_do_no_harm() {
    let mut scene = Scene::new();
    let mut prng = Prng::new(1);
    for _ in 0..500 {
        let length = usize::try_from(prng.below(300)).expect("below 300");
        let noise: Vec<u8> = (0..length).map(|_| prng.next().to_le_bytes()[0]).collect();
        for bytes in [frame(&noise), noise] {
            let mut stream = scene.broker.connect();
            // The broker may hang up before it has everything: that is an answer, too.
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = receive(&mut stream);
        }
    }
    scene.assert_nobody_noticed();
}

#[test]
fn flipped_bits_do_no_harm() {
    let mut scene = Scene::new();
    let mut prng = Prng::new(2);
    for whole in whole_requests() {
        for _ in 0..150 {
            let mut flipped = whole.clone();
            for _ in 0..=prng.below(4) {
                let bit = prng.below(u64::try_from(flipped.len() * 8).expect("small"));
                let at = usize::try_from(bit / 8).expect("small");
                flipped[at] ^= 1 << (bit % 8);
            }
            let mut stream = scene.broker.connect();
            let _ = stream.write_all(&frame(&flipped));
            let _ = stream.shutdown(Shutdown::Write);
            let _ = receive(&mut stream);
        }
    }
    scene.assert_nobody_noticed();
}

#[test]
fn an_unknown_api_ends_its_connection() {
    let mut scene = Scene::new();
    for api_key in [-1, 4, 999, i16::MAX] {
        scene.assert_closed(
            &format!("API {api_key}"),
            &frame(&request(api_key, 0, &[0; 64])),
        );
    }
    scene.assert_nobody_noticed();
}

#[test]
fn a_version_that_is_not_served_ends_its_connection() {
    let mut scene = Scene::new();
    for (api_key, version) in [(PRODUCE, 2), (FETCH, 3), (METADATA, 99), (CREATE_TOPICS, 1)] {
        let bytes = frame(&request(api_key, version, &[0; 64]));
        scene.assert_closed(&format!("API {api_key}, version {version}"), &bytes);
    }
    scene.assert_nobody_noticed();
}

/// KIP-511: a client that is too new learns from the answer which version to speak.
#[test]
fn api_versions_of_the_future_is_answered_in_version_0() {
    let mut scene = Scene::new();
    let mut stream = scene.broker.connect();
    let Answer::Reply(reply) = send(&mut stream, &frame(&request(API_VERSIONS, 99, &[0; 9])))
    else {
        panic!("the connection was closed");
    };
    assert_eq!(error_of_api_versions(&reply), UNSUPPORTED_VERSION);
    let Answer::Reply(reply) = send(&mut stream, &api_versions()) else {
        panic!("the connection did not stay open for a second try");
    };
    assert_eq!(error_of_api_versions(&reply), 0);
    scene.assert_nobody_noticed();
}

#[test]
fn counts_that_lie_end_their_connection_and_reserve_no_memory() {
    let mut scene = Scene::new();
    let huge = i32::MAX.to_be_bytes();
    // An unsigned varint of 2^31 - 1 + 1, for the compact arrays of flexible versions.
    let huge_compact = [0x80, 0x80, 0x80, 0x80, 0x08];
    let tagged = [0, 0];
    let requests = [
        request(METADATA, 1, &huge),
        request(METADATA, 9, &[&tagged[..1], &huge_compact].concat()),
        request(
            PRODUCE,
            3,
            &[&[0xff, 0xff, 0, 1, 0, 0, 0, 9][..], &huge].concat(),
        ),
        request(
            LIST_OFFSETS,
            1,
            &[&[0xff, 0xff, 0xff, 0xff][..], &huge].concat(),
        ),
        request(CREATE_TOPICS, 2, &huge),
    ];
    for bytes in requests {
        // Many at once, so that memory reserved for each would show.
        let mut streams: Vec<TcpStream> = (0..20).map(|_| scene.broker.connect()).collect();
        for stream in &mut streams {
            stream
                .write_all(&frame(&bytes))
                .expect("a fresh connection takes a few bytes");
        }
        for stream in &mut streams {
            assert_eq!(receive(stream), Answer::Closed, "{bytes:?}");
        }
    }
    scene.assert_nobody_noticed();
}

#[test]
fn twenty_million_tagged_fields_reserve_no_memory() {
    let mut scene = Scene::new();
    // 20,000,000 as an unsigned varint.
    let count = [0x80, 0xda, 0xc4, 0x09];
    let mut fields = count.to_vec();
    for tag in 0..2_000_000_u32 {
        // A tag of three bytes, and no content.
        let [low, middle, high, _] = tag.to_le_bytes();
        let tag = u32::from_le_bytes([low, middle, high, 0]);
        for shift in [0, 7] {
            fields.push(0x80 | ((tag >> shift) & 0x7f).to_le_bytes()[0]);
        }
        fields.push(((tag >> 14) & 0x7f).to_le_bytes()[0]);
        fields.push(0);
    }
    let bytes = frame(&request(API_VERSIONS, 3, &fields));
    for _ in 0..5 {
        // Kafka answers ApiVersions that it cannot read with an error; it may as well hang up.
        let _ = scene.answer(&bytes);
    }
    scene.assert_nobody_noticed();
}

#[test]
fn http_on_the_kafka_port_is_recognised_and_closed_in_plain_words() {
    let http = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl\r\n\r\n";
    a_stranger_is_recognised("HTTP", http);
}

#[test]
fn tls_on_the_kafka_port_is_recognised_and_closed_in_plain_words() {
    // The beginning of a ClientHello: handshake record, TLS 1.0 for compatibility, 512 bytes.
    let mut hello = vec![
        0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03,
    ];
    hello.resize(517, 0x5a);
    a_stranger_is_recognised("TLS", &hello);
}

fn a_stranger_is_recognised(protocol: &str, bytes: &[u8]) {
    let mut scene = Scene::new();
    for _ in 0..8 {
        scene.assert_closed(protocol, bytes);
    }
    scene.assert_nobody_noticed();
    if !scene.broker.is_klamm() {
        return;
    }
    let lines = |broker: &Broker| {
        let printed = broker.printed();
        let about = printed.lines().filter(|line| line.contains(protocol));
        about.count()
    };
    wait_for("the broker to say what it met", || {
        (lines(&scene.broker) > 0).then_some(())
    });
    // Whatever it has to say is said when it has ended.
    scene.broker.stop();
    assert_eq!(lines(&scene.broker), 1, "lines about {protocol}");
}

#[test]
fn a_peer_that_sends_one_byte_at_a_time_is_served_and_holds_nobody_up() {
    let mut scene = Scene::new();
    let mut slow = scene.broker.connect();
    slow.set_nodelay(true).expect("a fresh connection");
    for byte in api_versions() {
        slow.write_all(&[byte]).expect("the connection stays open");
        std::thread::sleep(Duration::from_millis(2));
        let Answer::Reply(_) = send(&mut scene.bystander, &api_versions()) else {
            panic!("the bystander was closed");
        };
    }
    let Answer::Reply(reply) = receive(&mut slow) else {
        panic!("the slow connection was closed");
    };
    assert_eq!(error_of_api_versions(&reply), 0);
    scene.assert_nobody_noticed();
}

#[test]
fn a_peer_that_never_reads_is_no_longer_read_from() {
    let mut scene = Scene::new();
    let many = api_versions().repeat(10_000);
    let mut deaf: Vec<TcpStream> = (0..4).map(|_| scene.broker.connect()).collect();
    for stream in &mut deaf {
        stream
            .set_write_timeout(Some(Duration::from_millis(300)))
            .expect("a timeout above zero");
        // Far more than the kernel's buffers hold. A broker that went on would take it all, and
        // keep hundreds of megabytes of replies; a write that blocks is what should happen.
        let stopped = (0..400).any(|_| stream.write_all(&many).is_err());
        assert!(
            stopped,
            "the broker keeps reading from a peer that reads no reply"
        );
    }
    scene.assert_nobody_noticed();
}

/// A hundred million bytes announced, and a few sent: twenty gigabytes would be gone at once.
#[test]
fn peers_that_announce_much_and_send_little_take_little() {
    let mut scene = Scene::new();
    if !scene.broker.is_klamm() {
        // Apache takes what is announced.
        return;
    }
    let announced: i32 = 100 << 20;
    let mut slow: Vec<TcpStream> = (0..200).map(|_| scene.broker.connect()).collect();
    for stream in &mut slow {
        stream.write_all(&announced.to_be_bytes()).unwrap();
        stream.write_all(&request(PRODUCE, 3, &[0; 100])).unwrap();
    }
    scene.assert_all_cores_answer();
    // One byte a minute, in a hurry.
    for _ in 0..3 {
        for stream in &mut slow {
            stream.write_all(&[0]).unwrap();
        }
        scene.assert_all_cores_answer();
    }
}

/// A megabyte of the smallest requests, each of which is answered with kilobytes, and nobody reads.
#[test]
fn a_peer_that_asks_for_much_and_reads_nothing_is_answered_little() {
    let mut scene = Scene::new();
    let topic = [&[0, 4][..], b"wide"].concat();
    // 300 partitions, one replica, no assignments, no configs; 10 s; not only validated.
    let body = [
        &[0, 0, 0, 1][..],
        &topic,
        &[0, 0, 1, 44, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 39, 16, 0],
    ]
    .concat();
    let Answer::Reply(_) = send(
        &mut scene.bystander,
        &frame(&request(CREATE_TOPICS, 2, &body)),
    ) else {
        panic!("the topic was not created");
    };
    // Version 1, null: all topics.
    let many = frame(&request(METADATA, 1, &[0xff; 4])).repeat(50_000);
    let mut deaf: Vec<TcpStream> = (0..4).map(|_| scene.broker.connect()).collect();
    for stream in &mut deaf {
        stream
            .set_write_timeout(Some(Duration::from_millis(300)))
            .expect("a timeout above zero");
        // A write that blocks is what should happen.
        let _ = stream.write_all(&many);
    }
    scene.assert_all_cores_answer();
    // And those who hang up with all of it on the way.
    for stream in deaf {
        let _ = stream.shutdown(Shutdown::Write);
    }
    scene.assert_all_cores_answer();
}

#[test]
fn memory_does_not_grow_from_round_to_round() {
    let mut scene = Scene::new();
    if !scene.broker.is_klamm() {
        // A JVM takes what it is given.
        return;
    }
    let half_sent = [&(2_i32 << 20).to_be_bytes()[..], &vec![0; 1 << 20]].concat();
    let round = |scene: &mut Scene| {
        for whole in whole_requests() {
            let mut stream = scene.broker.connect();
            let _ = send(&mut stream, &frame(&whole));
            let mut cut = scene.broker.connect();
            let _ = cut.write_all(&frame(&whole)[..7]);
            let mut large = scene.broker.connect();
            let _ = large.write_all(&half_sent);
        }
        scene.assert_all_cores_answer();
    };
    for _ in 0..10 {
        round(&mut scene);
    }
    let before = scene.broker.resident_bytes();
    for _ in 0..20 {
        round(&mut scene);
    }
    let after = scene.broker.resident_bytes();
    // 140 large frames more: a tenth of them, kept, would be seen.
    assert!(
        after <= before + (12 << 20),
        "{before} bytes were resident after 10 rounds, {after} after 30"
    );
}
