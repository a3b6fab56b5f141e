//! A bound for the texts of JSON, in front of its parser, which keeps each of them whole.

use std::io::{self, Read};

use super::MAX_FIELD;

/// An escaped character takes up to six bytes for one; the exact bound is checked on the decoded field.
const MAX_TEXT: usize = 6 * MAX_FIELD;

/// Cuts a text that is over the bound, so that what is left of it is over the bound of a field, and its record can be left
/// out.
/// A stretch without a text that is as long is no JSON that anybody writes, and fails.
pub(crate) struct TextBound<R> {
    inner: R,
    in_text: bool,
    /// Bytes since the last quote that begins or ends a text.
    bytes: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside of an escape.
    Plain,
    /// After a backslash.
    Escape,
    /// In the digits of `\uXXXX`: how many are left, and whether the other half of a pair must follow.
    Digits { left: u8, pair: bool },
    /// After the first half of a pair.
    Pair,
    /// Past the bound; after a backslash, if so.
    Cut { escaped: bool },
}

impl<R> TextBound<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            in_text: false,
            bytes: 0,
            state: State::Plain,
        }
    }

    /// Keeps what may pass at the front of the block, and says how much it is.
    fn pass(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let (mut read, mut kept) = (0, 0);
        while read < block.len() {
            // Most bytes are neither a quote nor a backslash, and far from the bound.
            if self.state == State::Plain && self.bytes < MAX_TEXT {
                let end = block.len().min(read + MAX_TEXT - self.bytes);
                let rest = &block[read..end];
                let plain = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                if read != kept {
                    block.copy_within(read..read + plain, kept);
                }
                (read, kept) = (read + plain, kept + plain);
                self.bytes += plain;
                if read == end {
                    continue;
                }
            }
            let byte = block[read];
            read += 1;
            if self.keeps(byte)? {
                block[kept] = byte;
                kept += 1;
            }
        }
        Ok(kept)
    }

    fn keeps(&mut self, byte: u8) -> io::Result<bool> {
        let over = self.bytes >= MAX_TEXT;
        if over && !self.in_text {
            return Err(io::Error::other(
                "it has 384 KiB of JSON without a text: no export has",
            ));
        }
        self.bytes += 1;
        self.state = match self.state {
            State::Plain if byte == b'"' => {
                self.in_text = !self.in_text;
                self.bytes = 0;
                State::Plain
            }
            // Not within a character of several bytes, whose later ones are all 10xxxxxx.
            State::Plain if over && byte & 0xc0 != 0x80 => {
                self.state = State::Cut {
                    escaped: byte == b'\\',
                };
                return Ok(false);
            }
            State::Plain | State::Pair if byte == b'\\' => State::Escape,
            State::Escape if byte == b'u' => State::Digits {
                left: 4,
                pair: false,
            },
            State::Plain | State::Escape => State::Plain,
            State::Digits { left, pair } => {
                // D8 to DB begin a pair: the second digit tells.
                let first = left == 4 && byte.eq_ignore_ascii_case(&b'd');
                let pair = first
                    || (pair
                        && (left < 3 || matches!(byte, b'8' | b'9' | b'a' | b'b' | b'A' | b'B')));
                match (left, pair) {
                    (1, true) => State::Pair,
                    (1, false) => State::Plain,
                    _ => State::Digits {
                        left: left - 1,
                        pair,
                    },
                }
            }
            State::Pair => {
                self.state = State::Plain;
                self.bytes -= 1;
                return self.keeps(byte);
            }
            State::Cut { escaped: false } if byte == b'"' => {
                self.in_text = false;
                self.bytes = 0;
                State::Plain
            }
            State::Cut { escaped } => {
                self.state = State::Cut {
                    escaped: !escaped && byte == b'\\',
                };
                return Ok(false);
            }
        };
        Ok(true)
    }
}

impl<R: Read> Read for TextBound<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.inner.read(buf)?;
            let kept = self.pass(&mut buf[..n])?;
            if kept > 0 || n == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a few bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = buf.len().min(self.1);
            self.0.read(&mut buf[..n])
        }
    }

    fn passed(text: &str, step: usize) -> io::Result<String> {
        let mut out = String::new();
        TextBound::new(Drip(text.as_bytes(), step)).read_to_string(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_is_within_the_bound_passes_as_it_is() {
        let text = format!(
            r#"{{"a\"\\": "\ud83d\ude00 {}", "b": [1, "ü\u00fc"]}}"#,
            "x".repeat(MAX_TEXT - 20)
        );
        for step in [1, 7, 100_000] {
            assert_eq!(passed(&text, step).unwrap(), text);
        }
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
            r"\ud83d\ude00",
            r"\uD83D\uDE00x",
            r"\ud7ff",
        ] {
            for shift in 0..12 {
                let text = "x".repeat(shift) + &part.repeat(3 * MAX_TEXT / part.len());
                let json = format!(r#"{{"a": "{text}", "b": "after"}}"#);
                let out = passed(&json, 64 * 1024).unwrap();
                let value: serde_json::Value =
                    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{part}: {error}"));
                assert!(value["a"].as_str().unwrap().len() > MAX_FIELD, "{part}");
                assert_eq!(value["b"], "after");
                assert!(out.len() < MAX_TEXT + 100, "{part}: {}", out.len());
            }
        }
    }

    #[test]
    fn json_without_an_end_and_without_a_text_fails() {
        assert!(passed(&"[".repeat(MAX_TEXT + 9), 64 * 1024).is_err());
    }
}
