//! Records of `"a", "b"`, split where they lie in the block that was read: nothing is copied.
//!
//! Our own, as the csv crate takes a quote after a space for part of the field, and so cannot read ThreatFox's spacing by
//! itself. An
//! adapter in front of it would have to find the ends of fields just as it is done here, to double the stray quotes and to
//! bound the
//! records, and then csv would find them again: 80 instead of 41 ms for 100,000 records, of some 170 ms in all. Otherwise
//! the rules are its own (RFC 4180), but for a quote that neither ends its field nor is doubled: it is text. Where it opens a
//! field in a later line, or the text ends before the field does, the quote in front was never closed.

mod fields;
mod stop;

use std::io::{self, Read};
use std::mem;
use std::ops::Range;
use std::str::{self, Utf8Error};

use memchr::memchr_iter;

use fields::{Field, OpenQuote, Text, undouble};
pub(crate) use stop::Stop;

/// The number of bytes to read at a time.
const BLOCK: usize = 64 * 1024;
/// With so many fields a batch is full. A block of an export has 9,000.
const FULL: usize = 32 * 1024;
/// A record of this many bytes is damage, such as a quote that is missing: 15 fields of 64 KiB fit.
const MAX_RECORD: usize = 1 << 20;

/// Reads the records of an input, a batch at a time. Do not read on after an error.
pub(crate) struct Records<R> {
    inner: R,
    delimiter: u8,
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

/// One record. A field without quotes keeps the blanks around it.
pub(crate) struct CsvRecord<'a> {
    bytes: &'a [u8],
    fields: &'a [Field],
    count: usize,
    /// The batch in front of it, and the line of that.
    before: &'a [u8],
    first_line: u64,
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
    fn split(text: Vec<u8>, ended: bool, line: u64, delimiter: u8) -> Result<(Self, usize), Stop> {
        let mut batch = Self {
            fields: Vec::with_capacity(text.len() / 12),
            records: Vec::new(),
            bytes: text,
            line,
        };
        let (mut start, mut known) = (0, 0);
        while known < FULL {
            let rest = Text {
                bytes: &batch.bytes[start..],
                ended,
                delimiter,
            };
            let found = rest.split(&mut batch.fields).map_err(|OpenQuote(at)| {
                let line = line + count_lines(&batch.bytes[..start + at]);
                Stop::OpenQuote { line }
            })?;
            let Some((len, count)) = found else {
                break;
            };
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
        Ok((batch, start))
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
            delimiter: b',',
            line,
            rest: Vec::new(),
            whole: false,
            ended: false,
        }
    }

    /// The same where another byte than a comma stands between the fields.
    pub(crate) fn separated_by(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Reads on until there is a record, or nothing more.
    fn batch(&mut self) -> Result<Option<Batch>, Stop> {
        while !self.ended || self.whole {
            let mut text = mem::take(&mut self.rest);
            if !self.whole && text.len() >= MAX_RECORD {
                return Err(Stop::TooLarge { line: self.line });
            }
            if !self.whole {
                self.read_block(&mut text).map_err(Stop::Io)?;
            }
            let (mut batch, len) = Batch::split(text, self.ended, self.line, self.delimiter)?;
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
    type Item = Result<Batch, Stop>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

fn count_lines(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests;
