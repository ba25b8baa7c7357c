//! CreateTopics, DeleteTopics, CreatePartitions, IncrementalAlterConfigs, AlterConfigs (keys 19, 20,
//! 37, 44, 33): requests that the controller answers as they are. Each is handed over whole; the
//! answer comes when its records are committed and replayed here.

use super::{Context, Outcome, Request, Responder, State, decode};
use crate::controller::{Command, Reply};
use crate::protocol::api::ApiKey;

/// Hands a request to the controller.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the table of APIs leads only commands here"
)]
pub(super) fn begin(context: &mut Context<'_>, request: &mut Request, api: ApiKey) -> Outcome {
    let command = match api {
        ApiKey::CreateTopics => decode(request).map(Command::CreateTopics),
        ApiKey::DeleteTopics => decode(request)
            .map(|message| Command::DeleteTopics(message, request.header.api_version)),
        ApiKey::CreatePartitions => decode(request).map(Command::CreatePartitions),
        ApiKey::IncrementalAlterConfigs => decode(request).map(Command::IncrementalAlterConfigs),
        ApiKey::AlterConfigs => decode(request).map(Command::AlterConfigs),
        other => unreachable!("{other:?} is no command"),
    };
    match command {
        Ok(command) => {
            context
                .outbox
                .commands
                .push((context.origin(request.id), command));
            Outcome::Waits(State::Command(Responder::of(&request.header, api)))
        }
        Err(outcome) => outcome,
    }
}

/// Encodes the controller's answer.
pub(super) fn on_reply(responder: &Responder, reply: &Reply) -> Outcome {
    match reply {
        Reply::CreateTopics(response) => responder.reply(response),
        Reply::DeleteTopics(response) => responder.reply(response),
        Reply::CreatePartitions(response) => responder.reply(response),
        Reply::IncrementalAlterConfigs(response) => responder.reply(response),
        Reply::AlterConfigs(response) => responder.reply(response),
        Reply::RegisterBroker(_)
        | Reply::BrokerHeartbeat(_)
        | Reply::Done
        | Reply::AllocateProducerIds(_) => unreachable!("no client asked for this command"),
    }
}
