//! FindCoordinator (key 10): which broker coordinates a group. `__consumer_offsets` is made when the
//! first group is looked for.

use super::{Context, Outcome, Request, Responder, State, decode};
use crate::controller::{Command, auto_create_request};
use crate::coordinator::group::topic::{OFFSETS_TOPIC, partition_of};
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use crate::protocol::string::Str;

/// First version that asks for several keys at once. KIP-699.
const BATCHED_SINCE: i16 = 4;
/// First version that knows coordinators of share groups. KIP-932.
const SHARE_SINCE: i16 = 6;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;

/// A FindCoordinator whose topic is being made.
pub struct Waiting {
    responder: Responder,
    message: FindCoordinatorRequest,
}

/// Where a coordinator is, or why that is not known.
struct Found {
    error: ErrorCode,
    node_id: i32,
    host: Str,
    port: i32,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: FindCoordinatorRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::FindCoordinator);
    let asks_for_any = responder.version < BATCHED_SINCE || !message.coordinator_keys.is_empty();
    if message.key_type == GROUP && asks_for_any && context.offsets_topic().is_none() {
        let topic = auto_create_request([OFFSETS_TOPIC].into_iter(), context.configuration);
        let origin = context.origin(request.id);
        let command = Command::CreateTopics(topic);
        context.outbox.commands.push((origin, command));
        return Outcome::Waits(State::FindCoordinator(Waiting { responder, message }));
    }
    respond(context, &responder, message)
}

/// The topic is there, or could not be made.
pub(super) fn on_created(context: &mut Context<'_>, waiting: Waiting) -> Outcome {
    respond(context, &waiting.responder, waiting.message)
}

fn respond(
    context: &Context<'_>,
    responder: &Responder,
    message: FindCoordinatorRequest,
) -> Outcome {
    let version = responder.version;
    if version < BATCHED_SINCE {
        let found = find(context, message.key_type, &message.key, version);
        // Kafka's message of no error is its name.
        let error_message = match found.error {
            ErrorCode::NONE => ErrorCode::NONE.name(),
            error => error.message(),
        };
        return responder.reply(&FindCoordinatorResponse {
            error_code: found.error.code(),
            error_message: Some(Str::from(error_message)),
            node_id: found.node_id,
            host: found.host,
            port: found.port,
            ..FindCoordinatorResponse::default()
        });
    }
    let coordinators = message.coordinator_keys.into_iter().map(|key| {
        let found = find(context, message.key_type, &key, version);
        Coordinator {
            key,
            node_id: found.node_id,
            host: found.host,
            port: found.port,
            error_code: found.error.code(),
            ..Coordinator::default()
        }
    });
    responder.reply(&FindCoordinatorResponse {
        coordinators: coordinators.collect(),
        ..FindCoordinatorResponse::default()
    })
}

fn find(context: &Context<'_>, key_type: i8, key: &str, version: i16) -> Found {
    match key_type {
        GROUP => find_group(context, key).unwrap_or_else(Found::nothing),
        // There is no transaction coordinator yet.
        TRANSACTION => Found::nothing(ErrorCode::COORDINATOR_NOT_AVAILABLE),
        SHARE if version >= SHARE_SINCE => Found::nothing(ErrorCode::COORDINATOR_NOT_AVAILABLE),
        _ => Found::nothing(ErrorCode::INVALID_REQUEST),
    }
}

fn find_group(context: &Context<'_>, group_id: &str) -> Result<Found, ErrorCode> {
    let unavailable = ErrorCode::COORDINATOR_NOT_AVAILABLE;
    let topic = context.offsets_topic().ok_or(unavailable)?;
    let partition = partition_of(group_id, topic.partition_count());
    let partition = topic.partition(partition).ok_or(unavailable)?;
    let (leader, _) = partition.leader().ok_or(unavailable)?;
    let brokers = &context.image.cluster.brokers;
    let broker = brokers.get(&leader).filter(|broker| !broker.fenced);
    let endpoint = broker.and_then(|broker| context.endpoint(broker));
    let (host, port) = endpoint.ok_or(unavailable)?;
    Ok(Found {
        error: ErrorCode::NONE,
        node_id: leader.0,
        host,
        port,
    })
}

impl Found {
    fn nothing(error: ErrorCode) -> Found {
        Found {
            error,
            node_id: -1,
            host: Str::EMPTY,
            port: -1,
        }
    }
}
