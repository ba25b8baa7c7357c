//! `klamm dump-log`: what segment, index, snapshot and checkpoint files hold, in the very lines of
//! `kafka-dump-log`, verified on the way. Unlike there, damage makes the exit code 1.

pub mod decoders;
mod indexes;
mod offsets;
mod segment;
mod state;

use super::error::CliError;
use super::output::{Output, notice};
use crate::base::convert::u64_from;
use crate::runtime::disk::{Disk, File, OpenMode};
use decoders::Decoder;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Print what segment, index, snapshot and checkpoint files hold, and verify it.
#[derive(clap::Args, Clone, Debug)]
pub struct DumpLogArguments {
    /// The comma separated list of data and index files to be dumped.
    #[arg(
        long,
        value_name = "file1,file2,...",
        value_delimiter = ',',
        required = true
    )]
    files: Vec<PathBuf>,
    /// Print the records, not only the batches. Implied by --print-data-log.
    #[arg(long)]
    deep_iteration: bool,
    /// Print keys and values too. Implied by a decoder.
    #[arg(long)]
    print_data_log: bool,
    /// Only verify indexes, without printing them.
    #[arg(long)]
    verify_index_only: bool,
    /// Only check what the broker checks of an index when it starts.
    #[arg(long)]
    index_sanity_check: bool,
    /// Read so many bytes of each segment at most.
    #[arg(long, value_name = "bytes", default_value_t = i32::MAX)]
    max_bytes: i32,
    /// Size of the largest message.
    #[arg(long, value_name = "bytes", default_value_t = 5_242_880)]
    max_message_size: i32,
    /// Leave out what is printed of a record beside its key and value; control records too.
    #[arg(long)]
    skip_record_metadata: bool,
    /// The records are those of __cluster_metadata, or of a snapshot of it.
    #[arg(long)]
    cluster_metadata_decoder: bool,
    /// The records are those of __consumer_offsets.
    #[arg(long, conflicts_with = "cluster_metadata_decoder")]
    offsets_decoder: bool,
    /// How keys are read: only org.apache.kafka.tools.api.StringDecoder, Kafka's default.
    #[arg(long, value_name = "class", num_args = 0..=1, default_missing_value = "StringDecoder", hide = true)]
    key_decoder_class: Option<String>,
    /// As --key-decoder-class, for values.
    #[arg(long, value_name = "class", num_args = 0..=1, default_missing_value = "StringDecoder", hide = true)]
    value_decoder_class: Option<String>,
}

/// How files are dumped.
#[derive(Clone, Debug)]
struct Options {
    deep: bool,
    contents: bool,
    verify_only: bool,
    sanity_only: bool,
    bytes_max: u64,
    message_bytes_max: usize,
    skip_record_metadata: bool,
    decoder: Decoder,
}

/// What was found wrong, so far.
struct Findings<'a> {
    problems: u64,
    /// Where it is said: standard error, or memory in a test.
    listener: &'a mut dyn FnMut(&str),
}

impl Findings<'_> {
    /// Says what is wrong, and counts it.
    fn wrong(&mut self, what: impl std::fmt::Display) {
        self.problems += 1;
        self.say(what);
    }

    /// Says more about it, or what is no damage.
    fn say(&mut self, what: impl std::fmt::Display) {
        (self.listener)(&what.to_string());
    }
}

/// One file being dumped.
#[derive(Debug)]
struct Source<'a> {
    disk: &'a Disk,
    path: &'a Path,
    file: Arc<File>,
    bytes: u64,
}

