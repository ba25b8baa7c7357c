//! A disk that fills: appends fail with Kafka's error, what was acknowledged stays, reads go on, and
//! writing resumes when there is room.

use crate::broker::Broker;
use crate::deadline::wait_for;
use crate::exact::{call, create_topic, fetch, produce};
use bytes::Bytes;
use klamm::base::ids::Offset;
use klamm::base::prng::Prng;
use klamm::base::time::Timestamp;
use klamm::protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use klamm::protocol::{ErrorCode, Records};
use klamm::record::{BatchBuilder, RecordBatch};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Size of the disk.
const DISK_BYTES: u64 = 12 << 20;

/// A small file system, taken away when the test ends.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    fn mount(path: &Path) -> SmallDisk {
        std::fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={DISK_BYTES}"),
                "klamm-test",
            ])
            .arg(path)
            .status()
            .expect("mount is on every Linux");
        assert!(
            mounted.success(),
            "this test mounts a small tmpfs, and needs root for it"
        );
        SmallDisk {
            path: path.to_owned(),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The broker may still be ending: a lazy unmount does not mind.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn batch(seed: u64) -> Bytes {
    let mut value = vec![0; 256 << 10];
    Prng::new(seed).fill(&mut value);
    let mut builder = BatchBuilder::new(Offset(0));
    builder.append(Timestamp(1_700_000_000_000), None, Some(&value), &[]);
    builder.finish()
}

/// Produces until the disk is full; how many batches were acknowledged.
fn fill(stream: &mut TcpStream) -> i64 {
    for acknowledged in 0..200_i64 {
        let response = produce(stream, "full", batch(acknowledged.cast_unsigned()));
        let answer = &response.responses[0].partition_responses[0];
        if answer.error_code == ErrorCode::KAFKA_STORAGE_ERROR.0 {
            return acknowledged;
        }
        assert_eq!(answer.error_code, 0);
        assert_eq!(answer.base_offset, acknowledged);
    }
    panic!("a disk of {DISK_BYTES} bytes took everything");
}

fn try_to_create(stream: &mut TcpStream, name: &str, partitions: i32) -> i16 {
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        ..CreateTopicsRequest::default()
    };
    call(stream, 5, &request).topics[0].error_code
}

/// Every acknowledged batch is there, with its bytes.
fn assert_readable(stream: &mut TcpStream, acknowledged: i64) {
    let mut offset = 0;
    while offset < acknowledged {
        let mut response = fetch(stream, "full", offset);
        let partition = response.responses.remove(0).partitions.remove(0);
        assert_eq!(
            (partition.error_code, partition.high_watermark),
            (0, acknowledged)
        );
        let Some(Records::Bytes(mut rest)) = partition.records else {
            panic!("a fetch brings bytes")
        };
        while let Ok((fetched, after)) = RecordBatch::split_first(rest.clone()) {
            rest = after;
            assert!(fetched.bytes()[61..] == batch(offset.cast_unsigned())[61..]);
            offset += 1;
        }
    }
}

#[test]
fn a_full_disk_refuses_appends_and_loses_nothing() {
    let mut broker = Broker::start(1);
    if !broker.is_klamm() {
        return;
    }
    assert!(broker.stop().success());
    let data = broker.data();
    std::fs::remove_dir_all(&data).unwrap();
    let disk = SmallDisk::mount(&data);
    broker.start_again();
    let mut stream = broker.connect();
    create_topic(&mut stream, "full");
    let ballast = data.join("ballast");
    std::fs::write(&ballast, vec![1; 4 << 20]).unwrap();

    let acknowledged = fill(&mut stream);
    assert!(acknowledged > 10);
    assert_readable(&mut stream, acknowledged);

    // Nor is there room for metadata: the command fails, and its connection lives on.
    let rest = data.join("rest");
    let mut rest_file = std::fs::File::create(&rest).unwrap();
    while rest_file.write_all(&[1; 4096]).is_ok() {}
    let partitions = 2000;
    assert_eq!(
        try_to_create(&mut stream, "more", partitions),
        ErrorCode::KAFKA_STORAGE_ERROR.0
    );
    assert_readable(&mut stream, acknowledged);
    std::fs::remove_file(&rest).unwrap();

    // Room again: writing goes on where it stopped, without a restart.
    std::fs::remove_file(&ballast).unwrap();
    let response = produce(&mut stream, "full", batch(acknowledged.cast_unsigned()));
    let answer = &response.responses[0].partition_responses[0];
    assert_eq!((answer.error_code, answer.base_offset), (0, acknowledged));
    assert_readable(&mut stream, acknowledged + 1);

    // And all of it is there after a crash.
    drop(stream);
    broker.kill();
    broker.start_again();
    assert_readable(&mut broker.connect(), acknowledged + 1);
    drop(broker);
    drop(disk);
}

/// Something that is no log stands where the log should be made, as a disk may be full, or as there
/// may be too many open files, at just that moment. When that has passed, the log is made.
#[test]
fn a_log_that_could_not_be_made_is_made_later() {
    let mut broker = Broker::start(1);
    if !broker.is_klamm() {
        return;
    }
    let obstacle = broker.data().join("late-0");
    std::fs::write(&obstacle, "in the way").unwrap();
    let mut stream = broker.connect();
    create_topic(&mut stream, "late");
    let refused = produce(&mut stream, "late", batch(1));
    let refused = &refused.responses[0].partition_responses[0];
    assert_eq!(refused.error_code, ErrorCode::KAFKA_STORAGE_ERROR.0);

    std::fs::remove_file(&obstacle).unwrap();
    wait_for("the log to be made", || {
        let response = produce(&mut stream, "late", batch(0));
        let answer = &response.responses[0].partition_responses[0];
        (answer.error_code == 0).then(|| assert_eq!(answer.base_offset, 0))
    });
    drop(stream);
    assert!(broker.stop().success());
    broker.start_again();
    let mut stream = broker.connect();
    let response = fetch(&mut stream, "late", 0);
    assert_eq!(response.responses[0].partitions[0].high_watermark, 1);
}
