//! A simulated operator: makes the topics of the workload, then makes, deletes and looks for
//! topics of its own. What it was told must still hold after every kill.

use super::link::{Happened, Link, Reply, any_version};
use super::world::Scene;
use crate::base::time::Instant;
use crate::protocol::ErrorCode;
use crate::protocol::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use crate::protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use crate::protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use std::time::Duration;

/// First version of DeleteTopics that takes ids.
const IDS_SINCE: i16 = 6;
/// Topics that come and go.
const SCRATCH_TOPICS: usize = 2;

/// Times that Metadata may lag behind an acknowledged change: its core may not have replayed it yet.
const LAGS_MAX: usize = 20;

/// What is known of a topic that comes and goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    There,
    Gone,
}

/// A topic that comes and goes. Where an answer is lost its name is given up: the request may
/// still be carried out, late, over the connection that is no more.
#[derive(Clone, Copy, Debug)]
struct Scratch {
    known: Known,
    name: u64,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Nothing,
    CreateAll,
    Create(usize),
    Delete(usize),
    Look,
}

/// The operator.
pub struct Admin {
    pub link: Link,
    is_set_up: bool,
    scratch: [Scratch; SCRATCH_TOPICS],
    next_name: u64,
    lags: usize,
    asked: Asked,
    operations_left: usize,
    wait_at: Instant,
    /// Topics made or deleted.
    pub changes: u64,
}

impl Admin {
    pub fn new(operations: usize) -> Admin {
        Admin {
            link: Link::new("admin".to_owned()),
            is_set_up: false,
            scratch: [0, 1].map(|name| Scratch {
                known: Known::Gone,
                name,
            }),
            next_name: 2,
            lags: 0,
            asked: Asked::Nothing,
            operations_left: operations,
            wait_at: Instant(0),
            changes: 0,
        }
    }

    /// All operations were carried out.
    pub fn is_done(&self) -> bool {
        self.is_set_up && self.operations_left == 0 && matches!(self.asked, Asked::Nothing)
    }

    pub fn step(&mut self, scene: &mut Scene<'_>) -> Result<(), String> {
        for happened in self.link.step(scene)? {
            match happened {
                Happened::Connected => self.lose(),
                Happened::Reply(reply) => self.on_reply(scene, &reply)?,
            }
        }
        if !self.link.is_connected() {
            self.lose();
        }
        let is_free = matches!(self.asked, Asked::Nothing) && self.link.is_connected();
        if is_free && scene.now().instant >= self.wait_at {
            self.ask(scene);
        }
        Ok(())
    }

