//! Lines of a feed and their fields. A field has no line break in it, so a line is a row: its number is known, and a
//! quote that is never closed costs one line.

use std::io::{BufRead, Read};
use std::ops::Range;

use crate::error::{Error, Place};
use crate::source::{Budget, MAX_FIELD, skip_mark};

/// A line may have this many bytes.
pub(super) const MAX_LINE: usize = 4 * MAX_FIELD;

/// Reads line after line into one buffer.
pub(super) struct Lines<'a> {
    pub name: &'a str,
    content: &'a mut dyn BufRead,
    budget: &'a Budget,
    bytes: Vec<u8>,
    number: u64,
}

impl<'a> Lines<'a> {
    pub fn new(
        name: &'a str,
        content: &'a mut dyn BufRead,
        budget: &'a Budget,
    ) -> Result<Self, Error> {
        skip_mark(content).map_err(|source| Error::Unreadable {
            name: name.to_owned(),
            source,
        })?;
        Ok(Self {
            name,
            content,
            budget,
            bytes: Vec::new(),
            number: 0,
        })
    }

    /// The next line, without its end, and where it stands.
    pub fn next(&mut self) -> Result<Option<(Place, &str)>, Error> {
        self.bytes.clear();
        (&mut self.content)
            .take(MAX_LINE as u64 + 1)
            .read_until(b'\n', &mut self.bytes)
            .map_err(|source| Error::Unreadable {
                name: self.name.to_owned(),
                source,
            })?;
        if self.bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        self.budget.check_records(self.name, self.number)?;
        let place = Place::Line(self.number);
        if self.bytes.len() > MAX_LINE {
            let problem = "the line is larger than the bound of 256 KiB";
            return Err(broken(self.name, place, problem));
        }
        let line = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line).map_err(|_| broken(self.name, place, "not UTF-8"))?;
        Ok(Some((place, line)))
    }
}

/// The error for a fault in a line of a feed.
pub(super) fn broken(name: &str, place: Place, problem: impl Into<String>) -> Error {
    Error::BrokenFeed {
        name: name.to_owned(),
        place,
        problem: problem.into(),
    }
}

/// The fields of a line.
#[derive(Default)]
pub(super) struct Fields {
    ends: Vec<Range<usize>>,
    /// Where there are quotes: the fields without them.
    unquoted: String,
}

impl Fields {
    /// Finds the fields of a line.
    pub fn split<'a>(&'a mut self, line: &'a str) -> Result<FieldTexts<'a>, String> {
        self.ends.clear();
        if !line.contains('"') {
            let mut start = 0;
            for comma in memchr::memchr_iter(b',', line.as_bytes()) {
                self.ends.push(start..comma);
                start = comma + 1;
            }
            self.ends.push(start..line.len());
            return Ok(FieldTexts {
                text: line,
                ends: &self.ends,
            });
        }
        let mut record = csv::StringRecord::new();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .buffer_capacity(line.len())
            .from_reader(line.as_bytes());
        reader
            .read_record(&mut record)
            .map_err(|error| error.to_string())?;
        self.unquoted.clear();
        for field in &record {
            let start = self.unquoted.len();
            self.unquoted.push_str(field);
            self.ends.push(start..self.unquoted.len());
        }
        Ok(FieldTexts {
            text: &self.unquoted,
            ends: &self.ends,
        })
    }
}

/// The fields of one line, by number.
#[derive(Clone, Copy)]
pub(super) struct FieldTexts<'a> {
    text: &'a str,
    ends: &'a [Range<usize>],
}

impl<'a> FieldTexts<'a> {
    pub fn len(self) -> usize {
        self.ends.len()
    }

    /// A field, empty where the line ends before it.
    pub fn get(self, n: usize) -> &'a str {
        self.ends
            .get(n)
            .map_or("", |range| &self.text[range.clone()])
    }

    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        self.ends.iter().map(move |range| &self.text[range.clone()])
    }
}
