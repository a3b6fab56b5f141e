//! An earlier export, updated by a newer answer about the time since. A record in the answer replaces the earlier one;
//! a record that the answer should have and does not have was deleted at the source.

use std::collections::HashSet;

use super::{Report, Sink};
use crate::error::Error;
use crate::record::{Column, RawRecord, Record};
use crate::reject::{Reason, Reject};

/// This many records may be missing from an answer, even if they are most of them.
const FEW: u64 = 10;

/// The newer answer, as far as the earlier export needs to know it.
#[derive(Debug)]
pub struct Update {
    ids: HashSet<u64>,
    covered_since: i64,
    /// Records of the earlier export that the answer should have.
    covered: u64,
    /// Those of them that it has not.
    missing: u64,
}

impl Update {
    /// An answer that surely has every record first seen at or after a time, seconds since 1970.
    #[must_use]
    pub fn covering(covered_since: i64) -> Self {
        Self {
            ids: HashSet::new(),
            covered_since,
            covered: 0,
            missing: 0,
        }
    }

    /// Read the newer answer into this first: it hands all to `sink`.
    pub fn newer<'a>(&'a mut self, sink: &'a mut dyn Sink) -> impl Sink + 'a {
        Newer { update: self, sink }
    }

    /// Then the earlier export into this: it hands to `sink` what still holds, and the rest as left out.
    pub fn earlier<'a>(&'a mut self, sink: &'a mut dyn Sink) -> impl Sink + 'a {
        Earlier { update: self, sink }
    }

    /// Was the newer answer whole? Some records are deleted every day, but never most of them: then the answer was cut, or
    /// does not reach as far back as it should.
    ///
    /// # Errors
    /// [`Error::Incomplete`], for the answer that was read into [`Update::newer`].
    pub fn check(&self, newer: &Report) -> Result<(), Error> {
        if self.missing <= FEW || self.missing <= self.covered / 2 {
            return Ok(());
        }
        Err(Error::Incomplete {
            name: newer.name.clone(),
            problem: format!(
                "it lacks {} of the {} records that the earlier export has of the same time",
                self.missing, self.covered
            ),
        })
    }
}

struct Newer<'a> {
    update: &'a mut Update,
    sink: &'a mut dyn Sink,
}

impl Sink for Newer<'_> {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        self.update.ids.extend(raw.get(Column::Id).parse::<u64>());
        self.sink.record(raw)
    }

    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.sink.unreadable(raw, reject)
    }
}

struct Earlier<'a> {
    update: &'a mut Update,
    sink: &'a mut dyn Sink,
}

impl Sink for Earlier<'_> {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        let Ok(record) = Record::parse(raw) else {
            // The sink says what is wrong with it.
            return self.sink.record(raw);
        };
        let known = record.id.is_some_and(|id| self.update.ids.contains(&id));
        let covered = record.first_seen >= Some(self.update.covered_since);
        self.update.covered += u64::from(covered);
        self.update.missing += u64::from(covered && !known);
        if known {
            self.sink.unreadable(raw, &Reason::Superseded.into())
        } else if covered {
            self.sink.unreadable(raw, &Reason::LeftSource.into())
        } else {
            self.sink.record(raw)
        }
    }

    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.sink.unreadable(raw, reject)
    }
}
