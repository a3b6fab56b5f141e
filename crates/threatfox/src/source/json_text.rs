//! What stands in front of the parser of JSON, which keeps each text whole and refuses a file for one odd character: texts are
//! cut at a bound, and what is not a character becomes U+FFFD.

use std::borrow::Cow;
use std::io::{self, Read};

use super::MAX_FIELD;

/// An escaped character takes up to six bytes for one; the exact bound is checked on the decoded field.
const MAX_TEXT: usize = 6 * MAX_FIELD;

const BLOCK: usize = 64 * 1024;

/// The longest escape, of a pair of surrogates, has this many bytes.
const PAIR: usize = "\\ud83d\\ude00".len();

/// Stands for what is not a character, by custom.
const NO_CHARACTER: &str = "\u{fffd}";

/// Cuts a text that is over the bound, so that what is left of it is over the bound of a field, and its record can be left
/// out. Half of a pair of surrogates (`\ud83d` alone) and bytes that are not UTF-8 become U+FFFD.
/// A stretch without a text that is as long is no JSON that anybody writes, and fails.
pub(crate) struct JsonText<R> {
    inner: R,
    /// What was read and has not been looked at: the start of a character or escape.
    block: Vec<u8>,
    /// What may be handed out, and how much of it was.
    ready: Vec<u8>,
    given: usize,
    text: TextState,
}

/// Where in the JSON it is.
#[derive(Default)]
struct TextState {
    in_text: bool,
    /// Bytes since the last quote that begins or ends a text.
    bytes: usize,
}

impl<R: Read> JsonText<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            block: Vec::new(),
            ready: Vec::new(),
            given: 0,
            text: TextState::default(),
        }
    }

    /// Makes ready what is whole of the next block. Says whether there was one.
    fn next_block(&mut self) -> io::Result<bool> {
        let read = (&mut self.inner)
            .take(BLOCK as u64)
            .read_to_end(&mut self.block)?;
        let last = read == 0;
        let cut = if last { 0 } else { unfinished(&self.block) };
        let (whole, cut) = self.block.split_at(self.block.len() - cut);
        let text = match str::from_utf8(whole) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(whole),
        };
        self.ready.clear();
        self.given = 0;
        let escape = self.text.pass(&text, last, &mut self.ready)?;
        let mut rest = [escape.as_bytes(), cut].concat();
        self.block.clear();
        self.block.append(&mut rest);
        Ok(!last)
    }
}

impl TextState {
    /// Appends what may pass, up to an escape that goes on behind the text: that is given back.
    fn pass<'t>(
        &mut self,
        mut text: &'t str,
        last: bool,
        ready: &mut Vec<u8>,
    ) -> io::Result<&'t str> {
        loop {
            let plain = memchr::memchr2(b'"', b'\\', text.as_bytes());
            let (plain, rest) = text.split_at(plain.unwrap_or(text.len()));
            self.keep(plain, plain.len(), ready)?;
            if let Some(behind) = rest.strip_prefix('"') {
                ready.push(b'"');
                self.in_text = !self.in_text;
                self.bytes = 0;
                text = behind;
            } else if rest.is_empty() || (rest.len() < PAIR && !last) {
                return Ok(rest);
            } else {
                let (escape, length) = escape(rest);
                self.keep(escape, length, ready)?;
                text = &rest[length..];
            }
        }
    }

    /// Appends what stands for so many bytes, unless the text is over the bound.
    fn keep(&mut self, part: &str, bytes: usize, ready: &mut Vec<u8>) -> io::Result<()> {
        if self.bytes <= MAX_TEXT {
            ready.extend_from_slice(part.as_bytes());
        } else if !self.in_text {
            return Err(io::Error::other(
                "it has 384 KiB of JSON without a text: no export has",
            ));
        }
        self.bytes += bytes;
        Ok(())
    }
}

