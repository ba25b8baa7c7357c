//! ListGroups (key 16): all groups that this broker coordinates, on all its cores.

use super::{Context, Outcome, Request, Responder, State, decode, group};
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};
use crate::protocol::string::Str;

/// A ListGroups that is with the coordinators.
pub struct Waiting {
    responder: Responder,
    to_answer: usize,
    error: ErrorCode,
    groups: Vec<ListedGroup>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: ListGroupsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let mut waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::ListGroups),
        to_answer: 0,
        error: ErrorCode::NONE,
        groups: Vec::new(),
    };
    let lower = |names: Vec<Str>| -> Vec<Str> {
        let names = names.iter();
        names.map(|name| Str::from(name.to_lowercase())).collect()
    };
    let (states, types) = (lower(message.states_filter), lower(message.types_filter));
    // Without the topic there is no group.
    if let Some(topic) = context.offsets_topic() {
        let own = context.configuration.node_id();
        for (index, partition) in topic.partitions() {
            if partition.leader != own {
                continue;
            }
            let command = GroupCommand::ListGroups {
                states: states.clone(),
                types: types.clone(),
            };
            context.ask_partition(request.id, topic, index, command);
            waiting.to_answer += 1;
        }
    }
    waiting.proceed()
}

pub(super) fn on_reply(
    mut waiting: Waiting,
    reply: Result<Vec<ListedGroup>, ErrorCode>,
) -> Outcome {
    waiting.to_answer -= 1;
    match reply {
        Ok(groups) => waiting.groups.extend(groups),
        // It is led elsewhere now, where it is listed too.
        Err(ErrorCode::NOT_COORDINATOR) => {}
        Err(error) => waiting.error = error,
    }
    waiting.proceed()
}

impl Waiting {
    fn proceed(self) -> Outcome {
        if self.to_answer > 0 {
            return Outcome::Waits(State::Group(group::Waiting::ListGroups(self)));
        }
        let is_whole = self.error == ErrorCode::NONE;
        self.responder.reply(&ListGroupsResponse {
            error_code: self.error.code(),
            groups: if is_whole { self.groups } else { Vec::new() },
            ..ListGroupsResponse::default()
        })
    }
}
