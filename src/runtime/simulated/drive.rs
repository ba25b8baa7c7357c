//! Drives shards in one thread from a seed: the next thing to happen is picked at random among all
//! that could, and time passes only when nothing can.

use super::core::{Departure, SimulatedCore};
use super::disk::SimulatedDisk;
use super::network::{Network, PeerEnd};
use crate::base::collections::FoldHasher;
use crate::base::prng::Prng;
use crate::base::time::{Instant, Now, Timestamp};
use crate::runtime::buffer::BufferPool;
use crate::runtime::disk::Disk;
use crate::runtime::io::{Backend, ConnectionCounts, Event, Io, IoCounters, Received, Sent, Turn};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::hash::Hasher;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

/// When a simulation begins: a moment in 2026, so that timestamps look like timestamps.
const BEGINNING: i64 = 1_780_000_000_000;

/// A process of several shards, its disk, its clock, and the network to its clients.
pub struct Simulation<T: Turn> {
    cores: Vec<Core<T>>,
    network: Rc<RefCell<Network>>,
    disk: SimulatedDisk,
    now: Now,
    prng: Prng,
    trace: FoldHasher,
    steps: u64,
    /// Why the process ended by itself, until somebody asks.
    ended: Option<String>,
}

/// What [`Io::end_process`] throws in a simulation: the process is gone, the world goes on.
pub(in crate::runtime) struct ProcessEnded(pub(in crate::runtime) String);

struct Core<T: Turn> {
    shard: T,
    io: Io<T::Mail>,
    inbox: VecDeque<Parcel<T::Mail>>,
    /// Those that it has, and those that are on their way to it.
    connections: Vec<PeerEnd>,
    /// The deadline that the last turn left.
    wake_at: Instant,
    /// Whether the last turn asked for another at once.
    again: bool,
}

/// What one core sends to another, in order.
enum Parcel<M> {
    Mails(Vec<M>),
    Connection(Departure),
}

/// A client's end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ClientSocket(PeerEnd);

/// What could happen next.
#[derive(Clone, Copy, Debug)]
enum Task {
    Turn(usize),
    Deliver(usize),
    Finish(usize),
}

impl<T: Turn> Simulation<T> {
    /// A world without a process: `seed` decides all that happens in it.
    #[must_use]
    pub fn new(seed: u64) -> Simulation<T> {
        let mut prng = Prng::new(seed);
        let network = Network::new(prng.split());
        Simulation {
            cores: Vec::new(),
            network: Rc::new(RefCell::new(network)),
            disk: SimulatedDisk::new(),
            now: Now {
                instant: Instant(0),
                timestamp: Timestamp(BEGINNING),
            },
            prng,
            trace: FoldHasher::default(),
            steps: 0,
            ended: None,
        }
    }

    /// Starts a process of `cores` shards.
    pub fn start<B>(&mut self, cores: usize, build: B) -> Result<(), String>
    where
        B: Fn(&mut Io<T::Mail>) -> Result<T, String>,
    {
        assert!(self.cores.is_empty(), "the process runs already");
        let connections = ConnectionCounts::new(cores);
        for core in 0..cores {
            let mut io = Io {
                now: self.now,
                core,
                cores,
                events: VecDeque::new(),
                outboxes: (0..cores).map(|_| Vec::new()).collect(),
                connections: connections.clone(),
                wake_at: Instant::NEVER,
                again: false,
                counters: IoCounters::default(),
                random: self.prng.split(),
                pool: BufferPool::new(),
                disk: Disk::Simulated(self.disk.clone()),
                backend: Backend::Simulated(SimulatedCore::new(&self.network)),
            };
            let shard = match survive(|| build(&mut io)) {
                Ok(built) => built?,
                Err(ProcessEnded(why)) => return Err(why),
            };
            self.cores.push(Core {
                shard,
                io,
                inbox: VecDeque::new(),
                connections: Vec::new(),
                wake_at: self.now.instant,
                again: true,
            });
        }
        Ok(())
    }

    /// Kills the process as `kill -9` does: what was written stays, all else is gone.
    pub fn kill(&mut self) {
        self.note(0xDEAD);
        for mut core in self.cores.drain(..) {
            if let Backend::Simulated(simulated) = &mut core.io.backend {
                for pending in simulated.pending.drain(..) {
                    pending.kill(&mut self.prng);
                }
            }
            let mut network = self.network.borrow_mut();
            for end in core.connections {
                network.close(end);
            }
        }
        self.disk.kill();
    }

