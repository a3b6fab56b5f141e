//! A feed in memory: all texts in one arena, a row in 96 bytes, and a table of row numbers by the hash of the key. A
//! look-up allocates nothing.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Feed;
use crate::arena::{Arena, Names, Span};
use crate::error::Error;
use crate::feed::{self, FeedRow};
use crate::match_key::Kind;
use crate::source::Input;
use crate::url::split_at_scheme;

/// No time.
const NEVER: i64 = i64::MIN;

/// The rows of a feed by their keys.
#[derive(Debug, Default)]
pub struct Index {
    texts: Arena,
    ioc_types: Names,
    malware: Names,
    threat_types: Names,
    sources: Names,
    warnings: Names,
    ports: Vec<u16>,
    rows: Vec<Row>,
    /// Numbers of rows. Its hasher is seeded anew in each run: a hostile feed cannot choose keys that collide.
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// A row, its texts elsewhere.
#[derive(Debug)]
struct Row {
    first_seen: i64,
    last_seen: i64,
    id: Option<u64>,
    key: Span,
    ioc: Span,
    ports: u32,
    ioc_type: u32,
    malware: u32,
    threat_type: u32,
    source: u32,
    link: Span,
    warning: u32,
    iocs: u32,
    port_count: u16,
    kind: Kind,
    confidence: u8,
    exact: bool,
    compromised: bool,
}

impl Index {
    /// Reads a feed, plain or gzipped.
    ///
    /// # Errors
    /// Those of [`feed::read`]; [`Error::TooLarge`].
    pub fn read(input: &Input) -> Result<Self, Error> {
        let mut index = Self::default();
        feed::read(input, &mut |row, _| {
            index.insert(row)?;
            Ok(())
        })?;
        Ok(index)
    }

    /// Adds a row. `false` where its key is there already: then the last row counts, as in the hunts.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn insert(&mut self, row: &FeedRow<'_>) -> Result<bool, Error> {
        let hash = self.hasher.hash_one(row.key);
        let earlier = self.find(hash, row.key);
        let number = to_u32(self.rows.len(), "keys")?;
        let ports = to_u32(self.ports.len(), "ports")?;
        let (key, ioc) = self.add_texts(row.key, row.ioc)?;
        let added = Row {
            first_seen: row.first_seen.unwrap_or(NEVER),
            last_seen: row.last_seen.unwrap_or(NEVER),
            id: row.id,
            key,
            ioc,
            ports,
            ioc_type: self.ioc_types.number(row.ioc_type)?,
            malware: self.malware.number(row.malware)?,
            threat_type: self.threat_types.number(row.threat_type)?,
            warning: self.warnings.number(row.warning)?,
            iocs: u32::try_from(row.iocs).unwrap_or(u32::MAX),
            port_count: u16::try_from(row.ports.len()).unwrap_or(u16::MAX),
            kind: row.kind,
            confidence: row.confidence,
            exact: row.exact,
            compromised: row.compromised,
            source: self.sources.number(row.source)?,
            link: self.texts.add(row.link)?,
        };
        self.ports.extend_from_slice(row.ports);
        if let Some(number) = earlier {
            self.rows[number as usize] = added;
            return Ok(false);
        }
        self.rows.push(added);
        let Self {
            table,
            rows,
            texts,
            hasher,
            ..
        } = self;
        table.insert_unique(hash, number, |n| {
            hasher.hash_one(texts.get(rows[*n as usize].key))
        });
        Ok(true)
    }

    /// Most indicators end their key (`url:` and the URL) or have it in them (`address:port`, the host of a URL).
    fn add_texts(&mut self, key: &str, ioc: &str) -> Result<(Span, Span), Error> {
        if key.ends_with(ioc) {
            let span = self.texts.add(key)?;
            let ioc = span.part(key.len() - ioc.len(), ioc.len());
            return Ok((span, ioc.unwrap_or(span)));
        }
        let span = self.texts.add(ioc)?;
        let host = split_at_scheme(ioc).map_or(ioc, |(_, after)| after);
        let part = host
            .starts_with(key)
            .then(|| span.part(ioc.len() - host.len(), key.len()));
        match part.flatten() {
            Some(key) => Ok((key, span)),
            None => Ok((self.texts.add(key)?, span)),
        }
    }

