//! JoinGroup (key 11): a member wants to be in a classic group. It waits until the others have come.

use super::{Context, Outcome, Request, Responder, decode, group};
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::messages::join_group::{JoinGroupRequest, JoinGroupResponse};
use crate::protocol::string::Str;

/// First version in which the protocol of the group may be null.
const NULL_PROTOCOL_SINCE: i16 = 7;
/// First version that can tell a leader not to assign. KIP-814.
const SKIP_ASSIGNMENT_SINCE: i16 = 9;

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: JoinGroupRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::JoinGroup);
    group::ask(
        context,
        request.id,
        GroupCommand::JoinGroup(group::asked(request), message),
        group::Waiting::JoinGroup(responder),
    )
}

pub(super) fn on_reply(responder: &Responder, mut response: JoinGroupResponse) -> Outcome {
    if responder.version < NULL_PROTOCOL_SINCE && response.protocol_name.is_none() {
        response.protocol_name = Some(Str::EMPTY);
    }
    if responder.version < SKIP_ASSIGNMENT_SINCE {
        response.skip_assignment = false;
    }
    responder.reply(&response)
}
