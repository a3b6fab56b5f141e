//! Rows by IOC: one per record, newest id first; a record that two inputs have is one row, in the version that was active
//! last.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::net::SocketAddr;

use super::Store;
use super::origin::{Origin, Origins};
use crate::arena::{Arena, Names, Span};
use crate::error::Error;
use crate::ioc::{Ioc, IocType};
use crate::match_key::{KeyMaker, Kind};
use crate::record::{Column, Record};
use crate::text::clean;

#[derive(Debug, Clone, Copy)]
struct Row {
    id: Option<u64>,
    first_seen: Option<i64>,
    last_seen: Option<i64>,
    ioc: Span,
    key: Span,
    reference: u32,
    malware: u32,
    malware_printable: u32,
    threat_type: u32,
    reporter: u32,
    tags: u32,
    shared_tags: u32,
    origin: u32,
    weakening: u32,
    port: Option<u16>,
    confidence: u8,
    kind: Kind,
    ioc_type: IocType,
    exact: bool,
}

/// All rows.
#[derive(Debug, Default)]
pub struct RowStore {
    rows: Vec<Row>,
    arena: Arena,
    names: Names,
    origins: Origins,
}

/// A row by IOC, with the columns of [`crate::rows::COLUMNS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The columns of the table.
pub struct IocRow<'a> {
    pub ioc: &'a str,
    pub ioc_type: &'a str,
    pub key: &'a str,
    pub kind: Kind,
    pub exact: bool,
    pub port: Option<u16>,
    pub malware: &'a str,
    pub malware_printable: &'a str,
    pub threat_type: &'a str,
    pub confidence: u8,
    pub first_seen: Option<i64>,
    pub last_seen: Option<i64>,
    pub reporter: &'a str,
    pub reference: &'a str,
    pub tags: &'a str,
    /// Those of what the record is a part of.
    pub shared_tags: &'a str,
    pub id: Option<u64>,
    pub source: &'a str,
    /// What the policy says of it where it weakens it.
    pub weakening: &'a str,
    origin: &'a Origin,
}

impl<'a> IocRow<'a> {
    /// The page of the record.
    #[must_use]
    pub fn page(&self) -> String {
        self.origin.page_of(self.id, self.key)
    }

    /// All tags, each once, with commas between.
    #[must_use]
    pub fn all_tags(&self) -> Cow<'a, str> {
        let (own, shared) = (self.tags, self.shared_tags);
        if shared.is_empty() || own.is_empty() {
            return Cow::Borrowed(if own.is_empty() { shared } else { own });
        }
        let known: HashSet<&str> = own.split(',').map(str::trim).collect();
        let others = shared.split(',').filter(|tag| !known.contains(tag.trim()));
        let all = std::iter::once(own).chain(others);
        Cow::Owned(all.collect::<Vec<_>>().join(","))
    }

    /// The order of the rows where neither number nor activity decides: what differs between two rows differs here, so that
    /// the order in which they came makes no difference.
    fn order(&self) -> impl Ord + use<'a> {
        (
            (self.ioc, self.key, self.ioc_type, self.port, self.exact),
            (self.confidence, self.tags, self.shared_tags, self.reference),
            (self.malware, self.threat_type, self.reporter),
            (self.malware_printable, self.weakening, self.origin),
            (self.first_seen, self.last_seen),
        )
    }
}

impl Store for RowStore {
    const MAY_BE_EMPTY: bool = true;

