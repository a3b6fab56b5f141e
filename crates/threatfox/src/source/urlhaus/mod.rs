//! `URLhaus` of abuse.ch: the CSV dumps, the JSON exports and the answers of the API. It lists URLs that give out malware.

use std::io::BufRead;

use super::row::{Row, record};
use super::table::{self, head};
use super::{Published, Reading, Report, Sink, Source, first_byte, json_rows};
use crate::error::Error;
use crate::record::Column;

/// <https://urlhaus.abuse.ch/api/>.
pub(super) struct UrlHaus;

impl Source for UrlHaus {
    fn name(&self) -> &'static str {
        "urlhaus"
    }

    fn published(&self) -> Option<Published> {
        Some(Published {
            open: "https://urlhaus.abuse.ch/downloads/csv_recent/",
            keyed: Some("https://urlhaus-api.abuse.ch/v2/files/exports/<AUTH-KEY>/recent.csv"),
        })
    }

    fn recognizes(&self, start: &str) -> bool {
        if start.starts_with('{') {
            return [
                "\"url_status\"",
                "\"urlhaus_link\"",
                "\"urlhaus_reference\"",
            ]
            .iter()
            .any(|name| start.contains(name));
        }
        start.starts_with(['#', '"', 'i'])
            && (start.contains("URLhaus") || start.contains("dateadded,url,"))
    }

    fn read(
        &self,
        name: &str,
        _: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        if first_byte(name, content)? == Some(b'{') {
            return json_rows::read(name, "urlhaus_json", content, &mut take, sink);
        }
        let is_header = |names: &[String]| {
            names.iter().any(|name| name == "dateadded") && names.iter().any(|name| name == "url")
        };
        let head = head(name, content, &is_header, &[])?;
        table::read(name, "urlhaus_csv", content, head, &mut take, sink)
    }
}

/// It names no family, but its tags mostly do: they stand for one, as an analyst would read them.
fn take(row: &Row<'_>, sink: &mut dyn Sink) -> Result<(), Error> {
    let tags = row.get(&["tags"]);
    let threat = row.get(&["threat"]);
    let id = row.get(&["id", "url_id"]);
    let page = row.get(&["urlhaus_link", "urlhaus_reference"]);
    let id = match id {
        "" => page.trim_end_matches('/').rsplit('/').next().unwrap_or(""),
        id => id,
    };
    sink.record(&record(&[
        (Column::Id, id),
        (Column::Ioc, row.get(&["url"])),
        (Column::IocType, "url"),
        (Column::ThreatType, threat),
        (
            Column::MalwarePrintable,
            if tags.is_empty() { threat } else { tags },
        ),
        (Column::FirstSeen, row.get(&["dateadded", "date_added"])),
        (Column::LastSeen, row.get(&["last_online"])),
        (Column::Tags, tags),
        (Column::Reporter, row.get(&["reporter"])),
        (Column::Link, "https://urlhaus.abuse.ch/url/{id}/"),
    ]))
}
