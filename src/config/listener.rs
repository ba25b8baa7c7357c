//! Listeners: `NAME://host:port`, and the security protocol that each name stands for.

/// How connections of a listener are secured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecurityProtocol {
    /// Plain text, anyone.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL over plain text.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

impl SecurityProtocol {
    /// Kafka's names of the protocols.
    pub const NAMES: &'static [&'static str] = &["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

    /// The protocol with this name, in small or capital letters.
    #[must_use]
    pub fn parse(name: &str) -> Option<SecurityProtocol> {
        match name.trim().to_ascii_uppercase().as_str() {
            "PLAINTEXT" => Some(SecurityProtocol::Plaintext),
            "SSL" => Some(SecurityProtocol::Ssl),
            "SASL_PLAINTEXT" => Some(SecurityProtocol::SaslPlaintext),
            "SASL_SSL" => Some(SecurityProtocol::SaslSsl),
            _ => None,
        }
    }

    /// Kafka's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SecurityProtocol::Plaintext => "PLAINTEXT",
            SecurityProtocol::Ssl => "SSL",
            SecurityProtocol::SaslPlaintext => "SASL_PLAINTEXT",
            SecurityProtocol::SaslSsl => "SASL_SSL",
        }
    }

    /// The code of the protocol in metadata records (BrokerEndpoint's SecurityProtocol).
    #[must_use]
    pub fn code(self) -> i16 {
        match self {
            SecurityProtocol::Plaintext => 0,
            SecurityProtocol::Ssl => 1,
            SecurityProtocol::SaslPlaintext => 2,
            SecurityProtocol::SaslSsl => 3,
        }
    }
}

/// An address with the name of its listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// The listener's name, in capital letters.
    pub name: String,
    /// The host, without the brackets of IPv6. Empty is Kafka's `PLAINTEXT://:9092`: to listen,
    /// all interfaces; to advertise, this machine's own host name.
    pub host: String,
    /// The port; 0 lets the kernel choose.
    pub port: u16,
    /// How its connections are secured.
    pub protocol: SecurityProtocol,
}

impl Listener {
    /// Whether it listens on all interfaces of the machine.
    #[must_use]
    pub fn binds_all(&self) -> bool {
        matches!(self.host.as_str(), "" | "0.0.0.0" | "::")
    }

    /// `host:port`, with brackets around an IPv6 address.
    #[must_use]
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// The parts of `NAME://host:port`: the name in capital letters, the host without brackets.
#[must_use]
pub fn parse_endpoint(text: &str) -> Option<(String, String, u16)> {
    let (name, address) = text.trim().split_once("://")?;
    let (host, port) = parse_address(address)?;
    let named = !name.is_empty() && name.chars().all(|c| !c.is_whitespace() && c != ':');
    named.then(|| (name.to_uppercase(), host, port))
}

/// The parts of `host:port`, the host without brackets.
#[must_use]
pub fn parse_address(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let bare = host
        .strip_prefix('[')
        .map_or(Some(host), |rest| rest.strip_suffix(']'))?;
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '%' | '.' | '_' | ':');
    if !bare.chars().all(sound) || port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((bare.to_owned(), port.parse().ok()?))
}

/// `NAME:PROTOCOL` pairs of `listener.security.protocol.map`.
///
/// # Errors
/// The first pair that is none.
pub fn parse_protocol_map(text: &str) -> Result<Vec<(String, SecurityProtocol)>, String> {
    super::value::list(text)
        .into_iter()
        .map(|pair| {
            let parsed = pair.split_once(':').and_then(|(name, protocol)| {
                Some((
                    name.trim().to_uppercase(),
                    SecurityProtocol::parse(protocol)?,
                ))
            });
            parsed.ok_or(pair)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_endpoints() {
        let read = |text| parse_endpoint(text);
        let is = |name: &str, host: &str, port| Some((name.to_owned(), host.to_owned(), port));
        assert_eq!(read("PLAINTEXT://:9092"), is("PLAINTEXT", "", 9092));
        assert_eq!(
            read("plaintext://127.0.0.1:0"),
            is("PLAINTEXT", "127.0.0.1", 0)
        );
        assert_eq!(read("INTERNAL://[::1]:9093"), is("INTERNAL", "::1", 9093));
        assert_eq!(
            read("A://kafka-1.example_x:1"),
            is("A", "kafka-1.example_x", 1)
        );
        for wrong in [
            "",
            "PLAINTEXT",
            "://a:1",
            "A://",
            "A://a",
            "A://a:",
            "A://a:70000",
            "A://a:-1",
            "A://[::1:1",
            "A://a b:1",
            "A://a/b:1",
            "A:B://a:1",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
