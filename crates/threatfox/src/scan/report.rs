//! The counts of a log.

use std::collections::BTreeMap;

use serde::Serialize;

/// The counts of a log.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct LogReport {
    /// The log, as it was given.
    pub path: String,
    /// The events of the period that are not damaged, by provider and id. Only providers that have a place in the rules
    /// count.
    pub events: BTreeMap<String, BTreeMap<u64, u64>>,
    /// Events of the period of other providers.
    pub other: u64,
    /// The earliest of the events, seconds since 1970.
    pub first: Option<f64>,
    /// The latest.
    pub last: Option<f64>,
    /// Events that may hold an indicator.
    pub candidates: u64,
    /// Chunks with records.
    pub chunks: u64,
    /// Parts that are not a chunk, and chunks of which a record is missing.
    pub damaged_chunks: u64,
    /// Records that could not be read, or not all of them. What could be read is searched too.
    pub damaged_records: u64,
    /// Why it was not read to its end.
    pub error: Option<String>,
}

impl LogReport {
    /// All events of the providers that count.
    #[must_use]
    pub fn event_count(&self) -> u64 {
        self.events.values().flat_map(BTreeMap::values).sum()
    }

    pub(super) fn count(&mut self, provider: &str, id: u64, count: u64) {
        let ids = match self.events.get_mut(provider) {
            Some(ids) => ids,
            None => self.events.entry(provider.to_owned()).or_default(),
        };
        *ids.entry(id).or_default() += count;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (provider, ids) in &other.events {
            for (id, count) in ids {
                self.count(provider, *id, *count);
            }
        }
        let times = other.first.into_iter().chain(other.last);
        times.for_each(|time| self.span(time));
        self.other += other.other;
        self.candidates += other.candidates;
        self.chunks += other.chunks;
        self.damaged_chunks += other.damaged_chunks;
        self.damaged_records += other.damaged_records;
    }

    pub(super) fn span(&mut self, time: f64) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }
}
