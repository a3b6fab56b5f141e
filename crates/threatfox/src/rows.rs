//! Rows by IOC: what their columns are, and how they are written.

use std::io::{self, Write};

use crate::feed::{MAX_TEXT, first_names};
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
    let mut texts: [String; 5] = Default::default();
    store.each_row(|row| {
        counts.add(row.kind, row.first_seen, row.last_seen);
        counts.add_source(row.source, row.first_seen.max(row.last_seen));
        let warning = warner.warning(row.kind, row.key, row.weakening);
        counts.add_warning(warning);
        regex.clear();
        push_regex(&mut regex, row.kind, row.key, row.exact);
        let mut first = |column, text, between, buffer| {
            let (text, cut) = first_names(text, between, buffer);
            counts.add_cut(column, cut);
            Cell::Text(text)
        };
        let all_tags = row.all_tags();
        let [malware, printable, threats, reporter, tags] = &mut texts;
        let malware = first("malware", row.malware, b';', malware);
        let printable = first("malware_printable", row.malware_printable, b';', printable);
        let threats = first("threat_type", row.threat_type, b';', threats);
        let reporter = first("reporter", row.reporter, b';', reporter);
        let tags = first("tags", &all_tags, b',', tags);
        // A link that is cut leads nowhere.
        let reference = Some(row.reference).filter(|link| link.len() <= MAX_TEXT);
        counts.add_cut("reference", reference.is_none());
        table.row(&[
            Cell::Text(row.ioc),
            Cell::Text(row.ioc_type),
            Cell::Text(row.key),
            Cell::Text(row.kind.name()),
            Cell::Text(&regex),
            row.port
                .map_or(Cell::None, |port| Cell::Number(port.into())),
            malware,
            printable,
            threats,
            Cell::Number(row.confidence.into()),
            row.first_seen.map_or(Cell::None, Cell::Time),
            row.last_seen.map_or(Cell::None, Cell::Time),
            reporter,
            Cell::Text(reference.unwrap_or_default()),
            tags,
            row.id.map_or(Cell::None, Cell::Number),
            Cell::Text(&row.page()),
            Cell::Text(row.source),
            Cell::Text(warning),
        ])
    })?;
    Ok((table.finish()?, counts))
}
