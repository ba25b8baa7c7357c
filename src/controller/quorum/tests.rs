//! The controller with its log on a simulated disk: what is committed, what a crash leaves, what a
//! snapshot keeps.

use super::*;
use crate::base::time::{Instant, Timestamp};
use crate::config::Configuration;
use crate::metadata::image::cluster::Endpoint;
use crate::metadata::record_text;
use crate::protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use crate::runtime::simulated::disk::SimulatedDisk;
use expect_test::expect;

const DIRECTORY: Uuid = Uuid([9; 16]);

fn now(millisecond: i64) -> Now {
    Now {
        instant: Instant(u64::try_from(millisecond).unwrap() * 1_000_000),
        timestamp: Timestamp(1_700_000_000_000 + millisecond),
    }
}

fn input(disk: &Disk, overrides: &[&str]) -> QuorumInput {
    QuorumInput {
        disk: disk.clone(),
        log_dir: PathBuf::from("/data"),
        directory_id: DIRECTORY,
        settings: ControllerSettings {
            node_id: NodeId(1),
            cluster_id: "cluster".to_owned(),
            configuration: Arc::new(Configuration::from_overrides(overrides).unwrap()),
        },
        open: OpenInput {
            clean: false,
            recovery_point: Offset(0),
            log_start_offset: Offset(0),
        },
    }
}

fn formatted() -> Disk {
    let disk = Disk::Simulated(SimulatedDisk::new());
    disk.create_directories(Path::new("/data")).unwrap();
    write_bootstrap_checkpoint(&disk, Path::new("/data"), now(0)).unwrap();
    disk
}

/// A quorum with the image that a shard would have.
struct Node {
    quorum: QuorumController,
    image: MetadataImage,
    prng: Prng,
    now: Now,
    replies: Vec<u64>,
}

impl Node {
    fn open(disk: &Disk, at: i64, overrides: &[&str]) -> Node {
        let opened = QuorumController::open(input(disk, overrides), now(at)).unwrap();
        let Opened { quorum, image, .. } = opened;
        Node {
            quorum,
            image,
            prng: Prng::new(7),
            now: now(at),
            replies: Vec::new(),
        }
    }

    fn submit(&mut self, ticket: u64, command: Command) {
        self.quorum
            .submit(ticket, command, self.now, &mut self.prng)
            .unwrap();
    }

    fn create(&mut self, ticket: u64, name: &str) {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: 2,
            replication_factor: -1,
            ..CreatableTopic::default()
        };
        let topics = vec![topic];
        self.submit(
            ticket,
            Command::CreateTopics(CreateTopicsRequest {
                topics,
                ..CreateTopicsRequest::default()
            }),
        );
    }

    fn start_broker(&mut self) {
        let endpoint = Endpoint {
            name: Arc::from("PLAINTEXT"),
            host: Arc::from("localhost"),
            port: 9092,
            security_protocol: 0,
        };
        let own = OwnBroker {
            listeners: vec![endpoint],
            controller_listeners: Vec::new(),
            rack: None,
            directories: vec![DIRECTORY],
            previous_broker_epoch: -1,
        };
        self.quorum
            .register_own(&own, self.now, &mut self.prng)
            .unwrap();
        self.quorum.unfence_own(self.now, &mut self.prng).unwrap();
    }

    /// A snapshot, with all that the ring does for it.
    fn take_snapshot(&mut self, image: &MetadataImage) {
        let file = self
            .quorum
            .begin_snapshot(image, self.now)
            .unwrap()
            .unwrap();
        assert!(
            !self.quorum.is_snapshot_due(self.now),
            "one is being written"
        );
        file.sync_data().unwrap();
        self.quorum.name_snapshot().unwrap();
        self.quorum.finish_snapshot();
    }

    /// One turn of the shard: returns the records committed, as lines.
    fn turn(&mut self) -> String {
        self.quorum.commit_waiting(self.now).unwrap();
        self.publish()
    }

    fn publish(&mut self) -> String {
        let mut lines = String::new();
        for committed in self.quorum.take_committed(self.now) {
            match committed {
                Committed::Batch(batch) => {
                    self.image.replay(&batch).unwrap();
                    lines += &record_text::lines(&batch.records);
                }
                Committed::Reply { ticket, .. } => self.replies.push(ticket),
                Committed::Failed { ticket, .. } => lines += &format!("failed {ticket}\n"),
            }
        }
        lines
    }
}

