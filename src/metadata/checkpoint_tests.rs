//! What is written is read again; what is damaged is refused, and nothing panics.

use super::*;
use crate::base::prng::Prng;
use crate::base::uuid::Uuid;
use crate::metadata::features::METADATA_VERSION_DEFAULT;
use crate::protocol::metadata_records::{
    ConfigRecord, FeatureLevelRecord, PartitionRecord, ProducerIdsRecord, TopicRecord,
};

fn image(topics: u8) -> MetadataImage {
    let mut records = vec![
        MetadataRecord::FeatureLevelRecord(FeatureLevelRecord {
            name: "metadata.version".into(),
            feature_level: METADATA_VERSION_DEFAULT.0,
            ..FeatureLevelRecord::default()
        }),
        MetadataRecord::ProducerIdsRecord(ProducerIdsRecord {
            next_producer_id: 3000,
            ..ProducerIdsRecord::default()
        }),
    ];
    for topic in 1..=topics {
        let topic_id = Uuid([topic; 16]);
        let name = format!("topic-{topic}");
        records.push(MetadataRecord::TopicRecord(TopicRecord {
            name: name.as_str().into(),
            topic_id,
            ..TopicRecord::default()
        }));
        records.push(MetadataRecord::ConfigRecord(ConfigRecord {
            resource_type: 2,
            resource_name: name.as_str().into(),
            name: "retention.ms".into(),
            value: Some("5".into()),
            ..ConfigRecord::default()
        }));
        for partition_id in 0..3 {
            records.push(MetadataRecord::PartitionRecord(PartitionRecord {
                partition_id,
                topic_id,
                replicas: vec![1, 2, 3, 4],
                isr: vec![1, 2],
                leader: 1,
                leader_epoch: 4,
                partition_epoch: 5,
                directories: vec![Uuid([7; 16]); 4],
                eligible_leader_replicas: Some(vec![3]),
                ..PartitionRecord::default()
            }));
        }
    }
    let mut image = MetadataImage::empty();
    let batch = MetadataBatch {
        base_offset: Offset(40),
        last_offset: Offset(139),
        leader_epoch: LeaderEpoch(3),
        append_timestamp: Timestamp(77),
        records,
        control: Vec::new(),
    };
    image.replay(&batch).unwrap();
    image
}

fn bytes_of(image: &MetadataImage, control: &QuorumControl) -> Bytes {
    write(image, control, Timestamp(99))
        .flatten()
        .collect::<Vec<u8>>()
        .into()
}

#[test]
fn an_image_comes_back_from_its_snapshot() {
    let voter = KRaftVoter {
        voter_id: crate::base::ids::NodeId(1),
        directory_id: Uuid([9; 16]),
        endpoints: Vec::new(),
        kraft_version_min: 0,
        kraft_version_max: 1,
    };
    let dynamic = QuorumControl {
        kraft_version: 1,
        voters: vec![voter],
    };
    for control in [QuorumControl::default(), dynamic] {
        for topics in [0, 1, 50] {
            let image = image(topics);
            let id = SnapshotId::of(&image.provenance);
            let (copy, copied_control) = read_image(id, bytes_of(&image, &control)).unwrap();
            assert_eq!(copy, image);
            assert_eq!(copied_control, control);
        }
    }
}

#[test]
fn names_say_which_snapshot_a_file_holds() {
    let id = SnapshotId {
        end_offset: Offset(1234),
        epoch: LeaderEpoch(7),
    };
    assert_eq!(id.file_name(), "00000000000000001234-0000000007.checkpoint");
    assert_eq!(SnapshotId::parse(&id.file_name()), Some(id));
    for name in [
        "bootstrap.checkpoint",
        "1234-7.checkpoint",
        "00000000000000001234-0000000007.checkpoint.part",
        "+0000000000000001234-0000000007.checkpoint",
        "99999999999999999999-0000000007.checkpoint",
    ] {
        assert_eq!(SnapshotId::parse(name), None, "{name}");
    }
}

#[test]
fn a_cut_off_snapshot_is_refused_at_every_length() {
    let image = image(2);
    let whole = bytes_of(&image, &QuorumControl::default());
    let id = SnapshotId::of(&image.provenance);
    for length in 0..whole.len() {
        assert!(
            read_image(id, whole.slice(..length)).is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let image = image(2);
    let whole = bytes_of(&image, &QuorumControl::default());
    let id = SnapshotId::of(&image.provenance);
    let mut prng = Prng::new(11);
    let mut refused = 0;
    for _ in 0..3_000 {
        let mut bytes = whole.to_vec();
        for _ in 0..=prng.below(3) {
            let at = prng.index(bytes.len());
            bytes[at] ^= 1 << prng.below(8);
        }
        // Half of them with a right checksum, so that the records behind it are reached too.
        if prng.one_in(2) {
            reseal(&mut bytes);
        }
        refused += usize::from(read_image(id, bytes.into()).is_err());
    }
    assert!(
        refused > 2_000,
        "the canary: most of these must be refused, {refused} were"
    );
}

/// Gives each batch that can still be found the checksum of its bytes.
fn reseal(bytes: &mut [u8]) {
    let mut at = 0;
    while bytes.len() - at >= 61 {
        let length: [u8; 4] = bytes[at + 8..at + 12].try_into().unwrap();
        let Ok(length) = usize::try_from(i32::from_be_bytes(length)) else {
            return;
        };
        let end = at + 12 + length;
        if length < 49 || end > bytes.len() {
            return;
        }
        crate::record::build::seal(&mut bytes[at..end]);
        at = end;
    }
}
