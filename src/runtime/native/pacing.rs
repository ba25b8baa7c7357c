//! Peers that are near are not sent to by a timer, by the broker as by the tools.
//!
//! BBR, where the system has it, paces each connection: a timer of the kernel's between packets. For a peer that is far, over
//! a line that loses some, that is what BBR is for. Between programs of one machine it more than doubles what a
//! fetch costs (docs/decisions/fetches.md). So listeners have another congestion control, which those who
//! connect inherit (pacing once begun does not end with a later change); and whoever turns out to be far when accepted
//! gets BBR after all. Tools begin without it where they connect by a loopback address; by another one of this machine's they are paced.

use super::sys;
use socket2::SockRef;
use std::os::fd::{AsFd, OwnedFd};

const PACED: &[u8] = b"bbr";
/// What kernels come with, and what every kernel has.
const OTHERS: [&[u8]; 2] = [b"cubic", b"reno"];
/// A peer is near up to this many microseconds there and back: those of one data centre are. On the loopback the
/// handshake takes 2 to 25, and 180 at the worst of 12,000.
const NEAR_MICROS: u32 = 1000;

/// Has the connections of a listener, or of a socket that is to connect, begin without pacing. False where they would have begun so
/// anyway.
pub fn end(socket: &impl AsFd) -> bool {
    let socket = SockRef::from(socket);
    is_paced(&socket)
        && OTHERS
            .iter()
            .any(|name| socket.set_tcp_congestion(name).is_ok())
}

/// The connection of a listener for which pacing was ended: far peers are paced again.
pub fn settle(socket: &OwnedFd) {
    if sys::round_trip_micros(socket).is_some_and(is_far) {
        // Refused only where the system has it no more: then there is nothing to give back.
        let _ = SockRef::from(socket).set_tcp_congestion(PACED);
    }
}

/// The kernel fills the name up with zeros.
fn is_paced(socket: &SockRef<'_>) -> bool {
    socket
        .tcp_congestion()
        .is_ok_and(|name| name.split(|byte| *byte == 0).next() == Some(PACED))
}

/// By the handshake, which has timed the way there and back.
fn is_far(round_trip_micros: u32) -> bool {
    round_trip_micros > NEAR_MICROS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    /// Where the machine has no BBR, or this user may not choose it, there is nothing to end.
    fn pace(socket: &impl AsFd) -> bool {
        SockRef::from(socket).set_tcp_congestion(PACED).is_ok()
    }

    #[test]
    fn who_connects_to_a_listener_without_pacing_has_none_and_keeps_it_while_near() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        if pace(&listener) {
            assert!(end(&listener));
        }
        assert!(!end(&listener), "once is enough");
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = OwnedFd::from(listener.accept().unwrap().0);
        assert!(!is_paced(&SockRef::from(&socket)));
        assert!(sys::round_trip_micros(&socket).is_some());
        settle(&socket);
        assert!(!is_paced(&SockRef::from(&socket)), "it is near");
    }

    #[test]
    fn a_peer_is_far_from_a_millisecond_on() {
        assert!(!is_far(1000));
        assert!(is_far(1001));
    }
}
