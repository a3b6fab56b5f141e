//! Going through a log: candidates out, and a report of what was read.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::keys::{Fingerprints, KeySet};
use super::observables::{Lookup, NAMES};
use super::pace::Pace;
use crate::error::Error;
use crate::evtx::{Block, Chunk, Content, Event, Log, Value};

/// The names under which Sysmon logs: another provider's event 3 is something else.
const PROVIDERS: [&str; 2] = ["Microsoft-Windows-Sysmon", "Linux-Sysmon"];
/// Chunks that a thread takes at a time: 512 KiB, which stay in the processor's cache.
const BLOCK: usize = 8;
/// What the candidates of a chunk may take as JSON. A whole chunk of events takes about 0.3 MiB.
const MAX_ROWS: usize = 4 << 20;

/// When an event must have been written: seconds since 1970, from and before.
pub type Period = Range<f64>;

/// A search through logs.
pub struct Scan<'k> {
    /// What is looked for; without, each of Sysmon's events is a candidate.
    pub keys: Option<&'k KeySet>,
    /// Events of other times are not looked at.
    pub period: Period,
    /// How fast.
    pub pace: Pace,
}

/// What was read of a log.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct LogReport {
    /// The log, as it was given.
    pub path: String,
    /// Sysmon's events of the period, by id.
    pub events: BTreeMap<u64, u64>,
    /// The earliest of them, seconds since 1970.
    pub first: Option<f64>,
    /// The latest.
    pub last: Option<f64>,
    /// Events that may hold an indicator.
    pub candidates: u64,
    /// Chunks with records.
    pub chunks: u64,
    /// Parts that are no chunk, and chunks of which a record is missing.
    pub damaged_chunks: u64,
    /// Why it was not read to its end.
    pub error: Option<String>,
}

impl LogReport {
    fn add(&mut self, other: &Self) {
        for (id, count) in &other.events {
            *self.events.entry(*id).or_default() += count;
        }
        other
            .first
            .into_iter()
            .chain(other.last)
            .for_each(|time| self.span(time));
        self.candidates += other.candidates;
        self.chunks += other.chunks;
        self.damaged_chunks += other.damaged_chunks;
    }

    fn span(&mut self, time: f64) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }
}

