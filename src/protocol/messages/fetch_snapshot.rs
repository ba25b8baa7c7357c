//! FetchSnapshot, API 59: fetch metadata snapshot bytes.

pub use request::FetchSnapshotRequest;
pub use response::FetchSnapshotResponse;

/// [`FetchSnapshotRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::base::uuid::Uuid;
    use crate::protocol::string::Str;

    declare! {
        /// The request of FetchSnapshot.
        message FetchSnapshotRequest [0-1 flexible(0+)] {
            cluster_id: Option<Str> [0+ nullable(0+) tag(0) default(None)],
            replica_id: i32 [0+ default(-1)],
            max_bytes: i32 [0+ default(i32::MAX)],
            topics: Vec<TopicSnapshot> [0+],
        }

        /// In [`FetchSnapshotRequest`].
        struct TopicSnapshot {
            name: Str [0+],
            partitions: Vec<PartitionSnapshot> [0+],
        }

        /// In [`FetchSnapshotRequest`].
        struct PartitionSnapshot {
            partition: i32 [0+],
            current_leader_epoch: i32 [0+],
            snapshot_id: SnapshotId [0+],
            position: i64 [0+],
            replica_directory_id: Uuid [1+ tag(0) ignorable],
        }

        /// In [`FetchSnapshotRequest`].
        struct SnapshotId {
            end_offset: i64 [0+],
            epoch: i32 [0+],
        }
    }
}

/// [`FetchSnapshotResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::protocol::records::Records;
    use crate::protocol::string::Str;

    declare! {
        /// The response of FetchSnapshot.
        message FetchSnapshotResponse [0-1 flexible(0+)] {
            throttle_time_ms: i32 [0+ ignorable],
            error_code: i16 [0+],
            topics: Vec<TopicSnapshot> [0+],
            node_endpoints: Vec<NodeEndpoint> [1+ tag(0)],
        }

        /// In [`FetchSnapshotResponse`].
        struct TopicSnapshot {
            name: Str [0+],
            partitions: Vec<PartitionSnapshot> [0+],
        }

        /// In [`FetchSnapshotResponse`].
        struct PartitionSnapshot {
            index: i32 [0+],
            error_code: i16 [0+],
            snapshot_id: SnapshotId [0+],
            current_leader: LeaderIdAndEpoch [0+ tag(0)],
            size: i64 [0+],
            position: i64 [0+],
            unaligned_records: Option<Records> [0+ default(None)],
        }

        /// In [`FetchSnapshotResponse`].
        struct SnapshotId {
            end_offset: i64 [0+],
            epoch: i32 [0+],
        }

        /// In [`FetchSnapshotResponse`].
        struct LeaderIdAndEpoch {
            leader_id: i32 [0+],
            leader_epoch: i32 [0+],
        }

        /// In [`FetchSnapshotResponse`].
        struct NodeEndpoint {
            node_id: i32 [1+],
            host: Str [1+],
            port: u16 [1+],
        }
    }
}
