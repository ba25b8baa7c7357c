//! Ids and quantities as types: what is an offset cannot be taken for an epoch.

use crate::base::uuid::Uuid;
use std::fmt;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

quantity!(
    /// Position of a record in its partition, counted from 0.
    Offset(i64)
);
quantity!(
    /// How often the leadership of a partition has changed; -1 is "none".
    LeaderEpoch(i32)
);
quantity!(
    /// A broker or controller: Kafka's `node.id`.
    NodeId(i32)
);
quantity!(
    /// Which partition of its topic, counted from 0.
    PartitionIndex(i32)
);
quantity!(
    /// An idempotent or transactional producer; -1 is "none".
    ProducerId(i64)
);
quantity!(
    /// Incarnation of a producer id; -1 is "none".
    ProducerEpoch(i16)
);
quantity!(
    /// Number of a record in its producer's sequence; wraps from `i32::MAX` to 0.
    Sequence(i32)
);

/// The id of a topic: it changes when a topic of the same name is created anew.
pub type TopicId = Uuid;

/// A partition, by topic id: names can be reused, ids cannot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TopicPartition {
    /// The topic.
    pub topic_id: TopicId,
    /// Which partition of it.
    pub partition: PartitionIndex,
}

impl Offset {
    /// The offset `count` records further on.
    #[must_use]
    pub fn plus(self, count: i64) -> Offset {
        Offset(self.0 + count)
    }

    /// The next offset.
    #[must_use]
    pub fn next(self) -> Offset {
        self.plus(1)
    }
}

impl LeaderEpoch {
    /// No epoch is known.
    pub const NONE: LeaderEpoch = LeaderEpoch(-1);
}

impl ProducerId {
    /// The batch has no producer id.
    pub const NONE: ProducerId = ProducerId(-1);
}

impl ProducerEpoch {
    /// The batch has no producer epoch.
    pub const NONE: ProducerEpoch = ProducerEpoch(-1);
}

impl Sequence {
    /// The batch has no sequence.
    pub const NONE: Sequence = Sequence(-1);

    /// The sequence `count` records further on; it wraps from `i32::MAX` to 0. KIP-98.
    #[must_use]
    pub fn plus(self, count: i32) -> Sequence {
        let wide = (i64::from(self.0) + i64::from(count)) % (i64::from(i32::MAX) + 1);
        Sequence(i32::try_from(wide).expect("a remainder of 2^31 fits in 31 bits"))
    }
}
