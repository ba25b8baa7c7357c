//! Groups whose members all speak the consumer protocol.

use super::*;
use crate::coordinator::group::consumer::CommitCheck;
use crate::coordinator::group::consumer::partitions::partition;

#[test]
fn two_members_share_and_one_takes_over() {
    let mut cluster = Cluster::new(&[]);
    let topic = cluster.make_topic("orders", 4);
    let first = cluster.must_beat(join("a", &["orders"]));
    assert_eq!(first.member_id, text("a"));
    assert_eq!((first.member_epoch, first.heartbeat_interval_ms), (2, 5000));
    let all = assigned(&first).expect("it joins");
    assert_eq!(all.len(), 4);

    // The second comes too early for another assignment: it is asked to come again soon.
    let second = cluster.must_beat(join("b", &["orders"]));
    assert_eq!(second.member_epoch, 2);
    assert_eq!(assigned(&second), Some(BTreeSet::new()));
    assert!(second.heartbeat_interval_ms <= 1001);
    assert_eq!(cluster.group().state_name(), "Assigning");
    cluster.advance_ms(1001);
    assert_eq!(cluster.group().state_name(), "Reconciling");

    let second = cluster.must_beat(beat("b", 2));
    assert_eq!(second.member_epoch, 3);
    assert_eq!(assigned(&second), None, "nothing is free yet");
    assert!(second.heartbeat_interval_ms <= 500);
    let first = cluster.must_beat(beat("a", 2));
    assert_eq!(first.member_epoch, 2);
    let kept = assigned(&first).expect("it has to give some back");
    assert_eq!(kept.len(), 2);
    cluster.check_owners();

    // Others may have what it gave back as soon as it said so.
    let first = cluster.must_beat(beat_with("a", 2, kept.clone()));
    assert_eq!((first.member_epoch, assigned(&first)), (3, None));
    let second = cluster.must_beat(beat("b", 3));
    let given = assigned(&second).expect("they are free now");
    assert_eq!(given, all.difference(&kept).copied().collect());
    assert_eq!(cluster.group().state_name(), "Stable");
    cluster.check_owners();
    cluster.check_replay();

    let gone = cluster.must_beat(beat("a", -1));
    assert_eq!((gone.member_id, gone.member_epoch), (text("a"), -1));
    assert_eq!(cluster.group().member_count(), 1);
    cluster.advance_ms(1000);
    let second = cluster.must_beat(beat_with("b", 3, given));
    assert_eq!((second.member_epoch, assigned(&second)), (4, Some(all)));
    let owner = cluster.group().member("b").expect("it is there");
    assert_eq!(owner.current.assigned.len(), 4);
    cluster.check_owners();

    // A commit of an older epoch is one of partitions that the member had then already. KIP-1251.
    let group = cluster.group();
    let check = |epoch| group.validate_offset_commit("b", epoch, 9);
    assert_eq!(check(4), Ok(CommitCheck::EveryPartition));
    assert_eq!(check(3), Ok(CommitCheck::EachPartition));
    assert_eq!(check(5), Err(ErrorCode::STALE_MEMBER_EPOCH));
    let in_epoch_3 = |number| group.validate_partition_commit("b", 3, topic, number);
    let may: Vec<i32> = (0..4)
        .filter(|&number| in_epoch_3(number).is_ok())
        .collect();
    let had = all_but(&kept, topic);
    assert_eq!(may, had);
    cluster.check_replay();
}

fn all_but(kept: &BTreeSet<TopicPartition>, topic: TopicId) -> Vec<i32> {
    let others = (0..4).filter(|&number| !kept.contains(&partition(topic, number)));
    others.collect()
}