    fn add(
        &mut self,
        record: &Record<'_>,
        weakening: Option<&str>,
        keys: &mut KeyMaker,
    ) -> Result<bool, Error> {
        let mut first = None;
        let spared = keys.each(&record.ioc, &mut |key| {
            if first.is_none() {
                first = Some((self.arena.add(key.text), key.kind, key.exact));
            }
        });
        let Some((key, kind, exact)) = first else {
            return Ok(spared);
        };
        let key = key?;
        let raw = &record.raw;
        let port = match &record.ioc {
            Ioc::Address(_, port) | Ioc::Network(_, port) => *port,
            Ioc::Url(url) => url.port,
            Ioc::Domain(_) | Ioc::Hash(..) => None,
        };
        let origin = self
            .origins
            .number(raw.get(Column::Source), raw.get(Column::Link))?;
        let mut name = |column| self.names.number(raw.get(column));
        self.rows.push(Row {
            id: record.id,
            first_seen: record.first_seen,
            last_seen: record.last_seen,
            reference: name(Column::Reference)?,
            malware: name(Column::Malware)?,
            malware_printable: name(Column::MalwarePrintable)?,
            threat_type: name(Column::ThreatType)?,
            reporter: name(Column::Reporter)?,
            tags: name(Column::Tags)?,
            shared_tags: name(Column::SharedTags)?,
            weakening: self.names.number(weakening.unwrap_or_default())?,
            origin,
            ioc: self.arena.add_after(&shown(record), key)?,
            key,
            port,
            confidence: record.confidence,
            kind,
            ioc_type: record.ioc_type,
            exact,
        });
        Ok(spared)
    }

    fn sort(&mut self) {
        let Self {
            rows,
            arena,
            names,
            origins,
        } = self;
        names.rewrite(|text| clean(text).into_owned());
        origins.split();
        let activity = |row: &Row| row.first_seen.max(row.last_seen);
        rows.sort_unstable_by(|a, b| {
            b.id.cmp(&a.id)
                // The versions of a numbered record come one after another, also if another source uses the same number.
                .then_with(|| match a.id {
                    Some(_) => origins.compare(a.origin, b.origin),
                    None => Ordering::Equal,
                })
                .then(activity(b).cmp(&activity(a)))
                .then_with(|| {
                    let view = |row| view(arena, names, origins, row);
                    view(a).order().cmp(&view(b).order())
                })
        });
        // Rows without a number are the same where they say the same.
        rows.dedup_by(|a, b| {
            let same = a.id == b.id && a.origin == b.origin;
            same && (a.id.is_some()
                || view(arena, names, origins, a) == view(arena, names, origins, b))
        });
    }
}

impl RowStore {
    /// Hands the rows over.
    ///
    /// # Errors
    /// The first error of `take`, which ends the walk.
    pub fn each_row<E>(&self, mut take: impl FnMut(&IocRow<'_>) -> Result<(), E>) -> Result<(), E> {
        self.rows
            .iter()
            .try_for_each(|row| take(&view(&self.arena, &self.names, &self.origins, row)))
    }
}

/// The indicator as it is written; with the port that stands beside it, as `ThreatFox` writes both.
fn shown<'a>(record: &Record<'a>) -> Cow<'a, str> {
    match &record.ioc {
        Ioc::Address(ip, Some(port)) if !record.raw.get(Column::Port).is_empty() => {
            Cow::Owned(SocketAddr::new(*ip, *port).to_string())
        }
        _ => clean(record.raw.get(Column::Ioc)),
    }
}

fn view<'a>(arena: &'a Arena, names: &'a Names, origins: &'a Origins, row: &Row) -> IocRow<'a> {
    let origin = origins.get(row.origin);
    IocRow {
        ioc: arena.get(row.ioc),
        ioc_type: row.ioc_type.name(),
        key: arena.get(row.key),
        kind: row.kind,
        exact: row.exact,
        port: row.port,
        malware: names.text(row.malware),
        malware_printable: names.text(row.malware_printable),
        threat_type: names.text(row.threat_type),
        confidence: row.confidence,
        first_seen: row.first_seen,
        last_seen: row.last_seen,
        reporter: names.text(row.reporter),
        reference: names.text(row.reference),
        tags: names.text(row.tags),
        shared_tags: names.text(row.shared_tags),
        id: row.id,
        source: &origin.source,
        weakening: names.text(row.weakening),
        origin,
    }
}
