//! InitProducerId (key 22): an id for an idempotent producer. Each core gives out ids of a block that
//! the controller gave to it, so that no two producers ever have the same.

use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::controller::{Command, Reply};
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::allocate_producer_ids::AllocateProducerIdsRequest;
use crate::protocol::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use std::ops::Range;

/// Producer ids that a core may give out.
#[derive(Debug)]
pub struct ProducerIds {
    block: Range<i64>,
}

/// An InitProducerId that waits for a block of ids.
pub struct Waiting {
    responder: Responder,
}

impl Default for ProducerIds {
    fn default() -> ProducerIds {
        ProducerIds { block: 0..0 }
    }
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: InitProducerIdRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::InitProducerId);
    if message.transactional_id.as_deref() == Some("") {
        return refuse(&responder, ErrorCode::INVALID_REQUEST);
    }
    if message.transactional_id.is_some() {
        // There is no transaction coordinator yet: a producer that asks for one is told that none
        // is available, which it reports after its timeout.
        return refuse(&responder, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    }
    // Id and epoch belong together. KIP-360.
    if (message.producer_id == -1) != (message.producer_epoch == -1) {
        return refuse(&responder, ErrorCode::INVALID_REQUEST);
    }
    // Without a transactional id every producer gets an id of its own, whatever it had before.
    give(context, request.id, responder)
}

fn give(
    context: &mut Context<'_>,
    id: crate::partition::work::RequestId,
    responder: Responder,
) -> Outcome {
    if let Some(producer_id) = context.producer_ids.block.next() {
        return respond(&responder, producer_id, 0);
    }
    let origin = context.origin(id);
    let request = AllocateProducerIdsRequest {
        broker_id: context.configuration.node_id().0,
        broker_epoch: context.own_broker_epoch(),
        ..AllocateProducerIdsRequest::default()
    };
    context
        .outbox
        .commands
        .push((origin, Command::AllocateProducerIds(request)));
    Outcome::Waits(State::InitProducerId(Waiting { responder }))
}

pub(super) fn on_block(context: &mut Context<'_>, waiting: Waiting, reply: Reply) -> Outcome {
    if let Reply::AllocateProducerIds(block) = reply
        && block.error_code == code(ErrorCode::NONE)
    {
        // Several producers may have asked for a block at once: the ids that were left are kept out
        // of use, which costs nothing of 2^63.
        let first = block.producer_id_start;
        context.producer_ids.block = first..first + i64::from(block.producer_id_len);
        if let Some(producer_id) = context.producer_ids.block.next() {
            return respond(&waiting.responder, producer_id, 0);
        }
    }
    refuse(&waiting.responder, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS)
}

fn respond(responder: &Responder, producer_id: i64, producer_epoch: i16) -> Outcome {
    responder.reply(&InitProducerIdResponse {
        producer_id,
        producer_epoch,
        ..InitProducerIdResponse::default()
    })
}

fn refuse(responder: &Responder, error: ErrorCode) -> Outcome {
    responder.reply(&InitProducerIdResponse {
        error_code: code(error),
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    })
}
