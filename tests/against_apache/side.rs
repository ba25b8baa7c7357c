//! Two brokers that are asked the same, and what they answer, line by line.
//!
//! A response is compared as its `Debug` text: every field, null and empty told apart, nothing
//! forgotten. What may differ is masked by name, or is the name of something each broker made up,
//! or stands in the list of exceptions with its reason.

use crate::broker::Broker;
use crate::deadline::{wait_for, wait_up_to};
use bytes::Bytes;
use klamm::base::ids::TopicId;
use klamm::protocol::messages::api_versions::ApiVersionsRequest;
use klamm::protocol::messages::init_producer_id::InitProducerIdRequest;
use klamm::protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use klamm::protocol::messages::metadata::MetadataRequest;
use klamm::protocol::{Message, Request, Str, decode_response_header, encode_request};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The longest that the two are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Cases in which klamm answers otherwise on purpose, and why: as docs/COMPATIBILITY.md says.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("Produce: garbage as gzip", NOT_OPENED),
    ("Produce: garbage as snappy", NOT_OPENED),
    ("Produce: garbage as lz4", NOT_OPENED),
    ("Produce: garbage as zstd", NOT_OPENED),
];

/// docs/decisions/validation.md.
const NOT_OPENED: &str = "compressed records are opened only where the topic asks for it";

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

/// What became of sending a request.
enum Sent {
    Unsaid,
    Sent,
}

fn read_frame(stream: &mut TcpStream) -> Option<Bytes> {
    let mut size = [0; 4];
    stream.read_exact(&mut size).ok()?;
    let size = usize::try_from(i32::from_be_bytes(size)).expect("a size is positive");
    let mut frame = vec![0; size];
    stream.read_exact(&mut frame).ok()?;
    Some(Bytes::from(frame))
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
        let sent = self.send(version, request);
        self.receive::<Q>(version, sent)
    }

    /// Sends a request.
    fn send<Q: Request>(&mut self, version: i16, request: &Q) -> Sent {
        let Ok(encoded) = encode_request(Q::KEY, version, 7, Some("test"), request) else {
            return Sent::Unsaid;
        };
        let stream = self.stream.get_or_insert_with(|| {
            let stream = self.broker.connect();
            let patience = Some(Duration::from_secs(5));
            stream.set_read_timeout(patience).expect("above zero");
            stream.set_nodelay(true).expect("a fresh connection");
            stream
        });
        // Where the broker hangs up at once, receiving finds it.
        let _ = stream.write_all(&encoded.bytes);
        Sent::Sent
    }

    /// Waits for the answer to what was sent.
    fn receive<Q: Request>(&mut self, version: i16, sent: Sent) -> Answer<Q::Response> {
        match sent {
            Sent::Unsaid => return Answer::Unsaid,
            Sent::Sent => {}
        }
        let stream = self.stream.as_mut().expect("it was sent into");
        let Some(frame) = read_frame(stream) else {
            self.stream = None;
            return Answer::Closed;
        };
        let body = decode_response_header(frame, Q::KEY, version);
        let (_, mut reader) = body.expect("a response has a header");
        let response = Q::Response::decode(&mut reader, version);
        Answer::Response(response.expect("a response has the fields of its version"))
    }

    /// Learns what the broker calls its topics; gives their names with their partitions.
    fn learn(&mut self) -> BTreeMap<String, usize> {
        let request = of!(MetadataRequest { topics: None });
        let Answer::Response(response) = self.ask(12, &request) else {
            panic!("no Metadata");
        };
        let mut topics = BTreeMap::new();
        self.made_up.clear();
        let port = response.brokers.first().map_or(0, |broker| broker.port);
        self.made_up.push((port.to_string(), "PORT"));
        let cluster_id = response.cluster_id.unwrap_or_default();
        self.made_up.push((cluster_id.to_string(), "CLUSTER"));
        let directory = self.broker.data().display().to_string();
        self.made_up.push((directory, "DIRECTORY"));
        for topic in response.topics {
            let name = topic.name.unwrap_or_default().to_string();
            self.made_up.push((topic.topic_id.to_string(), "TOPIC-ID"));
            self.topic_ids.insert(name.clone(), topic.topic_id);
            topics.insert(name, topic.partitions.len());
        }
        topics
    }

    /// Whether the broker leads the partitions that it speaks of: Apache's log begins later.
    fn leads(&mut self, topics: &BTreeMap<String, usize>) -> bool {
        const LATEST: i64 = -1;
        let topics = topics.iter().map(|(name, partitions)| {
            let partitions = (0_i32..).take(*partitions).map(|index| {
                of!(ListOffsetsPartition {
                    partition_index: index,
                    timestamp: LATEST,
                })
            });
            of!(ListOffsetsTopic {
                name: text(name),
                partitions: partitions.collect(),
            })
        });
        let request = of!(ListOffsetsRequest {
            replica_id: -1,
            topics: topics.collect(),
        });
        let Answer::Response(response) = self.ask(7, &request) else {
            return false;
        };
        let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
        partitions.all(|partition| partition.error_code == 0)
    }

    /// Whether the broker is in its own list of brokers, and says who the controller is.
    fn is_registered(&mut self) -> bool {
        match self.ask(12, &of!(MetadataRequest { topics: None })) {
            Answer::Response(response) => !response.brokers.is_empty(),
            Answer::Unsaid | Answer::Closed => false,
        }
    }

    fn gives_producer_ids(&mut self) -> bool {
        let request = of!(InitProducerIdRequest {
            transactional_id: None,
            producer_id: -1,
            producer_epoch: -1,
        });
        match self.ask(4, &request) {
            Answer::Response(response) => response.error_code == 0,
            Answer::Unsaid | Answer::Closed => false,
        }
    }

    /// The least and the largest version of each API.
    fn versions(&mut self) -> BTreeMap<i16, (i16, i16)> {
        let Answer::Response(response) = self.ask(0, &ApiVersionsRequest::default()) else {
            panic!("no ApiVersions");
        };
        let keys = response.api_keys.into_iter();
        keys.map(|key| (key.api_key, (key.min_version, key.max_version)))
            .collect()
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
    /// The exceptions that were asked about, and whether they differed.
    exceptions: BTreeMap<&'static str, bool>,
    /// The versions that Apache serves, by API: klamm follows a newer one.
    versions: BTreeMap<i16, (i16, i16)>,
    compared: usize,
}

