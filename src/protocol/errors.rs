//! Kafka's error codes, those of Apache Kafka 4.4: one row each, with Kafka's number and name,
//! whether a client may try again, and what klamm says where a response has room for a message.

use std::fmt;

/// An error code as it stands on the wire; codes that klamm does not know are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ErrorCode(pub i16);

macro_rules! retriable {
    (retriable) => {
        true
    };
    (final) => {
        false
    };
}

macro_rules! errors {
    ($( $code:literal $name:ident $class:ident $message:literal; )*) => {
        impl ErrorCode {
            $(
                #[doc = $message]
                pub const $name: ErrorCode = ErrorCode($code);
            )*

            /// Every code that klamm knows.
            pub const ALL: &[ErrorCode] = &[$( ErrorCode::$name ),*];

            /// Kafka's name, or "UNKNOWN" for a code that klamm does not know.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $( $code => stringify!($name), )*
                    _ => "UNKNOWN",
                }
            }

            /// Whether the same request may succeed later.
            #[must_use]
            pub const fn is_retriable(self) -> bool {
                match self.0 {
                    $( $code => retriable!($class), )*
                    _ => false,
                }
            }

            /// What the error means, as a sentence.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self.0 {
                    $( $code => $message, )*
                    _ => "An error that this version does not know.",
                }
            }
        }
    };
}

