//! A value: text read by a setting's type and held against its bounds. What is wrong with it can
//! be said in two ways: in Kafka's words, for clients, and as a sentence, for who wrote the file.

use super::setting::{Setting, Validator, ValueType};
use std::fmt::Write as _;

/// A value, read by its setting's type.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Kafka's null: not set, and without a default.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An int, short or long; it fits its type.
    Number(i64),
    /// A double.
    Double(f64),
    /// A string, class name or password.
    Text(String),
    /// A list.
    List(Vec<String>),
}

/// What is wrong with a value.
#[derive(Clone, PartialEq, Debug)]
pub enum Problem {
    /// Not a number of this type.
    NotANumber(ValueType),
    /// Neither `true` nor `false`.
    NotABoolean,
    /// Below the least, which is given as text.
    TooSmall(String),
    /// Above the most, which is given as text.
    TooLarge(String),
    /// None of these.
    NotOneOf(&'static [&'static str], String),
    /// None of these, in small or capital letters.
    NotOneOfIgnoringCase(&'static [&'static str], String),
    /// Text of no characters.
    Empty,
    /// Not a level of gzip.
    NotAGzipLevel,
    /// Neither `*` nor `partition:broker` pairs.
    NotThrottledReplicas,
    /// No strategy for where a share group starts.
    NotAnOffsetReset,
    /// Something else: Kafka's words, and ours (following "but must be ").
    Other {
        /// What Kafka says after the colon.
        kafka: String,
        /// What was expected.
        expected: String,
    },
}

impl Value {
    /// Reads `text` by the type and bounds of `setting`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(setting: &Setting, text: &str) -> Result<Value, Problem> {
        let value = Value::parse(setting.value_type, text)?;
        value.validate(setting.validator)?;
        Ok(value)
    }

    /// The default of `setting`.
    #[must_use]
    pub fn default_of(setting: &Setting) -> Value {
        match setting.default {
            None => Value::Null,
            Some(text) => Value::parse(setting.value_type, text)
                .expect("a test reads the default of every row"),
        }
    }

    fn parse(value_type: ValueType, text: &str) -> Result<Value, Problem> {
        let trimmed = text.trim();
        let number = |least: i64, most: i64| match trimmed.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Value::Number(number)),
            Ok(_) | Err(_) => Err(Problem::NotANumber(value_type)),
        };
        match value_type {
            ValueType::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
            ValueType::Boolean if trimmed.eq_ignore_ascii_case("false") => {
                Ok(Value::Boolean(false))
            }
            ValueType::Boolean => Err(Problem::NotABoolean),
            ValueType::Int => number(i64::from(i32::MIN), i64::from(i32::MAX)),
            ValueType::Short => number(i64::from(i16::MIN), i64::from(i16::MAX)),
            ValueType::Long => number(i64::MIN, i64::MAX),
            ValueType::Double => match java_double(trimmed) {
                Some(double) => Ok(Value::Double(double)),
                None => Err(Problem::NotANumber(value_type)),
            },
            ValueType::List => Ok(Value::List(list(trimmed))),
            ValueType::String | ValueType::Unknown => Ok(Value::Text(text.to_owned())),
            ValueType::Class | ValueType::Password => Ok(Value::Text(trimmed.to_owned())),
        }
    }

    fn validate(&self, validator: Validator) -> Result<(), Problem> {
        match validator {
            Validator::Any => Ok(()),
            Validator::AtLeast(least) => self.within(least, i64::MAX),
            Validator::Between(least, most) => self.within(least, most),
            Validator::BetweenDouble(least, most) => match self {
                // A value that is not a number is in no range, though Java's comparison lets it in.
                Value::Double(double) if *double < least || double.is_nan() => {
                    Err(Problem::TooSmall(bound_text(least)))
                }
                Value::Double(double) if *double > most => Err(Problem::TooLarge(bound_text(most))),
                Value::Double(_)
                | Value::Null
                | Value::Boolean(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::List(_) => Ok(()),
            },
            Validator::OneOf(texts) => match self.text() {
                Some(text) if !texts.contains(&text) => {
                    Err(Problem::NotOneOf(texts, text.to_owned()))
                }
                Some(_) | None => Ok(()),
            },
            Validator::OneOfIgnoringCase(texts) => match self.text() {
                Some(text) if !texts.iter().any(|one| one.eq_ignore_ascii_case(text)) => {
                    Err(Problem::NotOneOfIgnoringCase(texts, text.to_owned()))
                }
                Some(_) | None => Ok(()),
            },
            Validator::ListOf(texts) => {
                match self
                    .list()
                    .iter()
                    .find(|text| !texts.contains(&text.as_str()))
                {
                    Some(stranger) => Err(Problem::NotOneOf(texts, stranger.clone())),
                    None => Ok(()),
                }
            }
            Validator::NonEmpty => match self.text() {
                Some("") => Err(Problem::Empty),
                Some(_) | None => Ok(()),
            },
            Validator::GzipLevel => match self.number() {
                Some(level) if level != -1 && !(1..=9).contains(&level) => {
                    Err(Problem::NotAGzipLevel)
                }
                Some(_) | None => Ok(()),
            },
            Validator::ThrottledReplicas => {
                let all = matches!(self.list(), [one] if one == "*");
                if all || self.list().iter().all(|pair| is_replica(pair)) {
                    Ok(())
                } else {
                    Err(Problem::NotThrottledReplicas)
                }
            }
            Validator::AutoOffsetReset => match self.text() {
                Some(text) if !is_offset_reset(text) => Err(Problem::NotAnOffsetReset),
                Some(_) | None => Ok(()),
            },
        }
    }

    fn within(&self, least: i64, most: i64) -> Result<(), Problem> {
        match self.number() {
            Some(number) if number < least => Err(Problem::TooSmall(least.to_string())),
            Some(number) if number > most => Err(Problem::TooLarge(most.to_string())),
            Some(_) | None => Ok(()),
        }
    }

    /// The number, where it is one.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Null
            | Value::Boolean(_)
            | Value::Double(_)
            | Value::Text(_)
            | Value::List(_) => None,
        }
    }

    /// The boolean, where it is one.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self {
            Value::Boolean(boolean) => Some(*boolean),
            Value::Null | Value::Number(_) | Value::Double(_) | Value::Text(_) | Value::List(_) => {
                None
            }
        }
    }

    /// The double, where it is one.
    #[must_use]
    pub fn double(&self) -> Option<f64> {
        match self {
            Value::Double(double) => Some(*double),
            Value::Null
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_) => None,
        }
    }

    /// The text, where it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Null
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::Double(_)
            | Value::List(_) => None,
        }
    }

    /// The elements, where it is a list; none otherwise.
    #[must_use]
    pub fn list(&self) -> &[String] {
        match self {
            Value::List(elements) => elements,
            Value::Null
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::Double(_)
            | Value::Text(_) => &[],
        }
    }

    /// The value as DescribeConfigs shows it: `+5` is `5`, `TRUE` is `true`, null is `None`.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        match self {
            Value::Null => None,
            Value::Boolean(boolean) => Some(boolean.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Double(double) => Some(java_double_text(*double)),
            Value::Text(text) => Some(text.clone()),
            Value::List(elements) => Some(elements.join(",")),
        }
    }
}

