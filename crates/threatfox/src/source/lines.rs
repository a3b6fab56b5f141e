//! Lines of a text, whatever ends them: LF, CRLF, or CR alone as on old Macs and in some exports of spreadsheets.

use std::io::{self, BufRead, ErrorKind};

use memchr::memchr2;

use super::MAX_FIELD;

/// Reads line by line.
pub(super) struct Lines<'a> {
    content: &'a mut dyn BufRead,
    line: Vec<u8>,
    number: u64,
    /// Whether the last line ended with CR: an LF that follows belongs to it.
    after_return: bool,
}

/// A line, without its end.
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub number: u64,
    /// `None` where it is larger than a field may be.
    pub bytes: Option<&'a [u8]>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(content: &'a mut dyn BufRead) -> Self {
        Self {
            content,
            line: Vec::new(),
            number: 0,
            after_return: false,
        }
    }

    /// Reads the next line. Of a long one only a part is ever in memory.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let (mut begun, mut length) = (false, 0);
        loop {
            let block = match self.content.fill_buf() {
                Ok(block) => block,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if block.is_empty() {
                break;
            }
            if std::mem::take(&mut self.after_return) && block[0] == b'\n' {
                self.content.consume(1);
                continue;
            }
            begun = true;
            let end = memchr2(b'\n', b'\r', block);
            let part = &block[..end.unwrap_or(block.len())];
            length += part.len();
            let room = MAX_FIELD.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let taken = part.len() + usize::from(end.is_some());
            self.after_return = end.is_some_and(|end| block[end] == b'\r');
            self.content.consume(taken);
            if end.is_some() {
                break;
            }
        }
        self.number += u64::from(begun);
        Ok(begun.then_some(Line {
            number: self.number,
            bytes: (length <= MAX_FIELD).then_some(&self.line),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn lines(text: &[u8]) -> Vec<(u64, Option<String>)> {
        // Two bytes at a time, so that ends of lines are cut in two.
        let mut content = BufReader::with_capacity(2, text);
        let mut lines = Lines::new(&mut content);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let text = line
                .bytes
                .map(|bytes| String::from_utf8_lossy(bytes).into());
            all.push((line.number, text));
        }
        all
    }

    #[test]
    fn each_end_of_a_line_counts_once() {
        let read: Vec<_> = lines(b"a\nbc\r\nd\re\r\r\n\nf")
            .into_iter()
            .map(|(number, text)| (number, text.unwrap()))
            .collect();
        let text = |number, text: &str| (number, text.to_owned());
        assert_eq!(
            read,
            [
                text(1, "a"),
                text(2, "bc"),
                text(3, "d"),
                text(4, "e"),
                text(5, ""),
                text(6, ""),
                text(7, "f")
            ]
        );
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let mut text = vec![b'x'; MAX_FIELD];
        text.push(b'\n');
        text.extend(vec![b'x'; MAX_FIELD + 1]);
        text.extend(b"\nevil.example");
        let read = lines(&text);
        assert_eq!(read[0].1.as_ref().map(String::len), Some(MAX_FIELD));
        assert_eq!(read[1], (2, None));
        assert_eq!(read[2], (3, Some("evil.example".to_owned())));
    }
}
