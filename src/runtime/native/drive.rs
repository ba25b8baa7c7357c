//! Drives the shards: one pinned glommio executor per core, whose main task turns the shard and
//! sleeps in the core's own ring.
//!
//! ```text
//!   reap completions ─► drain mail ─► read the clocks ─► turn ─► post mail ─► enter the ring
//!         ▲                                                                      │
//!         └────────────── a completion, mail, a signal, or the deadline ─────────┘
//! ```

use super::core::{NativeCore, Outcome};
use super::listen::Listening;
use super::process::{Signals, Unfit};
use super::sockets::Departure;
use super::sys;
use super::turns::Turns;
use crate::base::prng::Prng;
use crate::base::time::{Instant, Now, Timestamp};
use crate::runtime::buffer::BufferPool;
use crate::runtime::disk::Disk;
use crate::runtime::io::{Backend, ConnectionCounts, Event, Io, IoCounters, Turn};
use crate::runtime::mail::{Envelope, Mailbox, Post};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often a core that has a listener looks again whether it may accept, after the process ran out
/// of descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// What the driver is started with.
pub struct Settings {
    /// The sockets that clients connect to; core 0 accepts for all.
    pub listeners: Vec<Listening>,
    /// Which processor each shard is pinned to.
    pub processors: Vec<usize>,
    /// `SO_SNDBUF` of accepted sockets, or the system's.
    pub send_buffer_bytes: Option<usize>,
    /// `SO_RCVBUF` of accepted sockets, or the system's.
    pub receive_buffer_bytes: Option<usize>,
    /// Become readable when the process shall end, and when it shall say how long its turns took.
    pub signals: Option<Signals>,
    /// When the process began, by the clock that `Now` is read from.
    pub epoch: std::time::Instant,
}

/// Builds one shard per processor, with `build` on the shard's own thread, and drives them until they
/// have come to rest after a signal. Returns when all have.
///
/// # Panics
/// If a thread cannot be started, or a shard panics (which ends the process).
pub fn run<T, B>(settings: Settings, build: B) -> Result<(), Unfit>
where
    T: Turn + 'static,
    B: Fn(&mut Io<T::Mail>) -> Result<T, String> + Send + Sync + 'static,
{
    let cores = settings.processors.len();
    let mailboxes: Result<Vec<Mailbox<T::Mail>>, _> = (0..cores).map(|_| Mailbox::new()).collect();
    let post: Post<T::Mail> = mailboxes
        .map_err(|error| Unfit(format!("no eventfd: {error}")))?
        .into();
    let connections = ConnectionCounts::new(cores);
    let mut settings = settings;
    let mut signals = settings.signals.take();
    let settings = Arc::new(settings);
    let build = Arc::new(build);
    let mut threads = Vec::new();
    for (core, processor) in settings.processors.iter().copied().enumerate() {
        let (post, settings, build) =
            (Arc::clone(&post), Arc::clone(&settings), Arc::clone(&build));
        let signals = signals.take();
        let connections = connections.clone();
        let executor = glommio::LocalExecutorBuilder::new(glommio::Placement::Fixed(processor))
            .name(&format!("shard-{core}"))
            .ring_depth(64)
            .io_memory(64 << 10)
            .spawn(move || async move {
                let driver = Driver::new(core, &settings, &post, connections, signals)?;
                driver.run(&*build).await
            })
            .map_err(|error| Unfit(format!("shard {core} could not be started: {error}")))?;
        threads.push(executor);
    }
    let mut result = Ok(());
    for thread in threads {
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(unfit)) => result = Err(unfit),
            Err(error) => result = Err(Unfit(explain(&error.to_string()))),
        }
    }
    result
}

/// Why an executor did not come to be.
fn explain(error: &str) -> String {
    if error.contains("MemLock") {
        "the limit of locked memory (memlock) is too small for io_uring; raise it with: ulimit -l \
         unlimited (systemd: LimitMEMLOCK=infinity)"
            .to_owned()
    } else {
        format!("a shard ended: {error}")
    }
}

/// One core's loop.
struct Driver<'a, M> {
    io: Io<M>,
    settings: &'a Settings,
    post: &'a Post<M>,
    signals: Option<Signals>,
    turns: Turns,
    next_core: usize,
    /// Listeners that wait for a free descriptor, and until when.
    paused: Vec<usize>,
    paused_until: Instant,
}

