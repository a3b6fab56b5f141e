//! Where the results of a scan go, and which events gave hits already.

use std::collections::HashSet;
use std::io::{self, Write};

use super::fingerprints::Fingerprints;
use super::processes::Processes;
use super::scripts::Scripts;

/// Takes the results of a scan of any number of logs.
#[derive(Default)]
pub struct Results<'w> {
    /// The keys that matched.
    pub met: Fingerprints,
    /// How many hits there were.
    pub hit_count: u64,
    /// The processes that the candidates name.
    pub processes: Processes,
    /// A script block may begin in one log and end in the next.
    pub(super) scripts: Scripts,
    events: Option<&'w mut dyn Write>,
    hits: Option<&'w mut dyn Write>,
    seen: Seen,
}

/// The hits of one event as lines of JSON.
pub(super) struct EventHits {
    /// The event; one of which that is not known is taken for another each time.
    pub event: Option<EventId>,
    pub count: u64,
    pub lines: Vec<u8>,
}

/// The identity of an event, which may stand in several logs.
pub(super) struct EventId {
    pub computer: String,
    /// The number of the provider in the plan.
    pub provider: usize,
    pub record: u64,
}

impl<'w> Results<'w> {
    /// Takes the candidates as lines of JSON, and the hits where a [`Judge`](super::Judge) gives a verdict.
    #[must_use]
    pub fn new(events: Option<&'w mut dyn Write>, hits: Option<&'w mut dyn Write>) -> Self {
        Self {
            events,
            hits,
            ..Self::default()
        }
    }

    /// Whether the candidates are written.
    pub(super) fn takes_events(&self) -> bool {
        self.events.is_some()
    }

    pub(super) fn write_events(&mut self, rows: &[u8]) -> io::Result<()> {
        match &mut self.events {
            Some(out) => out.write_all(rows),
            None => Ok(()),
        }
    }

    pub(super) fn write_hits(&mut self, hits: &EventHits) -> io::Result<()> {
        let Some(out) = &mut self.hits else {
            return Ok(());
        };
        if hits
            .event
            .as_ref()
            .is_none_or(|event| self.seen.insert(event))
        {
            out.write_all(&hits.lines)?;
            self.hit_count += hits.count;
        }
        Ok(())
    }
}

/// Events, the names of their computers once each.
#[derive(Default)]
struct Seen {
    computers: Vec<String>,
    events: HashSet<(usize, usize, u64)>,
}

impl Seen {
    /// Whether an event was not there before.
    fn insert(&mut self, event: &EventId) -> bool {
        let known = self
            .computers
            .iter()
            .position(|known| *known == event.computer);
        let computer = known.unwrap_or_else(|| {
            self.computers.push(event.computer.clone());
            self.computers.len() - 1
        });
        self.events.insert((computer, event.provider, event.record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_its_computer_its_provider_and_its_number() {
        let mut seen = Seen::default();
        let mut new = |computer: &str, provider, record| {
            let computer = computer.to_owned();
            seen.insert(&EventId {
                computer,
                provider,
                record,
            })
        };
        assert!(new("a", 0, 1) && new("b", 0, 1) && new("a", 1, 1) && new("a", 0, 2));
        assert!(!new("a", 0, 1) && !new("b", 0, 1));
    }
}
