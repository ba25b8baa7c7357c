//! ConsumerGroupDescribe (key 69): consumer groups, their members, what each has and shall have.
//! KIP-848.

use super::group::{self, GROUP_OPERATIONS};
use super::per_group::PerGroup;
use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::consumer_group_describe::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup,
};
use crate::protocol::string::Str;

/// A ConsumerGroupDescribe that is with its groups.
pub struct Waiting {
    responder: Responder,
    says_operations: bool,
    groups: PerGroup<DescribedGroup>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: ConsumerGroupDescribeRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let mut waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::ConsumerGroupDescribe),
        says_operations: message.include_authorized_operations,
        groups: PerGroup::new(),
    };
    let is_served = context.has_consumer_groups();
    for group_id in message.group_ids {
        if !is_served {
            let refused = refuse(group_id, ErrorCode::UNSUPPORTED_VERSION);
            waiting.groups.know(refused);
        } else if group_id.is_empty() {
            let refused = refuse(group_id, ErrorCode::INVALID_GROUP_ID);
            waiting.groups.know(refused);
        } else {
            let command = GroupCommand::ConsumerGroupDescribe(group_id);
            waiting.groups.ask(context, request.id, command);
        }
    }
    waiting.proceed()
}

pub(super) fn on_reply(mut waiting: Waiting, reply: DescribedGroup) -> Outcome {
    waiting.groups.answer(reply);
    waiting.proceed()
}

fn refuse(group_id: Str, error: ErrorCode) -> DescribedGroup {
    DescribedGroup {
        group_id,
        error_code: code(error),
        ..DescribedGroup::default()
    }
}

impl Waiting {
    fn proceed(self) -> Outcome {
        if !self.groups.is_complete() {
            return Outcome::Waits(State::Group(group::Waiting::ConsumerGroupDescribe(self)));
        }
        let mut groups: Vec<DescribedGroup> = self.groups.into_answers().collect();
        for group in &mut groups {
            if self.says_operations && group.error_code == code(ErrorCode::NONE) {
                group.authorized_operations = GROUP_OPERATIONS;
            }
        }
        self.responder.reply(&ConsumerGroupDescribeResponse {
            groups,
            ..ConsumerGroupDescribeResponse::default()
        })
    }
}
