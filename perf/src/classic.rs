//! Members of classic groups, each with a connection of its own as consumers have: they join, one of
//! them assigns, they beat, they leave.

use crate::beats::{self, Beats};
use crate::group_wire::{
    self, MEMBER_ID_REQUIRED, NONE, REBALANCE, error_after_throttle, joined, synced,
};
use crate::links::{Links, Reply};
use std::io;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);
/// How often a member that is stable in an old generation asks whether there is a new one, unless it
/// is told otherwise.
const LOOK: Duration = Duration::from_millis(100);

/// The groups and what they share.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Their ids.
    pub groups: Vec<String>,
    /// How many members each has.
    pub members: usize,
    /// By group: the topic that it reads.
    pub topics: Vec<String>,
    /// By group: the first of its partitions, and how many it has.
    pub partitions: Vec<(i32, i32)>,
}

/// All members of the groups of a plan; member m of group g is number g * members + m.
pub struct Members {
    plan: Plan,
    links: Links,
    members: Vec<Member>,
    /// What members say of themselves: another number asks for a rebalance.
    note: i32,
    /// How often they look for a new generation.
    look: Duration,
}

struct Member {
    id: String,
    generation: i32,
    stage: Stage,
    /// How many partitions it was given.
    assigned: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Joining,
    Syncing,
    Stable,
    Beating,
}

/// How long a rebalance took, in seconds since the first JoinGroup.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// Until the first answer that says that a generation began.
    pub gathered_s: f64,
    /// Until everybody knew its partitions.
    pub stable_s: f64,
}

impl Members {
    /// Connections for all members; nobody joins yet.
    pub fn connect(port: u16, plan: Plan) -> io::Result<Members> {
        let count = plan.groups.len() * plan.members;
        let members = (0..count).map(|_| Member {
            id: String::new(),
            generation: -1,
            stage: Stage::Stable,
            assigned: 0,
        });
        Ok(Members {
            links: Links::open(port, count)?,
            members: members.collect(),
            plan,
            note: 0,
            look: LOOK,
        })
    }

