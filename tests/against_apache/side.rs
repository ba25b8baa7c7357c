//! Two brokers that are asked the same, and what they answer, line by line.
//!
//! A response is compared as its `Debug` text: every field, null and empty told apart, nothing
//! forgotten. What may differ is masked by name, or is the name of something each broker made up.

use crate::broker::Broker;
use bytes::Bytes;
use klamm::base::ids::TopicId;
use klamm::protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use klamm::protocol::{Message, Request, Str, decode_response_header, encode_request};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

/// Makes a message of the fields that matter; the others have their defaults.
#[macro_export]
macro_rules! of {
    ($name:ty { $($field:ident : $value:expr),* $(,)? }) => {{
        type Made = $name;
        Made { $($field: $value,)* ..Made::default() }
    }};
}

/// One of the two brokers.
pub struct Side {
    broker: Broker,
    stream: Option<TcpStream>,
    /// Texts that this broker made up, and what stands in their place.
    made_up: Vec<(String, &'static str)>,
    /// Its topics' ids.
    pub topic_ids: BTreeMap<String, TopicId>,
    /// The fetch session, and the producer, that a story goes on with.
    pub session_id: i32,
    pub producer_id: i64,
}

/// What became of a request.
pub enum Answer<R> {
    /// The version cannot say it.
    Unsaid,
    Closed,
    Response(R),
}

impl Side {
    fn new(broker: Broker) -> Side {
        Side {
            broker,
            stream: None,
            made_up: Vec::new(),
            topic_ids: BTreeMap::new(),
            session_id: 0,
            producer_id: -1,
        }
    }

    /// The id of a topic that was created.
    pub fn id(&self, topic: &str) -> TopicId {
        self.topic_ids.get(topic).copied().unwrap_or(TopicId::ZERO)
    }

    /// Sends a request and waits for the answer.
    pub fn ask<Q: Request>(&mut self, version: i16, request: &Q) -> Answer<Q::Response> {
        let Ok(encoded) = encode_request(Q::KEY, version, 7, Some("test"), request) else {
            return Answer::Unsaid;
        };
        let Some(frame) = self.exchange(&encoded.bytes) else {
            self.stream = None;
            return Answer::Closed;
        };
        let body = decode_response_header(frame, Q::KEY, version);
        let (_, mut reader) = body.expect("a response has a header");
        let response = Q::Response::decode(&mut reader, version);
        Answer::Response(response.expect("a response has the fields of its version"))
    }

    fn exchange(&mut self, bytes: &[u8]) -> Option<Bytes> {
        let stream = self.stream.get_or_insert_with(|| {
            let stream = self.broker.connect();
            let patience = Some(Duration::from_secs(20));
            stream.set_read_timeout(patience).expect("above zero");
            stream
        });
        stream.write_all(bytes).ok()?;
        let mut size = [0; 4];
        stream.read_exact(&mut size).ok()?;
        let size = usize::try_from(i32::from_be_bytes(size)).expect("a size is positive");
        let mut frame = vec![0; size];
        stream.read_exact(&mut frame).ok()?;
        Some(Bytes::from(frame))
    }

    fn learn(&mut self) {
        let request = of!(MetadataRequest { topics: None });
        let Answer::Response(response) = self.ask(12, &request) else {
            panic!("no Metadata");
        };
        self.made_up.clear();
        let port = response.brokers[0].port;
        self.made_up.push((port.to_string(), "PORT"));
        let cluster_id = response.cluster_id.unwrap_or_default();
        self.made_up.push((cluster_id.to_string(), "CLUSTER"));
        let directory = self.broker.data().display().to_string();
        self.made_up.push((directory, "DIRECTORY"));
        for topic in response.topics {
            let name = topic.name.unwrap_or_default().to_string();
            self.made_up.push((topic.topic_id.to_string(), "TOPIC-ID"));
            self.topic_ids.insert(name, topic.topic_id);
        }
    }

