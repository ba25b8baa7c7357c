//! Sets of characters, as RE2/J names them. Names of topics are ASCII, so of each set only that part
//! is kept, one bit a character: no table of Unicode's is needed to know that `\p{Greek}` holds no
//! letter of a topic, and that `\p{Lu}` holds 26.

/// A set of ASCII characters: bit `n` is the character of that code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Class(u128);

/// No character at all.
const NOTHING: Class = Class(0);
/// All of them.
const EVERYTHING: Class = Class(u128::MAX);

const UPPER: Class = range(b'A', b'Z');
const LOWER: Class = range(b'a', b'z');
const DIGIT: Class = range(b'0', b'9');
const ALPHA: Class = UPPER.and(LOWER);
const ALNUM: Class = ALPHA.and(DIGIT);
const WORD: Class = ALNUM.and(range(b'_', b'_'));
const CONTROL: Class = range(0, 0x1f).and(range(0x7f, 0x7f));
const SPACE: Class = range(b' ', b' ');
const DASH: Class = range(b'-', b'-');
const LOW_LINE: Class = range(b'_', b'_');
const OPENING: Class = range(b'(', b'(')
    .and(range(b'[', b'['))
    .and(range(b'{', b'{'));
const CLOSING: Class = range(b')', b')')
    .and(range(b']', b']'))
    .and(range(b'}', b'}'));
const MATH: Class = range(b'+', b'+')
    .and(range(b'<', b'>'))
    .and(range(b'|', b'|'))
    .and(range(b'~', b'~'));
const MONEY: Class = range(b'$', b'$');
const ACCENT: Class = range(b'^', b'^').and(range(b'`', b'`'));
const SYMBOL: Class = MATH.and(MONEY).and(ACCENT);
const PUNCTUATION: Class = range(b'!', b'/')
    .and(range(b':', b'@'))
    .and(range(b'[', b'`'))
    .and(range(b'{', b'~'));
const OTHER_PUNCTUATION: Class = PUNCTUATION
    .without(SYMBOL)
    .without(DASH)
    .without(LOW_LINE)
    .without(OPENING)
    .without(CLOSING);

const fn range(first: u8, last: u8) -> Class {
    let mut bits = 0;
    let mut code = first;
    while code <= last {
        bits |= 1 << code;
        code += 1;
    }
    Class(bits)
}

impl Class {
    const fn and(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }

    const fn without(self, other: Class) -> Class {
        Class(self.0 & !other.0)
    }

    /// All characters.
    pub(super) fn everything() -> Class {
        EVERYTHING
    }

    /// What is in either.
    #[must_use]
    pub(super) fn union(self, other: Class) -> Class {
        self.and(other)
    }

    /// What is not in it.
    #[must_use]
    pub(super) fn complement(self) -> Class {
        Class(!self.0)
    }

    /// Letters of either case for those that it has.
    #[must_use]
    pub(super) fn folded(self) -> Class {
        const CASE: u32 = 32;
        let letters = (self.0 & UPPER.0) << CASE | (self.0 & LOWER.0) >> CASE;
        Class(self.0 | letters)
    }

    /// Code points from one to another, both with it; `folds` adds those of the other case.
    pub(super) fn of_range(first: u32, last: u32, folds: bool) -> Class {
        const LONG_S: u32 = 0x17f;
        const KELVIN: u32 = 0x212a;
        let mut class = NOTHING;
        for code in 0..=127_u8 {
            if (first..=last).contains(&u32::from(code)) {
                class = class.and(range(code, code));
            }
        }
        if !folds {
            return class;
        }
        // The two code points beyond ASCII that are a letter of ASCII's in the other case.
        for (code, letter) in [(LONG_S, b's'), (KELVIN, b'k')] {
            if (first..=last).contains(&code) {
                class = class.and(range(letter, letter));
            }
        }
        class.folded()
    }

    /// `\d`, `\s` and `\w`.
    pub(super) fn of_perl(letter: char) -> Option<Class> {
        let class = match letter.to_ascii_lowercase() {
            'd' => DIGIT,
            // Without the vertical tab.
            's' => SPACE.and(range(b'\t', b'\n')).and(range(0x0c, b'\r')),
            'w' => WORD,
            _ => return None,
        };
        Some(if letter.is_ascii_uppercase() {
            class.complement()
        } else {
            class
        })
    }

