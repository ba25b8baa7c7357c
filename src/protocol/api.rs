//! The table of APIs: each row names the two messages, and everything else follows from them.

use crate::protocol::catalogue::Entry;
use crate::protocol::declare::{Message, Request, Response, Versions};
use crate::protocol::messages::*;
use std::fmt;

macro_rules! unstable {
    () => {
        None
    };
    ($version:literal) => {
        Some($version)
    };
}

macro_rules! apis {
    ($( $code:literal $name:ident($request:ident, $response:ident) $(unstable($unstable:literal))?, )*) => {
        /// An API, by Kafka's key.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "the names are Kafka's; the file of each message says what it does")]
        pub enum ApiKey {
            $( $name, )*
        }

        impl ApiKey {
            /// Every API that klamm has messages for, by key.
            pub const ALL: &[ApiKey] = &[$( ApiKey::$name ),*];

            /// The API of this key, or `None`.
            #[must_use]
            pub const fn from_code(code: i16) -> Option<ApiKey> {
                match code {
                    $( $code => Some(ApiKey::$name), )*
                    _ => None,
                }
            }

            /// The key on the wire.
            #[must_use]
            pub const fn code(self) -> i16 {
                match self {
                    $( ApiKey::$name => $code, )*
                }
            }

            /// Kafka's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( ApiKey::$name => stringify!($name), )*
                }
            }

            /// The versions that klamm can read and write, unstable ones included.
            #[must_use]
            pub const fn known_versions(self) -> Versions {
                match self {
                    $( ApiKey::$name => <$request as Message>::VERSIONS, )*
                }
            }

            /// The versions that have compact lengths and tagged fields.
            #[must_use]
            pub const fn flexible_versions(self) -> Versions {
                match self {
                    $( ApiKey::$name => <$request as Message>::FLEXIBLE, )*
                }
            }

            /// The version that Apache 4.4 calls unstable, and neither advertises nor serves.
            const fn unstable_version(self) -> Option<i16> {
                match self {
                    $( ApiKey::$name => unstable!($($unstable)?), )*
                }
            }
        }

        /// Every request and response, for the catalogue.
        pub(crate) fn wire_messages() -> Vec<Entry> {
            vec![$( Entry::of::<$request>(), Entry::of::<$response>() ),*]
        }

        $(
            impl Request for $request {
                const KEY: ApiKey = ApiKey::$name;
                type Response = $response;
            }

            impl Response for $response {
                const KEY: ApiKey = ApiKey::$name;
            }

            const _: () = assert!(
                <$request as Message>::VERSIONS.low == <$response as Message>::VERSIONS.low
                    && <$request as Message>::VERSIONS.high == <$response as Message>::VERSIONS.high
            );
        )*
    };
}

