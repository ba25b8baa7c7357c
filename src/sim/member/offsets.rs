//! What a member commits, and what it reads of what was committed: both are judged.

use super::{Asked, GROUP, Member, Stage, Way};
use crate::base::uuid::Uuid;
use crate::protocol::ErrorCode;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use crate::protocol::string::Str;
use crate::sim::ledger::Place;
use crate::sim::link::{Reply, any_version};
use crate::sim::world::Scene;

/// OffsetFetch has a list of groups since this version; names until the other.
const GROUPS_SINCE: i16 = 8;
const FETCH_NAMES_UNTIL: i16 = 9;
const COMMIT_NAMES_UNTIL: i16 = 9;
/// OffsetCommit of a consumer group's member.
const COMMIT_EPOCHS_SINCE: i16 = 9;

impl Member {
    pub(super) fn commit(&mut self, scene: &mut Scene<'_>, place: Place) {
        let lowest = match self.way {
            Way::Classic => 2,
            Way::Consumer => COMMIT_EPOCHS_SINCE,
        };
        let version = any_version::<OffsetCommitRequest>(scene.prng, lowest);
        let offset = scene.group.next_commit(place);
        let request = OffsetCommitRequest {
            group_id: GROUP.into(),
            generation_id_or_member_epoch: self.epoch,
            member_id: self.member_id.clone(),
            topics: vec![OffsetCommitRequestTopic {
                name: self.name_of(scene, place, version <= COMMIT_NAMES_UNTIL),
                topic_id: self.id_of(place, version > COMMIT_NAMES_UNTIL),
                partitions: vec![OffsetCommitRequestPartition {
                    partition_index: place.partition,
                    committed_offset: offset,
                    committed_metadata: Some(Str::EMPTY),
                    ..OffsetCommitRequestPartition::default()
                }],
                ..OffsetCommitRequestTopic::default()
            }],
            ..OffsetCommitRequest::default()
        };
        self.asked = Asked::Commit {
            place,
            offset,
            generation: self.epoch,
            newest: scene.group.newest_generation(),
        };
        self.stage = Stage::Waiting;
        self.link.request(scene, version, 0, &request);
    }

    fn name_of(&self, scene: &Scene<'_>, place: Place, is_wanted: bool) -> Str {
        if is_wanted {
            scene.topics[place.topic].name.as_str().into()
        } else {
            Str::EMPTY
        }
    }

    fn id_of(&self, place: Place, is_wanted: bool) -> Uuid {
        if is_wanted {
            self.topic_ids[place.topic]
        } else {
            Uuid::default()
        }
    }

    pub(super) fn ask_offsets(&mut self, scene: &mut Scene<'_>) {
        let version = any_version::<OffsetFetchRequest>(scene.prng, GROUPS_SINCE);
        let topics = scene.topics.iter().enumerate().map(|(topic, spec)| {
            let place = Place {
                topic,
                partition: 0,
            };
            OffsetFetchRequestTopics {
                name: self.name_of(scene, place, version <= FETCH_NAMES_UNTIL),
                topic_id: self.id_of(place, version > FETCH_NAMES_UNTIL),
                partition_indexes: (0..spec.partitions).collect(),
                ..OffsetFetchRequestTopics::default()
            }
        });
        let request = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: GROUP.into(),
                member_epoch: -1,
                topics: Some(topics.collect()),
                ..OffsetFetchRequestGroup::default()
            }],
            ..OffsetFetchRequest::default()
        };
        let places = scene.places();
        let known = places
            .into_iter()
            .map(|place| (place, scene.group.acked(place)));
        self.asked = Asked::Offsets {
            known: known.collect(),
        };
        self.stage = Stage::Waiting;
        self.link.request(scene, version, 0, &request);
    }

    pub(super) fn on_committed(
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
            scene.group.committed(place, offset);
            return Ok(());
        }
        if scene.may_refuse(error) && error.is_retriable() {
            return Ok(());
        }
        self.on_error(scene, error)
    }

    pub(super) fn on_offsets(
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
}
