//! Expressions as RE2/J reads them, with which Apache Kafka looks for topics, written anew for the
//! crate that searches here. The crate's own language is close to it and not the same: `[a&&b]` is
//! three characters in one and nothing in the other, `a{1001}`, `a**` and `{*` are refused by RE2/J,
//! and `a{,2}` is plain text. What is written says only what the crate and RE2/J agree on.
//!
//! A name of a topic is ASCII and has no end of a line, and a match is one of the whole name: so sets
//! of characters are ASCII's (`class.rs`), and it is all the same whether a repetition is greedy or
//! `.` takes a newline. `tests/regex_oracle.rs` holds it against RE2/J itself.

use super::class::Class;
use std::collections::BTreeSet;

/// Most repetitions that `{}` may ask for.
const REPEAT_MAX: u32 = 1000;

/// The expression for the crate, or what is wrong with it.
pub(super) fn translate(expression: &str) -> Result<String, String> {
    let mut translator = Translator {
        rest: expression,
        written: String::with_capacity(expression.len()),
        folds: false,
        open: Vec::new(),
        argument: Argument::Missing,
        names: BTreeSet::new(),
    };
    let mut may_repeat = true;
    while let Some(first) = translator.peek() {
        may_repeat = translator.step(first, may_repeat)?;
    }
    if translator.open.is_empty() {
        Ok(translator.written)
    } else {
        Err("missing closing )".to_owned())
    }
}

/// What a repetition would repeat.
#[derive(Clone, Copy)]
enum Argument {
    /// Nothing: a group or an alternative has just begun.
    Missing,
    /// Something that is not repeated yet.
    Once,
    /// A repetition.
    Repeated,
}

struct Translator<'a> {
    /// What is still to be read.
    rest: &'a str,
    written: String,
    /// Whether `(?i)` is in force.
    folds: bool,
    /// Of each group that is open, whether `(?i)` was in force before it.
    open: Vec<bool>,
    argument: Argument,
    /// Names of groups.
    names: BTreeSet<&'a str>,
}

