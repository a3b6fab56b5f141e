//! ThreatFox: the CSV export, the JSON export and the answers of the API.

mod columns;
mod csv_export;
mod json;
mod json_record;

use std::io::BufRead;

use super::{Report, Sink, Source};
use crate::error::Error;

/// <https://threatfox.abuse.ch/export/> and <https://threatfox.abuse.ch/api/>.
pub(super) struct ThreatFox;

impl Source for ThreatFox {
    fn recognizes(&self, start: &str) -> bool {
        start.starts_with(['{', '#']) || start.starts_with('"') && start.contains("ioc_value")
    }

    fn read(
        &self,
        name: &str,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        let start = content.fill_buf().map_err(|source| Error::Unreadable {
            name: name.to_owned(),
            source,
        })?;
        if start.trim_ascii_start().starts_with(b"{") {
            json::read(name, content, sink)
        } else {
            csv_export::read(name, content, sink)
        }
    }
}
