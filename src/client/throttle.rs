//! KIP-219: a broker that throttles answers at once, and says in the answer for how long it will not
//! read from the connection. Until then nothing is sent there: it would only wait in buffers, and
//! count as unanswered.
//!
//! Brokers before Kafka 2.0 held the answer back instead; by the version of the answer a client
//! knows which of the two it was. The versions are those of `shouldClientThrottle` in Apache's
//! responses.

use crate::base::time::milliseconds;
use crate::protocol::ApiKey;
use std::time::Duration;

/// What brokers have asked to wait, counted for those who report it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Throttled {
    /// Answers that asked.
    pub answers: u64,
    /// For how long, together.
    pub time: Duration,
    /// The longest of them.
    pub longest: Duration,
}

impl Throttled {
    pub(super) fn add(&mut self, asked: Duration) {
        self.answers += 1;
        self.time += asked;
        self.longest = self.longest.max(asked);
    }

    /// This and that together.
    #[must_use]
    pub fn plus(self, other: Throttled) -> Throttled {
        Throttled {
            answers: self.answers + other.answers,
            time: self.time + other.time,
            longest: self.longest.max(other.longest),
        }
    }
}

/// First version of Produce whose throttling is the client's to keep. The time stands near the end of
/// that answer: whoever decodes it says it.
pub const PRODUCE_SINCE: i16 = 6;

/// The same of ApiVersions.
pub const API_VERSIONS_SINCE: i16 = 2;

/// The first version whose throttling is the client's to keep, and where in the answer the time
/// stands: of the APIs that this client asks.
const SINCE: [(ApiKey, i16, usize); 21] = [
    (ApiKey::Fetch, 8, 0),
    (ApiKey::ListOffsets, 3, 0),
    (ApiKey::Metadata, 6, 0),
    (ApiKey::OffsetCommit, 4, 0),
    (ApiKey::OffsetFetch, 4, 0),
    (ApiKey::FindCoordinator, 2, 0),
    (ApiKey::JoinGroup, 3, 0),
    (ApiKey::Heartbeat, 2, 0),
    (ApiKey::LeaveGroup, 2, 0),
    (ApiKey::SyncGroup, 2, 0),
    (ApiKey::DescribeGroups, 2, 0),
    (ApiKey::ListGroups, 2, 0),
    (ApiKey::CreateTopics, 3, 0),
    (ApiKey::DeleteTopics, 2, 0),
    (ApiKey::InitProducerId, 1, 0),
    (ApiKey::DescribeConfigs, 2, 0),
    (ApiKey::CreatePartitions, 1, 0),
    (ApiKey::DeleteGroups, 1, 0),
    (ApiKey::IncrementalAlterConfigs, 0, 0),
    (ApiKey::OffsetDelete, 0, 2),
    (ApiKey::ListPartitionReassignments, 0, 0),
];

/// How long an answer asks to send nothing; zero where it does not, or where nobody but the broker
/// has to wait.
pub fn asked(api_key: ApiKey, version: i16, body: &[u8]) -> Duration {
    SINCE
        .iter()
        .find(|(key, since, _)| *key == api_key && version >= *since)
        .and_then(|&(_, _, at)| body.get(at..)?.first_chunk::<4>())
        .map_or(Duration::ZERO, |time| {
            milliseconds(i64::from(i32::from_be_bytes(*time)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::messages::*;
    use crate::protocol::{Message, Writer};

    /// What is read out of an answer of each version that says 77 ms.
    fn seen<R: Message + Default>(api_key: ApiKey, set: impl Fn(&mut R)) -> Vec<(i16, bool)> {
        let versions = api_key.versions();
        (versions.low..=versions.high)
            .map(|version| {
                let mut answer = R::default();
                set(&mut answer);
                let mut writer = Writer::new();
                answer.encode(&mut writer, version).unwrap();
                let body = writer.finish().bytes;
                let asked = asked(api_key, version, &body);
                let right = [Duration::ZERO, Duration::from_millis(77)].contains(&asked);
                assert!(right, "{api_key:?} {version}: {asked:?}");
                (version, !asked.is_zero())
            })
            .collect()
    }

    macro_rules! throttles {
        ($($name:ident $response:ident $since:literal)*) => {
            [$((ApiKey::$name, $since, seen(ApiKey::$name, |answer: &mut $response| {
                answer.throttle_time_ms = 77;
            }))),*]
        };
    }

    /// The table is right of every version of every API in it: by the codec.
    #[test]
    fn the_time_is_where_the_table_says() {
        let rows = throttles! {
            Fetch FetchResponse 8
            ListOffsets ListOffsetsResponse 3
            Metadata MetadataResponse 6
            OffsetCommit OffsetCommitResponse 4
            OffsetFetch OffsetFetchResponse 4
            FindCoordinator FindCoordinatorResponse 2
            JoinGroup JoinGroupResponse 3
            Heartbeat HeartbeatResponse 2
            LeaveGroup LeaveGroupResponse 2
            SyncGroup SyncGroupResponse 2
            DescribeGroups DescribeGroupsResponse 2
            ListGroups ListGroupsResponse 2
            CreateTopics CreateTopicsResponse 3
            DeleteTopics DeleteTopicsResponse 2
            InitProducerId InitProducerIdResponse 1
            DescribeConfigs DescribeConfigsResponse 2
            CreatePartitions CreatePartitionsResponse 1
            DeleteGroups DeleteGroupsResponse 1
            IncrementalAlterConfigs IncrementalAlterConfigsResponse 0
            OffsetDelete OffsetDeleteResponse 0
            ListPartitionReassignments ListPartitionReassignmentsResponse 0
        };
        assert_eq!(rows.len(), SINCE.len());
        for (api_key, since, seen) in rows {
            for (version, throttled) in seen {
                assert_eq!(throttled, version >= since, "{api_key:?} {version}");
            }
        }
    }

    #[test]
    fn what_is_too_short_or_negative_asks_for_nothing() {
        assert_eq!(asked(ApiKey::Fetch, 12, &[0, 0, 1]), Duration::ZERO);
        assert_eq!(asked(ApiKey::Fetch, 12, &[255; 4]), Duration::ZERO);
        assert_eq!(asked(ApiKey::OffsetDelete, 0, &[0]), Duration::ZERO);
    }
}
