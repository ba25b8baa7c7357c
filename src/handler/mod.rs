//! One file per API, and the table that leads a request to it.
//!
//! A handler is given a request and what its core knows, and says what is to be sent. What needs the
//! owner of a partition on another core, or the controller, leaves as [`Work`] or a [`Command`]
//! through the [`Outbox`]; the request then waits as a [`State`] until its answers are there. Work for
//! this very core takes the same way: a handler never touches a partition.

mod api_versions;
mod commands;
mod consumer_group_describe;
mod consumer_group_heartbeat;
mod delete_groups;
mod delete_records;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_topic_partitions;
mod fetch;
mod find_coordinator;
mod gather;
mod group;
mod heartbeat;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod per_group;
mod produce;
mod sync_group;
mod targets;

pub use init_producer_id::ProducerIds;

use crate::base::ids::PartitionIndex;
use crate::base::prng::Prng;
use crate::base::time::{Instant, Now};
use crate::config::Configuration;
use crate::connection::Reply;
use crate::controller::{Command, Reply as CommandReply};
use crate::coordinator::group::{GroupCommand, GroupReply};
use crate::metadata::image::MetadataImage;
use crate::partition::session::FetchSessions;
use crate::partition::settings::TopicSettingsTable;
use crate::partition::work::{Answer, Origin, RequestId, Work};
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::header::RequestHeader;
use crate::protocol::{Encoded, Message, Reader, Request as RequestMessage, encode_response};
use crate::runtime::disk::{Disk, FileSlice};
use crate::runtime::io::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What is fixed while the broker runs.
#[derive(Debug)]
pub struct Broker {
    /// The cluster's id.
    pub cluster_id: String,
    /// The log directories, absolute, in the order of `log.dirs`.
    pub directories: Vec<PathBuf>,
}

/// What a handler sees and may change.
pub struct Context<'a> {
    /// Both clocks.
    pub now: Now,
    /// This core.
    pub core: usize,
    /// How many there are.
    pub cores: usize,
    /// What is fixed.
    pub broker: &'a Arc<Broker>,
    /// The settings in force.
    pub configuration: &'a Configuration,
    /// The cluster, as this core has replayed it.
    pub image: &'a MetadataImage,
    /// The settings of topics, resolved.
    pub topics: &'a mut TopicSettingsTable,
    /// Fetch sessions of this core.
    pub sessions: &'a mut FetchSessions,
    /// Producer ids that this core may give out.
    pub producer_ids: &'a mut ProducerIds,
    /// What leaves.
    pub outbox: &'a mut Outbox,
    /// The file system, for what is asked about it.
    pub disk: &'a Disk,
    /// Randomness.
    pub random: &'a mut Prng,
    /// The name of the listener that the request came in by.
    pub listener: &'a str,
}

/// What leaves a handler for other machines of the broker.
#[derive(Default)]
pub struct Outbox {
    /// For the owners of partitions: the core, who asks, what for.
    pub works: Vec<(usize, Origin, Work)>,
    /// For the controller.
    pub commands: Vec<(Origin, Command)>,
    /// For coordinators of groups: the core, who asks, the partition of `__consumer_offsets`, what
    /// for.
    pub groups: Vec<(usize, Origin, PartitionIndex, Box<GroupCommand>)>,
}

/// A request as it arrived.
pub struct Request {
    /// Its place in this core's table.
    pub id: RequestId,
    /// The place of its connection in this core's table.
    pub connection: u32,
    /// Which listener it came in by.
    pub listener: usize,
    /// Who asks.
    pub peer: SocketAddr,
    /// The header.
    pub header: RequestHeader,
    /// Stands at what follows the header.
    pub body: Reader,
}

/// What becomes of a request.
pub enum Outcome {
    /// It is answered.
    Reply(Reply),
    /// It is not answered at all: a Produce with acks=0 that went well.
    Silent,
    /// It waits for answers.
    Waits(State),
    /// Its connection is closed, for this reason.
    Close(String),
}

/// A request that waits for answers.
pub enum State {
    /// See `produce`.
    Produce(produce::Waiting),
    /// See `fetch`.
    Fetch(fetch::Waiting),
    /// See `list_offsets`.
    ListOffsets(list_offsets::Waiting),
    /// See `offset_for_leader_epoch`.
    OffsetForLeaderEpoch(offset_for_leader_epoch::Waiting),
    /// See `delete_records`.
    DeleteRecords(delete_records::Waiting),
    /// See `describe_log_dirs`.
    DescribeLogDirs(describe_log_dirs::Waiting),
    /// See `metadata`.
    Metadata(metadata::Waiting),
    /// See `init_producer_id`.
    InitProducerId(init_producer_id::Waiting),
    /// See `commands`.
    Command(Responder),
    /// See `find_coordinator`.
    FindCoordinator(find_coordinator::Waiting),
    /// See `group`.
    Group(group::Waiting),
}

