//! Members that come, go, die, sleep and come back with what they knew, at a coordinator that dies
//! too and cannot always write: at all times one generation has one leader and one assignment, and
//! when the churn ends the group becomes stable.

use super::*;
use crate::base::prng::Prng;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a member is about to do, or waits for.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Phase {
    Begins,
    Joins(Ticket),
    Syncs(Ticket),
    Stable,
}

/// A consumer, as clients have them.
struct Consumer {
    phase: Phase,
    version: i16,
    instance: Option<Str>,
    member_id: Str,
    generation: i32,
    /// What it told the others last; it changes its mind now and then.
    metadata: String,
    assignment: Bytes,
    /// How many turns it sends nothing; then it goes on as if nothing had happened.
    sleeps: u64,
}

/// A group under churn.
struct Churn {
    harness: Harness,
    prng: Prng,
    consumers: Vec<Consumer>,
    /// How often the coordinator has died: generations may be used again after that.
    lives: u32,
    named: u32,
    /// Of each generation: who leads it, and what all its assignments begin with.
    leaders: BTreeMap<(u32, i32), Str>,
    assigned: BTreeMap<(u32, i32), String>,
}

impl Churn {
    fn new(seed: u64) -> Churn {
        Churn {
            harness: Harness::new(&["group.initial.rebalance.delay.ms=300"]),
            prng: Prng::new(seed),
            consumers: Vec::new(),
            lives: 0,
            named: 0,
            leaders: BTreeMap::new(),
            assigned: BTreeMap::new(),
        }
    }

    fn come(&mut self) {
        self.named += 1;
        let is_static = self.prng.one_in(3);
        let is_new = is_static || self.prng.one_in(2);
        self.consumers.push(Consumer {
            phase: Phase::Begins,
            version: if is_new { 9 } else { 3 },
            instance: is_static.then(|| Str::from(format!("static-{}", self.named))),
            member_id: Str::EMPTY,
            generation: -1,
            metadata: "m".to_owned(),
            assignment: Bytes::new(),
            sleeps: 0,
        });
    }

    /// Something happens to one member, or to the coordinator.
    fn disturb(&mut self) {
        let count = self.consumers.len();
        if count < 3 {
            self.come();
            return;
        }
        let index = self.prng.index(count);
        match self.prng.below(12) {
            0..4 if count < 20 => self.come(),
            4 => {
                // It dies.
                self.consumers.swap_remove(index);
            }
            5 => {
                let consumer = self.consumers.swap_remove(index);
                self.leave(&consumer);
            }
            6 => self.consumers[index].sleeps = self.prng.below(30),
            7 => {
                // It starts anew: a static member is known by its name alone.
                let consumer = &mut self.consumers[index];
                consumer.member_id = Str::EMPTY;
                consumer.generation = -1;
                consumer.phase = Phase::Begins;
            }
            8 => {
                let consumer = &mut self.consumers[index];
                consumer.metadata = format!("m{}", self.prng.below(1000));
                consumer.phase = Phase::Begins;
            }
            9 if self.prng.one_in(3) => self.restart(),
            10 => self.harness.writes_fail = self.prng.one_in(3),
            11 if self.consumers[index].phase == Phase::Stable => {
                // It goes on with what it knew long ago.
                let consumer = &mut self.consumers[index];
                consumer.generation = consumer.generation.min(1);
            }
            _ => {}
        }
    }

    fn restart(&mut self) {
        if self.prng.one_in(2) {
            let is_late = self.prng.one_in(2);
            self.harness.compact(is_late);
        }
        self.harness.restart();
        self.lives += 1;
        for consumer in &mut self.consumers {
            // The connections are gone: who waited asks again.
            match consumer.phase {
                Phase::Joins(_) | Phase::Syncs(_) => consumer.phase = Phase::Begins,
                Phase::Begins | Phase::Stable => {}
            }
        }
    }

    fn leave(&mut self, consumer: &Consumer) {
        let instance = consumer.instance.as_ref().map(Str::as_str);
        leave(&mut self.harness, 5, &[(&consumer.member_id, instance)]);
    }

    /// One member does its next thing.
    fn step(&mut self, index: usize) {
        let consumer = &mut self.consumers[index];
        if consumer.sleeps > 0 {
            consumer.sleeps -= 1;
            return;
        }
        match consumer.phase {
            Phase::Begins => {
                let mut join = join().version(consumer.version);
                join.request.member_id = consumer.member_id.clone();
                join.request.group_instance_id = consumer.instance.clone();
                join.request.protocols = vec![protocol("range", &consumer.metadata)];
                join.request.rebalance_timeout_ms = 20_000;
                consumer.phase = Phase::Joins(join.ask(&mut self.harness));
            }
            Phase::Joins(ticket) => match self.harness.answer(ticket) {
                Some(GroupReply::JoinGroup(response)) => self.joined(index, response),
                Some(other) => panic!("{other:?}"),
                None => {}
            },
            Phase::Syncs(ticket) => match self.harness.answer(ticket) {
                Some(GroupReply::SyncGroup(response)) => self.synced(index, &response),
                Some(other) => panic!("{other:?}"),
                None => {}
            },
            Phase::Stable => {
                let instance = consumer.instance.as_ref().map(Str::as_str);
                let generation = consumer.generation;
                let error =
                    heartbeat_of(&mut self.harness, &consumer.member_id, generation, instance);
                if error != ErrorCode::NONE {
                    self.refused(index, error);
                }
            }
        }
    }

