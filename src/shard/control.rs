//! Shard 0's further duty: the controller with its log, and the life of the broker that hangs on it:
//! registration, serving, stopping.
//!
//! ```text
//!   Command ─► controller ─► records ─► this turn's write, then a sync on the ring
//!                                        │
//!              reply ◄── every shard ◄── committed
//! ```
//! A reply waits until every shard has said that it replayed what the command did: whoever is told
//! that a topic is deleted finds it nowhere, by whichever connection, on whichever core.

use super::mail::{CheckpointFiles, CheckpointLines, Mail, Opened};
use super::start::{Announcement, Directories};
use super::{Phase, Shard};
use crate::base::ids::{NodeId, Offset};
use crate::base::time::Instant;
use crate::base::uuid::Uuid;
use crate::config::Configuration;
use crate::controller::quorum::{Committed, QuorumController, QuorumInput};
use crate::controller::{Command, ControllerSettings, Reply, unsupported_features};
use crate::handler::Broker;
use crate::log::OpenInput;
use crate::metadata::batch::MetadataBatch;
use crate::metadata::features::FEATURES;
use crate::metadata::image::MetadataImage;
use crate::metadata::image::configs::ConfigResourceType;
use crate::partition::settings::overrides;
use crate::partition::work::Origin;
use crate::protocol::messages::broker_heartbeat::BrokerHeartbeatRequest;
use crate::protocol::messages::broker_registration::{self, BrokerRegistrationRequest};
use crate::protocol::metadata_records::broker::{
    ControllerEndpoint, ControllerFeature, RegisterControllerRecord,
};
use crate::protocol::string::Str;
use crate::runtime::io::Io;
use std::collections::VecDeque;
use std::sync::Arc;

/// Token of syncs of the metadata log: no partition's has this bit.
const SYNC_TOKEN: u64 = 1 << 63;
/// Of the sync of a snapshot's file.
const SNAPSHOT_TOKEN: u64 = SYNC_TOKEN | 1;
/// Of the sync of the directory, after the file got its name.
const SNAPSHOT_NAME_TOKEN: u64 = SYNC_TOKEN | 2;

/// Whether a sync was the metadata log's, or a snapshot's.
pub fn is_control_token(token: u64) -> bool {
    token & SYNC_TOKEN != 0
}

/// The controller, and what shard 0 knows of the others.
pub struct Control {
    quorum: QuorumController,
    /// The cluster as it was found on disk, until every shard has it.
    found: Option<Arc<MetadataImage>>,
    /// Who waits for the answer to a command, by ticket.
    waiters: std::collections::BTreeMap<u64, Waiter>,
    next_ticket: u64,
    /// Batches that were given to every shard since the start.
    published: u64,
    /// How many of them each shard has replayed; this one too.
    replayed: Vec<u64>,
    /// Replies that some shard is not ready for: how many batches come before them.
    held: VecDeque<(u64, Origin, Reply)>,
    /// Files of the metadata log that are being synced, and the offset that will be durable.
    syncing: Option<(usize, Offset)>,
    incarnation_id: Uuid,
    directory_ids: Vec<Uuid>,
    previous_broker_epoch: i64,
    broker_epoch: i64,
    opened: Vec<Opened>,
    /// What the checkpoint files shall say, by core; `None` where a core has not spoken yet.
    pub checkpoints: Vec<Option<Vec<CheckpointLines>>>,
    /// Shards that have closed their logs.
    pub shards_closed: usize,
    pub(super) is_clean: bool,
}

/// Who waits for a reply.
enum Waiter {
    /// A client's request.
    Request(Origin),
    /// The start of this broker.
    Start,
    /// Its stop.
    Stop,
}

