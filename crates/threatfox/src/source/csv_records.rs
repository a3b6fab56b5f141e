//! Records of `"a", "b"`, split where they lie in the block that was read: nothing is copied.
//!
//! Our own, as the csv crate takes a quote after a space for part of the field, and so cannot read ThreatFox's spacing by
//! itself. An
//! adapter in front of it would have to find the ends of fields just as it is done here, to double the stray quotes and to
//! bound the
//! records, and then csv would find them again: 80 instead of 41 ms for 100,000 records, of some 170 ms in all. Otherwise
//! the rules are its own (RFC 4180), but for a quote that neither ends its field nor is doubled: it is text.

use std::io::{self, Read};
use std::mem;
use std::ops::Range;
use std::str::{self, Utf8Error};

use memchr::{memchr, memchr_iter, memchr2};

/// The number of bytes to read at a time.
const BLOCK: usize = 64 * 1024;
/// The most fields of a record that are kept; the rest is only counted. An export has 15.
const MAX_FIELDS: usize = 64;
/// With so many fields a batch is full. A block of an export has 9,000.
const FULL: usize = 32 * 1024;
/// A record of this many bytes is damage, such as a quote that is missing: 15 fields of 64 KiB fit.
const MAX_RECORD: usize = 1 << 20;

/// Reads the records of an input, a batch at a time. Do not read on after an error.
pub(crate) struct Records<R> {
    inner: R,
    /// The line that comes next.
    line: u64,
    /// The part of an incomplete record that was read.
    rest: Vec<u8>,
    /// Whether there may be whole records in it, as the last batch was full.
    whole: bool,
    /// Whether the input has nothing more.
    ended: bool,
}

/// Records that were read in one go: one at least.
pub(crate) struct Batch {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    records: Vec<Bounds>,
    /// The line of the first byte.
    line: u64,
}

/// Where a record stands in its batch.
struct Bounds {
    bytes: Range<usize>,
    fields: Range<usize>,
    /// The number of its fields, including those that are not kept.
    count: usize,
}

/// Where a field stands in its record.
struct Field {
    start: usize,
    end: usize,
    /// Whether there are doubled quotes in it.
    doubled: bool,
}

/// One record. A field without quotes keeps the blanks around it.
pub(crate) struct CsvRecord<'a> {
    bytes: &'a [u8],
    fields: &'a [Field],
    count: usize,
    /// The batch in front of it, and the line of that.
    before: &'a [u8],
    first_line: u64,
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

impl<'a> CsvRecord<'a> {
    /// How many fields there are: one at least, and maybe more than are kept.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Its size in bytes, including the separators.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The line it begins in, which is counted when it is asked for.
    pub(crate) fn line(&self) -> u64 {
        self.first_line + count_lines(self.before)
    }

    /// The fields, as far as they are kept.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        self.fields.iter().map(|f| &bytes[f.start..f.end])
    }

    /// The fields as text.
    pub(crate) fn texts(&self) -> Result<impl Iterator<Item = &'a str> + use<'a>, Utf8Error> {
        let text = str::from_utf8(self.bytes)?;
        Ok(self.fields.iter().map(|f| &text[f.start..f.end]))
    }
}

impl Batch {
    /// The whole records in front of some text, blank lines left out, and how long they are.
    fn split(text: Vec<u8>, ended: bool, line: u64) -> (Self, usize) {
        let mut batch = Self {
            fields: Vec::with_capacity(text.len() / 12),
            records: Vec::new(),
            bytes: text,
            line,
        };
        let (mut start, mut known) = (0, 0);
        while known < FULL
            && let Some((len, count)) = split(&batch.bytes[start..], ended, &mut batch.fields)
        {
            let bytes = &mut batch.bytes[start..start + len];
            if bytes.trim_ascii().is_empty() {
                batch.fields.truncate(known);
            } else {
                for field in &mut batch.fields[known..] {
                    if field.doubled {
                        field.end = field.start + undouble(&mut bytes[field.start..field.end]);
                    }
                }
                let fields = known..batch.fields.len();
                known = fields.end;
                batch.records.push(Bounds {
                    bytes: start..start + len,
                    fields,
                    count,
                });
            }
            start += len;
        }
        (batch, start)
    }

