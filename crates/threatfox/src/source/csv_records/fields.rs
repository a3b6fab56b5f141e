//! Where the fields of a record are: in quotes or bare, with a delimiter between.

use memchr::{memchr, memchr2, memrchr};

/// The most fields of a record that are kept; the rest is only counted. An export has 15.
pub(super) const MAX_FIELDS: usize = 64;

/// Where a field stands in its record.
pub(super) struct Field {
    pub start: usize,
    pub end: usize,
    /// Whether there are doubled quotes in it.
    pub doubled: bool,
}

impl Field {
    fn new(start: usize, end: usize, doubled: bool) -> Self {
        Self {
            start,
            end,
            doubled,
        }
    }
}

/// Where a quotation mark opens a field that does not end.
pub(super) struct OpenQuote(pub usize);

/// What is left of the text that was read.
pub(super) struct Text<'a> {
    pub bytes: &'a [u8],
    /// Whether nothing follows it.
    pub ended: bool,
    pub delimiter: u8,
}

impl Text<'_> {
    /// Adds the fields of the first record, and says its length, the end of its line included, and how many fields it has.
    /// `None` where its end is not there yet, or nothing is left.
    pub fn split(&self, fields: &mut Vec<Field>) -> Result<Option<(usize, usize)>, OpenQuote> {
        let text = self.bytes;
        if text.is_empty() {
            return Ok(None);
        }
        let (mut at, mut count) = (0, 0);
        loop {
            at += blanks(&text[at..]);
            let found = if text.get(at) == Some(&b'"') {
                self.quoted(at + 1)?
            } else {
                self.bare(at)
            };
            let Some((field, stop)) = found else {
                return Ok(None);
            };
            count += 1;
            if count <= MAX_FIELDS {
                fields.push(field);
            }
            match text.get(stop) {
                Some(byte) if *byte == self.delimiter => at = stop + 1,
                Some(_) => return Ok(Some((stop + 1, count))),
                None => return Ok(Some((stop, count))),
            }
        }
    }

    /// A field that ends with a quote before a comma, the end of the line or the end of all, and where that is.
    fn quoted(&self, start: usize) -> Result<Option<(Field, usize)>, OpenQuote> {
        let text = self.bytes;
        let mut doubled = false;
        let mut at = start;
        while let Some(quote) = memchr(b'"', &text[at..]) {
            let end = at + quote;
            at = end + 1;
            if text.get(at) == Some(&b'"') {
                doubled = true;
                at += 1;
                continue;
            }
            let stop = at + blanks(&text[at..]);
            match text.get(stop) {
                Some(byte) if *byte == self.delimiter || *byte == b'\n' => {
                    return Ok(Some((Field::new(start, end, doubled), stop)));
                }
                Some(_) if self.opens_field(start, end) => return Err(OpenQuote(start - 1)),
                Some(_) => {}
                None if self.ended => return Ok(Some((Field::new(start, end, doubled), stop))),
                None => return Ok(None),
            }
        }
        if self.ended {
            return Err(OpenQuote(start - 1));
        }
        Ok(None)
    }

    /// Whether a quote inside a field is in truth the first of a field in a later line: then the one before the field was
    /// never closed, and whole records would be lost in it.
    fn opens_field(&self, start: usize, quote: usize) -> bool {
        let inside = &self.bytes[start..quote];
        let before = inside.iter().rfind(|byte| !matches!(byte, b' ' | b'\r'));
        before.is_some_and(|byte| *byte == self.delimiter || *byte == b'\n')
            && memrchr(b'\n', inside).is_some()
    }

    /// A field without quotes, and where the comma or the end after it is.
    fn bare(&self, start: usize) -> Option<(Field, usize)> {
        let stop = match memchr2(self.delimiter, b'\n', &self.bytes[start..]) {
            Some(len) => start + len,
            None if self.ended => self.bytes.len(),
            None => return None,
        };
        Some((Field::new(start, stop, false), stop))
    }
}

/// How many blanks are in front, the half of a line's end among them.
fn blanks(text: &[u8]) -> usize {
    let blank = |b: &&u8| matches!(b, b' ' | b'\r');
    text.iter().take_while(blank).count()
}

/// Makes one quote of two, and blanks of what is left over. Returns the new length.
pub(super) fn undouble(field: &mut [u8]) -> usize {
    let (mut read, mut written) = (0, 0);
    while let Some(byte) = field.get(read).copied() {
        field[written] = byte;
        written += 1;
        read += if field[read..].starts_with(b"\"\"") {
            2
        } else {
            1
        };
    }
    field[written..].fill(b' ');
    written
}