impl Control {
    /// Reads the metadata, and takes the lead.
    ///
    /// # Errors
    /// One sentence that says what cannot be read.
    pub fn open(
        io: &mut Io<Mail>,
        configuration: &Arc<Configuration>,
        broker: &Broker,
        directories: &Directories,
    ) -> Result<Control, String> {
        let disk = io.disk().clone();
        let (log_dir, directory_id) = directories.home.clone();
        let settings = ControllerSettings {
            node_id: configuration.node_id(),
            cluster_id: broker.cluster_id.clone(),
            configuration: Arc::clone(configuration),
        };
        // The metadata log is replayed whole by every start, so it is always checked whole.
        let open = OpenInput {
            clean: false,
            recovery_point: Offset(0),
            log_start_offset: Offset(0),
        };
        let input = QuorumInput {
            disk,
            log_dir,
            directory_id,
            settings,
            open,
        };
        let opened = QuorumController::open(input, io.now()).map_err(|error| error.to_string())?;
        for (feature, level) in unsupported_features(&opened.image) {
            tracing::warn!(
                "the cluster has {feature} at level {level}, which klamm does not support"
            );
        }
        let epochs = directories
            .list
            .iter()
            .map(|directory| directory.broker_epoch);
        Ok(Control {
            quorum: opened.quorum,
            found: Some(Arc::new(opened.image)),
            waiters: std::collections::BTreeMap::new(),
            next_ticket: 0,
            published: 0,
            replayed: vec![0; io.cores()],
            held: VecDeque::new(),
            syncing: None,
            incarnation_id: Uuid::from_random(io.random(), io.random()),
            directory_ids: directories
                .list
                .iter()
                .map(|directory| directory.id)
                .collect(),
            // Only a stop that was clean everywhere proves that nothing was lost.
            previous_broker_epoch: epochs.min().flatten().unwrap_or(-1),
            broker_epoch: -1,
            opened: Vec::new(),
            checkpoints: vec![None; io.cores()],
            shards_closed: 0,
            is_clean: true,
        })
    }

    /// Whether every shard has opened its logs. Nothing is written before: what a new leader writes
    /// first goes with the registration.
    fn has_opened(&self) -> bool {
        self.opened.len() == self.replayed.len()
    }

    /// Decides a command, and lets its reply wait for what it wrote.
    fn submit(&mut self, io: &mut Io<Mail>, waiter: Waiter, command: Command) {
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        let now = io.now();
        match self.quorum.submit(ticket, command, now, io.prng()) {
            Ok(()) => {
                self.waiters.insert(ticket, waiter);
            }
            Err(error) => fail(io, &error),
        }
    }

    fn registration(&self, configuration: &Configuration, broker: &Broker) -> Command {
        let listeners = configuration
            .advertised_listeners()
            .iter()
            .map(|listener| broker_registration::Listener {
                name: Str::from(listener.name.as_str()),
                host: Str::from(listener.host.as_str()),
                port: listener.port,
                security_protocol: listener.protocol.code(),
                ..broker_registration::Listener::default()
            })
            .collect();
        let features = FEATURES
            .iter()
            .map(|feature| broker_registration::Feature {
                name: Str::from(feature.name),
                min_supported_version: feature.supported.min,
                max_supported_version: feature.supported.max,
                ..broker_registration::Feature::default()
            })
            .collect();
        Command::RegisterBroker(BrokerRegistrationRequest {
            broker_id: configuration.node_id().0,
            cluster_id: Str::from(broker.cluster_id.as_str()),
            incarnation_id: self.incarnation_id,
            listeners,
            features,
            rack: configuration.broker_rack().map(Str::from),
            log_dirs: self.directory_ids.clone(),
            previous_broker_epoch: self.previous_broker_epoch,
            ..BrokerRegistrationRequest::default()
        })
    }

