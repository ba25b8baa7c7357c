//! Peers that are near are not sent to by a timer.
//!
//! BBR, where the system has it, paces each connection: a timer of the kernel's between packets. For a peer that is far, over
//! a line that loses some, that is what BBR is for. Between programs of one machine it more than doubles what a
//! fetch costs (docs/decisions/fetches.md). So listeners have another congestion control, which those who
//! connect inherit (pacing once begun does not end with a later change); and whoever turns out to be far when accepted
//! gets BBR after all.

use super::sys;
use std::ffi::CStr;
use std::net::TcpListener;
use std::os::fd::OwnedFd;

const PACED: &CStr = c"bbr";
/// What kernels come with, and what every kernel has.
const OTHERS: [&CStr; 2] = [c"cubic", c"reno"];
/// A peer is near up to this many microseconds there and back: those of one data centre are. On the loopback the
/// handshake takes 2 to 25, and 180 at the worst of 12,000.
const NEAR_MICROS: u32 = 1000;

/// Has a listener's connections begin without pacing. False where they would have begun so anyway.
pub fn end(listener: &TcpListener) -> bool {
    sys::congestion_control(listener).is_some_and(|name| name.as_c_str() == PACED)
        && OTHERS
            .iter()
            .any(|name| sys::set_congestion_control(listener, name))
}

/// The connection of a listener for which pacing was ended: far peers are paced again.
pub fn settle(socket: &OwnedFd) {
    if sys::round_trip_micros(socket).is_some_and(is_far) {
        sys::set_congestion_control(socket, PACED);
    }
}

/// By the handshake, which has timed the way there and back.
fn is_far(round_trip_micros: u32) -> bool {
    round_trip_micros > NEAR_MICROS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn who_connects_to_a_listener_without_pacing_has_none_and_keeps_it_while_near() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Where the machine has no BBR, or this user may not choose it, there is nothing to end.
        if sys::set_congestion_control(&listener, PACED) {
            assert!(end(&listener));
        }
        assert!(!end(&listener), "once is enough");
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = OwnedFd::from(listener.accept().unwrap().0);
        let set = sys::congestion_control(&socket).unwrap();
        assert_ne!(set.as_c_str(), PACED);
        assert!(sys::round_trip_micros(&socket).is_some());
    }

    #[test]
    fn a_peer_is_far_from_a_millisecond_on() {
        assert!(!is_far(1000));
        assert!(is_far(1001));
    }
}
