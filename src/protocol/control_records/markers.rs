//! The small control records: ends of transactions, of snapshots, and the version of KRaft.

declare! {
    /// The value of control record types 0 (abort) and 1 (commit). KIP-98.
    message EndTxnMarker [0] {
        coordinator_epoch: i32 [0+],
    }

    /// The value of control record type 3.
    message SnapshotHeaderRecord [0 flexible(0+)] {
        version: i16 [0+],
        last_contained_log_timestamp: i64 [0+],
    }

    /// The value of control record type 4.
    message SnapshotFooterRecord [0 flexible(0+)] {
        version: i16 [0+],
    }

    /// The value of control record type 5.
    message KRaftVersionRecord [0 flexible(0+)] {
        version: i16 [0+],
        kraft_version: i16 [0+],
    }

    /// The key of every control record, after its version.
    message ControlRecordTypeSchema [0] {
        r#type: i16 [0+],
    }
}
