//! Who this node is, and the KRaft quorum it stands in.

use super::reasons::ALONE;
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, ListOf};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static IDENTITY: &[Setting] = rows! {
    "broker.heartbeat.interval.ms": Int = "2000", Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "broker.id": Int = "-1", High, ReadOnly, Any, Implemented,
        "";
    "broker.rack": String = null, Medium, ReadOnly, Any, Implemented,
        "";
    "broker.session.timeout.ms": Int = "9000", Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "controller.listener.names": List = null, High, ReadOnly, Any, Implemented,
        "";
    "controller.quorum.append.linger.ms": Int = "25",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "controller.quorum.auto.join.enable": Boolean = "false",
        Low, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "controller.quorum.bootstrap.servers": List = "", High, ReadOnly, Any, Implemented,
        "";
    "controller.quorum.election.backoff.max.ms": Int = "1000",
        High, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "controller.quorum.election.timeout.ms": Int = "1000",
        High, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "controller.quorum.fetch.max.bytes": Int = "1048576",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "";
    "controller.quorum.fetch.snapshot.max.bytes": Int = "1048576",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "";
    "controller.quorum.fetch.timeout.ms": Int = "2000",
        High, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "controller.quorum.request.timeout.ms": Int = "2000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "controller.quorum.retry.backoff.ms": Int = "20",
        Low, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "controller.quorum.voters": List = "", High, ReadOnly, Any, Implemented,
        "";
    "controller.socket.timeout.ms": Int = "30000", Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "initial.broker.registration.timeout.ms": Int = "60000",
        Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "metadata.log.dir": String = null, High, ReadOnly, Any, Implemented,
        "";
    "metadata.log.max.record.bytes.between.snapshots": Long = "20971520",
        High, ReadOnly, AtLeast(1), Implemented,
        "";
    "metadata.log.max.snapshot.interval.ms": Long = "3600000",
        High, ReadOnly, AtLeast(0), Implemented,
        "";
    "metadata.log.segment.bytes": Int = "1073741824",
        High, ReadOnly, AtLeast(8_388_608), Implemented,
        "";
    "metadata.log.segment.ms": Long = "604800000", High, ReadOnly, Any, Implemented,
        "";
    "metadata.max.idle.interval.ms": Int = "500", Low, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "metadata.max.retention.bytes": Long = "104857600", High, ReadOnly, Any, Implemented,
        "";
    "metadata.max.retention.ms": Long = "604800000", High, ReadOnly, Any, Implemented,
        "";
    "node.id": Int = null, High, ReadOnly, AtLeast(0), Implemented,
        "";
    "process.roles": List = null, High, ReadOnly, ListOf(&["broker", "controller"]), Implemented,
        "";
};