impl Problem {
    /// Kafka's own message for this, as its clients know it.
    #[must_use]
    pub fn kafka_message(&self, name: &str, text: &str, value_type: ValueType) -> String {
        let (shown, said) = match self {
            Problem::NotANumber(number) => (
                text.trim().to_owned(),
                format!("Not a number of type {}", number.kafka_name()),
            ),
            Problem::NotABoolean => (
                text.trim().to_owned(),
                "Expected value to be either true or false".to_owned(),
            ),
            Problem::TooSmall(least) => (
                canonical(text, value_type),
                format!("Value must be at least {least}"),
            ),
            Problem::TooLarge(most) => (
                canonical(text, value_type),
                format!("Value must be no more than {most}"),
            ),
            Problem::NotOneOf(texts, stranger) => (
                stranger.clone(),
                format!("String must be one of: {}", texts.join(", ")),
            ),
            Problem::NotOneOfIgnoringCase(texts, stranger) => (
                stranger.clone(),
                format!(
                    "String must be one of (case insensitive): {}",
                    texts.join(", ")
                ),
            ),
            Problem::Empty => (text.to_owned(), "String must be non-empty".to_owned()),
            Problem::NotAGzipLevel => (
                canonical(text, value_type),
                "Value must be between 1 and 9 or equal to -1".to_owned(),
            ),
            Problem::NotThrottledReplicas => (
                format!("[{}]", list(text.trim()).join(", ")),
                format!(
                    "{name} must be the literal '*' or a list of replicas in the following \
                     format: [partitionId]:[brokerId],[partitionId]:[brokerId],..."
                ),
            ),
            Problem::NotAnOffsetReset => (
                text.to_owned(),
                format!(
                    "Invalid value `{text}` for configuration {name}. The value must be either \
                     'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
                ),
            ),
            Problem::Other { kafka, .. } => (text.to_owned(), kafka.clone()),
        };
        format!("Invalid value {shown} for configuration {name}: {said}")
    }