#[test]
fn an_epoch_that_is_not_the_members_is_fenced() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    cluster.make_topic("orders", 2);
    let first = cluster.must_beat(join("a", &["orders"]));
    let all = assigned(&first).expect("it joins");
    for (request, error) in [
        (beat("a", 9), ErrorCode::FENCED_MEMBER_EPOCH),
        (beat("stranger", 1), ErrorCode::UNKNOWN_MEMBER_ID),
        (beat("stranger", -1), ErrorCode::UNKNOWN_MEMBER_ID),
    ] {
        let refused = cluster.beat(request);
        assert_eq!(code(&refused), error);
        assert!(refused.error_message.is_some());
    }

    // The answer to its first heartbeat was lost: it comes again, and is told all.
    let again = cluster.must_beat(join("a", &["orders"]));
    assert_eq!(
        (again.member_epoch, assigned(&again)),
        (2, Some(all.clone()))
    );

    // The next is lost too: the epoch before is good, as long as it has no more than it was given.
    cluster.must_beat(join("b", &["orders"]));
    let told = cluster.must_beat(beat_with("a", 2, all.clone()));
    let kept = assigned(&told).expect("it has to give some back");
    cluster.must_beat(beat_with("a", 2, kept.clone()));
    let lost = cluster.must_beat(beat_with("a", 2, kept.clone()));
    assert_eq!(lost.member_epoch, 3);
    assert_eq!(
        code(&cluster.beat(beat("a", 2))),
        ErrorCode::FENCED_MEMBER_EPOCH
    );
    let fenced = cluster.beat(beat_with("a", 2, all));
    assert_eq!(code(&fenced), ErrorCode::FENCED_MEMBER_EPOCH);

    // Who was fenced joins anew, and has what it was given.
    let anew = cluster.must_beat(join("a", &["orders"]));
    assert_eq!((anew.member_epoch, assigned(&anew)), (3, Some(kept)));
    let id = GroupCommand::ConsumerGroupHeartbeat(
        asked(1),
        ConsumerGroupHeartbeatRequest {
            group_id: "other".into(),
            ..beat("a", 1)
        },
    );
    let GroupReply::ConsumerGroupHeartbeat(response) = cluster.ask_now(id) else {
        panic!("a heartbeat is answered as one");
    };
    assert_eq!(code(&response), ErrorCode::GROUP_ID_NOT_FOUND);
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let mut cluster = Cluster::new(&["group.consumer.max.size=1"]);
    cluster.make_topic("orders", 2);
    let good = || join("a", &["orders"]);
    type Row = (
        &'static str,
        fn(&mut ConsumerGroupHeartbeatRequest),
        ErrorCode,
    );
    let rows: [Row; 13] = [
        (
            "group id",
            |it| it.group_id = Str::EMPTY,
            ErrorCode::INVALID_REQUEST,
        ),
        (
            "member id",
            |it| it.member_id = Str::EMPTY,
            ErrorCode::INVALID_REQUEST,
        ),
        (
            "instance id",
            |it| it.instance_id = text(""),
            ErrorCode::INVALID_REQUEST,
        ),
        (
            "rack",
            |it| it.rack_id = text(""),
            ErrorCode::INVALID_REQUEST,
        ),
        (
            "timeout",
            |it| it.rebalance_timeout_ms = -1,
            ErrorCode::INVALID_REQUEST,
        ),
        (
            "owned",
            |it| it.topic_partitions = None,
            ErrorCode::INVALID_REQUEST,
        ),
        (
            "topics",
            |it| it.subscribed_topic_names = None,
            ErrorCode::INVALID_REQUEST,
        ),
        (
            "epoch",
            |it| it.member_epoch = -3,
            ErrorCode::INVALID_REQUEST,
        ),
        (
            "away",
            |it| it.member_epoch = -2,
            ErrorCode::INVALID_REQUEST,
        ),
        (
            "assignor",
            |it| it.server_assignor = text("sticky"),
            ErrorCode::UNSUPPORTED_ASSIGNOR,
        ),
        (
            "regex",
            |it| it.subscribed_topic_regex = text("["),
            ErrorCode::INVALID_REGULAR_EXPRESSION,
        ),
        (
            "huge regex",
            |it| it.subscribed_topic_regex = text("((a{99}){99}){99}"),
            ErrorCode::INVALID_REGULAR_EXPRESSION,
        ),
        (
            "unknown",
            |it| it.member_epoch = 1,
            ErrorCode::GROUP_ID_NOT_FOUND,
        ),
    ];
    for (what, spoil, error) in rows {
        let mut request = good();
        spoil(&mut request);
        assert_eq!(code(&cluster.beat(request)), error, "{what}");
    }
    assert!(
        cluster.log.is_empty(),
        "what is refused leaves nothing behind"
    );

    cluster.must_beat(good());
    cluster.must_beat(good());
    let full = cluster.beat(join("b", &["orders"]));
    assert_eq!(code(&full), ErrorCode::GROUP_MAX_SIZE_REACHED);
}

#[test]
fn in_version_0_the_server_makes_the_id() {
    let mut cluster = Cluster::new(&[]);
    cluster.make_topic("orders", 2);
    let joined = cluster.beat_with_version(0, join("", &["orders"]));
    assert_eq!(joined.error_code, 0);
    let id = joined.member_id.expect("an id");
    assert_eq!(id.len(), 22);
    assert!(cluster.group().member(&id).is_some());
}

