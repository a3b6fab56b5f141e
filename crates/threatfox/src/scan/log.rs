//! Going through a log: candidates and hits out, and a report of what was read.

use std::io::{self, Write};
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sysmon_log::{Block, CHUNK_SIZE, Chunk, Content, Error, Event, Log, Value};

use super::fingerprints::{Fingerprints, KeySet};
use super::judge::{Head, Judge, Verdicts};
use super::observables::{EventRow, Lookup};
use super::pace::Pace;
use super::processes::Processes;
use super::report::LogReport;
use super::results::{EventHits, Results};
use super::scripts::Scripts;
use crate::rules::Rules;
use crate::rules::plan::Plan;

/// Chunks that a thread takes at a time: 512 KiB, which stay in the processor's cache.
pub(super) const BLOCK: usize = 8;
/// The size limit of a chunk's candidates as JSON. A whole chunk of events takes about 0.3 MiB.
pub(super) const MAX_ROWS: usize = 4 << 20;

/// BITS' event of a new job: it tells whose the downloads of this job are, so that a hunt wants it whatever it holds.
const NEW_JOB: (&str, u64) = ("Microsoft-Windows-Bits-Client", 3);

/// When an event must have been written: seconds since 1970, from and before.
pub type Period = Range<f64>;

/// A search through logs.
pub struct Scan<'k> {
    /// The fields to read, by event.
    pub rules: &'k Rules,
    /// The keys to look for; without them, each event of a provider that has a place is a candidate.
    pub keys: Option<&'k KeySet>,
    /// The judge of candidates; without it, there are no hits.
    pub judge: Option<Judge<'k>>,
    /// Events of other times are not looked at.
    pub period: Period,
    /// How fast.
    pub pace: Pace,
}

impl Scan<'_> {
    /// Adds to what was met what addresses, host names and DNS answers that come from elsewhere meet.
    pub fn values<'v>(&self, values: impl Iterator<Item = &'v str>, met: &mut Fingerprints) {
        if let Some(keys) = self.keys {
            let mut lookup = Lookup::new(keys);
            values.for_each(|value| lookup.value(value));
            met.extend(lookup.found);
        }
    }

    /// Reads a log. A candidate is written as a line of JSON: the row that `parse_evtx` gives, and the log's path as
    /// `LogFile`.
    ///
    /// A log that cannot be read, or not to its end, has the reason in its report: others are still searched.
    ///
    /// # Errors
    /// Those of the results' outputs.
    pub fn log(&self, path: &Path, results: &mut Results<'_>) -> io::Result<LogReport> {
        let mut report = LogReport {
            path: path.display().to_string(),
            ..LogReport::default()
        };
        let read = Log::open(path).map(|log| self.blocks(log, &mut report, results));
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
        results: &mut Results<'_>,
    ) -> Result<(), Stopped> {
        let search = Search {
            scan: self,
            plan: &Plan::new(self.rules),
            path: &report.path.clone(),
            rows_wanted: results.takes_events(),
        };
        let mut blocks: Vec<Block> = (0..self.pace.threads.get())
            .map(|_| Block::default())
            .collect();
        let mut last: Option<Box<[u8; CHUNK_SIZE]>> = None;
        loop {
            let turn = self.pace.begin();
            for block in &mut blocks {
                log.read(BLOCK, block).map_err(Stopped::Log)?;
            }
            if blocks[0].is_empty() {
                return Ok(());
            }
            for done in search.all(&blocks, last.as_deref()) {
                results.write_events(&done.rows).map_err(Stopped::Output)?;
                for hits in &done.hits {
                    results.write_hits(hits).map_err(Stopped::Output)?;
                }
                report.add(&done.report);
                results.met.extend(done.found);
                results.processes.extend(done.processes);
            }
            let chunk = blocks.iter().rev().find_map(|block| block.chunks().last());
            last = chunk.map(|chunk| Box::new(*chunk));
            turn.end();
        }
    }
}

/// A scan of one log.
struct Search<'s> {
    scan: &'s Scan<'s>,
    plan: &'s Plan<'s>,
    path: &'s str,
    /// Whether the candidates' rows are wanted.
    rows_wanted: bool,
}

