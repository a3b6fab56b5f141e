//! A plain list: an indicator a line, as people write them into mails: defanged, with bullets and remarks.

use std::collections::BTreeSet;
use std::io::{BufRead, Read};

use super::form::Form;
use super::row::record;
use super::{MAX_FIELD, Reading, Report, Sink, Source};
use crate::error::{Error, Place};
use crate::record::{Column, RawRecord};
use crate::reject::{Reason, Reject};
use crate::value::{refang, type_value};

/// If more than one line in so many is no indicator, the file is no list of them.
const ONE_IN: u64 = 2;

/// A list.
pub(super) struct List;

impl Source for List {
    fn name(&self) -> &'static str {
        "list"
    }

    /// More than half of the lines have to be indicators. The last may be cut.
    fn recognizes(&self, start: &str) -> bool {
        if start.starts_with(['{', '<', '"']) {
            return false;
        }
        let whole = start.rsplit_once('\n').map_or(start, |(lines, _)| lines);
        let lines: Vec<&str> = whole.lines().filter_map(indicator_in).collect();
        let read = lines.iter().filter(|line| typed(line).is_ok()).count();
        read * 2 > lines.len()
    }

    fn read(
        &self,
        name: &str,
        _: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        let mut form = Form::default();
        let (mut number, mut records) = (0, 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            let bound = MAX_FIELD as u64 + 1;
            let read = content.take(bound).read_until(b'\n', &mut line);
            read.map_err(|source| Error::Unreadable {
                name: name.to_owned(),
                source,
            })?;
            if line.is_empty() {
                break;
            }
            number += 1;
            let place = Place::Line(number);
            let nothing = RawRecord::default();
            if line.len() as u64 == bound {
                records += 1;
                let problem = "the line is larger than the bound of 64 KiB";
                let reject = form.reject(Reason::TooLarge, place, problem);
                sink.unreadable(&nothing, &reject)?;
                skip_line(name, content)?;
                continue;
            }
            let Ok(text) = std::str::from_utf8(&line) else {
                records += 1;
                let reject = form.reject(Reason::NotUtf8, place, "not UTF-8");
                sink.unreadable(&nothing, &reject)?;
                continue;
            };
            let Some(text) = indicator_in(text) else {
                continue;
            };
            records += 1;
            match typed(text) {
                Ok((ioc_type, value)) => sink.record(&record(&[
                    (Column::Ioc, &value),
                    (Column::IocType, ioc_type),
                ]))?,
                Err(reject) => {
                    let counted = form.reject(reject.reason, place, &reject.detail);
                    sink.unreadable(&record(&[(Column::Ioc, text)]), &counted)?;
                }
            }
        }
        form.check_share(name, records, ONE_IN)?;
        Ok(Report {
            name: name.to_owned(),
            format: "list",
            records,
            unknown_columns: BTreeSet::new(),
            longer_records: 0,
        })
    }
}

fn skip_line(name: &str, content: &mut (dyn BufRead + Send)) -> Result<(), Error> {
    content
        .skip_until(b'\n')
        .map(|_| ())
        .map_err(|source| Error::Unreadable {
            name: name.to_owned(),
            source,
        })
}

/// The value on a line, without bullet, quotes and the end of a sentence; empty for a comment.
fn indicator_in(line: &str) -> Option<&str> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.starts_with(['#', ';']) || line.starts_with("//") {
        return None;
    }
    let bullet = |c: char| matches!(c, '-' | '*' | '•' | '–' | '>') || c.is_whitespace();
    let text = line.trim_start_matches(bullet);
    let quote =
        |c: char| matches!(c, '"' | '\'' | '`' | '<' | '>' | '|' | ',' | ';') || c.is_whitespace();
    let text = text.trim_matches(quote);
    (!text.is_empty()).then_some(text)
}

/// The type and value of a text, or of its first word, where a remark follows.
fn typed(text: &str) -> Result<(&'static str, String), Reject> {
    let read = |text: &str| {
        let plain = refang(text.trim_end_matches(['.', ',', ';', ':']));
        type_value(&plain).map(|(ioc_type, value)| (ioc_type.name(), value))
    };
    match read(text) {
        Err(reject) if reject.reason == Reason::BadDomain => {
            let end = text.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|'));
            end.map_or(Err(reject), |end| read(&text[..end]))
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_people_write_it() {
        for (line, value) in [
            ("- hxxp://evil[.]example/x", "http://evil.example/x"),
            ("  * 203.0.113[.]7:443,", "203.0.113.7:443"),
            ("`evil[.]example`", "evil.example"),
            ("evil[.]example.", "evil.example"),
            ("203[.]0[.]113[.]7 (C2 of the loader)", "203.0.113.7"),
            ("evil.example;seen on Monday", "evil.example"),
            ("203.0.113.0/29", "203.0.113.0/29"),
        ] {
            let read = indicator_in(line).map(|text| typed(text).unwrap().1);
            assert_eq!(read.as_deref(), Some(value), "{line}");
        }
        for line in ["# evil.example", "// remark", "", " - ", "\u{feff}"] {
            assert_eq!(indicator_in(line), None, "{line}");
        }
    }

    #[test]
    fn half_of_the_lines_must_be_indicators() {
        assert!(List.recognizes("evil.example\nwhat a day\nbad.example\ncut"));
        assert!(!List.recognizes("Dear all,\nsee below\nevil.example\n"));
    }
}
