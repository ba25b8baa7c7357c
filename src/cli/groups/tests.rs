//! The lines of `klamm groups` beside those that `kafka-consumer-groups` 4.3.1 prints.

use super::describe::{
    OffsetRow, member_lines, members_json, offset_lines, offset_rows, offsets_json, state_json,
    state_lines,
};
use super::offsets::{deleted_lines, parse_topic};
use super::plan::Plan;
use super::reset::{Target, clamped, reset_lines, target};
use super::*;
use crate::base::ids::Offset;
use crate::client::ClientError;
use crate::client::group::range::TopicIndex;
use crate::client::group_admin::{
    CommittedOffset, CoordinatorAddress, GroupDescription, MemberDescription, PartitionErrors,
};
use crate::protocol::ErrorCode;
use clap::Parser;
use expect_test::{Expect, expect};
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Parser, Debug)]
#[command(infer_long_args = true)]
struct Line {
    #[command(flatten)]
    groups: GroupsArguments,
}

fn parsed(line: &str) -> Result<GroupsArguments, clap::Error> {
    let line = format!("groups --bootstrap-server a:1 {line}");
    Line::try_parse_from(line.split_whitespace()).map(|line| line.groups)
}

/// Lines as they are printed, their ends marked where there are spaces.
fn shown(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        text += line;
        text += if line.ends_with(' ') { "|\n" } else { "\n" };
    }
    text
}

fn check_lines(lines: &[String], expected: &Expect) {
    expected.assert_eq(&shown(lines));
}

fn partition(topic: &str, index: i32) -> TopicIndex {
    (Rc::from(topic), index)
}

fn member(id: &str, assignment: &[TopicIndex]) -> MemberDescription {
    MemberDescription {
        member_id: id.to_owned(),
        instance_id: None,
        client_id: "console-consumer".to_owned(),
        host: "/127.0.0.1".to_owned(),
        assignment: assignment.to_vec(),
        target: None,
        epoch: None,
        is_upgraded: None,
    }
}

fn group() -> GroupDescription {
    GroupDescription {
        group_id: "g".to_owned(),
        group_type: "Classic",
        protocol_type: "consumer".to_owned(),
        state: "Stable".to_owned(),
        assignor: "range".to_owned(),
        coordinator: CoordinatorAddress {
            node: 1,
            host: "localhost".to_owned(),
            port: 9092,
        },
        epochs: None,
        members: vec![
            member("console-consumer-1", &[partition("t", 2)]),
            member(
                "console-consumer-2",
                &[partition("t", 0), partition("t", 1)],
            ),
            member("console-consumer-3", &[]),
        ],
    }
}

fn rows() -> Vec<OffsetRow> {
    let committed = |offset, leader_epoch| CommittedOffset {
        offset: Offset(offset),
        leader_epoch,
        metadata: String::new(),
    };
    let offsets = BTreeMap::from([
        (partition("t", 0), committed(5, Some(0))),
        (partition("t", 2), committed(7, None)),
        (partition("gone", 1), committed(3, None)),
    ]);
    let ends = BTreeMap::from([
        (partition("t", 0), Offset(12)),
        (partition("t", 1), Offset(4)),
        (partition("t", 2), Offset(7)),
    ]);
    offset_rows(&group(), &offsets, &ends)
}

