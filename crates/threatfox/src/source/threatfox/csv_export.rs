//! The CSV export. Its header row stands in a comment, its last line says how many entries there are.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Cursor, Read};

use super::columns::{ColumnName, column_of};
use super::hand;
use crate::error::{Error, Place};
use crate::record::{Column, RawRecord};
use crate::reject::Reason;
use crate::source::ahead::ahead;
use crate::source::csv_records::{CsvRecord, Records};
use crate::source::form::Form;
use crate::source::{MAX_FIELD, Report, Sink};
use crate::text::clean;

/// The text before the first record.
struct Header {
    columns: Vec<Option<Column>>,
    unknown: BTreeSet<String>,
    /// The lines read, and the first line of data among them.
    lines: u64,
    first_data: Vec<u8>,
}

/// The records, counted on their way to the sink.
struct Export<'a> {
    name: &'a str,
    columns: Vec<Option<Column>>,
    sink: &'a mut dyn Sink,
    records: u64,
    /// Records with more fields than columns.
    longer: u64,
    form: Form,
    /// How many there are, by the last line.
    declared: Option<u64>,
}

/// Reads, unpacks and splits in a thread of its own: a third of the work.
pub(super) fn read(
    name: &str,
    content: &mut (dyn BufRead + Send),
    sink: &mut dyn Sink,
) -> Result<Report, Error> {
    let header = read_header(name, content)?;
    let mut export = Export {
        name,
        columns: header.columns,
        sink,
        records: 0,
        longer: 0,
        form: Form::default(),
        declared: None,
    };
    let content = Cursor::new(header.first_data).chain(content);
    ahead(Records::new(content, header.lines), |batch| {
        let batch = batch.map_err(|stop| stop.of(name))?;
        batch.records().try_for_each(|record| export.take(&record))
    })?;
    export.form.check(name, export.records)?;
    export.check_number()?;
    Ok(Report {
        name: name.to_owned(),
        format: "csv_export",
        records: export.records,
        unknown_columns: header.unknown,
        longer_records: export.longer,
        unread_values: 0,
    })
}

impl Export<'_> {
    fn take(&mut self, record: &CsvRecord<'_>) -> Result<(), Error> {
        let first = record.fields().next().unwrap_or_default();
        if first.starts_with(b"#") {
            self.declared = self.declared.or_else(|| declared_entries(first));
            return Ok(());
        }
        let place = || Place::Line(record.line());
        if self.declared.is_some() {
            let problem = "data after the line with the number of entries";
            return Err(broken(self.name, place(), problem));
        }
        self.records += 1;
        let columns = self.columns.len();
        let Ok(texts) = record.texts() else {
            let reject = self.form.reject(Reason::NotUtf8, place(), "not UTF-8");
            return self.sink.unreadable(&RawRecord::default(), &reject);
        };
        let mut raw = raw_record(&self.columns, texts);
        if record.len() < columns {
            let problem = format!("{} fields where the header has {columns}", record.len());
            let reject = self.form.reject(Reason::FieldsMissing, place(), &problem);
            return self.sink.unreadable(&raw, &reject);
        }
        // Few records are as long as one field may be.
        if record.bytes() > MAX_FIELD && record.fields().any(|field| field.len() > MAX_FIELD) {
            let problem = "a field is larger than the bound of 64 KiB";
            let reject = self.form.reject(Reason::TooLarge, place(), problem);
            return self.sink.unreadable(&raw, &reject);
        }
        self.longer += u64::from(record.len() > columns);
        hand(&mut raw, self.sink)
    }

    fn check_number(&self) -> Result<(), Error> {
        let records = self.records;
        let problem = match self.declared {
            Some(declared) if declared == records => return Ok(()),
            Some(declared) => {
                format!("its last line promises {declared} entries, {records} are there")
            }
            None => {
                format!("it ends after {records} entries without the line that gives their number")
            }
        };
        Err(incomplete(self.name, problem))
    }
}

fn raw_record<'a>(
    columns: &[Option<Column>],
    texts: impl Iterator<Item = &'a str>,
) -> RawRecord<'a> {
    let mut raw = RawRecord::default();
    for (column, text) in columns.iter().zip(texts) {
        if let Some(column) = column
            && text.len() <= MAX_FIELD
        {
            raw.set(*column, text);
        }
    }
    raw
}

/// Reads up to and including the first line of data. The header is the line that names `ioc_value`, in a comment as
/// ThreatFox writes it, or bare as some mirrors do.
fn read_header(name: &str, content: &mut dyn BufRead) -> Result<Header, Error> {
    let mut header = Header {
        columns: Vec::new(),
        unknown: BTreeSet::new(),
        lines: 0,
        first_data: Vec::new(),
    };
    loop {
        let mut line = Vec::new();
        let limit = MAX_FIELD as u64 * 16;
        content
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(|source| unreadable(name, source))?;
        if line.len() as u64 == limit {
            let problem = "the line is larger than the bound of 1 MiB";
            return Err(broken(name, Place::Line(header.lines + 1), problem));
        }
        if line.is_empty() && header.columns.is_empty() {
            return Err(incomplete(
                name,
                "it ends before the header with the names of the columns".to_owned(),
            ));
        }
        header.lines += 1;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_start_matches('\u{feff}').trim();
        let comment = text.strip_prefix('#').map(str::trim);
        if header.columns.is_empty() && text.contains("ioc_value") {
            set_columns(name, &mut header, comment.unwrap_or(text))?;
            for (column, label) in [(Column::Id, "ioc_id"), (Column::IocType, "ioc_type")] {
                if !header.columns.contains(&Some(column)) {
                    return Err(broken(
                        name,
                        Place::Line(header.lines),
                        format!("the header has no column {label}"),
                    ));
                }
            }
        } else if header.columns.is_empty() && comment.is_none() && !text.is_empty() {
            let problem =
                "data before a header with the names of the columns (ioc_value and others)";
            return Err(broken(name, Place::Line(header.lines), problem));
        } else if !header.columns.is_empty() {
            header.first_data = line;
            return Ok(header);
        }
    }
}

fn set_columns(name: &str, header: &mut Header, names: &str) -> Result<(), Error> {
    let batch = Records::new(names.as_bytes(), header.lines).next();
    let batch = batch.transpose().map_err(|stop| stop.of(name))?;
    let record = batch.as_ref().and_then(|batch| batch.records().next());
    let names = record.and_then(|record| record.texts().ok());
    for name in names.into_iter().flatten() {
        let column = match column_of(name.trim()) {
            ColumnName::Used(column) => Some(column),
            ColumnName::Unused => None,
            ColumnName::Unknown(name) => {
                header.unknown.insert(clean(name).into_owned());
                None
            }
        };
        header.columns.push(column);
    }
    Ok(())
}

fn declared_entries(first: &[u8]) -> Option<u64> {
    std::str::from_utf8(first)
        .ok()?
        .strip_prefix("# Number of entries:")?
        .trim()
        .parse()
        .ok()
}

fn unreadable(name: &str, source: io::Error) -> Error {
    Error::Unreadable {
        name: name.to_owned(),
        source,
    }
}

fn broken(name: &str, place: Place, problem: impl Into<String>) -> Error {
    Error::Broken {
        name: name.to_owned(),
        place,
        problem: problem.into(),
    }
}

fn incomplete(name: &str, problem: String) -> Error {
    Error::Incomplete {
        name: name.to_owned(),
        problem,
    }
}
