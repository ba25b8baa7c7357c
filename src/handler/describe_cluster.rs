//! DescribeCluster (key 60): the brokers, and who controls.

use super::{Context, Outcome, Request, Responder, code, decode};
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};
use crate::protocol::string::Str;

/// The endpoints of brokers.
const ENDPOINT_TYPE_BROKER: i8 = 1;
/// The endpoints of controllers.
const ENDPOINT_TYPE_CONTROLLER: i8 = 2;

/// What anyone may do with the cluster while no authorizer is configured: all operations that Kafka
/// knows for it, as a set of bits (KIP-430).
pub(super) const CLUSTER_OPERATIONS: i32 = operations(&[5, 7, 8, 9, 10, 11, 12]);

/// Likewise for a topic.
pub(super) const TOPIC_OPERATIONS: i32 = operations(&[3, 4, 5, 6, 7, 8, 10, 11]);

/// What stands where the operations were not asked for.
pub(super) const OPERATIONS_NOT_ASKED: i32 = i32::MIN;

const fn operations(codes: &[i32]) -> i32 {
    let mut bits = 0;
    let mut place = 0;
    while place < codes.len() {
        bits |= 1 << codes[place];
        place += 1;
    }
    bits
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: DescribeClusterRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::DescribeCluster);
    let refused = match message.endpoint_type {
        ENDPOINT_TYPE_BROKER => None,
        ENDPOINT_TYPE_CONTROLLER => Some((
            ErrorCode::MISMATCHED_ENDPOINT_TYPE,
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type \
             CONTROLLER"
                .to_owned(),
        )),
        other => Some((
            ErrorCode::UNSUPPORTED_ENDPOINT_TYPE,
            format!("Unsupported endpoint type {other}"),
        )),
    };
    if let Some((error, sentence)) = refused {
        return responder.reply(&DescribeClusterResponse {
            error_code: code(error),
            error_message: Some(Str::from(&*sentence)),
            ..DescribeClusterResponse::default()
        });
    }
    let mut response = DescribeClusterResponse {
        cluster_id: Str::from(context.broker.cluster_id.as_str()),
        ..DescribeClusterResponse::default()
    };
    response.controller_id = context.configuration.node_id().0;
    response.brokers = context
        .image
        .cluster
        .brokers
        .values()
        .filter(|broker| !broker.fenced || message.include_fenced_brokers)
        .filter_map(|broker| {
            let (host, port) = context.endpoint(broker)?;
            Some(DescribeClusterBroker {
                broker_id: broker.id.0,
                host,
                port,
                rack: broker.rack.as_deref().map(Str::from),
                is_fenced: broker.fenced,
                ..DescribeClusterBroker::default()
            })
        })
        .collect();
    if message.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    responder.reply(&response)
}