    fn controller_registration(&self, configuration: &Configuration) -> Command {
        let end_points = configuration
            .controller_listeners()
            .iter()
            .map(|listener| ControllerEndpoint {
                name: Str::from(listener.name.as_str()),
                host: Str::from(listener.host.as_str()),
                port: listener.port,
                security_protocol: listener.protocol.code(),
                ..ControllerEndpoint::default()
            })
            .collect();
        let features = FEATURES
            .iter()
            .map(|feature| ControllerFeature {
                name: Str::from(feature.name),
                min_supported_version: feature.supported.min,
                max_supported_version: feature.supported.max,
                ..ControllerFeature::default()
            })
            .collect();
        Command::RegisterController(RegisterControllerRecord {
            controller_id: configuration.node_id().0,
            incarnation_id: self.incarnation_id,
            end_points,
            features,
            ..RegisterControllerRecord::default()
        })
    }

    fn heartbeat(&self, node_id: NodeId, want_fence: bool, want_shut_down: bool) -> Command {
        Command::BrokerHeartbeat(BrokerHeartbeatRequest {
            broker_id: node_id.0,
            broker_epoch: self.broker_epoch,
            current_metadata_offset: self.quorum.raft().log_end_offset().0,
            want_fence,
            want_shut_down,
            ..BrokerHeartbeatRequest::default()
        })
    }
}

impl Shard {
    /// Shard 0, first turn: gives every shard the cluster as it was found.
    pub(super) fn begin(&mut self, io: &mut Io<Mail>) {
        let Some(control) = self.control.as_mut() else {
            return;
        };
        let Some(image) = control.found.take() else {
            return;
        };
        self.broadcast(io, || Mail::Image(Arc::clone(&image)));
    }

    /// Every shard: takes the cluster as shard 0 found it, and opens its logs.
    pub(super) fn on_image(&mut self, io: &mut Io<Mail>, image: MetadataImage) {
        self.image = image;
        self.configure();
        self.open_logs(io);
    }

    /// Every shard: replays what was committed, and acts on it.
    pub(super) fn on_committed(&mut self, io: &mut Io<Mail>, batch: &MetadataBatch) {
        let delta = match self.image.replay(batch) {
            Ok(delta) => delta,
            // Every shard replays what the controller replayed first: this cannot happen.
            Err(error) => panic!("a committed batch cannot be replayed: {error}"),
        };
        if !delta.configs.is_empty() {
            self.configure();
        }
        if !delta.topics_deleted.is_empty() {
            self.topics.clear();
        }
        // The next start finds what the metadata wants of logs that are closed already.
        if !self.logs.are_closed {
            self.note_changes(delta);
            return;
        }
        let core = self.core;
        self.pass(io, 0, Mail::Replayed { core });
    }

    /// Shard 0: a shard has replayed a batch. Sends the replies that waited for it.
    pub(super) fn on_replayed(&mut self, io: &mut Io<Mail>, core: usize) {
        let Some(control) = self.control.as_mut() else {
            return;
        };
        control.replayed[core] += 1;
        let by_all = control.replayed.iter().copied().min().unwrap_or(0);
        let ready = control.held.iter().take_while(|held| held.0 <= by_all);
        let count = ready.count();
        let ready: Vec<_> = control.held.drain(..count).collect();
        for (_, origin, reply) in ready {
            let request = origin.request;
            self.pass(io, origin.core, Mail::Reply { request, reply });
        }
    }

    /// Puts the image's dynamic settings in force.
    fn configure(&mut self) {
        let configs = &self.image.configs;
        let node = self.static_configuration.node_id().to_string();
        let own = overrides(configs.settings(ConfigResourceType::BROKER, &node));
        let all = overrides(configs.settings(ConfigResourceType::BROKER, ""));
        self.configuration = if own.is_empty() && all.is_empty() {
            Arc::clone(&self.static_configuration)
        } else {
            let (configuration, errors) = self.static_configuration.with_dynamic(&own, &all);
            for error in errors {
                tracing::warn!("a dynamic setting is left out: {error}");
            }
            Arc::new(configuration)
        };
        self.topics.clear();
    }

