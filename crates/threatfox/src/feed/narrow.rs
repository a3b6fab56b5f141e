//! The rows of a feed as they stand, for who picks some by their keys and passes them on.

use super::line::{Fields, Lines, broken};
use super::read::Header;
use crate::error::Error;
use crate::source::{Input, unpack};

/// A line of a feed.
#[derive(Debug, Clone, Copy)]
pub enum Line<'a> {
    /// The first: the names of the columns.
    Header(&'a str),
    /// A row.
    Row {
        /// What is looked up.
        key: &'a str,
        /// The whole row, without the line's end.
        text: &'a str,
    },
}

/// Hands over each line of a feed, plain or gzipped. Only the columns' names and the keys are read.
///
/// # Errors
/// The input cannot be read, is no feed, lacks a column or has a row whose key cannot be read. Also the error of
/// `take`.
pub fn lines(
    input: &Input,
    take: &mut dyn FnMut(Line<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    unpack(input, |content| {
        let mut lines = Lines::new(input.name(), content);
        let Some((_, header)) = lines.next()? else {
            let name = input.name().to_owned();
            return Err(Error::Empty { name });
        };
        let column = Header::of(input.name(), header)?.key();
        take(Line::Header(header))?;
        let mut fields = Fields::default();
        while let Some((place, text)) = lines.next()? {
            if text.is_empty() {
                continue;
            }
            // Nearly always the key is the first field and has no quote.
            let first = memchr::memchr2(b',', b'"', text.as_bytes());
            let key = match first {
                Some(comma) if column == 0 && text.as_bytes()[comma] == b',' => &text[..comma],
                _ => fields.split(text).map_or("", |texts| texts.get(column)),
            };
            if key.is_empty() {
                return Err(broken(input.name(), place, "no key in this row"));
            }
            take(Line::Row { key, text })?;
        }
        Ok(())
    })
}
