//! Standard output of a verb: buffered, flushed when the verb says so, quiet when the pipe closes.

use super::error::CliError;
use std::fmt;
use std::io::{self, BufWriter, Write};

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, clap::ValueEnum)]
pub enum OutputFormat {
    /// As Kafka's tool prints it.
    #[default]
    Text,
    /// One JSON value: an array, or one object a line where the output has no end.
    Json,
}

/// The `-o` flag, the same on every verb that has it.
#[derive(clap::Args, Clone, Copy, Default, Debug)]
pub struct OutputArguments {
    /// How to print: as Kafka's tool does, or as JSON for scripts.
    #[arg(
        short = 'o',
        long = "output",
        value_name = "text|json",
        default_value = "text"
    )]
    pub output: OutputFormat,
}

/// Where a verb writes its results: standard output, or memory in a test.
pub struct Output<'a> {
    writer: BufWriter<Box<dyn Write + 'a>>,
}

impl Output<'static> {
    /// Standard output.
    #[must_use]
    pub fn standard() -> Output<'static> {
        Output::to(io::stdout())
    }
}

impl<'a> Output<'a> {
    /// Any writer.
    pub fn to(writer: impl Write + 'a) -> Output<'a> {
        Output {
            writer: BufWriter::with_capacity(64 << 10, Box::new(writer)),
        }
    }

    /// Writes one line.
    pub fn line(&mut self, line: impl fmt::Display) -> Result<(), CliError> {
        writeln!(self.writer, "{line}").map_err(|error| CliError::from_output(&error))
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.writer
            .write_all(bytes)
            .map_err(|error| CliError::from_output(&error))
    }

    /// Hands what was written to the reader.
    pub fn flush(&mut self) -> Result<(), CliError> {
        self.writer
            .flush()
            .map_err(|error| CliError::from_output(&error))
    }
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Output")
    }
}

/// Says something to the user that is not a result. Nobody may be listening: that is fine.
pub fn notice(line: impl fmt::Display) {
    let mut error = io::stderr().lock();
    // Standard error is where one would complain about it.
    drop(writeln!(error, "{line}"));
}
