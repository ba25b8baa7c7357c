//! The index files of a segment, each entry held against the segment it points into.
//!
//! ```text
//! .index      relative offset i32 | position i32
//! .timeindex  timestamp i64 | relative offset i32
//! .txnindex   version i16 | producer id i64 | first offset i64 | last offset i64 | last stable offset i64
//! ```
//! The first two of an active segment are preallocated: zeros follow the last entry.

use super::segment::{Batches, batch_at};
use super::{Findings, Options, Source};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::runtime::disk::Disk;
use std::path::{Path, PathBuf};

const INDEX_ENTRY_BYTES: usize = 8;
const TIME_INDEX_ENTRY_BYTES: usize = 12;
const TRANSACTION_INDEX_ENTRY_BYTES: usize = 34;

/// Largest index file that is read: Kafka bounds them by `segment.index.bytes`, 10 MiB as a rule.
const INDEX_BYTES_MAX: usize = 1 << 30;

/// The segment beside an index, where there is one.
fn segment_of<'a>(
    disk: &'a Disk,
    index: &Path,
    path: &'a mut PathBuf,
) -> Result<Source<'a>, CliError> {
    *path = index.with_extension("log");
    Source::open(disk, path)
}

/// The entries of an index without the zeros that may follow them. One entry of zeros stays where
/// there is nothing else, because Kafka prints it.
fn entries<const N: usize>(content: &[u8]) -> (Vec<[u8; N]>, bool) {
    let (entries, _) = content.as_chunks::<N>();
    let used = entries
        .iter()
        .rposition(|entry| entry.iter().any(|&byte| byte != 0))
        .map_or(0, |last| last + 1);
    match (used, entries.first()) {
        (0, Some(zeros)) => (vec![*zeros], true),
        (used, _) => (entries[..used].to_vec(), false),
    }
}

fn i32_at(entry: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(entry[at..at + 4].try_into().expect("four bytes"))
}

fn i64_at(entry: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(entry[at..at + 8].try_into().expect("eight bytes"))
}

/// Whether a broker would keep the index when it starts: whole entries, the last not before the
/// base offset.
fn sanity<const N: usize>(
    source: &Source<'_>,
    content: &[u8],
    relative_offset_at: usize,
    output: &mut Output<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    let (entries, is_padding) = entries::<N>(content);
    let last = entries
        .last()
        .map_or(0, |entry| i32_at(entry, relative_offset_at));
    if !content.len().is_multiple_of(N)
        || (last < 0 || last == 0 && entries.len() > 1) && !is_padding
    {
        findings.wrong(format_args!(
            "{} failed the sanity check.",
            source.path.display()
        ));
        return Ok(());
    }
    output.line(format_args!(
        "{} passed sanity check.",
        source.path.display()
    ))
}

/// Prints an offset index, and verifies that each entry names the last offset of the batch at its
/// position.
pub fn dump_index(
    source: &Source<'_>,
    options: &Options,
    output: &mut Output<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    let content = source.whole(INDEX_BYTES_MAX)?;
    if content.is_empty() {
        return output.line(format_args!("{} is empty.", source.path.display()));
    }
    if options.sanity_only {
        return sanity::<INDEX_ENTRY_BYTES>(source, &content, 0, output, findings);
    }
    let base_offset = source.base_offset()?;
    let mut path = PathBuf::new();
    let segment = segment_of(source.disk, source.path, &mut path)?;
    let (entries, is_padding) = entries::<INDEX_ENTRY_BYTES>(&content);
    let mut mismatches = Vec::new();
    for entry in &entries {
        let offset = base_offset.saturating_add(i64::from(i32_at(entry, 0)));
        let position = i32_at(entry, 4);
        if !options.verify_only {
            output.line(format_args!("offset: {offset} position: {position}"))?;
        }
        if is_padding {
            continue;
        }
        let batch = match u64::try_from(position) {
            Ok(position) => batch_at(&segment, position, options.message_bytes_max)?,
            Err(_) => None,
        };
        let found = batch.map(|batch| batch.header().last_offset().0);
        if found != Some(offset) {
            mismatches.push((offset, found));
        }
    }
    if !mismatches.is_empty() {
        findings.wrong(format_args!("Mismatches in :{}", source.path.display()));
        for (offset, found) in mismatches {
            let found = found.map_or("none".to_owned(), |found| found.to_string());
            findings.say(format_args!(
                "  Index offset: {offset}, log offset: {found}"
            ));
        }
    }
    Ok(())
}