#[test]
fn who_is_not_heard_of_is_fenced() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    cluster.make_topic("orders", 2);
    cluster.configure_group("consumer.session.timeout.ms", "50000");
    cluster.configure_group("consumer.heartbeat.interval.ms", "60000");
    let first = cluster.must_beat(join("a", &["orders"]));
    assert_eq!(first.heartbeat_interval_ms, 15_000, "the broker's most");
    cluster.must_beat(join("b", &["orders"]));
    cluster.advance_ms(49_000);
    cluster.must_beat(beat("b", 3));
    cluster.advance_ms(1000);
    assert!(cluster.group().member("a").is_none());
    assert_eq!(
        code(&cluster.beat(beat("a", 2))),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    cluster.check_owners();
    let b = cluster.must_beat(beat("b", 3));
    assert_eq!(assigned(&b).expect("it has all").len(), 2);

    // A restart gives everybody a whole session.
    cluster.restart();
    cluster.advance_ms(49_000);
    assert!(cluster.group().member("b").is_some());
    // And what cannot be written is tried again.
    cluster.writes_fail = true;
    cluster.advance_ms(5000);
    assert!(cluster.group().member("b").is_some());
    cluster.writes_fail = false;
    cluster.advance_ms(1000);
    assert!(cluster.group().is_empty());
    assert_eq!(cluster.group().state_name(), "Empty");
    cluster.check_replay();
}

#[test]
fn who_gives_nothing_back_is_fenced() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    cluster.make_topic("orders", 2);
    let first = cluster.must_beat(join("a", &["orders"]));
    let all = assigned(&first).expect("it joins");
    cluster.must_beat(join("b", &["orders"]));
    for _ in 0..6 {
        // The first time it is told; then its 30 seconds run.
        let told = cluster.beat(beat_with("a", 2, all.clone()));
        assert_eq!(told.error_code, 0);
        cluster.must_beat(beat("b", 3));
        cluster.advance_ms(5000);
    }
    let late = cluster.beat(beat_with("a", 2, all));
    assert_eq!(code(&late), ErrorCode::UNKNOWN_MEMBER_ID);
    let b = cluster.must_beat(beat("b", 3));
    assert_eq!(assigned(&b).expect("it has all").len(), 2);
    cluster.check_owners();
}

#[test]
fn a_static_member_comes_back_under_another_id() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    cluster.make_topic("orders", 2);
    let instance = |request| ConsumerGroupHeartbeatRequest {
        instance_id: text("i"),
        ..request
    };
    let first = cluster.must_beat(instance(join("a", &["orders"])));
    let all = assigned(&first);
    let other = cluster.beat(instance(join("b", &["orders"])));
    assert_eq!(code(&other), ErrorCode::UNRELEASED_INSTANCE_ID);
    let other = cluster.beat(instance(beat("b", 1)));
    assert_eq!(code(&other), ErrorCode::FENCED_INSTANCE_ID);
    let other = cluster.beat(instance(beat("b", -1)));
    assert_eq!(code(&other), ErrorCode::FENCED_INSTANCE_ID);
    let other = cluster.beat(ConsumerGroupHeartbeatRequest {
        instance_id: text("j"),
        ..beat("b", 1)
    });
    assert_eq!(code(&other), ErrorCode::UNKNOWN_MEMBER_ID);

    let away = cluster.must_beat(instance(beat("a", -2)));
    assert_eq!(away.member_epoch, -2);
    cluster.check_owners();
    cluster.check_replay();
    let back = cluster.must_beat(instance(join("b", &["orders"])));
    assert_eq!((back.member_epoch, assigned(&back)), (2, all.clone()));
    assert_eq!(
        cluster.group().group_epoch(),
        2,
        "nothing changed for the group"
    );
    assert!(cluster.group().member("a").is_none());
    assert_eq!(cluster.group().target("b").len(), 2);
    cluster.check_owners();
    cluster.check_replay();

    // Away for longer than a session is gone.
    cluster.must_beat(instance(beat("b", -2)));
    cluster.advance_ms(45_001);
    assert!(cluster.group().is_empty());
    let late = cluster.beat(instance(beat("b", 1)));
    assert_eq!(code(&late), ErrorCode::UNKNOWN_MEMBER_ID);
    let anew = cluster.must_beat(instance(join("c", &["orders"])));
    assert_eq!(assigned(&anew), all);
    cluster.check_replay();
}

