//! The connection against bytes made here, written out by hand as the protocol has them.

use super::*;
use crate::base::prng::Prng;
use crate::protocol::messages::list_offsets::ListOffsetsRequest;
use crate::protocol::messages::metadata::MetadataRequest;

const NOW: Instant = Instant(7);

/// A response of ApiVersions in version 0: error, then key, min, max of each.
fn versions_v0(correlation: i32, error: i16, apis: &[(i16, i16, i16)]) -> Vec<u8> {
    let mut body = correlation.to_be_bytes().to_vec();
    body.extend(error.to_be_bytes());
    body.extend(i32::try_from(apis.len()).unwrap().to_be_bytes());
    for (key, min, max) in apis {
        for number in [key, min, max] {
            body.extend(number.to_be_bytes());
        }
    }
    frame(&body)
}

/// The same in version 3: compact array, tagged fields.
fn versions_v3(correlation: i32, apis: &[(i16, i16, i16)]) -> Vec<u8> {
    let mut body = correlation.to_be_bytes().to_vec();
    body.extend([0, 0, u8::try_from(apis.len() + 1).unwrap()]);
    for (key, min, max) in apis {
        for number in [key, min, max] {
            body.extend(number.to_be_bytes());
        }
        body.push(0);
    }
    body.extend([0, 0, 0, 0, 0]);
    frame(&body)
}

fn frame(body: &[u8]) -> Vec<u8> {
    [&i32::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

/// Key, version and correlation id of the request that waits to be sent, which is then sent.
fn sent(connection: &mut Connection) -> (i16, i16, i32) {
    let bytes = connection.outgoing().to_vec();
    connection.handle_sent(bytes.len());
    let short = |at: usize| i16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let correlation = i32::from_be_bytes(bytes[8..12].try_into().unwrap());
    (short(4), short(6), correlation)
}

fn ready(apis: &[(i16, i16, i16)]) -> Connection {
    let mut connection = Connection::new(NOW, "me");
    let (_, _, correlation) = sent(&mut connection);
    connection.handle_bytes(&versions_v3(correlation, apis));
    assert!(connection.poll_response(NOW).unwrap().is_none());
    assert!(connection.is_ready());
    connection
}

#[test]
fn the_highest_common_version_is_spoken() {
    let mut connection = ready(&[(3, 0, 9), (2, 50, 60)]);
    let request = MetadataRequest::default();
    connection
        .request(NOW, 42, &request, i16::MAX, true)
        .unwrap();
    let (key, version, correlation) = sent(&mut connection);
    assert_eq!((key, version), (3, 9));
    connection.request(NOW, 43, &request, 8, true).unwrap();
    assert_eq!(sent(&mut connection).1, 8, "at most what the caller allows");
    let none = connection.request(NOW, 44, &ListOffsetsRequest::default(), i16::MAX, true);
    assert!(matches!(
        none,
        Err(ClientError::Unsupported {
            broker: Some((50, 60)),
            ..
        })
    ));
    // The answer arrives byte by byte; version 9 has tagged fields in its header.
    let mut body = correlation.to_be_bytes().to_vec();
    body.extend([1, 5, 2, 0xAA, 0xBB]);
    body.extend(b"body");
    for byte in frame(&body) {
        assert!(connection.poll_response(NOW).unwrap().is_none());
        connection.handle_bytes(&[byte]);
    }
    let response = connection.poll_response(NOW).unwrap().unwrap();
    assert_eq!(
        (response.token, response.version, &response.body[..]),
        (42, 9, &b"body"[..])
    );
    assert_eq!(connection.in_flight(), 1);
}

#[test]
fn an_old_broker_is_asked_again_in_its_own_version() {
    let mut connection = Connection::new(NOW, "me");
    let (key, version, correlation) = sent(&mut connection);
    assert_eq!(key, 18);
    assert!(version >= 3);
    connection.handle_bytes(&versions_v0(correlation, 35, &[(18, 0, 1)]));
    assert!(connection.poll_response(NOW).unwrap().is_none());
    assert!(!connection.is_ready());
    let (_, version, correlation) = sent(&mut connection);
    assert_eq!(version, 1);
    let mut answer = versions_v0(correlation, 0, &[(18, 0, 1), (3, 0, 4)]);
    answer.extend([0; 4]); // throttle time
    answer[3] += 4;
    connection.handle_bytes(&answer);
    assert!(connection.poll_response(NOW).unwrap().is_none());
    assert_eq!(connection.version::<MetadataRequest>(i16::MAX).unwrap(), 4);
}

#[test]
fn a_broker_that_throttles_is_sent_nothing_for_so_long() {
    let mut connection = ready(&[(3, 0, 9)]);
    assert!(connection.throttled_until() <= NOW);
    connection
        .request(NOW, 1, &MetadataRequest::default(), i16::MAX, true)
        .unwrap();
    let (_, _, correlation) = sent(&mut connection);
    let mut body = correlation.to_be_bytes().to_vec();
    body.push(0);
    body.extend(300_i32.to_be_bytes());
    connection.handle_bytes(&frame(&body));
    assert!(connection.poll_response(NOW).unwrap().is_some());
    let until = NOW + Duration::from_millis(300);
    assert_eq!(connection.throttled_until(), until);
    // A request that waits there does not wait for its answer yet.
    connection
        .request(NOW, 2, &MetadataRequest::default(), i16::MAX, true)
        .unwrap();
    assert_eq!(connection.oldest(), Some(until));
    // A shorter time does not shorten a longer one.
    connection.throttle(NOW, Duration::from_millis(5));
    assert_eq!(connection.throttled_until(), until);
}

#[test]
fn what_is_not_kafka_is_named() {
    for (bytes, word) in [
        (&b"HTTP/1.1 400 Bad Request\r\n"[..], "HTTP"),
        (&[0x15, 3, 3, 0, 2, 2, 70], "TLS"),
        (&[0xFF; 8], "size"),
        (&[0, 0, 0, 4, 9, 9, 9, 9], "correlation"),
    ] {
        let mut connection = Connection::new(NOW, "me");
        connection.handle_bytes(bytes);
        let error = connection.poll_response(NOW).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn hostile_answers_do_not_panic() {
    let mut prng = Prng::new(77);
    for _ in 0..3000 {
        let mut connection = Connection::new(NOW, "me");
        let (_, _, correlation) = sent(&mut connection);
        let mut bytes = versions_v3(correlation, &[(3, 0, 9), (1, 4, 18), (18, 0, 5)]);
        for _ in 0..prng.index(4) {
            let at = prng.index(bytes.len());
            bytes[at] = bytes[at].wrapping_add(1 << prng.index(8));
        }
        connection.handle_bytes(&bytes);
        if connection.poll_response(NOW).is_err() || !connection.is_ready() {
            continue;
        }
        let asked = connection.request(NOW, 1, &MetadataRequest::default(), i16::MAX, true);
        if asked.is_err() {
            continue;
        }
        let (_, _, correlation) = sent(&mut connection);
        let mut body = correlation.to_be_bytes().to_vec();
        let mut noise = vec![0; prng.index(60)];
        prng.fill(&mut noise);
        body.extend(noise);
        connection.handle_bytes(&frame(&body));
        if let Ok(Some(response)) = connection.poll_response(NOW) {
            drop(response.decode::<MetadataRequest>());
        }
    }
}