    /// The answer will never come: what was asked may have been done.
    fn lose(&mut self) {
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Create(topic) | Asked::Delete(topic) => self.give_up(topic),
            Asked::Nothing | Asked::CreateAll | Asked::Look => {}
        }
    }

    fn give_up(&mut self, topic: usize) {
        self.scratch[topic] = Scratch {
            known: Known::Gone,
            name: self.next_name,
        };
        self.next_name += 1;
    }

    fn name(&self, topic: usize) -> String {
        format!("scratch-{}", self.scratch[topic].name)
    }

    fn ask(&mut self, scene: &mut Scene<'_>) {
        if !self.is_set_up {
            let topics = scene.topics.iter().map(|topic| CreatableTopic {
                name: topic.name.as_str().into(),
                num_partitions: topic.partitions,
                replication_factor: 1,
                configs: topic
                    .configs
                    .iter()
                    .map(|(name, value)| CreatableTopicConfig {
                        name: (*name).into(),
                        value: Some(value.as_str().into()),
                        ..CreatableTopicConfig::default()
                    })
                    .collect(),
                ..CreatableTopic::default()
            });
            let topics = topics.collect();
            self.asked = Asked::CreateAll;
            return self.create(scene, topics);
        }
        if self.operations_left == 0 {
            return;
        }
        self.operations_left -= 1;
        let topic = scene.prng.index(SCRATCH_TOPICS);
        let operation = if self.lags > 0 {
            2
        } else {
            scene.prng.below(3)
        };
        match operation {
            0 => {
                self.asked = Asked::Create(topic);
                let partitions = 1 + i32::try_from(scene.prng.below(3)).expect("few");
                let topic = CreatableTopic {
                    name: self.name(topic).as_str().into(),
                    num_partitions: partitions,
                    replication_factor: 1,
                    ..CreatableTopic::default()
                };
                self.create(scene, vec![topic]);
            }
            1 => {
                self.asked = Asked::Delete(topic);
                let version = any_version::<DeleteTopicsRequest>(scene.prng, 0);
                let name = self.name(topic);
                let mut request = DeleteTopicsRequest {
                    timeout_ms: 30_000,
                    ..DeleteTopicsRequest::default()
                };
                if version >= IDS_SINCE {
                    request.topics.push(DeleteTopicState {
                        name: Some(name.as_str().into()),
                        ..DeleteTopicState::default()
                    });
                } else {
                    request.topic_names.push(name.as_str().into());
                }
                self.link.request(scene, version, 0, &request);
            }
            _ => {
                self.asked = Asked::Look;
                let version = any_version::<MetadataRequest>(scene.prng, 4);
                let names = (0..SCRATCH_TOPICS).map(|topic| MetadataRequestTopic {
                    name: Some(self.name(topic).as_str().into()),
                    ..MetadataRequestTopic::default()
                });
                let request = MetadataRequest {
                    topics: Some(names.collect()),
                    allow_auto_topic_creation: false,
                    ..MetadataRequest::default()
                };
                self.link.request(scene, version, 0, &request);
            }
        }
    }

    fn create(&mut self, scene: &mut Scene<'_>, topics: Vec<CreatableTopic>) {
        let version = any_version::<CreateTopicsRequest>(scene.prng, 0);
        let request = CreateTopicsRequest {
            topics,
            timeout_ms: 30_000,
            ..CreateTopicsRequest::default()
        };
        self.link.request(scene, version, 0, &request);
    }

    fn on_reply(&mut self, scene: &mut Scene<'_>, reply: &Reply) -> Result<(), String> {
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Nothing => Err("the operator got an answer to nothing".to_owned()),
            Asked::CreateAll => {
                let response = reply.decode::<CreateTopicsRequest>()?;
                self.is_set_up = response.topics.len() == scene.topics.len();
                for topic in &response.topics {
                    let error = ErrorCode::from(topic.error_code);
                    let is_there = error.is_none() || error == ErrorCode::TOPIC_ALREADY_EXISTS;
                    self.is_set_up &= is_there;
                    if !is_there {
                        self.refused(scene, error, "CreateTopics")?;
                    }
                }
                Ok(())
            }
            Asked::Create(index) => {
                let response = reply.decode::<CreateTopicsRequest>()?;
                let topic = response.topics.first().ok_or("no topic was answered")?;
                let error = ErrorCode::from(topic.error_code);
                self.changed(scene, index, error, Known::There)
            }
            Asked::Delete(index) => {
                let response = reply.decode::<DeleteTopicsRequest>()?;
                let topic = response.responses.first().ok_or("no topic was answered")?;
                let error = ErrorCode::from(topic.error_code);
                self.changed(scene, index, error, Known::Gone)
            }
            Asked::Look => {
                let response = reply.decode::<MetadataRequest>()?;
                for index in 0..SCRATCH_TOPICS {
                    let name = self.name(index);
                    let found = response
                        .topics
                        .iter()
                        .find(|topic| topic.name.as_deref() == Some(name.as_str()))
                        .ok_or_else(|| format!("Metadata says nothing of {name}"))?;
                    let error = ErrorCode::from(found.error_code);
                    let seen = if error == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
                        Known::Gone
                    } else {
                        Known::There
                    };
                    if let Err(what) = self.compare(index, seen, "Metadata") {
                        self.lags += 1;
                        self.operations_left += 1;
                        self.wait_at = scene.now().instant + Duration::from_millis(10);
                        return if self.lags > LAGS_MAX {
                            Err(what)
                        } else {
                            Ok(())
                        };
                    }
                }
                self.lags = 0;
                Ok(())
            }
        }
    }

    fn changed(
        &mut self,
        scene: &mut Scene<'_>,
        index: usize,
        error: ErrorCode,
        wanted: Known,
    ) -> Result<(), String> {
        scene.note(|| format!("{} becomes {wanted:?}: {error:?}", self.name(index)));
        if error.is_none() {
            // It was done, so before it the topic was not yet so.
            let before = if wanted == Known::There {
                Known::Gone
            } else {
                Known::There
            };
            self.compare(index, before, "the answer")?;
            self.scratch[index].known = wanted;
            self.changes += 1;
            return Ok(());
        }
        if error == ErrorCode::TOPIC_ALREADY_EXISTS
            || error == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        {
            return self.compare(index, wanted, "the answer");
        }
        self.give_up(index);
        self.refused(scene, error, "a change")
    }

    /// What is seen must be what is known.
    fn compare(&self, index: usize, seen: Known, who: &str) -> Result<(), String> {
        let known = self.scratch[index].known;
        if known == seen {
            return Ok(());
        }
        Err(format!(
            "{} is {known:?} by an acknowledged change, and {who} says that it is {seen:?}",
            self.name(index)
        ))
    }

    fn refused(
        &mut self,
        scene: &mut Scene<'_>,
        error: ErrorCode,
        what: &str,
    ) -> Result<(), String> {
        self.wait_at = scene.now().instant + Duration::from_millis(10);
        if scene.may_refuse(error) {
            Ok(())
        } else {
            Err(format!("{what} was refused with {error:?}"))
        }
    }
}
