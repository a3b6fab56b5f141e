//! MISP: events as JSON, and its CSV. Only what an event marks for detection (`to_ids`) is an indicator.

mod event;
mod manifest;
mod tags;
mod visit;

use std::io::BufRead;

pub(super) use manifest::events_in;
use tags::families;

use super::row::{Row, first_time, record, without_unread};
use super::table::{self, head};
use super::typed::written;
use super::{Reading, Report, Sink, Source, first_byte};
use crate::error::Error;
use crate::record::{Column, RawRecord};
use crate::reject::{Reason, Reject};

/// <https://www.misp-standard.org/rfc/misp-standard-core.html>.
pub(super) struct Misp;

impl Source for Misp {
    fn name(&self) -> &'static str {
        "misp"
    }

    fn recognizes(&self, start: &str) -> bool {
        if start.starts_with(['{', '[']) {
            let json: String = start.chars().filter(|c| !c.is_whitespace()).collect();
            let event = [
                "{\"Event\":{",
                "{\"response\":",
                "[{\"Event\":{",
                "{\"info\":",
            ];
            let bare = ["\"Attribute\":[", "\"Attribute\":{", "\"Object\":[{"];
            return event.iter().any(|start| json.starts_with(start))
                || bare.iter().any(|member| json.contains(member));
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
        let mut unread = 0;
        let mut take = |row: &Row<'_>, sink: &mut dyn Sink| {
            let mut raw: RawRecord<'_> = attribute(row);
            unread += without_unread(&mut raw);
            let malware = families(raw.get(Column::Tags));
            let malware = malware.or_else(|| families(raw.get(Column::SharedTags)));
            if let Some(malware) = &malware {
                raw.set(Column::MalwarePrintable, malware);
            }
            attribute_of(row, &raw, sink)
        };
        let mut report = table::read(name, "misp_csv", content, head, &mut take, sink)?;
        report.unread_values = unread;
        Ok(report)
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
            first_time(["first_seen", "timestamp", "date"].map(|name| row.get(&[name]))),
        ),
        (Column::LastSeen, row.get(&["last_seen"])),
        (Column::MalwarePrintable, row.get(&["event_info", "Event"])),
        (
            Column::Reporter,
            row.get(&["event_source_org", "event_member_org"]),
        ),
        (Column::Tags, row.get(&["attribute_tag", "Tag"])),
        (Column::SharedTags, row.get(&["event_tag"])),
    ])
}

/// Whether a flag is set, in every spelling.
fn is_set(flag: &str) -> bool {
    matches!(flag.to_ascii_lowercase().as_str(), "1" | "true" | "yes")
}

/// Why an attribute is not for detection, if its fields say so. The CSV of some exports has no such columns: then all are.
fn not_for_detection(row: &Row<'_>) -> Option<Reject> {
    if is_set(row.get(&["deleted"])) {
        return Some(deleted());
    }
    let flag = row.get(&["to_ids"]).to_ascii_lowercase();
    matches!(&*flag, "0" | "false" | "no").then(|| Reason::NotForDetection.into())
}

/// Nobody deletes what is right: most often it was a false positive.
fn deleted() -> Reject {
    Reason::NotForDetection.because("deleted")
}

/// Hands over the indicators of an attribute. One without a type has none.
fn attribute_of(row: &Row<'_>, raw: &RawRecord<'_>, sink: &mut dyn Sink) -> Result<(), Error> {
    let mut raw: RawRecord<'_> = *raw;
    let (name, value) = (row.get(&["type"]), row.get(&["value"]));
    if let Some(reject) = not_for_detection(row) {
        raw.set(Column::Ioc, value);
        raw.set(Column::IocType, name);
        return sink.unreadable(&raw, &reject);
    }
    let name = if name.is_empty() { "unknown" } else { name };
    written(value, name, &raw, sink)
}
