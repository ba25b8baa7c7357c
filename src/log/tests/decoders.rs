//! Every decoder of a file: reads what it writes, says what is wrong, and never panics.

use crate::base::ids::{LeaderEpoch, Offset, PartitionIndex, ProducerEpoch, ProducerId, Sequence};
use crate::base::prng::Prng;
use crate::base::time::Timestamp;
use crate::base::uuid::Uuid;
use crate::log::checkpoint::Lines;
use crate::log::producer_state::{EndTransactionMarker, ProducedBatch, Producer};
use crate::log::{
    AbortedTransaction, LeaderEpochs, checkpoint, partition_metadata, producer_snapshot,
    transaction_index,
};
use crate::record::BatchHeader;

/// Damages `sound` in many ways.
fn damaged(sound: &[u8], seed: u64, mut decode: impl FnMut(&[u8])) {
    let mut prng = Prng::new(seed);
    decode(sound);
    for length in 0..sound.len() {
        decode(&sound[..length]);
    }
    for _ in 0..5000 {
        let mut bytes = sound.to_vec();
        for _ in 0..1 + prng.index(4) {
            let index = prng.index(bytes.len());
            bytes[index] ^= 1 << prng.index(8);
        }
        if prng.one_in(4) {
            bytes.truncate(prng.index(bytes.len() + 1));
        }
        if prng.one_in(4) {
            let extra = prng.index(50);
            bytes.extend(std::iter::repeat_n(0, extra));
        }
        decode(&bytes);
    }
    for _ in 0..1000 {
        let mut bytes = vec![0; prng.index(200)];
        prng.fill(&mut bytes);
        decode(&bytes);
    }
}

fn producers() -> Vec<(ProducerId, Producer)> {
    let last = ProducedBatch {
        last_sequence: Sequence(41),
        last_offset: Offset(1041),
        offset_delta: 4,
        timestamp: Timestamp(1_700_000_000_000),
    };
    let plain = Producer::restored(ProducerEpoch(3), -1, last.timestamp, None, Some(last));
    let open = Producer::restored(ProducerEpoch(0), 7, Timestamp(5), Some(Offset(1000)), None);
    vec![(ProducerId(12), plain), (ProducerId(13), open)]
}

#[test]
fn producer_snapshots() {
    let producers = producers();
    let borrowed: Vec<_> = producers.iter().map(|(id, it)| (*id, it)).collect();
    let bytes = producer_snapshot::encode(&borrowed);
    assert_eq!(bytes.len(), 10 + 2 * 46);
    assert_eq!(producer_snapshot::decode(&bytes).unwrap(), producers);
    let empty = producer_snapshot::encode(&[]);
    assert_eq!(producer_snapshot::decode(&empty).unwrap(), []);
    let mut damages = 0;
    damaged(&bytes, 1, |found| {
        let decoded = producer_snapshot::decode(found);
        if found != bytes {
            damages += 1;
            assert!(decoded.is_err());
        }
    });
    assert!(damages > 5000);
    let mut other = bytes.clone();
    other[1] = 2;
    assert_eq!(
        producer_snapshot::decode(&other).unwrap_err(),
        "version 2 is not 1"
    );
}

#[test]
fn transaction_indexes() {
    let entries: Vec<AbortedTransaction> = (0..3)
        .map(|index| AbortedTransaction {
            producer_id: ProducerId(9),
            first_offset: Offset(index * 10),
            last_offset: Offset(index * 10 + 5),
            last_stable_offset: Offset(index * 10 + 6),
        })
        .collect();
    let bytes: Vec<u8> = entries.iter().flat_map(transaction_index::encode).collect();
    assert_eq!(bytes.len(), 3 * 34);
    assert_eq!(transaction_index::decode(&bytes).unwrap(), entries);
    damaged(&bytes, 2, |found| {
        if let Some(entries) = transaction_index::decode(found) {
            assert!(entries.is_sorted_by(|a, b| a.last_offset < b.last_offset));
        }
    });
}

#[test]
fn leader_epoch_checkpoints() {
    let mut epochs = LeaderEpochs::default();
    epochs.assign(LeaderEpoch(0), Offset(0));
    epochs.assign(LeaderEpoch(4), Offset(100));
    assert_eq!(epochs.to_text(), "0\n2\n0 0\n4 100\n");
    let parsed = LeaderEpochs::parse(epochs.to_text().as_bytes()).unwrap();
    assert_eq!(parsed.entries(), epochs.entries());
    assert_eq!(LeaderEpochs::parse(b"").unwrap().latest(), None);
    for (text, why) in [
        ("1\n0\n", "line 1 says version \"1\", not 0"),
        ("0\nx\n", "line 2 says \"x\", not a count"),
        ("0\n2\n0 0\n", "line 2 announces 2 entries, 1 follow"),
        ("0\n1\n0\n", "line 3: 1 fields where 2 belong"),
        ("0\n1\n0 y\n", "line 3: \"y\" is not a number in range"),
        ("0\n2\n3 0\n2 5\n", "line 4: epoch 2 is out of order"),
    ] {
        assert_eq!(LeaderEpochs::parse(text.as_bytes()).unwrap_err(), why);
    }
    damaged(epochs.to_text().as_bytes(), 3, |found| {
        if let Ok(epochs) = LeaderEpochs::parse(found) {
            assert!(epochs.entries().is_sorted_by(|a, b| a.epoch < b.epoch));
        }
    });
}

