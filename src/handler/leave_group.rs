//! LeaveGroup (key 13): members leave, or are made to leave by an administrator. Until version 2 one
//! member leaves, later several may. KIP-345.

use super::{Context, Outcome, Request, Responder, code, decode, group};
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::leave_group::{
    LeaveGroupRequest, LeaveGroupResponse, MemberIdentity,
};

/// First version with a list of members.
const MEMBERS_SINCE: i16 = 3;

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let mut message: LeaveGroupRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::LeaveGroup);
    if message.group_id.is_empty() {
        return responder.reply(&LeaveGroupResponse {
            error_code: code(ErrorCode::INVALID_GROUP_ID),
            ..LeaveGroupResponse::default()
        });
    }
    if responder.version < MEMBERS_SINCE {
        message.members = vec![MemberIdentity {
            member_id: message.member_id.clone(),
            ..MemberIdentity::default()
        }];
    }
    group::ask(
        context,
        request.id,
        GroupCommand::LeaveGroup(group::asked(request), message),
        group::Waiting::LeaveGroup(responder),
    )
}

pub(super) fn on_reply(responder: &Responder, mut response: LeaveGroupResponse) -> Outcome {
    if responder.version < MEMBERS_SINCE {
        // The error of the one member is that of the whole.
        let own = response.members.first().map(|member| member.error_code);
        if response.error_code == code(ErrorCode::NONE) {
            response.error_code = own.unwrap_or(response.error_code);
        }
        response.members.clear();
    }
    responder.reply(&response)
}
