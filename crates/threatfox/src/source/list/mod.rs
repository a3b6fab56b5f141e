//! A plain list: indicators line by line, as people write them into mails: defanged, with bullets and remarks.

mod columns;
mod line;

use std::collections::BTreeSet;
use std::io::BufRead;

use self::columns::Columns;
use super::form::{Form, reject_at};
use super::lines::Lines;
use super::row::record;
use super::{Reading, Report, Sink, Source};
use crate::error::{Error, Place};
use crate::record::{Column, RawRecord};
use crate::reject::Reason;

pub(super) use line::read as items_of;

/// If more than one record in so many is no indicator, the file is no list of them.
const ONE_IN: u64 = 2;

/// A list.
pub(super) struct List;

impl Source for List {
    fn name(&self) -> &'static str {
        "list"
    }

    /// More than half of the lines have to begin with an indicator. The last may be cut.
    fn recognizes(&self, start: &str) -> bool {
        if start.starts_with(['{', '<', '"']) {
            return false;
        }
        let ends = ['\n', '\r'];
        let whole = start.rsplit_once(ends).map_or(start, |(lines, _)| lines);
        let (mut lines, mut read) = (0, 0);
        for line in whole.split(ends) {
            if let Some(first) = items_of(line).first() {
                lines += 1;
                read += usize::from(first.is_indicator());
            }
        }
        read * 2 > lines
    }

    fn read(
        &self,
        name: &str,
        reading: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        let mut list = Reader {
            damaged: Form::default(),
            nonsense: Form::default(),
            columns: Columns::default(),
            records: 0,
            sink,
        };
        let mut lines = Lines::new(content);
        let unreadable = |source| Error::Unreadable {
            name: name.to_owned(),
            source,
        };
        while let Some(line) = lines.next().map_err(unreadable)? {
            let place = Place::Line(line.number);
            match line.bytes.map(str::from_utf8) {
                None => {
                    let problem = "the line is larger than the bound of 64 KiB";
                    list.reject(Reason::TooLarge, place, problem, "")?;
                }
                Some(Err(_)) => list.reject(Reason::NotUtf8, place, "not UTF-8", "")?,
                Some(Ok(text)) => list.take(text, place)?,
            }
        }
        // Who says that it is a list knows.
        if reading.format.is_none() && list.columns.is_table() {
            return Err(Error::ColumnsNotNamed {
                name: name.to_owned(),
            });
        }
        list.damaged.check(name, list.records)?;
        list.nonsense.check_share(name, list.records, ONE_IN)?;
        Ok(Report {
            name: name.to_owned(),
            format: "list",
            records: list.records,
            unknown_columns: BTreeSet::new(),
            longer_records: 0,
            unread_values: 0,
        })
    }
}

/// Hands over what the lines have, and counts it.
struct Reader<'a> {
    /// Lines that nobody can read.
    damaged: Form,
    /// Lines that are no indicator.
    nonsense: Form,
    columns: Columns,
    records: u64,
    sink: &'a mut dyn Sink,
}

impl Reader<'_> {
    fn take(&mut self, line: &str, place: Place) -> Result<(), Error> {
        let items = items_of(line);
        self.columns.add(line, &items);
        for item in items {
            let (ioc_type, texts) = match item.value {
                Ok(value) => value,
                Err(reject) => {
                    self.reject(reject.reason, place, &reject.detail, item.text)?;
                    continue;
                }
            };
            for text in &texts {
                self.records += 1;
                self.sink.record(&record(&[
                    (Column::Ioc, text),
                    (Column::IocType, ioc_type.name()),
                ]))?;
            }
        }
        Ok(())
    }

    fn reject(
        &mut self,
        reason: Reason,
        place: Place,
        problem: &str,
        text: &str,
    ) -> Result<(), Error> {
        self.records += 1;
        let reject = match reason {
            Reason::TooLarge | Reason::NotUtf8 => self.damaged.reject(reason, place, problem),
            Reason::BadDomain => self.nonsense.reject(reason, place, problem),
            // An indicator, of no use.
            _ => reject_at(reason, place, problem),
        };
        let raw: RawRecord<'_> = record(&[(Column::Ioc, text)]);
        self.sink.unreadable(&raw, &reject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_lines_must_be_indicators() {
        assert!(List.recognizes("evil.example\nwhat a day\nbad.example\ncut"));
        assert!(List.recognizes("evil.example\rwhat a day\rbad.example\rcut"));
        assert!(!List.recognizes("Dear all,\nsee below\nevil.example\n"));
    }
}
