//! ListGroups: the groups of this partition, perhaps only those of some states and types.

use crate::coordinator::group::{Group, GroupReply, Groups, Kind, Step};
use crate::partition::work::Origin;
use crate::protocol::messages::list_groups::ListedGroup;
use crate::protocol::string::Str;

const CLASSIC: &str = "classic";
const CONSUMER: &str = "consumer";

/// Lists groups, sorted by id. A filter that is empty lets all pass; one that names what does not
/// exist lets nothing pass, and is no error.
pub fn handle(groups: &Groups, origin: Option<Origin>, states: &[Str], types: &[Str]) -> Step {
    let listed = groups
        .groups
        .iter()
        .filter(|(_, group)| is_wanted(states, state_name(group)))
        .filter(|(_, group)| is_wanted(types, type_name(group)))
        .map(|(group_id, group)| listed(group_id, group))
        .collect();
    Step::reply(origin, GroupReply::ListGroups(listed))
}

fn is_wanted(filter: &[Str], name: &str) -> bool {
    let mut wanted = filter.iter();
    filter.is_empty() || wanted.any(|wanted| wanted.trim().eq_ignore_ascii_case(name))
}

fn listed(group_id: &Str, group: &Group) -> ListedGroup {
    ListedGroup {
        group_id: group_id.clone(),
        protocol_type: match &group.kind {
            Kind::Classic(group) => group.protocol_type().cloned().unwrap_or_default(),
            Kind::Consumer(_) => Str::from_static(CONSUMER),
        },
        group_state: Str::from_static(state_name(group)),
        group_type: Str::from_static(type_name(group)),
        ..ListedGroup::default()
    }
}

fn state_name(group: &Group) -> &'static str {
    match &group.kind {
        Kind::Classic(group) => group.state_name(),
        Kind::Consumer(group) => group.state_name(),
    }
}

fn type_name(group: &Group) -> &'static str {
    match &group.kind {
        Kind::Classic(_) => CLASSIC,
        Kind::Consumer(_) => CONSUMER,
    }
}
