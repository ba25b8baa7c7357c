//! From exec to the first acknowledged record: a client that was waiting for the port.

use crate::broker::{Broker, Installation, Node};
use crate::wire::{self, Connection, TOPIC_EXISTS};
use std::io;
use std::io::Write;
use std::time::{Duration, Instant};

const GIVE_UP: Duration = Duration::from_secs(60);
/// Between two attempts to connect: short enough not to matter, and the core stays the broker's.
const BETWEEN_CONNECTS: Duration = Duration::from_micros(200);
const BETWEEN_REQUESTS: Duration = Duration::from_millis(1);

/// How long it took, in ms since before the process was started.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// Until a connection was accepted.
    pub connected_ms: f64,
    /// Until one record was acknowledged.
    pub acknowledged_ms: f64,
}

/// Starts the broker and produces one record with acks=1; where the topic is not there yet it is
/// created first.
pub fn first_ack(
    installation: &Installation,
    node: &Node,
    topic: &str,
    create: bool,
    now_ms: i64,
) -> Result<(Started, Broker), String> {
    let request = wire::produce(topic, 0, &wire::batch(1, b"the first record", now_ms));
    let start = Instant::now();
    let mut broker = node.spawn(installation)?;
    let mut connected = None;
    let mut last = "no connection".to_owned();
    while start.elapsed() < GIVE_UP {
        let Ok(mut connection) = Connection::open(node.port, Duration::from_secs(30)) else {
            broker.must_live()?;
            std::thread::sleep(BETWEEN_CONNECTS);
            continue;
        };
        connected = connected.or(Some(start.elapsed()));
        let answer = attempt(&mut connection, topic, create, &request);
        if let (Ok(0), Some(connected)) = (&answer, connected) {
            let started = Started {
                connected_ms: connected.as_secs_f64() * 1e3,
                acknowledged_ms: start.elapsed().as_secs_f64() * 1e3,
            };
            return Ok((started, broker));
        }
        last = match answer {
            Ok(code) => format!("error code {code}"),
            Err(error) => error.to_string(),
        };
        std::thread::sleep(BETWEEN_REQUESTS);
    }
    Err(format!(
        "{} acknowledged nothing within {} s; its last answer: {last}",
        node.system.name(),
        GIVE_UP.as_secs()
    ))
}

/// The error code, 0 for an acknowledged record; a broker that is not ready says so or hangs up.
fn attempt(
    connection: &mut Connection,
    topic: &str,
    create: bool,
    request: &[u8],
) -> io::Result<i16> {
    if create {
        match wire::ask_for_topic(connection, topic, 1, &[])? {
            0 | TOPIC_EXISTS => {}
            code => return Ok(code),
        }
    }
    connection.0.write_all(request)?;
    let reply = connection.reply()?;
    wire::produce_error(&reply)
}
