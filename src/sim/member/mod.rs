//! A simulated member of a group, by the classic protocol or by KIP-848's. It joins, is given
//! partitions, commits, and reads what was committed; now and then it leaves, falls silent, or dies
//! and comes back, with what it remembers or without.

mod asks;

use crate::base::time::Instant;
use crate::base::uuid::Uuid;
use crate::protocol::ErrorCode;
use crate::protocol::Message;
use crate::protocol::Reader;
use crate::protocol::consumer_protocol::ConsumerProtocolAssignment;
use crate::protocol::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use crate::protocol::messages::find_coordinator::FindCoordinatorRequest;
use crate::protocol::messages::heartbeat::HeartbeatRequest;
use crate::protocol::messages::join_group::JoinGroupRequest;
use crate::protocol::messages::metadata::MetadataRequest;
use crate::protocol::messages::offset_commit::OffsetCommitRequest;
use crate::protocol::messages::offset_fetch::OffsetFetchRequest;
use crate::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use crate::protocol::string::Str;
use crate::sim::ledger::Place;
use crate::sim::link::{Happened, Link, Reply};
use crate::sim::producer::{ask_metadata, topic_ids};
use crate::sim::world::Scene;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a silent member is kept.
pub const SESSION: Duration = Duration::from_secs(3);
const HEARTBEAT: Duration = Duration::from_millis(500);

/// By which protocol members share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// JoinGroup and SyncGroup.
    Classic,
    /// ConsumerGroupHeartbeat.
    Consumer,
}

/// What a member does falsely, so that a check is seen to fail: a check that cannot proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    /// It takes partitions that it was not given.
    TakesEverything,
    /// It takes more for committed than was.
    CommitsMore,
    /// It has troubles for ever.
    NeverRests,
}

#[derive(Clone, PartialEq, Debug)]
enum Stage {
    /// Asks for the coordinator, which makes the offsets' topic.
    Find,
    Metadata,
    Join,
    /// Classic: with the assignments, where it leads.
    Sync(Vec<SyncGroupRequestAssignment>),
    /// In the group.
    Stable,
    /// An answer is awaited.
    Waiting,
}

enum Asked {
    Nothing,
    Find,
    Join,
    Sync,
    Heartbeat {
        sent_at: Instant,
    },
    Leave,
    Commit {
        place: Place,
        offset: i64,
        generation: i32,
        newest: i32,
    },
    Offsets {
        known: Vec<(Place, i64)>,
    },
}

/// The member.
pub struct Member {
    pub link: Link,
    index: usize,
    way: Way,
    stage: Stage,
    asked: Asked,
    topic_ids: Vec<Uuid>,
    member_id: Str,
    /// Generation, or member epoch.
    epoch: i32,
    owned: BTreeSet<Place>,
    /// Consumer: the next heartbeat says everything again.
    says_all: bool,
    wait_at: Instant,
    heartbeat_at: Instant,
    troubles_left: usize,
    /// In which life of the process it last read committed offsets.
    looked_in: u64,
    lives: u64,
    lie: Option<Lie>,
}

impl Member {
    pub fn new(scene: &mut Scene<'_>, index: usize, way: Way, lie: Option<Lie>) -> Member {
        let mut member = Member {
            lie,
            link: Link::new(format!("member {index}")),
            index,
            way,
            stage: Stage::Find,
            asked: Asked::Nothing,
            topic_ids: Vec::new(),
            member_id: Str::EMPTY,
            epoch: 0,
            owned: BTreeSet::new(),
            says_all: true,
            wait_at: Instant(0) + Duration::from_millis(scene.prng.below(2000)),
            heartbeat_at: Instant(0),
            troubles_left: if lie == Some(Lie::NeverRests) {
                usize::MAX
            } else {
                scene.prng.index(4)
            },
            looked_in: 0,
            lives: 0,
        };
        member.forget(scene);
        member
    }

    /// What it has, where it is in the group and has no trouble before it.
    pub fn settled(&self, scene: &Scene<'_>) -> Option<(i32, &BTreeSet<Place>)> {
        let is_quiet = self.stage == Stage::Stable || matches!(self.asked, Asked::Heartbeat { .. });
        let has_looked = self.looked_in == scene.life;
        (self.troubles_left == 0 && is_quiet && has_looked && self.epoch > 0)
            .then_some((self.epoch, &self.owned))
    }

    /// Whether both share as members of one group do: classic ones in one generation.
    pub fn way(&self) -> Way {
        self.way
    }

