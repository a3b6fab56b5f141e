//! Feodo Tracker of abuse.ch: its list of addresses as JSON and CSV. It lists servers that command botnets.

use std::io::BufRead;

use super::row::{Row, record};
use super::table::{self, head};
use super::{Published, Reading, Report, Sink, Source, first_byte, json_rows};
use crate::error::Error;
use crate::record::Column;

/// <https://feodotracker.abuse.ch/blocklist/>.
pub(super) struct Feodo;

impl Source for Feodo {
    fn name(&self) -> &'static str {
        "feodo"
    }

    fn published(&self) -> Option<Published> {
        Some(Published {
            open: "https://feodotracker.abuse.ch/downloads/ipblocklist.json",
            keyed: None,
        })
    }

    fn recognizes(&self, start: &str) -> bool {
        if start.starts_with('[') {
            return start.contains("\"ip_address\"");
        }
        start.starts_with(['#', '"', 'f']) && (start.contains("Feodo") || start.contains("dst_ip"))
    }

    fn read(
        &self,
        name: &str,
        _: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        if first_byte(name, content)? == Some(b'[') {
            return json_rows::read(name, "feodo_json", content, &mut take, sink);
        }
        let is_header = |names: &[String]| names.iter().any(|name| name == "dst_ip");
        // The list of addresses alone has no header.
        let head = head(name, content, &is_header, &["dst_ip"])?;
        table::read(name, "feodo_csv", content, head, &mut take, sink)
    }
}

fn take(row: &Row<'_>, sink: &mut dyn Sink) -> Result<(), Error> {
    let address = row.get(&["ip_address", "dst_ip"]);
    let page = format!("https://feodotracker.abuse.ch/browse/host/{address}/");
    sink.record(&record(&[
        (Column::Ioc, address),
        (Column::Port, row.get(&["port", "dst_port"])),
        (Column::IocType, "ip:port"),
        (Column::ThreatType, "botnet_cc"),
        (Column::MalwarePrintable, row.get(&["malware"])),
        (
            Column::FirstSeen,
            row.get(&["first_seen", "first_seen_utc"]),
        ),
        (Column::LastSeen, row.get(&["last_online"])),
        (Column::Link, &page),
    ]))
}