impl<'a, M: Send + 'static> Driver<'a, M> {
    fn new(
        core: usize,
        settings: &'a Settings,
        post: &'a Post<M>,
        connections: ConnectionCounts,
        signals: Option<Signals>,
    ) -> Result<Driver<'a, M>, Unfit> {
        let mut native = NativeCore::new()
            .map_err(|error| Unfit(format!("shard {core} has no io_uring: {error}")))?;
        native.poll_mail(post[core].wake_descriptor());
        if let Some(signals) = &signals {
            native.poll_signal(signals.stop());
            native.poll_tell(signals.tell());
        }
        let io = Io {
            now: clocks(settings.epoch),
            core,
            cores: post.len(),
            events: VecDeque::new(),
            outboxes: (0..post.len()).map(|_| Vec::new()).collect(),
            connections,
            wake_at: Instant::NEVER,
            again: false,
            counters: IoCounters::default(),
            random: Prng::new(sys::random()),
            pool: BufferPool::new(),
            disk: Disk::Native,
            backend: Backend::Native(Box::new(native)),
        };
        Ok(Driver {
            io,
            settings,
            post,
            signals,
            turns: Turns::new(core),
            next_core: 0,
            paused: Vec::new(),
            paused_until: Instant::NEVER,
        })
    }

    fn native(&mut self) -> &mut NativeCore {
        match &mut self.io.backend {
            Backend::Native(native) => native,
            Backend::Simulated(_) => unreachable!("the native driver made a native core"),
        }
    }

    async fn run<T, B>(mut self, build: &B) -> Result<(), Unfit>
    where
        T: Turn<Mail = M>,
        B: Fn(&mut Io<M>) -> Result<T, String>,
    {
        let mut shard = match build(&mut self.io) {
            Ok(shard) => shard,
            Err(why) => {
                // The others must not wait for a shard that never came to be.
                self.stop_others();
                return Err(Unfit(why));
            }
        };
        if self.io.core == 0 {
            for listener in 0..self.settings.listeners.len() {
                self.accept(listener);
            }
        }
        let mut completions = Vec::new();
        self.turns.begin(monotonic(self.settings.epoch));
        while !shard.is_stopped() {
            self.collect(&mut completions);
            self.io.now = clocks(self.settings.epoch);
            self.gather();
            self.io.wake_at = Instant::NEVER;
            self.io.again = false;
            self.io.counters.turns += 1;
            let (now, written_bytes) = (self.io.now.instant, self.io.counters.written_bytes);
            self.native().pressure.on_turn(now, written_bytes);
            shard.turn(&mut self.io);
            let all_posted = self.post_mail();
            if shard.is_stopped() {
                break;
            }
            self.sleep(all_posted);
        }
        // What the shard left behind still goes out: its last mail, and what the kernel works on.
        self.post_mail();
        while self.native().has_operations() {
            self.native().ring().wait();
            self.collect(&mut completions);
        }
        self.turns.say_all();
        Ok(())
    }

    /// Turns completions and mail into events.
    fn collect(&mut self, completions: &mut Vec<super::ring::Completion>) {
        self.native().ring().reap(completions);
        for completion in completions.drain(..) {
            let outcome = self.native().complete(completion);
            self.note(outcome);
        }
        while let Some(envelope) = self.post[self.io.core].take() {
            match envelope {
                Envelope::Mails(mails) => self.io.events.extend(mails.into_iter().map(Event::Mail)),
                Envelope::Connection {
                    descriptor,
                    listener,
                    peer,
                } => {
                    self.adopt(descriptor, listener, peer);
                }
                Envelope::Stop => self.io.events.push_back(Event::Stop),
                Envelope::Tell => self.turns.say_recent(),
            }
        }
    }

    /// Looks at the sockets that can wait, where it is time.
    fn gather(&mut self) {
        let Io {
            backend,
            events,
            now,
            ..
        } = &mut self.io;
        if let Backend::Native(native) = backend {
            native.gathered(now.instant, |socket| {
                events.push_back(Event::Readable(socket));
            });
        }
    }

    fn note(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Readable(socket) => self.io.events.push_back(Event::Readable(socket)),
            Outcome::Writable(socket) => self.io.events.push_back(Event::Writable(socket)),
            Outcome::Accepted {
                descriptor,
                listener,
                more,
            } => {
                self.hand_out(descriptor, listener);
                if !more {
                    self.accept(listener);
                }
            }
            Outcome::AcceptFailed { listener } => {
                self.paused.push(listener);
                self.paused_until = self.io.now.instant + ACCEPT_RETRY;
            }
            Outcome::Mail { more } => {
                if !more {
                    let descriptor = self.post[self.io.core].wake_descriptor();
                    self.native().poll_mail(descriptor);
                }
            }
            Outcome::Signal => {
                self.stop_others();
                self.io.events.push_back(Event::Stop);
                self.signals = None; // a second signal meets the default action: the process ends
                super::process::next_signal_ends();
            }
            Outcome::Tell => {
                if let Some(signals) = &mut self.signals {
                    signals.told();
                }
                self.turns.say_recent();
                for (core, mailbox) in self.post.iter().enumerate() {
                    if core != self.io.core {
                        // A core whose mailbox is full is asked again by the next signal.
                        let _ = mailbox.post(Envelope::Tell);
                    }
                }
            }
            Outcome::Synced { token, result } => {
                self.io.events.push_back(Event::Synced { token, result });
            }
            Outcome::Written { token, result } => {
                self.io.events.push_back(Event::Written { token, result });
            }
            Outcome::Replaced { token, result } => {
                self.io.events.push_back(Event::Replaced { token, result });
            }
            Outcome::Warmed { token, result } => {
                self.io.events.push_back(Event::Warmed { token, result });
            }
            Outcome::Nothing => {}
        }
    }

    fn stop_others(&self) {
        for (core, mailbox) in self.post.iter().enumerate() {
            if core != self.io.core {
                let mut envelope = Envelope::Stop;
                while let Err(back) = mailbox.post(envelope) {
                    envelope = back;
                    std::thread::yield_now();
                }
            }
        }
    }

    fn accept(&mut self, listener: usize) {
        let descriptor = self.settings.listeners[listener].descriptor();
        self.native().accept(descriptor, listener);
    }

    /// Gives a new connection to the core that has the fewest; equals take turns, by how often there
    /// were any. Most clients open two connections, of which only the second carries records: were the
    /// turns counted by connections, one core of two would get all of those.
    fn hand_out(&mut self, descriptor: OwnedFd, listener: usize) {
        self.settings.listeners[listener].accepted(
            &descriptor,
            self.settings.send_buffer_bytes,
            self.settings.receive_buffer_bytes,
        );
        let peer = sys::peer(&descriptor);
        let cores = self.io.cores;
        let first = self.next_core;
        let chosen = (0..cores)
            .map(|step| (first + step) % cores)
            .min_by_key(|core| self.io.connections.of(*core))
            .expect("there is at least one core");
        let fewest = self.io.connections.of(chosen);
        let mut equals = (0..cores).filter(|core| self.io.connections.of(*core) == fewest);
        if equals.nth(1).is_some() {
            self.next_core = (first + 1) % cores;
        }
        self.io.connections.add(chosen);
        if chosen == self.io.core {
            self.adopt(descriptor, listener, peer);
            return;
        }
        let envelope = Envelope::Connection {
            descriptor,
            listener,
            peer,
        };
        if self.post[chosen].post(envelope).is_err() {
            // Its mailbox is full: the client sees a closed connection and comes again.
            self.io.connections.remove(chosen);
        }
    }

    fn adopt(&mut self, descriptor: OwnedFd, listener: usize, peer: SocketAddr) {
        let socket = self.native().adopt(descriptor);
        self.io.events.push_back(Event::Accepted {
            socket,
            listener,
            peer,
        });
    }

    /// Posts the turn's mail, and connections that leave; false where some of it has to wait for room.
    fn post_mail(&mut self) -> bool {
        let mut all = true;
        for (to, outbox) in self.io.outboxes.iter_mut().enumerate() {
            if outbox.is_empty() {
                continue;
            }
            if to == self.io.core {
                self.io.events.extend(outbox.drain(..).map(Event::Mail));
                continue;
            }
            if let Err(Envelope::Mails(back)) =
                self.post[to].post(Envelope::Mails(std::mem::take(outbox)))
            {
                *outbox = back;
                all = false;
            }
        }
        all & self.post_departures()
    }

    fn end_turn(&mut self, now: Instant) {
        if self.turns.end(now) {
            self.native().pressure.on_waited(now);
        }
    }

    /// Sends connections to the cores that they were given to, each after the mail that goes before it.
    fn post_departures(&mut self) -> bool {
        for departure in std::mem::take(self.native().departures()) {
            let Departure {
                core,
                descriptor,
                listener,
                peer,
            } = departure;
            let envelope = Envelope::Connection {
                descriptor,
                listener,
                peer,
            };
            // Where the core's mailbox is full, the connection leaves with the next turn.
            let posted = if self.io.outboxes[core].is_empty() {
                self.post[core].post(envelope)
            } else {
                Err(envelope)
            };
            if let Err(Envelope::Connection {
                descriptor,
                listener,
                peer,
            }) = posted
            {
                self.native().departures().push(Departure {
                    core,
                    descriptor,
                    listener,
                    peer,
                });
            }
        }
        self.native().departures().is_empty()
    }

    /// Sleeps in the ring until something completes, mail comes, or the deadline passes.
    fn sleep(&mut self, all_posted: bool) {
        let now = monotonic(self.settings.epoch);
        if now >= self.paused_until {
            self.paused_until = Instant::NEVER;
            for listener in std::mem::take(&mut self.paused) {
                self.accept(listener);
            }
        }
        let gathered_at = self.native().gathered_at();
        let deadline = self.io.wake_at.min(self.paused_until).min(gathered_at);
        let busy = self.io.again || !self.io.events.is_empty() || !all_posted;
        if busy || !self.post[self.io.core].falls_asleep() {
            self.end_turn(now);
            self.turns.begin(now);
            self.native().ring().enter();
            return;
        }
        self.io.counters.sleeps += 1;
        self.end_turn(now);
        self.native().ring().sleep(now, deadline);
        self.turns.begin(monotonic(self.settings.epoch));
        self.post[self.io.core].wakes_up();
    }
}

/// Reads the clock that timeouts go by.
fn monotonic(epoch: std::time::Instant) -> Instant {
    Instant(u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(u64::MAX))
}

/// Reads both clocks.
pub(super) fn clocks(epoch: std::time::Instant) -> Now {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        instant: monotonic(epoch),
        timestamp: Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)),
    }
}
