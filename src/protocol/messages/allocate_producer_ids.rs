//! AllocateProducerIds, API 67: broker asks for a block of 1000 producer ids.

declare! {
    /// The request of AllocateProducerIds.
    message AllocateProducerIdsRequest [0 flexible(0+)] {
        broker_id: i32 [0+],
        broker_epoch: i64 [0+ default(-1)],
    }

    /// The response of AllocateProducerIds.
    message AllocateProducerIdsResponse [0 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        producer_id_start: i64 [0+],
        producer_id_len: i32 [0+],
    }
}