#[test]
fn nothing_is_told_before_it_is_on_disk() {
    let disk = formatted();
    let mut node = Node::open(&disk, 1, &[]);
    assert_eq!(node.publish(), "");
    node.start_broker();
    node.create(1, "foo");
    assert_eq!(node.publish(), "", "decided, appended, not committed");
    assert!(
        node.quorum
            .controller()
            .image()
            .topics
            .by_name("foo")
            .is_some()
    );
    expect![[r#"
        BeginTransaction
        FeatureLevel metadata.version 30
        FeatureLevel eligible.leader.replicas.version 1
        FeatureLevel group.version 1
        Config 4 "" min.insync.replicas = Some("1")
        EndTransaction
        RegisterController 1
        RegisterBroker 1 epoch 8 fenced true log_dirs [CQkJCQkJCQkJCQkJCQkJCQ]
        BrokerRegistrationChange 1 epoch 8 fenced -1 stopping 0 cordoned None
        BrokerRegistrationChange 1 epoch 8 fenced 0 stopping 0 cordoned Some([])
        Topic foo _akE7H5UQxifbhzjtiGMSQ
        Partition 0 replicas [1] isr [1] leader 1 leader_epoch 0 partition_epoch 0 directories [CQkJCQkJCQkJCQkJCQkJCQ]
        Partition 1 replicas [1] isr [1] leader 1 leader_epoch 0 partition_epoch 0 directories [CQkJCQkJCQkJCQkJCQkJCQ]
    "#]]
    .assert_eq(&node.turn());
    assert_eq!(node.replies, [1]);
    assert_eq!(node.image, *node.quorum.controller().image());
}

#[test]
fn a_second_start_finds_everything_in_a_new_epoch() {
    let disk = formatted();
    let mut node = Node::open(&disk, 1, &[]);
    node.start_broker();
    node.create(1, "foo");
    node.turn();
    let before = node.image.clone();
    let epoch = node.quorum.raft().epoch();
    let own = node.quorum.own_broker_epoch();
    assert_eq!(
        own,
        Some(node.image.cluster.broker(NodeId(1)).unwrap().epoch)
    );
    node.quorum.close(now(2)).unwrap();
    for is_clean in [true, false] {
        let mut again = input(&disk, &[]);
        again.open.clean = is_clean;
        let opened = QuorumController::open(again, now(3)).unwrap();
        assert_eq!(opened.image.topics, before.topics);
        assert_eq!(opened.image.cluster, before.cluster);
        assert!(opened.quorum.raft().epoch() > epoch);
    }
}

#[test]
fn a_snapshot_stands_for_the_log_before_it() {
    let disk = formatted();
    let overrides = ["metadata.log.max.record.bytes.between.snapshots=500"];
    let mut node = Node::open(&disk, 1, &overrides);
    node.start_broker();
    node.create(1, "foo");
    node.create(2, "bar");
    node.turn();
    assert!(node.quorum.is_snapshot_due(node.now));
    let image = node.image.clone();
    node.take_snapshot(&image);
    assert!(!node.quorum.is_snapshot_due(node.now));
    node.create(3, "behind");
    node.turn();
    let expected = node.image.clone();
    let names: Vec<String> = disk
        .list(Path::new("/data/__cluster_metadata-0"))
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| name.ends_with(".checkpoint"))
        .collect();
    assert_eq!(names, ["00000000000000000017-0000000001.checkpoint"]);
    let reopened = Node::open(&disk, 5, &overrides);
    assert_eq!(reopened.image, expected);
}

#[test]
fn old_snapshots_go_by_age_or_bytes_but_never_the_last() {
    for (bound, other) in [
        (
            "metadata.max.retention.ms=1000",
            "metadata.max.retention.bytes=-1",
        ),
        (
            "metadata.max.retention.bytes=1",
            "metadata.max.retention.ms=-1",
        ),
    ] {
        let disk = formatted();
        let delay = "internal.metadata.delete.delay.millis=30000";
        let mut node = Node::open(&disk, 1, &[bound, other, delay]);
        node.start_broker();
        for (ticket, name, at) in [(1, "a", 1), (2, "b", 500), (3, "c", 60_000)] {
            node.now = now(at);
            node.create(ticket, name);
            node.turn();
            let image = node.image.clone();
            node.take_snapshot(&image);
        }
        let endings = |disk: &Disk| {
            let entries = disk.list(Path::new("/data/__cluster_metadata-0")).unwrap();
            let names = entries.into_iter().map(|entry| entry.name);
            let names = names.filter(|name| name.contains(".checkpoint"));
            let endings = names.map(|name| name.split_once('.').unwrap().1.to_owned());
            endings.collect::<Vec<_>>().join(" ")
        };
        node.quorum.clean_if_due(now(60_000)).unwrap();
        assert_eq!(
            endings(&disk),
            "checkpoint checkpoint checkpoint",
            "not due"
        );
        node.quorum.clean_if_due(now(60_001)).unwrap();
        assert_eq!(
            endings(&disk),
            "checkpoint.deleted checkpoint.deleted checkpoint",
            "{bound}"
        );
        assert!(node.quorum.take_removable(now(90_000)).is_empty());
        for path in node.quorum.take_removable(now(90_001)) {
            disk.remove_file(&path).unwrap();
        }
        assert_eq!(endings(&disk), "checkpoint", "{bound}");
        let expected = node.image.clone();
        drop(node);
        assert_eq!(Node::open(&disk, 130_000, &[bound, other]).image, expected);
    }
}

#[test]
fn a_log_that_ends_before_its_snapshot_goes_on_behind_it() {
    let disk = formatted();
    let mut node = Node::open(&disk, 1, &[]);
    node.start_broker();
    node.create(1, "foo");
    node.turn();
    let image = node.image.clone();
    node.take_snapshot(&image);
    drop(node);
    let log = Path::new("/data/__cluster_metadata-0/00000000000000000000.log");
    disk.open(log, crate::runtime::disk::OpenMode::Write)
        .unwrap()
        .set_len(100)
        .unwrap();
    let mut node = Node::open(&disk, 2, &[]);
    assert_eq!(node.image.topics, image.topics);
    node.create(2, "bar");
    node.turn();
    let expected = node.image.clone();
    drop(node);
    assert_eq!(Node::open(&disk, 3, &[]).image, expected);
}

#[test]
fn a_full_disk_fails_the_commands_and_the_controller_goes_on() {
    let simulated = SimulatedDisk::new();
    let disk = Disk::Simulated(simulated.clone());
    disk.create_directories(Path::new("/data")).unwrap();
    let mut node = Node::open(&disk, 1, &[]);
    node.start_broker();
    node.create(1, "foo");
    node.turn();
    let before = node.quorum.controller().image().topics.clone();
    simulated.set_free_bytes(0);
    node.create(2, "lost");
    node.create(3, "lost-too");
    assert!(
        node.quorum.write(node.now).unwrap().is_some(),
        "it says why"
    );
    assert_eq!(node.publish(), "failed 2\nfailed 3\n");
    assert_eq!(node.quorum.controller().image().topics, before);
    simulated.set_free_bytes(1 << 30);
    node.create(4, "lost");
    assert_eq!(node.turn().lines().count(), 3);
    assert_eq!(node.image, *node.quorum.controller().image());
    let expected = node.image.clone();
    drop(node);
    assert_eq!(Node::open(&disk, 3, &[]).image, expected);
}

#[test]
fn a_quorum_of_others_is_refused() {
    let disk = formatted();
    let directory = Path::new("/data/__cluster_metadata-0");
    disk.create_directories(directory).unwrap();
    let election = ElectionState {
        epoch: crate::base::ids::LeaderEpoch(4),
        leader_id: Some(NodeId(2)),
        voted: None,
        voters: vec![NodeId(1), NodeId(2), NodeId(3)],
    };
    election.store(&disk, directory, 0).unwrap();
    let error = QuorumController::open(input(&disk, &[]), now(1))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the quorum's voters are 1 2 3, and this is node 1"),
        "{error}"
    );
}

#[test]
fn a_clean_stop_leaves_every_partition_without_a_leader_and_a_start_elects_them_again() {
    let disk = formatted();
    let mut node = Node::open(&disk, 1, &[]);
    node.start_broker();
    node.create(1, "foo");
    node.turn();
    node.quorum.fence_own(node.now, &mut node.prng).unwrap();
    expect![[r#"
        BrokerRegistrationChange 1 epoch 8 fenced 0 stopping 1 cordoned None
        PartitionChange 0 isr [] leader -1 elr [1] last_known_elr [1]
        PartitionChange 1 isr [] leader -1 elr [1] last_known_elr [1]
        BrokerRegistrationChange 1 epoch 8 fenced 1 stopping 0 cordoned None
    "#]]
    .assert_eq(&node.turn());
    node.quorum.close(now(2)).unwrap();
    let mut node = Node::open(&disk, 3, &[]);
    node.start_broker();
    node.turn();
    let topic = node.image.topics.by_name("foo").unwrap();
    assert!(
        topic
            .partitions()
            .all(|(_, partition)| partition.leader == NodeId(1))
    );
}
