//! What clients were told and what they read, and the promises that both must keep (the oracles of
//! `reliability.md`: O1 no acknowledged loss, O2 no duplicate, O3 one log, O6 ends never go back).

use crate::base::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// A partition of the workload: which of its topics, which partition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Place of the topic in the workload's list.
    pub topic: usize,
    /// The partition.
    pub partition: i32,
}

/// What a record carries: no two are produced alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Value {
    /// Whether its producer numbers its batches: then it must not stand there twice.
    pub is_idempotent: bool,
    /// Which producer.
    pub producer: u32,
    /// Its how many-th record.
    pub number: u32,
}

/// Bytes of a value before its padding.
const VALUE_BYTES: usize = 9;

impl Value {
    /// The bytes of the record: the value, then padding that follows from it.
    pub fn encode(self, padding: usize) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.is_idempotent)];
        bytes.extend_from_slice(&self.producer.to_be_bytes());
        bytes.extend_from_slice(&self.number.to_be_bytes());
        let [.., fill] = self.number.to_be_bytes();
        bytes.resize(VALUE_BYTES + padding, fill);
        bytes
    }

    /// The value of a record, or `None` where these are not bytes that a producer wrote.
    pub fn decode(bytes: &[u8]) -> Option<Value> {
        let (head, padding) = bytes.split_first_chunk::<VALUE_BYTES>()?;
        let [flag, p0, p1, p2, p3, n0, n1, n2, n3] = *head;
        let is_whole = flag <= 1 && padding.iter().all(|byte| *byte == n3);
        is_whole.then(|| Value {
            is_idempotent: flag == 1,
            producer: u32::from_be_bytes([p0, p1, p2, p3]),
            number: u32::from_be_bytes([n0, n1, n2, n3]),
        })
    }
}

/// A search by time, to be judged when the whole log is known.
struct Lookup {
    timestamp: i64,
    answer: i64,
    /// Everything below was visible when it was asked.
    visible_end: i64,
}

#[derive(Default)]
struct History {
    /// By offset: the value, and its timestamp.
    records: BTreeMap<i64, (Value, i64)>,
    offsets: BTreeMap<Value, i64>,
    acked: BTreeSet<i64>,
    scanned: BTreeSet<i64>,
    /// The largest end of the readable log that any client was told.
    visible_end: i64,
    acked_end: i64,
    lookups: Vec<Lookup>,
}

/// All that is known of all partitions.
#[derive(Default)]
pub struct Ledger {
    histories: BTreeMap<Place, History>,
    producer_ids: BTreeSet<i64>,
    /// Records acknowledged.
    pub acks: u64,
    /// Records read, each compared with what is known of its offset.
    pub reads: u64,
    /// Searches by time that were judged.
    pub lookups: u64,
    /// When a record was acknowledged last.
    pub acked_at: Instant,
}

impl Ledger {
    fn history(&mut self, place: Place) -> &mut History {
        self.histories.entry(place).or_default()
    }

    /// A producer got this id: no other may.
    pub fn producer_id(&mut self, id: i64) -> Result<(), String> {
        if self.producer_ids.insert(id) {
            Ok(())
        } else {
            Err(format!("producer id {id} was given twice"))
        }
    }

    /// A batch was acknowledged, its first record at this offset.
    pub fn ack(
        &mut self,
        place: Place,
        base_offset: i64,
        values: &[(Value, i64)],
        now: Instant,
    ) -> Result<(), String> {
        if base_offset < 0 {
            return Err(format!(
                "{place:?}: acknowledged at offset {base_offset}, which is none"
            ));
        }
        for (offset, (value, timestamp)) in (base_offset..).zip(values) {
            self.learn(place, offset, *value, *timestamp)
                .map_err(|what| format!("acknowledged: {what}"))?;
            self.history(place).acked.insert(offset);
            self.acks += 1;
        }
        let history = self.history(place);
        let end = history.acked.last().map_or(0, |last| last + 1);
        history.acked_end = end;
        self.acked_at = now;
        Ok(())
    }

