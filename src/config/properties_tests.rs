//! `server.properties` as Kafka reads it.

use super::*;
use crate::base::prng::Prng;

fn pairs(text: &str) -> Vec<(String, String, u32)> {
    let read = parse(text.as_bytes()).expect("no malformed escape");
    read.into_iter()
        .map(|property| (property.key, property.value, property.line))
        .collect()
}

#[track_caller]
fn reads(text: &str, expected: &[(&str, &str, u32)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(key, value, line)| ((*key).to_owned(), (*value).to_owned(), *line))
        .collect();
    assert_eq!(pairs(text), expected, "{text:?}");
}

#[test]
fn any_separator_will_do() {
    for text in [
        "a=b",
        "a = b",
        "a:b",
        "a : b",
        "a b",
        "a\tb",
        " a\u{0C}=b",
        "a= b",
        "\t a  b",
    ] {
        reads(text, &[("a", "b", 1)]);
    }
    reads("a==b", &[("a", "=b", 1)]);
    reads("a = = b", &[("a", "= b", 1)]);
    reads("a:=b", &[("a", "=b", 1)]);
    reads("a", &[("a", "", 1)]);
    reads("a=", &[("a", "", 1)]);
    reads("=b", &[("", "b", 1)]);
    // White space before the value goes, after it stays.
    reads("a=  b  ", &[("a", "b  ", 1)]);
}

#[test]
fn comments_and_empty_lines_are_nothing() {
    reads(
        "# a=b\n! c=d\n\n  # e=f\ng=h # no comment\n",
        &[("g", "h # no comment", 5)],
    );
    reads("", &[]);
    reads("\n\r\n\r  \t", &[]);
    // A comment is not continued.
    reads("# a \\\nb=c", &[("b", "c", 2)]);
}

#[test]
fn a_backslash_continues_a_line() {
    reads(
        "a=b,\\\n   c,\\\r\n\td\ne=f",
        &[("a", "b,c,d", 1), ("e", "f", 4)],
    );
    // A continuation is no comment, and an empty one ends the line.
    reads("a=b\\\n#c", &[("a", "b#c", 1)]);
    reads("a=b\\\n\nc=d", &[("a", "b", 1), ("c", "d", 3)]);
    // An even number of backslashes escapes itself.
    reads("a=b\\\\\nc=d", &[("a", "b\\", 1), ("c", "d", 2)]);
    reads("a=b\\", &[("a", "b", 1)]);
    reads("\\\na=b", &[("a", "b", 2)]);
    reads("\\\n# comment\na=b", &[("a", "b", 3)]);
    reads("\\", &[("", "", 1)]);
    reads("\\\n\n", &[]);
}

#[test]
fn escapes_are_undone() {
    reads(r"a\=b\:c\ d=e\tf\ng\\h\q", &[("a=b:c d", "e\tf\ng\\hq", 1)]);
    reads(r"a=\u00e9\u00E9", &[("a", "éé", 1)]);
    reads(r"a=\uD83D\uDE00", &[("a", "😀", 1)]);
    reads(r"a=\uD83D", &[("a", "\u{FFFD}", 1)]);
    reads(r"\u0061=b", &[("a", "b", 1)]);
    for wrong in [r"a=\u12", r"a=\u12G4", r"a=\u", "x=y\na=\\u00\\\n41"] {
        let error = parse(wrong.as_bytes());
        let continued = wrong.contains('\n');
        if continued {
            // The digits of an escape may be continued on the next line, as in Java.
            assert_eq!(error.expect("read")[1].value, "A");
        } else {
            assert_eq!(error, Err(PropertiesError::MalformedEscape(1)), "{wrong}");
        }
    }
}

#[test]
fn encodings() {
    reads("a=grün", &[("a", "grün", 1)]);
    reads("\u{FEFF}a=b", &[("a", "b", 1)]);
    let latin = parse(b"a=gr\xFCn").expect("ISO-8859-1 has no wrong bytes");
    assert_eq!(latin[0].value, "grün");
    let long = vec![b'#'; FILE_BYTES_MAX + 1];
    assert_eq!(
        parse(&long),
        Err(PropertiesError::TooLong(FILE_BYTES_MAX + 1))
    );
}

/// Whatever is escaped as Java's `Properties.store` does is read again.
#[test]
fn reads_what_java_stores() {
    for seed in 0..2_000 {
        let mut random = Prng::new(seed);
        let mut text = String::new();
        let mut stored = Vec::new();
        for line in 1..=3 {
            let key = random_text(&mut random, 1);
            let value = random_text(&mut random, 0);
            text.push_str(&escaped(&key, true));
            text.push_str(["=", ":", " ", " = "][random.index(4)]);
            text.push_str(&escaped(&value, false));
            text.push('\n');
            stored.push((key, value, line));
        }
        assert_eq!(pairs(&text), stored, "seed {seed}: {text:?}");
    }
}

fn random_text(random: &mut Prng, least: usize) -> String {
    let alphabet: Vec<char> = "ab=: \t\n\r\u{0C}\\#!üß😀u0".chars().collect();
    let count = least + random.index(6);
    (0..count)
        .map(|_| alphabet[random.index(alphabet.len())])
        .collect()
}

fn escaped(text: &str, key: bool) -> String {
    let mut escaped = String::new();
    for (place, c) in text.chars().enumerate() {
        match c {
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\u{0C}' => escaped.push_str("\\f"),
            ' ' if !key && place > 0 => escaped.push(' '),
            '\\' | '=' | ':' | '#' | '!' | ' ' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if c.is_ascii() => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
    }
    escaped
}

/// Random bytes are read or refused, and lines stay within the file.
#[test]
fn fuzz() {
    let mut read = 0;
    for seed in 0..20_000 {
        let mut random = Prng::new(seed);
        let alphabet = b"aA=: \t\n\r\x0C\\#!u0fz\xFC\xC3";
        let count = random.index(40);
        let bytes: Vec<u8> = (0..count)
            .map(|_| alphabet[random.index(alphabet.len())])
            .collect();
        let lines = 1 + bytes
            .iter()
            .filter(|byte| **byte == b'\n' || **byte == b'\r')
            .count();
        match parse(&bytes) {
            Ok(properties) => {
                read += properties.len();
                let ordered = properties.is_sorted_by(|one, next| one.line < next.line);
                assert!(ordered, "seed {seed}");
                let last = properties.last().map_or(0, |property| property.line);
                assert!(
                    usize::try_from(last).expect("small") <= lines,
                    "seed {seed}"
                );
            }
            Err(PropertiesError::MalformedEscape(line)) => assert!(line >= 1, "seed {seed}"),
            Err(PropertiesError::TooLong(_)) => panic!("seed {seed}: it is short"),
        }
    }
    assert!(read > 20_000, "the fuzz reads something: {read}");
}
