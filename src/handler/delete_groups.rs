//! DeleteGroups (key 42): groups without members go, with their offsets.

use super::group;
use super::per_group::PerGroup;
use super::{Context, Outcome, Request, Responder, State, decode};
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::messages::delete_groups::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse,
};
use std::collections::BTreeSet;

/// A DeleteGroups that is with its groups.
pub struct Waiting {
    responder: Responder,
    groups: PerGroup<DeletableGroupResult>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: DeleteGroupsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let mut waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::DeleteGroups),
        groups: PerGroup::new(),
    };
    let mut seen = BTreeSet::new();
    for group_id in message.groups_names {
        // As Apache: a group that is named twice is deleted once, and answered once.
        if !seen.insert(group_id.clone()) {
            continue;
        }
        let command = GroupCommand::DeleteGroup(group_id);
        waiting.groups.ask(context, request.id, command);
    }
    waiting.proceed()
}

pub(super) fn on_reply(mut waiting: Waiting, reply: DeletableGroupResult) -> Outcome {
    waiting.groups.answer(reply);
    waiting.proceed()
}

impl Waiting {
    fn proceed(self) -> Outcome {
        if !self.groups.is_complete() {
            return Outcome::Waits(State::Group(group::Waiting::DeleteGroups(self)));
        }
        self.responder.reply(&DeleteGroupsResponse {
            results: self.groups.into_answers().collect(),
            ..DeleteGroupsResponse::default()
        })
    }
}
