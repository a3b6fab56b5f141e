//! What `threatfox scan` says at its end.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use threatfox::scan::LogReport;

/// The result, for --summary.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    /// Rows of the feed.
    pub feed_rows: u64,
    /// Rows of it that may match.
    pub met_rows: u64,
    /// Where they are.
    pub met: Option<&'a Path>,
    /// Where the candidates are.
    pub output: Option<&'a Path>,
    pub candidates: u64,
    /// The number of hits; `None` if they were not asked for.
    pub hits: Option<u64>,
    /// The number of events in which a process begins; `None` if they were not asked for.
    pub processes: Option<u64>,
    pub logs: Vec<LogReport>,
}

impl Summary<'_> {
    /// As lines for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for log in &self.logs {
            // Writing to a String does not fail.
            _ = write!(
                text,
                "{}: {} events, {} candidates",
                log.path,
                log.event_count(),
                log.candidates
            );
            for (count, what) in [
                (log.damaged_chunks, "chunks"),
                (log.damaged_records, "records"),
            ] {
                if count > 0 {
                    _ = write!(text, ", {count} damaged {what}");
                }
            }
            if let Some(error) = &log.error {
                _ = write!(text, "; {error}");
            }
            text.push('\n');
        }
        if let Some(hits) = self.hits {
            _ = writeln!(text, "{hits} hits");
        }
        if let Some(processes) = self.processes {
            _ = writeln!(text, "{processes} beginnings of processes");
        }
        text
    }
}