/// Prints a time index, and verifies that timestamps grow, and that each is the largest of the
/// batch that holds its offset.
pub fn dump_time_index(
    source: &Source<'_>,
    options: &Options,
    output: &mut Output<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    let content = source.whole(INDEX_BYTES_MAX)?;
    if options.sanity_only {
        return sanity::<TIME_INDEX_ENTRY_BYTES>(source, &content, 8, output, findings);
    }
    if content.is_empty() {
        return Ok(());
    }
    let base_offset = source.base_offset()?;
    let mut path = PathBuf::new();
    let segment = segment_of(source.disk, source.path, &mut path)?;
    let (entries, is_padding) = entries::<TIME_INDEX_ENTRY_BYTES>(&content);
    let mut batches = Batches::new(&segment, 0, segment.bytes);
    let mut current = batches.next_batch()?;
    let mut previous: Option<i64> = None;
    let mut out_of_order = Vec::new();
    let mut mismatches = Vec::new();
    let mut not_found = Vec::new();
    for entry in &entries {
        let timestamp = i64_at(entry, 0);
        let offset = base_offset.saturating_add(i64::from(i32_at(entry, 8)));
        if !options.verify_only {
            output.line(format_args!("timestamp: {timestamp} offset: {offset}"))?;
        }
        if is_padding {
            continue;
        }
        if let Some(previous) = previous.filter(|&previous| timestamp <= previous) {
            out_of_order.push((timestamp, previous));
        }
        previous = Some(timestamp);
        // Offsets grow too, so the segment is walked once; one that does not is looked for anew.
        let behind = |batch: &Option<(u64, crate::record::RecordBatch)>| {
            batch
                .as_ref()
                .is_none_or(|(_, batch)| batch.header().base_offset.0 > offset)
        };
        if behind(&current) {
            batches = Batches::new(&segment, 0, segment.bytes);
            current = batches.next_batch()?;
        }
        while current
            .as_ref()
            .is_some_and(|(_, batch)| batch.header().last_offset().0 < offset)
        {
            current = batches.next_batch()?;
        }
        match &current {
            None => not_found.push(offset),
            Some((_, batch)) => {
                let found = batch.header().max_timestamp.0;
                if found != timestamp {
                    mismatches.push((timestamp, found));
                }
            }
        }
    }
    let path = source.path.display();
    if !mismatches.is_empty() {
        findings.wrong(format_args!("Found timestamp mismatch in :{path}"));
        for (index, log) in mismatches {
            findings.say(format_args!(
                "  Index timestamp: {index}, log timestamp: {log}"
            ));
        }
    }
    if !out_of_order.is_empty() {
        findings.wrong(format_args!("Found out of order timestamp in :{path}"));
        for (index, before) in out_of_order {
            findings.say(format_args!(
                "  Index timestamp: {index}, Previously indexed timestamp: {before}"
            ));
        }
    }
    if !not_found.is_empty() {
        findings.wrong(format_args!(
            "The following indexed offsets are not found in :{path}"
        ));
        for offset in not_found {
            findings.say(format_args!(
                "Indexed offset: {offset}, found log offset: -1"
            ));
        }
    }
    Ok(())
}

/// Prints a transaction index.
pub fn dump_transaction_index(
    source: &Source<'_>,
    output: &mut Output<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    let content = source.whole(INDEX_BYTES_MAX)?;
    let (entries, rest) = content.as_chunks::<TRANSACTION_INDEX_ENTRY_BYTES>();
    for entry in entries {
        let version = i16::from_be_bytes([entry[0], entry[1]]);
        let [producer_id, first, last, stable] = [2, 10, 18, 26].map(|at| i64_at(entry, at));
        if version != 0 || first > last || stable < 0 {
            findings.wrong(format_args!(
                "an entry of {} cannot be true: version {version}, offsets {first} to {last}",
                source.path.display()
            ));
        }
        output.line(format_args!(
            "version: {version} producerId: {producer_id} firstOffset: {first} lastOffset: {last} \
             lastStableOffset: {stable}"
        ))?;
    }
    if !rest.is_empty() {
        findings.wrong(format_args!(
            "{} bytes at the end of {} are no whole entry",
            rest.len(),
            source.path.display()
        ));
    }
    Ok(())
}