/// What is needed to encode a response once it is known.
#[derive(Clone, Copy, Debug)]
pub struct Responder {
    /// The API.
    pub api: ApiKey,
    /// Its version, as the request had it.
    pub version: i16,
    /// The request's number.
    pub correlation_id: i32,
}

impl Responder {
    fn of(header: &RequestHeader, api: ApiKey) -> Responder {
        Responder {
            api,
            version: header.api_version,
            correlation_id: header.correlation_id,
        }
    }

    /// Encodes a response that lies in memory.
    fn reply<M: Message>(&self, response: &M) -> Outcome {
        self.reply_with_files(response, Vec::new())
    }

    /// Encodes a response of which parts lie in files: `files` by the tokens of its `Records`.
    fn reply_with_files<M: Message>(&self, response: &M, files: Vec<FileSlice>) -> Outcome {
        let encoded = encode_response(self.api, self.version, self.correlation_id, response);
        match encoded {
            Ok(Encoded { bytes, holes }) => {
                let mut files: Vec<Option<FileSlice>> = files.into_iter().map(Some).collect();
                let files = holes
                    .into_iter()
                    .filter_map(|hole| Some((hole.position, files[hole.token].take()?)))
                    .collect();
                Outcome::Reply(Reply { bytes, files })
            }
            Err(error) => Outcome::Close(format!("a response could not be encoded: {error}")),
        }
    }
}

/// The APIs that are served. What is not here is not advertised, and closes the connection.
pub const SERVED: &[ApiKey] = &[
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::ListOffsets,
    ApiKey::Metadata,
    ApiKey::OffsetCommit,
    ApiKey::OffsetFetch,
    ApiKey::FindCoordinator,
    ApiKey::JoinGroup,
    ApiKey::Heartbeat,
    ApiKey::LeaveGroup,
    ApiKey::SyncGroup,
    ApiKey::DescribeGroups,
    ApiKey::ListGroups,
    ApiKey::ApiVersions,
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DeleteRecords,
    ApiKey::InitProducerId,
    ApiKey::OffsetForLeaderEpoch,
    ApiKey::DescribeConfigs,
    ApiKey::AlterConfigs,
    ApiKey::DescribeLogDirs,
    ApiKey::CreatePartitions,
    ApiKey::DeleteGroups,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::OffsetDelete,
    ApiKey::DescribeCluster,
    ApiKey::ConsumerGroupHeartbeat,
    ApiKey::ConsumerGroupDescribe,
    ApiKey::ListConfigResources,
    ApiKey::DescribeTopicPartitions,
];

/// Begins a request.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of Kafka's APIs are not served yet"
)]
pub fn handle(context: &mut Context<'_>, mut request: Request) -> Outcome {
    let api = request.header.api_key;
    if !SERVED.contains(&api) {
        return Outcome::Close(format!("asked for {api:?}, which is not served"));
    }
    if !api.versions().contains(request.header.api_version) {
        if api == ApiKey::ApiVersions {
            return api_versions::unsupported(&request);
        }
        let version = request.header.api_version;
        return Outcome::Close(format!(
            "asked for {api:?} version {version}, which is not served"
        ));
    }
    match api {
        ApiKey::Produce => produce::begin(context, &mut request),
        ApiKey::Fetch => fetch::begin(context, &mut request),
        ApiKey::ListOffsets => list_offsets::begin(context, &mut request),
        ApiKey::Metadata => metadata::begin(context, &mut request),
        ApiKey::OffsetCommit => offset_commit::begin(context, &mut request),
        ApiKey::OffsetFetch => offset_fetch::begin(context, &mut request),
        ApiKey::FindCoordinator => find_coordinator::begin(context, &mut request),
        ApiKey::JoinGroup => join_group::begin(context, &mut request),
        ApiKey::Heartbeat => heartbeat::begin(context, &mut request),
        ApiKey::LeaveGroup => leave_group::begin(context, &mut request),
        ApiKey::SyncGroup => sync_group::begin(context, &mut request),
        ApiKey::DescribeGroups => describe_groups::begin(context, &mut request),
        ApiKey::ListGroups => list_groups::begin(context, &mut request),
        ApiKey::DeleteGroups => delete_groups::begin(context, &mut request),
        ApiKey::OffsetDelete => offset_delete::begin(context, &mut request),
        ApiKey::ConsumerGroupHeartbeat => consumer_group_heartbeat::begin(context, &mut request),
        ApiKey::ConsumerGroupDescribe => consumer_group_describe::begin(context, &mut request),
        ApiKey::ApiVersions => api_versions::begin(context, &mut request),
        ApiKey::DeleteRecords => delete_records::begin(context, &mut request),
        ApiKey::InitProducerId => init_producer_id::begin(context, &mut request),
        ApiKey::OffsetForLeaderEpoch => offset_for_leader_epoch::begin(context, &mut request),
        ApiKey::DescribeConfigs => describe_configs::begin(context, &mut request),
        ApiKey::DescribeLogDirs => describe_log_dirs::begin(context, &mut request),
        ApiKey::DescribeCluster => describe_cluster::begin(context, &mut request),
        ApiKey::ListConfigResources => list_config_resources::begin(context, &mut request),
        ApiKey::DescribeTopicPartitions => describe_topic_partitions::begin(context, &mut request),
        ApiKey::CreateTopics
        | ApiKey::DeleteTopics
        | ApiKey::CreatePartitions
        | ApiKey::IncrementalAlterConfigs
        | ApiKey::AlterConfigs => commands::begin(context, &mut request, api),
        _ => Outcome::Close(format!("asked for {api:?}, which is not served")),
    }
}

