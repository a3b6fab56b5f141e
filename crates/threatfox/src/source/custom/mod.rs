//! Any CSV, whose columns the user names: `value=indicator,type=kind,malware=family`.

use std::io::BufRead;
use std::str::FromStr;

use super::row::{Row, unknown_type};
use super::table::{self, head};
use super::types::type_of;
use super::{Reading, Report, Sink, Source};
use crate::error::Error;
use crate::ioc::IocType;
use crate::record::{Column, RawRecord};
use crate::value::{refang, type_value};

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

    /// Only on request: the columns have to be named.
    fn recognizes(&self, _: &str) -> bool {
        false
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
        let mut take = |row: &Row<'_>, sink: &mut dyn Sink| take(row, columns, sink);
        table::read(name, "csv", content, head, &mut take, sink)
    }
}

fn take(row: &Row<'_>, columns: &[(Column, String)], sink: &mut dyn Sink) -> Result<(), Error> {
    let mut raw = RawRecord::default();
    for (column, name) in columns {
        raw.set(*column, row.get(&[name]));
    }
    let value = refang(raw.get(Column::Ioc)).into_owned();
    typed(&value, raw.get(Column::IocType), raw, sink)
}

/// Hands over a record of a value whose type has another tool's name, or none: then the value says it.
pub(super) fn typed<'a>(
    value: &'a str,
    type_name: &'a str,
    mut raw: RawRecord<'a>,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    raw.set(Column::Ioc, value);
    if !type_name.is_empty() {
        raw.set(Column::IocType, type_name);
        let Some(ioc_type) = type_of(type_name) else {
            return unknown_type(&raw, sink);
        };
        raw.set(Column::IocType, ioc_type.name());
        return sink.record(&raw);
    }
    match type_value(value) {
        Ok((ioc_type, text)) => {
            let mut raw: RawRecord<'_> = raw;
            raw.set(Column::IocType, IocType::name(ioc_type));
            raw.set(Column::Ioc, &text);
            sink.record(&raw)
        }
        Err(reject) => sink.unreadable(&raw, &reject),
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
