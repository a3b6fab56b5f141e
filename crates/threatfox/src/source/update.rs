//! An earlier export, brought up to date by a newer answer about the time since. What the answer has counts as it has it;
//! what it should have, and has not, was deleted at the source.

use std::collections::HashSet;

use super::Sink;
use crate::error::Error;
use crate::record::{Column, RawRecord, Record};
use crate::reject::{Reason, Reject};

/// The newer answer, as far as the earlier export needs to know it.
#[derive(Debug)]
pub struct Update {
    ids: HashSet<u64>,
    covered_since: i64,
}

impl Update {
    /// An answer that surely has every record first seen at or after a time, seconds since 1970.
    #[must_use]
    pub fn covering(covered_since: i64) -> Self {
        Self {
            ids: HashSet::new(),
            covered_since,
        }
    }

    /// Read the newer answer into this first: it hands all to `sink`.
    pub fn newer<'a>(&'a mut self, sink: &'a mut dyn Sink) -> impl Sink + 'a {
        Newer { update: self, sink }
    }

    /// Then the earlier export into this: it hands to `sink` what still holds, and the rest as left out.
    pub fn earlier<'a>(&'a self, sink: &'a mut dyn Sink) -> impl Sink + 'a {
        Earlier { update: self, sink }
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
    update: &'a Update,
    sink: &'a mut dyn Sink,
}

impl Sink for Earlier<'_> {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        let Ok(record) = Record::parse(raw) else {
            // Whoever takes it says what is wrong with it.
            return self.sink.record(raw);
        };
        if self.update.ids.contains(&record.id) {
            self.sink.unreadable(raw, &Reason::Superseded.into())
        } else if record.first_seen >= self.update.covered_since {
            self.sink.unreadable(raw, &Reason::LeftSource.into())
        } else {
            self.sink.record(raw)
        }
    }

    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.sink.unreadable(raw, reject)
    }
}
