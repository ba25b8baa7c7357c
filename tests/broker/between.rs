//! A broker that stands between a client and a real one, and does what a real one cannot be asked for:
//! it throttles, is old, holds answers back. It counts what it was asked.

use crate::broker::Broker;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub const PRODUCE: i16 = 0;
pub const FETCH: i16 = 1;
const API_VERSIONS: i16 = 18;

/// Error 35, UNSUPPORTED_VERSION, and no APIs: so a broker before KIP-511 answers a version of
/// ApiVersions that it does not know.
const UNSUPPORTED: [u8; 6] = [0, 35, 0, 0, 0, 0];

/// The highest version of each API that an old broker serves: whatever is not there it does not serve.
pub type Versions = &'static [(i16, i16)];

/// A request that went through.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub api_key: i16,
    pub version: i16,
    /// How many of this API came before it.
    pub number: usize,
}

type Answer = dyn Fn(Asked, Vec<u8>) -> Vec<u8> + Send + Sync;

/// The one between.
pub struct Between {
    /// Where clients connect.
    pub address: String,
    shared: Arc<Shared>,
}

struct Shared {
    broker: String,
    versions: Option<Versions>,
    answer: Box<Answer>,
    asked: Mutex<Vec<Asked>>,
}

impl Between {
    /// Starts a broker that names this one as itself, so that clients do not find a way around. Each
    /// answer, without its size, goes through `answer`; one that takes its time holds up all that
    /// come after it on that connection.
    pub fn start(
        overrides: &[&str],
        versions: Option<Versions>,
        answer: impl Fn(Asked, Vec<u8>) -> Vec<u8> + Send + Sync + 'static,
    ) -> (Between, Broker) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let advertised = format!("advertised.listeners=PLAINTEXT://{address}");
        let mut overrides = overrides.to_vec();
        overrides.push(&advertised);
        let broker = Broker::start_with(1, &overrides);
        let shared = Arc::new(Shared {
            broker: broker.bootstrap.clone(),
            versions,
            answer: Box::new(answer),
            asked: Mutex::new(Vec::new()),
        });
        let carrying = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a connection");
                let shared = Arc::clone(&carrying);
                std::thread::spawn(move || shared.carry(client));
            }
        });
        (Between { address, shared }, broker)
    }

    /// How many requests of this API came.
    pub fn asked(&self, api_key: i16) -> usize {
        let asked = self.shared.asked.lock().expect("nobody panics with it");
        asked
            .iter()
            .filter(|asked| asked.api_key == api_key)
            .count()
    }

    /// The highest version in which this API was asked.
    pub fn version(&self, api_key: i16) -> Option<i16> {
        let asked = self.shared.asked.lock().expect("nobody panics with it");
        let versions = asked.iter().filter(|asked| asked.api_key == api_key);
        versions.map(|asked| asked.version).max()
    }
}

type Waiting = Mutex<BTreeMap<i32, Asked>>;

impl Shared {
    fn carry(self: Arc<Shared>, mut client: TcpStream) {
        // A broker that is gone ends its clients' connections.
        let Ok(mut broker) = TcpStream::connect(&self.broker) else {
            return;
        };
        for stream in [&client, &broker] {
            stream.set_nodelay(true).expect("a TCP socket");
        }
        let waiting = Arc::new(Waiting::default());
        let back = (
            broker.try_clone().expect("a descriptor"),
            client.try_clone().expect("a descriptor"),
        );
        let (shared, expected) = (Arc::clone(&self), Arc::clone(&waiting));
        std::thread::spawn(move || shared.carry_back(back.0, back.1, &expected));
        while let Some(frame) = read_frame(&mut client) {
            let short = |at: usize| i16::from_be_bytes([frame[at], frame[at + 1]]);
            let (api_key, version) = (short(0), short(2));
            let correlation = [frame[4], frame[5], frame[6], frame[7]];
            let served = self.served(API_VERSIONS).unwrap_or(i16::MAX);
            let carried = if api_key == API_VERSIONS && version > served {
                write_frame(&mut client, &[&correlation[..], &UNSUPPORTED].concat())
            } else {
                let mut asked = self.asked.lock().expect("nobody panics with it");
                let number = asked
                    .iter()
                    .filter(|asked| asked.api_key == api_key)
                    .count();
                let new = Asked {
                    api_key,
                    version,
                    number,
                };
                asked.push(new);
                drop(asked);
                let mut waiting = waiting.lock().expect("nobody panics with it");
                waiting.insert(i32::from_be_bytes(correlation), new);
                drop(waiting);
                write_frame(&mut broker, &frame)
            };
            if carried.is_err() {
                break;
            }
        }
        // Whichever side has ended: the other one learns of it.
        let _ = broker.shutdown(Shutdown::Both);
        let _ = client.shutdown(Shutdown::Both);
    }

    fn carry_back(&self, mut broker: TcpStream, mut client: TcpStream, waiting: &Waiting) {
        while let Some(mut frame) = read_frame(&mut broker) {
            let correlation = i32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
            let asked = waiting
                .lock()
                .expect("nobody panics with it")
                .remove(&correlation);
            let asked = asked.expect("an answer to what was asked");
            if asked.api_key == API_VERSIONS && self.versions.is_some() {
                frame = self.older(&frame);
            }
            let frame = (self.answer)(asked, frame);
            if write_frame(&mut client, &frame).is_err() {
                break;
            }
        }
        let _ = broker.shutdown(Shutdown::Both);
        let _ = client.shutdown(Shutdown::Both);
    }

    fn served(&self, api_key: i16) -> Option<i16> {
        let versions = self.versions?.iter();
        let row = versions.copied().find(|row| row.0 == api_key);
        row.map(|row| row.1)
    }

    /// An answer of ApiVersions in version 0 to 2 (correlation id, error, then of each API its key, min
    /// and max, then perhaps the throttle time), as the old broker would give it.
    fn older(&self, frame: &[u8]) -> Vec<u8> {
        let short = |bytes: &[u8]| i16::from_be_bytes([bytes[0], bytes[1]]);
        let count = u32::from_be_bytes([frame[6], frame[7], frame[8], frame[9]]);
        let (apis, rest) = frame[10..].split_at(usize::try_from(count).expect("a count") * 6);
        let mut kept = Vec::new();
        let mut left = 0_u32;
        for api in apis.chunks_exact(6) {
            let (key, min, max) = (short(api), short(&api[2..]), short(&api[4..]));
            if let Some(served) = self.served(key) {
                // Below `min` the real broker would answer nothing; its client, neither.
                let served = served.min(max);
                kept.extend(key.to_be_bytes());
                kept.extend(if served < min { 0 } else { min }.to_be_bytes());
                kept.extend(served.to_be_bytes());
                left += 1;
            }
        }
        [&frame[..6], &left.to_be_bytes(), &kept, rest].concat()
    }
}

fn read_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut size = [0; 4];
    stream.read_exact(&mut size).ok()?;
    let size = usize::try_from(u32::from_be_bytes(size)).expect("a size");
    let mut frame = vec![0; size];
    stream.read_exact(&mut frame).ok()?;
    Some(frame)
}

fn write_frame(stream: &mut TcpStream, frame: &[u8]) -> std::io::Result<()> {
    let size = u32::try_from(frame.len()).expect("a frame's size");
    stream.write_all(&[&size.to_be_bytes(), frame].concat())
}
