//! Who this node is, and the KRaft quorum it stands in.

use super::reasons::ALONE;
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, ListOf};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static IDENTITY: &[Setting] = rows! {
    "broker.heartbeat.interval.ms": Int = "2000", Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "Time between two heartbeats of a broker to the controller.";
    "broker.id": Int = "-1", High, ReadOnly, Any, Implemented,
        "Older name of node.id.";
    "broker.rack": String = null, Medium, ReadOnly, Any, Implemented,
        "The rack in which this broker stands: replicas are spread over racks.";
    "broker.session.timeout.ms": Int = "9000", Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "Time without a heartbeat after which the controller fences a broker.";
    "controller.listener.names": List = null, High, ReadOnly, Any, Implemented,
        "Names of the listeners that controllers use.";
    "controller.quorum.append.linger.ms": Int = "25",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "How long the leader of the quorum gathers records before it syncs them.";
    "controller.quorum.auto.join.enable": Boolean = "false",
        Low, ReadOnly, Any, WithoutEffect(ALONE),
        "Whether a controller that starts asks to become a voter.";
    "controller.quorum.bootstrap.servers": List = "", High, ReadOnly, Any, Implemented,
        "Addresses by which the quorum of controllers is found.";
    "controller.quorum.election.backoff.max.ms": Int = "1000",
        High, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "Longest pause before another election, after one without a winner.";
    "controller.quorum.election.timeout.ms": Int = "1000",
        High, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "How long a candidate waits for votes.";
    "controller.quorum.fetch.max.bytes": Int = "1048576",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "Most bytes of the metadata log in one fetch.";
    "controller.quorum.fetch.snapshot.max.bytes": Int = "1048576",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "Most bytes of a metadata snapshot in one fetch.";
    "controller.quorum.fetch.timeout.ms": Int = "2000",
        High, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "Time without a successful fetch after which a new leader is elected.";
    "controller.quorum.request.timeout.ms": Int = "2000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "How long a request within the quorum waits for its answer.";
    "controller.quorum.retry.backoff.ms": Int = "20",
        Low, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "Pause before a request within the quorum is sent again.";
    "controller.quorum.voters": List = "", High, ReadOnly, Any, Implemented,
        "The voters of a static quorum, as id@host:port.";
    "controller.socket.timeout.ms": Int = "30000", Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "How long the controller's connections to brokers wait for an answer.";
    "initial.broker.registration.timeout.ms": Int = "60000",
        Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "How long a broker that starts tries to register with the controller.";
    "metadata.log.dir": String = null, High, ReadOnly, Any, Implemented,
        "The directory of the metadata log; the first log directory where it is not set.";
    "metadata.log.max.record.bytes.between.snapshots": Long = "20971520",
        High, ReadOnly, AtLeast(1), Implemented,
        "Bytes of metadata records after which a snapshot is written.";
    "metadata.log.max.snapshot.interval.ms": Long = "3600000",
        High, ReadOnly, AtLeast(0), Implemented,
        "Longest time between two metadata snapshots; 0 is no limit.";
    "metadata.log.segment.bytes": Int = "1073741824",
        High, ReadOnly, AtLeast(8_388_608), Implemented,
        "Size of a segment of the metadata log.";
    "metadata.log.segment.ms": Long = "604800000", High, ReadOnly, Any, Implemented,
        "Age at which a segment of the metadata log is closed.";
    "metadata.max.idle.interval.ms": Int = "500", Low, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "Longest time without a metadata record before an empty one is written.";
    "metadata.max.retention.bytes": Long = "104857600", High, ReadOnly, Any, Implemented,
        "Size of the metadata log and its snapshots beyond which the oldest go.";
    "metadata.max.retention.ms": Long = "604800000", High, ReadOnly, Any, Implemented,
        "Age beyond which metadata segments and snapshots go.";
    "node.id": Int = null, High, ReadOnly, AtLeast(0), Implemented,
        "The number of this node, unlike any other's in the cluster.";
    "process.roles": List = null, High, ReadOnly, ListOf(&["broker", "controller"]), Implemented,
        "What this node is: broker, controller, or both.";
};
