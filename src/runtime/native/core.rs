//! One core's ring: what it watches, and what each completion means.

use super::cold::Pipe;
use super::operations::{Operations, Removal};
use super::pressure::Pressure;
use super::replace::Replacement;
use super::ring::{Completion, Kind, Ring, user_data};
use super::sockets::Sockets;
use super::sys;
use crate::runtime::io::SocketId;
use io_uring::{opcode, types};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;

/// The native side of an `Io`.
pub struct NativeCore {
    pub(super) ring: Ring,
    pub(super) sockets: Sockets,
    pub(super) operations: Operations,
    pub(super) idle_pipes: Vec<Pipe>,
    pub(super) removals: VecDeque<Removal>,
    pub(super) removing: bool,
    pub(super) replacements: VecDeque<Replacement>,
    /// Which file is being replaced.
    pub(super) replacing: Option<PathBuf>,
    /// Whether writes might have to wait.
    pub pressure: Pressure,
}

/// What a completion means to the shard.
pub enum Outcome {
    /// There is something to receive.
    Readable(SocketId),
    /// A send may go on.
    Writable(SocketId),
    /// A client connected to a listener.
    Accepted {
        descriptor: OwnedFd,
        listener: usize,
        more: bool,
    },
    /// The process has no descriptor left, most likely: the listener must be armed again later.
    AcceptFailed { listener: usize },
    /// Mail arrived.
    Mail { more: bool },
    /// A signal asked for the end.
    Signal,
    /// A signal asked how long turns took.
    Tell,
    /// A sync ended.
    Synced { token: u64, result: io::Result<()> },
    /// A write ended.
    Written { token: u64, result: io::Result<()> },
    /// A file has its new content, or keeps the old one.
    Replaced { token: u64, result: io::Result<()> },
    /// Pages are there.
    Warmed { token: u64, result: io::Result<()> },
    /// Nothing that the shard should hear of.
    Nothing,
}

impl NativeCore {
    /// A core without sockets.
    pub fn new() -> io::Result<NativeCore> {
        Ok(NativeCore {
            ring: Ring::new()?,
            sockets: Sockets::default(),
            operations: Operations::default(),
            idle_pipes: Vec::new(),
            removals: VecDeque::new(),
            removing: false,
            replacements: VecDeque::new(),
            replacing: None,
            pressure: Pressure::new(),
        })
    }

    /// The ring, to sleep in.
    pub fn ring(&mut self) -> &mut Ring {
        &mut self.ring
    }

    /// Watches for mail.
    pub fn poll_mail(&mut self, descriptor: RawFd) {
        self.poll_descriptor(descriptor, Kind::Mail);
    }

    /// Watches for signals.
    pub fn poll_signal(&mut self, descriptor: RawFd) {
        self.poll_descriptor(descriptor, Kind::Signal);
    }

    /// Watches for a signal that asks how long turns took.
    pub fn poll_tell(&mut self, descriptor: RawFd) {
        self.poll_descriptor(descriptor, Kind::Tell);
    }

    fn poll_descriptor(&mut self, descriptor: RawFd, kind: Kind) {
        let entry = opcode::PollAdd::new(types::Fd(descriptor), poll_mask(libc::POLLIN))
            .multi(true)
            .build()
            .user_data(user_data(kind, 0, 0));
        self.ring.push(&entry);
    }

    /// Accepts from a listener until it fails or ends.
    pub fn accept(&mut self, descriptor: RawFd, listener: usize) {
        let index = u32::try_from(listener).expect("a handful of listeners");
        let entry = opcode::AcceptMulti::new(types::Fd(descriptor))
            .flags(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK)
            .build()
            .user_data(user_data(Kind::Accept, 0, index));
        self.ring.push(&entry);
    }

    /// Takes note of a completion.
    pub fn complete(&mut self, completion: Completion) -> Outcome {
        let Completion {
            kind,
            generation,
            index,
            result,
            more,
        } = completion;
        let socket = SocketId { index, generation };
        match kind {
            // The socket can wait from now on, or it is gone.
            Kind::Readable if result == -libc::ECANCELED => Outcome::Nothing,
            Kind::Readable => self.on_readable(socket, result, more),
            Kind::Writable => self.on_writable(socket),
            Kind::Accept => {
                let listener = place(index);
                if result < 0 {
                    return Outcome::AcceptFailed { listener };
                }
                Outcome::Accepted {
                    descriptor: sys::adopt(result),
                    listener,
                    more,
                }
            }
            Kind::Mail => Outcome::Mail { more },
            Kind::Signal => Outcome::Signal,
            Kind::Tell => Outcome::Tell,
            Kind::Gathered => {
                self.on_gathered();
                Outcome::Nothing
            }
            Kind::Timer | Kind::Cancel => Outcome::Nothing,
            Kind::Operation => self.finish(index, result),
        }
    }
}

pub(super) fn poll_mask(events: libc::c_short) -> u32 {
    u32::try_from(events).expect("poll's flags are small and positive")
}

pub(super) fn place(index: u32) -> usize {
    crate::base::convert::usize_from_u32(index)
}
