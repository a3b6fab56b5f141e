//! The feed by key: what its columns are, and how it is written and read.

mod bounds;
mod earlier;
mod line;
mod narrow;
mod read;
mod row;

use std::io::{self, Write};

pub(crate) use bounds::{MAX_KEY, MAX_TEXT, first_names};
pub use earlier::Earlier;
pub use narrow::{Line, lines};
pub use read::read;
pub use row::FeedRow;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::match_key::{Kind, push_regex};
use crate::summary::RowCounts;
use crate::table::{Cell, Layout, Table};
use crate::warning::{Warner, WarningLists};

/// The format's number: raised when a column goes, moves or changes its meaning, so that older readers must be renewed.
pub const FORMAT: u32 = 1;

/// How many of the columns each feed has. Those after them came later: a reader does without them.
const REQUIRED: usize = 14;

/// The columns, in their order.
pub const COLUMNS: [&str; 17] = [
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
    "source",
    "link",
    "warning",
];

/// How many facts make a part of the rows, which one core makes: some 150 KiB of text, and 4 MiB of the longest there are.
const PART: usize = 1024;
/// So many parts are in memory at once. One thread writes them all, and more cores would only wait for it.
const PARTS: usize = 4;

/// What a feed has its rows for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One row per match key.
    ByKey,
    /// One row per IOC.
    ByIoc,
}

/// Where the rows of a feed come from: in parts, so that all cores can make them.
pub trait Store {
    /// The rows in parts of about this size, in the order of their keys.
    fn parts(&self, size: usize) -> Vec<Box<dyn Part + '_>>;
}

/// Some of the rows.
pub trait Part: Sync {
    /// Hands the rows over in the order of their keys.
    ///
    /// # Errors
    /// The first error of `take`, which ends the walk.
    fn each_row(&self, take: &mut dyn FnMut(&FeedRow<'_>) -> io::Result<()>) -> io::Result<()>;
}

/// Writes the feed, with what warning lists say of each key, and counts its rows. Several cores make rows.
pub fn write<W: Write>(
    store: &impl Store,
    lists: &WarningLists,
    out: W,
    layout: Layout,
) -> io::Result<(W, RowCounts)> {
    let mut out = Table::new(out, layout, &COLUMNS)?.finish()?;
    let mut counts = RowCounts::default();
    for parts in store
        .parts(PART)
        .chunks(PARTS.min(rayon::current_num_threads()))
    {
        let made: Vec<_> = parts
            .par_iter()
            .map(|part| rows(part.as_ref(), lists, layout))
            .collect();
        for rows in made {
            let (text, of_part) = rows?;
            out.write_all(&text)?;
            counts.add_all(&of_part);
        }
    }
    Ok((out, counts))
}

/// The rows of a part as text, and counted.
fn rows(part: &dyn Part, lists: &WarningLists, layout: Layout) -> io::Result<(Vec<u8>, RowCounts)> {
    let mut table = Table::part(Vec::new(), layout, &COLUMNS);
    let mut counts = RowCounts::default();
    let mut warner = Warner::new(lists);
    let (mut regex, mut ports) = (String::new(), String::new());
    let mut names: [String; 3] = Default::default();
    part.each_row(&mut |row| {
        counts.add(row.kind, row.first_seen, row.last_seen);
        counts.add_source(row.source, row.first_seen.max(row.last_seen));
        let warning = warner.warning(row.kind, row.key, row.warning);
        counts.add_warning(warning);
        regex.clear();
        push_regex(&mut regex, row.kind, row.key, row.exact);
        ports.clear();
        let first_ports = bounds::first_ports(row.ports);
        counts.add_cut("ports", first_ports.len() < row.ports.len());
        for port in first_ports {
            if !ports.is_empty() {
                ports.push(';');
            }
            ports.push_str(itoa::Buffer::new().format(*port));
        }
        let [malware, threats, sources] = &mut names;
        let mut first = |column, names, buffer| {
            let (names, cut) = first_names(names, b';', buffer);
            counts.add_cut(column, cut);
            names
        };
        let malware = first("malware", row.malware, malware);
        let threats = first("threat_type", row.threat_type, threats);
        let sources = first("source", row.source, sources);
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
            Cell::Text(malware),
            Cell::Text(threats),
            Cell::Number(row.confidence.into()),
            row.first_seen.map_or(Cell::None, Cell::Time),
            row.last_seen.map_or(Cell::None, Cell::Time),
            row.id.map_or(Cell::None, Cell::Number),
            Cell::Number(row.iocs),
            Cell::Flag(row.compromised),
            Cell::Plain(sources),
            Cell::Text(row.link),
            Cell::Text(warning),
        ])
    })?;
    Ok((table.finish()?, counts))
}