    /// A record was read.
    pub fn read(
        &mut self,
        place: Place,
        offset: i64,
        value: Value,
        timestamp: i64,
        is_scan: bool,
    ) -> Result<(), String> {
        self.learn(place, offset, value, timestamp)
            .map_err(|what| format!("read: {what}"))?;
        if is_scan {
            self.history(place).scanned.insert(offset);
        }
        self.reads += 1;
        Ok(())
    }

    /// O3, O2: one value per offset; an idempotent value at one offset only.
    fn learn(
        &mut self,
        place: Place,
        offset: i64,
        value: Value,
        timestamp: i64,
    ) -> Result<(), String> {
        let history = self.history(place);
        let record = *history.records.entry(offset).or_insert((value, timestamp));
        if record != (value, timestamp) {
            return Err(format!(
                "{place:?} at offset {offset}: {value:?} of {timestamp}, but before it was {record:?}"
            ));
        }
        let known = *history.offsets.entry(value).or_insert(offset);
        if known != offset && value.is_idempotent {
            return Err(format!(
                "{place:?}: {value:?} stands at offset {known} and again at {offset}"
            ));
        }
        Ok(())
    }

    /// The end of the readable log that some client has been told: later answers may not be below.
    pub fn visible_end(&self, place: Place) -> i64 {
        self.histories
            .get(&place)
            .map_or(0, |history| history.visible_end)
    }

    /// The offset after the last acknowledged record.
    pub fn acked_end(&self, place: Place) -> i64 {
        self.histories
            .get(&place)
            .map_or(0, |history| history.acked_end)
    }

    /// O6: an answer names the end of the readable log; `before` is what was known of it when the
    /// question was asked.
    pub fn see_end(&mut self, place: Place, end: i64, before: i64) -> Result<(), String> {
        if end < before {
            return Err(format!(
                "{place:?}: the high watermark went back: {end}, after {before} had been told"
            ));
        }
        let history = self.history(place);
        history.visible_end = history.visible_end.max(end);
        Ok(())
    }

    /// A search by time was answered; judged at the end.
    pub fn lookup(&mut self, place: Place, timestamp: i64, answer: i64, visible_end: i64) {
        self.history(place).lookups.push(Lookup {
            timestamp,
            answer,
            visible_end,
        });
    }

    /// After the final scan of every partition: O1, the order of each producer, and the searches.
    pub fn judge(&mut self) -> Result<(), String> {
        let mut lookups = 0;
        for (place, history) in &self.histories {
            if let Some(lost) = history.acked.difference(&history.scanned).next() {
                return Err(format!(
                    "{place:?}: the acknowledged record at offset {lost} is gone: {:?}",
                    history.records.get(lost)
                ));
            }
            let mut last: BTreeMap<u32, u32> = BTreeMap::new();
            for (offset, (value, _)) in &history.records {
                if !value.is_idempotent {
                    continue;
                }
                let before = last.insert(value.producer, value.number);
                if before.is_some_and(|before| before >= value.number) {
                    return Err(format!(
                        "{place:?} at offset {offset}: {value:?} stands after its producer's {before:?}"
                    ));
                }
            }
            for lookup in &history.lookups {
                history
                    .judge_lookup(lookup)
                    .map_err(|what| format!("{place:?}: {what}"))?;
                lookups += 1;
            }
        }
        self.lookups = lookups;
        Ok(())
    }
}

impl History {
    fn judge_lookup(&self, lookup: &Lookup) -> Result<(), String> {
        let mut later = self
            .records
            .iter()
            .filter(|(_, (_, timestamp))| *timestamp >= lookup.timestamp);
        let first = later.next().map_or(-1, |(offset, _)| *offset);
        let may_be_unseen = first < 0 || first >= lookup.visible_end;
        if lookup.answer == first || may_be_unseen && lookup.answer == -1 {
            return Ok(());
        }
        Err(format!(
            "the first record from {} on stands at {first}, and ListOffsets said {}",
            lookup.timestamp, lookup.answer
        ))
    }
}
