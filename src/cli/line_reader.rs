//! Lines of standard input as records: Kafka's `LineMessageReader`, for console-producer.
//!
//! ```text
//! parse.headers and parse.key:   h1:v1,h2:v2 TAB key TAB value
//! ```
//! Bytes pass through as they are: only the separators are looked at.

use super::error::CliError;
use super::property::Properties;

/// Longest line that is taken: far above any record a broker accepts.
const LINE_BYTES_MAX: usize = 256 << 20;

/// How a line is taken apart.
#[derive(Clone, Debug)]
pub struct LineReader {
    parse_key: bool,
    parse_headers: bool,
    ignore_error: bool,
    key_separator: Vec<u8>,
    headers_delimiter: Vec<u8>,
    headers_separator: Vec<u8>,
    headers_key_separator: Vec<u8>,
    null_marker: Option<Vec<u8>>,
    line_number: u64,
}

/// A record as it stands in a line.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LineRecord<'a> {
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
    /// The headers, in order; a value may be null.
    pub headers: Vec<LineHeader<'a>>,
}

/// Key and value of a header; the value may be null.
pub type LineHeader<'a> = (&'a [u8], Option<&'a [u8]>);

impl LineReader {
    /// Reads the properties that Kafka's reader knows; separators that could not be told apart
    /// are refused as there.
    pub fn new(properties: &Properties) -> Result<LineReader, CliError> {
        let bytes =
            |key: &str, default: &str| properties.get(key).unwrap_or(default).as_bytes().to_vec();
        let reader = LineReader {
            parse_key: properties.is_true("parse.key", false),
            parse_headers: properties.is_true("parse.headers", false),
            ignore_error: properties.is_true("ignore.error", false),
            key_separator: bytes("key.separator", "\t"),
            headers_delimiter: bytes("headers.delimiter", "\t"),
            headers_separator: bytes("headers.separator", ","),
            headers_key_separator: bytes("headers.key.separator", ":"),
            null_marker: properties
                .get("null.marker")
                .map(|marker| marker.as_bytes().to_vec()),
            line_number: 0,
        };
        let marker = reader.null_marker.as_deref();
        let pairs = [
            (
                "headers.delimiter",
                Some(reader.headers_delimiter.as_slice()),
                "headers.separator",
                reader.headers_separator.as_slice(),
            ),
            (
                "headers.delimiter",
                Some(reader.headers_delimiter.as_slice()),
                "headers.key.separator",
                reader.headers_key_separator.as_slice(),
            ),
            (
                "headers.separator",
                Some(reader.headers_separator.as_slice()),
                "headers.key.separator",
                reader.headers_key_separator.as_slice(),
            ),
            (
                "null.marker",
                marker,
                "key.separator",
                &reader.key_separator,
            ),
            (
                "null.marker",
                marker,
                "headers.separator",
                &reader.headers_separator,
            ),
            (
                "null.marker",
                marker,
                "headers.delimiter",
                &reader.headers_delimiter,
            ),
            (
                "null.marker",
                marker,
                "headers.key.separator",
                &reader.headers_key_separator,
            ),
        ];
        for (left_name, left, right_name, right) in pairs {
            if left == Some(right) {
                return Err(CliError::Usage(format!(
                    "{left_name} and {right_name} may not be equal"
                )));
            }
            if right.is_empty() {
                return Err(CliError::Usage(format!("{right_name} may not be empty")));
            }
        }
        if reader.headers_delimiter.is_empty() {
            return Err(CliError::Usage(
                "headers.delimiter may not be empty".to_owned(),
            ));
        }
        Ok(reader)
    }

