//! Lets the csv crate read ThreatFox's `"a", "b"`.
//!
//! The crate takes a quote after a space for part of the field. Moving the space in front of the comma, `"a" ,"b"`,
//! makes it the end of the field before, where trimming takes it off; nothing has to be copied or shortened for that.
//! The same pass keeps an unclosed quote from swallowing the rest of the file into memory.

use std::io::{self, Read};

/// A record of this many bytes is damage: 15 fields of 64 KiB fit.
const MAX_RECORD: usize = 1 << 20;

/// Rewrites the spacing between quoted fields while reading.
pub(super) struct Spacing<R> {
    inner: R,
    in_quotes: bool,
    /// A comma at the end of the last block, held back until the next byte is known.
    held_comma: bool,
    /// Bytes since the last end of a record.
    record_bytes: usize,
}

impl<R> Spacing<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            in_quotes: false,
            held_comma: false,
            record_bytes: 0,
        }
    }

    fn rewrite(&mut self, block: &mut [u8]) -> io::Result<()> {
        let mut start = 0;
        let mut record_start = 0;
        while let Some(quote) = memchr::memchr(b'"', &block[start..]).map(|at| start + at) {
            if !self.in_quotes
                && let Some(end) = move_space(&mut block[start..quote])
            {
                record_start = start + end;
                self.record_bytes = 0;
            }
            self.in_quotes = !self.in_quotes;
            start = quote + 1;
            // Nearly every gap is this one: no search for the quote that ends it.
            if !self.in_quotes && block[start..].starts_with(b", \"") {
                block.swap(start, start + 1);
                self.in_quotes = true;
                start += 3;
            }
        }
        if !self.in_quotes
            && let Some(end) = move_space(&mut block[start..])
        {
            record_start = start + end;
            self.record_bytes = 0;
        }
        self.record_bytes += block.len() - record_start;
        if self.record_bytes > MAX_RECORD {
            let bound = MAX_RECORD >> 20;
            return Err(io::Error::other(format!(
                "a record is larger than the bound of {bound} MiB: a quote may be missing"
            )));
        }
        Ok(())
    }
}

/// Moves the comma of `, ` behind the spaces that follow it. Returns where the record ends, if it does.
fn move_space(gap: &mut [u8]) -> Option<usize> {
    if let [comma @ b',', space @ b' '] = gap {
        std::mem::swap(comma, space);
        return None;
    }
    let text = gap.iter().rposition(|b| *b != b' ')?;
    let last = gap.len() - 1;
    if gap[text] == b',' {
        gap.swap(text, last);
    }
    memchr::memrchr(b'\n', gap)
}

impl<R: Read> Read for Spacing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let held = usize::from(self.held_comma);
            if buf.len() <= held {
                return Err(io::Error::other("the buffer is too small"));
            }
            let n = self.inner.read(&mut buf[held..])?;
            if self.held_comma {
                buf[0] = b',';
            }
            let len = held + n;
            self.rewrite(&mut buf[..len])?;
            self.held_comma = n > 0 && !self.in_quotes && buf[len - 1] == b',';
            match len - usize::from(self.held_comma) {
                0 if n > 0 => {}
                ready => return Ok(ready),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads through blocks of every size, as the comma and the space may fall into two of them.
    fn fields(text: &str) -> Vec<String> {
        let mut all: Vec<Vec<String>> = (2..40)
            .map(|capacity| {
                let mut csv = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .buffer_capacity(capacity)
                    .from_reader(Spacing::new(text.as_bytes()));
                csv.records()
                    .flat_map(|record| {
                        record
                            .unwrap()
                            .iter()
                            .map(|f| f.trim().to_owned())
                            .collect::<Vec<_>>()
                    })
                    .collect()
            })
            .collect();
        all.dedup();
        assert_eq!(
            all.len(),
            1,
            "the size of the blocks must not matter: {all:?}"
        );
        all.remove(0)
    }

    #[test]
    fn spaces_after_commas_do_not_reach_the_fields() {
        assert_eq!(
            fields(
                "\"a\", \"b\",\"c\",   \"d\", 5, \"e\"\r\n\"1\", \"2\", \"3\", \"4\", \"5\", \"6\""
            ),
            ["a", "b", "c", "d", "5", "e", "1", "2", "3", "4", "5", "6"]
        );
    }

    #[test]
    fn commas_quotes_and_newlines_in_a_field_stay_as_they_are() {
        assert_eq!(
            fields("\"a, b\", \"x\"\", \"\"y\", \"l\n, m\""),
            ["a, b", "x\", \"y", "l\n, m"]
        );
    }

    #[test]
    fn an_unclosed_quote_does_not_fill_the_memory() {
        let mut endless = Spacing::new(Read::chain(&b"\"a\", \""[..], io::repeat(b'x')));
        let error = io::copy(&mut endless, &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("bound of 1 MiB"));
    }
}
