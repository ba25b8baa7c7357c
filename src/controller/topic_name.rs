//! What a topic may be called. Names become directories and metric names: hence the rules.

use crate::base::limits::TOPIC_NAME_BYTES_MAX;

/// The topic of the metadata log: nobody creates or deletes it.
pub const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";

/// Says why the name is not allowed, in Kafka's words.
pub fn check(name: &str) -> Result<(), String> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let why = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.encode_utf16().count() > TOPIC_NAME_BYTES_MAX {
        format!(
            "the length of '{name}' is longer than the max allowed length {TOPIC_NAME_BYTES_MAX}"
        )
    } else if !name.chars().all(is_legal) {
        format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' \
             and '-'"
        )
    } else {
        return Ok(());
    };
    Err(format!("Topic name is invalid: {why}"))
}

/// The name as metrics would write it, where `.` and `_` are one: two topics must not share it.
/// `None` for a name without either, which shares with none.
#[must_use]
pub fn unified(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_those_of_kafka() {
        for name in [
            "a",
            "A.b_c-9",
            "__consumer_offsets",
            "...",
            &"x".repeat(249),
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        expect_test::expect![[r#"
            Topic name is invalid: the empty string is not allowed
            Topic name is invalid: '.' is not allowed
            Topic name is invalid: '..' is not allowed
            Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'
            Topic name is invalid: 'ä' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"#]]
        .assert_eq(&["", ".", "..", "a b", "ä"].map(|name| check(name).unwrap_err()).join("\n"));
        assert!(
            check(&"x".repeat(250))
                .unwrap_err()
                .contains("longer than the max allowed length 249")
        );
    }

    #[test]
    fn dots_and_underscores_collide() {
        assert_eq!(unified("a.b"), unified("a_b"));
        assert_eq!(unified("ab"), None);
    }
}
