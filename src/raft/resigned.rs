//! Resigned: led this epoch, and appends nothing more. A quorum of one resigns when it stops.

use crate::base::ids::{LeaderEpoch, Offset};

/// What is left of a leader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResignedState {
    /// The epoch it led.
    pub epoch: LeaderEpoch,
    /// End of the committed log when it resigned.
    pub high_watermark: Option<Offset>,
}