    /// The records in their order.
    pub(crate) fn records(&self) -> impl Iterator<Item = CsvRecord<'_>> {
        self.records.iter().map(|bounds| CsvRecord {
            bytes: &self.bytes[bounds.bytes.clone()],
            fields: &self.fields[bounds.fields.clone()],
            count: bounds.count,
            before: &self.bytes[..bounds.bytes.start],
            first_line: self.line,
        })
    }
}

impl<R: Read> Records<R> {
    /// `line` is the number of the first line.
    pub(crate) fn new(inner: R, line: u64) -> Self {
        Self {
            inner,
            line,
            rest: Vec::new(),
            whole: false,
            ended: false,
        }
    }

    /// Reads on until there is a record, or nothing more.
    fn batch(&mut self) -> io::Result<Option<Batch>> {
        while !self.ended || self.whole {
            let mut text = mem::take(&mut self.rest);
            if !self.whole && text.len() >= MAX_RECORD {
                let bound = MAX_RECORD >> 20;
                return Err(io::Error::other(format!(
                    "a record is larger than the bound of {bound} MiB: a quote may be missing"
                )));
            }
            if !self.whole {
                self.read_block(&mut text)?;
            }
            let (mut batch, len) = Batch::split(text, self.ended, self.line);
            self.line += count_lines(&batch.bytes[..len]);
            self.rest = batch.bytes.split_off(len);
            self.whole = batch.fields.len() >= FULL;
            if !batch.records.is_empty() {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Adds a block to the text, a longer one to a long text, so that none is looked at often.
    fn read_block(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        let size = BLOCK.max(text.len());
        text.reserve(size);
        let read = (&mut self.inner).take(size as u64).read_to_end(text)?;
        self.ended = read < size;
        Ok(())
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = io::Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

/// Adds the fields of the first record, and says its length, the end of its line included, and how many fields it has.
/// `None` where its end is not there yet, or nothing is left.
fn split(text: &[u8], ended: bool, fields: &mut Vec<Field>) -> Option<(usize, usize)> {
    if text.is_empty() {
        return None;
    }
    let (mut at, mut count) = (0, 0);
    loop {
        at += blanks(&text[at..]);
        let (field, stop) = if text.get(at) == Some(&b'"') {
            quoted(text, at + 1, ended)?
        } else {
            bare(text, at, ended)?
        };
        count += 1;
        if count <= MAX_FIELDS {
            fields.push(field);
        }
        match text.get(stop) {
            Some(b',') => at = stop + 1,
            Some(_) => return Some((stop + 1, count)),
            None => return Some((stop, count)),
        }
    }
}

/// A field that ends with a quote before a comma, the end of the line or the end of all, and where that is.
fn quoted(text: &[u8], start: usize, ended: bool) -> Option<(Field, usize)> {
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
            Some(b',' | b'\n') => return Some((Field::new(start, end, doubled), stop)),
            Some(_) => {}
            None => return ended.then_some((Field::new(start, end, doubled), stop)),
        }
    }
    ended.then(|| (Field::new(start, text.len(), doubled), text.len()))
}

/// A field without quotes, and where the comma or the end after it is.
fn bare(text: &[u8], start: usize, ended: bool) -> Option<(Field, usize)> {
    let stop = match memchr2(b',', b'\n', &text[start..]) {
        Some(len) => start + len,
        None if ended => text.len(),
        None => return None,
    };
    Some((Field::new(start, stop, false), stop))
}

/// How many blanks are in front, the half of a line's end among them.
fn blanks(text: &[u8]) -> usize {
    let blank = |b: &&u8| matches!(b, b' ' | b'\r');
    text.iter().take_while(blank).count()
}

fn count_lines(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

/// Makes one quote of two, and blanks of what is left over. Returns the new length.
fn undouble(field: &mut [u8]) -> usize {
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

#[cfg(test)]
mod tests;