apis! {
    0 Produce(ProduceRequest, ProduceResponse),
    1 Fetch(FetchRequest, FetchResponse),
    2 ListOffsets(ListOffsetsRequest, ListOffsetsResponse),
    3 Metadata(MetadataRequest, MetadataResponse),
    8 OffsetCommit(OffsetCommitRequest, OffsetCommitResponse),
    9 OffsetFetch(OffsetFetchRequest, OffsetFetchResponse),
    10 FindCoordinator(FindCoordinatorRequest, FindCoordinatorResponse),
    11 JoinGroup(JoinGroupRequest, JoinGroupResponse),
    12 Heartbeat(HeartbeatRequest, HeartbeatResponse),
    13 LeaveGroup(LeaveGroupRequest, LeaveGroupResponse),
    14 SyncGroup(SyncGroupRequest, SyncGroupResponse),
    15 DescribeGroups(DescribeGroupsRequest, DescribeGroupsResponse),
    16 ListGroups(ListGroupsRequest, ListGroupsResponse),
    17 SaslHandshake(SaslHandshakeRequest, SaslHandshakeResponse),
    18 ApiVersions(ApiVersionsRequest, ApiVersionsResponse),
    19 CreateTopics(CreateTopicsRequest, CreateTopicsResponse),
    20 DeleteTopics(DeleteTopicsRequest, DeleteTopicsResponse),
    21 DeleteRecords(DeleteRecordsRequest, DeleteRecordsResponse),
    22 InitProducerId(InitProducerIdRequest, InitProducerIdResponse) unstable(6),
    23 OffsetForLeaderEpoch(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse),
    24 AddPartitionsToTxn(AddPartitionsToTxnRequest, AddPartitionsToTxnResponse),
    25 AddOffsetsToTxn(AddOffsetsToTxnRequest, AddOffsetsToTxnResponse),
    26 EndTxn(EndTxnRequest, EndTxnResponse),
    27 WriteTxnMarkers(WriteTxnMarkersRequest, WriteTxnMarkersResponse),
    28 TxnOffsetCommit(TxnOffsetCommitRequest, TxnOffsetCommitResponse),
    29 DescribeAcls(DescribeAclsRequest, DescribeAclsResponse),
    30 CreateAcls(CreateAclsRequest, CreateAclsResponse),
    31 DeleteAcls(DeleteAclsRequest, DeleteAclsResponse),
    32 DescribeConfigs(DescribeConfigsRequest, DescribeConfigsResponse),
    33 AlterConfigs(AlterConfigsRequest, AlterConfigsResponse),
    34 AlterReplicaLogDirs(AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse),
    35 DescribeLogDirs(DescribeLogDirsRequest, DescribeLogDirsResponse),
    36 SaslAuthenticate(SaslAuthenticateRequest, SaslAuthenticateResponse),
    37 CreatePartitions(CreatePartitionsRequest, CreatePartitionsResponse),
    38 CreateDelegationToken(CreateDelegationTokenRequest, CreateDelegationTokenResponse),
    39 RenewDelegationToken(RenewDelegationTokenRequest, RenewDelegationTokenResponse),
    40 ExpireDelegationToken(ExpireDelegationTokenRequest, ExpireDelegationTokenResponse),
    41 DescribeDelegationToken(DescribeDelegationTokenRequest, DescribeDelegationTokenResponse),
    42 DeleteGroups(DeleteGroupsRequest, DeleteGroupsResponse),
    43 ElectLeaders(ElectLeadersRequest, ElectLeadersResponse),
    44 IncrementalAlterConfigs(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse),
    45 AlterPartitionReassignments(AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse),
    46 ListPartitionReassignments(ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse),
    47 OffsetDelete(OffsetDeleteRequest, OffsetDeleteResponse),
    48 DescribeClientQuotas(DescribeClientQuotasRequest, DescribeClientQuotasResponse),
    49 AlterClientQuotas(AlterClientQuotasRequest, AlterClientQuotasResponse),
    50 DescribeUserScramCredentials(DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse),
    51 AlterUserScramCredentials(AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse),
    52 Vote(VoteRequest, VoteResponse),
    53 BeginQuorumEpoch(BeginQuorumEpochRequest, BeginQuorumEpochResponse),
    54 EndQuorumEpoch(EndQuorumEpochRequest, EndQuorumEpochResponse),
    55 DescribeQuorum(DescribeQuorumRequest, DescribeQuorumResponse),
    56 AlterPartition(AlterPartitionRequest, AlterPartitionResponse),
    57 UpdateFeatures(UpdateFeaturesRequest, UpdateFeaturesResponse),
    58 Envelope(EnvelopeRequest, EnvelopeResponse),
    59 FetchSnapshot(FetchSnapshotRequest, FetchSnapshotResponse),
    60 DescribeCluster(DescribeClusterRequest, DescribeClusterResponse),
    61 DescribeProducers(DescribeProducersRequest, DescribeProducersResponse),
    62 BrokerRegistration(BrokerRegistrationRequest, BrokerRegistrationResponse),
    63 BrokerHeartbeat(BrokerHeartbeatRequest, BrokerHeartbeatResponse),
    64 UnregisterBroker(UnregisterBrokerRequest, UnregisterBrokerResponse),
    65 DescribeTransactions(DescribeTransactionsRequest, DescribeTransactionsResponse),
    66 ListTransactions(ListTransactionsRequest, ListTransactionsResponse),
    67 AllocateProducerIds(AllocateProducerIdsRequest, AllocateProducerIdsResponse),
    68 ConsumerGroupHeartbeat(ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse),
    69 ConsumerGroupDescribe(ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse),
    70 ControllerRegistration(ControllerRegistrationRequest, ControllerRegistrationResponse),
    73 AssignReplicasToDirs(AssignReplicasToDirsRequest, AssignReplicasToDirsResponse),
    74 ListConfigResources(ListConfigResourcesRequest, ListConfigResourcesResponse),
    75 DescribeTopicPartitions(DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse),
    80 AddRaftVoter(AddRaftVoterRequest, AddRaftVoterResponse),
    81 RemoveRaftVoter(RemoveRaftVoterRequest, RemoveRaftVoterResponse),
    82 UpdateRaftVoter(UpdateRaftVoterRequest, UpdateRaftVoterResponse),
    94 UnregisterController(UnregisterControllerRequest, UnregisterControllerResponse),
}