    /// The row of a key in the spelling of the feed.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<FeedRow<'_>> {
        let number = self.find(self.hasher.hash_one(key), key)?;
        Some(self.row(number))
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the index is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn find(&self, hash: u64, key: &str) -> Option<u32> {
        let same = |n: &u32| self.texts.get(self.rows[*n as usize].key) == key;
        self.table.find(hash, same).copied()
    }

    fn row(&self, number: u32) -> FeedRow<'_> {
        let row = &self.rows[number as usize];
        let ports = row.ports as usize;
        FeedRow {
            key: self.texts.get(row.key),
            kind: row.kind,
            ioc: self.texts.get(row.ioc),
            ioc_type: self.ioc_types.text(row.ioc_type),
            exact: row.exact,
            ports: &self.ports[ports..ports + usize::from(row.port_count)],
            malware: self.malware.text(row.malware),
            threat_type: self.threat_types.text(row.threat_type),
            confidence: row.confidence,
            first_seen: (row.first_seen != NEVER).then_some(row.first_seen),
            last_seen: (row.last_seen != NEVER).then_some(row.last_seen),
            id: row.id,
            iocs: row.iocs.into(),
            compromised: row.compromised,
            source: self.sources.text(row.source),
            link: self.texts.get(row.link),
            warning: self.warnings.text(row.warning),
        }
    }
}

impl<'i> Feed<'i> for &'i Index {
    fn get(&self, key: &str) -> Option<FeedRow<'i>> {
        Index::get(self, key)
    }
}

fn to_u32(n: usize, what: &'static str) -> Result<u32, Error> {
    u32::try_from(n).map_err(|_| Error::TooLarge {
        what,
        limit: u32::MAX.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(key: &'a str, kind: Kind, ioc: &'a str, ports: &'a [u16]) -> FeedRow<'a> {
        FeedRow {
            key,
            kind,
            ioc,
            ioc_type: "url",
            exact: true,
            ports,
            malware: "AsyncRAT;Remcos",
            threat_type: "botnet_cc",
            confidence: 75,
            first_seen: Some(1),
            last_seen: None,
            id: Some(1_876_555),
            iocs: 2,
            compromised: true,
            source: "feodo;threatfox",
            link: "https://feodo.example/",
            warning: "cloudflare",
        }
    }

    #[test]
    fn every_row_comes_back_as_it_went_in() {
        let digits = "1".repeat(64);
        let hash = format!("sha256:{digits}");
        let rows = [
            row("203.0.113.7", Kind::Ip, "203.0.113.7:443", &[443, 8443]),
            row("evil.example", Kind::Domain, "evil.example", &[]),
            row(
                "bad.example",
                Kind::UrlHost,
                "http://bad.example/x",
                &[8080],
            ),
            row(
                "url:http://bad.example/x",
                Kind::Url,
                "http://bad.example/x",
                &[],
            ),
            row("url:http://b.example/", Kind::Url, "HTTP://B.example", &[]),
            row(&hash, Kind::Sha256, "", &[]),
        ];
        let mut index = Index::default();
        for row in &rows {
            assert!(index.insert(row).unwrap());
        }
        for row in &rows {
            assert_eq!(index.get(row.key), Some(*row));
        }
        assert_eq!(index.len(), rows.len());
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_row_counts_and_others_are_not_found() {
        let mut index = Index::default();
        assert!(
            index
                .insert(&row("a.example", Kind::Domain, "a.example", &[]))
                .unwrap()
        );
        assert!(
            !index
                .insert(&row("a.example", Kind::Ip, "b", &[1]))
                .unwrap()
        );
        assert_eq!(
            index.get("a.example").map(|row| (row.kind, row.ioc)),
            Some((Kind::Ip, "b"))
        );
        assert_eq!(index.len(), 1);
        for near in ["", "a.exampl", "a.example.", "A.example", ".example"] {
            assert_eq!(index.get(near), None, "{near}");
        }
    }
}
