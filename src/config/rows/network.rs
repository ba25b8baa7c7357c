//! Listeners, connections, requests.

use super::reasons::{ALONE, KERNEL_BUFFERS, NO_SASL, NOT_YET, PURGATORY, SHARDS};
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static NETWORK: &[Setting] = rows! {
    "advertised.listeners": List = null, High, ReadOnly, Any, Implemented,
        "";
    "connection.failed.authentication.delay.ms": Int = "100",
        Low, ReadOnly, AtLeast(0), WithoutEffect(NO_SASL),
        "";
    "connections.max.idle.ms": Long = "600000", Medium, ReadOnly, Any, Implemented,
        "";
    "delete.records.purgatory.purge.interval.requests": Int = "1",
        Medium, ReadOnly, Any, WithoutEffect(PURGATORY),
        "";
    "early.start.listeners": List = null, High, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "fetch.max.bytes": Int = "57671680", Medium, ReadOnly, AtLeast(1_024), Implemented,
        "";
    "fetch.purgatory.purge.interval.requests": Int = "1000",
        Medium, ReadOnly, Any, WithoutEffect(PURGATORY),
        "";
    "inter.broker.listener.name": String = null, Medium, ReadOnly, Any, Implemented,
        "";
    "listener.security.protocol.map": String = "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
        Low, PerBroker, Any, Implemented,
        "";
    "listeners": List = "PLAINTEXT://:9092", High, PerBroker, Any, Implemented,
        "";
    "max.connection.creation.rate": Int = "2147483647",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "max.connections": Int = "2147483647", Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "max.connections.per.ip": Int = "2147483647",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "max.connections.per.ip.overrides": String = "",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "";
    "max.incremental.fetch.session.cache.slots": Int = "1000",
        Medium, ReadOnly, AtLeast(0), Implemented,
        "";
    "max.request.partition.size.limit": Int = "2000", Medium, ReadOnly, AtLeast(1), Implemented,
        "";
    "num.io.threads": Int = "8", High, ClusterWide, AtLeast(1), WithoutEffect(SHARDS),
        "";
    "num.network.threads": Int = "3", High, ClusterWide, AtLeast(1), WithoutEffect(SHARDS),
        "";
    "producer.purgatory.purge.interval.requests": Int = "1000",
        Medium, ReadOnly, Any, WithoutEffect(PURGATORY),
        "";
    "queued.max.request.bytes": Long = "-1", Medium, ReadOnly, Any, WithoutEffect(SHARDS),
        "";
    "queued.max.requests": Int = "500", High, ReadOnly, AtLeast(1), WithoutEffect(SHARDS),
        "";
    "request.timeout.ms": Int = "30000", High, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "socket.connection.setup.timeout.max.ms": Long = "30000",
        Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "socket.connection.setup.timeout.ms": Long = "10000",
        Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "socket.listen.backlog.size": Int = "50", Medium, ReadOnly, AtLeast(1), Implemented,
        "";
    "socket.receive.buffer.bytes": Int = "102400",
        High, ReadOnly, Any, WithoutEffect(KERNEL_BUFFERS),
        "";
    "socket.request.max.bytes": Int = "104857600", High, ReadOnly, AtLeast(1), Implemented,
        "";
    "socket.send.buffer.bytes": Int = "102400", High, ReadOnly, Any, WithoutEffect(KERNEL_BUFFERS),
        "";
};
