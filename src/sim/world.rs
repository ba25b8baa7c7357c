//! One run: the process, its clients, and what goes wrong, from one seed.

mod faults;
mod report;

use super::admin::Admin;
use super::consumer::Consumer;
use super::group_ledger::GroupLedger;
use super::ledger::{Ledger, Place};
use super::member::{Lie, Member, SESSION, Way};
use super::producer::Producer;
use crate::base::prng::Prng;
use crate::base::time::{Instant, Now};
use crate::config::Configuration;
use crate::log::clean_shutdown;
use crate::protocol::ErrorCode;
use crate::runtime::disk::Disk;
use crate::runtime::simulated::drive::Simulation;
use crate::shard::{Shard, Start};
use faults::Weather;
pub use report::{Failure, Report};
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What the broker is told; small, so that all that is regular happens in a short life.
const SETTINGS: &[&str] = &[
    "log.dirs=/data",
    "listeners=PLAINTEXT://127.0.0.1:9092",
    "auto.create.topics.enable=false",
    "replica.high.watermark.checkpoint.interval.ms=300",
    "log.flush.offset.checkpoint.interval.ms=700",
    "log.flush.start.offset.checkpoint.interval.ms=700",
    "log.initial.task.delay.ms=500",
    "log.retention.check.interval.ms=900",
    "metadata.log.max.record.bytes.between.snapshots=2000",
    "offsets.topic.num.partitions=3",
    "offsets.topic.replication.factor=1",
    "group.initial.rebalance.delay.ms=50",
    "group.min.session.timeout.ms=500",
    "group.consumer.min.session.timeout.ms=500",
    "group.consumer.min.heartbeat.interval.ms=100",
    "group.consumer.heartbeat.interval.ms=500",
];
/// Members of a group's run.
const MEMBERS_MIN: u64 = 3;
const MEMBERS_MAX: u64 = 50;
/// Steps that a run may take for each client beyond the usual six.
const STEPS_PER_MEMBER: u64 = 60_000;
/// Steps that a run may take; more means that somebody turns without end.
const STEPS_MAX: u64 = 400_000;
/// Time that everybody has to finish once nothing goes wrong any more.
const CALM_MAX: Duration = Duration::from_secs(120);
/// Notes kept for a failure's report.
const NOTES_MAX: usize = 60;

/// A topic of the workload.
pub struct Topic {
    pub name: String,
    pub partitions: i32,
    pub configs: Vec<(&'static str, String)>,
}

/// What a client's step may see and touch.
pub struct Scene<'a> {
    pub simulation: &'a mut Simulation<Shard>,
    pub prng: &'a mut Prng,
    pub ledger: &'a mut Ledger,
    pub group: &'a mut GroupLedger,
    pub topics: &'a [Topic],
    notes: &'a mut VecDeque<String>,
    weather: Weather,
    /// How many times the process was started.
    pub life: u64,
}

impl Scene<'_> {
    pub fn now(&self) -> Now {
        self.simulation.now()
    }

    /// All partitions of the workload.
    pub fn places(&self) -> Vec<Place> {
        let topics = self.topics.iter().enumerate();
        topics
            .flat_map(|(topic, spec)| {
                (0..spec.partitions).map(move |partition| Place { topic, partition })
            })
            .collect()
    }

    /// Remembers a line for the report of a failure.
    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if self.notes.len() == NOTES_MAX {
            self.notes.pop_front();
        }
        let at = Duration::from_nanos(self.simulation.now().instant.0);
        self.notes.push_back(format!("{at:?} {}", line()));
    }

    /// Whether a good request may be answered with this error now.
    pub fn may_refuse(&self, error: ErrorCode) -> bool {
        // InitProducerId says it where the record of a block of ids could not be written.
        let is_storage = error == ErrorCode::KAFKA_STORAGE_ERROR
            || error == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
        // A shard that has not yet replayed what another has told of: it will in a moment.
        let is_young = error == ErrorCode::NOT_LEADER_OR_FOLLOWER
            || error == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
            || error == ErrorCode::UNKNOWN_TOPIC_ID
            || error == ErrorCode::LEADER_NOT_AVAILABLE;
        let is_rough = self.weather.is_rough || self.now().instant < self.weather.rough_until;
        is_young || is_storage && is_rough
    }
}

enum Process {
    Down { start_at: Instant },
    Up,
    Stopping { since: Instant },
}

