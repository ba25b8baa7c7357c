//! What settings must be together, beyond each one's own bounds: the roles, the quorum, the
//! listeners, the directories, and numbers whose odd ones out Kafka checks by hand.

use super::broker::{Configuration, Endpoints};
use super::error::ConfigError;
use super::listener::{self, Listener, SecurityProtocol};
use super::nearest::nearest;
use super::setting::Refusal;
use super::value;

const ONE_NODE: Refusal = Refusal {
    reason: "it is a cluster of one for now, and would wait for the others for ever",
    mend: "let it name only this node, or remove the line",
};
const NO_SECURITY: Refusal = Refusal {
    reason: "it does not serve TLS or SASL yet, and clients would meet plain text",
    mend: "use PLAINTEXT listeners, reachable from trusted hosts only",
};

/// Checks settings against each other, each of which was checked alone.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn check(configuration: &Configuration) -> Result<Endpoints, Vec<ConfigError>> {
    let mut checker = Checker {
        configuration,
        errors: Vec::new(),
    };
    checker.roles();
    checker.quorum();
    checker.directories();
    checker.numbers();
    let endpoints = checker.endpoints();
    if checker.errors.is_empty() {
        Ok(endpoints)
    } else {
        Err(checker.errors)
    }
}

struct Checker<'a> {
    configuration: &'a Configuration,
    errors: Vec<ConfigError>,
}

