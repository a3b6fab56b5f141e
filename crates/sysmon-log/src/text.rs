//! Text in UTF-16, as it lies in a log.

use std::fmt::{self, Write};

use serde::{Serialize, Serializer};

/// UTF-16, little endian, without the zeros that may end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utf16<'c>(pub(crate) &'c [u8]);

impl<'c> Utf16<'c> {
    /// The text in these bytes; `None` where their number is odd.
    #[must_use]
    pub fn new(mut bytes: &'c [u8]) -> Option<Self> {
        if !bytes.len().is_multiple_of(2) {
            return None;
        }
        while let [rest @ .., 0, 0] = bytes {
            bytes = rest;
        }
        Some(Self(bytes))
    }

    /// The code units.
    #[must_use = "they are only read"]
    pub fn units(self) -> impl DoubleEndedIterator<Item = u16> + ExactSizeIterator + Clone + 'c {
        let (pairs, _) = self.0.as_chunks::<2>();
        pairs.iter().map(|pair| u16::from_le_bytes(*pair))
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Appends the text to another.
    pub fn write(self, out: &mut String) {
        let (pairs, _) = self.0.as_chunks::<2>();
        // One pass without a branch for each unit.
        let other = pairs
            .iter()
            .fold(0, |bits, [low, high]| bits | (low & 0x80) | high);
        if other == 0 {
            let mut bytes = std::mem::take(out).into_bytes();
            bytes.extend(pairs.iter().map(|pair| pair[0]));
            // All of it is ASCII, so that nothing is lost.
            *out = String::from_utf8(bytes).unwrap_or_default();
        } else {
            let decoded = char::decode_utf16(self.units());
            out.extend(decoded.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
    }
}

impl PartialEq<str> for Utf16<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0.len() == other.len() * 2 && self.units().eq(other.encode_utf16())
    }
}

/// A lone surrogate shows as U+FFFD.
impl fmt::Display for Utf16<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        char::decode_utf16(self.units())
            .try_for_each(|decoded| f.write_char(decoded.unwrap_or(char::REPLACEMENT_CHARACTER)))
    }
}

impl Serialize for Utf16<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn bytes(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn text_reads_as_it_was_written_without_final_zeros() {
        for (raw, shown) in [
            ("a.exe\0\0", "a.exe"),
            ("\0", ""),
            ("a\0b", "a\0b"),
            ("ü😀", "ü😀"),
        ] {
            let raw = bytes(raw);
            assert_eq!(Utf16::new(&raw).unwrap().to_string(), shown);
        }
        assert_eq!(Utf16::new(&[0x61, 0, 0x62]), None);
        assert_eq!(Utf16::new(&[0, 0xd8]).unwrap().to_string(), "\u{fffd}");
    }

    #[test]
    fn text_is_written_behind_what_is_there() {
        for text in ["Evil.example", "", "b\u{fc}cher", "\u{100}", "a\u{1f600}"] {
            let raw = bytes(text);
            let mut out = "ü".to_owned();
            Utf16::new(&raw).unwrap().write(&mut out);
            assert_eq!(out, format!("ü{text}"));
        }
    }

    #[test]
    fn text_equals_a_string_only_as_a_whole() {
        let raw = bytes("Sysmon");
        let text = Utf16::new(&raw).unwrap();
        assert!(text == *"Sysmon");
        assert!(text != *"Sysmo" && text != *"Sysmons" && text != *"sysmon");
    }
}
