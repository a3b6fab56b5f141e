//! The feed by key: what its columns are, and how it is written and read.

mod earlier;
mod line;
mod narrow;
mod read;
mod row;

use std::io::{self, Write};

pub use earlier::{Earlier, Refusal};
pub(crate) use line::broken;
pub use narrow::{Line, lines};
pub use read::read;
pub use row::FeedRow;

use crate::key::{Kind, push_regex};
use crate::normalize::KeyStore;
use crate::summary::Keys;
use crate::table::{Cell, Layout, Table};

/// The columns, in their order.
pub const COLUMNS: [&str; 14] = [
    "key",
    "kind",
    "ioc",
    "ioc_type",
    "regex",
    "ports",
    "malware",
    "threat_type",
    "confidence",
    "first_seen",
    "last_seen",
    "id",
    "iocs",
    "compromised",
];

/// How the header of every version begins.
pub(crate) const HEADER_START: &str = "key,kind,";

/// Writes the feed and counts its keys.
pub fn write<W: Write>(store: &KeyStore, out: W, layout: Layout) -> io::Result<(W, Keys)> {
    let mut table = Table::new(out, layout, &COLUMNS)?;
    let mut keys = Keys::default();
    let (mut regex, mut ports) = (String::new(), String::new());
    store.each_row(|row| {
        keys.add(row.kind, row.first_seen, row.last_seen);
        regex.clear();
        push_regex(&mut regex, row.kind, row.key, row.exact);
        ports.clear();
        for port in row.ports {
            if !ports.is_empty() {
                ports.push(';');
            }
            ports.push_str(itoa::Buffer::new().format(*port));
        }
        // Only a URL can have what CSV must quote; hosts, addresses and hashes cannot.
        let cell = if row.kind == Kind::Url {
            Cell::Text
        } else {
            Cell::Plain
        };
        table.row(&[
            cell(row.key),
            Cell::Plain(row.kind.name()),
            // The key has the hash; digits alone would read as a number.
            Cell::Text(if row.kind.is_hash() { "" } else { row.ioc }),
            Cell::Plain(row.ioc_type),
            cell(&regex),
            Cell::Plain(&ports),
            Cell::Text(row.malware),
            Cell::Text(row.threat_type),
            Cell::Number(row.confidence.into()),
            row.first_seen.map_or(Cell::None, Cell::Time),
            row.last_seen.map_or(Cell::None, Cell::Time),
            row.id.map_or(Cell::None, Cell::Number),
            Cell::Number(row.iocs),
            Cell::Flag(row.compromised),
        ])
    })?;
    Ok((table.finish()?, keys))
}
