//! Sockets whose next bytes can wait a little: they are looked at together, 25 milliseconds apart.
//!
//! ```text
//!   armed ──first socket is readable──► due ──look: only it, after a pause──► armed
//!     ▲                                  │
//!     │                                  └─look: several, or soon after the last─► waiting
//!     └──────────look: nothing──────────────────────────time is up──────────────────┘
//! ```
//! An epoll instance collects what became readable without waking anybody; the core's ring watches the
//! instance only while little comes. So a lone heartbeat is answered at once, an idle broker has no
//! timer, and a thousand heartbeats a second cost forty wake-ups.

use super::sys;
use crate::base::time::Instant;
use crate::runtime::io::SocketId;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// What can wait is announced at most so late: soon enough that the answer still carries the
/// acknowledgement of the request, which TCP else sends alone after 40 ms.
const GATHERED_WITHIN: Duration = Duration::from_millis(25);

/// The sockets of a core that can wait.
pub struct Gathering {
    epoll: OwnedFd,
    state: State,
    /// When something was found last.
    found_at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The ring says when something is there.
    Armed,
    /// The ring has said so.
    Due,
    /// It is looked then.
    Waiting(Instant),
}

impl Gathering {
    /// None yet. The ring must watch [`Gathering::descriptor`] at once.
    pub fn new() -> io::Result<Gathering> {
        Ok(Gathering {
            epoll: sys::epoll()?,
            state: State::Armed,
            found_at: Instant(0),
        })
    }

    /// Becomes readable when a socket does.
    pub fn descriptor(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }

    /// Takes a socket in.
    pub fn add(&self, descriptor: &OwnedFd, socket: SocketId) -> io::Result<()> {
        let data = u64::from(socket.generation) << 32 | u64::from(socket.index);
        sys::epoll_add(&self.epoll, descriptor, data)
    }

    /// Lets a socket go.
    pub fn remove(&self, descriptor: &OwnedFd) {
        sys::epoll_remove(&self.epoll, descriptor);
    }

    /// The ring's watch has ended: something is there.
    pub fn on_readable(&mut self) {
        self.state = State::Due;
    }

    /// When it must be looked, without anything else happening.
    pub fn deadline(&self) -> Instant {
        match self.state {
            State::Armed => Instant::NEVER,
            State::Due => Instant(0),
            State::Waiting(until) => until,
        }
    }

    /// Looks, where it is time: gives each readable socket to `found`, with whether its peer has hung up.
    /// True where the ring must watch again.
    pub fn look(&mut self, now: Instant, mut found: impl FnMut(SocketId, u32)) -> bool {
        if now < self.deadline() {
            return false;
        }
        let mut count = 0;
        sys::epoll_take(&self.epoll, |data, flags| {
            let low = |word: u64| u32::try_from(word & 0xFFFF_FFFF).expect("masked to 32 bits");
            count += 1;
            let socket = SocketId {
                index: low(data),
                generation: low(data >> 32),
            };
            found(socket, flags);
        });
        let is_busy = count > 1 || now.since(self.found_at) < 2 * GATHERED_WITHIN;
        if count > 0 {
            self.found_at = now;
        }
        if count > 0 && is_busy {
            self.state = State::Waiting(now + GATHERED_WITHIN);
            return false;
        }
        self.state = State::Armed;
        true
    }
}
