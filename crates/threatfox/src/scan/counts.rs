//! How many events of which id a part of a log has, when they were written, and whether they tell what they are read for.

use super::report::Span;
use crate::rules::logs::LogFile;
use crate::rules::plan::Plan;

/// The counts of the events of one id.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Count {
    pub events: u64,
    pub span: Option<Span>,
    /// Whether one of them has what it is read for.
    pub tells: bool,
}

impl Count {
    /// Adds an event. What it tells is looked at until one told it.
    pub fn add(&mut self, time: f64, tells: impl FnOnce() -> bool) {
        let now = Span {
            first: time,
            last: time,
        };
        self.events += 1;
        self.span.get_or_insert(now).widen(now);
        self.tells = self.tells || tells();
    }
}

/// Events by provider and id. A log has a dozen ids: a short list is faster than a map.
#[derive(Default)]
pub(super) struct Counts(pub Vec<((usize, u64), Count)>);

impl Counts {
    pub fn of(&mut self, event: (usize, u64)) -> &mut Count {
        let known = self.0.iter().position(|(known, _)| *known == event);
        let at = known.unwrap_or_else(|| {
            self.0.push((event, Count::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

/// The events of which `logs.csv` asks for a field, as the plan numbers them.
pub(super) fn asked(plan: &Plan<'_>) -> Vec<((usize, u64), usize)> {
    let mut asked = Vec::new();
    for log in LogFile::built_in() {
        for events in &log.events {
            let Some(field) = plan.field(&events.field) else {
                continue;
            };
            for (number, _) in plan
                .providers()
                .iter()
                .enumerate()
                .filter(|(_, provider)| log.providers.iter().any(|name| name == provider.name))
            {
                asked.extend(events.event_ids.iter().map(|id| ((number, *id), field)));
            }
        }
    }
    asked
}
