//! A short list of brokers: the replicas or the ISR of one partition. There are several for each of
//! up to 100,000 partitions in every shard's image, so up to three brokers lie in the list itself.

use crate::base::ids::NodeId;
use std::fmt;
use std::ops::Deref;

const INLINE_NODES_MAX: usize = 3;

/// Brokers in the order in which their record gave them; 16 bytes, where there are at most three.
#[derive(Clone)]
pub struct NodeList(Nodes);

#[derive(Clone)]
enum Nodes {
    Inline {
        count: u8,
        nodes: [NodeId; INLINE_NODES_MAX],
    },
    // Boxed twice, because a boxed slice alone is 16 bytes wide.
    Heap(Box<Box<[NodeId]>>),
}

const _: () = assert!(size_of::<NodeList>() == 16);

impl NodeList {
    /// No broker.
    pub const EMPTY: NodeList = NodeList(Nodes::Inline {
        count: 0,
        nodes: [NodeId(0); INLINE_NODES_MAX],
    });

    /// The list without one broker.
    #[must_use]
    pub fn without(&self, node: NodeId) -> NodeList {
        self.iter()
            .copied()
            .filter(|&other| other != node)
            .collect()
    }

    /// The ids as Kafka's records carry them.
    #[must_use]
    pub fn to_ids(&self) -> Vec<i32> {
        self.iter().map(|node| node.0).collect()
    }

    /// The list of a record.
    #[must_use]
    pub fn from_ids(ids: &[i32]) -> NodeList {
        ids.iter().copied().map(NodeId).collect()
    }
}

impl Deref for NodeList {
    type Target = [NodeId];

    fn deref(&self) -> &[NodeId] {
        match &self.0 {
            Nodes::Inline { count, nodes } => &nodes[..usize::from(*count)],
            Nodes::Heap(nodes) => nodes,
        }
    }
}

impl FromIterator<NodeId> for NodeList {
    fn from_iter<I: IntoIterator<Item = NodeId>>(iterator: I) -> NodeList {
        let mut iterator = iterator.into_iter();
        let mut nodes = [NodeId(0); INLINE_NODES_MAX];
        let mut count = 0_u8;
        for slot in &mut nodes {
            let Some(node) = iterator.next() else {
                return NodeList(Nodes::Inline { count, nodes });
            };
            *slot = node;
            count += 1;
        }
        match iterator.next() {
            None => NodeList(Nodes::Inline { count, nodes }),
            Some(fourth) => {
                let all = nodes.into_iter().chain([fourth]).chain(iterator);
                NodeList(Nodes::Heap(Box::new(all.collect())))
            }
        }
    }
}

impl Default for NodeList {
    fn default() -> NodeList {
        NodeList::EMPTY
    }
}

impl PartialEq for NodeList {
    fn eq(&self, other: &NodeList) -> bool {
        **self == **other
    }
}

impl Eq for NodeList {}

impl fmt::Debug for NodeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|node| node.0))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_every_length_come_back() {
        for count in 0..9 {
            let ids: Vec<i32> = (0..count).collect();
            let list = NodeList::from_ids(&ids);
            assert_eq!(list.to_ids(), ids);
            assert_eq!(list.clone(), list);
            assert_eq!(list.without(NodeId(0)).to_ids(), ids[ids.len().min(1)..]);
        }
        assert_ne!(NodeList::from_ids(&[1, 2]), NodeList::from_ids(&[2, 1]));
    }
}
