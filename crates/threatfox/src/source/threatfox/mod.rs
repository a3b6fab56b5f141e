//! ThreatFox: the CSV export, the JSON export and the answers of the API.

mod columns;
mod csv_export;
mod json;
mod json_record;

use std::io::BufRead;

use super::{Reading, Report, Sink, Source, first_byte};
use crate::error::Error;
use crate::record::{Column, RawRecord, THREATFOX, THREATFOX_PAGE};
use crate::reject::Reason;

/// <https://threatfox.abuse.ch/export/> and <https://threatfox.abuse.ch/api/>.
pub(super) struct ThreatFox;

impl Source for ThreatFox {
    fn name(&self) -> &'static str {
        THREATFOX
    }

    fn recognizes(&self, start: &str) -> bool {
        start.starts_with(['{', '#']) || start.starts_with('"') && start.contains("ioc_value")
    }

    fn read(
        &self,
        name: &str,
        _: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        if first_byte(name, content)? == Some(b'{') {
            json::read(name, content, sink)
        } else {
            csv_export::read(name, content, sink)
        }
    }
}

/// Hands a record over. ThreatFox numbers all of its records and says when each was first seen: one without is damaged.
fn hand(raw: &mut RawRecord<'_>, sink: &mut dyn Sink) -> Result<(), Error> {
    if raw.get(Column::Id).parse::<u64>().is_err() {
        return sink.unreadable(raw, &Reason::BadId.because("the id is not a number"));
    }
    if matches!(raw.get(Column::FirstSeen), "" | "0") {
        let reject = Reason::BadDate.because("first_seen is not a date from 1970 to 2199");
        return sink.unreadable(raw, &reject);
    }
    raw.set_source(THREATFOX);
    raw.set(Column::Link, THREATFOX_PAGE);
    sink.record(raw)
}
