//! What is wrong with a configuration, or only worth saying: one sentence each, with the place
//! where it is written, what was expected, and the nearest valid name.

use super::properties::PropertiesError;
use super::setting::Refusal;
use std::fmt;
use std::sync::Arc;

/// Where a value was written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// Nowhere: klamm was started without a file, and made its own.
    BuiltIn,
    /// In a file, on this line (from 1).
    File {
        /// The file, as the user named it.
        path: Arc<str>,
        /// The line on which the key stands.
        line: u32,
    },
    /// In this environment variable.
    Environment(String),
    /// On the command line: `--override key=value`.
    Override,
    /// In a metadata record: an altered config of the broker or of the cluster.
    Dynamic,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn => f.write_str("built in"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::Environment(variable) => write!(f, "environment variable {variable}"),
            Origin::Override => f.write_str("--override"),
            Origin::Dynamic => f.write_str("dynamic config"),
        }
    }
}

/// Why the broker does not start with a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// The file cannot be read as properties.
    File {
        /// The file, as the user named it.
        path: String,
        /// Why.
        error: PropertiesError,
    },
    /// An override without `=`.
    NotAnAssignment(String),
    /// A key that nobody knows: a known one with a slip of the pen, or any when asked to be strict.
    Unknown {
        /// The key.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The nearest valid name.
        near: Option<String>,
    },
    /// A value that its setting does not take.
    Wrong {
        /// The key.
        key: String,
        /// The value, or `None` where it is a secret.
        shown: Option<String>,
        /// Where it stands; `None` for what is wrong by default.
        origin: Option<Origin>,
        /// What was expected, to follow "must be ".
        expected: String,
    },
    /// A value that klamm refuses, because ignoring it would be unsafe.
    Refused {
        /// The key.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// Why, and what to do.
        refusal: Refusal,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::File { path, error } => write!(f, "{path}: {error}"),
            ConfigError::NotAnAssignment(text) => {
                write!(
                    f,
                    "--override {text}: must be key=value, as in num.partitions=3"
                )
            }
            ConfigError::Unknown { key, origin, near } => {
                write_unknown(f, key, origin, near.as_deref())
            }
            ConfigError::Wrong {
                key,
                shown,
                origin,
                expected,
            } => {
                if let Some(origin) = origin {
                    write!(f, "{origin}: ")?;
                }
                match shown {
                    Some(shown) => write!(f, "{key} is '{shown}', but must be {expected}"),
                    None => write!(f, "{key} must be {expected}"),
                }
            }
            ConfigError::Refused {
                key,
                origin,
                refusal,
            } => write!(
                f,
                "{origin}: klamm refuses {key}: {}; {}",
                refusal.reason, refusal.mend
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// Where it stands, where it stands anywhere.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            ConfigError::File { .. } | ConfigError::NotAnAssignment(_) => None,
            ConfigError::Unknown { origin, .. } | ConfigError::Refused { origin, .. } => {
                Some(origin)
            }
            ConfigError::Wrong { origin, .. } => origin.as_ref(),
        }
    }
}

fn write_unknown(
    f: &mut fmt::Formatter<'_>,
    key: &str,
    origin: &Origin,
    near: Option<&str>,
) -> fmt::Result {
    if key.is_empty() {
        return write!(f, "{origin}: a value without a key");
    }
    write!(f, "{origin}: there is no setting {key}")?;
    match near {
        Some(near) => write!(f, ": did you mean {near}?"),
        None => Ok(()),
    }
}

/// All that is wrong, so that the user mends it in one go: one line each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// What is worth saying once, at start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A key that nobody knows is ignored.
    Unknown {
        /// The key.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The nearest valid name.
        near: Option<String>,
    },
    /// A setting has no effect.
    WithoutEffect {
        /// The key.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// Why.
        reason: &'static str,
    },
}

impl Notice {
    /// Where it stands.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        match self {
            Notice::Unknown { origin, .. } | Notice::WithoutEffect { origin, .. } => origin,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Unknown { key, origin, near } => write_unknown(f, key, origin, near.as_deref()),
            Notice::WithoutEffect {
                key,
                origin,
                reason,
            } => write!(f, "{origin}: {key} has no effect: {reason}"),
        }
    }
}
