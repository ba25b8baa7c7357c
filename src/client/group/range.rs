//! What consumers of a classic group tell each other through the coordinator, and how the leader
//! shares partitions out: Kafka's range assignor, the only one that klamm's own consumer knows.
//!
//! ```text
//! subscription, assignment    int16 version | message
//! ```

use crate::client::error::ClientError;
use crate::protocol::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, assignment,
};
use crate::protocol::{DecodeError, Message, Reader, Str, Writer};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Kafka's name of the assignor, as members name it to the coordinator.
pub const RANGE: &str = "range";

/// Kafka's name of the kind of group that consumers make.
pub const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// The version of both messages that is written: what a Java client of Kafka 4 writes.
const VERSION: i16 = 3;

/// A partition by its topic's name.
pub type TopicIndex = (Rc<str>, i32);

/// A member as the leader sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscriber {
    /// Its id.
    pub member_id: Str,
    /// `group.instance.id` of a static member. KIP-345.
    pub instance_id: Option<Str>,
    /// What it subscribes to.
    pub topics: Vec<Str>,
}

/// The metadata of a member that subscribes to these topics.
#[must_use]
pub fn encode_subscription(topics: &[Rc<str>], rack: &str) -> Bytes {
    encode(&ConsumerProtocolSubscription {
        topics: topics.iter().map(|topic| Str::from(&**topic)).collect(),
        rack_id: (!rack.is_empty()).then(|| rack.into()),
        ..ConsumerProtocolSubscription::default()
    })
}

/// The topics of a member's metadata.
pub fn decode_subscription(metadata: &Bytes) -> Result<Vec<Str>, ClientError> {
    decode::<ConsumerProtocolSubscription>(metadata).map(|subscription| subscription.topics)
}

/// The assignment of such partitions, sorted by topic.
#[must_use]
pub fn encode_assignment(partitions: &[TopicIndex]) -> Bytes {
    let mut topics: Vec<assignment::TopicPartition> = Vec::new();
    for (topic, index) in partitions {
        match topics.last_mut().filter(|last| *last.topic == **topic) {
            Some(last) => last.partitions.push(*index),
            None => topics.push(assignment::TopicPartition {
                topic: (&**topic).into(),
                partitions: vec![*index],
                ..assignment::TopicPartition::default()
            }),
        }
    }
    encode(&ConsumerProtocolAssignment {
        assigned_partitions: topics,
        ..ConsumerProtocolAssignment::default()
    })
}

/// The partitions of an assignment, sorted. No bytes are no partitions: so answers the coordinator
/// whose leader left a member out.
pub fn decode_assignment(bytes: &Bytes) -> Result<Vec<TopicIndex>, ClientError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let assignment = decode::<ConsumerProtocolAssignment>(bytes)?;
    let mut partitions = Vec::new();
    for topic in assignment.assigned_partitions {
        let name: Rc<str> = Rc::from(&*topic.topic);
        let indexes = topic.partitions.into_iter();
        partitions.extend(indexes.map(|index| (Rc::clone(&name), index)));
    }
    partitions.sort();
    partitions.dedup();
    Ok(partitions)
}

fn encode<M: Message>(message: &M) -> Bytes {
    let mut writer = Writer::with_capacity(2 + message.size(VERSION));
    writer.i16(VERSION);
    message
        .encode(&mut writer, VERSION)
        .expect("version 3 has every field that is set here");
    writer.finish().bytes
}

fn decode<M: Message>(bytes: &Bytes) -> Result<M, ClientError> {
    let mut reader = Reader::new(bytes.clone());
    let wrong = |error: DecodeError| ClientError::Malformed {
        what: M::NAME.to_owned(),
        why: error.to_string(),
    };
    let version = reader
        .i16()
        .map_err(|error| wrong(error.at(M::NAME, "version")))?;
    // As Apache reads it: a later version only adds fields at the end.
    M::decode(&mut reader, version.min(VERSION)).map_err(wrong)
}