struct World {
    simulation: Simulation<Shard>,
    prng: Prng,
    ledger: Ledger,
    group: GroupLedger,
    topics: Vec<Topic>,
    notes: VecDeque<String>,
    weather: Weather,
    process: Process,
    admin: Admin,
    producers: Vec<Producer>,
    consumers: Vec<Consumer>,
    members: Vec<Member>,
    report: Report,
    faults_left: usize,
    next_fault: u64,
    /// When the present fault passes, in steps.
    fault_ends: Option<u64>,
    iterations: u64,
    calm_since: Option<Instant>,
    /// The last life began: what is read in it was recovered.
    has_last_life: bool,
}

/// Runs one seed.
///
/// # Errors
/// The promise that was broken.
pub fn run(seed: u64) -> Result<Report, Failure> {
    finish(seed, World::new(seed, None, None))
}

/// Runs one seed of a group's life: 3 to 50 members that come and go, while the broker does too.
///
/// # Errors
/// The promise that was broken.
pub fn run_group(seed: u64, way: Way) -> Result<Report, Failure> {
    finish(seed, World::new(seed, Some(way), None))
}

/// The same with one member that does not do as it is told: the seed should fail.
///
/// # Errors
/// The promise that the lie breaks.
pub fn run_group_with_a_lie(seed: u64, way: Way, lie: Lie) -> Result<Report, Failure> {
    finish(seed, World::new(seed, Some(way), Some(lie)))
}

fn finish(seed: u64, mut world: World) -> Result<Report, Failure> {
    match world.live() {
        Ok(()) => {
            world.report.trace = world.simulation.trace();
            world.report.steps = world.simulation.steps();
            world.report.acks = world.ledger.acks;
            world.report.reads = world.ledger.reads;
            world.report.forgotten = world.producers.iter().map(|one| one.forgotten).sum();
            world.report.lookups = world.ledger.lookups;
            world.report.topic_changes = world.admin.changes;
            world.report.grants = world.group.grants;
            world.report.commits = world.group.commits;
            world.report.committed_reads = world.group.fetches;
            world.report.fenced = world.group.fenced;
            world.report.fetches = world.consumers.iter().map(|one| one.fetches).sum();
            Ok(world.report)
        }
        Err(what) => Err(Failure {
            seed,
            what,
            notes: world.notes.into(),
        }),
    }
}

fn any_topic(prng: &mut Prng, index: usize) -> Topic {
    let mut configs = vec![(
        "internal.segment.bytes",
        (3000 + prng.below(12_000)).to_string(),
    )];
    if prng.one_in(2) {
        configs.push(("flush.messages", "1".to_owned()));
    }
    if prng.one_in(2) {
        configs.push(("index.interval.bytes", prng.below(600).to_string()));
    }
    if prng.one_in(4) {
        configs.push(("segment.ms", (50 + prng.below(400)).to_string()));
    }
    Topic {
        name: format!("topic-{index}"),
        partitions: 1 + i32::try_from(prng.below(3)).expect("few"),
        configs,
    }
}

impl World {
    fn new(seed: u64, way: Option<Way>, lie: Option<Lie>) -> World {
        let mut prng = Prng::new(seed ^ 0x51D3);
        let mut simulation = Simulation::new(seed);
        let mut ledger = Ledger::default();
        let mut group = GroupLedger::default();
        let count = 1 + prng.index(2);
        let topics: Vec<Topic> = (0..count)
            .map(|index| any_topic(&mut prng, index))
            .collect();
        let mut notes = VecDeque::new();
        let mut scene = Scene {
            simulation: &mut simulation,
            prng: &mut prng,
            ledger: &mut ledger,
            group: &mut group,
            topics: &topics,
            notes: &mut notes,
            weather: Weather::default(),
            life: 0,
        };
        // A group's run has few others.
        let producers = (0..if way.is_some() { 1 } else { 3 })
            .map(|index| {
                let batches = 20 + scene.prng.index(50);
                Producer::new(&mut scene, index, batches)
            })
            .collect();
        let consumers = (0..if way.is_some() { 1 } else { 2 })
            .map(|index| Consumer::new(&scene, format!("consumer {index}"), false))
            .collect();
        let members = match way {
            Some(way) => {
                // Small groups are as telling as large ones, and faster.
                let most = if scene.prng.one_in(8) { MEMBERS_MAX } else { 8 };
                let count = MEMBERS_MIN + scene.prng.below(most - MEMBERS_MIN + 1);
                let indexes = 0..usize::try_from(count).expect("few");
                indexes
                    .map(|index| Member::new(&mut scene, index, way, lie.filter(|_| index == 0)))
                    .collect()
            }
            None => Vec::new(),
        };
        let admin = Admin::new(8 + prng.index(20));
        World {
            simulation,
            ledger,
            group,
            topics,
            notes,
            weather: Weather::default(),
            process: Process::Down {
                start_at: Instant(0),
            },
            admin,
            producers,
            consumers,
            members,
            report: Report::default(),
            faults_left: 3 + prng.index(7),
            next_fault: 100 + prng.below(400),
            fault_ends: None,
            iterations: 0,
            calm_since: None,
            has_last_life: false,
            prng,
        }
    }

