//! Metadata records of topics and partitions.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// Metadata record 2.
    message TopicRecord [0 flexible(0+)] {
        name: Str [0+],
        topic_id: Uuid [0+],
    }

    /// Metadata record 3.
    message PartitionRecord [0-2 flexible(0+)] {
        partition_id: i32 [0+ default(-1)],
        topic_id: Uuid [0+],
        replicas: Vec<i32> [0+],
        isr: Vec<i32> [0+],
        removing_replicas: Vec<i32> [0+],
        adding_replicas: Vec<i32> [0+],
        leader: i32 [0+ default(-1)],
        leader_recovery_state: i8 [0+ tag(0)],
        leader_epoch: i32 [0+ default(-1)],
        partition_epoch: i32 [0+ default(-1)],
        directories: Vec<Uuid> [1+],
        eligible_leader_replicas: Option<Vec<i32>> [2+ nullable(2+) tag(1) default(None)],
        last_known_elr: Option<Vec<i32>> [2+ nullable(2+) tag(2) default(None)],
    }

    /// Metadata record 5.
    message PartitionChangeRecord [0-2 flexible(0+)] {
        partition_id: i32 [0+ default(-1)],
        topic_id: Uuid [0+],
        isr: Option<Vec<i32>> [0+ nullable(0+) tag(0) default(None)],
        leader: i32 [0+ tag(1) default(-2)],
        replicas: Option<Vec<i32>> [0+ nullable(0+) tag(2) default(None)],
        removing_replicas: Option<Vec<i32>> [0+ nullable(0+) tag(3) default(None)],
        adding_replicas: Option<Vec<i32>> [0+ nullable(0+) tag(4) default(None)],
        leader_recovery_state: i8 [0+ tag(5) default(-1)],
        directories: Option<Vec<Uuid>> [1+ nullable(1+) tag(8) default(None)],
        eligible_leader_replicas: Option<Vec<i32>> [2+ nullable(2+) tag(6) default(None)],
        last_known_elr: Option<Vec<i32>> [2+ nullable(2+) tag(7) default(None)],
    }

    /// Metadata record 9.
    message RemoveTopicRecord [0 flexible(0+)] {
        topic_id: Uuid [0+],
    }

    /// Metadata record 28.
    message ClearElrRecord [0 flexible(0+)] {
        topic_name: Str [0+],
    }
}