    /// A new life: nothing is remembered.
    fn forget(&mut self, scene: &mut Scene<'_>) {
        self.let_go_of_all(scene);
        self.lives += 1;
        self.epoch = 0;
        self.says_all = true;
        self.member_id = match self.way {
            Way::Classic => Str::EMPTY,
            Way::Consumer => Uuid::from_random(scene.prng.next(), scene.prng.next())
                .to_string()
                .into(),
        };
    }

    fn take_what_is_not_its(&mut self, scene: &Scene<'_>) {
        if self.lie == Some(Lie::TakesEverything) {
            self.owned.extend(scene.places());
        }
    }

    fn let_go_of_all(&mut self, scene: &mut Scene<'_>) {
        for place in std::mem::take(&mut self.owned) {
            scene.group.let_go(self.index, place);
        }
    }

    pub fn step(&mut self, scene: &mut Scene<'_>) -> Result<(), String> {
        for happened in self.link.step(scene)? {
            match happened {
                Happened::Connected => {
                    // What was under way has no answer; a lost Join is joined again.
                    self.says_all = true;
                    self.stage = match (&self.asked, &self.stage) {
                        (
                            Asked::Heartbeat { .. } | Asked::Commit { .. } | Asked::Offsets { .. },
                            _,
                        )
                        | (Asked::Nothing, Stage::Stable) => Stage::Stable,
                        _ if self.topic_ids.is_empty() => Stage::Find,
                        _ => Stage::Join,
                    };
                    self.asked = Asked::Nothing;
                }
                Happened::Reply(reply) => self.on_reply(scene, &reply)?,
            }
        }
        if !self.link.is_connected() || scene.now().instant < self.wait_at {
            return Ok(());
        }
        match self.stage.clone() {
            Stage::Waiting => {}
            Stage::Find => self.find(scene),
            Stage::Metadata => {
                self.stage = Stage::Waiting;
                ask_metadata(&mut self.link, scene);
            }
            Stage::Join => match self.way {
                Way::Classic => self.join(scene),
                Way::Consumer => self.heartbeat_of_consumer(scene),
            },
            Stage::Sync(assignments) => self.sync(scene, assignments),
            Stage::Stable => self.live(scene),
        }
        Ok(())
    }

    /// In the group: heartbeats, commits, looks; and troubles of its own.
    fn live(&mut self, scene: &mut Scene<'_>) {
        let now = scene.now().instant;
        if self.troubles_left > 0 && scene.prng.one_in(12) {
            self.troubles_left -= 1;
            self.meet_trouble(scene);
        } else if now >= self.heartbeat_at {
            match self.way {
                Way::Classic => self.heartbeat(scene),
                Way::Consumer => self.heartbeat_of_consumer(scene),
            }
        } else if self.looked_in != scene.life || scene.prng.one_in(6) {
            self.ask_offsets(scene);
        } else if let Some(place) = self.any_owned(scene) {
            self.commit(scene, place);
        }
        let pause = Duration::from_millis(20 + scene.prng.below(200));
        self.wait_at = self.wait_at.max(now + pause);
    }

    fn any_owned(&self, scene: &mut Scene<'_>) -> Option<Place> {
        let count = self.owned.len().max(1);
        self.owned.iter().nth(scene.prng.index(count)).copied()
    }

    fn meet_trouble(&mut self, scene: &mut Scene<'_>) {
        let now = scene.now().instant;
        let name = self.link.name().to_owned();
        match scene.prng.below(5) {
            0 => {
                scene.note(|| format!("{name} leaves"));
                self.leave(scene);
            }
            1 => {
                let pause = Duration::from_millis(scene.prng.below(8000));
                scene.note(|| format!("{name} falls silent for {pause:?}"));
                self.wait_at = now + pause;
            }
            2 => {
                scene.note(|| format!("{name} dies"));
                self.link.drop_connection(scene);
                self.forget(scene);
                self.stage = Stage::Join;
                self.wait_at = now + Duration::from_millis(scene.prng.below(5000));
            }
            3 => {
                scene.note(|| format!("{name} dies, and comes back with what it remembers"));
                self.link.drop_connection(scene);
                self.wait_at = now + Duration::from_millis(scene.prng.below(8000));
            }
            _ => {
                // Its memory is of the past.
                scene.note(|| format!("{name} remembers an old epoch"));
                let back = 1 + i32::try_from(scene.prng.below(3)).expect("few");
                self.epoch = (self.epoch - back).max(1);
            }
        }
    }

