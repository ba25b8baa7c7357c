//! Listeners, connections, requests.

use super::reasons::{ALONE, NO_SASL, NOT_YET, PURGATORY, SHARDS};
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static NETWORK: &[Setting] = rows! {
    "advertised.listeners": List = null, High, ReadOnly, Any, Implemented,
        "What clients are told to connect to, where that differs from listeners.";
    "connection.failed.authentication.delay.ms": Int = "100",
        Low, ReadOnly, AtLeast(0), WithoutEffect(NO_SASL),
        "Pause before a connection that failed to log in is closed.";
    "connections.max.idle.ms": Long = "600000", Medium, ReadOnly, Any, Implemented,
        "Time without a request after which a connection is closed.";
    "delete.records.purgatory.purge.interval.requests": Int = "1",
        Medium, ReadOnly, Any, WithoutEffect(PURGATORY),
        "Finished DeleteRecords requests after which their purgatory is swept.";
    "early.start.listeners": List = null, High, ReadOnly, Any, WithoutEffect(ALONE),
        "Listeners that open before the broker knows the cluster's metadata.";
    "fetch.max.bytes": Int = "57671680", Medium, ReadOnly, AtLeast(1_024), Implemented,
        "Most bytes in one answer to a fetch, a first batch that is larger apart.";
    "fetch.purgatory.purge.interval.requests": Int = "1000",
        Medium, ReadOnly, Any, WithoutEffect(PURGATORY),
        "Finished fetches after which their purgatory is swept.";
    "inter.broker.listener.name": String = null, Medium, ReadOnly, Any, Implemented,
        "Name of the listener that brokers use among themselves.";
    "listener.security.protocol.map": String = "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
        Low, PerBroker, Any, Implemented,
        "Which security protocol each listener name stands for.";
    "listeners": List = "PLAINTEXT://:9092", High, PerBroker, Any, Implemented,
        "Where the broker listens: NAME://host:port, an empty host for all interfaces.";
    "max.connection.creation.rate": Int = "2147483647",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Most new connections a second.";
    "max.connections": Int = "2147483647", Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Most connections of a broker, on each listener that says so.";
    "max.connections.per.ip": Int = "2147483647",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Most connections from one address.";
    "max.connections.per.ip.overrides": String = "",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Other limits for some addresses, as host:count.";
    "max.incremental.fetch.session.cache.slots": Int = "1000",
        Medium, ReadOnly, AtLeast(0), Implemented,
        "Most fetch sessions of a broker.";
    "max.request.partition.size.limit": Int = "2000", Medium, ReadOnly, AtLeast(1), Implemented,
        "Most partitions in one answer to DescribeTopicPartitions.";
    "num.io.threads": Int = "8", High, ClusterWide, AtLeast(1), WithoutEffect(SHARDS),
        "Threads that handle requests.";
    "num.network.threads": Int = "3", High, ClusterWide, AtLeast(1), WithoutEffect(SHARDS),
        "Threads that read and write connections, for each listener.";
    "producer.purgatory.purge.interval.requests": Int = "1000",
        Medium, ReadOnly, Any, WithoutEffect(PURGATORY),
        "Finished produce requests after which their purgatory is swept.";
    "queued.max.request.bytes": Long = "-1", Medium, ReadOnly, Any, WithoutEffect(SHARDS),
        "Bytes of waiting requests at which no more are read; -1 is no limit.";
    "queued.max.requests": Int = "500", High, ReadOnly, AtLeast(1), WithoutEffect(SHARDS),
        "Waiting requests at which no more are read.";
    "request.timeout.ms": Int = "30000", High, ReadOnly, Any, WithoutEffect(ALONE),
        "How long this node waits for an answer from another.";
    "socket.connection.setup.timeout.max.ms": Long = "30000",
        Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "Longest time that a connection to another node may take to come about.";
    "socket.connection.setup.timeout.ms": Long = "10000",
        Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "First time that a connection to another node may take to come about.";
    "socket.listen.backlog.size": Int = "50", Medium, ReadOnly, AtLeast(1), Implemented,
        "Connections that may wait to be accepted.";
    "socket.receive.buffer.bytes": Int = "102400", High, ReadOnly, Any, Implemented,
        "Receive buffer of a connection; -1, or not to set it, leaves it to the kernel.";
    "socket.request.max.bytes": Int = "104857600", High, ReadOnly, AtLeast(1), Implemented,
        "Largest request.";
    "socket.send.buffer.bytes": Int = "102400", High, ReadOnly, Any, Implemented,
        "Send buffer of a connection; -1, or not to set it, leaves it to the kernel.";
};
