//! Candidates as lines of JSON.

use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sysmon_log::Value;

use super::observables::EventRow;

/// The size limit of a chunk's candidates as JSON. A whole chunk of events takes about 0.3 MiB.
pub(super) const MAX_ROWS: usize = 4 << 20;

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