    /// The class of POSIX's between `[:` and `:]`.
    pub(super) fn of_posix(name: &str, folds: bool) -> Option<Class> {
        let (name, is_negated) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let class = match name {
            "alnum" => ALNUM,
            "alpha" => ALPHA,
            "ascii" => EVERYTHING,
            "blank" => SPACE.and(range(b'\t', b'\t')),
            "cntrl" => CONTROL,
            "digit" => DIGIT,
            "graph" => range(b'!', b'~'),
            "lower" => LOWER,
            "print" => range(b' ', b'~'),
            "punct" => PUNCTUATION,
            "space" => SPACE.and(range(b'\t', b'\r')),
            "upper" => UPPER,
            "word" => WORD,
            "xdigit" => DIGIT.and(range(b'A', b'F')).and(range(b'a', b'f')),
            _ => return None,
        };
        let class = if folds { class.folded() } else { class };
        Some(if is_negated {
            class.complement()
        } else {
            class
        })
    }

    /// What `\p{name}` holds: a general category or a script of Unicode's, or everything.
    pub(super) fn of_unicode(name: &str, folds: bool) -> Option<Class> {
        let class = match name {
            "Any" => return Some(EVERYTHING),
            "C" | "Cc" => CONTROL,
            "L" | "Latin" => ALPHA,
            // RE2/J's own table of what folds into small letters has but these two of ASCII's.
            "Ll" if folds => return Some(LOWER.and(range(b'K', b'K')).and(range(b'S', b'S'))),
            "Ll" => LOWER,
            "Lu" => UPPER,
            "N" | "Nd" => DIGIT,
            "P" => PUNCTUATION.without(SYMBOL),
            "Pc" => LOW_LINE,
            "Pd" => DASH,
            "Pe" => CLOSING,
            "Po" => OTHER_PUNCTUATION,
            "Ps" => OPENING,
            "S" => SYMBOL,
            "Sc" => MONEY,
            "Sk" => ACCENT,
            "Sm" => MATH,
            "Z" | "Zs" => SPACE,
            "Common" => ALPHA.complement(),
            _ if BEYOND_ASCII.split_ascii_whitespace().any(|one| one == name) => NOTHING,
            _ => return None,
        };
        Some(if folds { class.folded() } else { class })
    }

    /// Writes it as the crate reads it.
    pub(super) fn write(self, expression: &mut String) {
        if self == NOTHING {
            // Nothing that is a byte.
            expression.push_str(r"[^\x00-\xff]");
            return;
        }
        expression.push('[');
        let mut first = None;
        for code in 0..=128_u8 {
            let is_in = code < 128 && self.0 & (1 << code) != 0;
            match (first, is_in) {
                (None, true) => first = Some(code),
                (Some(start), false) => {
                    expression.push_str(&format!(r"\x{start:02x}-\x{:02x}", code - 1));
                    first = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        expression.push(']');
    }
}

/// Categories and scripts that RE2/J knows and that hold no character of ASCII's.
const BEYOND_ASCII: &str = "Cf Co Cs Lm Lo Lt M Mc Me Mn Nl No Pf Pi So Zl Zp Arabic Armenian Avestan \
    Balinese Bamum Batak Bengali Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian \
    Cham Cherokee Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari Egyptian_Hieroglyphs Ethiopic \
    Georgian Glagolitic Gothic Greek Gujarati Gurmukhi Han Hangul Hanunoo Hebrew Hiragana \
    Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada \
    Katakana Kayah_Li Kharoshthi Khmer Lao Lepcha Limbu Linear_B Lisu Lycian Lydian Malayalam Mandaic \
    Meetei_Mayek Mongolian Myanmar New_Tai_Lue Nko Ogham Ol_Chiki Old_Italic Old_Persian \
    Old_South_Arabian Old_Turkic Oriya Osmanya Phags_Pa Phoenician Rejang Runic Samaritan Saurashtra \
    Shavian Sinhala Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Tamil \
    Telugu Thaana Thai Tibetan Tifinagh Ugaritic Unknown Vai Yi";
