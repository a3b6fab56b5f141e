//! CSV whose header stands in a comment or bare: each record as fields with names.

use std::collections::BTreeSet;
use std::io::{BufRead, Cursor, Read};

use super::ahead::ahead;
use super::csv_records::{CsvRecord, Records};
use super::form::Form;
use super::row::Row;
use super::{MAX_FIELD, Report, Sink};
use crate::error::{Error, Place};
use crate::record::RawRecord;
use crate::reject::Reason;

/// A header has so many bytes before it at most, comments included.
const MAX_HEAD: u64 = 1 << 20;

/// What may stand between the fields of a line, the likeliest first.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The function that takes a row.
pub(super) type Take<'a> = &'a mut dyn FnMut(&Row<'_>, &mut dyn Sink) -> Result<(), Error>;

/// The lines before the data.
pub(super) struct Head {
    names: Vec<String>,
    delimiter: u8,
    lines: u64,
    /// Data that was read already.
    rest: Vec<u8>,
}

/// Reads to the header: the first line, without its comment sign, for which `is_header` holds, whichever delimiter it has. A line
/// of data before it is the header too where `bare` has its names: then the file has none.
pub(super) fn head(
    name: &str,
    content: &mut dyn BufRead,
    is_header: &dyn Fn(&[String]) -> bool,
    bare: &[&str],
) -> Result<Head, Error> {
    let mut lines = 0;
    let mut content = content.take(MAX_HEAD);
    loop {
        let mut line = Vec::new();
        let read = content.read_until(b'\n', &mut line);
        read.map_err(|source| Error::Unreadable {
            name: name.to_owned(),
            source,
        })?;
        if line.is_empty() {
            return Err(Error::Incomplete {
                name: name.to_owned(),
                problem: "it ends before the header with the names of the columns".to_owned(),
            });
        }
        lines += 1;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_start_matches('\u{feff}').trim();
        let comment = text.strip_prefix('#');
        let header = comment.unwrap_or(text);
        let split = DELIMITERS.map(|delimiter| (names_in(header, delimiter), delimiter));
        if let Some((names, delimiter)) = split.iter().find(|(names, _)| is_header(names)) {
            return Ok(Head {
                names: names.clone(),
                delimiter: *delimiter,
                lines,
                rest: Vec::new(),
            });
        }
        if comment.is_some() || text.is_empty() {
            continue;
        }
        if bare.is_empty() {
            let most = split.iter().rev().max_by_key(|(names, _)| names.len());
            let columns = most.map_or(String::new(), |(names, _)| names.join(", "));
            return Err(Error::NoColumns {
                name: name.to_owned(),
                columns: columns.chars().take(500).collect(),
            });
        }
        return Ok(Head {
            names: bare.iter().map(|name| (*name).to_owned()).collect(),
            delimiter: b',',
            lines: lines - 1,
            rest: line,
        });
    }
}

/// The names of the columns, trimmed and in lower case.
pub(super) fn names_in(header: &str, delimiter: u8) -> Vec<String> {
    // A tab at an end has an empty name beside it.
    let header = header.trim_matches([' ', '\r', '\n']).as_bytes();
    let batch = Records::new(header, 1).separated_by(delimiter).next();
    let Some(Ok(batch)) = batch else {
        return Vec::new();
    };
    let record = batch.records().next();
    let texts = record.and_then(|record| record.texts().ok());
    let clean = |text: &str| crate::text::clean(text.trim()).to_ascii_lowercase();
    texts.map_or(Vec::new(), |texts| texts.map(clean).collect())
}

/// Reads all records behind the head.
pub(super) fn read(
    name: &str,
    format: &'static str,
    content: &mut (dyn BufRead + Send),
    head: Head,
    take: Take<'_>,
    sink: &mut dyn Sink,
) -> Result<Report, Error> {
    let mut table = Table {
        names: head.names,
        form: Form::default(),
        records: 0,
        longer: 0,
        promised: None,
    };
    let content = Cursor::new(head.rest).chain(content);
    let records = Records::new(content, head.lines + 1).separated_by(head.delimiter);
    ahead(records, |batch| {
        let batch = batch.map_err(|stop| stop.of(name))?;
        let mut records = batch.records();
        records.try_for_each(|record| table.take(&record, take, sink))
    })?;
    table.form.check(name, table.records)?;
    if let Some(promised) = table.promised.filter(|promised| *promised != table.records) {
        let records = table.records;
        return Err(Error::Incomplete {
            name: name.to_owned(),
            problem: format!("its last line promises {promised} entries, {records} are there"),
        });
    }
    Ok(Report {
        name: name.to_owned(),
        format,
        records: table.records,
        unknown_columns: BTreeSet::new(),
        longer_records: table.longer,
        unread_values: 0,
    })
}

/// The number in Feodo's last line: `# END 3 entries`.
fn promised(comment: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(comment).ok()?;
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    match words[..] {
        ["#", "END", number, "entries" | "entry"] => number.parse().ok(),
        _ => None,
    }
}

struct Table {
    names: Vec<String>,
    form: Form,
    records: u64,
    /// Records with more fields than columns.
    longer: u64,
    /// How many records the last line says that there are, where it does.
    promised: Option<u64>,
}

impl Table {
    fn take(
        &mut self,
        record: &CsvRecord<'_>,
        take: Take<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let first = record.fields().next().unwrap_or_default();
        if first.starts_with(b"#") {
            self.promised = promised(first).or(self.promised);
            return Ok(());
        }
        self.records += 1;
        let place = || Place::Line(record.line());
        let nothing = RawRecord::default();
        let Ok(texts) = record.texts() else {
            let reject = self.form.reject(Reason::NotUtf8, place(), "not UTF-8");
            return sink.unreadable(&nothing, &reject);
        };
        let columns = self.names.len();
        if record.len() < columns {
            let problem = format!("{} fields where the header has {columns}", record.len());
            let reject = self.form.reject(Reason::FieldsMissing, place(), &problem);
            return sink.unreadable(&nothing, &reject);
        }
        let texts: Vec<&str> = texts.collect();
        if texts.iter().any(|text| text.len() > MAX_FIELD) {
            let problem = "a field is larger than the bound of 64 KiB";
            let reject = self.form.reject(Reason::TooLarge, place(), problem);
            return sink.unreadable(&nothing, &reject);
        }
        self.longer += u64::from(record.len() > columns);
        let row = Row {
            names: &self.names,
            texts: &texts,
        };
        take(&row, sink)
    }
}
