//! KRaft, for a quorum of one.
