//! AllocateProducerIds: blocks of a thousand ids, so that brokers ask rarely. An id of a block is
//! never handed out again, whether it was used or not.

use super::{Controller, ControllerResult, Reply};
use crate::base::ids::NodeId;
use crate::protocol::ErrorCode;
use crate::protocol::messages::allocate_producer_ids::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse,
};
use crate::protocol::metadata_records::{MetadataRecord, ProducerIdsRecord};

/// Ids in one block, as Kafka's `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`.
pub const PRODUCER_ID_BLOCK_COUNT: i32 = 1000;

impl Controller {
    pub(super) fn allocate_producer_ids(
        &self,
        request: &AllocateProducerIdsRequest,
    ) -> ControllerResult {
        let refuse = |code: ErrorCode| {
            let response = AllocateProducerIdsResponse {
                error_code: code.into(),
                ..AllocateProducerIdsResponse::default()
            };
            ControllerResult::atomic(Vec::new(), Reply::AllocateProducerIds(response))
        };
        let broker = self.image.cluster.broker(NodeId(request.broker_id));
        if broker.is_none_or(|broker| broker.epoch != request.broker_epoch) {
            return refuse(ErrorCode::STALE_BROKER_EPOCH);
        }
        let first = self.image.producer_ids.next_producer_id.0;
        let Some(next) = first.checked_add(i64::from(PRODUCER_ID_BLOCK_COUNT)) else {
            return refuse(ErrorCode::UNKNOWN_SERVER_ERROR);
        };
        let record = MetadataRecord::ProducerIdsRecord(ProducerIdsRecord {
            broker_id: request.broker_id,
            broker_epoch: request.broker_epoch,
            next_producer_id: next,
            ..ProducerIdsRecord::default()
        });
        let response = AllocateProducerIdsResponse {
            error_code: ErrorCode::NONE.into(),
            producer_id_start: first,
            producer_id_len: PRODUCER_ID_BLOCK_COUNT,
            ..AllocateProducerIdsResponse::default()
        };
        ControllerResult::atomic(vec![record], Reply::AllocateProducerIds(response))
    }
}
