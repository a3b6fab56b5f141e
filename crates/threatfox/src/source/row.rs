//! A record of any format as fields with names, for the sources whose formats are tables.

use std::iter;

use crate::error::Error;
use crate::record::{Column, RawRecord, parse_confidence, parse_time};
use crate::reject::{Reason, Reject};

use super::Sink;

/// The fields of a record. A field that is not there is the empty text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub names: &'a [String],
    pub texts: &'a [&'a str],
}

impl<'a> Row<'a> {
    /// The first of these fields that is not empty. MalwareBazaar writes `n/a` for an empty one, people a dash.
    pub fn get(&self, names: &[&str]) -> &'a str {
        let all = || self.names.iter().zip(self.texts);
        let found = names.iter().find_map(|name| {
            let (_, text) = all().find(|(known, _)| known == name)?;
            let text = text.trim();
            (!is_empty(text)).then_some(text)
        });
        found.unwrap_or_default()
    }
}

fn is_empty(text: &str) -> bool {
    let words = || ["-", "n/a", "none", "null", "nan"];
    text.len() <= 4
        && (text.is_empty() || words().iter().any(|word| word.eq_ignore_ascii_case(text)))
}

/// Makes a record of these columns.
pub(super) fn record<'a>(columns: &[(Column, &'a str)]) -> RawRecord<'a> {
    let mut raw = RawRecord::default();
    for (column, text) in columns {
        raw.set(*column, text);
    }
    raw
}

/// The first of these times that can be read, else the first that is given. Some write 0 for none.
pub(super) fn first_time<'a>(times: impl IntoIterator<Item = &'a str>) -> &'a str {
    let mut given = times.into_iter().filter(|time| !matches!(*time, "" | "0"));
    let first = given.next().unwrap_or_default();
    let mut all = iter::once(first).chain(given);
    all.find(|time| parse_time(time).is_some()).unwrap_or(first)
}

/// Empties the dates and the confidence that cannot be read, and says how many: an indicator is worth more than its date.
pub(super) fn without_unread(raw: &mut RawRecord<'_>) -> u64 {
    let mut unread = 0;
    for column in [Column::FirstSeen, Column::LastSeen, Column::Confidence] {
        let read = match (column, raw.get(column)) {
            (Column::Confidence, text) => parse_confidence(text).is_ok(),
            (_, text) => matches!(text, "" | "0") || parse_time(text).is_some(),
        };
        if !read {
            raw.set(column, "");
            unread += 1;
        }
    }
    unread
}

/// Hands a record whose type is known by no name of ours to the sink.
pub(super) fn unknown_type(raw: &RawRecord<'_>, sink: &mut dyn Sink) -> Result<(), Error> {
    let name = raw.get(Column::IocType);
    let short: String = name.chars().take(64).collect();
    sink.unreadable(raw, &Reason::UnknownType.because(short))
}

/// Hands over a record, or its reject where there is one.
pub(super) fn hand(
    raw: &RawRecord<'_>,
    reject: Option<Reject>,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    match reject {
        Some(reject) => sink.unreadable(raw, &reject),
        None => sink.record(raw),
    }
}