impl Pair {
    pub fn start(settings: &[&str]) -> Pair {
        let mut pair = Pair {
            apache: Side::new(Broker::start_apache(settings)),
            klamm: Side::new(Broker::start_with(2, settings)),
            differences: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            versions: BTreeMap::new(),
            compared: 0,
        };
        // Apache listens before it has registered itself.
        wait_for("Apache to register", || {
            pair.apache.is_registered().then_some(())
        });
        pair.versions = pair.apache.versions();
        wait_for("Apache to give out producer ids", || {
            pair.apache.gives_producer_ids().then_some(())
        });
        pair.settle();
        pair
    }

    /// Waits until both have replayed what was asked of their controllers, and learns what they
    /// call their topics. Apache answers before all of it has reached its brokers.
    pub fn settle(&mut self) {
        // Where they never agree, what is asked next shows it.
        wait_up_to(PATIENCE, || {
            let topics = self.apache.learn();
            (topics == self.klamm.learn() && self.apache.leads(&topics)).then_some(())
        });
    }

    /// Has both do something; what they say of it is not compared.
    pub fn tell_both<Q: Request>(&mut self, version: i16, make: impl Fn() -> Q) {
        self.apache.ask(version, &make());
        self.klamm.ask(version, &make());
    }

    /// Asks both in every version that the request has.
    pub fn ask<Q: Request>(&mut self, what: &str, make: impl Fn(&Side) -> Q)
    where
        Q::Response: std::fmt::Debug,
    {
        self.ask_masked(what, &[], |side, _| make(side));
    }

    /// Likewise; `adjust` is given Apache's answer and klamm's, to take away what may differ.
    pub fn ask_every<Q: Request>(
        &mut self,
        what: &str,
        make: impl Fn(&Side) -> Q,
        adjust: impl Fn(&mut Q::Response, &mut Q::Response),
    ) where
        Q::Response: std::fmt::Debug,
    {
        for version in Q::KEY.versions().iter() {
            self.ask_adjusted(what, version, &[], &make, &adjust);
        }
    }

    /// As `ask`; the fields `masked` may differ, and the request may depend on the version.
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
        self.ask_adjusted(what, version, masked, make, |_, _| {})
    }

    /// Asks both in one version; `adjust` is given Apache's answer and klamm's, to take away what may
    /// differ.
    pub fn ask_adjusted<Q: Request>(
        &mut self,
        what: &str,
        version: i16,
        masked: &[&str],
        make: impl Fn(&Side) -> Q,
        adjust: impl Fn(&mut Q::Response, &mut Q::Response),
    ) -> Option<(Q::Response, Q::Response)>
    where
        Q::Response: std::fmt::Debug,
    {
        let served = self.versions.get(&Q::KEY.code());
        if !served.is_some_and(|&(least, most)| (least..=most).contains(&version)) {
            return None;
        }
        // Both think at once: a fetch that waits is waited for once.
        let request = make(&self.apache);
        let apache = self.apache.send(version, &request);
        let request = make(&self.klamm);
        let klamm = self.klamm.send(version, &request);
        let mut apache = self.apache.receive::<Q>(version, apache);
        let mut klamm = self.klamm.receive::<Q>(version, klamm);
        if let (Answer::Response(apache), Answer::Response(klamm)) = (&mut apache, &mut klamm) {
            adjust(apache, klamm);
        }
        self.compared += 1;
        let expected = self.apache.lines(&apache, masked);
        let actual = self.klamm.lines(&klamm, masked);
        let name = format!("{:?}: {what}", Q::KEY);
        let exception = EXCEPTIONS.iter().find(|(case, ..)| *case == name);
        if let Some((case, ..)) = exception {
            let is_used = self.exceptions.entry(case).or_default();
            *is_used |= expected != actual;
        } else if expected != actual {
            let key = (name, difference(&expected, &actual));
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
        for (case, _) in EXCEPTIONS {
            let is_used = self.exceptions.get(case).copied();
            if is_used != Some(true) {
                report += &format!("{case}: is an exception, but does not differ\n");
            }
        }
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
