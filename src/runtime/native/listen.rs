//! Listening sockets, and what is wrong with them in one sentence.

use super::pacing;
use super::process::Unfit;
use super::sys;
use socket2::SockRef;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// How often a port in use is tried again, and how long after.
const BIND_TRIES: u32 = 100;
const BIND_PAUSE: Duration = Duration::from_millis(10);

/// A socket that clients connect to.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    /// The system paces connections, and this listener's are not.
    pacing_ended: bool,
}

impl Listening {
    /// Binds a host's address, or all of this machine's, and listens.
    ///
    /// # Errors
    /// One sentence that names the command which mends it.
    pub fn bind(host: Option<&str>, port: u16, backlog: i32) -> Result<Listening, Unfit> {
        match host {
            Some(host) => bind(resolve(host, port)?, backlog),
            // All addresses of both families where there is IPv6, else of the one there is.
            None => bind(
                SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port),
                backlog,
            )
            .or_else(|_| {
                bind(
                    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port),
                    backlog,
                )
            }),
        }
    }

    /// The port: the kernel's choice where 0 was asked for.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn descriptor(&self) -> RawFd {
        self.listener.as_raw_fd()
    }

    /// Someone has connected to it: no waiting, no Nagle, and the buffer sizes that were configured.
    pub(super) fn accepted(
        &self,
        socket: &OwnedFd,
        send_buffer: Option<usize>,
        receive_buffer: Option<usize>,
    ) {
        // A socket that refuses one of these is served all the same: what has no connection any more ends at its first read.
        let options = SockRef::from(socket);
        let _ = options.set_nonblocking(true);
        let _ = options.set_tcp_nodelay(true);
        let _ = options.set_keepalive(true);
        if let Some(bytes) = send_buffer {
            let _ = options.set_send_buffer_size(bytes);
        }
        if let Some(bytes) = receive_buffer {
            let _ = options.set_recv_buffer_size(bytes);
        }
        if self.pacing_ended {
            pacing::settle(socket);
        }
    }
}

fn resolve(host: &str, port: u16) -> Result<SocketAddr, Unfit> {
    let unknown = |why: &dyn std::fmt::Display| {
        Unfit(format!(
            "listeners: the host {host} cannot be resolved: {why}; see: getent hosts {host}"
        ))
    };
    let mut addresses = (host, port)
        .to_socket_addrs()
        .map_err(|error| unknown(&error))?;
    addresses
        .next()
        .ok_or_else(|| unknown(&"it has no address"))
}

fn bind(address: SocketAddr, backlog: i32) -> Result<Listening, Unfit> {
    let mut tries = 0;
    let listener = loop {
        match TcpListener::bind(address) {
            // A broker that was killed gives its port back a moment after it is gone: the kernel
            // takes its rings down in the background, and the accept in them holds the listener.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < BIND_TRIES => {
                tries += 1;
                std::thread::sleep(BIND_PAUSE);
            }
            result => break result.map_err(|error| Unfit(explain(address, &error)))?,
        }
    };
    // The standard library listens with a backlog of its own; Linux takes a second call as a change.
    sys::set_backlog(&listener, backlog);
    let address = listener.local_addr().unwrap_or(address);
    let pacing_ended = pacing::end(&listener);
    Ok(Listening {
        listener,
        address,
        pacing_ended,
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the standard library's list has no end"
)]
fn explain(address: SocketAddr, error: &io::Error) -> String {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "listeners: {address} is in use by another process; find it with: ss -ltnp 'sport = \
             :{port}', or choose another port with: --override listeners=PLAINTEXT://{}:{}",
            address.ip(),
            port.saturating_add(1)
        ),
        io::ErrorKind::PermissionDenied => format!(
            "listeners: {address} needs a privilege that this process lacks; choose a port above \
             1023, or grant it with: setcap cap_net_bind_service=+ep $(which klamm)"
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "listeners: {} is not an address of this machine; see: ip address",
            address.ip()
        ),
        _ => format!("listeners: {address} cannot be bound: {error}; see: ip address"),
    }
}
