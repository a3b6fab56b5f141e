//! The verdict on a candidate, as a line of JSON per hit.

use serde::Serialize;
use sysmon_log::Value;

use super::observables::EventRow;
use super::results::{EventHits, EventId};
use crate::lookup::{Hit, Index, Matcher, Wanted};
use crate::rules::{Rules, Strength};

/// What gives the verdict on candidates.
pub struct Judge<'k> {
    /// The whole feed.
    pub index: &'k Index,
    /// Which rows of it count.
    pub wanted: Wanted,
    /// Weaker matches are left out.
    pub min_strength: Strength,
}

/// A judge at work in one thread.
pub(super) struct Verdicts<'k> {
    matcher: Matcher<'k, &'k Index>,
    min_strength: Strength,
    hits: Vec<Hit<'k>>,
}

/// A hit. The names are those of a hunt's columns.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HitRow<'h> {
    time: Option<f64>,
    computer: Option<&'h str>,
    #[serde(rename = "RecordID")]
    record: Option<u64>,
    place: &'h str,
    #[serde(rename = "EventID")]
    event: u64,
    #[serde(rename = "IOC")]
    ioc: &'h str,
    #[serde(rename = "Match")]
    matched: &'h str,
    strength: &'h str,
    observable: &'h str,
    malware: &'h str,
    confidence: u8,
    warning: &'h str,
    log_file: &'h str,
}

/// What is known of an event from its head. A damaged one may lack its id or its time.
#[derive(Clone, Copy)]
pub(super) struct Head<'h> {
    pub provider: &'h str,
    /// Its number in the plan.
    pub number: usize,
    pub id: Option<u64>,
    pub time: Option<f64>,
    /// Whether it counts.
    pub in_period: bool,
    pub log: &'h str,
}

impl<'k> Verdicts<'k> {
    pub fn new(rules: &'k Rules, judge: &Judge<'k>) -> Self {
        Self {
            matcher: Matcher::new(rules, judge.index, judge.wanted.clone()),
            min_strength: judge.min_strength,
            hits: Vec::new(),
        }
    }

    /// The hits of an event, where it has any.
    pub fn of(&mut self, head: Head<'_>, row: &EventRow<'_, '_>) -> Option<EventHits> {
        let id = head.id?;
        self.hits.clear();
        self.matcher
            .row(head.provider, Some(id), row, &mut self.hits);
        self.hits.retain(|hit| hit.strength >= self.min_strength);
        if self.hits.is_empty() {
            return None;
        }
        let event = row.event.build(row.chunk);
        let system = event.as_ref().and_then(|event| event.get("System"));
        let mut computer = String::new();
        let named = system
            .and_then(|system| system.get("Computer"))
            .is_some_and(|name| name.write_text(&mut computer));
        let record = system
            .and_then(|system| system.get("EventRecordID"))
            .and_then(Value::number);
        let mut lines = Vec::new();
        for hit in &self.hits {
            let row = HitRow {
                // As exact as the log's own times are shown.
                time: head.time.map(|time| (time * 1000.0).round() / 1000.0),
                computer: named.then_some(&computer),
                record,
                place: &format!("{} {id}", head.provider),
                event: id,
                ioc: hit.row.indicator(),
                matched: &hit.matched.name,
                strength: hit.strength.name(),
                observable: &hit.observable,
                malware: hit.row.malware,
                confidence: hit.row.confidence,
                warning: hit.row.warning,
                log_file: head.log,
            };
            // Writing to a Vec does not fail.
            _ = serde_json::to_writer(&mut lines, &row);
            lines.push(b'\n');
        }
        let event = record.filter(|_| named).map(|record| EventId {
            computer,
            provider: head.number,
            record,
        });
        Some(EventHits {
            event,
            count: self.hits.len() as u64,
            lines,
        })
    }
}
