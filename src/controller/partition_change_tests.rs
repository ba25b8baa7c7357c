//! Three replicas, and what becomes of them: as Kafka's `PartitionChangeBuilder` decides.

use super::*;
use crate::metadata::record_text;
use crate::protocol::metadata_records::MetadataRecord;
use expect_test::expect;

const DIRECTORY: Uuid = Uuid([9; 16]);

fn partition(isr: &[i32]) -> Partition {
    Partition::new(
        NodeList::from_ids(&[1, 2, 3]),
        vec![DIRECTORY; 3],
        NodeList::from_ids(isr),
    )
}

struct Rules<'a> {
    alive: &'a [i32],
    is_elr_enabled: bool,
    min_isr: usize,
    version: i16,
}

impl Default for Rules<'_> {
    fn default() -> Self {
        Rules {
            alive: &[1, 2, 3],
            is_elr_enabled: true,
            min_isr: 2,
            version: 30,
        }
    }
}

fn change(
    partition: &Partition,
    rules: &Rules<'_>,
    with: impl FnOnce(PartitionChange<'_>) -> PartitionChange<'_>,
) -> String {
    let is_acceptable_leader = |node: NodeId| rules.alive.contains(&node.0);
    let default_directory = |_: NodeId| DIRECTORY;
    let context = ChangeContext {
        version: MetadataVersion(rules.version),
        is_elr_enabled: rules.is_elr_enabled,
        min_isr: rules.min_isr,
        is_acceptable_leader: &is_acceptable_leader,
        default_directory: &default_directory,
    };
    let record = with(PartitionChange::new(partition, TopicId::ZERO, 0, context)).build();
    record.map_or("-".to_owned(), |record| {
        record_text::line(&MetadataRecord::PartitionChangeRecord(record))
    })
}

fn isr(ids: &[i32]) -> NodeList {
    NodeList::from_ids(ids)
}

#[test]
fn a_follower_that_leaves_changes_the_isr_and_no_epoch() {
    let all = partition(&[1, 2, 3]);
    let rules = Rules::default();
    expect!["PartitionChange 0 isr [1, 2]"]
        .assert_eq(&change(&all, &rules, |it| it.target_isr(isr(&[1, 2]))));
    // Before 3.6 an ISR that shrank began a leader epoch (KAFKA-15021).
    let old = Rules {
        version: 11,
        is_elr_enabled: false,
        ..Rules::default()
    };
    expect!["PartitionChange 0 isr [1, 2] leader 1"]
        .assert_eq(&change(&all, &old, |it| it.target_isr(isr(&[1, 2]))));
    assert_eq!(change(&all, &rules, |it| it), "-");
}

#[test]
fn a_leader_that_leaves_is_followed_by_the_next_of_the_isr() {
    let rules = Rules {
        alive: &[2, 3],
        ..Rules::default()
    };
    expect!["PartitionChange 0 isr [2, 3] leader 2"].assert_eq(&change(
        &partition(&[1, 2, 3]),
        &rules,
        |it| it.target_isr(isr(&[2, 3])),
    ));
}

#[test]
fn below_the_minimum_who_left_stays_eligible() {
    let rules = Rules {
        alive: &[1],
        ..Rules::default()
    };
    let two = partition(&[1, 2]);
    expect!["PartitionChange 0 isr [1] elr [2]"]
        .assert_eq(&change(&two, &rules, |it| it.target_isr(isr(&[1]))));
    expect!["PartitionChange 0 isr [1]"].assert_eq(&change(&two, &rules, |it| {
        it.target_isr(isr(&[1])).unclean_shutdown(NodeId(2))
    }));
    let nobody = Rules {
        alive: &[],
        ..Rules::default()
    };
    expect!["PartitionChange 0 isr [] leader -1 elr [1, 2] last_known_elr [1]"].assert_eq(&change(
        &two,
        &nobody,
        |it| it.target_isr(isr(&[])),
    ));
}

#[test]
fn without_eligible_replicas_the_last_of_the_isr_stays_in_it() {
    let rules = Rules {
        alive: &[2, 3],
        is_elr_enabled: false,
        ..Rules::default()
    };
    let one = partition(&[1]);
    expect!["PartitionChange 0 leader -1"]
        .assert_eq(&change(&one, &rules, |it| it.target_isr(isr(&[]))));
    expect!["PartitionChange 0 isr [2] leader 2 leader_recovery_state 1"].assert_eq(&change(
        &one,
        &rules,
        |it| it.target_isr(isr(&[])).election(Election::Unclean),
    ));
}

#[test]
fn the_preferred_leader_leads_again_when_asked() {
    let mut led_by_two = partition(&[1, 2, 3]);
    led_by_two.leader = NodeId(2);
    let rules = Rules::default();
    assert_eq!(change(&led_by_two, &rules, |it| it), "-");
    expect!["PartitionChange 0 leader 1"].assert_eq(&change(&led_by_two, &rules, |it| {
        it.election(Election::Preferred)
    }));
    let without_one = Rules {
        alive: &[2, 3],
        ..Rules::default()
    };
    assert_eq!(
        change(&led_by_two, &without_one, |it| it
            .election(Election::Preferred)),
        "-"
    );
}
