//! Points in time as Java's `SimpleDateFormat` writes them: the part of its patterns that times of
//! measurements are written in.

use crate::base::time::Timestamp;
use crate::cli::error::CliError;
use std::fmt::Write;

/// Kafka's pattern.
pub const PATTERN_DEFAULT: &str = "yyyy-MM-dd HH:mm:ss:SSS";

const SECONDS_PER_DAY: i64 = 86_400;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Literal(String),
    /// A letter, and how often it stands there.
    Field(char, usize),
}

/// A pattern that has been read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DateFormat {
    parts: Vec<Part>,
}

impl DateFormat {
    /// Reads a pattern of the letters y M d H m s S, of literals, and of text in single quotes.
    pub fn parse(pattern: &str) -> Result<DateFormat, CliError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = pattern.chars().peekable();
        let literal = |parts: &mut Vec<Part>, letter: char| match parts.last_mut() {
            Some(Part::Literal(text)) => text.push(letter),
            Some(Part::Field(..)) | None => parts.push(Part::Literal(letter.to_string())),
        };
        while let Some(letter) = rest.next() {
            if letter == '\'' {
                if rest.next_if_eq(&'\'').is_some() {
                    literal(&mut parts, '\'');
                    continue;
                }
                loop {
                    match rest.next() {
                        Some('\'') if rest.next_if_eq(&'\'').is_some() => {
                            literal(&mut parts, '\'');
                        }
                        Some('\'') => break,
                        Some(quoted) => literal(&mut parts, quoted),
                        None => return Err(refused(pattern, "a quote is not closed")),
                    }
                }
            } else if letter.is_ascii_alphabetic() {
                if !"yMdHmsS".contains(letter) {
                    let why = format!("klamm writes the letters y M d H m s S, not {letter}");
                    return Err(refused(pattern, &why));
                }
                let mut count = 1;
                while rest.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                if letter == 'M' && count > 2 {
                    return Err(refused(
                        pattern,
                        "klamm writes months as numbers, not as names",
                    ));
                }
                parts.push(Part::Field(letter, count));
            } else {
                literal(&mut parts, letter);
            }
        }
        Ok(DateFormat { parts })
    }

    /// Writes a point in time, `offset_seconds` east of Greenwich.
    #[must_use]
    pub fn format(&self, at: Timestamp, offset_seconds: i64) -> String {
        let local = at.0.saturating_add(offset_seconds.saturating_mul(1000));
        let seconds = local.div_euclid(1000);
        let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
        let mut text = String::new();
        for part in &self.parts {
            let (letter, width) = match part {
                Part::Literal(literal) => {
                    text.push_str(literal);
                    continue;
                }
                Part::Field(letter, width) => (*letter, *width),
            };
            let value = match letter {
                'y' if width == 2 => year.rem_euclid(100),
                'y' => year,
                'M' => month,
                'd' => day,
                'H' => second_of_day / 3600,
                'm' => second_of_day / 60 % 60,
                's' => second_of_day % 60,
                _ => local.rem_euclid(1000),
            };
            write!(text, "{value:0width$}").expect("memory takes every byte");
        }
        text
    }
}

fn refused(pattern: &str, why: &str) -> CliError {
    CliError::Usage(format!("--date-format '{pattern}' cannot be used: {why}"))
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms", `civil_from_days`).
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Years begin in March here, so that the day that comes and goes is the last one.
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (year_of_era + era * 400, month + 3)
    } else {
        (year_of_era + era * 400 + 1, month - 9)
    };
    (year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pattern: &str, at: i64, offset: i64) -> String {
        DateFormat::parse(pattern)
            .unwrap()
            .format(Timestamp(at), offset)
    }

    #[test]
    fn kafkas_pattern_is_written_as_java_writes_it() {
        assert_eq!(written(PATTERN_DEFAULT, 0, 0), "1970-01-01 00:00:00:000");
        let leap = 951_827_696_789;
        assert_eq!(written(PATTERN_DEFAULT, leap, 0), "2000-02-29 12:34:56:789");
        assert_eq!(
            written(PATTERN_DEFAULT, leap, 3600),
            "2000-02-29 13:34:56:789"
        );
        assert_eq!(written(PATTERN_DEFAULT, -1, 0), "1969-12-31 23:59:59:999");
        assert_eq!(written("yy.M.d 'at' H''m", leap, 0), "00.2.29 at 12'34");
        assert_eq!(written("HH:mm:ss,SSS", leap, -46_800), "23:34:56,789");
    }

    #[test]
    fn what_klamm_does_not_write_is_refused() {
        for bad in ["MMM", "EEE", "yyyy 'x", "z"] {
            assert_eq!(DateFormat::parse(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }
}
