//! What the controller decides by besides its image: who this node is, and its configuration.

use crate::base::ids::NodeId;
use crate::config::Configuration;
use std::sync::Arc;

/// What a controller must know of its node.
#[derive(Clone, Debug)]
pub struct ControllerSettings {
    /// `node.id`.
    pub node_id: NodeId,
    /// From `meta.properties`.
    pub cluster_id: String,
    /// The settings of the file and the command line; what was altered since stands in the image.
    pub configuration: Arc<Configuration>,
}
