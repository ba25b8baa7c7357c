//! `klamm groups` and `klamm console-consumer --group` as a user types them, against the broker:
//! what one consumer commits the next goes on from, a group that changes shares its partitions out
//! anew, and what the tool says of a group is so.

use crate::broker::{Broker, terminate, unique};
use crate::command_line::{Started, done, json, klamm, refused};
use crate::deadline::wait_for;
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// A broker whose groups need not wait for members that do not come.
fn start(cores: u16) -> Broker {
    Broker::start_with(cores, &["group.initial.rebalance.delay.ms=0"])
}

/// A topic of two partitions with the lines 0 to `count`.
fn topic(at: &str, count: usize) -> String {
    let name = unique("grouped");
    done(
        &format!("topics {at} --create --topic {name} --partitions 2"),
        "",
    );
    produce(at, &name, 0..count);
    name
}

fn produce(at: &str, topic: &str, lines: std::ops::Range<usize>) {
    let lines: String = lines.map(|line| format!("k{line}\t{line}\n")).collect();
    let producer = format!("console-producer {at} --topic {topic}");
    done(
        &format!("{producer} --reader-property parse.key=true"),
        &lines,
    );
}

fn numbers(text: &str) -> Vec<usize> {
    let mut numbers: Vec<usize> = text
        .lines()
        .map(|line| line.parse().expect("a number a line was produced"))
        .collect();
    numbers.sort_unstable();
    numbers
}

/// What `--describe -o json` says of a group.
fn described(at: &str, group: &str, flags: &str) -> Value {
    let text = done(
        &format!("groups {at} --describe --group {group} {flags} -o json"),
        "",
    );
    json(&text)[0].clone()
}

/// The sum of a field over the partitions of a group.
fn sum(at: &str, group: &str, field: &str) -> i64 {
    let described = described(at, group, "");
    let partitions = described["partitions"].as_array().expect("partitions");
    partitions
        .iter()
        .filter_map(|partition| partition[field].as_i64())
        .sum()
}

#[test]
fn a_group_goes_on_where_it_left_off_and_is_reset_and_deleted() {
    let broker = start(2);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let topic = topic(&at, 6);
    let group = unique("group");
    let consume =
        format!("console-consumer {at} --topic {topic} --group {group} --timeout-ms 60000");
    let mut read = numbers(&done(
        &format!("{consume} --from-beginning --max-messages 4"),
        "",
    ));
    assert_eq!(read.len(), 4);
    assert_eq!(sum(&at, &group, "currentOffset"), 4);
    assert_eq!(sum(&at, &group, "lag"), 2);
    read.extend(numbers(&done(&format!("{consume} --max-messages 2"), "")));
    read.sort_unstable();
    assert_eq!(read, [0, 1, 2, 3, 4, 5], "each line was read once");
    assert_eq!(sum(&at, &group, "lag"), 0);

    let listed = done(&format!("groups {at} --list"), "");
    assert!(listed.lines().any(|line| line == group), "{listed}");
    let listed = done(&format!("groups {at} --list --state empty --type"), "");
    let row = listed.lines().find(|line| line.starts_with(&group));
    let cells: Vec<&str> = row.expect("it is listed").split_whitespace().collect();
    assert_eq!(cells[1..], ["Classic", "Empty"]);
    let state = described(&at, &group, "--state");
    assert_eq!(state["state"], Value::from("Empty"));
    assert_eq!(state["members"], Value::from(0));

    let reset = format!("groups {at} --reset-offsets --group {group} --topic {topic}");
    let planned = done(&format!("{reset} --to-earliest --dry-run"), "");
    assert_eq!(planned.lines().count(), 4, "{planned}");
    assert_eq!(sum(&at, &group, "currentOffset"), 6, "it was only planned");
    let exported = done(&format!("{reset} --to-current --export --dry-run"), "");
    done(&format!("{reset} --to-earliest --execute"), "");
    assert_eq!(sum(&at, &group, "currentOffset"), 0);
    done(&format!("{reset} --shift-by 1 --execute"), "");
    assert_eq!(sum(&at, &group, "currentOffset"), 2);
    done(&format!("{reset} --by-duration PT1H --execute"), "");
    assert_eq!(sum(&at, &group, "currentOffset"), 0);
    let file = broker.folder().join("plan.csv");
    std::fs::write(&file, exported).expect("a writable temporary folder");
    done(
        &format!(
            "groups {at} --reset-offsets --group {group} --from-file {} --execute",
            file.display()
        ),
        "",
    );
    assert_eq!(sum(&at, &group, "currentOffset"), 6);
    let said = refused_reset(&at, &group, &format!("{topic}:9"));
    assert!(
        said.contains(&format!("The partitions \"{topic}-9\" do not exist")),
        "{said}"
    );

    let deleted = done(
        &format!("groups {at} --delete-offsets --group {group} --topic {topic}:0"),
        "",
    );
    assert!(deleted.contains("Request succeeded for deleting offsets from group"));
    let partitions = described(&at, &group, "")["partitions"].clone();
    assert_eq!(partitions.as_array().map(Vec::len), Some(1));
    assert_eq!(
        done(&format!("groups {at} --delete --group {group}"), ""),
        format!("Deletion of requested consumer groups ('{group}') was successful.\n")
    );
    for (line, words) in [
        ("--describe", "GroupIdNotFoundException"),
        ("--delete", "could not be deleted due to"),
    ] {
        let line = format!("groups {at} {line} --group {group}");
        let words_of_line: Vec<&str> = line.split_whitespace().collect();
        let ended = klamm(&words_of_line, "");
        assert_eq!(ended.code, Some(1), "{line}: {}", ended.stdout);
        assert!(ended.stdout.contains(words), "{line}: {}", ended.stdout);
    }
}