impl<'a> Translator<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads one thing, and says whether a repetition may come next. RE2/J has none follow what begins
    /// like one: neither a repetition, nor a `{` that is plain text.
    fn step(&mut self, first: char, may_repeat: bool) -> Result<bool, String> {
        match first {
            '(' => self.open_group()?,
            ')' => self.close_group()?,
            '|' => {
                self.next();
                self.written.push('|');
                self.argument = Argument::Missing;
            }
            '[' => {
                let class = self.class()?;
                self.put(class);
            }
            '.' => {
                self.next();
                self.put(Class::everything());
            }
            '^' => {
                self.next();
                self.put_assertion(r"\A");
            }
            '$' => {
                self.next();
                self.put_assertion(r"\z");
            }
            '*' | '+' | '?' => {
                self.next();
                self.repeat(first.to_string(), may_repeat)?;
                return Ok(false);
            }
            '{' => {
                if let Some(count) = self.count()? {
                    self.repeat(count, may_repeat)?;
                } else {
                    self.next();
                    self.put_character(u32::from('{'));
                }
                return Ok(false);
            }
            '\\' => self.escape()?,
            other => {
                self.next();
                self.put_character(u32::from(other));
            }
        }
        Ok(true)
    }

    fn put(&mut self, class: Class) {
        class.write(&mut self.written);
        self.argument = Argument::Once;
    }

    fn put_character(&mut self, code: u32) {
        self.put(Class::of_range(code, code, self.folds));
    }

    fn put_assertion(&mut self, assertion: &str) {
        // In a group: `\b{2}` would be something else for the crate.
        self.written.push_str("(?:");
        self.written.push_str(assertion);
        self.written.push(')');
        self.argument = Argument::Once;
    }

    fn repeat(&mut self, operator: String, may_repeat: bool) -> Result<(), String> {
        if !may_repeat {
            return Err(format!("invalid nested repetition operator: {operator}"));
        }
        match self.argument {
            Argument::Missing => {
                return Err(format!(
                    "missing argument to repetition operator: {operator}"
                ));
            }
            Argument::Once => {}
            // `a+(?s)?` is an optional `a+`; `a+?` would be one that is not greedy. The `?` that makes
            // it so changes nothing here, and after it another is a repetition.
            Argument::Repeated => self.written.push('?'),
        }
        self.eat("?");
        self.written.push_str(&operator);
        self.argument = Argument::Repeated;
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}`; anything else is plain text.
    fn count(&mut self) -> Result<Option<String>, String> {
        let Some((text, rest)) = self.rest[1..].split_once('}') else {
            return Ok(None);
        };
        let (least, most) = match text.split_once(',') {
            None => (text, text),
            Some((least, "")) => (least, least),
            Some((least, most)) => (least, most),
        };
        let (Some(first), Some(last)) = (number(least), number(most)) else {
            return Ok(None);
        };
        if last > REPEAT_MAX || first > last {
            return Err(format!("invalid repeat count: {{{text}}}"));
        }
        self.rest = rest;
        Ok(Some(format!("{{{text}}}")))
    }

    fn open_group(&mut self) -> Result<(), String> {
        if !self.rest.starts_with("(?") {
            self.next();
            self.push_group();
            return Ok(());
        }
        if self.eat("(?P<") || self.eat("(?<") {
            let end = self.rest.find('>').ok_or("invalid named capture")?;
            let name = &self.rest[..end];
            let is_word = |one: char| one.is_ascii_alphanumeric() || one == '_';
            if name.is_empty() || !name.chars().all(is_word) {
                return Err(format!("invalid named capture: {name}"));
            }
            if !self.names.insert(name) {
                return Err(format!("duplicate capture group name: {name}"));
            }
            self.rest = &self.rest[end + 1..];
            self.push_group();
            return Ok(());
        }
        self.eat("(?");
        self.flags()
    }

    /// What follows `(?`: flags, for the rest of this group, or for one that begins.
    fn flags(&mut self) -> Result<(), String> {
        let invalid = || Err("invalid or unsupported Perl syntax".to_owned());
        let (mut folds, mut is_off, mut lacks_flag) = (self.folds, false, false);
        loop {
            match self.next() {
                Some('i') => {
                    folds = !is_off;
                    lacks_flag = false;
                }
                // They say how newlines count and which of several matches is meant.
                Some('m' | 's' | 'U') => lacks_flag = false,
                Some('-') if !is_off => {
                    is_off = true;
                    lacks_flag = true;
                }
                Some(end @ (':' | ')')) if !lacks_flag => {
                    if end == ':' {
                        self.push_group();
                    }
                    self.folds = folds;
                    return Ok(());
                }
                Some(_) | None => return invalid(),
            }
        }
    }

    fn push_group(&mut self) {
        self.open.push(self.folds);
        self.written.push_str("(?:");
        self.argument = Argument::Missing;
    }

    fn close_group(&mut self) -> Result<(), String> {
        self.next();
        self.folds = self.open.pop().ok_or("unexpected )")?;
        self.written.push(')');
        self.argument = Argument::Once;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        if self.eat(r"\Q") {
            let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
            self.rest = rest;
            for one in quoted.chars() {
                self.put_character(u32::from(one));
            }
            return Ok(());
        }
        for (escape, assertion) in [
            (r"\A", r"\A"),
            (r"\z", r"\z"),
            (r"\b", r"\b"),
            (r"\B", r"\B"),
        ] {
            if self.eat(escape) {
                self.put_assertion(assertion);
                return Ok(());
            }
        }
        if let Some(class) = self.named_class()? {
            self.put(class);
            return Ok(());
        }
        let code = self.character()?;
        self.put_character(code);
        Ok(())
    }

    /// `\d` and its like, `\pL`, `\p{Lu}`.
    fn named_class(&mut self) -> Result<Option<Class>, String> {
        let mut after = self.rest.chars();
        let (Some('\\'), Some(letter)) = (after.next(), after.next()) else {
            return Ok(None);
        };
        if let Some(class) = Class::of_perl(letter) {
            self.rest = after.as_str();
            return Ok(Some(class));
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(None);
        }
        let unknown = || "invalid character class range".to_owned();
        let first = after.next().ok_or_else(unknown)?;
        let mut rest = after.as_str();
        let mut name = first.encode_utf8(&mut [0; 4]).to_owned();
        if first == '{' {
            let (between, after) = rest.split_once('}').ok_or_else(unknown)?;
            name = between.to_owned();
            rest = after;
        }
        let mut is_negated = letter == 'P';
        if let Some(other) = name.strip_prefix('^') {
            name = other.to_owned();
            is_negated = !is_negated;
        }
        let class = Class::of_unicode(&name, self.folds)
            .ok_or_else(|| format!("invalid character class range: {name}"))?;
        self.rest = rest;
        Ok(Some(if is_negated {
            class.complement()
        } else {
            class
        }))
    }

    fn class(&mut self) -> Result<Class, String> {
        self.eat("[");
        let is_negated = self.eat("^");
        let mut class = Class::default();
        let mut is_first = true;
        while is_first || !self.eat("]") {
            is_first = false;
            class = class.union(self.class_item()?);
        }
        Ok(if is_negated {
            class.complement()
        } else {
            class
        })
    }

    fn class_item(&mut self) -> Result<Class, String> {
        if let Some(after) = self.rest.strip_prefix("[:")
            && let Some((name, rest)) = after.split_once(":]")
        {
            let class = Class::of_posix(name, self.folds);
            self.rest = rest;
            return class.ok_or_else(|| format!("invalid character class range: [:{name}:]"));
        }
        if let Some(class) = self.named_class()? {
            return Ok(class);
        }
        let first = self.class_character()?;
        let mut last = first;
        let mut after = self.rest.chars();
        if after.next() == Some('-') && after.next().is_some_and(|next| next != ']') {
            self.next();
            last = self.class_character()?;
            if last < first {
                return Err("invalid character class range".to_owned());
            }
        }
        Ok(Class::of_range(first, last, self.folds))
    }

    fn class_character(&mut self) -> Result<u32, String> {
        match self.peek() {
            None => Err("missing closing ]".to_owned()),
            Some('\\') => self.character(),
            Some(other) => {
                self.next();
                Ok(u32::from(other))
            }
        }
    }

    /// The character that a backslash and what follows mean.
    fn character(&mut self) -> Result<u32, String> {
        self.eat("\\");
        let Some(escape) = self.next() else {
            return Err("trailing backslash at end of expression".to_owned());
        };
        let invalid = || format!(r"invalid escape sequence: \{escape}");
        let is_octal = |one: Option<char>| one.is_some_and(|one| one.is_digit(8));
        match escape {
            // One digit that is not 0 would be a reference to a group.
            '1'..='7' if !is_octal(self.peek()) => Err(invalid()),
            '0'..='7' => {
                let mut code = escape.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|one| one.to_digit(8)) else {
                        break;
                    };
                    self.next();
                    code = code * 8 + digit;
                }
                Ok(code)
            }
            'x' => self.hexadecimal().ok_or_else(invalid),
            'a' => Ok(0x07),
            'f' => Ok(0x0c),
            'n' => Ok(0x0a),
            'r' => Ok(0x0d),
            't' => Ok(0x09),
            'v' => Ok(0x0b),
            other if other.is_ascii_alphanumeric() => Err(invalid()),
            other => Ok(u32::from(other)),
        }
    }

    /// Two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        const CODE_POINT_MAX: u32 = 0x10_ffff;
        let digits = if self.eat("{") {
            let (digits, rest) = self.rest.split_once('}')?;
            self.rest = rest;
            digits
        } else {
            let digits = self.rest.get(..2)?;
            self.rest = &self.rest[2..];
            digits
        };
        if digits.is_empty() || !digits.chars().all(|one| one.is_ascii_hexdigit()) {
            return None;
        }
        let code = u32::from_str_radix(digits.trim_start_matches('0'), 16);
        match code {
            Ok(code) if code <= CODE_POINT_MAX => Some(code),
            Err(_) if digits.chars().all(|one| one == '0') => Some(0),
            Ok(_) | Err(_) => None,
        }
    }
}

/// A number without leading zeros; more than is allowed where it has too many digits.
fn number(digits: &str) -> Option<u32> {
    let is_number = digits.chars().all(|one| one.is_ascii_digit())
        && !digits.is_empty()
        && (digits.len() == 1 || !digits.starts_with('0'));
    is_number.then(|| digits.parse().unwrap_or(u32::MAX))
}
