//! Points in time and durations as `--to-datetime` and `--by-duration` take them: ISO 8601, as
//! Java's `SimpleDateFormat` and `Duration.parse` read it.

use crate::cli::error::CliError;

/// Milliseconds since 1970 of `YYYY-MM-DDTHH:mm:SS.sss`, with `Z`, `+HH`, `+HHmm` or `+HH:mm`
/// behind it, or of UTC; the fraction may be left out.
pub fn parse_datetime(text: &str) -> Result<i64, CliError> {
    datetime(text).ok_or_else(|| {
        CliError::Usage(format!(
            "--to-datetime takes a time as 2026-01-31T23:59:59.000 or 2026-01-31T23:59:59.000+01:00, \
             not '{text}'"
        ))
    })
}

fn datetime(text: &str) -> Option<i64> {
    let (date, rest) = text.trim().split_once('T')?;
    let (time, zone) = match rest.find(['Z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, "Z"),
    };
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    if date.next().is_some() {
        return None;
    }
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.split(':');
    let (hour, minute, second) = (time.next()?, time.next()?, time.next()?);
    if time.next().is_some() {
        return None;
    }
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let milliseconds = fraction_of(fraction, 3)?;
    let days = days_since_1970(year, month, day)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset_seconds(zone)?;
    Some(seconds * 1000 + milliseconds)
}

/// A number of so many digits at most.
fn digits(text: &str, at_most: usize) -> Option<i64> {
    let is_number = !text.is_empty()
        && text.len() <= at_most
        && text.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// Digits behind the point as a number of `places` places: "5" of three places is 500. More
/// places are cut off.
fn fraction_of(text: &str, places: usize) -> Option<i64> {
    digits(text, 9)?;
    let padded: String = text
        .chars()
        .chain("000000000".chars())
        .take(places)
        .collect();
    padded.parse().ok()
}

fn offset_seconds(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, zone.strip_prefix('-')?),
    };
    let rest = rest.replacen(':', "", 1);
    let (hours, minutes) = match rest.len() {
        2 => (digits(&rest, 2)?, 0),
        4 => (digits(rest.get(..2)?, 2)?, digits(rest.get(2..)?, 2)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Days between 1970-01-01 and a day of the Gregorian calendar; `None` where there is no such day.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [
        31,
        28 + i64::from(is_leap),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let index = usize::try_from(month.checked_sub(1)?).ok()?;
    let length = *lengths.get(index)?;
    if !(1..=length).contains(&day) {
        return None;
    }
    let before = year - 1;
    let days_of_years = before * 365 + before / 4 - before / 100 + before / 400;
    // Days from year 1 to 1970.
    let days = days_of_years - 719_162;
    Some(days + lengths[..index].iter().sum::<i64>() + day - 1)
}

/// Milliseconds of `PnDTnHnMn.nS`; every part may be left out or negative, but one must be there.
pub fn parse_duration(text: &str) -> Result<i64, CliError> {
    duration(text).ok_or_else(|| {
        CliError::Usage(format!(
            "--by-duration takes a duration as P1DT2H30M (a day, two hours and a half), not '{text}'"
        ))
    })
}

fn duration(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_uppercase();
    let (sign, rest) = signed(&text);
    let rest = rest.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut total = 0_i64;
    let mut add = |number: &str, unit: i64| -> Option<()> {
        let (sign, number) = signed(number);
        let value = match number.split_once('.') {
            // Only seconds have a fraction.
            Some((whole, fraction)) if unit == 1000 => {
                let whole = if whole.is_empty() {
                    0
                } else {
                    digits(whole, 15)?
                };
                whole
                    .checked_mul(unit)?
                    .checked_add(fraction_of(fraction, 3)?)?
            }
            Some(_) => return None,
            None => digits(number, 15)?.checked_mul(unit)?,
        };
        total = total.checked_add(sign * value)?;
        Some(())
    };
    if !days.is_empty() {
        add(days.strip_suffix('D')?, 86_400_000)?;
    }
    let mut rest = time;
    for (letter, unit) in [('H', 3_600_000), ('M', 60_000), ('S', 1000)] {
        if let Some((number, after)) = rest.split_once(letter) {
            add(number, unit)?;
            rest = after;
        }
    }
    rest.is_empty().then_some(sign * total)
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (text, expected) in [
            ("1970-01-01T00:00:00.000", 0),
            ("2026-01-31T23:59:59.123", 1_769_903_999_123),
            ("2026-01-31T23:59:59.123Z", 1_769_903_999_123),
            ("2026-02-01T00:59:59.123+01:00", 1_769_903_999_123),
            ("2026-01-31T18:29:59.123-0530", 1_769_903_999_123),
            ("2026-02-01T01:59:59.123+02", 1_769_903_999_123),
            ("2024-02-29T00:00:00", 1_709_164_800_000),
            ("1969-12-31T23:59:59.5", -500),
            ("2000-03-01T00:00:00.000", 951_868_800_000),
        ] {
            assert_eq!(parse_datetime(text).unwrap(), expected, "{text}");
        }
        for bad in [
            "",
            "2026-01-31",
            "2026-01-31 23:59:59",
            "2026-13-01T00:00:00",
            "2026-02-29T00:00:00",
            "2026-01-31T24:00:00",
            "2026-01-31T23:60:00",
            "2026-01-31T23:59:59.12x",
            "2026-01-31T23:59:59+1",
            "x-01-31T23:59:59",
            "2026-01-31T23:59",
            "2026-01-00T00:00:00",
            "2026-1-1-1T00:00:00",
            "2026-01-31T23:59:59+25:00",
            "T",
            "2026-01-31T23:59:59.",
        ] {
            assert!(parse_datetime(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_javas() {
        for (text, expected) in [
            ("P0D", 0),
            ("PT1S", 1000),
            ("PT1.5S", 1500),
            ("p1dt2h30m", 95_400_000),
            ("PT-1H", -3_600_000),
            ("-PT1H", -3_600_000),
            ("-P-1D", 86_400_000),
            ("P2DT3M", 172_980_000),
        ] {
            assert_eq!(parse_duration(text).unwrap(), expected, "{text}");
        }
        for bad in [
            "",
            "P",
            "PT",
            "1D",
            "P1H",
            "PT1D",
            "PT1",
            "P1DT",
            "PT1M1H",
            "PTS",
            "PT1.5H",
            "P99999999999999999D",
            "PT9999999999999H1S9S",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
