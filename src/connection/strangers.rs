//! Other protocols spoken to the Kafka port, recognised by the first four bytes: read as a frame's
//! size they are absurd, and the client's log would say nothing useful.

/// A protocol that is not Kafka's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stranger {
    /// A browser, a health check, curl.
    Http,
    /// A client configured with `security.protocol=SSL` against a plaintext listener.
    Tls,
}

impl Stranger {
    /// Who speaks, if the first four bytes of a connection tell.
    #[must_use]
    pub fn recognise(first: [u8; 4]) -> Option<Stranger> {
        match &first {
            b"GET " | b"POST" | b"PUT " | b"HEAD" | b"DELE" | b"OPTI" | b"PATC" | b"PRI " => {
                Some(Stranger::Http)
            }
            // A TLS record of a handshake (22), version 3.x.
            [22, 3, 0..=4, _] => Some(Stranger::Tls),
            _ => None,
        }
    }

    /// One sentence for the operator.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Stranger::Http => {
                "spoke HTTP to the Kafka port; this listener answers Kafka's protocol only"
            }
            Stranger::Tls => {
                "spoke TLS to a PLAINTEXT listener; set security.protocol=PLAINTEXT in that client"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_told_from_kafka() {
        assert_eq!(Stranger::recognise(*b"GET "), Some(Stranger::Http));
        assert_eq!(Stranger::recognise([22, 3, 1, 2]), Some(Stranger::Tls));
        assert_eq!(Stranger::recognise([0, 0, 0, 35]), None);
        // A frame of 369 MB would look like TLS, and is refused for its size anyway.
        assert_eq!(Stranger::recognise([22, 4, 0, 0]), None);
    }
}