impl<'a> Source<'a> {
    fn open(disk: &'a Disk, path: &'a Path) -> Result<Source<'a>, CliError> {
        let failed = |error| CliError::Failed(format!("cannot read {}: {error}", path.display()));
        let file = disk.open(path, OpenMode::Read).map_err(failed)?;
        let bytes = file.len().map_err(failed)?;
        Ok(Source {
            disk,
            path,
            file,
            bytes,
        })
    }

    /// Reads `length` bytes from `position`, or fewer where the file ends before.
    fn read(&self, position: u64, length: usize) -> Result<Vec<u8>, CliError> {
        let there = self.bytes.saturating_sub(position).min(u64_from(length));
        let mut buffer = vec![0; crate::base::convert::usize_from(there)];
        let count = self.file.read_at(position, &mut buffer).map_err(|error| {
            CliError::Failed(format!("cannot read {}: {error}", self.path.display()))
        })?;
        buffer.truncate(count);
        Ok(buffer)
    }

    /// The whole of a small file.
    fn whole(&self, bytes_max: usize) -> Result<Vec<u8>, CliError> {
        if self.bytes > u64_from(bytes_max) {
            return Err(CliError::Failed(format!(
                "{} has {} bytes, more than such a file ever has",
                self.path.display(),
                self.bytes
            )));
        }
        self.read(0, bytes_max)
    }

    fn name(&self) -> &str {
        self.path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
    }

    /// The offset that the file is named after.
    fn base_offset(&self) -> Result<i64, CliError> {
        let digits = self.name().split('.').next().unwrap_or_default();
        digits
            .parse::<i64>()
            .ok()
            .filter(|&offset| offset >= 0)
            .ok_or_else(|| {
                CliError::Failed(format!(
                    "{} is not named after an offset, as 00000000000000000000.log is",
                    self.path.display()
                ))
            })
    }
}

impl DumpLogArguments {
    fn options(&self) -> Result<Options, CliError> {
        let decoder = if self.cluster_metadata_decoder {
            Some(Decoder::ClusterMetadata)
        } else {
            self.offsets_decoder.then_some(Decoder::Offsets)
        };
        for class in [&self.key_decoder_class, &self.value_decoder_class]
            .into_iter()
            .flatten()
        {
            if !class.ends_with("StringDecoder") {
                return Err(CliError::Usage(format!(
                    "klamm has no decoder {class}: it has StringDecoder, \
                     --cluster-metadata-decoder and --offsets-decoder"
                )));
            }
        }
        let contents = self.print_data_log
            || decoder.is_some()
            || self.value_decoder_class.is_some()
            || self.key_decoder_class.is_some();
        let size = |flag: &str, size: i32| {
            u64::try_from(size)
                .map_err(|_| CliError::Usage(format!("{flag} takes a number of bytes, not {size}")))
        };
        let message_bytes = size("--max-message-size", self.max_message_size)?;
        Ok(Options {
            deep: self.deep_iteration || contents,
            contents,
            verify_only: self.verify_index_only,
            sanity_only: self.index_sanity_check,
            bytes_max: size("--max-bytes", self.max_bytes)?,
            message_bytes_max: crate::base::convert::usize_from(message_bytes),
            skip_record_metadata: self.skip_record_metadata,
            decoder: decoder.unwrap_or(Decoder::Text),
        })
    }
}

/// Dumps the files in order. Damage in one does not keep the others from being dumped.
pub fn run(arguments: &DumpLogArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let options = arguments.options()?;
    let mut listener = |line: &str| notice(line);
    let mut findings = Findings {
        problems: 0,
        listener: &mut listener,
    };
    for path in &arguments.files {
        dump(&Disk::Native, path, &options, output, &mut findings)?;
        output.flush()?;
    }
    match findings.problems {
        0 => Ok(()),
        count => Err(CliError::Failed(format!("{count} problem(s) found"))),
    }
}

fn dump(
    disk: &Disk,
    path: &Path,
    options: &Options,
    output: &mut Output<'_>,
    findings: &mut Findings<'_>,
) -> Result<(), CliError> {
    output.line(format_args!("Dumping {}", path.display()))?;
    let source = Source::open(disk, path)?;
    let name = source.name();
    match name.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("log" | "checkpoint") => segment::dump(&source, options, output, findings),
        Some("index") => indexes::dump_index(&source, options, output, findings),
        Some("timeindex") => indexes::dump_time_index(&source, options, output, findings),
        Some("txnindex") => indexes::dump_transaction_index(&source, output, findings),
        Some("snapshot") => state::dump_producer_snapshot(&source, output, findings),
        _ if state::is_text(name) => state::dump_text(&source, output, findings),
        _ => {
            findings.say(format_args!("Ignoring unknown file {}", path.display()));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