    /// Shard 0: a shard has opened its logs. When all have, the broker is registered and asks to be
    /// unfenced: in one write, because each that is waited for costs a sync of the device.
    pub(super) fn on_opened(&mut self, io: &mut Io<Mail>, opened: Opened) {
        let node_id = self.configuration.node_id();
        let Some(control) = self.control.as_mut() else {
            return;
        };
        control.opened.push(opened);
        if !control.has_opened() {
            return;
        }
        let registration = control.controller_registration(&self.configuration);
        control.submit(io, Waiter::Start, registration);
        let registration = control.registration(&self.configuration, &self.broker);
        control.submit(io, Waiter::Start, registration);
        // Where it was refused this is the epoch of an earlier start, and the reply ends this one.
        let brokers = &control.quorum.controller().image().cluster.brokers;
        control.broker_epoch = brokers.get(&node_id).map_or(-1, |broker| broker.epoch);
        let heartbeat = control.heartbeat(node_id, false, false);
        control.submit(io, Waiter::Start, heartbeat);
    }

    pub(super) fn on_serve(&mut self, io: &mut Io<Mail>) {
        self.phase = Phase::Serving;
        // What this broker leads since it was registered: else coordinators would be loaded twice.
        self.apply_all_changes(io);
        self.follow_coordinators(io, None);
        self.announce(io);
        if self.core == 0 {
            self.remove_deleted(io);
        }
        if self.stops_when_serving {
            self.on_stop(io);
        }
    }

    /// Shard 0: says that the broker serves.
    fn announce(&self, io: &Io<Mail>) {
        if self.core != 0 {
            return;
        }
        let Some(control) = self.control.as_ref() else {
            return;
        };
        let announcement = Announcement {
            cores: self.cores,
            directories: self.broker.directories.clone(),
            cluster_id: self.broker.cluster_id.clone(),
            logs: control.opened.iter().map(|opened| opened.logs).sum(),
            scanned_bytes: control
                .opened
                .iter()
                .map(|opened| opened.scanned_bytes)
                .sum(),
            truncated_bytes: control
                .opened
                .iter()
                .map(|opened| opened.truncated_bytes)
                .sum(),
            took: io.now().instant.since(Instant(0)),
        };
        self.start.announce(&announcement);
    }

    pub(super) fn on_command(&mut self, io: &mut Io<Mail>, origin: Origin, command: Command) {
        if let Some(control) = self.control.as_mut() {
            control.submit(io, Waiter::Request(origin), command);
        }
    }

    /// Shard 0: writes the metadata of this turn, and starts the syncs that commit it.
    pub(super) fn write_metadata(&mut self, io: &mut Io<Mail>) {
        let now = io.now();
        let Some(control) = self.control.as_mut().filter(|it| it.has_opened()) else {
            return;
        };
        match control.quorum.write(now) {
            Ok(None) => {}
            // A full disk: the commands of this turn fail, and later ones may go well.
            Ok(Some(error)) => tracing::error!("the metadata log could not be written: {error}"),
            Err(error) => fail(io, &error),
        }
        if control.syncing.is_none() {
            match control.quorum.unsynced() {
                Ok(unsynced) => {
                    let count = unsynced.files.len() + usize::from(unsynced.is_directory);
                    if count > 0 {
                        control.syncing = Some((count, unsynced.end_offset));
                    }
                    for file in &unsynced.files {
                        io.sync(file, SYNC_TOKEN);
                    }
                    if unsynced.is_directory {
                        io.sync_directory(control.quorum.directory(), SYNC_TOKEN);
                    }
                }
                Err(error) => fail(io, &error),
            }
        }
        self.publish(io);
    }

    pub(super) fn on_metadata_synced(
        &mut self,
        io: &mut Io<Mail>,
        token: u64,
        result: std::io::Result<()>,
    ) {
        if token != SYNC_TOKEN {
            self.on_snapshot_synced(io, token, result);
            return;
        }
        let now = io.now();
        let Some(control) = self.control.as_mut() else {
            return;
        };
        if let Err(error) = result {
            // A failed sync is not retried: the kernel has marked the pages clean already.
            fail(io, &error);
        }
        let Some((files, end)) = control.syncing.take() else {
            return;
        };
        if files > 1 {
            control.syncing = Some((files - 1, end));
            return;
        }
        control.quorum.on_synced(end, now);
        self.publish(io);
    }

