//! `server.properties`, as Java's `Properties.load` reads it: comments, `=`, `:` or white space
//! after the key, continued lines, `\uXXXX`. A file that is valid UTF-8 is read as UTF-8, any
//! other as ISO-8859-1 (Java reads all as ISO-8859-1; the two differ only beyond ASCII).
//!
//! ```text
//! # a comment            ! another
//! key=value              key: value              key value
//! long.key=one,\
//!          two           is one logical line: long.key=one,two
//! ```

use std::fmt;

/// Largest file that is read.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// One key with its value, and the line (from 1) on which it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Property {
    /// The key, escapes undone.
    pub key: String,
    /// The value, escapes undone.
    pub value: String,
    /// The line of the file on which the key stands, from 1.
    pub line: u32,
}

/// Why a file cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PropertiesError {
    /// It is longer than [`FILE_BYTES_MAX`].
    TooLong(usize),
    /// On this line, `\u` is not followed by four hexadecimal digits.
    MalformedEscape(u32),
}

impl fmt::Display for PropertiesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PropertiesError::TooLong(bytes) => write!(
                f,
                "the file has {bytes} bytes, but must be at most {FILE_BYTES_MAX}"
            ),
            PropertiesError::MalformedEscape(line) => write!(
                f,
                "line {line}: \\u must be followed by four hexadecimal digits, as in \\u00e9"
            ),
        }
    }
}

impl std::error::Error for PropertiesError {}

/// All properties of a file, in its order; a key may come more than once, and the last one wins.
///
/// # Errors
/// The file is too long, or holds a malformed `\u` escape.
pub fn parse(bytes: &[u8]) -> Result<Vec<Property>, PropertiesError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(PropertiesError::TooLong(bytes.len()));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{FEFF}').to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut properties = Vec::new();
    let mut lines = Lines {
        chars: text.chars().collect(),
        position: 0,
        line: 1,
    };
    while let Some((logical, line)) = lines.next_logical() {
        let (key, value) = split(&logical);
        properties.push(Property {
            key: unescape(key, line)?,
            value: unescape(value, line)?,
            line,
        });
    }
    Ok(properties)
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t' || c == '\u{0C}'
}

fn is_end(c: char) -> bool {
    c == '\n' || c == '\r'
}

/// The natural lines of a file, joined to logical ones.
struct Lines {
    chars: Vec<char>,
    position: usize,
    line: u32,
}

impl Lines {
    fn take(&mut self) -> Option<char> {
        let taken = self.chars.get(self.position).copied()?;
        self.position += 1;
        let next = self.chars.get(self.position).copied();
        if taken == '\n' || (taken == '\r' && next != Some('\n')) {
            self.line += 1;
        }
        Some(taken)
    }

    /// Passes over white space, and over empty lines too where they do not end anything.
    fn skip_blank(&mut self, ends: bool) {
        while let Some(next) = self.chars.get(self.position).copied() {
            if is_blank(next) || (ends && is_end(next)) {
                self.take();
            } else {
                return;
            }
        }
    }

    /// The next line that is neither empty nor a comment, with its continuations, and its number.
    fn next_logical(&mut self) -> Option<(Vec<char>, u32)> {
        let mut logical = Vec::new();
        let mut line = self.line;
        // Whether this natural line continues one that ended in a backslash: an empty one then
        // ends the logical line.
        let mut continued = false;
        loop {
            self.skip_blank(!continued);
            if logical.is_empty() {
                line = self.line;
                match self.chars.get(self.position).copied() {
                    None => return None,
                    // Also after a line that is only a backslash: Java sees a new line there.
                    Some('#' | '!') => {
                        while self.take().is_some_and(|c| !is_end(c)) {}
                        continued = false;
                        continue;
                    }
                    Some(_) => {}
                }
            }
            let mut backslash = false;
            while let Some(c) = self.take() {
                if is_end(c) {
                    if c == '\r' && self.chars.get(self.position) == Some(&'\n') {
                        self.take();
                    }
                    break;
                }
                logical.push(c);
                backslash = c == '\\' && !backslash;
            }
            if backslash {
                logical.pop();
                // A backslash at the end of the file is no part of its line, and continues nothing;
                // a line that held nothing else is an empty key to Java.
                if self.position == self.chars.len() {
                    return Some((logical, line));
                }
            }
            continued = backslash;
            if !continued && !logical.is_empty() {
                return Some((logical, line));
            }
        }
    }
}

/// Key and value, both still escaped.
fn split(logical: &[char]) -> (&[char], &[char]) {
    let mut backslash = false;
    let mut key_end = logical.len();
    for (position, c) in logical.iter().copied().enumerate() {
        if !backslash && (c == '=' || c == ':' || is_blank(c)) {
            key_end = position;
            break;
        }
        backslash = c == '\\' && !backslash;
    }
    let mut value_start = key_end;
    let mut separated = false;
    while let Some(c) = logical.get(value_start).copied() {
        if !is_blank(c) {
            if separated || (c != '=' && c != ':') {
                break;
            }
            separated = true;
        }
        value_start += 1;
    }
    (&logical[..key_end], &logical[value_start..])
}

fn unescape(escaped: &[char], line: u32) -> Result<String, PropertiesError> {
    // Java's characters are UTF-16: a character beyond the first plane is escaped as two of them.
    let mut units: Vec<u16> = Vec::with_capacity(escaped.len());
    let mut buffer = [0; 2];
    let mut chars = escaped.iter().copied();
    while let Some(c) = chars.next() {
        let plain = match c {
            '\\' => match chars.next() {
                None => break,
                Some('u') => {
                    let mut unit: u32 = 0;
                    for _ in 0..4 {
                        let digit = chars.next().and_then(|c| c.to_digit(16));
                        let digit = digit.ok_or(PropertiesError::MalformedEscape(line))?;
                        unit = unit * 16 + digit;
                    }
                    units.push(u16::try_from(unit).expect("four hexadecimal digits are 16 bits"));
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{0C}',
                Some(other) => other,
            },
            other => other,
        };
        units.extend_from_slice(plain.encode_utf16(&mut buffer));
    }
    Ok(String::from_utf16_lossy(&units))
}

#[cfg(test)]
#[path = "properties_tests.rs"]
mod tests;
