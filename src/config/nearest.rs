//! The nearest valid name to a wrong one, by edit distance: what "did you mean" says, and whether
//! it is said as an error.

/// Longest name that is compared; a longer one resembles nothing.
const NAME_CHARS_MAX: usize = 128;

/// The candidate with the fewest edits (insert, delete, replace, swap of neighbours) from `name`,
/// or `None` where none is near: more than a third of the name would have to change.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    if name.len() > NAME_CHARS_MAX {
        return None;
    }
    let limit = (name.len() / 3).max(1);
    candidates
        .map(|candidate| (distance(&name, candidate), candidate))
        .filter(|(edits, _)| *edits <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Most edits that make a slip of the pen.
const SLIP_EDITS_MAX: usize = 2;

/// Whether `name` is `meant` with a slip of the pen: other letter case, or two edits at most, which
/// are no more than a quarter of it. Stricter than [`nearest`], which only guesses.
#[must_use]
pub fn is_slip(name: &str, meant: &str) -> bool {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    name.len() <= NAME_CHARS_MAX && distance(&name, meant) <= SLIP_EDITS_MAX.min(name.len() / 4)
}

/// Damerau's distance, in its form where no part is edited twice, letter case aside.
fn distance(name: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.to_lowercase().chars().collect();
    let mut before_last: Vec<usize> = vec![0; candidate.len() + 1];
    let mut last: Vec<usize> = (0..=candidate.len()).collect();
    for (row, from) in name.iter().enumerate() {
        let mut this = vec![row + 1; candidate.len() + 1];
        for (column, to) in candidate.iter().enumerate() {
            let replaced = last[column] + usize::from(from != to);
            let mut edits = replaced.min(last[column + 1] + 1).min(this[column] + 1);
            let swapped =
                row > 0 && column > 0 && *from == candidate[column - 1] && name[row - 1] == *to;
            if swapped {
                edits = edits.min(before_last[column - 1] + 1);
            }
            this[column + 1] = edits;
        }
        before_last = last;
        last = this;
    }
    last[candidate.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_slip_from_another_name() {
        for (name, meant) in [
            ("num.partitons", "num.partitions"),
            ("Node.Id", "node.id"),
            ("log.dri", "log.dir"),
            ("log.retention.hour", "log.retention.hours"),
            ("auto.create.topic.enabled", "auto.create.topics.enable"),
        ] {
            assert!(is_slip(name, meant), "{name}");
        }
        for (name, other) in [
            ("", "log.dir"),
            ("ort", "port"),
            ("my.plugin.threads", "num.io.threads"),
            ("log.retention.days", "log.retention.ms"),
        ] {
            assert!(!is_slip(name, other), "{name}");
        }
    }

    #[test]
    fn finds_the_nearest_or_nothing() {
        let names = ["num.partitions", "num.io.threads", "log.dirs", "log.dir"];
        let near = |name| nearest(name, names.iter().copied());
        assert_eq!(near("num.partitons"), Some("num.partitions"));
        assert_eq!(near("NUM.PARTITIONS"), Some("num.partitions"));
        assert_eq!(near("log.dris"), Some("log.dirs"));
        assert_eq!(near("zookeeper.connect"), None);
        assert_eq!(near(""), None);
        assert_eq!(near(&"x".repeat(100_000)), None);
    }
}
