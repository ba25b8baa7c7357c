//! The wire protocol by hand, as far as hostile and clumsy peers need it: frames put together byte
//! by byte, so that they can be wrong in any way.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How a connection answered a frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A reply, without its length: correlation id and what follows it.
    Reply(Vec<u8>),
    /// The broker ended the connection.
    Closed,
}

/// A request with header version 1: no tagged fields.
pub fn request(api_key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(api_key.to_be_bytes());
    bytes.extend(version.to_be_bytes());
    bytes.extend(7_i32.to_be_bytes());
    bytes.extend(4_i16.to_be_bytes());
    bytes.extend(b"test");
    bytes.extend(body);
    bytes
}

/// A frame: the length, then the bytes.
pub fn frame(bytes: &[u8]) -> Vec<u8> {
    let length = i32::try_from(bytes.len()).expect("tests send small frames");
    [&length.to_be_bytes(), bytes].concat()
}

/// The request that everyone may send first: ApiVersions, version 0.
pub fn api_versions() -> Vec<u8> {
    frame(&request(18, 0, &[]))
}

/// Sends bytes and waits for the answer. A broker that hangs up while we send has answered, too.
pub fn send(stream: &mut TcpStream, bytes: &[u8]) -> Answer {
    if stream.write_all(bytes).is_err() {
        return Answer::Closed;
    }
    receive(stream)
}

/// Waits for one answer.
pub fn receive(stream: &mut TcpStream) -> Answer {
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a timeout above zero");
    let mut length = [0; 4];
    if !read_whole(stream, &mut length) {
        return Answer::Closed;
    }
    let length = usize::try_from(i32::from_be_bytes(length)).expect("a reply has a length");
    let mut reply = vec![0; length];
    if read_whole(stream, &mut reply) {
        Answer::Reply(reply)
    } else {
        Answer::Closed
    }
}

/// Whether the buffer was filled; `false` where the broker ended the connection.
fn read_whole(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
    match stream.read_exact(buffer) {
        Ok(()) => true,
        Err(error) => {
            let waited = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            assert!(
                !waited,
                "the broker neither answers nor closes the connection"
            );
            false
        }
    }
}
