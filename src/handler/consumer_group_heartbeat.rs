//! ConsumerGroupHeartbeat (key 68): a member of a consumer group says what it wants and what it has,
//! and is told what it shall have. KIP-848.

use super::{Context, Outcome, Request, Responder, code, decode, group};
use crate::config::value::Value;
use crate::coordinator::group::GroupCommand;
use crate::metadata::features::GROUP_VERSION;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: ConsumerGroupHeartbeatRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::ConsumerGroupHeartbeat);
    if !context.has_consumer_groups() {
        return responder.reply(&ConsumerGroupHeartbeatResponse {
            error_code: code(ErrorCode::UNSUPPORTED_VERSION),
            ..ConsumerGroupHeartbeatResponse::default()
        });
    }
    group::ask(
        context,
        request.id,
        GroupCommand::ConsumerGroupHeartbeat(group::asked(request), message),
        group::Waiting::ConsumerGroupHeartbeat(responder),
    )
}

pub(super) fn on_reply(
    responder: &Responder,
    response: &ConsumerGroupHeartbeatResponse,
) -> Outcome {
    responder.reply(response)
}

impl Context<'_> {
    /// Whether groups may use the protocol of KIP-848: the cluster has agreed to it, and the broker
    /// allows it.
    pub(super) fn has_consumer_groups(&self) -> bool {
        let protocols = self
            .configuration
            .value("group.coordinator.rebalance.protocols");
        let is_allowed = match protocols {
            Value::List(protocols) => protocols.iter().any(|protocol| protocol == "consumer"),
            Value::Null
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::Double(_)
            | Value::Text(_) => false,
        };
        is_allowed && self.image.features.level(GROUP_VERSION) >= 1
    }
}
