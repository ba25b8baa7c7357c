//! The format language of kcat and rpk, for `console-consumer --format`.
//!
//! ```text
//! %t topic   %p partition   %o offset   %k key   %v %s value   %h headers   %T timestamp in ms
//! %K length of the key   %V %S length of the value (-1 where null)   %%  a percent sign
//! \n \r \t \0 \\ \xHH
//! ```

use super::error::CliError;
use super::formatter::Message;

/// A parsed template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Literal(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Key,
    KeyLength,
    Value,
    ValueLength,
    Headers,
    Timestamp,
}

impl Template {
    /// Reads a template; what it does not know is refused with the letters it does.
    pub fn parse(text: &str) -> Result<Template, CliError> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '%' => match conversion(characters.next())? {
                    Some(piece) => {
                        if !literal.is_empty() {
                            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                        }
                        pieces.push(piece);
                    }
                    None => literal.push(b'%'),
                },
                '\\' => literal.push(escape(&mut characters)?),
                _ => literal.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Template { pieces })
    }

    /// Appends one message to `out`; nulls print as nothing, as kcat does.
    pub fn write(&self, message: &Message<'_>, out: &mut Vec<u8>) {
        let record = &message.record;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Topic => out.extend_from_slice(message.topic.as_bytes()),
                Piece::Partition => put(out, message.partition),
                Piece::Offset => put(out, record.offset),
                Piece::Key => out.extend_from_slice(record.key.unwrap_or_default()),
                Piece::KeyLength => put_length(out, record.key),
                Piece::Value => out.extend_from_slice(record.value.unwrap_or_default()),
                Piece::ValueLength => put_length(out, record.value),
                Piece::Timestamp => put(out, record.timestamp.0),
                Piece::Headers => {
                    for (index, header) in record.headers.enumerate() {
                        if index > 0 {
                            out.push(b',');
                        }
                        out.extend_from_slice(header.key);
                        out.push(b'=');
                        out.extend_from_slice(header.value.unwrap_or(b"NULL"));
                    }
                }
            }
        }
    }
}

/// The piece of a letter after `%`; `None` for the percent sign itself.
fn conversion(letter: Option<char>) -> Result<Option<Piece>, CliError> {
    match letter {
        Some('t') => Ok(Some(Piece::Topic)),
        Some('p') => Ok(Some(Piece::Partition)),
        Some('o') => Ok(Some(Piece::Offset)),
        Some('k') => Ok(Some(Piece::Key)),
        Some('K') => Ok(Some(Piece::KeyLength)),
        Some('v' | 's') => Ok(Some(Piece::Value)),
        Some('V' | 'S') => Ok(Some(Piece::ValueLength)),
        Some('h') => Ok(Some(Piece::Headers)),
        Some('T') => Ok(Some(Piece::Timestamp)),
        Some('%') => Ok(None),
        Some(other) => Err(CliError::Usage(format!(
            "--format knows %t %p %o %k %K %v %V %s %S %h %T and %%, but not %{other}"
        ))),
        None => Err(CliError::Usage(
            "--format ends with a single %: write %% for the sign itself".to_owned(),
        )),
    }
}

fn escape(characters: &mut std::str::Chars<'_>) -> Result<u8, CliError> {
    let wrong =
        || CliError::Usage("--format knows the escapes \\n \\r \\t \\0 \\\\ and \\xHH".to_owned());
    match characters.next() {
        Some('n') => Ok(b'\n'),
        Some('r') => Ok(b'\r'),
        Some('t') => Ok(b'\t'),
        Some('0') => Ok(0),
        Some('\\') => Ok(b'\\'),
        Some('x') => {
            let digits: String = characters.by_ref().take(2).collect();
            if digits.len() != 2 || digits.starts_with('+') {
                return Err(wrong());
            }
            u8::from_str_radix(&digits, 16).map_err(|_| wrong())
        }
        Some(_) | None => Err(wrong()),
    }
}

fn put(out: &mut Vec<u8>, number: impl std::fmt::Display) {
    out.extend_from_slice(number.to_string().as_bytes());
}

fn put_length(out: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        None => out.extend_from_slice(b"-1"),
        Some(field) => put(out, field.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use expect_test::expect;

    #[test]
    fn prints_every_field() {
        let template =
            Template::parse("%t [%p] %o T=%T h=%h k(%K)=%k v(%V)=%v %% \\x41\\t%S|%s\\n").unwrap();
        let mut out = Vec::new();
        super::super::formatter::tests::with_messages(|message| template.write(message, &mut out));
        expect![[r#"
            alpha [3] 7 T=1000 h=h1=v1,h2=NULL k(2)=k1 v(9)=value one % A	9|value one
            alpha [3] 8 T=1001 h= k(0)= v(-1)= % A	-1|
            alpha [3] 9 T=1002 h= k(-1)= v(2)=�z % A	2|�z
        "#]]
        .assert_eq(&String::from_utf8_lossy(&out));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for bad in ["%q", "%", "\\", "\\y", "\\x4", "\\xZZ", "\\x+1", "%t\\"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn random_templates_do_not_panic() {
        let mut prng = Prng::new(11);
        let alphabet: Vec<char> = "%\\tpokKvVshTxn0aé4F".chars().collect();
        for _ in 0..2000 {
            let length = prng.index(12);
            let text: String = (0..length)
                .map(|_| alphabet[prng.index(alphabet.len())])
                .collect();
            if let Ok(template) = Template::parse(&text) {
                let mut out = Vec::new();
                super::super::formatter::tests::with_messages(|message| {
                    template.write(message, &mut out);
                });
            }
        }
    }
}
