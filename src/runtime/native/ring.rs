//! The core's own io_uring: polls, accepts, syncs, cold reads. glommio's rings are not used for I/O.
//!
//! Everything that may wake the core goes through this ring, so the core sleeps in the ring's own
//! wait (the "inversion" of runtime.md section 8) and glommio never parks it.
//!
//! ```text
//! user data of an operation:  kind (8 bits) | generation (24) | index (32)
//! ```

use crate::base::time::Instant;
use io_uring::{IoUring, cqueue, opcode, squeue, types};
use std::io;

/// Entries of the submission queue.
const SUBMISSIONS: u32 = 256;
/// Entries of the completion queue: a multishot poll that overflows it ends in silence.
const COMPLETIONS: u32 = 8192;
/// Kernel threads that work for this core, at most: they inherit its pin.
const WORKERS: u32 = 4;

/// What an operation was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A multishot poll for something to receive.
    Readable,
    /// A poll for room to send.
    Writable,
    /// A multishot accept; the index is the listener's.
    Accept,
    /// A multishot poll of the mailbox's eventfd.
    Mail,
    /// A poll of the descriptor that signals which end the process write to.
    Signal,
    /// A poll of the descriptor that the signal which asks for figures writes to.
    Tell,
    /// A poll of the sockets that can wait.
    Gathered,
    /// A sync, a warming read or a splice; the index is the operation's.
    Operation,
    /// The timer that ends a sleep.
    Timer,
    /// A cancellation, or a change of the timer, whose own result nobody needs.
    Cancel,
}

/// One completion.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// What it was for.
    pub kind: Kind,
    /// The generation given when it was pushed, cut to 24 bits.
    pub generation: u32,
    /// The index given when it was pushed.
    pub index: u32,
    /// The result: not negative, or a negated errno.
    pub result: i32,
    /// Whether a multishot operation goes on.
    pub more: bool,
}

/// The ring.
pub struct Ring {
    ring: IoUring,
    /// Taken out early, and to be handed out again.
    backlog: Vec<Completion>,
    timer: Timer,
}

/// The one timer of the ring. It stays armed from one sleep to the next: to arm and disarm one for
/// each sleep is two writes to the processor's clock, which a hypervisor traps.
struct Timer {
    /// When it goes off, at the latest; `NEVER` where it is not armed.
    at: Instant,
    /// How long that is from when it was last set: the kernel reads it with the next submission.
    length: Box<types::Timespec>,
}

/// The 24 bits of a generation that fit into user data.
pub const GENERATION_MASK: u32 = 0x00FF_FFFF;

/// Packs what a completion will be recognised by.
pub fn user_data(kind: Kind, generation: u32, index: u32) -> u64 {
    let kind: u64 = match kind {
        Kind::Readable => 1,
        Kind::Writable => 2,
        Kind::Accept => 3,
        Kind::Mail => 4,
        Kind::Signal => 5,
        Kind::Operation => 6,
        Kind::Cancel => 7,
        Kind::Timer => 8,
        Kind::Gathered => 9,
        Kind::Tell => 10,
    };
    (kind << 56) | (u64::from(generation & GENERATION_MASK) << 32) | u64::from(index)
}

fn unpack(entry: &cqueue::Entry) -> Completion {
    let data = entry.user_data();
    let low = |word: u64| u32::try_from(word & 0xFFFF_FFFF).expect("masked to 32 bits");
    let kind = match data >> 56 {
        1 => Kind::Readable,
        2 => Kind::Writable,
        3 => Kind::Accept,
        4 => Kind::Mail,
        5 => Kind::Signal,
        6 => Kind::Operation,
        7 => Kind::Cancel,
        8 => Kind::Timer,
        9 => Kind::Gathered,
        10 => Kind::Tell,
        other => {
            panic!("the kernel completed an operation of kind {other}, which was never pushed")
        }
    };
    Completion {
        kind,
        generation: low(data >> 32) & GENERATION_MASK,
        index: low(data),
        result: entry.result(),
        more: cqueue::more(entry.flags()),
    }
}

