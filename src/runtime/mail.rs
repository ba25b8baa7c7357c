//! Mail between cores: a bounded queue for each core, and an eventfd that its ring polls.
//!
//! A turn's mail to one shard travels as one batch. The receiver is woken by a system call only
//! where it sleeps: it says so before it looks at the queue for the last time.

use crate::base::limits::MAILBOX_BATCHES_MAX;
use crossbeam_queue::ArrayQueue;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// What travels between cores.
#[derive(Debug)]
pub(super) enum Envelope<M> {
    /// All mail of one turn of one sender.
    Mails(Vec<M>),
    /// A connection that the acceptor, or another core, gives to this one.
    Connection {
        descriptor: OwnedFd,
        listener: usize,
        peer: SocketAddr,
    },
    /// The process shall end.
    Stop,
    /// The core shall say how long its turns took.
    Tell,
}

/// The queue that a core receives from.
#[derive(Debug)]
pub(super) struct Mailbox<M> {
    queue: ArrayQueue<Envelope<M>>,
    sleeping: AtomicBool,
    wake: OwnedFd,
}

/// The mailboxes of all cores.
pub(super) type Post<M> = Arc<[Mailbox<M>]>;

impl<M> Mailbox<M> {
    pub(super) fn new() -> io::Result<Mailbox<M>> {
        Ok(Mailbox {
            queue: ArrayQueue::new(MAILBOX_BATCHES_MAX),
            sleeping: AtomicBool::new(false),
            wake: super::native::sys::event_descriptor()?,
        })
    }

    /// Puts an envelope into the queue and wakes the core if it sleeps; gives it back when full.
    pub(super) fn post(&self, envelope: Envelope<M>) -> Result<(), Envelope<M>> {
        self.queue.push(envelope)?;
        // Pairs with the fence in `falls_asleep`: either the core sees the envelope, or this
        // thread sees that the core sleeps.
        fence(Ordering::SeqCst);
        if self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::Relaxed) {
            super::native::sys::raise(&self.wake);
        }
        Ok(())
    }

    pub(super) fn take(&self) -> Option<Envelope<M>> {
        self.queue.pop()
    }

    /// Says that the core is about to sleep; false where mail lies in the queue, so it must not.
    pub(super) fn falls_asleep(&self) -> bool {
        self.sleeping.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.queue.is_empty() {
            return true;
        }
        self.wakes_up();
        false
    }

    pub(super) fn wakes_up(&self) {
        self.sleeping.store(false, Ordering::Relaxed);
    }

    pub(super) fn wake_descriptor(&self) -> RawFd {
        self.wake.as_raw_fd()
    }
}