/// A console consumer that goes on in a group, its lines in a file.
fn consumer(at: &str, topic: &str, group: &str, file: &Path) -> Started {
    let line = format!(
        "console-consumer {at} --topic {topic} --group {group} --from-beginning \
         --command-property heartbeat.interval.ms=200"
    );
    let out = File::create(file).expect("a writable temporary folder");
    let child = Command::new(env!("CARGO_BIN_EXE_klamm"))
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::null())
        .spawn()
        .expect("klamm can be run");
    Started(child)
}

/// Waits until the group is stable with so many partitions of each member.
fn wait_for_shares(at: &str, group: &str, shares: &[usize]) {
    wait_for("the group to share out its partitions", || {
        let line = format!("groups {at} --describe --group {group} --members -o json");
        let words: Vec<&str> = line.split_whitespace().collect();
        let ended = klamm(&words, "");
        let described: Value = serde_json::from_str(&ended.stdout).ok()?;
        let members = described[0]["members"].as_array()?;
        let mut found: Vec<usize> = members
            .iter()
            .filter_map(|member| member["assignment"].as_array().map(Vec::len))
            .collect();
        found.sort_unstable();
        let is_stable = described[0]["state"] == "Stable";
        (is_stable && found == shares).then_some(())
    });
}

fn wait_for_lines(files: &[&Path], count: usize) {
    wait_for("the lines to be read", || {
        let texts = files
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap_or_default());
        let lines: usize = texts.map(|text| text.lines().count()).sum();
        (lines >= count).then_some(())
    });
}

#[test]
fn two_consumers_share_a_topic_until_one_leaves() {
    let broker = start(1);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let topic = topic(&at, 100);
    let group = unique("shared");
    let [first_file, second_file] = ["first", "second"].map(|name| broker.folder().join(name));
    let mut first = consumer(&at, &topic, &group, &first_file);
    wait_for_shares(&at, &group, &[2]);
    wait_for_lines(&[&first_file], 100);
    let mut second = consumer(&at, &topic, &group, &second_file);
    wait_for_shares(&at, &group, &[1, 1]);
    let said = refused_reset(&at, &group, &topic);
    assert!(
        said.contains(&format!(
            "Error: Assignments can only be reset if the group '{group}' is inactive, but the \
             current state is Stable."
        )),
        "{said}"
    );
    produce(&at, &topic, 100..200);
    wait_for_lines(&[&first_file, &second_file], 200);
    let of_second = std::fs::read_to_string(&second_file).expect("it was read above");
    assert!(!of_second.is_empty(), "the second one has read its share");

    terminate(&second.0);
    assert!(second.0.wait().expect("our own child").success());
    wait_for_shares(&at, &group, &[2]);
    produce(&at, &topic, 200..300);
    wait_for_lines(&[&first_file, &second_file], 300);
    terminate(&first.0);
    assert!(first.0.wait().expect("our own child").success());
    assert_eq!(
        described(&at, &group, "--state")["state"],
        Value::from("Empty")
    );
    assert_eq!(sum(&at, &group, "currentOffset"), 300, "all was committed");
    let all = [&first_file, &second_file]
        .map(|file| std::fs::read_to_string(file).expect("it was read above"))
        .concat();
    assert_eq!(numbers(&all), (0..300).collect::<Vec<_>>(), "nothing twice");
}

fn refused_reset(at: &str, group: &str, topic: &str) -> String {
    let line = format!(
        "groups {at} --reset-offsets --group {group} --topic {topic} --to-earliest --execute"
    );
    let words: Vec<&str> = line.split_whitespace().collect();
    let ended = klamm(&words, "");
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    ended.stdout
}

#[test]
fn a_group_of_its_own_making_leaves_no_offsets() {
    let broker = start(1);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let topic = topic(&at, 10);
    let consume = format!(
        "console-consumer {at} --topic {topic} --from-beginning --max-messages 10 \
         --timeout-ms 60000"
    );
    for _ in 0..2 {
        assert_eq!(numbers(&done(&consume, "")), (0..10).collect::<Vec<_>>());
    }
    let pattern = format!("console-consumer {at} --include {topic}|nothing --from-beginning");
    let text = done(
        &format!("{pattern} --max-messages 10 --timeout-ms 60000"),
        "",
    );
    assert_eq!(numbers(&text).len(), 10);
    let listed = json(&done(&format!("groups {at} --list -o json"), ""));
    for group in listed.as_array().expect("a list") {
        let group = group["group"].as_str().expect("an id");
        assert_eq!(sum(&at, group, "currentOffset"), 0, "{group}");
    }
    refused(
        &format!("console-consumer {at} --topic {topic} --partition 0 --group g"),
        2,
        &["Options group and partition cannot be specified together."],
    );
}
