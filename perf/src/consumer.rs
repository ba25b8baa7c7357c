//! Members of one consumer group (KIP-848), each with a connection of its own. They do as the
//! protocol says: what they are given they have, what they are not given any more they give back;
//! where that changes what they have, they say so at once; else they come again after the interval
//! that they were told.

use crate::group_wire::{self, Beat, NONE, Partition, beaten};
use crate::links::{Links, Reply};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(20);

/// The members of a group.
pub struct Members {
    group: String,
    topics: Vec<String>,
    partitions: usize,
    links: Links,
    members: Vec<Member>,
    /// Who comes again when.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
}

struct Member {
    id: String,
    epoch: i32,
    owned: Vec<Partition>,
    /// A heartbeat is under way.
    is_asking: bool,
    /// One that says what it has.
    is_telling: bool,
}

/// What a join to stable took.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// From the first heartbeat to the answer that made everybody stable.
    pub stable_s: f64,
    /// Heartbeats that were answered.
    pub heartbeats: u64,
}

impl Members {
    /// Connections for all members; nobody joins yet.
    pub fn connect(
        port: u16,
        group: &str,
        count: usize,
        topics: &[String],
        partitions: usize,
    ) -> io::Result<Members> {
        let members = (0..count).map(|index| Member {
            id: format!("{group}-member-{index:05}"),
            epoch: 0,
            owned: Vec::new(),
            is_asking: false,
            is_telling: false,
        });
        Ok(Members {
            group: group.to_owned(),
            topics: topics.to_vec(),
            partitions,
            links: Links::open(port, count)?,
            members: members.collect(),
            due: BinaryHeap::new(),
        })
    }

    /// Everybody joins, until all are in one epoch and every partition has its owner.
    pub fn join(&mut self) -> io::Result<Settled> {
        let start = Instant::now();
        for index in 0..self.members.len() {
            let member = &mut self.members[index];
            member.is_asking = true;
            let frame = group_wire::consumer_heartbeat(&Beat {
                group: &self.group,
                member_id: &member.id,
                epoch: 0,
                topics: Some(&self.topics),
                owned: Some(&[]),
            });
            self.links.send(index, &frame)?;
        }
        let mut heartbeats = 0;
        let mut stable = None;
        while stable.is_none() {
            if start.elapsed() > PATIENCE {
                return Err(io::Error::other("the group does not become stable"));
            }
            let now = Instant::now();
            while let Some(Reverse((at, index))) = self.due.peek().copied()
                && at <= now
            {
                self.due.pop();
                self.say(index, false)?;
            }
            let next = self.due.peek().map_or(LOOK, |Reverse((at, _))| {
                at.saturating_duration_since(now).min(LOOK)
            });
            let replies = self.links.replies(next)?;
            for reply in &replies {
                heartbeats += 1;
                self.on_reply(reply)?;
            }
            if !replies.is_empty() && self.is_stable() {
                stable = Some(start.elapsed());
            }
        }
        self.check_owners()?;
        Ok(Settled {
            stable_s: stable.unwrap_or_default().as_secs_f64(),
            heartbeats,
        })
    }

    fn say(&mut self, index: usize, has_changed: bool) -> io::Result<()> {
        let member = &mut self.members[index];
        member.is_asking = true;
        member.is_telling = has_changed;
        let frame = group_wire::consumer_heartbeat(&Beat {
            group: &self.group,
            member_id: &member.id,
            epoch: member.epoch,
            topics: None,
            owned: has_changed.then_some(member.owned.as_slice()),
        });
        self.links.send(index, &frame)
    }

    fn on_reply(&mut self, reply: &Reply) -> io::Result<()> {
        let index = reply.link;
        let beaten = beaten(&reply.body)?;
        let member = &mut self.members[index];
        member.is_asking = false;
        member.is_telling = false;
        if beaten.error != NONE {
            return Err(io::Error::other(format!(
                "a heartbeat was answered with error code {}: {}",
                beaten.error, beaten.message
            )));
        }
        member.epoch = beaten.epoch;
        match beaten.assignment {
            Some(assignment) if assignment != member.owned => {
                member.owned = assignment;
                self.say(index, true)
            }
            Some(_) | None => {
                self.due
                    .push(Reverse((Instant::now() + beaten.interval, index)));
                Ok(())
            }
        }
    }

    /// Whether all are in one epoch, each has its share, and none has still to say so.
    fn is_stable(&self) -> bool {
        let epoch = self.members.first().map_or(0, |member| member.epoch);
        let share = self.partitions / self.members.len();
        let all = &self.members;
        all.iter()
            .all(|one| one.epoch == epoch && one.owned.len() >= share && !one.is_telling)
            && all.iter().map(|one| one.owned.len()).sum::<usize>() == self.partitions
    }

    fn check_owners(&self) -> io::Result<()> {
        let mut all: Vec<Partition> = self
            .members
            .iter()
            .flat_map(|member| member.owned.iter().copied())
            .collect();
        all.sort_unstable();
        all.dedup();
        if all.len() == self.partitions {
            Ok(())
        } else {
            Err(io::Error::other("a partition has two owners"))
        }
    }

    /// Everybody goes.
    pub fn leave(mut self) -> io::Result<()> {
        self.gather()?;
        for index in 0..self.members.len() {
            let member = &mut self.members[index];
            member.is_asking = true;
            let frame = group_wire::consumer_heartbeat(&Beat {
                group: &self.group,
                member_id: &member.id,
                epoch: -1,
                topics: None,
                owned: None,
            });
            self.links.send(index, &frame)?;
        }
        self.gather()
    }

    /// Waits for all answers that are under way.
    fn gather(&mut self) -> io::Result<()> {
        let start = Instant::now();
        while self.members.iter().any(|member| member.is_asking) && start.elapsed() < PATIENCE {
            for reply in self.links.replies(LOOK)? {
                self.members[reply.link].is_asking = false;
            }
        }
        Ok(())
    }
}
