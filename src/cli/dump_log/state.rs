//! The small files: a partition's producers, checkpoints, and what names a partition or a node.
//!
//! ```text
//! .snapshot   version i16 = 1 | crc u32 (CRC-32C of what follows) | count i32 | entries:
//!             producer id i64 | epoch i16 | last sequence i32 | last offset i64 | offset delta i32
//!             | timestamp i64 | coordinator epoch i32 | current transaction's first offset i64
//! ```

use super::{Findings, Source};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::record::checksum::crc32c;

const SNAPSHOT_HEADER_BYTES: usize = 10;
const SNAPSHOT_ENTRY_BYTES: usize = 46;
const SNAPSHOT_BYTES_MAX: usize = 1 << 30;
const TEXT_BYTES_MAX: usize = 64 << 20;

/// Whether a file of that name holds text.
pub fn is_text(name: &str) -> bool {
    name.ends_with("-checkpoint")
        || matches!(
            name,
            "partition.metadata" | "meta.properties" | "quorum-state"
        )
}

/// Prints the producers of a partition, as they were at the offset that the file is named after.
pub fn dump_producer_snapshot(
    source: &Source<'_>,
    output: &mut Output<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    let content = source.whole(SNAPSHOT_BYTES_MAX)?;
    let path = source.path.display();
    let Some((header, rest)) = content.split_first_chunk::<SNAPSHOT_HEADER_BYTES>() else {
        findings.wrong(format_args!("{path} is shorter than its header"));
        return Ok(());
    };
    let version = i16::from_be_bytes([header[0], header[1]]);
    let stored = u32::from_be_bytes([header[2], header[3], header[4], header[5]]);
    let count = i32::from_be_bytes([header[6], header[7], header[8], header[9]]);
    let computed = crc32c(&content[6..]);
    if version != 1 {
        findings.wrong(format_args!("{path} has version {version}, and 1 is known"));
    }
    if stored != computed {
        findings.wrong(format_args!(
            "Snapshot is corrupt (CRC is no longer valid): {path} says {stored}, its bytes give {computed}"
        ));
    }
    let (entries, left) = rest.as_chunks::<SNAPSHOT_ENTRY_BYTES>();
    if usize::try_from(count) != Ok(entries.len()) || !left.is_empty() {
        findings.wrong(format_args!(
            "{path} announces {count} entries, and holds {}",
            entries.len()
        ));
    }
    entries
        .iter()
        .try_for_each(|entry| output.line(producer_line(entry)))
}

fn producer_line(entry: &[u8; SNAPSHOT_ENTRY_BYTES]) -> String {
    let long = |at: usize| i64::from_be_bytes(entry[at..at + 8].try_into().expect("eight bytes"));
    let int = |at: usize| i32::from_be_bytes(entry[at..at + 4].try_into().expect("four bytes"));
    let epoch = i16::from_be_bytes([entry[8], entry[9]]);
    let [last_sequence, offset_delta, coordinator_epoch] = [int(10), int(22), int(34)];
    let [last_offset, timestamp, first_offset] = [long(14), long(26), long(38)];
    let first_offset = match first_offset {
        -1 => "OptionalLong.empty".to_owned(),
        offset => format!("OptionalLong[{offset}]"),
    };
    let mut line = format!(
        "producerId: {} producerEpoch: {epoch} coordinatorEpoch: {coordinator_epoch} \
         currentTxnFirstOffset: {first_offset} lastTimestamp: {timestamp}",
        long(0)
    );
    // A producer whose last batch was a transaction's marker has no batch to tell of.
    if last_offset >= 0 {
        let first_sequence = match last_sequence.checked_sub(offset_delta) {
            Some(first) if first >= 0 => first,
            // The sequence wrapped from 2^31-1 to 0 within the batch.
            Some(_) | None => last_sequence.wrapping_sub(offset_delta) & i32::MAX,
        };
        line += &format!(
            " firstSequence: {first_sequence} lastSequence: {last_sequence} \
             lastOffset: {last_offset} offsetDelta: {offset_delta} timestamp: {timestamp}"
        );
    }
    line
}

/// Prints a text file as it is; a checkpoint is held against the count it announces.
pub fn dump_text(
    source: &Source<'_>,
    output: &mut Output<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    let content = source.whole(TEXT_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&content);
    text.lines().try_for_each(|line| output.line(line))?;
    let is_checkpoint = source.name().ends_with("-checkpoint");
    // An empty checkpoint is legal: it has no entries.
    if !is_checkpoint || text.is_empty() {
        return Ok(());
    }
    let fields = if source.name() == "leader-epoch-checkpoint" {
        2
    } else {
        3
    };
    if let Err(why) = check_checkpoint(&text, fields) {
        findings.wrong(format_args!("{} is damaged: {why}", source.path.display()));
    }
    Ok(())
}

/// Version 0, a count, and so many lines of so many fields, all but the first of them numbers.
fn check_checkpoint(text: &str, fields: usize) -> Result<(), String> {
    let mut lines = text.lines();
    if lines.next() != Some("0") {
        return Err("its first line is not the version 0".to_owned());
    }
    let count: usize = lines
        .next()
        .and_then(|line| line.trim().parse().ok())
        .ok_or("its second line is not a count")?;
    let mut found = 0;
    for line in lines {
        found += 1;
        let words: Vec<&str> = line.split_whitespace().collect();
        let numbers = words.get(1..).unwrap_or_default();
        if words.len() != fields || numbers.iter().any(|word| word.parse::<i64>().is_err()) {
            return Err(format!("'{line}' is not an entry"));
        }
    }
    if found == count {
        Ok(())
    } else {
        Err(format!("it announces {count} entries, and has {found}"))
    }
}
