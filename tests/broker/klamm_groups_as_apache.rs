//! `klamm groups` and Apache's `kafka-consumer-groups` with the same flags, against the same broker:
//! they say the same and end the same, but for white space and the order of rows that neither sorts.

use crate::broker::{Broker, unique};
use crate::command_line::klamm;
use crate::deadline::wait_for;
use crate::group_client::{Peer, beating, committing, name};
use crate::kcat;
use crate::tools::{CONSUMER_GROUPS, call, run};
use klamm::protocol::messages::offset_commit::OffsetCommitRequest;
use std::process::{Child, Command, Stdio};

/// A broker with groups of every kind.
struct Scene {
    broker: Broker,
    topic: String,
    /// Left long ago, everything committed; two alike.
    old: [String; 2],
    /// Offsets by somebody without membership; two alike.
    simple: [String; 2],
    /// Classic, with a member.
    live: String,
    /// KIP-848, with a member.
    modern: String,
    member: Child,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.member.kill();
        let _ = self.member.wait();
    }
}

fn scene() -> Scene {
    let broker = Broker::start_with(
        2,
        &[
            "group.initial.rebalance.delay.ms=0",
            "auto.create.topics.enable=false",
        ],
    );
    let topic = unique("compared");
    let (live, modern) = (unique("live"), unique("modern"));
    let of_two = |name: &str| [0, 1].map(|number| format!("{}-{number}", unique(name)));
    let (old, simple) = (of_two("old"), of_two("simple"));
    let mut peer = Peer::when_ready(&broker, &live);
    peer.create_topic(&topic, 3);
    peer.topic_id(&topic);
    for (partition, count) in [(0, 10), (1, 5)] {
        let lines: Vec<String> = (0..count).map(|index| index.to_string()).collect();
        kcat::write_lines(&broker, &topic, Some(partition), &lines);
    }
    for group in &old {
        let joined = peer.join_alone(group);
        let commit = OffsetCommitRequest {
            generation_id_or_member_epoch: joined.generation,
            member_id: joined.member_id.as_str().into(),
            ..committing(
                group,
                &topic,
                &[(0, 7, ""), (1, 5, "with metadata"), (2, 0, "")],
            )
        };
        assert_eq!(peer.commit(9, &commit), ["NONE"; 3]);
        peer.leave(&joined);
    }
    for group in &simple {
        peer.commit(9, &committing(group, &topic, &[(1, 2, "")]));
    }
    let first = peer.consumer_heartbeat(&beating(&modern, "member-of-modern", &topic));
    assert_eq!(name(first.error_code), "NONE");
    let commit = OffsetCommitRequest {
        generation_id_or_member_epoch: first.member_epoch,
        member_id: "member-of-modern".into(),
        ..committing(&modern, &topic, &[(0, 3, "")])
    };
    assert_eq!(peer.commit(9, &commit), ["NONE"]);
    let member = Command::new("kcat")
        .args(["-b", &broker.bootstrap, "-X", "auto.offset.reset=earliest"])
        .args(["-X", "client.id=kcat-of-test"])
        .args(["-G", &live, &topic])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("kcat runs");
    wait_for("the member to have read and committed", || {
        let state = peer.describe(&live).group_state;
        (state == "Stable" && peer.committed(&live, &topic) == 10).then_some(())
    });
    Scene {
        broker,
        topic,
        old,
        simple,
        live,
        modern,
        member,
    }
}

/// How a tool ended, as far as it can be compared: its lines without their padding, sorted.
#[derive(PartialEq, Eq, Debug)]
struct Said {
    code: i64,
    lines: Vec<String>,
}

fn said(code: i64, stdout: &str, same: [&str; 2]) -> Said {
    let mut lines: Vec<String> = stdout
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .map(|line| line.replace(same[0], "SAME").replace(same[1], "SAME"))
        .collect();
    lines.sort();
    Said { code, lines }
}