    /// Gives every shard what has been committed, then the replies that rest on it.
    fn publish(&mut self, io: &mut Io<Mail>) {
        let now = io.now();
        let Some(control) = self.control.as_mut() else {
            return;
        };
        for committed in control.quorum.take_committed(now) {
            match committed {
                Committed::Batch(batch) => {
                    if let Some(control) = self.control.as_mut() {
                        control.published += 1;
                    }
                    self.broadcast(io, || Mail::Committed(Arc::clone(&batch)));
                }
                Committed::Reply { ticket, reply } => self.answer(io, ticket, Ok(reply)),
                Committed::Failed { ticket, reply } => self.answer(io, ticket, Err(reply)),
            }
        }
    }

    /// Gives the answer to a command, or what stands for it where its records were not written, to
    /// the one who waits for it.
    fn answer(&mut self, io: &mut Io<Mail>, ticket: u64, reply: Result<Reply, Reply>) {
        let Some(control) = self.control.as_mut() else {
            return;
        };
        match (control.waiters.remove(&ticket), reply) {
            (Some(Waiter::Request(origin)), Ok(reply) | Err(reply)) => {
                let published = control.published;
                if control.replayed.iter().all(|&count| count >= published) {
                    let request = origin.request;
                    self.pass(io, origin.core, Mail::Reply { request, reply });
                } else {
                    control.held.push_back((published, origin, reply));
                }
            }
            // Start and stop wait for no shard: some may have ended already.
            (Some(Waiter::Start), Ok(reply)) => self.on_start_reply(io, &reply),
            (Some(Waiter::Start), Err(_)) => fail(io, &"the broker could not be registered"),
            (Some(Waiter::Stop), _) => self.close_own(io),
            (None, _) => {}
        }
    }

    fn on_start_reply(&mut self, io: &mut Io<Mail>, reply: &Reply) {
        let Some(control) = self.control.as_ref() else {
            return;
        };
        match reply {
            Reply::RegisterBroker(response) => assert_eq!(
                response.broker_epoch, control.broker_epoch,
                "the broker's own registration is refused with error {}",
                response.error_code
            ),
            Reply::BrokerHeartbeat(_) => self.broadcast(io, || Mail::Serve),
            Reply::CreateTopics(_)
            | Reply::DeleteTopics(_)
            | Reply::CreatePartitions(_)
            | Reply::IncrementalAlterConfigs(_)
            | Reply::AlterConfigs(_)
            | Reply::AllocateProducerIds(_)
            | Reply::Done => {}
        }
    }

    /// Shard 0: writes a snapshot of the metadata where one is due, and lets go of what is old.
    pub(super) fn tend_metadata(&mut self, io: &mut Io<Mail>) {
        let now = io.now();
        let Some(control) = self.control.as_mut() else {
            return;
        };
        if let Err(error) = control.quorum.clean_if_due(now) {
            tracing::error!("old metadata stays: {error}");
        }
        for path in control.quorum.take_removable(now) {
            io.remove_file(&path);
        }
        if !control.quorum.is_snapshot_due(now) {
            return;
        }
        match control.quorum.begin_snapshot(&self.image, now) {
            Ok(Some(file)) => io.sync(&file, SNAPSHOT_TOKEN),
            Ok(None) => {}
            Err(error) => tracing::error!("the metadata snapshot was not written: {error}"),
        }
    }

