//! Why no more records of a CSV can be read.

use std::io;

use super::MAX_RECORD;
use crate::error::{Error, Place};

/// What ends the reading.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The input cannot be read to its end.
    Io(io::Error),
    /// The quotation mark that opens a field in this line is never closed: the field would have swallowed what follows.
    OpenQuote { line: u64 },
    /// The record that begins in this line is larger than any is.
    TooLarge { line: u64 },
}

impl Stop {
    /// The error of an input of this name.
    pub(crate) fn of(self, name: &str) -> Error {
        let name = name.to_owned();
        match self {
            Self::Io(source) => Error::Unreadable { name, source },
            Self::OpenQuote { line } => Error::OpenQuote {
                name,
                place: Place::Line(line),
            },
            Self::TooLarge { line } => {
                let bound = MAX_RECORD >> 20;
                let problem = format!(
                    "the record of line {line} is larger than the bound of {bound} MiB: a quote may be missing"
                );
                Error::Unreadable {
                    name,
                    source: io::Error::other(problem),
                }
            }
        }
    }
}