    /// Asks the process to end, as SIGTERM does. It has when [`Simulation::is_stopped`].
    pub fn stop(&mut self) {
        for core in &mut self.cores {
            core.io.events.push_back(Event::Stop);
        }
    }

    /// Whether all shards have come to rest; then the process is gone.
    pub fn is_stopped(&mut self) -> bool {
        let stopped = self.cores.iter().all(|core| core.shard.is_stopped());
        if stopped {
            self.kill();
        }
        stopped
    }

    /// The shards of the process, none where it does not run.
    pub fn shards(&self) -> impl Iterator<Item = &T> {
        self.cores.iter().map(|core| &core.shard)
    }

    /// Why the process ended by itself, said once.
    pub fn take_end(&mut self) -> Option<String> {
        self.ended.take()
    }

    /// The clocks of this world.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// The disk, to switch faults and to look at files.
    #[must_use]
    pub fn disk(&self) -> &SimulatedDisk {
        &self.disk
    }

    /// A hash over all that has happened: equal for two runs of one seed.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.trace.finish()
    }

    /// How many things have happened.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    fn note(&mut self, what: u64) {
        self.trace.write_u64(what);
    }

    /// Connects a client to the process; `None` while none runs.
    pub fn connect(&mut self) -> Option<ClientSocket> {
        if self.cores.is_empty() {
            return None;
        }
        let (client, broker) = self.network.borrow_mut().connect();
        let chosen = self.prng.index(self.cores.len());
        self.cores[chosen].io.connections.add(chosen);
        self.cores[chosen].connections.push(broker);
        self.arrive(Departure {
            core: chosen,
            end: broker,
            listener: 0,
            peer: std::net::SocketAddr::from(([127, 0, 0, 1], 40_000)),
        });
        Some(ClientSocket(client))
    }

    /// Gives a connection to a core: a new one, or one that another core handed over.
    fn arrive(&mut self, departure: Departure) {
        let Departure {
            core,
            end,
            listener,
            peer,
        } = departure;
        let core = &mut self.cores[core];
        let Backend::Simulated(simulated) = &mut core.io.backend else {
            unreachable!("the simulation made a simulated core");
        };
        let socket = simulated.adopt(end);
        core.io.events.push_back(Event::Accepted {
            socket,
            listener,
            peer,
        });
    }

    /// Sends off the connections that a core has handed over in its turn.
    fn depart(&mut self, index: usize) {
        let core = &mut self.cores[index];
        let Backend::Simulated(simulated) = &mut core.io.backend else {
            unreachable!("the simulation made a simulated core");
        };
        for departure in std::mem::take(&mut simulated.departures) {
            let core = &mut self.cores[index];
            core.connections.retain(|end| *end != departure.end);
            let next = &mut self.cores[departure.core];
            next.connections.push(departure.end);
            next.inbox.push_back(Parcel::Connection(departure));
            self.note(0x300);
        }
    }

    /// Sends from a client.
    pub fn send(&mut self, socket: ClientSocket, bytes: &[u8]) -> Sent {
        self.network.borrow_mut().send(socket.0, bytes)
    }

    /// Receives at a client.
    pub fn receive(&mut self, socket: ClientSocket, buffer: &mut [u8]) -> Received {
        self.network.borrow_mut().receive(socket.0, buffer)
    }

    /// Closes a client's connection.
    pub fn close(&mut self, socket: ClientSocket) {
        self.network.borrow_mut().close(socket.0);
    }

    /// Lets one thing happen. False where nothing can before `until`: then the clock stands there.
    pub fn step(&mut self, until: Instant) -> bool {
        self.announce();
        let mut tasks = Vec::new();
        for (index, core) in self.cores.iter().enumerate() {
            let due = core.again || core.wake_at <= self.now.instant;
            if due || !core.io.events.is_empty() {
                tasks.push(Task::Turn(index));
            }
            if !core.inbox.is_empty() {
                tasks.push(Task::Deliver(index));
            }
            if has_pending(&core.io) {
                tasks.push(Task::Finish(index));
            }
        }
        if tasks.is_empty() {
            return self.pass_time(until);
        }
        let task = tasks[self.prng.index(tasks.len())];
        self.steps += 1;
        // Whatever happens takes a moment: deadlines come also in a world that is never idle.
        let moment = Duration::from_micros(1 + self.prng.below(40));
        self.set_clock(self.now.instant + moment);
        self.perform(task);
        true
    }

    /// Tells shards what the network has for them; announcements to clients are not needed, they ask.
    fn announce(&mut self) {
        let (readable, writable) = {
            let mut network = self.network.borrow_mut();
            (
                std::mem::take(&mut network.readable),
                std::mem::take(&mut network.writable),
            )
        };
        for (ends, is_readable) in [(readable, true), (writable, false)] {
            for end in ends.into_iter().filter(|end| end.is_broker()) {
                for core in &mut self.cores {
                    let Backend::Simulated(simulated) = &core.io.backend else {
                        continue;
                    };
                    if let Some(socket) = simulated.socket_of(end) {
                        core.io.events.push_back(if is_readable {
                            Event::Readable(socket)
                        } else {
                            Event::Writable(socket)
                        });
                    }
                }
            }
        }
    }

    fn pass_time(&mut self, until: Instant) -> bool {
        let next = self
            .cores
            .iter()
            .map(|core| core.wake_at)
            .min()
            .unwrap_or(Instant::NEVER);
        let target = next.min(until);
        if target > self.now.instant {
            self.set_clock(target);
            self.note(target.0);
        }
        next <= until
    }

    fn set_clock(&mut self, instant: Instant) {
        let since_beginning = instant.since(Instant(0)).as_millis();
        let milliseconds = i64::try_from(since_beginning).expect("a simulation is short");
        self.now.instant = instant;
        self.now.timestamp = Timestamp(BEGINNING + milliseconds);
    }

    fn perform(&mut self, task: Task) {
        match task {
            Task::Turn(index) => {
                let core = &mut self.cores[index];
                core.io.now = self.now;
                core.io.wake_at = Instant::NEVER;
                core.io.again = false;
                core.io.counters.turns += 1;
                if let Err(ProcessEnded(why)) = survive(|| core.shard.turn(&mut core.io)) {
                    self.ended = Some(why);
                    self.kill();
                    return;
                }
                let core = &mut self.cores[index];
                core.wake_at = core.io.wake_at;
                core.again = core.io.again;
                let counters = core.io.counters;
                let outboxes: Vec<Vec<T::Mail>> =
                    core.io.outboxes.iter_mut().map(std::mem::take).collect();
                for (to, mails) in outboxes.into_iter().enumerate() {
                    if !mails.is_empty() {
                        self.cores[to].inbox.push_back(Parcel::Mails(mails));
                    }
                }
                self.note(crate::base::convert::u64_from(index));
                self.note(counters.received_bytes);
                self.note(counters.sent_memory_bytes + counters.sent_file_bytes);
                self.depart(index);
            }
            Task::Deliver(index) => {
                let core = &mut self.cores[index];
                match core.inbox.pop_front().expect("the task was offered") {
                    Parcel::Mails(mails) => {
                        core.io.events.extend(mails.into_iter().map(Event::Mail));
                    }
                    Parcel::Connection(departure) => self.arrive(departure),
                }
                self.note(0x100);
            }
            Task::Finish(index) => {
                let core = &mut self.cores[index];
                let Backend::Simulated(simulated) = &mut core.io.backend else {
                    return;
                };
                let chosen = self.prng.index(simulated.pending.len());
                let chosen = simulated.next_to_finish(chosen);
                let event = simulated.pending.remove(chosen).finish();
                core.io.events.extend(event);
                self.note(0x200);
            }
        }
    }
}

/// Runs a piece of the process that may end it. A panic stays a panic.
fn survive<R>(run: impl FnOnce() -> R) -> Result<R, ProcessEnded> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|thrown| match thrown.downcast::<ProcessEnded>() {
        Ok(ended) => *ended,
        Err(panic) => resume_unwind(panic),
    })
}

fn has_pending<M>(io: &Io<M>) -> bool {
    match &io.backend {
        Backend::Simulated(simulated) => !simulated.pending.is_empty(),
        Backend::Native(_) => false,
    }
}