    fn joined(&mut self, index: usize, response: JoinGroupResponse) {
        let consumer = &mut self.consumers[index];
        let error = ErrorCode(response.error_code);
        if error == ErrorCode::NONE || error == ErrorCode::MEMBER_ID_REQUIRED {
            consumer.member_id = response.member_id.clone();
        }
        if error != ErrorCode::NONE {
            self.refused(index, error);
            return;
        }
        consumer.generation = response.generation_id;
        let leads = response.leader == response.member_id;
        let generation = (self.lives, response.generation_id);
        let mut assignments = Vec::new();
        if leads && !response.skip_assignment {
            assert!(!response.members.is_empty(), "a leader knows its members");
            for member in &response.members {
                let (leader, member_id) = (&response.leader, &member.member_id);
                let text = format!("{generation:?} {leader} {member_id}");
                assignments.push(SyncGroupRequestAssignment {
                    member_id: member.member_id.clone(),
                    assignment: Bytes::from(text),
                    ..SyncGroupRequestAssignment::default()
                });
            }
            let known = self.leaders.entry(generation);
            let known = known.or_insert_with(|| response.leader.clone());
            let leader = &response.leader;
            assert_eq!(known, leader, "two lead generation {generation:?}");
        }
        let request = SyncGroupRequest {
            group_id: "g".into(),
            generation_id: response.generation_id,
            member_id: response.member_id,
            group_instance_id: consumer.instance.clone(),
            protocol_type: response.protocol_type,
            protocol_name: response.protocol_name,
            assignments,
            ..SyncGroupRequest::default()
        };
        let command = GroupCommand::SyncGroup(asked(5), request);
        consumer.phase = Phase::Syncs(self.harness.ask(command));
    }

    fn synced(&mut self, index: usize, response: &SyncGroupResponse) {
        let error = ErrorCode(response.error_code);
        if error != ErrorCode::NONE {
            self.refused(index, error);
            return;
        }
        let consumer = &mut self.consumers[index];
        consumer.phase = Phase::Stable;
        consumer.assignment = response.assignment.clone();
        if response.assignment.is_empty() {
            return;
        }
        let text = text_of(&response.assignment);
        let (prefix, _) = text.rsplit_once(' ').expect("generation, leader, member");
        let generation = (self.lives, consumer.generation);
        let known = self.assigned.entry(generation);
        let known = known.or_insert_with(|| prefix.to_owned());
        assert_eq!(known, prefix, "two assignments of {generation:?}");
    }

    /// As clients do: all of these mean to join again, some without the id.
    fn refused(&mut self, index: usize, error: ErrorCode) {
        let consumer = &mut self.consumers[index];
        consumer.phase = Phase::Begins;
        let goes_on = [
            ErrorCode::MEMBER_ID_REQUIRED,
            ErrorCode::REBALANCE_IN_PROGRESS,
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            ErrorCode::ILLEGAL_GENERATION,
        ];
        let forgets = [ErrorCode::UNKNOWN_MEMBER_ID, ErrorCode::FENCED_INSTANCE_ID];
        if forgets.contains(&error) {
            consumer.member_id = Str::EMPTY;
        } else {
            assert!(goes_on.contains(&error), "{error:?} is no answer to this");
        }
    }

    fn turn(&mut self) {
        for index in 0..self.consumers.len() {
            if !self.prng.one_in(4) {
                self.step(index);
            }
        }
        let passed = self.prng.below(700);
        self.harness.advance_ms(passed);
    }

    fn is_stable(&self) -> bool {
        let generation = self.consumers.first().map(|consumer| consumer.generation);
        self.consumers.iter().all(|consumer| {
            consumer.phase == Phase::Stable
                && Some(consumer.generation) == generation
                && !consumer.assignment.is_empty()
                && consumer.sleeps == 0
        })
    }
}

fn text_of(assignment: &Bytes) -> &str {
    std::str::from_utf8(assignment).expect("the leader's text")
}

fn churn(seed: u64) {
    let mut churn = Churn::new(seed);
    for _ in 0..300 {
        churn.turn();
        if churn.prng.one_in(2) {
            churn.disturb();
        }
    }
    churn.harness.writes_fail = false;
    // Sessions of 10 s, a rebalance of 20 s, its sync of 20 s, some of them one after another.
    let end = churn.harness.now.instant + Duration::from_secs(120);
    let mut stable_turns = 0;
    while churn.harness.now.instant < end && stable_turns <= 40 {
        churn.turn();
        stable_turns = match churn.is_stable() {
            true => stable_turns + 1,
            false => 0,
        };
    }
    assert!(
        stable_turns > 40,
        "seed {seed}: the group does not become stable"
    );
    // All have what the one leader gave them, in its name.
    for consumer in &churn.consumers {
        let text = text_of(&consumer.assignment);
        let is_own = text.ends_with(consumer.member_id.as_str());
        assert!(is_own || consumer.instance.is_some(), "seed {seed}: {text}");
    }
    let waiting = churn.harness.waiting();
    assert_eq!(waiting, 0, "seed {seed}: a request without an answer");
    // And nobody is left when all are silent.
    churn.consumers.clear();
    churn.harness.advance_ms(60_000);
    assert_eq!(state(&churn.harness), State::Empty);
}

#[test]
fn a_group_survives_churn() {
    for seed in 0..200 {
        churn(seed);
    }
}
