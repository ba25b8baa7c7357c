//! SyncGroup (key 14): the leader of a classic group says who gets what, and each member is told. It
//! waits until the leader has said it.

use super::{Context, Outcome, Request, Responder, code, decode, group};
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};

/// First version in which a member must say by which protocol it goes. KIP-559.
const PROTOCOL_SINCE: i16 = 5;

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: SyncGroupRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::SyncGroup);
    let has_protocol = message.protocol_type.is_some() && message.protocol_name.is_some();
    if responder.version >= PROTOCOL_SINCE && !has_protocol {
        return refuse(&responder, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    if message.group_id.is_empty() {
        return refuse(&responder, ErrorCode::INVALID_GROUP_ID);
    }
    group::ask(
        context,
        request.id,
        GroupCommand::SyncGroup(group::asked(request), message),
        group::Waiting::SyncGroup(responder),
    )
}

pub(super) fn on_reply(responder: &Responder, response: &SyncGroupResponse) -> Outcome {
    responder.reply(response)
}

fn refuse(responder: &Responder, error: ErrorCode) -> Outcome {
    responder.reply(&SyncGroupResponse {
        error_code: code(error),
        ..SyncGroupResponse::default()
    })
}