    /// Lives until everybody has finished and everything was read once more.
    fn live(&mut self) -> Result<(), String> {
        loop {
            self.iterations += 1;
            let members = u64::try_from(self.members.len()).expect("few");
            let steps_max = STEPS_MAX + STEPS_PER_MEMBER * members;
            if self.iterations > steps_max {
                return Err(format!("no end after {steps_max} steps"));
            }
            self.run_process()?;
            self.run_faults();
            if self.prng.one_in(3) {
                let clients = self.clients();
                let chosen = self.prng.index(clients);
                self.run_client(chosen)?;
            } else {
                let pause = Duration::from_micros(1 + self.prng.below(4000));
                let until = self.simulation.now().instant + pause;
                if !self.simulation.step(until) {
                    for client in 0..self.clients() {
                        self.run_client(client)?;
                    }
                }
                self.notice_end()?;
            }
            if self.is_finished()? {
                return self.ledger.judge();
            }
        }
    }

    fn clients(&self) -> usize {
        1 + self.producers.len() + self.consumers.len() + self.members.len()
    }

    fn note(&mut self, line: &str) {
        self.scene(|scene, _| scene.note(|| line.to_owned()));
    }

    fn scene<R>(&mut self, act: impl FnOnce(&mut Scene<'_>, Clients<'_>) -> R) -> R {
        let mut scene = Scene {
            simulation: &mut self.simulation,
            prng: &mut self.prng,
            ledger: &mut self.ledger,
            group: &mut self.group,
            topics: &self.topics,
            notes: &mut self.notes,
            weather: self.weather,
            life: self.report.starts,
        };
        let clients = Clients {
            admin: &mut self.admin,
            producers: &mut self.producers,
            consumers: &mut self.consumers,
            members: &mut self.members,
        };
        act(&mut scene, clients)
    }

    fn run_client(&mut self, chosen: usize) -> Result<(), String> {
        self.scene(|scene, clients| {
            let producers = clients.producers.len();
            let others = producers + clients.members.len();
            match chosen.checked_sub(1) {
                None => clients.admin.step(scene),
                Some(index) if index < producers => clients.producers[index].step(scene),
                Some(index) if index < others => clients.members[index - producers].step(scene),
                Some(index) => clients.consumers[index - others].step(scene),
            }
        })
    }

    /// Starts the process where it is down, and sees it come to rest where it is stopping.
    fn run_process(&mut self) -> Result<(), String> {
        let now = self.simulation.now().instant;
        let is_broken = self.simulation.shards().any(Shard::has_broken_log);
        match self.process {
            Process::Down { start_at } if now >= start_at => self.start(),
            Process::Stopping { .. } if self.simulation.is_stopped() => {
                self.note("the process has stopped");
                self.report.stops += 1;
                let marker = Path::new("/data").join(clean_shutdown::FILE_NAME);
                let is_clean = self.simulation.disk().exists(&marker);
                self.report.unsynced_stops += u64::from(self.weather.stop_is_unsynced);
                self.report.broken_stops += u64::from(is_broken);
                if is_clean && self.weather.stop_is_unsynced {
                    return Err(
                        "what the stop left could not be synced, and it is called clean".to_owned(),
                    );
                }
                if is_clean && is_broken {
                    return Err("a log was broken, and the stop is called clean".to_owned());
                }
                self.go_down();
                Ok(())
            }
            Process::Stopping { since } if now.since(since) > Duration::from_secs(30) => {
                Err("the process was told to stop, and does not".to_owned())
            }
            Process::Down { .. } | Process::Up | Process::Stopping { .. } => Ok(()),
        }
    }

    fn go_down(&mut self) {
        let pause = Duration::from_millis(self.prng.below(30));
        let start_at = self.simulation.now().instant + pause;
        self.process = Process::Down { start_at };
        self.weather.stop_is_unsynced = false;
        self.simulation.disk().set_file_system_syncs_fail(false);
        if self.weather.is_rough {
            self.weather.rough_until = start_at + Duration::from_secs(1);
        }
        self.weather.is_rough = self.weather.is_full || self.weather.syncs_fail;
    }

