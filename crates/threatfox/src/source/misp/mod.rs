//! MISP: events as JSON, and its CSV. Only what an event marks for detection (`to_ids`) is an indicator.

mod event;
mod manifest;

use std::io::BufRead;

pub(super) use manifest::events_in;

use super::custom::typed;
use super::row::{Row, hand, record};
use super::table::{self, head};
use super::{Reading, Report, Sink, Source, first_byte};
use crate::error::Error;
use crate::record::{Column, RawRecord};
use crate::reject::Reason;
use crate::value::refang;

/// <https://www.misp-standard.org/rfc/misp-standard-core.html>.
pub(super) struct Misp;

impl Source for Misp {
    fn name(&self) -> &'static str {
        "misp"
    }

    fn recognizes(&self, start: &str) -> bool {
        if start.starts_with(['{', '[']) {
            let json: String = start.chars().filter(|c| !c.is_whitespace()).collect();
            let event = ["{\"Event\":{", "{\"response\":", "[{\"Event\":{"];
            return event.iter().any(|start| json.starts_with(start));
        }
        let header = start.lines().next().unwrap_or_default();
        is_header(&table::names_in(header, b','))
    }

    fn read(
        &self,
        name: &str,
        _: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        if matches!(first_byte(name, content)?, Some(b'{' | b'[')) {
            return event::read(name, content, sink);
        }
        let head = head(name, content, &is_header, &[])?;
        let mut take = |row: &Row<'_>, sink: &mut dyn Sink| {
            let raw = attribute(row);
            attribute_of(row, raw, sink)
        };
        table::read(name, "misp_csv", content, head, &mut take, sink)
    }
}

fn is_header(names: &[String]) -> bool {
    ["type", "value"]
        .iter()
        .all(|name| names.iter().any(|known| known == name))
}

/// The facts about an attribute, besides type and value.
fn attribute<'a>(row: &Row<'a>) -> RawRecord<'a> {
    record(&[
        (Column::Id, row.get(&["uuid"])),
        (
            Column::FirstSeen,
            row.get(&["first_seen", "timestamp", "date"]),
        ),
        (Column::LastSeen, row.get(&["last_seen"])),
        (Column::MalwarePrintable, row.get(&["event_info"])),
        (
            Column::Reporter,
            row.get(&["event_source_org", "event_member_org"]),
        ),
        (Column::Tags, row.get(&["attribute_tag", "event_tag"])),
    ])
}

/// Whether an attribute is for detection. The CSV of some exports has no such column: then all are.
fn for_detection(row: &Row<'_>) -> bool {
    let flag = row.get(&["to_ids"]);
    !matches!(flag.to_ascii_lowercase().as_str(), "0" | "false" | "no")
}

/// Hands over the indicators of an attribute: of a composite type the part that is looked for, or both.
fn attribute_of(row: &Row<'_>, raw: RawRecord<'_>, sink: &mut dyn Sink) -> Result<(), Error> {
    let mut raw: RawRecord<'_> = raw;
    let (name, value) = (row.get(&["type"]), row.get(&["value"]));
    if !for_detection(row) {
        raw.set(Column::Ioc, value);
        raw.set(Column::IocType, name);
        return hand(&raw, Some(Reason::NotForDetection.into()), sink);
    }
    let (first, second) = value.rsplit_once('|').unwrap_or((value, ""));
    match name {
        "ip-src|port" | "ip-dst|port" => {
            raw.set(Column::Port, second);
            typed(&refang(first), name, raw, sink)
        }
        "hostname|port" => typed(&refang(first), name, raw, sink),
        "domain|ip" => {
            typed(&refang(first), "domain", raw, sink)?;
            typed(&refang(second), "ip-dst", raw, sink)
        }
        "malware-sample" => typed(second, "md5", raw, sink),
        _ if name.starts_with("filename|") => typed(second, name, raw, sink),
        "" => typed(&refang(value), "unknown", raw, sink),
        _ => typed(&refang(value), name, raw, sink),
    }
}
