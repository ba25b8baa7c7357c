//! Text that lies in a received frame: a topic's name is read without copying it.

use bytes::Bytes;
use bytestring::ByteString;
use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

/// UTF-8 text backed by [`Bytes`]: cloning counts a reference, decoding slices the frame. It is
/// checked once, when it is made: [`ByteString`] keeps that promise, so that the protocol names no
/// `unsafe` and still looks a name up without reading it as UTF-8 at each comparison.
///
/// Text that outlives its request keeps the whole frame alive: what is stored for long goes
/// through [`Str::detached`].
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Str(ByteString);

impl Str {
    /// The empty text.
    pub const EMPTY: Str = Str(ByteString::new());

    /// Text that lives as long as the program; nothing is copied.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Str {
        Str(ByteString::from_static(text))
    }

    /// The text, or `None` where the bytes are not UTF-8.
    #[must_use]
    pub fn from_utf8(bytes: Bytes) -> Option<Str> {
        ByteString::try_from(bytes).ok().map(Str)
    }

    /// The text as a slice.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes of the text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The same text in memory of its own, so that it does not keep a frame alive.
    #[must_use]
    pub fn detached(&self) -> Str {
        Str::from(self.as_str())
    }
}

impl Deref for Str {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<String> for Str {
    fn eq(&self, other: &String) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Str {
        Str(ByteString::from(text))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Str {
        Str(ByteString::from(text))
    }
}

impl From<&String> for Str {
    fn from(text: &String) -> Str {
        Str::from(text.as_str())
    }
}

impl From<Str> for String {
    fn from(text: Str) -> String {
        text.as_str().to_owned()
    }
}

impl From<Str> for Bytes {
    fn from(text: Str) -> Bytes {
        text.0.into_bytes()
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::collections::HashMap;
    use std::collections::BTreeMap;

    #[test]
    fn is_found_by_its_text() {
        let mut hashed = HashMap::default();
        hashed.insert(Str::from("orders"), 1);
        assert_eq!(hashed.get("orders"), Some(&1));
        let mut sorted = BTreeMap::new();
        sorted.insert(Str::from("orders"), 1);
        assert_eq!(sorted.get("orders"), Some(&1));
        assert_eq!(sorted.get("order"), None);
    }

    #[test]
    fn is_sliced_from_a_frame_and_refuses_what_is_no_text() {
        let frame = Bytes::from_static("\0\u{5}größe".as_bytes());
        let text = Str::from_utf8(frame.slice(2..)).expect("UTF-8");
        assert_eq!(text, "größe");
        assert_eq!(text.as_bytes().as_ptr(), frame[2..].as_ptr());
        assert_eq!(Str::from_utf8(Bytes::from_static(b"\xFF")), None);
        let (one, other) = (Str::from("a"), Str::from("b"));
        assert!(one < other);
        assert!(Str::EMPTY.is_empty());
    }
}
