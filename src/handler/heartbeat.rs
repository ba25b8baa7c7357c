//! Heartbeat (key 12): a member of a classic group is alive.

use super::{Context, Outcome, Request, Responder, code, decode, group};
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: HeartbeatRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::Heartbeat);
    if message.group_id.is_empty() {
        return responder.reply(&HeartbeatResponse {
            error_code: code(ErrorCode::INVALID_GROUP_ID),
            ..HeartbeatResponse::default()
        });
    }
    group::ask(
        context,
        request.id,
        GroupCommand::Heartbeat(message),
        group::Waiting::Heartbeat(responder),
    )
}

pub(super) fn on_reply(responder: &Responder, response: &HeartbeatResponse) -> Outcome {
    responder.reply(response)
}