/// Where klamm's tool says something else, and why.
const OTHERWISE: &[(&str, &str)] = &[
    (
        "--describe --group OLD --group nothing",
        "the groups that there are are described, though one is missing",
    ),
    (
        "--delete-offsets --group OLD --topic nothing",
        "it ends with 1 where a topic was refused: a script shall know",
    ),
    (
        "empty.csv",
        "Jackson's words about an empty file are Java's",
    ),
    (
        "/nowhere.csv",
        "what is wrong with a file is said on standard error, with the reason",
    ),
];

/// Whose groups each tool is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    /// The same: nothing is changed.
    Same,
    /// The first of each pair to Apache's, the second to klamm's.
    Own,
}

/// Runs both tools with each line of flags, and tells of every difference at once.
fn compare(scene: &Scene, given: Given, lines: &[String]) {
    let at = format!("--bootstrap-server {}", scene.broker.bootstrap);
    let of = |which: usize, line: &str| {
        line.replace("TOPIC", &scene.topic)
            .replace("OLD", &scene.old[which])
            .replace("SIMPLE", &scene.simple[which])
            .replace("LIVE", &scene.live)
            .replace("MODERN", &scene.modern)
    };
    let klamms = usize::from(given == Given::Own);
    let calls: Vec<_> = lines
        .iter()
        .map(|line| call(CONSUMER_GROUPS, &format!("{at} {}", of(0, line))))
        .collect();
    let of_apache = run(scene.broker.folder(), &calls);
    let mut differences = String::new();
    for (line, apache) in lines.iter().zip(of_apache) {
        let words = format!("groups {at} {}", of(klamms, line));
        let words: Vec<&str> = words.split_whitespace().collect();
        let klamm = klamm(&words, "");
        let groups_of = |which: usize| [scene.old[which].as_str(), &scene.simple[which]];
        let mut theirs = said(apache.code, &apache.stdout, groups_of(0));
        let code = klamm.code.map_or(-1, i64::from);
        let ours = said(code, &klamm.stdout, groups_of(klamms));
        // Apache's tool says that it failed, and ends as if it had not: a script that calls klamm
        // shall know.
        if theirs.lines.iter().any(|line| line.starts_with("Error: ")) {
            theirs.code = 1;
        }
        // Wrong flags: clap ends with 2 and says why on standard error, in its own words.
        if code == 2 && theirs.code == 1 {
            theirs = said(2, "", groups_of(0));
        }
        let reason = OTHERWISE.iter().find(|(part, _)| line.contains(part));
        if let Some((_, reason)) = reason {
            assert_ne!(ours, theirs, "{line} is the same by now, though {reason}");
            continue;
        }
        if ours != theirs {
            differences += &format!(
                "{line}\n  Apache: {theirs:#?}\n{}\n  klamm: {ours:#?}\n{}\n",
                apache.stderr.lines().next().unwrap_or_default(),
                klamm.stderr
            );
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn lines(flags: &[&str]) -> Vec<String> {
    flags.iter().map(ToString::to_string).collect()
}

#[test]
fn both_list_and_describe_alike() {
    let scene = scene();
    let mut flags = lines(&[
        "--list",
        "--list --state",
        "--list --state Empty",
        "--list --state stable,EMPTY",
        "--list --state Bogus",
        "--list --type",
        "--list --type classic",
        "--list --type Consumer --state Stable",
        "--list --type bogus",
        "--describe --all-groups",
        "--describe --all-groups --state",
        "--describe --all-groups --members",
        "--describe --group OLD --group SIMPLE",
        "--describe --group OLD --group nothing",
        "--describe --group OLD --offsets --verbose",
        "--describe --group OLD --members --state",
        "--describe",
        "--describe --group OLD --all-groups",
        "--group OLD",
        "--list --describe --group OLD",
    ]);
    for group in ["OLD", "SIMPLE", "LIVE", "MODERN", "nothing"] {
        for more in [
            "",
            "--offsets",
            "--verbose",
            "--members",
            "--members --verbose",
            "--state",
            "--state --verbose",
        ] {
            flags.push(format!("--describe --group {group} {more}"));
        }
    }
    compare(&scene, Given::Same, &flags);
}

#[test]
fn both_reset_and_delete_alike() {
    let scene = scene();
    let plan = scene.broker.folder().join("plan.csv");
    let (text, topic) = (plan.display(), &scene.topic);
    std::fs::write(&plan, format!("{topic},0,4\n{topic},1,99\n")).expect("a writable folder");
    let of_groups = scene.broker.folder().join("plans.csv");
    let several = of_groups.display();
    std::fs::write(&of_groups, format!("nothing,{topic},0,4\n")).expect("a writable folder");
    let empty = scene.broker.folder().join("empty.csv");
    std::fs::write(&empty, "").expect("a writable folder");
    let mut flags = Vec::new();
    let means = [
        "--to-earliest",
        "--to-latest",
        "--to-current",
        "--to-offset 3",
        "--to-offset 999",
        "--to-offset -5",
        "--shift-by 2",
        "--shift-by -2",
        "--shift-by 100",
        "--shift-by -100",
        "--to-datetime 2020-01-01T00:00:00.000",
        "--to-datetime 2020-01-01T00:00:00.000Z",
        "--to-datetime 2020-01-01T00:00:00.000+02:00",
        "--to-datetime 2099-01-01T00:00:00.000",
        "--to-datetime yesterday",
        "--by-duration PT1H",
        "--by-duration P1DT2H3M4S",
        "--by-duration soon",
    ];
    for group in ["OLD", "SIMPLE", "nothing"] {
        for means in means {
            flags.push(format!(
                "--reset-offsets --group {group} --topic TOPIC {means} --dry-run"
            ));
        }
    }
    for more in [
        "--topic TOPIC:0 --to-earliest --dry-run",
        "--topic TOPIC:0,2 --to-latest --dry-run",
        "--topic TOPIC:9 --to-latest --dry-run",
        "--topic TOPIC:x --to-latest --dry-run",
        "--topic nothing --to-latest --dry-run",
        "--all-topics --to-latest --dry-run",
        "--all-topics --to-latest --dry-run --export",
        "--all-topics --to-latest --export",
        "--topic TOPIC --to-offset 2",
        "--topic TOPIC --to-offset 2 --dry-run --execute",
        "--topic TOPIC --to-offset 2 --to-earliest --dry-run",
        "--to-earliest --dry-run",
        "--topic TOPIC --dry-run",
        &format!("--topic TOPIC --from-file {text} --dry-run"),
        &format!("--from-file {text} --dry-run"),
        &format!("--from-file {text} --dry-run --export"),
        &format!("--from-file {several} --dry-run"),
        &format!("--from-file {} --dry-run", empty.display()),
        "--from-file /nowhere.csv --dry-run",
    ] {
        flags.push(format!("--reset-offsets --group OLD {more}"));
    }
    flags.extend(lines(&[
        "--reset-offsets --group LIVE --topic TOPIC --to-earliest --dry-run",
        "--reset-offsets --group MODERN --topic TOPIC --to-earliest --dry-run",
        "--reset-offsets --group OLD --group nothing --topic TOPIC --to-earliest --dry-run",
        "--reset-offsets --group OLD --group nothing --topic TOPIC --to-earliest --dry-run --export",
        "--delete-offsets --group OLD",
        "--delete-offsets --group nothing --topic TOPIC",
        "--delete-offsets --group OLD --topic nothing",
        "--delete-offsets --group OLD --topic TOPIC:9",
        "--delete-offsets --group LIVE --topic TOPIC",
        "--delete-offsets --group MODERN --topic TOPIC",
        "--delete",
        "--delete --group nothing",
        "--delete --group LIVE",
        "--delete --group MODERN",
        "--delete --group LIVE --group nothing",
        // From here on something changes, in the one group of each pair as in the other.
        "--reset-offsets --group OLD --topic TOPIC --to-offset 2 --execute",
        "--describe --group OLD",
        "--reset-offsets --group OLD --all-topics --shift-by 1 --execute --export",
        &format!("--reset-offsets --group OLD --from-file {text} --execute"),
        "--describe --group OLD --offsets",
        "--delete-offsets --group OLD --topic TOPIC:1",
        "--describe --group OLD",
        "--delete-offsets --group OLD --topic TOPIC",
        "--delete --group OLD --group nothing",
        "--delete --group SIMPLE",
        "--describe --group SIMPLE",
    ]));
    compare(&scene, Given::Own, &flags);
}