    fn start(&mut self) -> Result<(), String> {
        let cores = 1 + self.prng.index(3);
        self.note(&format!("the process starts with {cores} cores"));
        match self.try_start(cores) {
            Ok(()) => {
                self.report.starts += 1;
                self.process = Process::Up;
                Ok(())
            }
            Err(why) => {
                self.simulation.kill();
                if !self.weather.is_rough {
                    return Err(format!("the broker does not start: {why}"));
                }
                self.note(&format!("it does not: {why}"));
                self.go_down();
                Ok(())
            }
        }
    }

    fn try_start(&mut self, cores: usize) -> Result<(), String> {
        let session = format!("group.consumer.session.timeout.ms={}", SESSION.as_millis());
        let settings: Vec<&str> = SETTINGS.iter().copied().chain([session.as_str()]).collect();
        let configuration =
            Configuration::from_overrides(&settings).map_err(|errors| errors.to_string())?;
        let disk = Disk::Simulated(self.simulation.disk().clone());
        let now = self.simulation.now();
        let start = Start::prepare(&disk, configuration, now, &mut self.prng, |_| {})?;
        let start = Arc::new(start);
        self.simulation.start(cores, |io| start.build(io))
    }

    /// The process may end by itself only where it cannot write or sync its metadata.
    fn notice_end(&mut self) -> Result<(), String> {
        let Some(why) = self.simulation.take_end() else {
            return Ok(());
        };
        if !self.weather.is_rough {
            return Err(format!("the process ended by itself: {why}"));
        }
        self.note(&format!("the process ended by itself: {why}"));
        self.report.ends += 1;
        self.go_down();
        Ok(())
    }

    fn kill(&mut self) {
        self.note("the process is killed");
        self.simulation.kill();
        self.report.kills += 1;
        self.go_down();
    }

    fn ask_to_stop(&mut self) {
        self.note("the process is asked to stop");
        self.simulation.stop();
        self.process = Process::Stopping {
            since: self.simulation.now().instant,
        };
    }

    /// Whether all clients are done after the last fault. Then a scan reads everything again.
    fn is_finished(&mut self) -> Result<bool, String> {
        let is_calm = self.faults_left == 0
            && self.fault_ends.is_none()
            && matches!(self.process, Process::Up);
        if !is_calm {
            return Ok(false);
        }
        let now = self.simulation.now().instant;
        let since = *self.calm_since.get_or_insert(now);
        let are_done = self.scene(|scene, clients| {
            clients.admin.is_done()
                && clients.producers.iter().all(Producer::is_done)
                && clients.consumers.iter().all(|one| one.is_done(scene))
                && is_shared(scene, clients.members)
        });
        let is_scanned = self.has_last_life;
        if are_done && is_scanned {
            return Ok(true);
        }
        if are_done {
            self.calm_since = Some(now);
            self.has_last_life = true;
            // The last life begins: what is read now was recovered.
            self.kill();
            let scan = self.scene(|scene, _| Consumer::new(scene, "scan".to_owned(), true));
            self.consumers.push(scan);
            return Ok(false);
        }
        if now.since(since) > CALM_MAX {
            let left: Vec<&str> = self.unfinished();
            return Err(format!(
                "nothing has gone wrong for {CALM_MAX:?}, and these have not finished: {left:?}"
            ));
        }
        Ok(false)
    }

    fn unfinished(&mut self) -> Vec<&str> {
        let mut left = Vec::new();
        if !self.admin.is_done() {
            left.push(self.admin.link.name());
        }
        let producers = self.producers.iter().filter(|one| !one.is_done());
        left.extend(producers.map(|one| one.link.name()));
        if left.is_empty() {
            left.push("consumers, or the group's members");
        }
        left
    }
}

/// The clients, apart from the rest of the world.
struct Clients<'a> {
    admin: &'a mut Admin,
    producers: &'a mut Vec<Producer>,
    consumers: &'a mut Vec<Consumer>,
    members: &'a mut Vec<Member>,
}

/// Whether the members share all partitions, each with one of them; classic ones in one generation.
fn is_shared(scene: &Scene<'_>, members: &[Member]) -> bool {
    if members.is_empty() {
        return true;
    }
    let mut left: BTreeSet<Place> = scene.places().into_iter().collect();
    let mut epochs = BTreeSet::new();
    for member in members {
        let Some((epoch, owned)) = member.settled(scene) else {
            return false;
        };
        epochs.insert(epoch);
        if !owned.iter().all(|place| left.remove(place)) {
            return false;
        }
    }
    left.is_empty() && (members[0].way() == Way::Consumer || epochs.len() == 1)
}
