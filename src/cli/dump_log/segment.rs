//! Batches and records of a `.log` file, or of a snapshot of the metadata log (`.checkpoint`).

use super::decoders;
use super::{Findings, Options, Source};
use crate::base::convert::{u64_from, usize_from};
use crate::cli::error::CliError;
use crate::cli::formatter::timestamp_type_name;
use crate::cli::output::Output;
use crate::record::{BatchError, BatchHeader, HEADER_BYTES, Record, RecordBatch};
use bytes::Bytes;

/// What stands before each record.
const RECORD_INDENT: &str = "|";

/// What a compressed batch may grow to when it is opened.
const OPENED_BYTES_MAX: usize = 1 << 30;

/// Walks the batches of a file without holding more than one.
pub struct Batches<'a> {
    source: &'a Source<'a>,
    position: u64,
    end: u64,
}

impl<'a> Batches<'a> {
    /// From `position` to the end of the file, or of `bytes_max`.
    pub fn new(source: &'a Source<'a>, position: u64, bytes_max: u64) -> Batches<'a> {
        Batches {
            source,
            position,
            end: source.bytes.min(position.saturating_add(bytes_max)),
        }
    }

    /// The next batch with its position; `None` where no whole batch follows.
    pub fn next_batch(&mut self) -> Result<Option<(u64, RecordBatch)>, CliError> {
        let position = self.position;
        let left = self.end.saturating_sub(position);
        if left < u64_from(HEADER_BYTES) {
            return Ok(None);
        }
        let header = self.source.read(position, HEADER_BYTES)?;
        let Ok(header) = BatchHeader::read(&header) else {
            return Ok(None);
        };
        let bytes = header.batch_bytes();
        if u64_from(bytes) > left {
            return Ok(None);
        }
        let Ok(batch) = RecordBatch::parse(Bytes::from(self.source.read(position, bytes)?)) else {
            return Ok(None);
        };
        self.position = position + u64_from(bytes);
        Ok(Some((position, batch)))
    }
}

/// Prints a segment as Kafka's tool does.
pub fn dump(
    source: &Source<'_>,
    options: &Options,
    output: &mut Output<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    print_name(source, output)?;
    let mut batches = Batches::new(source, 0, options.bytes_max);
    let mut last_offset: Option<i64> = None;
    let mut gaps = Vec::new();
    while let Some((position, batch)) = batches.next_batch()? {
        let is_valid = batch.is_valid_crc();
        output.line(batch_line(&batch, position, is_valid))?;
        if !is_valid {
            let path = source.path.display();
            findings.wrong(format_args!(
                "the checksum of the batch at {position} of {path} is wrong"
            ));
        }
        if options.deep {
            let printed = print_records(&batch, options, output, &mut |offset| {
                if let Some(last) = last_offset.filter(|&last| last.checked_add(1) != Some(offset))
                {
                    gaps.push((last, offset));
                }
                last_offset = Some(offset);
            })?;
            if let Err(error) = printed {
                findings.wrong(format_args!(
                    "a record of the batch at {position} of {} cannot be read: {error}",
                    source.path.display()
                ));
            }
        }
    }
    // Gaps are what compaction leaves: worth a word, but no damage.
    if !gaps.is_empty() {
        findings.say(format_args!(
            "Non-consecutive offsets in {}",
            source.path.display()
        ));
        for (before, after) in gaps {
            findings.say(format_args!("  {before} is followed by {after}"));
        }
    }
    let invalid = source.bytes - batches.position;
    if invalid > 0 && options.bytes_max >= source.bytes {
        output.line(format_args!(
            "Found {invalid} invalid bytes at the end of {}",
            source.name()
        ))?;
        if goes_on_with_zeros(source, batches.position)? {
            findings.say(format_args!(
                "{} goes on with zeros: preallocated, or written ahead of records that are synced one by one",
                source.path.display()
            ));
        } else {
            findings.problems += 1;
        }
    }
    Ok(())
}

/// Whether zeros follow the last batch, as many as a batch's header has bytes or the file has left: it is no torn one.
fn goes_on_with_zeros(source: &Source<'_>, position: u64) -> Result<bool, CliError> {
    let left = usize_from(source.bytes - position);
    let bytes = source.read(position, left.min(HEADER_BYTES))?;
    Ok(bytes.iter().all(|byte| *byte == 0))
}