impl Search<'_> {
    /// Searches the first block in this thread and the others in threads of their own.
    /// `last` is the chunk before the first block.
    fn all(&self, blocks: &[Block], last: Option<&[u8; CHUNK_SIZE]>) -> Vec<Searched> {
        thread::scope(|scope| {
            let others: Vec<_> = blocks
                .windows(2)
                .map(|pair| scope.spawn(|| self.block(&pair[1], pair[0].chunks().last())))
                .collect();
            let mut done = vec![self.block(&blocks[0], last)];
            done.extend(
                others
                    .into_iter()
                    .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))),
            );
            done
        })
    }

    fn block(&self, block: &Block, last: Option<&[u8; CHUNK_SIZE]>) -> Searched {
        let judge = self.scan.judge.as_ref();
        let mut tools = Tools {
            lookup: self.scan.keys.map(Lookup::new),
            verdicts: judge.map(|judge| Verdicts::new(self.scan.rules, judge)),
            scripts: Scripts::behind(last),
        };
        let mut done = Searched::default();
        for bytes in block.chunks() {
            match Content::of(bytes, self.plan.fields()) {
                Content::Unused => {}
                Content::Damaged => done.report.damaged_chunks += 1,
                Content::Records(chunk) => self.chunk(chunk, &mut tools, &mut done),
            }
        }
        if block.rest().iter().any(|byte| *byte != 0) {
            done.report.damaged_chunks += 1;
        }
        done.found = tools.lookup.map(|lookup| lookup.found).unwrap_or_default();
        done
    }

    fn chunk(&self, mut chunk: Chunk<'_>, tools: &mut Tools<'_>, done: &mut Searched) {
        let limit = done.rows.len() + MAX_ROWS;
        done.report.chunks += 1;
        let mut counts = Counts::default();
        let mut over_limit = false;
        while let Some(event) = chunk.next_event() {
            let Some(head) = self.head(&event, &mut done.report) else {
                continue;
            };
            if let Some(time) = head.time {
                done.report.span(time);
            }
            let mut row = EventRow {
                event: &event,
                chunk: &chunk,
                before: "",
            };
            let before = match head
                .id
                .and_then(|id| self.plan.providers()[head.number].part_fields(id))
            {
                Some(fields) => tools.scripts.word_before(&fields, &row, self.plan),
                None => String::new(),
            };
            row.before = &before;
            let candidate = tools.lookup.as_mut().is_none_or(|lookup| {
                let provider = &self.plan.providers()[head.number];
                head.id.is_some_and(|id| {
                    lookup.event(provider.steps(Some(id)), &row) || (head.provider, id) == NEW_JOB
                })
            });
            let mut whole = event.is_whole() && head.time.is_some();
            if candidate {
                done.report.candidates += 1;
                done.processes.add(self.plan.process_fields(), &row);
                let verdicts = tools.verdicts.as_mut();
                done.hits
                    .extend(verdicts.and_then(|verdicts| verdicts.of(head, &row)));
                if self.rows_wanted {
                    match write_row(&row, self.path, limit, &mut done.rows) {
                        Ok(()) => {}
                        Err(NotWritten::Unreadable) => whole = false,
                        Err(NotWritten::OverLimit) => over_limit = true,
                    }
                }
            }
            match head.id.filter(|_| whole) {
                Some(id) => counts.add(head.number, id),
                None => done.report.damaged_records += 1,
            }
        }
        done.report.damaged_chunks += u64::from(over_limit || chunk.is_damaged());
        for ((provider, id), count) in counts.0 {
            let name = self.plan.providers()[provider].name;
            done.report.count(name, id, count);
        }
    }

    /// What is known of an event in the period, where its provider has a place. One whose time cannot be read is taken for
    /// one
    /// in the period. Counts the others.
    fn head(&self, event: &Event<'_>, report: &mut LogReport) -> Option<Head<'_>> {
        let Some(provider) = event.provider() else {
            report.damaged_records += 1;
            return None;
        };
        let time = event.time();
        if !time.is_none_or(|time| self.scan.period.contains(&time)) {
            return None;
        }
        let providers = self.plan.providers();
        let Some(number) = providers.iter().position(|known| provider == *known.name) else {
            report.other += 1;
            return None;
        };
        Some(Head {
            provider: providers[number].name,
            number,
            id: event.id(),
            time,
            log: self.path,
        })
    }
}

/// The state of a thread.
struct Tools<'k> {
    lookup: Option<Lookup<'k>>,
    verdicts: Option<Verdicts<'k>>,
    scripts: Scripts<'k>,
}

/// Why a log was not read to its end.
enum Stopped {
    Log(Error),
    Output(io::Error),
}

/// The result of a block.
#[derive(Default)]
struct Searched {
    rows: Vec<u8>,
    hits: Vec<EventHits>,
    report: LogReport,
    found: Fingerprints,
    processes: Processes,
}

/// Events by provider and id. A log has a dozen ids: a short list is faster than a map.
#[derive(Default)]
struct Counts(Vec<((usize, u64), u64)>);

impl Counts {
    fn add(&mut self, provider: usize, id: u64) {
        let event = (provider, id);
        match self.0.iter_mut().find(|(known, _)| *known == event) {
            Some((_, count)) => *count += 1,
            None => self.0.push((event, 1)),
        }
    }
}

/// Why a candidate has no row.
pub(super) enum NotWritten {
    /// The record cannot be built as an event.
    Unreadable,
    /// The chunk's rows are as large as they may be.
    OverLimit,
}

/// Writes a row, if the rows stay within their limit.
pub(super) fn write_row(
    row: &EventRow<'_, '_>,
    path: &str,
    limit: usize,
    rows: &mut Vec<u8>,
) -> Result<(), NotWritten> {
    let start = rows.len();
    let event = row.event.build(row.chunk).ok_or(NotWritten::Unreadable)?;
    let row = Row {
        event: &event,
        path,
        before: row.before,
    };
    let out = Limited { rows, limit };
    if serde_json::to_writer(out, &row).is_err() {
        rows.truncate(start);
        return Err(NotWritten::OverLimit);
    }
    rows.push(b'\n');
    Ok(())
}

/// An event and its log.
struct Row<'r, 'c> {
    event: &'r Value<'c>,
    path: &'r str,
    before: &'r str,
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
        if !self.before.is_empty() {
            row.serialize_entry("Before", self.before)?;
        }
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