    /// Has them look for a new generation so often.
    pub fn look_every(&mut self, interval: Duration) {
        self.look = interval;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// Everybody joins, or joins again because it wants something else, until all are stable and
    /// every partition is given out.
    pub fn join(&mut self) -> io::Result<Settled> {
        self.note += 1;
        let start = Instant::now();
        let mut gathered = None;
        for index in 0..self.members.len() {
            self.send_join(index)?;
        }
        let mut looked = start;
        while !self.is_stable() {
            if start.elapsed() > PATIENCE {
                return Err(io::Error::other("the groups do not become stable"));
            }
            for reply in self.links.replies(self.look)? {
                let began = self.on_reply(&reply)?;
                if began && gathered.is_none() {
                    gathered = Some(start.elapsed());
                }
            }
            if looked.elapsed() >= self.look {
                looked = Instant::now();
                self.look_for_generations()?;
            }
        }
        let stable_s = start.elapsed().as_secs_f64();
        self.check_assignments()?;
        Ok(Settled {
            gathered_s: gathered.unwrap_or_default().as_secs_f64(),
            stable_s,
        })
    }

    fn send_join(&mut self, index: usize) -> io::Result<()> {
        let group = index / self.plan.members;
        let member = &mut self.members[index];
        member.stage = Stage::Joining;
        let (id, topic) = (&self.plan.groups[group], &self.plan.topics[group]);
        let frame = group_wire::join_group(id, &member.id, topic, self.note);
        self.links.send(index, &frame)
    }

    /// Whether everybody knows its partitions: each group is in one generation.
    fn is_stable(&self) -> bool {
        // From the back: the last are the last to become it.
        self.members
            .iter()
            .rev()
            .all(|member| member.stage == Stage::Stable)
            && self.newest_generations().is_none()
    }

    /// By group its newest generation, where some member is in an older one.
    fn newest_generations(&self) -> Option<Vec<i32>> {
        let newest: Vec<i32> = self
            .members
            .chunks(self.plan.members)
            .map(|group| {
                group
                    .iter()
                    .map(|member| member.generation)
                    .max()
                    .unwrap_or(-1)
            })
            .collect();
        let is_old = self
            .members
            .chunks(self.plan.members)
            .zip(&newest)
            .any(|(group, newest)| group.iter().any(|member| member.generation < *newest));
        is_old.then_some(newest)
    }

    /// Members that are stable in an old generation ask.
    fn look_for_generations(&mut self) -> io::Result<()> {
        let is_rebalancing: Vec<bool> = self
            .members
            .chunks(self.plan.members)
            .map(|group| group.iter().any(|member| member.stage == Stage::Joining))
            .collect();
        let newest = self.newest_generations();
        for index in 0..self.members.len() {
            let group = index / self.plan.members;
            let member = &self.members[index];
            let is_old = newest
                .as_ref()
                .is_some_and(|newest| member.generation < newest[group]);
            if member.stage == Stage::Stable && (is_old || is_rebalancing[group]) {
                self.beat(index)?;
            }
        }
        Ok(())
    }

    fn heartbeat(&self, index: usize) -> Vec<u8> {
        let group = &self.plan.groups[index / self.plan.members];
        let member = &self.members[index];
        group_wire::heartbeat(group, member.generation, &member.id)
    }

    fn beat(&mut self, index: usize) -> io::Result<()> {
        self.members[index].stage = Stage::Beating;
        let frame = self.heartbeat(index);
        self.links.send(index, &frame)
    }

    /// True where a generation began for the member.
    fn on_reply(&mut self, reply: &Reply) -> io::Result<bool> {
        let index = reply.link;
        let said = |what: &str, error: i16| {
            Err(io::Error::other(format!(
                "{what} was answered with error code {error}"
            )))
        };
        match self.members[index].stage {
            Stage::Joining => {
                let joined = joined(&reply.body)?;
                match joined.error {
                    NONE => {
                        let member = &mut self.members[index];
                        member.id = joined.member_id;
                        member.generation = joined.generation;
                        self.send_sync(index, joined.members)?;
                        return Ok(true);
                    }
                    MEMBER_ID_REQUIRED => {
                        self.members[index].id = joined.member_id;
                        self.send_join(index)?;
                    }
                    REBALANCE => self.send_join(index)?,
                    error => return said("JoinGroup", error),
                }
            }
            Stage::Syncing => match synced(&reply.body)? {
                (NONE, assigned) => {
                    self.members[index].assigned = assigned;
                    self.members[index].stage = Stage::Stable;
                }
                (REBALANCE, _) => self.send_join(index)?,
                (error, _) => return said("SyncGroup", error),
            },
            Stage::Beating => match error_after_throttle(&reply.body)? {
                NONE => self.members[index].stage = Stage::Stable,
                REBALANCE => self.send_join(index)?,
                error => return said("Heartbeat", error),
            },
            Stage::Stable => return Err(io::Error::other("a reply that nobody asked for")),
        }
        Ok(false)
    }

    fn send_sync(&mut self, index: usize, everybody: Vec<String>) -> io::Result<()> {
        let group = index / self.plan.members;
        let (first, count) = self.plan.partitions[group];
        let members = i32::try_from(everybody.len().max(1)).expect("a small group");
        // Each gets as many, the first ones perhaps one more.
        let assignments: Vec<(String, Vec<i32>)> = (0..)
            .zip(everybody)
            .map(|(place, id)| {
                let begin = first + count * place / members;
                let end = first + count * (place + 1) / members;
                (id, (begin..end).collect())
            })
            .collect();
        let member = &mut self.members[index];
        member.stage = Stage::Syncing;
        let frame = group_wire::sync_group(
            &self.plan.groups[group],
            member.generation,
            &member.id,
            &self.plan.topics[group],
            &assignments,
        );
        self.links.send(index, &frame)
    }

    fn check_assignments(&self) -> io::Result<()> {
        for (group, members) in self.members.chunks(self.plan.members).enumerate() {
            let assigned: usize = members.iter().map(|member| member.assigned).sum();
            let (_, count) = self.plan.partitions[group];
            if usize::try_from(count) != Ok(assigned) {
                let id = &self.plan.groups[group];
                return Err(io::Error::other(format!(
                    "group {id} has {assigned} of {count} partitions"
                )));
            }
        }
        Ok(())
    }

    /// Nothing but heartbeats.
    pub fn beat_for(&mut self, duration: Duration, interval: Duration) -> io::Result<Beats> {
        let frames: Vec<Vec<u8>> = (0..self.members.len())
            .map(|index| self.heartbeat(index))
            .collect();
        beats::beat(&mut self.links, &frames, duration, interval)
    }

    /// Everybody goes, group by group.
    pub fn leave(mut self) -> io::Result<()> {
        for group in 0..self.plan.groups.len() {
            let first = group * self.plan.members;
            let members = &self.members[first..first + self.plan.members];
            let ids = members.iter().map(|member| member.id.as_str());
            let frame = group_wire::leave_group(&self.plan.groups[group], ids);
            self.links.send(first, &frame)?;
        }
        let mut open = self.plan.groups.len();
        let start = Instant::now();
        while open > 0 && start.elapsed() < PATIENCE {
            open -= self.links.replies(LOOK)?.len();
        }
        Ok(())
    }
}