/// Goes on with a request: an owner of partitions has answered.
pub fn on_answer(
    context: &mut Context<'_>,
    id: RequestId,
    state: State,
    answer: Answer,
) -> Outcome {
    match (state, answer) {
        (State::Produce(waiting), Answer::Produce(answers)) => {
            produce::on_answers(context, waiting, answers)
        }
        (State::Fetch(waiting), Answer::Fetch(answers)) => {
            fetch::on_answers(context, id, waiting, answers)
        }
        (State::ListOffsets(waiting), Answer::ListOffsets(answers)) => {
            list_offsets::on_answers(waiting, answers)
        }
        (State::OffsetForLeaderEpoch(waiting), Answer::OffsetForLeaderEpoch(answers)) => {
            offset_for_leader_epoch::on_answers(waiting, answers)
        }
        (State::DeleteRecords(waiting), Answer::DeleteRecords(answers)) => {
            delete_records::on_answers(waiting, answers)
        }
        (State::DescribeLogDirs(waiting), Answer::DescribeLogDirs(answers)) => {
            describe_log_dirs::on_answers(context, waiting, answers)
        }
        _ => unreachable!("an answer is of the kind of its work"),
    }
}

/// Goes on with a request: the coordinator of a group has answered.
pub fn on_group_reply(context: &mut Context<'_>, state: State, reply: GroupReply) -> Outcome {
    match state {
        State::Group(waiting) => group::on_reply(context, waiting, reply),
        State::Produce(_)
        | State::Fetch(_)
        | State::ListOffsets(_)
        | State::OffsetForLeaderEpoch(_)
        | State::DeleteRecords(_)
        | State::DescribeLogDirs(_)
        | State::Metadata(_)
        | State::InitProducerId(_)
        | State::Command(_)
        | State::FindCoordinator(_) => unreachable!("it asked no group"),
    }
}

/// Goes on with a request: the controller has answered, and this core has replayed what it did.
pub fn on_reply(
    context: &mut Context<'_>,
    id: RequestId,
    state: State,
    reply: CommandReply,
) -> Outcome {
    match state {
        State::Metadata(waiting) => metadata::on_created(context, waiting),
        State::InitProducerId(waiting) => init_producer_id::on_block(context, waiting, reply),
        State::Command(responder) => commands::on_reply(&responder, &reply),
        State::FindCoordinator(waiting) => find_coordinator::on_created(context, waiting),
        State::Produce(_)
        | State::Fetch(_)
        | State::ListOffsets(_)
        | State::OffsetForLeaderEpoch(_)
        | State::DeleteRecords(_)
        | State::DescribeLogDirs(_)
        | State::Group(_) => unreachable!("request {id:?} asked the controller nothing"),
    }
}

/// Goes on with a fetch: a partition that it watches has more, or its time is up.
pub fn on_wake(context: &mut Context<'_>, id: RequestId, state: State, is_due: bool) -> Outcome {
    match state {
        State::Fetch(waiting) => fetch::on_wake(context, id, waiting, is_due),
        State::Produce(_)
        | State::ListOffsets(_)
        | State::OffsetForLeaderEpoch(_)
        | State::DeleteRecords(_)
        | State::DescribeLogDirs(_)
        | State::Metadata(_)
        | State::InitProducerId(_)
        | State::Command(_)
        | State::FindCoordinator(_)
        | State::Group(_) => Outcome::Waits(state),
    }
}

impl State {
    /// When the request shall be woken even if nothing happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            State::Fetch(waiting) => waiting.deadline(),
            State::Produce(_)
            | State::ListOffsets(_)
            | State::OffsetForLeaderEpoch(_)
            | State::DeleteRecords(_)
            | State::DescribeLogDirs(_)
            | State::Metadata(_)
            | State::InitProducerId(_)
            | State::Command(_)
            | State::FindCoordinator(_)
            | State::Group(_) => None,
        }
    }
}

impl Context<'_> {
    fn origin(&self, request: RequestId) -> Origin {
        Origin {
            core: self.core,
            request,
        }
    }
}

/// Decodes a request's body, or closes the connection: as Kafka, which cannot answer what it cannot
/// read.
fn decode<M: RequestMessage>(request: &mut Request) -> Result<M, Outcome> {
    M::decode(&mut request.body, request.header.api_version)
        .map_err(|error| Outcome::Close(format!("sent a request that cannot be read: {error}")))
}

/// The number that stands for an error on the wire.
fn code(error: ErrorCode) -> i16 {
    error.0
}