    /// Takes the next line apart; its end-of-line is already gone. A line that lacks a separator
    /// is an error that names it, unless `ignore.error` is set.
    pub fn parse<'a>(&mut self, line: &'a [u8]) -> Result<LineRecord<'a>, CliError> {
        self.line_number += 1;
        let mut rest = line;
        let headers = self.field(
            self.parse_headers,
            &self.headers_delimiter,
            "headers delimiter",
            line,
            &mut rest,
        )?;
        let key = self.field(
            self.parse_key,
            &self.key_separator,
            "key separator",
            line,
            &mut rest,
        )?;
        Ok(LineRecord {
            key: key.filter(|key| !self.is_null(key)),
            value: Some(rest).filter(|value| !self.is_null(value)),
            headers: match headers {
                Some(headers) if !self.is_null(headers) => self.headers(headers)?,
                Some(_) | None => Vec::new(),
            },
        })
    }

    fn field<'a>(
        &self,
        wanted: bool,
        separator: &[u8],
        name: &str,
        line: &[u8],
        rest: &mut &'a [u8],
    ) -> Result<Option<&'a [u8]>, CliError> {
        if !wanted {
            return Ok(None);
        }
        match find(rest, separator) {
            Some(position) => {
                let field = &rest[..position];
                *rest = &rest[position + separator.len()..];
                Ok(Some(field))
            }
            None if self.ignore_error => Ok(None),
            None => Err(CliError::Failed(format!(
                "No {name} found on line number {}: '{}'",
                self.line_number,
                String::from_utf8_lossy(line)
            ))),
        }
    }

    fn headers<'a>(&self, headers: &'a [u8]) -> Result<Vec<LineHeader<'a>>, CliError> {
        let mut pairs = split(headers, &self.headers_separator);
        // Java's split leaves out empty pieces at the end, but not a piece that is all there is.
        while pairs.len() > 1 && pairs.last().is_some_and(|pair| pair.is_empty()) {
            pairs.pop();
            if pairs.len() == 1 && pairs[0].is_empty() {
                pairs.pop();
            }
        }
        pairs.into_iter().map(|pair| self.header(pair)).collect()
    }

    fn header<'a>(&self, pair: &'a [u8]) -> Result<LineHeader<'a>, CliError> {
        let Some(position) = find(pair, &self.headers_key_separator) else {
            if self.ignore_error {
                return Ok((pair, None));
            }
            return Err(CliError::Failed(format!(
                "No header key separator found in pair '{}' on line number {}",
                String::from_utf8_lossy(pair),
                self.line_number
            )));
        };
        let key = &pair[..position];
        if self.is_null(key) {
            return Err(CliError::Failed(format!(
                "Header keys should not be equal to the null marker '{}' as they can't be null",
                String::from_utf8_lossy(key)
            )));
        }
        let value = &pair[position + self.headers_key_separator.len()..];
        Ok((key, Some(value).filter(|value| !self.is_null(value))))
    }

    fn is_null(&self, field: &[u8]) -> bool {
        self.null_marker.as_deref() == Some(field)
    }
}

/// Where `needle`, which is not empty, first stands in `hay`.
fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len())
        .position(|window| window == needle)
}

fn split<'a>(mut hay: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while let Some(position) = find(hay, separator) {
        pieces.push(&hay[..position]);
        hay = &hay[position + separator.len()..];
    }
    pieces.push(hay);
    pieces
}

/// Cuts what was read into lines, which end with `\n` or `\r\n`; the last may lack its end.
#[derive(Clone, Default, Debug)]
pub struct LineSplitter {
    pending: Vec<u8>,
    /// Bytes of `pending` known to hold no end of line.
    searched: usize,
    start: usize,
}

