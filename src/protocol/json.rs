//! Messages as JSON, in the words of Apache's generated `*JsonConverter` classes: what `dump-log`
//! prints of the records in Kafka's own topics.
//!
//! Text is appended to text, because Apache keeps the order of a message's fields and
//! `serde_json`'s map does not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends a field's name in Apache's spelling: `topic_id` as `"topicId":`.
pub fn field(text: &mut String, is_first: &mut bool, name: &str) {
    if !std::mem::take(is_first) {
        text.push(',');
    }
    text.push('"');
    let mut begins_word = false;
    for letter in name.trim_start_matches("r#").chars() {
        if letter == '_' {
            begins_word = true;
        } else if std::mem::take(&mut begins_word) {
            text.push(letter.to_ascii_uppercase());
        } else {
            text.push(letter);
        }
    }
    text.push_str("\":");
}

/// Appends text in quotes, escaped.
pub fn text(text: &mut String, value: &str) {
    text.push_str(&serde_json::Value::from(value).to_string());
}

/// Appends bytes: base64, as Jackson writes a binary node.
pub fn bytes(text: &mut String, value: &[u8]) {
    text.push('"');
    STANDARD.encode_string(value, text);
    text.push('"');
}

/// A message's name as Apache's enums spell it: `NoOpRecord` as `NO_OP_RECORD`.
#[must_use]
pub fn constant_name(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_apaches() {
        let mut line = String::new();
        let mut is_first = true;
        field(&mut line, &mut is_first, "in_controlled_shutdown");
        field(&mut line, &mut is_first, "r#type");
        assert_eq!(line, r#""inControlledShutdown":,"type":"#);
        assert_eq!(constant_name("NoOpRecord"), "NO_OP_RECORD");
        assert_eq!(constant_name("TopicRecord"), "TOPIC_RECORD");
    }
}