impl Ring {
    /// A ring that belongs to the calling thread.
    pub fn new() -> io::Result<Ring> {
        let mut builder = IoUring::builder();
        builder
            .setup_cqsize(COMPLETIONS)
            .setup_single_issuer()
            .setup_defer_taskrun();
        let ring = builder.build(SUBMISSIONS)?;
        // An old kernel without this registration keeps its own, larger bound.
        let _ = ring
            .submitter()
            .register_iowq_max_workers(&mut [WORKERS, WORKERS]);
        let timer = Timer {
            at: Instant::NEVER,
            length: Box::default(),
        };
        Ok(Ring {
            ring,
            backlog: Vec::new(),
            timer,
        })
    }

    /// Queues an operation; it starts with the next [`Ring::enter`], or at once when the queue is full.
    #[expect(unsafe_code, reason = "the kernel will use what the entry points to")]
    pub fn push(&mut self, entry: &squeue::Entry) {
        loop {
            // SAFETY: what an entry points to (buffers, descriptors) is kept by the caller in a slot
            // until its completion arrives: sockets in `Slot`, all else in `Operation`.
            if unsafe { self.ring.submission().push(entry) }.is_ok() {
                return;
            }
            if let Err(error) = self.ring.submit() {
                assert!(is_transient(&error), "io_uring_enter failed: {error}");
            }
        }
    }

    /// Starts what was queued, and takes note of what completed. Does not wait.
    #[expect(
        unsafe_code,
        reason = "io_uring_enter with GETEVENTS and nothing to wait for"
    )]
    pub fn enter(&mut self) {
        let queued = self.ring.submission().len();
        let queued = u32::try_from(queued).expect("at most SUBMISSIONS");
        const GETEVENTS: u32 = 1;
        // SAFETY: no signal mask is passed.
        let result = unsafe {
            self.ring
                .submitter()
                .enter::<libc::sigset_t>(queued, 0, GETEVENTS, None)
        };
        if let Err(error) = result {
            assert!(is_transient(&error), "io_uring_enter failed: {error}");
        }
    }

    /// Keeps completions for the next [`Ring::reap`], and has the next sleep end at once.
    pub fn put_back(&mut self, completions: Vec<Completion>) {
        self.backlog.extend(completions);
    }

    /// Starts what was queued, and waits until something completes, or until `deadline`. It may return
    /// earlier, with nothing: the timer is only ever brought forward.
    pub fn sleep(&mut self, now: Instant, deadline: Instant) {
        if deadline < self.timer.at {
            self.set_timer(now, deadline);
        }
        self.wait();
    }

    /// Starts what was queued, and waits until something completes.
    pub fn wait(&mut self) {
        if !self.backlog.is_empty() {
            self.enter();
            return;
        }
        if let Err(error) = self.ring.submitter().submit_and_wait(1) {
            assert!(is_transient(&error), "io_uring_enter failed: {error}");
        }
    }

    fn set_timer(&mut self, now: Instant, deadline: Instant) {
        let is_armed = self.timer.at != Instant::NEVER;
        self.timer.at = deadline;
        *self.timer.length = types::Timespec::from(deadline.since(now));
        let length: *const types::Timespec = &raw const *self.timer.length;
        let timer = user_data(Kind::Timer, 0, 0);
        let entry = if is_armed {
            opcode::TimeoutUpdate::new(timer, length)
                .build()
                .user_data(user_data(Kind::Cancel, 0, 0))
        } else {
            opcode::Timeout::new(length).build().user_data(timer)
        };
        self.push(&entry);
    }

    /// Moves all completions that are there into `into`.
    pub fn reap(&mut self, into: &mut Vec<Completion>) {
        into.append(&mut self.backlog);
        for entry in self.ring.completion() {
            let completion = unpack(&entry);
            if completion.kind == Kind::Timer {
                self.timer.at = Instant::NEVER;
            }
            into.push(completion);
        }
    }
}

/// A wait that was interrupted, or a kernel short of memory for a moment.
fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINTR | libc::EBUSY | libc::EAGAIN)
    )
}