    fn on_reply(&mut self, scene: &mut Scene<'_>, reply: &Reply) -> Result<(), String> {
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Nothing => {
                let response = reply.decode::<MetadataRequest>()?;
                match topic_ids(scene.topics, &response) {
                    Some(ids) if ids.iter().all(|id| *id != Uuid::default()) => {
                        self.topic_ids = ids;
                        self.stage = Stage::Join;
                    }
                    Some(_) | None => self.again_later(scene, Stage::Metadata),
                }
                Ok(())
            }
            Asked::Find => {
                let response = reply.decode::<FindCoordinatorRequest>()?;
                let first = response.coordinators.first();
                let error = first.map_or(response.error_code, |found| found.error_code);
                if error == 0 {
                    self.stage = Stage::Metadata;
                    return Ok(());
                }
                self.again_later(scene, Stage::Find);
                self.excuse(ErrorCode::from(error))
            }
            Asked::Join => self.on_joined(scene, reply),
            Asked::Sync => self.on_synced(scene, reply),
            Asked::Heartbeat { sent_at } => match self.way {
                Way::Classic => {
                    let response = reply.decode::<HeartbeatRequest>()?;
                    self.on_error(scene, ErrorCode::from(response.error_code))
                }
                Way::Consumer => self.on_consumer_heartbeat(scene, reply, sent_at),
            },
            Asked::Leave => {
                // Whatever it says: it is gone for us. It comes back as somebody else.
                self.forget(scene);
                self.again_later(scene, Stage::Join);
                Ok(())
            }
            Asked::Commit {
                place,
                offset,
                generation,
                newest,
            } => self.on_committed(scene, reply, place, offset, generation, newest),
            Asked::Offsets { known } => self.on_offsets(scene, reply, &known),
        }
    }

    fn on_joined(&mut self, scene: &mut Scene<'_>, reply: &Reply) -> Result<(), String> {
        let response = reply.decode::<JoinGroupRequest>()?;
        let error = ErrorCode::from(response.error_code);
        if error == ErrorCode::MEMBER_ID_REQUIRED {
            self.member_id = response.member_id.detached();
            self.stage = Stage::Join;
            return Ok(());
        }
        if !error.is_none() {
            return self.on_error(scene, error);
        }
        self.member_id = response.member_id.detached();
        self.epoch = response.generation_id;
        let leads = response.leader == response.member_id;
        if leads && response.members.is_empty() {
            return Err("the leader was told of no members".to_owned());
        }
        let assignments = if leads {
            self.assign(scene, &response.members)
        } else {
            Vec::new()
        };
        self.stage = Stage::Sync(assignments);
        Ok(())
    }

    fn on_synced(&mut self, scene: &mut Scene<'_>, reply: &Reply) -> Result<(), String> {
        let response = reply.decode::<SyncGroupRequest>()?;
        let error = ErrorCode::from(response.error_code);
        if !error.is_none() {
            return self.on_error(scene, error);
        }
        let mut reader = Reader::new(response.assignment.clone());
        let version = reader
            .i16()
            .map_err(|error| format!("an assignment without version: {error:?}"))?;
        let assignment = ConsumerProtocolAssignment::decode(&mut reader, version)
            .map_err(|error| format!("the assignment is not what the leader sent: {error}"))?;
        self.owned.clear();
        for assigned in assignment.assigned_partitions {
            let topic = scene
                .topics
                .iter()
                .position(|topic| *topic.name == *assigned.topic);
            let topic = topic.ok_or("an assignment names an unknown topic")?;
            let partitions = assigned.partitions.into_iter();
            self.owned
                .extend(partitions.map(|partition| Place { topic, partition }));
        }
        self.take_what_is_not_its(scene);
        scene
            .group
            .claim(self.epoch, &self.member_id, &self.owned)?;
        self.stage = Stage::Stable;
        self.heartbeat_at = scene.now().instant + HEARTBEAT;
        Ok(())
    }

    fn on_consumer_heartbeat(
        &mut self,
        scene: &mut Scene<'_>,
        reply: &Reply,
        sent_at: Instant,
    ) -> Result<(), String> {
        let response = reply.decode::<ConsumerGroupHeartbeatRequest>()?;
        let error = ErrorCode::from(response.error_code);
        if !error.is_none() {
            return self.on_error(scene, error);
        }
        self.epoch = response.member_epoch;
        self.stage = Stage::Stable;
        if let Some(assignment) = response.assignment {
            let mut owned = BTreeSet::new();
            for assigned in assignment.topic_partitions {
                let topic = self
                    .topic_ids
                    .iter()
                    .position(|id| *id == assigned.topic_id);
                let topic = topic.ok_or("an assignment names an unknown topic")?;
                let partitions = assigned.partitions.into_iter();
                owned.extend(partitions.map(|partition| Place { topic, partition }));
            }
            for place in self.owned.difference(&owned) {
                scene.group.let_go(self.index, *place);
            }
            if owned != self.owned {
                // What changed is confirmed at once.
                self.heartbeat_at = scene.now().instant;
            }
            self.owned = owned;
        }
        self.take_what_is_not_its(scene);
        let now = scene.now().instant;
        for place in &self.owned {
            scene
                .group
                .hold(now, self.index, *place, sent_at + SESSION)?;
        }
        Ok(())
    }

    fn on_committed(
        &mut self,
        scene: &mut Scene<'_>,
        reply: &Reply,
        place: Place,
        offset: i64,
        generation: i32,
        newest: i32,
    ) -> Result<(), String> {
        let response = reply.decode::<OffsetCommitRequest>()?;
        let partition = response
            .topics
            .first()
            .and_then(|topic| topic.partitions.first());
        let partition = partition.ok_or("OffsetCommit is answered for no partition")?;
        let error = ErrorCode::from(partition.error_code);
        self.stage = Stage::Stable;
        if error.is_none() {
            if self.way == Way::Classic && generation < newest {
                return Err(format!(
                    "a commit of generation {generation} was taken after generation {newest} began"
                ));
            }
            const MORE: i64 = 1 << 40;
            let is_lie = self.lie == Some(Lie::CommitsMore);
            let offset = if is_lie { offset + MORE } else { offset };
            scene.group.committed(place, offset);
            return Ok(());
        }
        if scene.may_refuse(error) && error.is_retriable() {
            return Ok(());
        }
        self.on_error(scene, error)
    }

    fn on_offsets(
        &mut self,
        scene: &mut Scene<'_>,
        reply: &Reply,
        known: &[(Place, i64)],
    ) -> Result<(), String> {
        let response = reply.decode::<OffsetFetchRequest>()?;
        self.stage = Stage::Stable;
        let group = response
            .groups
            .first()
            .ok_or("OffsetFetch is answered for no group")?;
        let error = ErrorCode::from(group.error_code);
        if !error.is_none() {
            return self.excuse(error);
        }
        let mut found = 0;
        for topic in &group.topics {
            let at = scene
                .topics
                .iter()
                .zip(&self.topic_ids)
                .position(|(spec, id)| *spec.name == *topic.name || *id == topic.topic_id);
            let at = at.ok_or("OffsetFetch is answered for an unknown topic")?;
            for partition in &topic.partitions {
                let error = ErrorCode::from(partition.error_code);
                if !error.is_none() {
                    self.excuse(error)?;
                    return Ok(());
                }
                let place = Place {
                    topic: at,
                    partition: partition.partition_index,
                };
                let known = known.iter().find(|(known, _)| *known == place);
                let known = known
                    .ok_or("OffsetFetch is answered for what was not asked")?
                    .1;
                scene
                    .group
                    .fetched(place, partition.committed_offset, known)?;
                found += 1;
            }
        }
        if found == known.len() {
            self.looked_in = scene.life;
        }
        Ok(())
    }

    /// What a member does when it is told that something is not as it thought.
    fn on_error(&mut self, scene: &mut Scene<'_>, error: ErrorCode) -> Result<(), String> {
        let rejoins = [
            ErrorCode::REBALANCE_IN_PROGRESS,
            ErrorCode::ILLEGAL_GENERATION,
        ];
        let begins_anew = [
            ErrorCode::UNKNOWN_MEMBER_ID,
            ErrorCode::FENCED_MEMBER_EPOCH,
            ErrorCode::STALE_MEMBER_EPOCH,
        ];
        if error.is_none() {
            self.stage = Stage::Stable;
            Ok(())
        } else if rejoins.contains(&error) {
            self.again_later(scene, Stage::Join);
            Ok(())
        } else if begins_anew.contains(&error) {
            scene.group.fenced += 1;
            self.forget(scene);
            self.again_later(scene, Stage::Join);
            Ok(())
        } else {
            self.says_all = true;
            let stays = self.way == Way::Consumer && self.epoch > 0;
            let next = if stays || self.stage == Stage::Stable {
                Stage::Stable
            } else {
                Stage::Join
            };
            self.again_later(scene, next);
            self.excuse(error)
        }
    }

    fn again_later(&mut self, scene: &mut Scene<'_>, stage: Stage) {
        self.stage = stage;
        let pause = Duration::from_millis(20 + scene.prng.below(100));
        self.wait_at = scene.now().instant + pause;
    }

    /// While the broker starts, and while its disk is in trouble, there is no coordinator.
    fn excuse(&self, error: ErrorCode) -> Result<(), String> {
        let is_away = [
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            ErrorCode::NOT_COORDINATOR,
        ];
        if is_away.contains(&error) {
            Ok(())
        } else {
            Err(format!("{} was refused with {error:?}", self.link.name()))
        }
    }
}