impl LineSplitter {
    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        if self.start > 0 {
            self.pending.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        if self.pending.len() + bytes.len() > LINE_BYTES_MAX {
            return Err(CliError::Failed(format!(
                "a line of standard input is longer than {LINE_BYTES_MAX} bytes"
            )));
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole line without its end; where the input has ended, also the rest.
    pub fn next_line(&mut self, ended: bool) -> Option<&[u8]> {
        let found = self.pending[self.searched..]
            .iter()
            .position(|&byte| byte == b'\n');
        let start = self.start;
        let (end, next) = match found {
            Some(position) => (self.searched + position, self.searched + position + 1),
            None if ended && start < self.pending.len() => (self.pending.len(), self.pending.len()),
            None => {
                self.searched = self.pending.len();
                return None;
            }
        };
        self.start = next;
        self.searched = next;
        let line = &self.pending[start..end];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use expect_test::{Expect, expect};

    fn reader(pairs: &[&str]) -> Result<LineReader, CliError> {
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        let mut properties = Properties::default();
        properties.add_flags("--reader-property", &pairs).unwrap();
        LineReader::new(&properties)
    }

    fn show(field: Option<&[u8]>) -> String {
        field.map_or("null".to_owned(), |field| {
            format!("'{}'", String::from_utf8_lossy(field))
        })
    }

    fn check(pairs: &[&str], lines: &[&str], expected: &Expect) {
        let mut reader = reader(pairs).unwrap();
        let mut out = String::new();
        for line in lines {
            match reader.parse(line.as_bytes()) {
                Ok(record) => {
                    out += &format!("{} {}", show(record.key), show(record.value));
                    for (key, value) in record.headers {
                        out += &format!(" {}={}", String::from_utf8_lossy(key), show(value));
                    }
                }
                Err(error) => out += &error.to_string(),
            }
            out.push('\n');
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn takes_lines_apart_as_kafka_does() {
        check(
            &[],
            &["a\tb", "", " x "],
            &expect![[r#"
            null 'a	b'
            null ''
            null ' x '
        "#]],
        );
        check(
            &["parse.key=true", "parse.headers=true", "null.marker=NULL"],
            &[
                "h1:v1,h2:\tk1\tvalue one",
                ",\t\tNULL",
                "h:NULL\tNULL\tzz",
                "NULL\tk\tv\tw",
                "\tk\tv",
                "nohead\tk\tv",
                "NULL:x\tk\tv",
                "h:v\tnokey",
                "a:b,,\tk\tv",
            ],
            &expect![[r#"
                'k1' 'value one' h1='v1' h2=''
                '' null
                null 'zz' h=null
                'k' 'v	w'
                No header key separator found in pair '' on line number 5
                No header key separator found in pair 'nohead' on line number 6
                Header keys should not be equal to the null marker 'NULL' as they can't be null
                No key separator found on line number 8: 'h:v	nokey'
                'k' 'v' a='b'
            "#]],
        );
        check(
            &[
                "parse.key=true",
                "parse.headers=true",
                "ignore.error=true",
                "key.separator=::",
            ],
            &["h:v,bad\tk::v", "no tab k::v", "nothing at all", "::"],
            &expect![[r#"
                'k' 'v' h='v' bad=null
                'no tab k' 'v'
                null 'nothing at all'
                '' ''
            "#]],
        );
    }

    #[test]
    fn separators_that_cannot_be_told_apart_are_refused() {
        for bad in [
            &["headers.separator=:"][..],
            &["headers.delimiter=,"],
            &["null.marker=,"],
            &["null.marker=\t"],
            &["key.separator="],
            &["headers.delimiter="],
        ] {
            assert!(reader(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lines_come_out_whole_however_they_arrive() {
        let text = b"one\r\ntwo\n\nlast";
        for piece in 1..text.len() {
            let mut splitter = LineSplitter::default();
            let mut lines: Vec<Vec<u8>> = Vec::new();
            for chunk in text.chunks(piece) {
                splitter.push(chunk).unwrap();
                while let Some(line) = splitter.next_line(false) {
                    lines.push(line.to_vec());
                }
            }
            while let Some(line) = splitter.next_line(true) {
                lines.push(line.to_vec());
            }
            assert_eq!(lines, [&b"one"[..], b"two", b"", b"last"]);
        }
    }

    #[test]
    fn random_lines_do_not_panic() {
        let mut prng = Prng::new(3);
        let mut reader = reader(&[
            "parse.key=true",
            "parse.headers=true",
            "null.marker=N",
            "headers.separator=,,",
        ])
        .unwrap();
        for _ in 0..5000 {
            let line: Vec<u8> = (0..prng.index(20))
                .map(|_| b"\t,:Nab\xFF"[prng.index(7)])
                .collect();
            drop(reader.parse(&line));
        }
    }
}
