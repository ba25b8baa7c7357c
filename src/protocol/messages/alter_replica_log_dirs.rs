//! AlterReplicaLogDirs, API 34: move replica between log dirs (JBOD).

use crate::protocol::string::Str;

declare! {
    /// The request of AlterReplicaLogDirs.
    message AlterReplicaLogDirsRequest [1-2 flexible(2+)] {
        dirs: Vec<AlterReplicaLogDir> [0+],
    }

    /// In [`AlterReplicaLogDirsRequest`].
    struct AlterReplicaLogDir {
        path: Str [0+],
        topics: Vec<AlterReplicaLogDirTopic> [0+],
    }

    /// In [`AlterReplicaLogDirsRequest`].
    struct AlterReplicaLogDirTopic {
        name: Str [0+],
        partitions: Vec<i32> [0+],
    }

    /// The response of AlterReplicaLogDirs.
    message AlterReplicaLogDirsResponse [1-2 flexible(2+)] {
        throttle_time_ms: i32 [0+],
        results: Vec<AlterReplicaLogDirTopicResult> [0+],
    }

    /// In [`AlterReplicaLogDirsResponse`].
    struct AlterReplicaLogDirTopicResult {
        topic_name: Str [0+],
        partitions: Vec<AlterReplicaLogDirPartitionResult> [0+],
    }

    /// In [`AlterReplicaLogDirsResponse`].
    struct AlterReplicaLogDirPartitionResult {
        partition_index: i32 [0+],
        error_code: i16 [0+],
    }
}
