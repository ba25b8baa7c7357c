use super::*;

fn pairs(text: &str) -> Vec<(String, String, u32)> {
    let read = parse(text.as_bytes()).expect("no malformed escape");
    read.into_iter()
        .map(|property| (property.key, property.value, property.line))
        .collect()
}
#[test]
fn separators() {
    let one = |text: &str| pairs(text).remove(0);
    for text in [
        "a=b",
        "a = b",
        "a:b",
        "a : b",
        "a b",
        "a\tb",
        " a\u{0C}=b",
        "a= b",
    ] {
        assert_eq!(one(text), ("a".to_owned(), "b".to_owned(), 1), "{text:?}");
    }
}