/// Shares partitions out, topic by topic: the members that subscribe to it, in order of their ids,
/// take a range each, and the first ones take one more where it does not come out even. Every
/// member is in the result; a topic of which nothing is known has no partitions.
pub fn assign(
    members: &[Subscriber],
    partition_count: impl Fn(&str) -> i32,
) -> BTreeMap<Str, Vec<TopicIndex>> {
    let mut sorted: Vec<&Subscriber> = members.iter().collect();
    // Static members first and by their instance id, so that a restart changes nothing.
    sorted.sort_by(|a, b| {
        let key = |member: &Subscriber| {
            let instance = member.instance_id.as_ref().map(ToString::to_string);
            (instance.is_none(), instance, member.member_id.to_string())
        };
        key(a).cmp(&key(b))
    });
    let mut assigned: BTreeMap<Str, Vec<TopicIndex>> = BTreeMap::new();
    let mut by_topic: BTreeMap<&str, Vec<&Subscriber>> = BTreeMap::new();
    for &member in &sorted {
        assigned.entry(member.member_id.clone()).or_default();
        for topic in &member.topics {
            let subscribers = by_topic.entry(topic).or_default();
            if subscribers
                .last()
                .is_none_or(|last| last.member_id != member.member_id)
            {
                subscribers.push(member);
            }
        }
    }
    for (topic, subscribers) in by_topic {
        let name: Rc<str> = Rc::from(topic);
        let partitions = partition_count(topic).max(0);
        let count = i32::try_from(subscribers.len()).expect("the members of one answer");
        let (share, more) = (partitions / count, partitions % count);
        let mut next = 0;
        for (place, member) in (0..).zip(subscribers) {
            let end = next + share + i32::from(place < more);
            let own = assigned.entry(member.member_id.clone()).or_default();
            own.extend((next..end).map(|index| (Rc::clone(&name), index)));
            next = end;
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    fn member(id: &str, instance: Option<&str>, topics: &[&str]) -> Subscriber {
        Subscriber {
            member_id: id.into(),
            instance_id: instance.map(Str::from),
            topics: topics.iter().map(|&topic| topic.into()).collect(),
        }
    }

    fn shown(assigned: &BTreeMap<Str, Vec<TopicIndex>>) -> Vec<String> {
        let own = |partitions: &[TopicIndex]| {
            let partitions = partitions
                .iter()
                .map(|(topic, index)| format!("{topic}{index}"));
            partitions.collect::<Vec<_>>().join(" ")
        };
        assigned
            .iter()
            .map(|(id, partitions)| format!("{id}: {}", own(partitions)))
            .collect()
    }

    #[test]
    fn each_topic_is_cut_into_ranges() {
        let count = |topic: &str| match topic {
            "t" => 5,
            "u" => 1,
            _ => 0,
        };
        let members = [
            member("b", None, &["t", "u"]),
            member("a", None, &["t", "gone"]),
            member("c", Some("0"), &["t"]),
        ];
        assert_eq!(
            shown(&assign(&members, count)),
            ["a: t2 t3", "b: t4 u0", "c: t0 t1"],
            "the static member is first, then a and b"
        );
        let idle = [member("a", None, &["u"]), member("b", None, &["u", "u"])];
        assert_eq!(shown(&assign(&idle, count)), ["a: u0", "b: "]);
    }

    #[test]
    fn every_partition_has_one_owner_who_subscribes_to_it() {
        let mut prng = Prng::new(7);
        for _ in 0..200 {
            let topics = ["t", "u", "v"];
            let counts: Vec<i32> = (0..3)
                .map(|_| i32::try_from(prng.below(9)).unwrap())
                .collect();
            let count = |topic: &str| counts[topics.iter().position(|t| *t == topic).unwrap()];
            let members: Vec<Subscriber> = (0..1 + prng.below(6))
                .map(|id| {
                    let own: Vec<&str> =
                        topics.iter().copied().filter(|_| prng.one_in(2)).collect();
                    member(&format!("m{id}"), None, &own)
                })
                .collect();
            let assigned = assign(&members, count);
            assert_eq!(assigned.len(), members.len());
            let mut all: Vec<TopicIndex> = Vec::new();
            for member in &members {
                for (topic, index) in &assigned[&member.member_id] {
                    assert!(member.topics.iter().any(|own| **own == **topic));
                    all.push((Rc::clone(topic), *index));
                }
            }
            let expected: i32 = topics
                .iter()
                .filter(|topic| {
                    members
                        .iter()
                        .any(|m| m.topics.iter().any(|t| &&**t == *topic))
                })
                .map(|topic| count(topic))
                .sum();
            assert_eq!(i32::try_from(all.len()).unwrap(), expected);
            all.sort();
            all.dedup();
            assert_eq!(
                i32::try_from(all.len()).unwrap(),
                expected,
                "no partition twice"
            );
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_noise_is_refused() {
        let topics: Vec<Rc<str>> = vec!["a".into(), "b".into()];
        let bytes = encode_subscription(&topics, "r1");
        assert_eq!(
            decode_subscription(&bytes).unwrap(),
            ["a", "b"].map(Str::from)
        );
        let partitions: Vec<TopicIndex> = vec![("a".into(), 0), ("a".into(), 2), ("b".into(), 1)];
        assert_eq!(
            decode_assignment(&encode_assignment(&partitions)).unwrap(),
            partitions
        );
        assert!(decode_assignment(&Bytes::new()).unwrap().is_empty());
        // A version of tomorrow is read as far as it is known.
        let mut later = bytes.to_vec();
        later[1] = 9;
        assert_eq!(decode_subscription(&Bytes::from(later)).unwrap().len(), 2);
        let mut prng = Prng::new(3);
        let mut refused = 0;
        for _ in 0..2000 {
            let mut noise = bytes.to_vec();
            let at = prng.index(noise.len());
            noise[at] = noise[at].wrapping_add(u8::try_from(1 + prng.below(255)).unwrap());
            noise.truncate(1 + prng.index(noise.len()));
            let noise = Bytes::from(noise);
            refused += usize::from(decode_subscription(&noise).is_err());
            drop(decode_assignment(&noise));
        }
        assert!(refused > 100, "{refused} of 2000 were refused");
    }
}