impl Scan<'_> {
    /// Adds to `found` what addresses, host names and DNS answers that come from elsewhere meet.
    pub fn values<'v>(&self, values: impl Iterator<Item = &'v str>, found: &mut Fingerprints) {
        if let Some(keys) = self.keys {
            let mut lookup = Lookup::new(keys);
            values.for_each(|value| lookup.value(value));
            found.extend(lookup.found);
        }
    }

    /// Reads a log and writes each candidate as a line of JSON: the row that `parse_evtx` gives, and the log's path as
    /// `LogFile`. What was met of the keys is added to `found`.
    ///
    /// A log that cannot be read, or not to its end, has the reason in its report: others are still searched.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn log(
        &self,
        path: &Path,
        found: &mut Fingerprints,
        out: &mut dyn Write,
    ) -> io::Result<LogReport> {
        let mut report = LogReport {
            path: path.display().to_string(),
            ..LogReport::default()
        };
        let read = Log::open(path).map(|log| self.blocks(log, &mut report, found, out));
        match read {
            Ok(Ok(())) => {}
            Ok(Err(Stopped::Output(error))) => return Err(error),
            Ok(Err(Stopped::Log(error))) | Err(error) => report.error = Some(error.to_string()),
        }
        Ok(report)
    }

    fn blocks(
        &self,
        mut log: Log,
        report: &mut LogReport,
        found: &mut Fingerprints,
        out: &mut dyn Write,
    ) -> Result<(), Stopped> {
        let mut blocks: Vec<Block> = (0..self.pace.threads.get())
            .map(|_| Block::default())
            .collect();
        loop {
            let turn = self.pace.begin();
            for block in &mut blocks {
                log.read(BLOCK, block).map_err(Stopped::Log)?;
            }
            if blocks[0].is_empty() {
                return Ok(());
            }
            for done in self.search_all(&blocks, &report.path) {
                out.write_all(&done.rows).map_err(Stopped::Output)?;
                report.add(&done.report);
                found.extend(done.found);
            }
            turn.end();
        }
    }

    /// Searches the first block in this thread and the others in threads of their own.
    fn search_all(&self, blocks: &[Block], path: &str) -> Vec<Searched> {
        let (first, others) = (&blocks[0], &blocks[1..]);
        thread::scope(|scope| {
            let others: Vec<_> = others
                .iter()
                .map(|block| scope.spawn(|| self.search(block, path)))
                .collect();
            let mut done = vec![self.search(first, path)];
            done.extend(
                others
                    .into_iter()
                    .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))),
            );
            done
        })
    }

    fn search(&self, block: &Block, path: &str) -> Searched {
        let mut lookup = self.keys.map(Lookup::new);
        let mut done = Searched::default();
        for bytes in block.chunks() {
            match Content::of(bytes, NAMES) {
                Content::Unused => {}
                Content::Damaged => done.report.damaged_chunks += 1,
                Content::Records(chunk) => self.chunk(chunk, path, lookup.as_mut(), &mut done),
            }
        }
        if block.rest().iter().any(|byte| *byte != 0) {
            done.report.damaged_chunks += 1;
        }
        done.found = lookup.map(|lookup| lookup.found).unwrap_or_default();
        done
    }

    fn chunk(
        &self,
        mut chunk: Chunk<'_>,
        path: &str,
        mut lookup: Option<&mut Lookup<'_>>,
        done: &mut Searched,
    ) {
        let limit = done.rows.len() + MAX_ROWS;
        done.report.chunks += 1;
        let mut counts = Counts::default();
        let mut damaged = false;
        while let Some(event) = chunk.next_event() {
            let Some((id, time)) = self.sysmon(&event) else {
                continue;
            };
            counts.add(id);
            done.report.span(time);
            let candidate = lookup
                .as_mut()
                .is_none_or(|lookup| lookup.event(id, &event, &chunk));
            if candidate && !write_row(&event, &chunk, path, limit, &mut done.rows) {
                damaged = true;
            }
            done.report.candidates += u64::from(candidate);
        }
        done.report.damaged_chunks += u64::from(damaged || chunk.is_damaged());
        for (id, count) in counts.0 {
            *done.report.events.entry(id).or_default() += count;
        }
    }

    /// The id and time of an event of Sysmon in the period.
    fn sysmon(&self, event: &Event<'_>) -> Option<(u64, f64)> {
        let provider = event.provider()?;
        let time = event.time()?;
        let wanted = PROVIDERS.iter().any(|name| provider == **name) && self.period.contains(&time);
        wanted.then_some((event.id()?, time))
    }
}

/// Why a log was not read to its end.
enum Stopped {
    Log(Error),
    Output(io::Error),
}

/// What a block gave.
#[derive(Default)]
struct Searched {
    rows: Vec<u8>,
    report: LogReport,
    found: Fingerprints,
}

/// Events by id. A log has a dozen ids: a short list is faster than a map.
#[derive(Default)]
struct Counts(Vec<(u64, u64)>);

impl Counts {
    fn add(&mut self, id: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == id) {
            Some((_, count)) => *count += 1,
            None => self.0.push((id, 1)),
        }
    }
}

/// Writes a row, if the rows stay within their limit.
fn write_row<'c>(
    event: &Event<'c>,
    chunk: &Chunk<'c>,
    path: &str,
    limit: usize,
    rows: &mut Vec<u8>,
) -> bool {
    let start = rows.len();
    let written = event.build(chunk).is_some_and(|event| {
        let row = Row {
            event: &event,
            path,
        };
        let out = Limited { rows, limit };
        serde_json::to_writer(out, &row).is_ok()
    });
    if written {
        rows.push(b'\n');
    } else {
        rows.truncate(start);
    }
    written
}

/// An event and its log.
struct Row<'r, 'c> {
    event: &'r Value<'c>,
    path: &'r str,
}

impl Serialize for Row<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(None)?;
        if let Value::Fields(fields) = self.event {
            fields
                .iter()
                .try_for_each(|(name, value)| row.serialize_entry(name, value))?;
        }
        row.serialize_entry("LogFile", self.path)?;
        row.end()
    }
}

/// Takes no more than a limit.
struct Limited<'r> {
    rows: &'r mut Vec<u8>,
    limit: usize,
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.rows.len() + bytes.len() > self.limit {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.rows.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
