//! What a client is told when it is made, by Kafka's names and with its defaults.

use crate::client::error::ClientError;
use crate::runtime::blocking::SocketBuffers;
use std::time::Duration;

/// What a client is told when it is made.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Host and port of servers that know the others.
    pub bootstrap: Vec<(String, u16)>,
    /// `client.id`.
    pub client_id: String,
    /// `socket.connection.setup.timeout.ms`.
    pub connect_timeout: Duration,
    /// `request.timeout.ms`.
    pub request_timeout: Duration,
    /// `max.block.ms`: how long a topic may take to appear.
    pub max_block: Duration,
    /// `retry.backoff.ms`.
    pub retry_backoff: Duration,
    /// `send.buffer.bytes`, and `receive.buffer.bytes`, which Kafka's clients have at 32 and 64 KiB, and which
    /// is the kernel's here unless it is set.
    pub buffers: SocketBuffers,
}

impl ClientOptions {
    /// Kafka's defaults, for servers written as `host1:port1,host2:port2`, IPv6 in brackets.
    pub fn new(servers: &str, client_id: &str) -> Result<ClientOptions, ClientError> {
        let given = || ClientError::Address {
            given: servers.to_owned(),
        };
        let bootstrap = servers
            .split(',')
            .map(str::trim)
            .filter(|server| !server.is_empty())
            .map(|server| parse_server(server).ok_or_else(given))
            .collect::<Result<Vec<_>, _>>()?;
        if bootstrap.is_empty() {
            return Err(given());
        }
        Ok(ClientOptions {
            bootstrap,
            client_id: client_id.to_owned(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            max_block: Duration::from_secs(60),
            retry_backoff: Duration::from_millis(100),
            buffers: SocketBuffers {
                send_bytes: Some(128 << 10),
                receive_bytes: None,
            },
        })
    }

    /// The servers as they were written.
    pub(super) fn servers(&self) -> String {
        let servers: Vec<String> = self
            .bootstrap
            .iter()
            .map(|(host, port)| format!("{host}:{port}"))
            .collect();
        servers.join(",")
    }
}

fn parse_server(server: &str) -> Option<(String, u16)> {
    // A listener's name in front (PLAINTEXT://) is what configurations have: taken as well.
    let server = server.split_once("://").map_or(server, |(_, rest)| rest);
    let (host, port) = server.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse::<u16>().ok().filter(|&port| port > 0)?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_hosts_and_ports() {
        let options = ClientOptions::new("a:1, [::1]:92,PLAINTEXT://b:3,", "x").unwrap();
        let expected =
            [("a", 1), ("::1", 92), ("b", 3)].map(|(host, port)| (host.to_owned(), port));
        assert_eq!(options.bootstrap, expected);
        for bad in ["", "a", "a:", ":1", "a:0", "a:99999", "a:b", ","] {
            assert!(ClientOptions::new(bad, "x").is_err(), "{bad}");
        }
    }
}
