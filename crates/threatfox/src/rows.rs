//! Rows by IOC: what their columns are, and how they are written.

use std::io::{self, Write};

use crate::match_key::push_regex;
use crate::normalize::RowStore;
use crate::summary::RowCounts;
use crate::table::{Cell, Layout, Table};
use crate::warning::{Warner, WarningLists};

/// The columns, in their order: the first two are those of Velociraptor's blog.
pub const COLUMNS: [&str; 19] = [
    "ioc",
    "ioc_type",
    "key",
    "kind",
    "regex",
    "port",
    "malware",
    "malware_printable",
    "threat_type",
    "confidence",
    "first_seen",
    "last_seen",
    "reporter",
    "reference",
    "tags",
    "id",
    "link",
    "source",
    "warning",
];

/// Writes the rows, with what warning lists say of the first key of each, and counts them by its kind.
pub fn write<W: Write>(
    store: &RowStore,
    lists: &WarningLists,
    out: W,
    layout: Layout,
) -> io::Result<(W, RowCounts)> {
    let mut table = Table::new(out, layout, &COLUMNS)?;
    let mut counts = RowCounts::default();
    let mut warner = Warner::new(lists);
    let mut regex = String::new();
    store.each_row(|row| {
        counts.add(row.kind, row.first_seen, row.last_seen);
        counts.add_source(row.source, row.first_seen.max(row.last_seen));
        let warning = warner.warning(row.kind, row.key, row.weakening);
        counts.add_warning(warning);
        regex.clear();
        push_regex(&mut regex, row.kind, row.key, row.exact);
        table.row(&[
            Cell::Text(row.ioc),
            Cell::Text(row.ioc_type),
            Cell::Text(row.key),
            Cell::Text(row.kind.name()),
            Cell::Text(&regex),
            row.port
                .map_or(Cell::None, |port| Cell::Number(port.into())),
            Cell::Text(row.malware),
            Cell::Text(row.malware_printable),
            Cell::Text(row.threat_type),
            Cell::Number(row.confidence.into()),
            row.first_seen.map_or(Cell::None, Cell::Time),
            row.last_seen.map_or(Cell::None, Cell::Time),
            Cell::Text(row.reporter),
            Cell::Text(row.reference),
            Cell::Text(&row.all_tags()),
            row.id.map_or(Cell::None, Cell::Number),
            Cell::Text(&row.page()),
            Cell::Text(row.source),
            Cell::Text(warning),
        ])
    })?;
    Ok((table.finish()?, counts))
}