#[test]
fn topics_come_grow_and_go() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    let first = cluster.must_beat(join("a", &["orders", "payments"]));
    assert_eq!(
        (first.member_epoch, assigned(&first)),
        (2, Some(BTreeSet::new()))
    );
    cluster.make_topic("orders", 2);
    let made = cluster.must_beat(beat("a", 2));
    assert_eq!(assigned(&made).expect("they are new").len(), 2);
    cluster.make_topic("others", 2);
    let same = cluster.must_beat(beat("a", made.member_epoch));
    assert_eq!(
        (same.member_epoch, assigned(&same)),
        (made.member_epoch, None)
    );
    cluster.grow_topic("orders", 1);
    let grown = cluster.must_beat(beat("a", made.member_epoch));
    let three = assigned(&grown).expect("one is new");
    assert_eq!(three.len(), 3);
    cluster.delete_topic("orders");
    let gone = cluster.must_beat(beat_with("a", grown.member_epoch, three));
    assert_eq!(assigned(&gone), Some(BTreeSet::new()));
    let settled = cluster.must_beat(beat_with("a", grown.member_epoch, []));
    assert_eq!(settled.member_epoch, grown.member_epoch + 1);
    cluster.check_owners();
    cluster.check_replay();

    // A topic that comes while the coordinator is away is seen when it is back.
    let topic_id = Uuid([77; 16]);
    let payments = TopicRecord {
        name: "payments".into(),
        topic_id,
        ..TopicRecord::default()
    };
    let first_partition = PartitionRecord {
        partition_id: 0,
        topic_id,
        replicas: vec![1],
        isr: vec![1],
        leader: 1,
        ..PartitionRecord::default()
    };
    cluster.replay(vec![
        MetadataRecord::TopicRecord(payments),
        MetadataRecord::PartitionRecord(first_partition),
    ]);
    cluster.restart();
    let back = cluster.must_beat(beat("a", settled.member_epoch));
    assert_eq!(assigned(&back).expect("it is new").len(), 1);
}

#[test]
fn topics_by_regular_expression() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    cluster.make_topic("orders-1", 2);
    cluster.make_topic("my-orders", 2);
    cluster.make_topic("__consumer_offsets", 2);
    let by_regex = |member_id, regex: &str| ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: None,
        subscribed_topic_regex: text(regex),
        ..join(member_id, &[])
    };
    let first = cluster.must_beat(by_regex("a", "orders-.*|__.*"));
    assert_eq!(assigned(&first).expect("it joins").len(), 2);
    assert!(cluster.group().is_subscribed_to("orders-1"));
    assert!(!cluster.group().is_subscribed_to("__consumer_offsets"));
    cluster.check_replay();

    cluster.advance_ms(10_000);
    cluster.make_topic("orders-2", 1);
    let more = cluster.must_beat(beat("a", 2));
    let three = assigned(&more).expect("one is new");
    assert_eq!(three.len(), 3);
    // The next comes too soon after it, and is found ten seconds later.
    cluster.make_topic("orders-3", 1);
    let same = cluster.must_beat(beat("a", more.member_epoch));
    assert_eq!(assigned(&same), None);
    cluster.advance_ms(10_000);
    let more = cluster.must_beat(beat("a", more.member_epoch));
    assert_eq!(assigned(&more).expect("one is new").len(), 4);

    // Who wants something else says so; the expression that nobody uses is forgotten.
    let other = ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: Some(vec!["my-orders".into()]),
        subscribed_topic_regex: text(""),
        ..beat_with("a", more.member_epoch, three)
    };
    let told = cluster.must_beat(other);
    assert_eq!(
        assigned(&told),
        Some(BTreeSet::new()),
        "first it gives back"
    );
    let given = cluster.must_beat(beat_with("a", told.member_epoch, []));
    assert_eq!(assigned(&given).expect("then it gets").len(), 2);
    assert!(!cluster.group().has_regexes());
    cluster.check_owners();
    cluster.check_replay();
}

/// By an expression that means nothing, as by no name: the group has nothing new, until a topic comes.
#[test]
fn who_comes_and_wants_nothing_raises_no_epoch() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    let first = cluster.must_beat(join("a", &[]));
    assert_eq!(first.member_epoch, 1);
    let by_regex = ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: None,
        subscribed_topic_regex: text("orders.*"),
        ..join("b", &[])
    };
    let second = cluster.must_beat(by_regex.clone());
    assert_eq!((second.member_epoch, cluster.group().group_epoch()), (1, 1));
    cluster.check_replay();
    cluster.advance_ms(10_000);
    cluster.make_topic("orders", 2);
    let second = cluster.must_beat(beat("b", 1));
    assert_eq!(second.member_epoch, 2);
    assert_eq!(assigned(&second).expect("it is new").len(), 2);
    // Another by the same expression shares.
    let third = ConsumerGroupHeartbeatRequest {
        member_id: "c".into(),
        ..by_regex
    };
    cluster.must_beat(third);
    assert_eq!(cluster.group().group_epoch(), 3);
    assert_eq!(cluster.group().target("c").len(), 1);
    // And who no longer wants it says so.
    let none = ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: Some(Vec::new()),
        subscribed_topic_regex: text(""),
        ..beat("b", 2)
    };
    cluster.must_beat(none);
    assert_eq!(cluster.group().group_epoch(), 4);
    assert_eq!(cluster.group().target("c").len(), 2);
    cluster.check_owners();
    cluster.check_replay();
}

