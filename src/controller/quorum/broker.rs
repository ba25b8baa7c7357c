//! The broker beside this controller: it registers, joins and leaves by the same commands as any
//! other, only without a network between.

use super::{QuorumController, QuorumError};
use crate::base::prng::Prng;
use crate::base::time::Now;
use crate::base::uuid::Uuid;
use crate::controller::{Command, ControllerResult, Reply};
use crate::metadata::features::FEATURES;
use crate::metadata::image::cluster::Endpoint;
use crate::protocol::messages::broker_heartbeat::BrokerHeartbeatRequest;
use crate::protocol::messages::broker_registration::{
    BrokerRegistrationRequest, Feature, Listener,
};
use crate::protocol::metadata_records::RegisterControllerRecord;
use crate::protocol::metadata_records::broker::{ControllerEndpoint, ControllerFeature};

/// What this node tells the cluster about itself when it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnBroker {
    /// Where clients reach it: `advertised.listeners`.
    pub listeners: Vec<Endpoint>,
    /// Where controllers and tools reach its controller; empty where it listens for none.
    pub controller_listeners: Vec<Endpoint>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Ids of its log directories that are online.
    pub directories: Vec<Uuid>,
    /// From `.kafka_cleanshutdown`, or -1 after an unclean stop.
    pub previous_broker_epoch: i64,
}

impl QuorumController {
    /// Registers this node's controller and broker, the broker still fenced. Returns its epoch.
    pub fn register_own(
        &mut self,
        own: &OwnBroker,
        now: Now,
        prng: &mut Prng,
    ) -> Result<i64, QuorumError> {
        let settings = self.controller.settings();
        let node_id = settings.node_id.0;
        let registration = BrokerRegistrationRequest {
            broker_id: node_id,
            cluster_id: settings.cluster_id.as_str().into(),
            incarnation_id: Uuid::from_random(prng.next(), prng.next()),
            listeners: own.listeners.iter().map(listener).collect(),
            features: FEATURES
                .iter()
                .map(|feature| Feature {
                    name: feature.name.into(),
                    min_supported_version: feature.supported.min,
                    max_supported_version: feature.supported.max,
                    ..Feature::default()
                })
                .collect(),
            rack: own.rack.as_deref().map(Into::into),
            is_migrating_zk_broker: false,
            log_dirs: own.directories.clone(),
            previous_broker_epoch: own.previous_broker_epoch,
            ..BrokerRegistrationRequest::default()
        };
        let controller = RegisterControllerRecord {
            controller_id: node_id,
            incarnation_id: Uuid::from_random(prng.next(), prng.next()),
            zk_migration_ready: false,
            end_points: own
                .controller_listeners
                .iter()
                .map(controller_endpoint)
                .collect(),
            features: FEATURES
                .iter()
                .map(|feature| ControllerFeature {
                    name: feature.name.into(),
                    min_supported_version: feature.supported.min,
                    max_supported_version: feature.supported.max,
                    ..ControllerFeature::default()
                })
                .collect(),
            ..RegisterControllerRecord::default()
        };
        self.run(Command::RegisterController(controller), now, prng)?;
        let reply = self.run(Command::RegisterBroker(registration), now, prng)?;
        if let Reply::RegisterBroker(response) = &reply
            && response.error_code == 0
        {
            return Ok(response.broker_epoch);
        }
        Err(QuorumError::Registration(format!("{reply:?}")))
    }

    /// Unfences this node's broker: its logs are open, it can lead. From here on the records name
    /// it as the leader of its partitions; clients are let in when they are committed.
    pub fn unfence_own(&mut self, now: Now, prng: &mut Prng) -> Result<(), QuorumError> {
        self.heartbeat_own(false, now, prng).map(drop)
    }

    /// Hands the leaderships of this node's broker on (alone, to nobody) and fences it: the records
    /// of a clean stop. Once they are committed, `.kafka_cleanshutdown` may name the broker epoch.
    pub fn fence_own(&mut self, now: Now, prng: &mut Prng) -> Result<(), QuorumError> {
        // The first empties the ISRs, the second fences. A third would find nothing to do.
        for _ in 0..2 {
            if self.heartbeat_own(true, now, prng)? {
                break;
            }
        }
        Ok(())
    }

    /// The epoch of this node's broker, where it is registered.
    #[must_use]
    pub fn own_broker_epoch(&self) -> Option<i64> {
        let image = self.controller.image();
        image
            .cluster
            .broker(self.controller.settings().node_id)
            .map(|broker| broker.epoch)
    }

    fn heartbeat_own(
        &mut self,
        want_shut_down: bool,
        now: Now,
        prng: &mut Prng,
    ) -> Result<bool, QuorumError> {
        let Some(broker_epoch) = self.own_broker_epoch() else {
            return Ok(true);
        };
        let request = BrokerHeartbeatRequest {
            broker_id: self.controller.settings().node_id.0,
            broker_epoch,
            // It replays what the controller appends: it is never behind.
            current_metadata_offset: self.controller.image().provenance.last_offset.0,
            want_fence: false,
            want_shut_down,
            cordoned_log_dirs: Some(Vec::new()),
            ..BrokerHeartbeatRequest::default()
        };
        let reply = self.run(Command::BrokerHeartbeat(request), now, prng)?;
        let Reply::BrokerHeartbeat(response) = &reply else {
            return Err(QuorumError::Registration(format!("{reply:?}")));
        };
        Ok(response.should_shut_down)
    }

    /// Decides and appends a command whose answer nobody waits for.
    fn run(&mut self, command: Command, now: Now, prng: &mut Prng) -> Result<Reply, QuorumError> {
        let result: ControllerResult = self.controller.handle(command, prng);
        self.append(result, now)
    }
}

fn listener(endpoint: &Endpoint) -> Listener {
    Listener {
        name: (&*endpoint.name).into(),
        host: (&*endpoint.host).into(),
        port: endpoint.port,
        security_protocol: endpoint.security_protocol,
        ..Listener::default()
    }
}

fn controller_endpoint(endpoint: &Endpoint) -> ControllerEndpoint {
    ControllerEndpoint {
        name: (&*endpoint.name).into(),
        host: (&*endpoint.host).into(),
        port: endpoint.port,
        security_protocol: endpoint.security_protocol,
        ..ControllerEndpoint::default()
    }
}
