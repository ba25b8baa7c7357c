//! DescribeGroups (key 15): classic groups, their members, and who has what.

use super::group::{self, GROUP_OPERATIONS};
use super::per_group::PerGroup;
use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup,
};

/// First version that says what the client may do with a group.
const OPERATIONS_SINCE: i16 = 3;
/// First version with a message beside the error. KIP-1043.
const ERROR_MESSAGE_SINCE: i16 = 6;

/// A DescribeGroups that is with its groups.
pub struct Waiting {
    responder: Responder,
    says_operations: bool,
    groups: PerGroup<DescribedGroup>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: DescribeGroupsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::DescribeGroups);
    let mut waiting = Waiting {
        says_operations: message.include_authorized_operations
            && responder.version >= OPERATIONS_SINCE,
        responder,
        groups: PerGroup::new(),
    };
    for group_id in message.groups {
        let command = GroupCommand::DescribeGroup(waiting.responder.version, group_id);
        waiting.groups.ask(context, request.id, command);
    }
    waiting.proceed()
}

pub(super) fn on_reply(mut waiting: Waiting, reply: DescribedGroup) -> Outcome {
    waiting.groups.answer(reply);
    waiting.proceed()
}

impl Waiting {
    fn proceed(self) -> Outcome {
        if !self.groups.is_complete() {
            return Outcome::Waits(State::Group(group::Waiting::DescribeGroups(self)));
        }
        let mut groups: Vec<DescribedGroup> = self.groups.into_answers().collect();
        for group in &mut groups {
            if self.says_operations && group.error_code == code(ErrorCode::NONE) {
                group.authorized_operations = GROUP_OPERATIONS;
            }
            if self.responder.version < ERROR_MESSAGE_SINCE {
                group.error_message = None;
            }
        }
        self.responder.reply(&DescribeGroupsResponse {
            groups,
            ..DescribeGroupsResponse::default()
        })
    }
}
