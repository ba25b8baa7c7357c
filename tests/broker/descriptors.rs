//! More partitions than a process may have files open, and more that are used at once.

use crate::broker::Broker;
use crate::command_line::create_topic;
use crate::kcat;

const PARTITIONS: i32 = 1000;
const OPEN_FILES_MAX: usize = 300;

/// The values in the topic, sorted, by a consumer that goes to the end of every partition.
fn read(broker: &Broker) -> Vec<Option<Vec<u8>>> {
    let seen = kcat::read(broker, "many").into_iter();
    let mut values: Vec<Option<Vec<u8>>> = seen.map(|seen| seen.record.value).collect();
    values.sort();
    values
}

#[test]
fn partitions_may_be_more_than_files_that_may_be_open() {
    let mut broker = Broker::start(2);
    if !broker.is_klamm() {
        // Apache has a file open for each of them, and says that it needs it.
        return;
    }
    broker.limit_open_files(OPEN_FILES_MAX);
    create_topic(&broker, "many", PARTITIONS);
    let write = |broker: &Broker, partition: i32| {
        let line = format!("to {partition}");
        kcat::write_lines(broker, "many", Some(partition), &[line]);
    };
    let written = [0, 1, 499, 500, PARTITIONS - 1];
    for partition in written {
        write(&broker, partition);
    }
    let mut expected = written.map(|partition| Some(format!("to {partition}").into_bytes()));
    expected.sort();
    assert_eq!(read(&broker), expected);
    assert!(broker.open_files() < OPEN_FILES_MAX);
    broker.stop();
    broker.start_again();
    assert!(broker.open_files() < OPEN_FILES_MAX, "after a start");
    assert_eq!(read(&broker), expected);
    broker.kill();
    broker.start_again();
    assert!(broker.open_files() < OPEN_FILES_MAX, "after a crash");
    assert_eq!(read(&broker), expected);
}

#[test]
fn more_partitions_than_files_that_may_be_open_are_written_and_read_at_once() {
    let mut broker = Broker::start(2);
    if !broker.is_klamm() {
        return;
    }
    broker.limit_open_files(OPEN_FILES_MAX);
    create_topic(&broker, "many", PARTITIONS);
    let lines: Vec<String> = (0..20_000)
        .map(|number| format!("{number}:value {number}"))
        .collect();
    let mut expected: Vec<Option<Vec<u8>>> = (0..20_000)
        .map(|number| Some(format!("value {number}").into_bytes()))
        .collect();
    expected.sort();
    kcat::write_keyed_lines(&broker, "many", &lines);
    assert!(read(&broker) == expected);
    assert!(broker.open_files() <= OPEN_FILES_MAX);
    // And all are closed cleanly.
    kcat::write_keyed_lines(&broker, "many", &lines);
    broker.stop();
    let printed = broker.printed();
    assert!(printed.contains("ulimit -n"), "who runs it is told");
    assert!(!printed.contains("ERROR"), "{printed}");
    broker.start_again();
    assert_eq!(read(&broker).len(), 2 * expected.len());
}