    /// Shard 0: the snapshot is durable, or its name is.
    fn on_snapshot_synced(&mut self, io: &mut Io<Mail>, token: u64, result: std::io::Result<()>) {
        let Some(control) = self.control.as_mut() else {
            return;
        };
        let quorum = &mut control.quorum;
        if let Err(error) = result {
            tracing::error!("the metadata snapshot is not durable: {error}");
            if let Some(part) = quorum.abandon_snapshot() {
                io.remove_file(&part);
            }
            return;
        }
        let done = if token == SNAPSHOT_TOKEN {
            quorum.name_snapshot().map(|()| {
                io.sync_directory(quorum.directory(), SNAPSHOT_NAME_TOKEN);
            })
        } else {
            quorum.finish_snapshot();
            Ok(())
        };
        if let Err(error) = done {
            tracing::error!("the metadata snapshot was not written: {error}");
        }
    }

    /// Any shard: the process shall end. New requests are not read; shard 0 tells the controller.
    pub(super) fn on_stop(&mut self, io: &mut Io<Mail>) {
        match self.phase {
            // What has begun is brought to its end first: then there is one way to stop.
            Phase::Opening => {
                self.stops_when_serving = true;
                return;
            }
            Phase::Serving => self.phase = Phase::Stopping,
            Phase::Stopping | Phase::Stopped => return,
        }
        let node_id = self.configuration.node_id();
        match self.control.as_mut() {
            Some(control) => {
                let heartbeat = control.heartbeat(node_id, false, true);
                control.submit(io, Waiter::Stop, heartbeat);
            }
            None => self.close_own(io),
        }
    }

    /// Closes this shard's logs and connections, and says so to shard 0.
    pub(super) fn close_own(&mut self, io: &mut Io<Mail>) {
        self.apply_all_changes(io);
        self.settle(io);
        self.logs.close_when_written = self.partitions.are_writing();
        if self.logs.close_when_written {
            return; // the turn that ends the last of these writes comes back here
        }
        self.send(io);
        self.say_counters(io);
        let is_clean = self.close_logs(io);
        for socket in self.connections.sockets() {
            io.close(socket);
        }
        let lines = self.checkpoint_lines();
        self.pass(
            io,
            0,
            Mail::Checkpoint {
                core: self.core,
                lines,
                files: CheckpointFiles::ALL,
                closed_cleanly: Some(is_clean),
            },
        );
        if self.core != 0 {
            self.phase = Phase::Stopped;
        }
    }

    /// How many bytes went which way: the last word of a shard about its work.
    fn say_counters(&self, io: &Io<Mail>) {
        let counters = io.counters();
        tracing::info!(
            shard = self.core,
            received_bytes = counters.received_bytes,
            sent_memory_bytes = counters.sent_memory_bytes,
            sent_file_bytes = counters.sent_file_bytes,
            sent_splice_bytes = counters.sent_splice_bytes,
            written_bytes = counters.written_bytes,
            written_away_bytes = counters.written_away_bytes,
            turns = counters.turns,
            sleeps = counters.sleeps,
            handed_over = counters.handed_over,
            "stopped"
        );
    }

    /// Shard 0: when every shard has closed its logs, the metadata log is closed, and the marker of a
    /// clean stop is left.
    pub(super) fn stop_if_closed(&mut self, io: &mut Io<Mail>) {
        let disk = io.disk().clone();
        let Some(control) = self.control.as_mut() else {
            return;
        };
        if self.phase != Phase::Stopping || control.shards_closed < self.cores {
            return;
        }
        let mut is_clean = control.is_clean;
        if let Err(error) = control.quorum.close(io.now()) {
            tracing::error!("the metadata log was not closed cleanly: {error}");
            is_clean = false;
        }
        if is_clean {
            for directory in &self.logs.directories.list {
                let epoch = control.broker_epoch;
                if let Err(error) = crate::log::clean_shutdown::write(&disk, &directory.path, epoch)
                {
                    tracing::error!("the next start will check the logs: {error}");
                }
            }
        }
        self.phase = Phase::Stopped;
    }
}

/// The metadata log cannot go on, and there is nobody else to lead it: the process ends, as Kafka's
/// does.
fn fail(io: &Io<Mail>, error: &dyn std::fmt::Display) -> ! {
    io.end_process(&format!(
        "the metadata log cannot be written: {error}; the broker stops"
    ))
}