#[test]
fn leader_epochs_follow_kip_101_and_279() {
    let mut epochs = LeaderEpochs::default();
    let end = Offset(50);
    assert_eq!(epochs.end_offset_for(LeaderEpoch(0), end), None);
    epochs.assign(LeaderEpoch(2), Offset(10));
    epochs.assign(LeaderEpoch(2), Offset(12));
    epochs.assign(LeaderEpoch(5), Offset(20));
    epochs.assign(LeaderEpoch(6), Offset(30));
    let answer = |epochs: &LeaderEpochs, epoch| {
        epochs
            .end_offset_for(LeaderEpoch(epoch), end)
            .map(|(epoch, offset)| (epoch.0, offset.0))
    };
    assert_eq!(answer(&epochs, -1), None);
    assert_eq!(answer(&epochs, 1), Some((1, 10)));
    assert_eq!(answer(&epochs, 2), Some((2, 20)));
    assert_eq!(answer(&epochs, 4), Some((2, 20)));
    assert_eq!(answer(&epochs, 6), Some((6, 50)));
    assert_eq!(answer(&epochs, 7), None);
    assert_eq!(epochs.previous(LeaderEpoch(5)), Some(LeaderEpoch(2)));
    assert_eq!(epochs.previous(LeaderEpoch(2)), None);
    // A leader without records is followed by another: the former is forgotten.
    epochs.assign(LeaderEpoch(7), Offset(30));
    assert_eq!(answer(&epochs, 6), Some((5, 30)));
    epochs.truncate_from_start(Offset(25));
    assert_eq!(epochs.entries()[0].start_offset, Offset(25));
    assert_eq!(epochs.entries()[0].epoch, LeaderEpoch(5));
    epochs.truncate_from_end(Offset(30));
    assert_eq!(epochs.latest(), Some(LeaderEpoch(5)));
    epochs.truncate_from_end(Offset(25));
    assert_eq!(epochs.latest(), None);
}

#[test]
fn offset_checkpoints() {
    let text = b"0\n2\norders 0 1842\norders 12 77\n";
    let parsed = checkpoint::parse(text).unwrap();
    let key = (String::from("orders"), PartitionIndex(12));
    assert_eq!(parsed[&key], Offset(77));
    let mut parts = [Lines::default(), Lines::default(), Lines::default()];
    for (part, ((topic, partition), offset)) in [0, 2].into_iter().zip(&parsed) {
        parts[part].push(topic, *partition, *offset);
    }
    assert_eq!(checkpoint::content(parts.iter()), text);
    assert!(checkpoint::parse(b"").unwrap().is_empty());
    assert!(checkpoint::parse(b"0\n0\n").unwrap().is_empty());
    assert!(checkpoint::parse(b"0\n1\norders -1 5\n").is_err());
    assert!(checkpoint::parse(b"0\n1\norders 0 5 6\n").is_err());
    damaged(text, 4, |found| {
        let _ = checkpoint::parse(found);
    });
}

#[test]
fn partition_metadata_files() {
    let id = Uuid([9; 16]);
    let text = partition_metadata::to_text(id);
    assert_eq!(text, "version: 0\ntopic_id: CQkJCQkJCQkJCQkJCQkJCQ");
    assert_eq!(partition_metadata::parse(text.as_bytes()), Ok(id));
    let spaced = b"version:   0\ntopic_id:\tCQkJCQkJCQkJCQkJCQkJCQ\n";
    assert_eq!(partition_metadata::parse(spaced), Ok(id));
    for text in [
        "",
        "version: 1\ntopic_id: CQkJCQkJCQkJCQkJCQkJCQ",
        "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA",
        "version: 0\ntopic_id: x",
        "version: 0",
    ] {
        assert!(
            partition_metadata::parse(text.as_bytes()).is_err(),
            "{text}"
        );
    }
    damaged(text.as_bytes(), 5, |found| {
        let _ = partition_metadata::parse(found);
    });
}

#[test]
fn transaction_markers() {
    let batch = super::producers::marker(5, 1, true, 7);
    let bytes = batch.bytes().to_vec();
    let marker = EndTransactionMarker::read(batch.header(), &bytes).unwrap();
    let marker = marker.unwrap();
    assert!(marker.is_abort);
    assert_eq!(marker.coordinator_epoch, 7);
    damaged(&bytes, 6, |found| {
        if let Ok(header) = BatchHeader::read(found) {
            let _ = EndTransactionMarker::read(&header, found);
        }
    });
}