impl Checker<'_> {
    fn wrong(&mut self, key: &str, expected: impl Into<String>) {
        let assigned = self.configuration.assigned.get(key);
        self.errors.push(ConfigError::Wrong {
            key: key.to_owned(),
            shown: assigned.map(|assigned| assigned.text.clone()),
            origin: assigned.map(|assigned| assigned.origin.clone()),
            expected: expected.into(),
        });
    }

    fn refused(&mut self, key: &str, what: &str, refusal: Refusal) {
        match self.configuration.origin(key) {
            Some(origin) => self.errors.push(ConfigError::Refused {
                key: what.to_owned(),
                origin: origin.clone(),
                refusal,
            }),
            None => self.wrong(key, refusal.mend),
        }
    }

    fn list(&self, key: &str) -> Vec<String> {
        self.configuration.value(key).list().to_vec()
    }

    fn roles(&mut self) {
        let roles = self.list("process.roles");
        for role in ["broker", "controller"] {
            if !roles.iter().any(|one| one == role) {
                self.wrong(
                    "process.roles",
                    "broker,controller: klamm is both in one node, for now",
                );
                return;
            }
        }
    }

    /// The quorum has one voter: this node.
    fn quorum(&mut self) {
        let voters = self.list("controller.quorum.voters");
        if let [voter, ..] = voters.as_slice() {
            let parsed = voter.split_once('@').and_then(|(id, address)| {
                Some((id.parse::<i32>().ok()?, listener::parse_address(address)?))
            });
            match parsed {
                None => self.wrong(
                    "controller.quorum.voters",
                    "id@host:port, as in 1@localhost:9093",
                ),
                Some(_) if voters.len() > 1 => self.refused(
                    "controller.quorum.voters",
                    "controller.quorum.voters",
                    ONE_NODE,
                ),
                Some((id, _)) if id != self.configuration.node_id().0 => {
                    self.refused(
                        "controller.quorum.voters",
                        "controller.quorum.voters",
                        ONE_NODE,
                    );
                }
                Some(_) => {}
            }
        }
        let servers = self.list("controller.quorum.bootstrap.servers");
        if servers
            .iter()
            .any(|server| listener::parse_address(server).is_none())
        {
            self.wrong(
                "controller.quorum.bootstrap.servers",
                "host:port, as in localhost:9093",
            );
        } else if servers.len() > 1 {
            self.refused(
                "controller.quorum.bootstrap.servers",
                "controller.quorum.bootstrap.servers",
                ONE_NODE,
            );
        }
    }

    fn directories(&mut self) {
        let key = if self.configuration.value("log.dirs").list().is_empty() {
            "log.dir"
        } else {
            "log.dirs"
        };
        let dirs = self.list(key);
        let empty = dirs.is_empty() || dirs.iter().any(String::is_empty);
        if empty {
            self.wrong(key, "directories, separated by commas");
            return;
        }
        let twice = dirs
            .iter()
            .enumerate()
            .any(|(place, dir)| dirs[..place].contains(dir));
        if twice {
            self.wrong(key, "directories that differ from each other");
        }
    }

    /// Numbers that have no simple bounds in Kafka's table, and that it checks by hand.
    fn numbers(&mut self) {
        for key in [
            "log.retention.ms",
            "log.retention.minutes",
            "log.retention.hours",
        ] {
            if matches!(self.configuration.value(key).number(), Some(0)) {
                self.wrong(key, "at least 1, or -1 to keep records for ever");
            }
        }
        if self
            .configuration
            .value("log.roll.ms")
            .number()
            .is_some_and(|ms| ms < 1)
        {
            self.wrong("log.roll.ms", "at least 1");
        }
        if self
            .configuration
            .value("log.roll.jitter.ms")
            .number()
            .is_some_and(|ms| ms < 0)
        {
            self.wrong("log.roll.jitter.ms", "at least 0");
        }
        for (least, most) in [
            (
                "group.min.session.timeout.ms",
                "group.max.session.timeout.ms",
            ),
            (
                "group.consumer.min.heartbeat.interval.ms",
                "group.consumer.max.heartbeat.interval.ms",
            ),
            (
                "group.consumer.min.session.timeout.ms",
                "group.consumer.max.session.timeout.ms",
            ),
        ] {
            if self.configuration.long(least) > self.configuration.long(most) {
                let bound = self.configuration.long(least);
                self.wrong(most, format!("at least {bound}, which is {least}"));
            }
        }
        for (key, least, most) in [
            (
                "group.consumer.session.timeout.ms",
                "group.consumer.min.session.timeout.ms",
                "group.consumer.max.session.timeout.ms",
            ),
            (
                "group.consumer.heartbeat.interval.ms",
                "group.consumer.min.heartbeat.interval.ms",
                "group.consumer.max.heartbeat.interval.ms",
            ),
        ] {
            let (low, high) = (
                self.configuration.long(least),
                self.configuration.long(most),
            );
            if !(low..=high).contains(&self.configuration.long(key)) {
                self.wrong(key, format!("from {low} ({least}) to {high} ({most})"));
            }
        }
        let connections = value::list(
            self.configuration
                .value("max.connections.per.ip.overrides")
                .text()
                .unwrap_or_default(),
        );
        let sound = |pair: &String| {
            let count = pair.rsplit_once(':').map(|(_, count)| count.parse::<u32>());
            matches!(count, Some(Ok(_)))
        };
        if !connections.iter().all(sound) {
            self.wrong(
                "max.connections.per.ip.overrides",
                "host:count pairs, as in 127.0.0.1:100",
            );
        }
    }

    fn endpoints(&mut self) -> Endpoints {
        let controllers: Vec<String> = self
            .list("controller.listener.names")
            .iter()
            .map(|name| name.to_uppercase())
            .collect();
        let protocols = self.protocols(&controllers);
        let all = self.parse_listeners("listeners", &protocols);
        self.distinct(&all);
        let (controller_listeners, listeners): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|listener| controllers.contains(&listener.name));
        if listeners.is_empty() && self.errors.is_empty() {
            self.wrong(
                "listeners",
                "NAME://host:port, at least one that controller.listener.names does not name",
            );
        }
        let advertised = self.advertised(&listeners, &controllers, &protocols);
        let inter_broker = self.inter_broker(&listeners);
        Endpoints {
            listeners,
            controller_listeners,
            advertised,
            inter_broker,
        }
    }

    /// The protocol of each listener name. Where the map is not set, controllers' are PLAINTEXT.
    fn protocols(&mut self, controllers: &[String]) -> Vec<(String, SecurityProtocol)> {
        const KEY: &str = "listener.security.protocol.map";
        let text = self
            .configuration
            .value(KEY)
            .text()
            .unwrap_or_default()
            .to_owned();
        let mut protocols = match listener::parse_protocol_map(&text) {
            Ok(protocols) => protocols,
            Err(pair) => {
                let names = SecurityProtocol::NAMES.join(", ");
                self.wrong(
                    KEY,
                    format!("NAME:PROTOCOL pairs ('{pair}' is none), of {names}"),
                );
                listener::parse_protocol_map(
                    "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
                )
                .unwrap_or_default()
            }
        };
        if self.configuration.origin(KEY).is_none() {
            for name in controllers {
                if !protocols.iter().any(|(one, _)| one == name) {
                    protocols.push((name.clone(), SecurityProtocol::Plaintext));
                }
            }
        }
        protocols
    }

    fn parse_listeners(
        &mut self,
        key: &str,
        protocols: &[(String, SecurityProtocol)],
    ) -> Vec<Listener> {
        let mut listeners = Vec::new();
        for text in self.list(key) {
            let Some((name, host, port)) = listener::parse_endpoint(&text) else {
                self.wrong(
                    key,
                    "NAME://host:port, as in PLAINTEXT://127.0.0.1:9092, separated by commas",
                );
                continue;
            };
            let Some((_, protocol)) = protocols.iter().find(|(one, _)| *one == name) else {
                let known = protocols.iter().map(|(one, _)| one.as_str());
                let near = match nearest(&name, known) {
                    Some(near) => format!(" (did you mean {near}?)"),
                    None => String::new(),
                };
                self.wrong(
                    key,
                    format!(
                        "named as in listener.security.protocol.map, where {name} is not{near}"
                    ),
                );
                continue;
            };
            match protocol {
                SecurityProtocol::Plaintext => {}
                SecurityProtocol::Ssl
                | SecurityProtocol::SaslPlaintext
                | SecurityProtocol::SaslSsl => {
                    self.refused(key, &format!("the listener {text}"), NO_SECURITY);
                    continue;
                }
            }
            listeners.push(Listener {
                name,
                host,
                port,
                protocol: *protocol,
            });
        }
        listeners
    }

    fn distinct(&mut self, listeners: &[Listener]) {
        for (place, listener) in listeners.iter().enumerate() {
            let before = &listeners[..place];
            if before.iter().any(|one| one.name == listener.name) {
                let name = &listener.name;
                self.wrong(
                    "listeners",
                    format!("of different names ({name} comes twice)"),
                );
            }
            let clash = |one: &Listener| {
                let overlap = one.host == listener.host || one.binds_all() || listener.binds_all();
                listener.port != 0 && one.port == listener.port && overlap
            };
            if before.iter().any(clash) {
                let port = listener.port;
                self.wrong(
                    "listeners",
                    format!("on different ports ({port} comes twice)"),
                );
            }
        }
    }

    /// `advertised.listeners`, or the listeners themselves.
    fn advertised(
        &mut self,
        listeners: &[Listener],
        controllers: &[String],
        protocols: &[(String, SecurityProtocol)],
    ) -> Vec<Listener> {
        const KEY: &str = "advertised.listeners";
        if self.configuration.value(KEY).list().is_empty() {
            if listeners
                .iter()
                .any(|one| one.host == "0.0.0.0" || one.host == "::")
            {
                self.wrong(
                    KEY,
                    "set to what clients can dial, as in PLAINTEXT://HOST:9092: listeners binds all \
                     interfaces",
                );
            }
            return listeners.to_vec();
        }
        let mut advertised = self.parse_listeners(KEY, protocols);
        advertised.retain(|one| !controllers.contains(&one.name));
        for one in &advertised {
            let name = &one.name;
            if one.host == "0.0.0.0" || one.host == "::" {
                self.wrong(
                    KEY,
                    format!("an address that clients can dial, not {}", one.host),
                );
            } else if !listeners.iter().any(|listener| listener.name == *name) {
                let near = nearest(name, listeners.iter().map(|one| one.name.as_str()));
                let near = near.map_or(String::new(), |near| format!(" (did you mean {near}?)"));
                self.wrong(
                    KEY,
                    format!("named as in listeners, where {name} is not{near}"),
                );
            }
        }
        advertised
    }

    /// The listener that brokers use: named, or the first of the protocol that is.
    fn inter_broker(&mut self, listeners: &[Listener]) -> String {
        let named = self
            .configuration
            .value("inter.broker.listener.name")
            .text();
        if let Some(name) = named {
            let name = name.trim().to_uppercase();
            if !listeners.iter().any(|listener| listener.name == name) {
                let known: Vec<_> = listeners.iter().map(|one| one.name.as_str()).collect();
                let known = known.join(", ");
                self.wrong(
                    "inter.broker.listener.name",
                    format!("the name of a listener for clients: {known}"),
                );
            }
            return name;
        }
        let protocol = self
            .configuration
            .value("security.inter.broker.protocol")
            .text()
            .and_then(SecurityProtocol::parse);
        let found = listeners
            .iter()
            .find(|listener| Some(listener.protocol) == protocol);
        match found {
            Some(listener) => listener.name.clone(),
            None if self.errors.is_empty() => {
                self.wrong(
                    "security.inter.broker.protocol",
                    "the protocol of one of the listeners",
                );
                String::new()
            }
            None => String::new(),
        }
    }
}