errors! {
    -1 UNKNOWN_SERVER_ERROR final "The server failed in a way it did not expect.";
    0 NONE final "No error.";
    1 OFFSET_OUT_OF_RANGE final "The offset lies outside of what the partition holds.";
    2 CORRUPT_MESSAGE retriable "The record batch is corrupt: its checksum, size or key is wrong.";
    3 UNKNOWN_TOPIC_OR_PARTITION retriable "This broker does not host the topic or partition.";
    4 INVALID_FETCH_SIZE final "The fetch size is invalid.";
    5 LEADER_NOT_AVAILABLE retriable "The partition has no leader at the moment.";
    6 NOT_LEADER_OR_FOLLOWER retriable "This broker is not the leader of the partition, or does not replicate it.";
    7 REQUEST_TIMED_OUT retriable "The request took longer than its timeout.";
    8 BROKER_NOT_AVAILABLE final "The broker is not available.";
    9 REPLICA_NOT_AVAILABLE retriable "The replica is not available here.";
    10 MESSAGE_TOO_LARGE final "The message is larger than the server accepts.";
    11 STALE_CONTROLLER_EPOCH final "The controller has moved to another node.";
    12 OFFSET_METADATA_TOO_LARGE final "The metadata of the committed offset is too large.";
    13 NETWORK_EXCEPTION retriable "The connection ended before a response came.";
    14 COORDINATOR_LOAD_IN_PROGRESS retriable "The coordinator is still loading its state.";
    15 COORDINATOR_NOT_AVAILABLE retriable "The coordinator is not available.";
    16 NOT_COORDINATOR retriable "This broker is not the coordinator.";
    17 INVALID_TOPIC_EXCEPTION final "The topic is invalid, or may not be used this way.";
    18 RECORD_LIST_TOO_LARGE final "The record batch is larger than a segment may be.";
    19 NOT_ENOUGH_REPLICAS retriable "The partition has fewer in-sync replicas than it requires.";
    20 NOT_ENOUGH_REPLICAS_AFTER_APPEND retriable "The records were written, but to fewer in-sync replicas than required.";
    21 INVALID_REQUIRED_ACKS final "The required acks are not one of -1, 0 and 1.";
    22 ILLEGAL_GENERATION final "The group has another generation than this one.";
    23 INCONSISTENT_GROUP_PROTOCOL final "The member's protocols do not match those of its group.";
    24 INVALID_GROUP_ID final "The group id is invalid.";
    25 UNKNOWN_MEMBER_ID final "The coordinator does not know this member.";
    26 INVALID_SESSION_TIMEOUT final "The session timeout is outside of what the broker allows.";
    27 REBALANCE_IN_PROGRESS final "The group is rebalancing: join it again.";
    28 INVALID_COMMIT_OFFSET_SIZE final "The committed offset's data is too large.";
    29 TOPIC_AUTHORIZATION_FAILED final "Not authorized for the topic.";
    30 GROUP_AUTHORIZATION_FAILED final "Not authorized for the group.";
    31 CLUSTER_AUTHORIZATION_FAILED final "Not authorized for the cluster.";
    32 INVALID_TIMESTAMP final "The timestamp is outside of the accepted range.";
    33 UNSUPPORTED_SASL_MECHANISM final "The broker does not offer this SASL mechanism.";
    34 ILLEGAL_SASL_STATE final "The request does not fit the state of SASL authentication.";
    35 UNSUPPORTED_VERSION final "The version of the API is not supported.";
    36 TOPIC_ALREADY_EXISTS final "A topic of this name exists already.";
    37 INVALID_PARTITIONS final "A topic needs at least one partition.";
    38 INVALID_REPLICATION_FACTOR final "The replication factor is below 1 or above the number of brokers.";
    39 INVALID_REPLICA_ASSIGNMENT final "The assignment of replicas is invalid.";
    40 INVALID_CONFIG final "The configuration is invalid.";
    41 NOT_CONTROLLER retriable "This node is not the active controller.";
    42 INVALID_REQUEST final "The request is malformed, or contradicts itself.";
    43 UNSUPPORTED_FOR_MESSAGE_FORMAT final "The format of the messages does not allow this request.";
    44 POLICY_VIOLATION final "The request violates a policy.";
    45 OUT_OF_ORDER_SEQUENCE_NUMBER final "The producer's sequence has a gap.";
    46 DUPLICATE_SEQUENCE_NUMBER final "The producer's sequence was used already.";
    47 INVALID_PRODUCER_EPOCH final "The producer's epoch is old.";
    48 INVALID_TXN_STATE final "The state of the transaction does not allow this operation.";
    49 INVALID_PRODUCER_ID_MAPPING final "The producer id is not the one of its transactional id.";
    50 INVALID_TRANSACTION_TIMEOUT final "The transaction timeout is larger than the broker allows.";
    51 CONCURRENT_TRANSACTIONS retriable "Another operation on the same transaction is under way.";
    52 TRANSACTION_COORDINATOR_FENCED final "The transaction coordinator that writes markers is no longer current.";
    53 TRANSACTIONAL_ID_AUTHORIZATION_FAILED final "Not authorized for the transactional id.";
    54 SECURITY_DISABLED final "Security is not enabled on this broker.";
    55 OPERATION_NOT_ATTEMPTED final "The operation was not attempted.";
    56 KAFKA_STORAGE_ERROR retriable "The log directory has failed.";
    57 LOG_DIR_NOT_FOUND final "The broker has no such log directory.";
    58 SASL_AUTHENTICATION_FAILED final "Authentication failed.";
    59 UNKNOWN_PRODUCER_ID final "The broker knows nothing of this producer id.";
    60 REASSIGNMENT_IN_PROGRESS final "A reassignment of the partition is under way.";
    61 DELEGATION_TOKEN_AUTH_DISABLED final "Delegation tokens are not enabled.";
    62 DELEGATION_TOKEN_NOT_FOUND final "There is no such delegation token.";
    63 DELEGATION_TOKEN_OWNER_MISMATCH final "The principal neither owns nor renews the delegation token.";
    64 DELEGATION_TOKEN_REQUEST_NOT_ALLOWED final "Delegation tokens may not be requested on this connection.";
    65 DELEGATION_TOKEN_AUTHORIZATION_FAILED final "Not authorized for the delegation token.";
    66 DELEGATION_TOKEN_EXPIRED final "The delegation token has expired.";
    67 INVALID_PRINCIPAL_TYPE final "The type of the principal is not supported.";
    68 NON_EMPTY_GROUP final "The group has members.";
    69 GROUP_ID_NOT_FOUND final "There is no such group.";
    70 FETCH_SESSION_ID_NOT_FOUND retriable "There is no such fetch session.";
    71 INVALID_FETCH_SESSION_EPOCH retriable "The epoch of the fetch session is wrong.";
    72 LISTENER_NOT_FOUND retriable "The leader has no listener like the one this request came on.";
    73 TOPIC_DELETION_DISABLED final "Deletion of topics is disabled.";
    74 FENCED_LEADER_EPOCH retriable "The leader epoch is older than the broker's.";
    75 UNKNOWN_LEADER_EPOCH retriable "The leader epoch is newer than the broker's.";
    76 UNSUPPORTED_COMPRESSION_TYPE final "The client does not support the partition's compression.";
    77 STALE_BROKER_EPOCH final "The broker epoch is no longer current.";
    78 OFFSET_NOT_AVAILABLE retriable "The new leader does not know yet up to where offsets are safe.";
    79 MEMBER_ID_REQUIRED final "The member needs an id before it joins: join again with the one given.";
    80 PREFERRED_LEADER_NOT_AVAILABLE retriable "The preferred leader is not available.";
    81 GROUP_MAX_SIZE_REACHED final "The group is full.";
    82 FENCED_INSTANCE_ID final "Another member has this group instance id.";
    83 ELIGIBLE_LEADERS_NOT_AVAILABLE retriable "No eligible leader is available.";
    84 ELECTION_NOT_NEEDED retriable "The partition's leader is already the one wanted.";
    85 NO_REASSIGNMENT_IN_PROGRESS final "No reassignment of the partition is under way.";
    86 GROUP_SUBSCRIBED_TO_TOPIC final "The group subscribes to the topic.";
    87 INVALID_RECORD final "A record is invalid.";
    88 UNSTABLE_OFFSET_COMMIT retriable "A transaction has offsets that are not committed yet.";
    89 THROTTLING_QUOTA_EXCEEDED retriable "The quota is exhausted for now.";
    90 PRODUCER_FENCED final "A newer producer has this transactional id.";
    91 RESOURCE_NOT_FOUND final "The resource does not exist.";
    92 DUPLICATE_RESOURCE final "The request names the same resource twice.";
    93 UNACCEPTABLE_CREDENTIAL final "The credential is not acceptable.";
    94 INCONSISTENT_VOTER_SET final "The voter set of the request is not the one known here.";
    95 INVALID_UPDATE_VERSION final "The version of the update is invalid.";
    96 FEATURE_UPDATE_FAILED final "The features could not be updated.";
    97 PRINCIPAL_DESERIALIZATION_FAILURE final "The principal of a forwarded request could not be read.";
    98 SNAPSHOT_NOT_FOUND final "There is no such snapshot.";
    99 POSITION_OUT_OF_RANGE final "The position lies outside of the snapshot.";
    100 UNKNOWN_TOPIC_ID retriable "This broker does not host the topic id.";
    101 DUPLICATE_BROKER_REGISTRATION final "Another broker has this id.";
    102 BROKER_ID_NOT_REGISTERED final "No broker with this id is registered.";
    103 INCONSISTENT_TOPIC_ID retriable "The topic has another id than the request says.";
    104 INCONSISTENT_CLUSTER_ID final "The cluster has another id than the request says.";
    105 TRANSACTIONAL_ID_NOT_FOUND final "There is no such transactional id.";
    106 FETCH_SESSION_TOPIC_ID_ERROR retriable "The fetch session mixes topics with and without ids.";
    107 INELIGIBLE_REPLICA final "The new ISR holds a replica that may not be in it.";
    108 NEW_LEADER_ELECTED final "The ISR was changed, and the partition has a new leader.";
    109 OFFSET_MOVED_TO_TIERED_STORAGE final "The offset lies in tiered storage only.";
    110 FENCED_MEMBER_EPOCH final "The member's epoch is fenced: give up all partitions and join again.";
    111 UNRELEASED_INSTANCE_ID final "Another member still uses the instance id.";
    112 UNSUPPORTED_ASSIGNOR final "The group does not support the assignor.";
    113 STALE_MEMBER_EPOCH final "The member's epoch is old: heartbeat first.";
    114 MISMATCHED_ENDPOINT_TYPE final "The request came to an endpoint of the wrong type.";
    115 UNSUPPORTED_ENDPOINT_TYPE final "The type of endpoint is not supported.";
    116 UNKNOWN_CONTROLLER_ID final "There is no controller with this id.";
    117 UNKNOWN_SUBSCRIPTION_ID final "The telemetry subscription is not the current one.";
    118 TELEMETRY_TOO_LARGE final "The telemetry is larger than the broker accepts.";
    119 INVALID_REGISTRATION final "The controller finds the registration invalid.";
    120 TRANSACTION_ABORTABLE final "The transaction must be aborted, after which its id may be used again.";
    121 INVALID_RECORD_STATE final "The record is not in a state to be acknowledged.";
    122 SHARE_SESSION_NOT_FOUND retriable "There is no such share session.";
    123 INVALID_SHARE_SESSION_EPOCH retriable "The epoch of the share session is wrong.";
    124 FENCED_STATE_EPOCH final "The state epoch is not the coordinator's.";
    125 INVALID_VOTER_KEY final "The voter key is not this node's.";
    126 DUPLICATE_VOTER final "The voter is in the set already.";
    127 VOTER_NOT_FOUND final "The voter is not in the set.";
    128 INVALID_REGULAR_EXPRESSION final "The regular expression is invalid.";
    129 REBOOTSTRAP_REQUIRED final "The client's metadata is of another cluster or node: bootstrap again.";
    130 STREAMS_INVALID_TOPOLOGY final "The topology is invalid.";
    131 STREAMS_INVALID_TOPOLOGY_EPOCH final "The epoch of the topology is invalid.";
    132 STREAMS_TOPOLOGY_FENCED final "The epoch of the topology is old.";
    133 SHARE_SESSION_LIMIT_REACHED retriable "The broker has as many share sessions as it may.";
    134 GROUP_DELETION_FAILED final "The group could not be deleted.";
    135 STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED final "The description of the topology could not be stored.";
    136 CONTROLLER_ID_NOT_REGISTERED final "No controller with this id is registered.";
}

impl ErrorCode {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> i16 {
        self.0
    }

    /// No error.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl From<i16> for ErrorCode {
    fn from(code: i16) -> ErrorCode {
        ErrorCode(code)
    }
}

impl From<ErrorCode> for i16 {
    fn from(code: ErrorCode) -> i16 {
        code.0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}

impl std::error::Error for ErrorCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_kafka_has_its_row() {
        let codes: Vec<i16> = ErrorCode::ALL.iter().map(|error| error.code()).collect();
        assert_eq!(codes, (-1..=136).collect::<Vec<i16>>());
        assert_eq!(ErrorCode::from(6), ErrorCode::NOT_LEADER_OR_FOLLOWER);
        assert!(ErrorCode::NOT_LEADER_OR_FOLLOWER.is_retriable());
        assert!(!ErrorCode::MESSAGE_TOO_LARGE.is_retriable());
        assert_eq!(i16::from(ErrorCode(4242)), 4242);
        assert_eq!(format!("{:?}", ErrorCode(4242)), "UNKNOWN(4242)");
    }
}
