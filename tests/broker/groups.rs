//! Consumer groups as their users meet them: records are shared out, offsets are kept, a restart and
//! a crash forget nothing that was committed.

use crate::broker::{Broker, unique};
use crate::kcat;
use crate::tools::{
    CONSOLE_CONSUMER, CONSUMER_GROUPS, CONSUMER_PERF, DUMP_LOG, call, run_and_expect,
};
use std::collections::BTreeSet;

/// No wait for more members: the tests have their own.
const SETTINGS: &[&str] = &["num.partitions=4", "group.initial.rebalance.delay.ms=0"];

fn produce(broker: &Broker, topic: &str, values: impl Iterator<Item = String>) {
    let lines: Vec<String> = values.collect();
    kcat::write_lines(broker, topic, None, &lines);
}

/// Reads with the balanced consumer until the end of every partition, and commits on the way out.
fn consume(broker: &Broker, group: &str, topic: &str) -> BTreeSet<String> {
    let bootstrap = &broker.bootstrap;
    let arguments = [
        "-b",
        bootstrap,
        "-X",
        "auto.offset.reset=earliest",
        "-q",
        "-e",
        "-G",
        group,
        topic,
    ];
    let printed = kcat::printed(&arguments);
    printed.lines().map(str::to_owned).collect()
}

fn numbers(range: std::ops::Range<u32>) -> BTreeSet<String> {
    range.map(|number| number.to_string()).collect()
}

#[test]
fn kcat_goes_on_where_its_group_was_on_one_core() {
    a_group_goes_on(1);
}

#[test]
fn kcat_goes_on_where_its_group_was_on_two_cores() {
    a_group_goes_on(2);
}

fn a_group_goes_on(cores: u16) {
    let mut broker = Broker::start_with(cores, SETTINGS);
    let (topic, group) = (unique("shared"), unique("group"));
    let send = |broker: &Broker, range: std::ops::Range<u32>| {
        produce(broker, &topic, range.map(|number| number.to_string()));
    };
    send(&broker, 0..100);
    assert_eq!(consume(&broker, &group, &topic), numbers(0..100));
    assert_eq!(consume(&broker, &group, &topic), numbers(0..0));
    send(&broker, 100..150);
    assert_eq!(consume(&broker, &group, &topic), numbers(100..150));
    // Another group has its own offsets.
    let other = unique("group");
    assert_eq!(consume(&broker, &other, &topic), numbers(0..150));
    broker.kill();
    broker.start_again();
    send(&broker, 150..170);
    assert_eq!(consume(&broker, &group, &topic), numbers(150..170));
    broker.stop();
    broker.start_again();
    send(&broker, 170..180);
    assert_eq!(consume(&broker, &group, &topic), numbers(170..180));
    assert_eq!(consume(&broker, &other, &topic), numbers(150..180));
}

#[test]
fn apaches_tools_see_groups_and_change_them() {
    let mut broker = Broker::start_with(2, SETTINGS);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let (topic, group, java, modern) = (
        unique("shared"),
        unique("kcat"),
        unique("java"),
        unique("modern"),
    );
    produce(&broker, &topic, (0..100).map(|number| number.to_string()));
    consume(&broker, &group, &topic);
    let read = |group: &str, more: &str| {
        let words = format!(
            "{at} --topic {topic} --group {group} --from-beginning --max-messages 100 \
             --timeout-ms 30000 {more}"
        );
        call(CONSOLE_CONSUMER, &words)
    };
    let groups = |words: &str| call(CONSUMER_GROUPS, &format!("{at} {words}"));
    run_and_expect(
        broker.folder(),
        vec![
            (read(&java, ""), &["99\n"]),
            (
                read(&modern, "--consumer-property group.protocol=consumer"),
                &["99\n"],
            ),
            (
                call(
                    CONSUMER_PERF,
                    &format!("{at} --topic {topic} --num-records 100 --hide-header"),
                ),
                &["100"],
            ),
            (groups("--list"), &[&group, &java, &modern]),
            (groups("--list --state"), &["Empty"]),
            (groups("--list --type"), &["Classic", "Consumer"]),
            (
                groups(&format!("--describe --group {group}")),
                &["CURRENT-OFFSET", &topic],
            ),
            (
                groups(&format!("--describe --group {group} --state")),
                &["Empty", &broker.bootstrap],
            ),
            (
                groups(&format!(
                    "--reset-offsets --group {java} --topic {topic} --to-earliest --execute"
                )),
                &[&java, "NEW-OFFSET"],
            ),
            (
                groups(&format!("--delete-offsets --group {java} --topic {topic}")),
                &["Successful"],
            ),
            (
                groups(&format!("--delete --group {modern}")),
                &["was successful"],
            ),
            (groups("--list"), &[&group]),
        ],
    );
    broker.stop();
    let mut decoded = Vec::new();
    for entry in std::fs::read_dir(broker.data()).expect("the broker's data") {
        let partition = entry.expect("an entry").path();
        let log = partition.join("00000000000000000000.log");
        let is_groups = partition
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("__consumer_offsets-"));
        if is_groups && std::fs::metadata(&log).is_ok_and(|file| file.len() > 0) {
            let words = format!("--offsets-decoder --files {}", log.display());
            decoded.push((
                call(DUMP_LOG, &words),
                &["isvalid: true", "\"type\":\""][..],
            ));
        }
    }
    assert!(!decoded.is_empty(), "the groups are written somewhere");
    run_and_expect(broker.folder(), decoded);
}

#[test]
fn a_directory_goes_from_apache_to_klamm_and_back() {
    let mut broker =
        Broker::start_apache(&["num.partitions=4", "group.initial.rebalance.delay.ms=0"]);
    let (topic, group) = (unique("handed"), unique("group"));
    let send = |broker: &Broker, range: std::ops::Range<u32>| {
        produce(broker, &topic, range.map(|number| number.to_string()));
    };
    send(&broker, 0..50);
    assert_eq!(consume(&broker, &group, &topic), numbers(0..50));
    for start in [50, 60] {
        broker.hand_over();
        send(&broker, start..start + 10);
        let seen = consume(&broker, &group, &topic);
        assert_eq!(seen, numbers(start..start + 10), "after {start}");
    }
}