fn print_name(source: &Source<'_>, output: &mut Output<'_>) -> Result<(), CliError> {
    let name = source.name();
    if name == "bootstrap.checkpoint" {
        return output.line("KRaft bootstrap snapshot");
    }
    if let Some(name) = name.strip_suffix(".checkpoint") {
        let parsed = name.split_once('-').and_then(|(offset, epoch)| {
            Some((offset.parse::<i64>().ok()?, epoch.parse::<i32>().ok()?))
        });
        let (offset, epoch) = parsed.ok_or_else(|| {
            CliError::Failed(format!(
                "{} is not named as a snapshot is: <end offset>-<epoch>.checkpoint",
                source.path.display()
            ))
        })?;
        return output.line(format_args!(
            "Snapshot end offset: {offset}, epoch: {epoch}"
        ));
    }
    output.line(format_args!(
        "Log starting offset: {}",
        source.base_offset()?
    ))
}

fn batch_line(batch: &RecordBatch, position: u64, is_valid: bool) -> String {
    let header = batch.header();
    let horizon = header
        .delete_horizon()
        .map_or("OptionalLong.empty".to_owned(), |at| {
            format!("OptionalLong[{}]", at.0)
        });
    let codec = header.compression().map_or("unknown", |codec| codec.name());
    format!(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} \
         producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} isControl: {} \
         deleteHorizonMs: {horizon} position: {position} {}: {} size: {} magic: {} \
         compresscodec: {codec} crc: {} isvalid: {is_valid}",
        header.base_offset,
        header.last_offset(),
        header.record_count,
        header.base_sequence,
        header.last_sequence(),
        header.producer_id,
        header.producer_epoch,
        header.partition_leader_epoch,
        header.is_transactional(),
        header.is_control(),
        timestamp_type_name(header.timestamp_type()),
        header.max_timestamp.0,
        header.batch_bytes(),
        header.magic,
        header.crc,
    )
}

/// Prints the records; the inner error is the batch's, the outer one the output's.
fn print_records(
    batch: &RecordBatch,
    options: &Options,
    output: &mut Output<'_>,
    each: &mut dyn FnMut(i64),
) -> Result<Result<(), BatchError>, CliError> {
    let open = match batch.open(OPENED_BYTES_MAX) {
        Ok(open) => open,
        Err(error) => return Ok(Err(error)),
    };
    for record in &open {
        let record = match record {
            Ok(record) => record,
            Err(error) => return Ok(Err(error)),
        };
        each(record.offset.0);
        output.line(record_line(batch.header(), &record, options))?;
    }
    Ok(Ok(()))
}

fn record_line(header: &BatchHeader, record: &Record<'_>, options: &Options) -> String {
    let mut line = String::new();
    let mut prefix = format!("{RECORD_INDENT} ");
    if !options.skip_record_metadata {
        line += &metadata(header, record);
        " ".clone_into(&mut prefix);
        if header.is_control() {
            line += &decoders::control(record);
            return line;
        }
    }
    if options.contents && !header.is_control() {
        let (key, value) = options.decoder.decode(record);
        if let Some(key) = key {
            line += &format!("{prefix}key: {key}");
            " ".clone_into(&mut prefix);
        }
        if let Some(value) = value {
            line += &format!("{prefix}payload: {value}");
        }
    }
    line
}

fn metadata(header: &BatchHeader, record: &Record<'_>) -> String {
    let size =
        |field: Option<&[u8]>| field.map_or("-1".to_owned(), |field| field.len().to_string());
    let sequence = if header.base_sequence == crate::base::ids::Sequence::NONE {
        header.base_sequence
    } else {
        header.base_sequence.plus(record.offset_delta)
    };
    let keys: Vec<String> = record.headers.map(|header| text(header.key)).collect();
    format!(
        "{RECORD_INDENT} offset: {} {}: {} keySize: {} valueSize: {} sequence: {sequence} \
         headerKeys: [{}]",
        record.offset,
        timestamp_type_name(header.timestamp_type()),
        record.timestamp.0,
        size(record.key),
        size(record.value),
        keys.join(",")
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Bytes of one batch, from its position, read at most `message_bytes_max`; `None` where there
/// is no whole batch.
pub fn batch_at(
    source: &Source<'_>,
    position: u64,
    message_bytes_max: usize,
) -> Result<Option<RecordBatch>, CliError> {
    let mut batches = Batches::new(source, position, u64_from(message_bytes_max));
    Ok(batches.next_batch()?.map(|(_, batch)| batch))
}