/// The escape at the start of a text, or what stands for it, and its length.
fn escape(text: &str) -> (&str, usize) {
    match (unit(text), unit(text.get(6..).unwrap_or_default())) {
        (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (&text[..12], 12),
        (Some(0xd800..0xe000), _) => (NO_CHARACTER, 6),
        (Some(_), _) => (&text[..6], 6),
        // The character behind the backslash may have several bytes.
        (None, _) => {
            let length = text.chars().take(2).map(char::len_utf8).sum();
            (&text[..length], length)
        }
    }
}

/// The number of `\uXXXX` at the start of a text.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

/// How many bytes at the end begin a character of several bytes.
fn unfinished(block: &[u8]) -> usize {
    let begins = |length: &usize| {
        let end = &block[block.len() - length..];
        str::from_utf8(end).is_err_and(|error| error.error_len().is_none())
    };
    (1..=block.len().min(3)).find(begins).unwrap_or_default()
}

impl<R: Read> Read for JsonText<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            if !self.next_block()? && self.ready.is_empty() {
                return Ok(0);
            }
        }
        let n = buf.len().min(self.ready.len() - self.given);
        buf[..n].copy_from_slice(&self.ready[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(text: &str) -> io::Result<String> {
        let mut out = String::new();
        JsonText::new(text.as_bytes()).read_to_string(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_is_within_the_bound_passes_as_it_is() {
        let text = format!(
            r#"{{"a\"\\": "\ud83d\ude00 {}", "b": [1, "ü\u00fc"]}}"#,
            "x".repeat(MAX_TEXT - 20)
        );
        assert_eq!(passed(&text).unwrap(), text);
    }

    #[test]
    fn a_text_over_the_bound_is_cut_to_one_that_is_still_too_large_and_readable() {
        for part in [
            "x",
            "ü",
            "😀",
            r"\n",
            r#"\""#,
            r"\\",
            r"\u00fc",
            r"\u0041",
            r"\ud83d",
            r"\ud83d\ude00",
            r"\uD83D\uDE00x",
            r"\ud7ff",
        ] {
            for shift in [0, 1, 5, 11] {
                let text = "x".repeat(shift) + &part.repeat(3 * MAX_TEXT / part.len());
                let json = format!(r#"{{"a": "{text}", "b": "after"}}"#);
                let out = passed(&json).unwrap();
                let value: serde_json::Value =
                    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{part}: {error}"));
                assert!(value["a"].as_str().unwrap().len() > MAX_FIELD, "{part}");
                assert_eq!(value["b"], "after");
                assert!(out.len() < MAX_TEXT + BLOCK + 100, "{part}: {}", out.len());
            }
        }
    }

    #[test]
    fn what_is_no_character_is_replaced_wherever_a_block_ends() {
        for (part, expected) in [
            (&br"\ud83d"[..], "\u{fffd}"),
            (br"\ud83dx", "\u{fffd}x"),
            (br"\ude00", "\u{fffd}"),
            (br"\ud83d\n", "\u{fffd}\\n"),
            (br"\ud83d\u0041", "\u{fffd}\\u0041"),
            (br"\ud83d\ud83d\ude00", "\u{fffd}\\ud83d\\ude00"),
            (br"\\ud83d", r"\\ud83d"),
            (b"\xff\xc3", "\u{fffd}\u{fffd}"),
            (b"\xf0\x9f\x98", "\u{fffd}"),
            ("😀".as_bytes(), "😀"),
            (br"\ud83", r"\ud83"),
        ] {
            for before in (0..BLOCK).step_by(BLOCK / 2).chain(BLOCK - 16..BLOCK) {
                let blank = " ".repeat(before);
                let json = [blank.as_bytes(), b"\"", part, b"\""].concat();
                let mut out = String::new();
                JsonText::new(&*json).read_to_string(&mut out).unwrap();
                assert_eq!(out.trim_start(), format!("\"{expected}\""), "{before}");
            }
        }
    }

    #[test]
    fn json_without_an_end_and_without_a_text_fails() {
        assert!(passed(&"[".repeat(MAX_TEXT + BLOCK + 9)).is_err());
    }
}