    /// The lines of an answer, without what this broker made up.
    fn lines<R: std::fmt::Debug>(&self, answer: &Answer<R>, masked: &[&str]) -> Vec<String> {
        let text = match answer {
            Answer::Unsaid => "unsaid".to_owned(),
            Answer::Closed => "closed".to_owned(),
            Answer::Response(response) => format!("{response:#?}"),
        };
        let mut lines = Vec::new();
        for line in text.lines() {
            let mut line = line.to_owned();
            for (text, stand_in) in &self.made_up {
                line = line.replace(text, stand_in);
            }
            match line.split_once(": ") {
                Some((field, _)) if masked.contains(&field.trim()) => {
                    lines.push(format!("{field}: masked"));
                }
                Some(_) | None => lines.push(line),
            }
        }
        lines
    }
}

/// Both brokers, and where they differed so far.
pub struct Pair {
    pub apache: Side,
    pub klamm: Side,
    /// Versions by what was asked and how the answers differed.
    differences: BTreeMap<(String, String), Vec<i16>>,
    compared: usize,
}

impl Pair {
    pub fn start(settings: &[&str]) -> Pair {
        let mut pair = Pair {
            apache: Side::new(Broker::start_apache(settings)),
            klamm: Side::new(Broker::start_with(2, settings)),
            differences: BTreeMap::new(),
            compared: 0,
        };
        // Apache listens before it has registered itself.
        sleep(Duration::from_secs(3));
        pair.settle();
        pair
    }

    /// Waits until both have replayed what was asked of their controllers, and learns what they
    /// call their topics.
    pub fn settle(&mut self) {
        sleep(Duration::from_millis(150));
        self.apache.learn();
        self.klamm.learn();
    }

    /// Asks both in every version that the request has.
    pub fn ask<Q: Request>(&mut self, what: &str, make: impl Fn(&Side) -> Q)
    where
        Q::Response: std::fmt::Debug,
    {
        self.ask_masked(what, &[], |side, _| make(side));
    }

    /// Likewise; the fields `masked` may differ, and the request may depend on the version.
    pub fn ask_masked<Q: Request>(
        &mut self,
        what: &str,
        masked: &[&str],
        make: impl Fn(&Side, i16) -> Q,
    ) where
        Q::Response: std::fmt::Debug,
    {
        let versions = Q::KEY.versions();
        for version in versions.iter() {
            self.ask_in(what, version, masked, |side| make(side, version));
        }
    }

    /// Asks both in one version, and gives what they answered.
    pub fn ask_in<Q: Request>(
        &mut self,
        what: &str,
        version: i16,
        masked: &[&str],
        make: impl Fn(&Side) -> Q,
    ) -> Option<(Q::Response, Q::Response)>
    where
        Q::Response: std::fmt::Debug,
    {
        let request = make(&self.apache);
        let apache = self.apache.ask(version, &request);
        let request = make(&self.klamm);
        let klamm = self.klamm.ask(version, &request);
        self.compared += 1;
        let expected = self.apache.lines(&apache, masked);
        let actual = self.klamm.lines(&klamm, masked);
        if expected != actual {
            let key = (
                format!("{:?}: {what}", Q::KEY),
                difference(&expected, &actual),
            );
            self.differences.entry(key).or_default().push(version);
        }
        match (apache, klamm) {
            (Answer::Response(apache), Answer::Response(klamm)) => Some((apache, klamm)),
            _ => None,
        }
    }

    /// Fails where anything differed.
    pub fn finish(self) {
        let mut report = String::new();
        for ((what, difference), versions) in &self.differences {
            report += &format!("{what}, versions {versions:?}\n{difference}\n");
        }
        println!("{} pairs of answers were compared", self.compared);
        assert!(
            report.is_empty(),
            "klamm (+) is not Apache Kafka (-) in {} cases:\n{report}",
            self.differences.len()
        );
    }
}

/// The lines that only one of the two has, with the innermost names that they stand in.
fn difference(expected: &[String], actual: &[String]) -> String {
    let mut report = String::new();
    if expected.len() == actual.len() {
        for (expected, actual) in expected.iter().zip(actual) {
            if expected != actual {
                report += &format!("  - {}\n  + {}\n", expected.trim(), actual.trim());
            }
        }
        return report;
    }
    let same_start = expected.iter().zip(actual).take_while(|(a, b)| a == b);
    let start = same_start.count();
    let same_end = expected.iter().rev().zip(actual.iter().rev());
    let end = same_end.take_while(|(a, b)| a == b).count();
    for (sign, lines) in [("-", expected), ("+", actual)] {
        let end = lines.len().saturating_sub(end).max(start);
        for line in lines[start..end].iter().take(40) {
            report += &format!("  {sign} {}\n", line.trim());
        }
    }
    report
}

/// Text for a field.
pub fn text(text: &str) -> Str {
    Str::from(text.to_owned())
}

/// Topics as Metadata asks for them.
pub fn metadata_of(names: &[&str]) -> MetadataRequest {
    let topics = names
        .iter()
        .map(|name| {
            of!(MetadataRequestTopic {
                name: Some(text(name))
            })
        })
        .collect();
    of!(MetadataRequest {
        topics: Some(topics)
    })
}
