//! The names of a partition's files: twenty digits of an offset, and what the file is.

use crate::base::ids::Offset;
use std::path::{Path, PathBuf};

/// Record batches.
pub const LOG: &str = ".log";
/// Offsets to positions.
pub const INDEX: &str = ".index";
/// Timestamps to offsets.
pub const TIME_INDEX: &str = ".timeindex";
/// Aborted transactions.
pub const TRANSACTION_INDEX: &str = ".txnindex";
/// Producer state up to that offset.
pub const SNAPSHOT: &str = ".snapshot";
/// Put after a name: to be removed.
pub const DELETED: &str = ".deleted";
/// Put after a name: compaction is writing it.
pub const CLEANED: &str = ".cleaned";
/// Put after a name: compaction has written it, and it takes the place of others.
pub const SWAP: &str = ".swap";

/// The file of that kind in a partition's directory.
#[must_use]
pub fn path(directory: &Path, offset: Offset, kind: &str) -> PathBuf {
    directory.join(format!("{:020}{kind}", offset.0))
}

/// The offset and the kind in a file's name, or `None` where it is not named so.
#[must_use]
pub fn parse(name: &str) -> Option<(Offset, &str)> {
    let (digits, kind) = name.split_at_checked(20)?;
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) || !kind.starts_with('.') {
        return None;
    }
    let offset = digits.parse().ok()?;
    Some((Offset(offset), kind))
}

/// The path with something put after it.
#[must_use]
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_twenty_digits_and_a_kind() {
        let path = path(Path::new("/d"), Offset(42), LOG);
        assert_eq!(path, Path::new("/d/00000000000000000042.log"));
        assert_eq!(
            parse("00000000000000000042.log"),
            Some((Offset(42), ".log"))
        );
        assert_eq!(
            parse("00000000000000000042.log.swap"),
            Some((Offset(42), ".log.swap"))
        );
        assert_eq!(parse("0000000000000000004.log"), None);
        assert_eq!(parse("99999999999999999999.log"), None);
        assert_eq!(parse("+0000000000000000042.log"), None);
        assert_eq!(parse("00000000000000000042"), None);
        assert_eq!(parse("leader-epoch-checkpoint"), None);
        assert_eq!(parse("ééééééééééééééééé"), None);
    }
}
