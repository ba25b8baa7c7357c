//! Apache's own tools on groups: `kafka-consumer-groups`, `kafka-console-consumer --group`,
//! `kafka-consumer-perf-test`; and kcat's balanced consumer.

use crate::broker::{Broker, unique};
use crate::deadline::wait_for;
use crate::kcat;
use crate::tools::{
    CONSOLE_CONSUMER, CONSUMER_GROUPS, CONSUMER_PERF, TOPICS, call, run_and_expect,
};
use std::process::{Command, Stdio};

fn produce(broker: &Broker, topic: &str, count: usize) {
    let lines: Vec<String> = (0..count).map(|index| format!("value-{index}")).collect();
    kcat::write_lines(broker, topic, None, &lines);
}

#[test]
fn apaches_tools_work_on_groups_of_one_core() {
    apaches_tools_work_on_groups(1);
}

#[test]
fn apaches_tools_work_on_groups_of_two_cores() {
    apaches_tools_work_on_groups(2);
}

fn apaches_tools_work_on_groups(cores: u16) {
    let broker = Broker::start_with(cores, &["group.initial.rebalance.delay.ms=0"]);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let (topic, group) = (unique("tools"), unique("group"));
    let create = format!("{at} --create --topic {topic} --partitions 2");
    run_and_expect(
        broker.folder(),
        vec![(call(TOPICS, &create), &["Created topic"])],
    );
    produce(&broker, &topic, 10);

    let consume = format!("{at} --topic {topic} --from-beginning --max-messages");
    let groups = |what: &str| call(CONSUMER_GROUPS, &format!("{at} {what}"));
    let reset = format!("--reset-offsets --group {group} --topic {topic}");
    run_and_expect(
        broker.folder(),
        vec![
            (
                call(CONSOLE_CONSUMER, &format!("{consume} 10 --group {group}")),
                &["value-0", "value-9"],
            ),
            // A group of its own making.
            (
                call(CONSOLE_CONSUMER, &format!("{consume} 10")),
                &["value-0", "value-9"],
            ),
            (
                call(
                    CONSOLE_CONSUMER,
                    &format!(
                        "{consume} 10 --group {group}-848 --consumer-property group.protocol=consumer"
                    ),
                ),
                &["value-0", "value-9"],
            ),
            (
                call(
                    CONSUMER_PERF,
                    &format!(
                        "{at} --topic {topic} --num-records 10 --group {group}-perf --timeout 20000"
                    ),
                ),
                &["rebalance.time.ms"],
            ),
            (groups("--list"), &[group.as_str()]),
            (groups("--list --state"), &["STATE", "Empty"]),
            (
                groups(&format!("--describe --group {group}")),
                &["LAG", topic.as_str()],
            ),
            (
                groups(&format!("--describe --group {group} --state")),
                &["Empty", "COORDINATOR (ID)"],
            ),
            (
                groups(&format!("{reset} --to-earliest --execute")),
                &["NEW-OFFSET"],
            ),
            (
                groups(&format!("{reset} --shift-by 1 --dry-run")),
                &["NEW-OFFSET"],
            ),
            (
                call(CONSOLE_CONSUMER, &format!("{consume} 10 --group {group}")),
                &["value-0", "value-9"],
            ),
            (
                groups(&format!("--delete-offsets --group {group} --topic {topic}")),
                &["Request succeed"],
            ),
            (
                groups(&format!("--delete --group {group}")),
                &["was successful"],
            ),
        ],
    );
}

/// Two balanced consumers of kcat share a topic, and one takes over from the other.
#[test]
fn kcat_balances() {
    let broker = Broker::start_with(
        2,
        &["group.initial.rebalance.delay.ms=100", "num.partitions=4"],
    );
    let (topic, group) = (unique("kcat-topic"), unique("kcat-group"));
    produce(&broker, &topic, 100);
    let member = |name: &str| {
        let file = broker.folder().join(name);
        let child = Command::new("kcat")
            .args(["-b", &broker.bootstrap, "-u"])
            .args(["-X", "auto.offset.reset=earliest"])
            .args(["-X", "heartbeat.interval.ms=500"])
            .args(["-G", &group, &topic])
            .stdout(std::fs::File::create(&file).expect("a writable temporary folder"))
            .stderr(Stdio::null())
            .spawn()
            .expect("kcat runs");
        (child, file)
    };
    let lines = |files: &[&std::path::Path]| -> usize {
        let texts = files
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap_or_default());
        texts.map(|text| text.lines().count()).sum()
    };
    let (mut first, first_file) = member("first");
    wait_for("the first to read everything", || {
        (lines(&[&first_file]) == 100).then_some(())
    });
    let (mut second, second_file) = member("second");
    // More comes until both have read something of it: then they share.
    let mut written = 100;
    wait_for("the second to get its share", || {
        produce(&broker, &topic, 40);
        written += 40;
        (lines(&[&second_file]) > 0).then_some(())
    });
    wait_for("both to read everything", || {
        (lines(&[&first_file, &second_file]) >= written).then_some(())
    });
    // The first leaves as Ctrl-C does; the second has all.
    crate::broker::terminate(&first);
    first.wait().expect("kcat ends");
    let before = lines(&[&second_file]);
    produce(&broker, &topic, 40);
    wait_for("the second to have all", || {
        (lines(&[&second_file]) >= before + 40).then_some(())
    });
    let _ = second.kill();
    let _ = second.wait();
}
