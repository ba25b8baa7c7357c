//! Tests of control records: round trips, the bytes of a marker, and damage.

use super::*;
use crate::base::prng::Prng;
use crate::record::RecordBatch;

fn samples() -> Vec<ControlRecord> {
    let voter = |id: i32, byte: u8| Voter {
        voter_id: NodeId(id),
        directory_id: Uuid([byte; 16]),
    };
    vec![
        ControlRecord::Abort {
            coordinator_epoch: 3,
        },
        ControlRecord::Commit {
            coordinator_epoch: -1,
        },
        ControlRecord::LeaderChange(LeaderChange {
            version: 1,
            leader_id: NodeId(1),
            voters: vec![voter(1, 9), voter(2, 8)],
            granting_voters: vec![voter(1, 9)],
        }),
        ControlRecord::LeaderChange(LeaderChange {
            version: 0,
            leader_id: NodeId(1),
            voters: vec![voter(1, 0)],
            granting_voters: vec![],
        }),
        ControlRecord::SnapshotHeader {
            last_contained_log_timestamp: Timestamp(1_700_000_000_000),
        },
        ControlRecord::SnapshotFooter,
        ControlRecord::KRaftVersion(1),
        ControlRecord::KRaftVoters(vec![KRaftVoter {
            voter_id: NodeId(1),
            directory_id: Uuid([7; 16]),
            endpoints: vec![VoterEndpoint {
                name: "CONTROLLER".into(),
                host: "localhost".into(),
                port: 9093,
            }],
            kraft_version_min: 0,
            kraft_version_max: 1,
        }]),
    ]
}

#[test]
fn reads_what_it_writes() {
    let samples = samples();
    let bytes = control_batch(Offset(4), LeaderEpoch(2), Timestamp(99), &samples);
    let batch = RecordBatch::parse(bytes).expect("a batch");
    assert!(batch.header().is_control() && !batch.header().is_transactional());
    let open = batch.open(0).expect("not compressed");
    let read: Result<Vec<_>, _> = open
        .iter()
        .map(|record| ControlRecord::read(&record.expect("a record")))
        .collect();
    assert_eq!(read, Ok(samples));
}

#[test]
fn a_marker_is_kafkas_to_the_byte() {
    let marker = ControlRecord::Commit {
        coordinator_epoch: 5,
    };
    let batch = RecordBatch::parse(end_transaction_batch(
        Offset(10),
        LeaderEpoch(1),
        Timestamp(1000),
        ProducerId(77),
        ProducerEpoch(2),
        &marker,
    ))
    .expect("a batch");
    assert_eq!(batch.header().attributes, 0x30);
    assert_eq!(batch.header().base_sequence, Sequence::NONE);
    let record = [
        32, 0, 0, 0, 8, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 5, 0, // length 16, key, value
    ];
    assert_eq!(batch.record_bytes(), record.as_slice());
}

fn as_record<'a>(key: &'a [u8], value: &'a [u8], empty: &Record<'a>) -> Record<'a> {
    Record {
        key: Some(key),
        value: Some(value),
        ..*empty
    }
}

#[test]
fn damage_never_panics_and_unknown_types_pass() {
    let bytes = control_batch(
        Offset(0),
        LeaderEpoch(0),
        Timestamp(0),
        &[ControlRecord::SnapshotFooter],
    );
    let open = RecordBatch::parse(bytes)
        .and_then(|batch| batch.open(0))
        .expect("a batch");
    let empty = open.iter().next().expect("one").expect("a record");
    let unknown = as_record(&[0, 0, 0, 7], &[], &empty);
    assert_eq!(ControlRecord::read(&unknown), Ok(ControlRecord::Unknown(7)));
    let short = as_record(&[0, 0, 0], &[], &empty);
    assert_eq!(ControlRecord::read(&short), Err(ControlError::Key));

    let mut prng = Prng::new(10);
    for sample in samples() {
        let (key, value) = (sample.key(), sample.value());
        // The tags at the end, and what a footer or version does not need, may be missing.
        let needed = value.len().min(2);
        for cut in 0..needed {
            let record = as_record(&key, &value[..cut], &empty);
            assert!(
                ControlRecord::read(&record).is_err(),
                "{sample:?} cut at {cut}"
            );
        }
        for _ in 0..2_000 {
            let mut value = value.clone();
            for _ in 0..=prng.index(3) {
                let at = prng.index(value.len());
                value[at] = u8::try_from(prng.below(256)).expect("a byte");
            }
            let _ = ControlRecord::read(&as_record(&key, &value, &empty));
        }
    }
}
