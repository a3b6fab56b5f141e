//! Going through a log: candidates and hits out, and a report of what was read.

use std::io;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use memchr::memmem::Finder;
use sysmon_log::{Block, Chunk, Content, Error, Event, Log};

use super::counts::{Counts, asked};
use super::fingerprints::{Fingerprints, KeySet};
use super::judge::{Head, Judge, Verdicts};
use super::observables::{EventRow, Lookup};
use super::pace::Pace;
use super::processes::Processes;
use super::report::LogReport;
use super::results::{EventHits, Results};
use super::rows::{MAX_ROWS, NotWritten, write_row};
use super::scripts::Scripts;
use crate::rules::Rules;
use crate::rules::plan::Plan;

/// Chunks that a thread takes at a time: 512 KiB, which stay in the processor's cache.
pub(super) const BLOCK: usize = 8;

/// BITS' event of a new job: it tells whose the downloads of this job are, so that a hunt wants it whatever it holds.
const NEW_JOB: (&str, u64) = ("Microsoft-Windows-Bits-Client", 3);

/// The field that says which script block an event is a part of.
const PART: &str = "ScriptBlockId";

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
        let plan = Plan::new(self.rules);
        let search = Search {
            scan: self,
            plan: &plan,
            asked: asked(&plan),
            path: &report.path.clone(),
            rows_wanted: results.takes_events(),
        };
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
            for done in search.all(&blocks, &mut results.scripts) {
                results.write_events(&done.rows).map_err(Stopped::Output)?;
                for hits in &done.hits {
                    results.write_hits(hits).map_err(Stopped::Output)?;
                }
                report.add(done.report);
                results.met.extend(done.found);
                results.processes.extend(done.processes);
            }
            turn.end();
        }
    }
}

/// A scan of one log.
struct Search<'s> {
    scan: &'s Scan<'s>,
    plan: &'s Plan<'s>,
    /// Events that tell nothing without a field, and that field.
    asked: Vec<((usize, u64), usize)>,
    path: &'s str,
    /// Whether the candidates' rows are wanted.
    rows_wanted: bool,
}

impl Search<'_> {
    /// Searches the last block in this thread and the others in threads of their own. Each begins with the script blocks that were open before
    /// it, so that the number of threads changes nothing.
    fn all(&self, blocks: &[Block], scripts: &mut Scripts) -> Vec<Searched> {
        let Some((last, others)) = blocks.split_last() else {
            return Vec::new();
        };
        thread::scope(|scope| {
            let mut threads = Vec::with_capacity(others.len());
            for block in others {
                let mut open = scripts.clone();
                self.note_parts(block, scripts);
                threads.push(scope.spawn(move || self.block(block, &mut open)));
            }
            let last = self.block(last, scripts);
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .chain([last])
                .collect()
        })
    }

    /// Notes what the parts of script blocks in a block end in. Most logs have none: a chunk without their field is not read.
    fn note_parts(&self, block: &Block, scripts: &mut Scripts) {
        let name: Vec<u8> = PART.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let name = Finder::new(&name);
        for bytes in block
            .chunks()
            .iter()
            .filter(|bytes| name.find(*bytes).is_some())
        {
            let Content::Records(mut chunk) = Content::of(bytes, self.plan.fields()) else {
                continue;
            };
            while let Some(event) = chunk.next_event() {
                if let Some(head) = self.head(&event, &mut LogReport::default()) {
                    self.word_before(head, &event, &chunk, scripts);
                }
            }
        }
    }

    /// The unfinished word before an event that is a part of a script block.
    fn word_before<'c>(
        &self,
        head: Head<'_>,
        event: &Event<'c>,
        chunk: &Chunk<'c>,
        scripts: &mut Scripts,
    ) -> String {
        let provider = &self.plan.providers()[head.number];
        let fields = head.id.and_then(|id| provider.part_fields(id));
        let before = "";
        let row = EventRow {
            event,
            chunk,
            before,
        };
        fields.map_or(String::new(), |fields| scripts.word_before(&fields, &row))
    }

    fn block(&self, block: &Block, scripts: &mut Scripts) -> Searched {
        let judge = self.scan.judge.as_ref();
        let mut tools = Tools {
            lookup: self.scan.keys.map(Lookup::new),
            verdicts: judge.map(|judge| Verdicts::new(self.scan.rules, judge)),
            scripts,
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

    fn chunk(&self, mut chunk: Chunk<'_>, tools: &mut Tools<'_, '_>, done: &mut Searched) {
        let limit = done.rows.len() + MAX_ROWS;
        done.report.chunks += 1;
        let mut counts = Counts::default();
        let mut over_limit = false;
        while let Some(event) = chunk.next_event() {
            let Some(head) = self.head(&event, &mut done.report) else {
                continue;
            };
            let before = self.word_before(head, &event, &chunk, tools.scripts);
            let row = EventRow {
                event: &event,
                chunk: &chunk,
                before: &before,
            };
            let candidate = tools.lookup.as_mut().is_none_or(|lookup| {
                let provider = &self.plan.providers()[head.number];
                head.id.is_some_and(|id| {
                    (head.provider, id) == NEW_JOB || lookup.event(provider.steps(Some(id)), &row)
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
            if !head.in_period {
                continue;
            }
            match (head.id, head.time) {
                (Some(id), Some(time)) if whole => counts
                    .of((head.number, id))
                    .add(time, || self.tells((head.number, id), &row)),
                _ => done.report.damaged_records += 1,
            }
        }
        done.report.damaged_chunks += u64::from(over_limit || chunk.is_damaged());
        for ((provider, id), count) in counts.0 {
            let name = self.plan.providers()[provider].name;
            done.report.count(name, id, &count);
        }
    }

    /// Whether an event has what its log is read for, as far as it can be switched off (`logs.csv`).
    fn tells(&self, event: (usize, u64), row: &EventRow<'_, '_>) -> bool {
        self.asked
            .iter()
            .any(|(asked, field)| *asked == event && row.has(*field))
    }

    /// What is known of an event in the period, where its provider has a place. One whose time cannot be read is taken for one in the period, and a new
    /// job of BITS is wanted whenever it began: its downloads may be later. Counts the others.
    fn head(&self, event: &Event<'_>, report: &mut LogReport) -> Option<Head<'_>> {
        let Some(provider) = event.provider() else {
            report.damaged_records += 1;
            return None;
        };
        let time = event.time();
        let in_period = time.is_none_or(|time| self.scan.period.contains(&time));
        if !in_period {
            let is_job = event.id() == Some(NEW_JOB.1) && provider == *NEW_JOB.0;
            if !is_job || self.scan.keys.is_none() {
                return None;
            }
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
            in_period,
            log: self.path,
        })
    }
}

/// The state of a thread.
struct Tools<'k, 's> {
    lookup: Option<Lookup<'k>>,
    verdicts: Option<Verdicts<'k>>,
    scripts: &'s mut Scripts,
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