#[test]
fn what_a_member_no_longer_wants_it_gives_back_at_once() {
    let mut cluster = Cluster::new(&[]);
    cluster.make_topic("orders", 2);
    cluster.make_topic("payments", 2);
    let first = cluster.must_beat(join("a", &["orders", "payments"]));
    assert_eq!(assigned(&first).expect("it joins").len(), 4);
    let fewer = ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: Some(vec!["orders".into()]),
        ..beat("a", 2)
    };
    // The next assignment is a second off, but nobody gets what it does not want.
    let told = cluster.must_beat(fewer);
    assert_eq!(told.member_epoch, 2);
    let kept = assigned(&told).expect("it has other partitions");
    assert_eq!(kept.len(), 2);
    let settled = cluster.must_beat(beat_with("a", 2, kept));
    assert_eq!((settled.member_epoch, assigned(&settled)), (2, None));
    cluster.advance_ms(1001);
    let settled = cluster.must_beat(beat("a", 2));
    assert_eq!((settled.member_epoch, assigned(&settled)), (3, None));
    cluster.check_owners();
}

#[test]
fn most_members_choose_the_assignor() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    cluster.make_topic("orders", 4);
    let wishes = |member_id, assignor: &str| ConsumerGroupHeartbeatRequest {
        server_assignor: text(assignor),
        ..join(member_id, &["orders"])
    };
    cluster.must_beat(wishes("a", "uniform"));
    assert_eq!(cluster.describe().assignor_name, "uniform");
    cluster.must_beat(wishes("b", "range"));
    cluster.must_beat(wishes("c", "range"));
    assert_eq!(cluster.describe().assignor_name, "range");
    let numbers = |member_id: &str| -> Vec<i32> {
        let target = cluster.group().target(member_id).iter();
        target.map(|one| one.partition.0).collect()
    };
    assert_eq!(
        [numbers("a"), numbers("b"), numbers("c")],
        [vec![0, 1], vec![2], vec![3]]
    );
}

#[test]
fn a_write_that_fails_changes_nothing() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    cluster.make_topic("orders", 4);
    cluster.must_beat(join("a", &["orders"]));
    let before = cluster.describe();
    cluster.writes_fail = true;
    let failed = cluster.beat(join("b", &["orders"]));
    assert_eq!(code(&failed), ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!(
        code(&cluster.beat(beat("a", -1))),
        ErrorCode::COORDINATOR_NOT_AVAILABLE
    );
    assert_eq!(cluster.describe(), before);
    cluster.writes_fail = false;
    cluster.must_beat(join("b", &["orders"]));
    cluster.check_owners();
}

#[test]
fn a_topic_that_could_not_be_noted_is_noted_later() {
    let mut cluster = Cluster::new(&["group.consumer.assignment.interval.ms=0"]);
    let first = cluster.must_beat(join("a", &["orders"]));
    cluster.writes_fail = true;
    cluster.make_topic("orders", 2);
    cluster.writes_fail = false;
    let same = cluster.must_beat(beat("a", first.member_epoch));
    assert_eq!(assigned(&same), None);
    cluster.advance_ms(10_000);
    let more = cluster.must_beat(beat("a", first.member_epoch));
    assert_eq!(assigned(&more).expect("they are new").len(), 2);
}

#[test]
fn a_group_that_is_deleted_is_gone_for_a_restart_too() {
    let mut cluster = Cluster::new(&[]);
    cluster.make_topic("orders", 1);
    cluster.must_beat(join("a", &["orders"]));
    cluster.must_beat(beat("a", -1));
    let deleted = cluster.ask_now(GroupCommand::DeleteGroup(GROUP.into()));
    assert!(matches!(deleted, GroupReply::DeleteGroup(result) if result.error_code == 0));
    for _ in 0..2 {
        let described = cluster.describe();
        assert_eq!(
            ErrorCode(described.error_code),
            ErrorCode::GROUP_ID_NOT_FOUND
        );
        cluster.restart();
    }
    cluster.compact(false);
    cluster.restart();
    assert!(cluster.groups.consumer(GROUP).is_none());
}
