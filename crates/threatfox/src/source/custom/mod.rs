//! Any CSV, whose columns the user names: `value=indicator,type=kind,malware=family`.

mod unnamed;

use std::io::BufRead;
use std::str::FromStr;

use super::row::{Row, without_unread};
use super::table::{self, head};
use super::typed::written;
use super::{Reading, Report, Sink, Source};
use crate::error::Error;
use crate::record::{Column, RawRecord};

/// The names that the user may give, and the columns of a record that they stand for.
const PARTS: [(&str, Column); 13] = [
    ("value", Column::Ioc),
    ("type", Column::IocType),
    ("port", Column::Port),
    ("malware", Column::MalwarePrintable),
    ("threat_type", Column::ThreatType),
    ("first_seen", Column::FirstSeen),
    ("last_seen", Column::LastSeen),
    ("confidence", Column::Confidence),
    ("compromised", Column::Compromised),
    ("tags", Column::Tags),
    ("reporter", Column::Reporter),
    ("reference", Column::Reference),
    ("link", Column::Link),
];

/// Which column of a CSV has what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvColumns(Vec<(Column, String)>);

impl FromStr for CsvColumns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut columns = Vec::new();
        for pair in text.split(',') {
            let (part, name) = pair
                .split_once('=')
                .ok_or_else(|| format!("{pair:?} is not PART=COLUMN, such as value=indicator"))?;
            let known = PARTS.iter().find(|(known, _)| *known == part.trim());
            let Some((_, column)) = known else {
                let parts: Vec<_> = PARTS.iter().map(|(known, _)| *known).collect();
                return Err(format!("{part:?} is none of {}", parts.join(", ")));
            };
            if columns.iter().any(|(other, _)| other == column) {
                return Err(format!("{part} is named twice"));
            }
            columns.push((*column, name.trim().to_ascii_lowercase()));
        }
        if columns.iter().all(|(column, _)| *column != Column::Ioc) {
            return Err("it does not say which column has the value (value=COLUMN)".to_owned());
        }
        Ok(Self(columns))
    }
}

/// A CSV with columns of any names.
pub(super) struct Custom;

impl Source for Custom {
    fn name(&self) -> &'static str {
        "csv"
    }

    /// So that the error says what is missing: the columns have to be named.
    fn recognizes(&self, start: &str) -> bool {
        unnamed::is_table(start)
    }

    fn read(
        &self,
        name: &str,
        reading: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        let Some(CsvColumns(columns)) = &reading.columns else {
            return Err(Error::ColumnsNotNamed {
                name: name.to_owned(),
            });
        };
        let is_header = |names: &[String]| columns.iter().all(|(_, column)| names.contains(column));
        let head = head(name, content, &is_header, &[])?;
        let mut unread = 0;
        let mut take = |row: &Row<'_>, sink: &mut dyn Sink| {
            let mut raw = RawRecord::default();
            for (column, name) in columns {
                raw.set(*column, row.get(&[name]));
            }
            unread += without_unread(&mut raw);
            written(raw.get(Column::Ioc), raw.get(Column::IocType), &raw, sink)
        };
        let mut report = table::read(name, "csv", content, head, &mut take, sink)?;
        report.unread_values = unread;
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_what_they_have() {
        let columns: CsvColumns = "value=Indicator, type=kind".parse().unwrap();
        assert_eq!(columns.0[0], (Column::Ioc, "indicator".to_owned()));
        for (text, problem) in [
            ("type=kind", "value=COLUMN"),
            ("value", "PART=COLUMN"),
            ("value=a,colour=b", "none of value, type"),
            ("value=a,value=b", "twice"),
        ] {
            let error = text.parse::<CsvColumns>().unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }
}
