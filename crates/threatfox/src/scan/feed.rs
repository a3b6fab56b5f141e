//! The feed of a scan: its keys before the logs are read, the rows that were met after.

use std::io::Write;

use super::fingerprints::{Fingerprints, KeySet};
use crate::error::Error;
use crate::feed::{Line, lines};
use crate::match_key::Kind;
use crate::source::Input;

/// A feed of which only the fingerprints of its keys are in memory.
pub struct NarrowedFeed {
    input: Input,
    kinds: Vec<Kind>,
    rows: u64,
    /// The keys to look up.
    pub keys: KeySet,
}

impl NarrowedFeed {
    /// Reads the keys of these kinds.
    ///
    /// # Errors
    /// The feed cannot be read, is not a feed, is of another version, or has no row of these kinds.
    pub fn open(input: Input, kinds: Vec<Kind>) -> Result<Self, Error> {
        let mut keys = KeySet::default();
        let mut rows = 0;
        lines(&input, &mut |line| {
            if let Line::Row { key, kind, .. } = line
                && kinds.iter().any(|wanted| wanted.name() == kind)
            {
                keys.insert(key);
                rows += 1;
            }
            Ok(())
        })?;
        if rows == 0 {
            return Err(Error::Incomplete {
                name: input.name().to_owned(),
                problem: "no row of the kinds asked for after the header".to_owned(),
            });
        }
        Ok(Self {
            input,
            kinds,
            rows,
            keys,
        })
    }

    /// How many rows of these kinds the feed has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes the rows whose keys were met, with the header, and gives back their number.
    ///
    /// # Errors
    /// The feed cannot be read again or has changed since, or `out` fails.
    pub fn write_met(&self, met: &Fingerprints, out: &mut dyn Write) -> Result<u64, Error> {
        let (mut read, mut written) = (0, 0);
        lines(&self.input, &mut |line| {
            let text = match line {
                Line::Header(text) => text,
                Line::Row { kind, .. } if self.kinds.iter().all(|wanted| wanted.name() != kind) => {
                    return Ok(());
                }
                Line::Row { key, text, .. } => {
                    read += 1;
                    if !met.contains(&self.keys.fingerprint(key)) {
                        return Ok(());
                    }
                    written += 1;
                    text
                }
            };
            writeln!(out, "{text}").map_err(|source| Error::Io {
                action: "write",
                path: "the feed's rows that were met".to_owned(),
                source,
            })
        })?;
        if read != self.rows {
            return Err(Error::Incomplete {
                name: self.input.name().to_owned(),
                problem: "it was changed while the logs were read".to_owned(),
            });
        }
        Ok(written)
    }
}
