//! `key=value` pairs as Kafka's tools take them, from flags and from properties files.

use super::error::CliError;
use super::output::notice;
use crate::config;
use crate::runtime::disk::Disk;
use std::collections::BTreeMap;
use std::path::Path;

/// Largest properties file a tool reads.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Pairs in the order of their keys; a later pair of the same key wins.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Properties {
    pairs: BTreeMap<String, String>,
}

impl Properties {
    /// Adds one pair.
    pub fn set(&mut self, key: &str, value: &str) {
        self.pairs.insert(key.to_owned(), value.to_owned());
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.get(key).map(String::as_str)
    }

    /// Whether a key is set to `true`, in any case, as Java's `Boolean.parseBoolean`.
    #[must_use]
    pub fn is_true(&self, key: &str, default: bool) -> bool {
        self.get(key)
            .map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// All pairs, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Adds the pairs of a flag that may be given many times. `flag` is named in the error.
    pub fn add_flags(&mut self, flag: &str, pairs: &[String]) -> Result<(), CliError> {
        for pair in pairs {
            let (key, value) = split_pair(flag, pair)?;
            self.set(key, value);
        }
        Ok(())
    }

    /// Adds the pairs of a properties file.
    pub fn add_file(&mut self, disk: &Disk, path: &Path) -> Result<(), CliError> {
        let content = disk.read(path, FILE_BYTES_MAX).map_err(|error| {
            CliError::Failed(format!("cannot read {}: {error}", path.display()))
        })?;
        let read = config::properties::parse(&content).map_err(|error| {
            CliError::Failed(format!("cannot read {}: {error}", path.display()))
        })?;
        for property in read {
            self.pairs.insert(property.key, property.value);
        }
        Ok(())
    }
}

/// Splits `key=value` at the first `=`; a pair without one is refused, and `flag` named.
pub fn split_pair<'a>(flag: &str, pair: &'a str) -> Result<(&'a str, &'a str), CliError> {
    pair.split_once('=')
        .map(|(key, value)| (key.trim(), value))
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| CliError::Usage(format!("{flag} takes key=value, but was given '{pair}'")))
}

/// Gathers what a tool may be given for its client: a file, then pairs; deprecated spellings of
/// both are taken with Kafka's notice, but not together with the new ones.
pub fn gather(
    disk: &Disk,
    file: Spelled<'_, Option<&Path>>,
    pairs: Spelled<'_, &[String]>,
) -> Result<Properties, CliError> {
    let mut properties = Properties::default();
    let path = match (file.current, file.deprecated) {
        (Some(_), Some(_)) => return Err(both(file.name, file.deprecated_name)),
        (None, Some(path)) => {
            deprecated(file.deprecated_name, file.name);
            Some(path)
        }
        (path, None) => path,
    };
    if let Some(path) = path {
        properties.add_file(disk, path)?;
    }
    match (pairs.current.is_empty(), pairs.deprecated.is_empty()) {
        (false, false) => return Err(both(pairs.name, pairs.deprecated_name)),
        (true, false) => {
            deprecated(pairs.deprecated_name, pairs.name);
            properties.add_flags(pairs.deprecated_name, pairs.deprecated)?;
        }
        (_, true) => properties.add_flags(pairs.name, pairs.current)?,
    }
    Ok(properties)
}

/// A flag under its name of today and its deprecated one.
#[derive(Clone, Copy, Debug)]
pub struct Spelled<'a, T> {
    /// The flag of today.
    pub name: &'a str,
    /// What was given with it.
    pub current: T,
    /// The flag of yesterday.
    pub deprecated_name: &'a str,
    /// What was given with that.
    pub deprecated: T,
}

fn deprecated(old: &str, new: &str) {
    notice(format_args!(
        "Option {old} is deprecated and will be removed in a future version. Use {new} instead."
    ));
}

fn both(new: &str, old: &str) -> CliError {
    CliError::Usage(format!(
        "Options {new} and {old} are the same: give one of them"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_split_at_the_first_equals_sign() {
        assert_eq!(split_pair("--config", "a=b=c").unwrap(), ("a", "b=c"));
        assert_eq!(split_pair("--config", "a=").unwrap(), ("a", ""));
        for bad in ["a", "=b", ""] {
            assert!(split_pair("--config", bad).is_err());
        }
    }

    #[test]
    fn a_later_pair_wins_and_flags_beat_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("client.properties");
        Disk::Native
            .write_atomically(&path, b"# comment\nacks=1\nlinger.ms = 5\n")
            .unwrap();
        let pairs = ["acks=all".to_owned()];
        let properties = gather(
            &Disk::Native,
            Spelled {
                name: "--command-config",
                current: Some(path.as_path()),
                deprecated_name: "--producer.config",
                deprecated: None,
            },
            Spelled {
                name: "--command-property",
                current: &[],
                deprecated_name: "--producer-property",
                deprecated: &pairs,
            },
        )
        .unwrap();
        assert_eq!(properties.get("acks"), Some("all"));
        assert_eq!(properties.get("linger.ms"), Some("5"));
        assert_eq!(properties.iter().count(), 2);
    }

    #[test]
    fn the_same_option_twice_under_two_names_is_refused() {
        let pairs = ["a=b".to_owned()];
        let file = Spelled {
            name: "--command-config",
            current: None,
            deprecated_name: "--consumer.config",
            deprecated: None,
        };
        let twice = Spelled {
            name: "--command-property",
            current: pairs.as_slice(),
            deprecated_name: "--consumer-property",
            deprecated: pairs.as_slice(),
        };
        let error = gather(&Disk::Native, file, twice).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
