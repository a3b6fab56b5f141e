//! Who the candidates are: the processes that they name, and the events in which these begin.
//!
//! A candidate names its process by Sysmon's `ProcessGuid`, or by an id alone, which Windows uses again. So all events in
//! which a process with such an id begins are written, of any computer: whoever reads them looks at computer and time.

use std::collections::HashSet;
use std::hash::Hash;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::Path;

use sysmon_log::{Block, Content, Error, Log};

use super::log::{BLOCK, Scan};
use super::observables::EventRow;
use super::pace::Pace;
use super::rows::{MAX_ROWS, write_row};
use crate::rules::plan::Plan;
use crate::rules::plan::ProcessFields;

/// The events in which a process begins: the provider and the number.
const CREATIONS: [(&str, u64); 3] = [
    ("Microsoft-Windows-Sysmon", 1),
    ("Linux-Sysmon", 1),
    ("Microsoft-Windows-Security-Auditing", 4688),
];

/// At most so many are kept of each kind, some MiB.
const MAX: usize = 100_000;

/// Processes that candidates name.
#[derive(Default)]
pub struct Processes {
    guids: HashSet<u128>,
    ids: HashSet<u64>,
    /// How many were left out, as there were too many.
    pub cut: u64,
}

impl Processes {
    /// Whether a provider has events in which a process begins.
    #[must_use]
    pub fn are_logged_by(provider: &str) -> bool {
        CREATIONS.iter().any(|(name, _)| *name == provider)
    }

    /// Whether an event is one in which a process begins.
    pub(super) fn begin_in(provider: &str, event_id: u64) -> bool {
        CREATIONS.contains(&(provider, event_id))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.guids.is_empty() && self.ids.is_empty()
    }

    /// Adds the processes with these ids, of text that has some.
    pub fn add_ids<'t>(&mut self, ids: impl Iterator<Item = &'t str>) {
        for id in ids.filter_map(|id| number(id.trim())) {
            self.cut += u64::from(!insert(&mut self.ids, id));
        }
    }

    /// Adds those of others.
    pub(super) fn extend(&mut self, others: Self) {
        self.cut += others.cut;
        for guid in others.guids {
            self.cut += u64::from(!insert(&mut self.guids, guid));
        }
        for id in others.ids {
            self.cut += u64::from(!insert(&mut self.ids, id));
        }
    }

    /// Adds the process that a candidate names.
    pub(super) fn add(&mut self, fields: &ProcessFields, row: &EventRow<'_, '_>) {
        let known = if let Some(guid) = guid(fields, row) {
            insert(&mut self.guids, guid)
        } else {
            let mut ids = ids(fields, row).peekable();
            if ids.peek().is_some() {
                ids.all(|id| insert(&mut self.ids, id))
            } else {
                writer(row).is_none_or(|id| insert(&mut self.ids, id))
            }
        };
        self.cut += u64::from(!known);
    }

    /// Whether it may be one of these that begins in an event.
    pub(super) fn have(&self, fields: &ProcessFields, row: &EventRow<'_, '_>) -> bool {
        guid(fields, row).is_some_and(|guid| self.guids.contains(&guid))
            || ids(fields, row).any(|id| self.ids.contains(&id))
    }
}

impl Scan<'_> {
    /// Reads a log again for the events in which these processes begin, at any time. They are written as candidates are;
    /// gives back their number, or why the log cannot be read again.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn creations(
        &self,
        path: &Path,
        processes: &Processes,
        out: &mut dyn Write,
    ) -> io::Result<Result<u64, Error>> {
        let plan = Plan::new(self.rules);
        let name = path.display().to_string();
        let pace = Pace {
            threads: NonZero::<u8>::MIN,
            ..self.pace
        };
        let mut log = match Log::open(path) {
            Ok(log) => log,
            Err(error) => return Ok(Err(error)),
        };
        let (mut block, mut rows, mut count) = (Block::default(), Vec::new(), 0);
        loop {
            let turn = pace.begin();
            if let Err(error) = log.read(BLOCK, &mut block) {
                return Ok(Err(error));
            }
            if block.is_empty() {
                return Ok(Ok(count));
            }
            for bytes in block.chunks() {
                let Content::Records(mut chunk) = Content::of(bytes, plan.fields()) else {
                    continue;
                };
                rows.clear();
                while let Some(event) = chunk.next_event() {
                    let begins = event.id().is_some_and(|id| {
                        let provider = event.provider().map(|name| name.to_string());
                        provider.is_some_and(|provider| Processes::begin_in(&provider, id))
                    });
                    let row = EventRow {
                        event: &event,
                        chunk: &chunk,
                        before: "",
                    };
                    if begins && processes.have(plan.process_fields(), &row) {
                        let written = write_row(&row, &name, MAX_ROWS, &mut rows);
                        count += u64::from(written.is_ok());
                    }
                }
                out.write_all(&rows)?;
            }
            turn.end();
        }
    }
}

/// Whether a value is in a set, after it was added if there is room.
fn insert<T: Eq + Hash>(set: &mut HashSet<T>, value: T) -> bool {
    set.contains(&value) || (set.len() < MAX && set.insert(value))
}

/// The process's unique number; none where it is missing or zero, as it is where Sysmon does not know the process.
fn guid(fields: &ProcessFields, row: &EventRow<'_, '_>) -> Option<u128> {
    let text = text(fields.guid, row)?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let guid = u128::from_str_radix(&digits, 16).ok()?;
    (digits.len() == 32 && guid != 0).then_some(guid)
}

/// The process ids in an event's fields.
fn ids(fields: &ProcessFields, row: &EventRow<'_, '_>) -> impl Iterator<Item = u64> {
    let fields = fields.ids.iter();
    fields.filter_map(|field| number(&text(*field, row)?))
}

fn text(field: usize, row: &EventRow<'_, '_>) -> Option<String> {
    let mut text = String::new();
    row.event.text(row.chunk, field, &mut text).then_some(text)
}

/// A number as a log has it; a collector writes some in hexadecimal digits.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The process that wrote an event: of events without a field for it, it is the one that they are about.
fn writer(row: &EventRow<'_, '_>) -> Option<u64> {
    let event = row.event.build(row.chunk)?;
    let id = event.get("System")?.get("Execution")?.get("ProcessID")?;
    id.number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_a_log_or_a_collector_writes_it() {
        for (text, read) in [
            ("4096", Some(4096)),
            ("0x1000", Some(4096)),
            ("", None),
            ("0x", None),
            ("-1", None),
        ] {
            assert_eq!(number(text), read, "{text}");
        }
    }

    /// It may be archived or cleared between the two readings.
    #[test]
    fn a_log_that_has_gone_since_is_an_error_that_names_it() {
        let scan = Scan {
            rules: crate::rules::Rules::built_in(),
            keys: None,
            judge: None,
            period: 0.0..1.0,
            pace: Pace {
                threads: NonZero::<u8>::MIN,
                max_cpu: None,
            },
        };
        let gone = tempfile::tempdir().unwrap().path().join("gone.evtx");
        let read = scan.creations(&gone, &Processes::default(), &mut Vec::new());
        let error = read.unwrap().unwrap_err().to_string();
        assert!(error.contains("gone.evtx"), "{error}");
    }

    #[test]
    fn too_many_are_counted_and_the_others_are_kept() {
        let mut some = Processes::default();
        some.extend(Processes {
            ids: (0..MAX as u64 + 7).collect(),
            ..Processes::default()
        });
        assert_eq!((some.ids.len(), some.cut), (MAX, 7));
    }
}
