//! The counts of a log.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;

use super::counts::Count;

/// The least and the greatest time of events, seconds since 1970. They may stand in another order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Span {
    /// The least.
    pub first: f64,
    /// The greatest.
    pub last: f64,
}

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
    /// The times of the events, by provider.
    pub spans: BTreeMap<String, Span>,
    /// The ids of which an event has the field that `logs.csv` asks for, by provider.
    pub told: BTreeMap<String, BTreeMap<u64, bool>>,
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

    /// Adds the events of an id.
    pub(super) fn count(&mut self, provider: &str, id: u64, count: &Count) {
        *of(&mut self.events, provider).entry(id).or_default() += count.events;
        if count.tells {
            of(&mut self.told, provider).insert(id, true);
        }
        if let Some(span) = count.span {
            self.span(provider, span);
        }
    }

    /// Adds those of another part of the log.
    pub(super) fn add(&mut self, other: Self) {
        for (provider, ids) in other.events {
            let known = of(&mut self.events, &provider);
            for (id, events) in ids {
                *known.entry(id).or_default() += events;
            }
        }
        for (provider, ids) in other.told {
            of(&mut self.told, &provider).extend(ids);
        }
        for (provider, span) in other.spans {
            self.span(&provider, span);
        }
        self.other += other.other;
        self.candidates += other.candidates;
        self.chunks += other.chunks;
        self.damaged_chunks += other.damaged_chunks;
        self.damaged_records += other.damaged_records;
    }

    fn span(&mut self, provider: &str, span: Span) {
        match self.spans.entry(provider.to_owned()) {
            Entry::Occupied(mut known) => known.get_mut().widen(span),
            Entry::Vacant(new) => {
                new.insert(span);
            }
        }
        let (first, last) = (self.first, self.last);
        self.first = Some(first.map_or(span.first, |first| first.min(span.first)));
        self.last = Some(last.map_or(span.last, |last| last.max(span.last)));
    }
}

impl Span {
    pub(super) fn widen(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// What belongs to a provider.
fn of<'m, V: Default>(map: &'m mut BTreeMap<String, V>, provider: &str) -> &'m mut V {
    map.entry(provider.to_owned()).or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_span_of_a_provider_is_the_least_and_the_greatest_time_of_its_own_events() {
        let of = |times: &[f64]| {
            let mut count = Count::default();
            for time in times {
                count.add(*time, || false);
            }
            count
        };
        let mut report = LogReport::default();
        report.count("a", 1, &of(&[5.0, 3.0, 4.0]));
        report.count("b", 1, &of(&[9.0]));
        let mut later = LogReport::default();
        later.count("a", 2, &of(&[2.0]));
        report.add(later);
        let span = |first, last| Span { first, last };
        assert_eq!(report.spans["a"], span(2.0, 5.0));
        assert_eq!(report.spans["b"], span(9.0, 9.0));
        assert_eq!((report.first, report.last), (Some(2.0), Some(9.0)));
    }

    #[test]
    fn one_event_that_tells_something_is_enough() {
        let mut report = LogReport::default();
        let mut count = Count::default();
        for tells in [false, true, false] {
            count.add(0.0, || tells);
        }
        report.count("a", 1, &count);
        report.count("a", 2, &Count::default());
        assert_eq!(report.told["a"], BTreeMap::from([(1, true)]));
    }
}
