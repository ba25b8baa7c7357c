//! WriteTxnMarkers, API 27: coordinator to partition leaders: write COMMIT/ABORT markers.

use crate::protocol::string::Str;

declare! {
    /// The request of WriteTxnMarkers.
    message WriteTxnMarkersRequest [1-2 flexible(1+)] {
        markers: Vec<WritableTxnMarker> [0+],
    }

    /// In [`WriteTxnMarkersRequest`].
    struct WritableTxnMarker {
        producer_id: i64 [0+],
        producer_epoch: i16 [0+],
        transaction_result: bool [0+],
        topics: Vec<WritableTxnMarkerTopic> [0+],
        coordinator_epoch: i32 [0+],
        transaction_version: i8 [2+ ignorable],
    }

    /// In [`WriteTxnMarkersRequest`].
    struct WritableTxnMarkerTopic {
        name: Str [0+],
        partition_indexes: Vec<i32> [0+],
    }

    /// The response of WriteTxnMarkers.
    message WriteTxnMarkersResponse [1-2 flexible(1+)] {
        markers: Vec<WritableTxnMarkerResult> [0+],
    }

    /// In [`WriteTxnMarkersResponse`].
    struct WritableTxnMarkerResult {
        producer_id: i64 [0+],
        topics: Vec<WritableTxnMarkerTopicResult> [0+],
    }

    /// In [`WriteTxnMarkersResponse`].
    struct WritableTxnMarkerTopicResult {
        name: Str [0+],
        partitions: Vec<WritableTxnMarkerPartitionResult> [0+],
    }

    /// In [`WriteTxnMarkersResponse`].
    struct WritableTxnMarkerPartitionResult {
        partition_index: i32 [0+],
        error_code: i16 [0+],
    }
}