#[test]
fn offsets_are_described_as_kafka_does() {
    check_lines(
        &offset_lines("g", &rows(), false),
        &expect![[r#"

        GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID        HOST            CLIENT-ID
        g               t               0          5               12              7               console-consumer-2 /127.0.0.1      console-consumer
        g               t               1          -               4               -               console-consumer-2 /127.0.0.1      console-consumer
        g               t               2          7               7               0               console-consumer-1 /127.0.0.1      console-consumer
        g               gone            1          3               -               -               -                  -               -
    "#]],
    );
    check_lines(
        &offset_lines("g", &rows(), true),
        &expect![[r#"

        GROUP           TOPIC           PARTITION  LEADER-EPOCH    CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID        HOST            CLIENT-ID
        g               t               0          0               5               12              7               console-consumer-2 /127.0.0.1      console-consumer
        g               t               1          -               -               4               -               console-consumer-2 /127.0.0.1      console-consumer
        g               t               2          -               7               7               0               console-consumer-1 /127.0.0.1      console-consumer
        g               gone            1          -               3               -               -               -                  -               -
    "#]],
    );
    expect![[r#"{"group":"g","partitions":[{"clientId":"console-consumer","consumerId":"console-consumer-2","currentOffset":5,"host":"/127.0.0.1","lag":7,"leaderEpoch":0,"logEndOffset":12,"partition":0,"topic":"t"},{"clientId":"console-consumer","consumerId":"console-consumer-2","currentOffset":null,"host":"/127.0.0.1","lag":null,"leaderEpoch":null,"logEndOffset":4,"partition":1,"topic":"t"},{"clientId":"console-consumer","consumerId":"console-consumer-1","currentOffset":7,"host":"/127.0.0.1","lag":0,"leaderEpoch":null,"logEndOffset":7,"partition":2,"topic":"t"},{"clientId":null,"consumerId":null,"currentOffset":3,"host":null,"lag":null,"leaderEpoch":null,"logEndOffset":null,"partition":1,"topic":"gone"}],"state":"Stable"}"#]].assert_eq(&offsets_json(&group(), &rows()).to_string());
}

#[test]
fn members_are_described_as_kafka_does() {
    check_lines(
        &member_lines(&group(), false),
        &expect![[r#"

        GROUP           CONSUMER-ID        HOST            CLIENT-ID        #PARTITIONS     |
        g               console-consumer-1 /127.0.0.1      console-consumer 1               |
        g               console-consumer-2 /127.0.0.1      console-consumer 2               |
        g               console-consumer-3 /127.0.0.1      console-consumer 0               |
    "#]],
    );
    check_lines(
        &member_lines(&group(), true),
        &expect![[r#"

        GROUP           CONSUMER-ID        HOST            CLIENT-ID        #PARTITIONS     CURRENT-EPOCH   CURRENT-ASSIGNMENT   TARGET-EPOCH    TARGET-ASSIGNMENT   |
        g               console-consumer-1 /127.0.0.1      console-consumer 1               -               t:2                  -               -                   |
        g               console-consumer-2 /127.0.0.1      console-consumer 2               -               t:0,1                -               -                   |
        g               console-consumer-3 /127.0.0.1      console-consumer 0               -               -                    -               -                   |
    "#]],
    );
    let mut migrating = group();
    migrating.epochs = Some((4, 4));
    for (member, is_upgraded) in migrating.members.iter_mut().zip([true, false, true]) {
        member.is_upgraded = Some(is_upgraded);
        member.epoch = Some(4);
        member.target = Some(vec![partition("t", 2), partition("u", 0)]);
        member.instance_id = is_upgraded.then(|| "i".to_owned());
    }
    check_lines(
        &member_lines(&migrating, true),
        &expect![[r#"

        GROUP           CONSUMER-ID        GROUP-INSTANCE-ID HOST            CLIENT-ID        #PARTITIONS     CURRENT-EPOCH   CURRENT-ASSIGNMENT   TARGET-EPOCH    TARGET-ASSIGNMENT    UPGRADED
        g               console-consumer-1 i                 /127.0.0.1      console-consumer 1               4               t:2                  4               t:2;u:0              true
        g               console-consumer-2                   /127.0.0.1      console-consumer 2               4               t:0,1                4               t:2;u:0              false
        g               console-consumer-3 i                 /127.0.0.1      console-consumer 0               4               -                    4               t:2;u:0              true
    "#]],
    );
    migrating.members.clear();
    check_lines(
        &member_lines(&migrating, false),
        &expect![[r#"

        GROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     |
    "#]],
    );
    expect![[r#"{"group":"g","members":[{"assignment":[{"partition":2,"topic":"t"}],"clientId":"console-consumer","consumerId":"console-consumer-1","epoch":null,"groupInstanceId":null,"host":"/127.0.0.1","targetAssignment":null,"upgraded":null},{"assignment":[{"partition":0,"topic":"t"},{"partition":1,"topic":"t"}],"clientId":"console-consumer","consumerId":"console-consumer-2","epoch":null,"groupInstanceId":null,"host":"/127.0.0.1","targetAssignment":null,"upgraded":null},{"assignment":[],"clientId":"console-consumer","consumerId":"console-consumer-3","epoch":null,"groupInstanceId":null,"host":"/127.0.0.1","targetAssignment":null,"upgraded":null}],"state":"Stable"}"#]].assert_eq(&members_json(&group()).to_string());
}

#[test]
fn states_are_described_as_kafka_does() {
    check_lines(
        &state_lines(&group(), false),
        &expect![[r#"

        GROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE                #MEMBERS
        g               localhost:9092  (1)       range                Stable               3
    "#]],
    );
    let mut empty = group();
    empty.epochs = Some((4, 3));
    empty.assignor = String::new();
    empty.members.clear();
    check_lines(
        &state_lines(&empty, true),
        &expect![[r#"

        GROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE                GROUP-EPOCH     TARGET-ASSIGNMENT-EPOCH   #MEMBERS
        g               localhost:9092  (1)       -                    Stable               4               3                         0
    "#]],
    );
    expect![[r#"{"assignmentStrategy":"range","coordinator":{"host":"localhost","id":1,"port":9092},"group":"g","groupEpoch":null,"members":3,"protocolType":"consumer","state":"Stable","targetAssignmentEpoch":null,"type":"Classic"}"#]].assert_eq(&state_json(&group()).to_string());
}

#[test]
fn groups_are_listed_as_kafka_does() {
    let listing = |id: &str, state: &str, group_type: &str| GroupListing {
        group_id: id.to_owned(),
        protocol_type: "consumer".to_owned(),
        state: state.to_owned(),
        group_type: group_type.to_owned(),
    };
    let groups = [
        listing("g", "Stable", "Classic"),
        listing("a-rather-long-group-id", "", ""),
    ];
    check_lines(
        &list_lines(&groups, false, false),
        &expect![[r#"
        g
        a-rather-long-group-id
    "#]],
    );
    check_lines(
        &list_lines(&groups, false, true),
        &expect![[r#"
        GROUP                            STATE               |
        g                                Stable              |
        a-rather-long-group-id           Unknown             |
    "#]],
    );
    check_lines(
        &list_lines(&groups, true, true),
        &expect![[r#"
        GROUP                            TYPE                 STATE               |
        g                                Classic              Stable              |
        a-rather-long-group-id           Unknown              Unknown             |
    "#]],
    );
    check_lines(
        &list_lines(&[], true, false),
        &expect![[r#"
        GROUP                     TYPE                |
    "#]],
    );
}

#[test]
fn resets_and_deletions_are_told_as_kafka_does() {
    let plan = Plan::from([
        (
            "g".to_owned(),
            BTreeMap::from([
                (partition("t", 0), Offset(5)),
                (partition("t", 1), Offset(0)),
            ]),
        ),
        ("h".to_owned(), BTreeMap::new()),
    ]);
    check_lines(
        &reset_lines(&plan),
        &expect![[r#"

        GROUP           TOPIC           PARTITION  NEW-OFFSET
        g               t               0          5
        g               t               1          0
    "#]],
    );
    assert_eq!(reset_lines(&Plan::new()), [""]);
    let results = PartitionErrors::from([
        (partition("t", 0), ErrorCode::NONE),
        (partition("t", 1), ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC),
        (partition("u", -1), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
    ]);
    check_lines(
        &deleted_lines(&results),
        &expect![[r#"

        TOPIC           PARTITION  STATUS         |
        t               0          Successful     |
        t               1          Error: org.apache.kafka.common.errors.GroupSubscribedToTopicException: Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.
        u               -          Error: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not host this topic-partition.
    "#]],
    );
}

#[test]
fn an_offset_stays_within_the_partition() {
    let key = partition("t", 0);
    let at = |offset| clamped(&key, Offset(offset), Some(Offset(3)), Some(Offset(9)));
    assert_eq!(at(3), (Offset(3), None));
    assert_eq!(at(9), (Offset(9), None));
    let (kept, warning) = at(10);
    assert_eq!(kept, Offset(9));
    assert_eq!(
        warning.as_deref(),
        Some(
            "WARN New offset (10) is higher than latest offset for topic partition t-0. Value \
             will be set to 9"
        )
    );
    let (kept, warning) = at(-4);
    assert_eq!(kept, Offset(3));
    assert!(warning.unwrap().contains("lower than earliest"));
    let unknown = clamped(&key, Offset(10), None, None);
    assert_eq!(unknown, (Offset(10), None));
}

#[test]
fn errors_have_the_names_of_javas_exceptions() {
    let error = ClientError::kafka("deleting", ErrorCode::NON_EMPTY_GROUP, None);
    assert_eq!(
        java::exception(&error),
        "org.apache.kafka.common.errors.GroupNotEmptyException: The group is not empty."
    );
    let odd = ClientError::kafka("deleting", ErrorCode::INVALID_CONFIG, None);
    assert_eq!(java::exception(&odd), ErrorCode::INVALID_CONFIG.message());
}

#[test]
fn topics_may_name_partitions() {
    assert_eq!(parse_topic("t").unwrap(), ("t".into(), vec![]));
    assert_eq!(parse_topic("t:0,2").unwrap(), ("t".into(), vec![0, 2]));
    for bad in ["t:", ":0", "t:0:1", "t:x", "t:0,"] {
        assert!(parse_topic(bad).is_err(), "{bad}");
    }
}

#[test]
fn kafkas_own_lines_are_taken() {
    for line in [
        "--list",
        "--list --state",
        "--list --state stable,Empty --type classic",
        "--list --type",
        "--describe --group g",
        "--describe --group g --group h --offsets --verbose",
        "--describe --all-groups --members --verbose",
        "--describe --group g --state --timeout 100",
        "--delete --group g --group h",
        "--delete --all-groups",
        "--reset-offsets --group g --topic t --to-earliest --execute",
        "--reset-offsets --group g --topic t:0,1 --topic u --shift-by -5 --dry-run",
        "--reset-offsets --all-groups --all-topics --to-latest --export",
        "--reset-offsets --group g --all-topics --to-datetime 2026-01-01T00:00:00.000",
        "--reset-offsets --group g --all-topics --by-duration PT1H",
        "--reset-offsets --group g --from-file f.csv",
        "--reset-offsets --group g --topic t --to-offset 7",
        "--reset-offsets --group g --topic t --to-current",
        "--delete-offsets --group g --topic t --topic u",
    ] {
        let arguments = parsed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        check(&arguments).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for line in [
        "",
        "--list --describe",
        "--describe --group g --members --offsets",
        "--describe --group g --members --state",
        "--describe --group g --all-groups",
        "--reset-offsets --group g --topic t --to-earliest --to-latest",
        "--reset-offsets --group g --topic t --to-earliest --dry-run --execute",
        "--reset-offsets --group g --topic t --to-offset x",
    ] {
        assert!(parsed(line).is_err(), "{line}");
    }
    for line in [
        "--list --members",
        "--describe --group g --type",
        "--list --execute",
        "--describe --group g --all-topics",
        "--describe",
        "--describe --group g --state stable",
        "--delete",
        "--delete --group g --topic t",
        "--delete-offsets --group g",
        "--delete-offsets --topic t",
        "--list --group g",
        "--describe --group g --topic t",
        "--reset-offsets --topic t --to-earliest",
        "--reset-offsets --group g --to-earliest",
    ] {
        assert!(check(&parsed(line).unwrap()).is_err(), "{line}");
    }
    let states = |text| chosen(text, &STATES, "states", "state");
    assert_eq!(states("stable, EMPTY").unwrap(), ["Stable", "Empty"]);
    assert!(states("").unwrap().is_empty());
    assert!(states("bogus").is_err());
}

#[test]
fn where_to_reset_to_is_one_of_eight() {
    let target = |line: &str| {
        let line = format!("--reset-offsets --group g --topic t {line}");
        target(&parsed(&line).unwrap())
    };
    assert_eq!(target("--to-offset -1").unwrap(), Some(Target::Offset(-1)));
    assert_eq!(target("--shift-by -5").unwrap(), Some(Target::ShiftBy(-5)));
    assert_eq!(target("--to-current").unwrap(), Some(Target::Current));
    assert_eq!(
        target("--by-duration P1D").unwrap(),
        Some(Target::Age(86_400_000))
    );
    assert_eq!(
        target("--to-datetime 1970-01-01T00:00:01.000").unwrap(),
        Some(Target::Time(1000))
    );
    for bad in [
        "",
        "--to-datetime yesterday",
        "--by-duration 1h",
        "--from-file /does/not/exist",
    ] {
        assert!(target(bad).is_err(), "{bad}");
    }
}