impl ApiKey {
    /// The versions that Apache 4.4 serves: all but the one it calls unstable (KIP-939's
    /// InitProducerId 6).
    #[must_use]
    pub const fn versions(self) -> Versions {
        let known = self.known_versions();
        match self.unstable_version() {
            Some(unstable) => Versions::new(known.low, unstable - 1),
            None => known,
        }
    }

    /// Whether the version has compact lengths and tagged fields.
    #[must_use]
    pub const fn is_flexible(self, version: i16) -> bool {
        self.flexible_versions().contains(version)
    }

    /// The version of the request's header: 2 where the request is flexible, else 1.
    #[must_use]
    pub const fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// The version of the response's header: 1 where the response is flexible, else 0. ApiVersions
    /// has 0 always: its client does not know yet what the broker speaks (KIP-511).
    #[must_use]
    pub const fn response_header_version(self, version: i16) -> i16 {
        let is_always_0 = matches!(self, ApiKey::ApiVersions);
        if self.is_flexible(version) && !is_always_0 {
            1
        } else {
            0
        }
    }
}

impl TryFrom<i16> for ApiKey {
    type Error = i16;

    fn try_from(code: i16) -> Result<ApiKey, i16> {
        ApiKey::from_code(code).ok_or(code)
    }
}

impl From<ApiKey> for i16 {
    fn from(key: ApiKey) -> i16 {
        key.code()
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_apache_says() {
        assert_eq!(ApiKey::from_code(1), Some(ApiKey::Fetch));
        assert_eq!(ApiKey::from_code(4), None);
        assert_eq!(ApiKey::Produce.versions(), Versions::new(3, 13));
        assert_eq!(ApiKey::InitProducerId.versions(), Versions::new(0, 5));
        assert_eq!(ApiKey::InitProducerId.known_versions(), Versions::new(0, 6));
        assert_eq!(ApiKey::Fetch.request_header_version(11), 1);
        assert_eq!(ApiKey::Fetch.request_header_version(12), 2);
        assert_eq!(ApiKey::Fetch.response_header_version(12), 1);
        assert_eq!(ApiKey::ApiVersions.request_header_version(4), 2);
        assert_eq!(ApiKey::ApiVersions.response_header_version(4), 0);
        assert_eq!(ApiKey::SaslHandshake.request_header_version(1), 1);
        for key in ApiKey::ALL {
            assert_eq!(ApiKey::from_code(key.code()), Some(*key));
        }
    }
}