    /// What was expected, to follow "but must be ".
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Problem::NotANumber(ValueType::Double) => "a number".to_owned(),
            Problem::NotANumber(ValueType::Int) => "a whole number of 32 bits".to_owned(),
            Problem::NotANumber(ValueType::Short) => "a whole number of 16 bits".to_owned(),
            Problem::NotANumber(
                ValueType::Long
                | ValueType::Boolean
                | ValueType::String
                | ValueType::List
                | ValueType::Class
                | ValueType::Password
                | ValueType::Unknown,
            ) => "a whole number of 64 bits".to_owned(),
            Problem::NotABoolean => "true or false".to_owned(),
            Problem::TooSmall(least) => format!("at least {least}"),
            Problem::TooLarge(most) => format!("at most {most}"),
            Problem::NotOneOf(texts, stranger) | Problem::NotOneOfIgnoringCase(texts, stranger) => {
                let mut expected = format!("one of {}", texts.join(", "));
                let near = super::nearest::nearest(stranger, texts.iter().copied());
                if let Some(near) = near {
                    write!(expected, " (did you mean {near}?)").expect("a String takes all text");
                }
                expected
            }
            Problem::Empty => "at least one character".to_owned(),
            Problem::NotAGzipLevel => "from 1 to 9, or -1".to_owned(),
            Problem::NotThrottledReplicas => {
                "* or a list of partition:broker pairs, as in 0:1,1:2".to_owned()
            }
            Problem::NotAnOffsetReset => {
                "earliest, latest or by_duration: and a duration, as in by_duration:PT1H".to_owned()
            }
            Problem::Other { expected, .. } => expected.clone(),
        }
    }
}

/// The elements of a list as Kafka splits it: at commas, with the white space around them gone.
#[must_use]
pub fn list(text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    text.split(',')
        .map(|element| element.trim().to_owned())
        .collect()
}

fn canonical(text: &str, value_type: ValueType) -> String {
    match Value::parse(value_type, text) {
        Ok(value) => value.to_text().unwrap_or_default(),
        Err(_) => text.trim().to_owned(),
    }
}

fn is_replica(pair: &str) -> bool {
    match pair.split_once(':') {
        Some((partition, broker)) => {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits(partition) && digits(broker)
        }
        None => false,
    }
}

/// `earliest`, `latest`, `by_duration:PnDTnHnMn.nS` with a positive duration. KIP-1106.
fn is_offset_reset(text: &str) -> bool {
    match text.strip_prefix("by_duration:") {
        Some(duration) => is_duration(duration),
        None => text == "earliest" || text == "latest",
    }
}

fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else {
        return false;
    };
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return false,
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    let mut positive = false;
    let mut parts = |mut text: &str, units: &[char]| {
        let mut units = units;
        while !text.is_empty() {
            let Some(end) = text.find(|c: char| !c.is_ascii_digit() && c != '.') else {
                return false;
            };
            let (number, unit) = text.split_at(end);
            let unit = unit.chars().next().unwrap_or(' ');
            let Some(place) = units.iter().position(|one| *one == unit) else {
                return false;
            };
            let Ok(amount) = number.parse::<f64>() else {
                return false;
            };
            if number.contains('.') && unit != 'S' {
                return false;
            }
            positive |= amount > 0.0;
            units = &units[place + 1..];
            text = &text[end + 1..];
        }
        true
    };
    parts(days, &['D']) && parts(time, &['H', 'M', 'S']) && positive
}

/// A double as Java reads it; `.5f` and `1e-1` are numbers there.
fn java_double(text: &str) -> Option<f64> {
    let unsigned = text.trim_start_matches(['+', '-']);
    match unsigned {
        "NaN" => return Some(f64::NAN),
        "Infinity" if text.starts_with('-') => return Some(f64::NEG_INFINITY),
        "Infinity" => return Some(f64::INFINITY),
        _ => {}
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.strip_suffix(['f', 'F', 'd', 'D'])
        .unwrap_or(text)
        .parse()
        .ok()
}

/// A double as Java writes it: `0.5`, `2.0`, `1.7976931348623157E308`.
fn java_double_text(double: f64) -> String {
    let size = double.abs();
    if size.is_infinite() {
        return if double > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    if double.is_nan() || size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{double:?}");
    }
    let text = format!("{double:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        Some(_) | None => text,
    }
}

/// A bound as Kafka's messages show it: 1, not 1.0.
fn bound_text(bound: f64) -> String {
    bound.to_string()
}
