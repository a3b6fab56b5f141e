//! The verdict on one observable: which of its keys is in the feed, and what that is called.

use std::net::IpAddr;

use crate::feed::FeedRow;
use crate::match_key::Kind;
use crate::rules::reader::{Key, Observer};
use crate::rules::{Algorithm, KeyKind, Match, Place, Rules, Strength};
use crate::warning::limit;

use super::Hit;

/// A feed to look keys up in.
pub trait Feed<'i> {
    /// The row of a key in the spelling of the feed.
    fn get(&self, key: &str) -> Option<FeedRow<'i>>;
}

/// Which rows of a feed are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Rows with less confidence are skipped.
    pub min_confidence: u8,
    /// Rows of other kinds are skipped.
    pub kinds: Vec<Kind>,
}

/// Every row.
impl Default for Wanted {
    fn default() -> Self {
        Self {
            min_confidence: 0,
            kinds: Kind::ALL.to_vec(),
        }
    }
}

/// Takes the keys of the observables of one place and keeps the best of each.
pub(super) struct Trial<'t, 'i, F> {
    pub rules: &'i Rules,
    pub feed: &'t F,
    pub wanted: &'t Wanted,
    pub place: &'i Place,
    /// Of the open observable.
    pub best: Option<Hit<'i>>,
    pub hits: &'t mut Vec<Hit<'i>>,
}

impl<'i, F: Feed<'i>> Trial<'_, 'i, F> {
    /// What the key is called, if its row in the feed is an indicator here.
    fn judge(&self, key: &Key<'_>) -> Option<(FeedRow<'i>, &'i Match, Strength)> {
        let row = self.feed.get(key.text)?;
        if row.confidence < self.wanted.min_confidence || !self.wanted.kinds.contains(&row.kind) {
            return None;
        }
        if why_never(self.rules, &row).is_some() {
            return None;
        }
        let matched = self
            .rules
            .matches()
            .find(self.place.role, kind(&row, key)?)?;
        let strength = matched.strength.min(limit(row.warning));
        Some((row, matched, strength))
    }
}

/// The relation of a row of the feed to a key.
fn kind(row: &FeedRow<'_>, key: &Key<'_>) -> Option<KeyKind> {
    if key.above {
        return (row.kind == Kind::Domain && !row.exact).then_some(KeyKind::Subdomain);
    }
    Some(match row.kind {
        Kind::Ip if at_port(row.ports, key.port) => KeyKind::IpPort,
        kind => KeyKind::Key(kind),
    })
}

/// Ports are compared as text.
fn at_port(ports: &[u16], port: Option<&str>) -> bool {
    let same = |text: &str| {
        let mut buffer = itoa::Buffer::new();
        ports.iter().any(|port| buffer.format(*port) == text)
    };
    port.is_some_and(same)
}

/// Why a row of the feed is never an indicator, if so.
pub(crate) fn why_never<'r>(rules: &'r Rules, row: &FeedRow<'_>) -> Option<&'r str> {
    let never = rules.never();
    let hash = |algorithm| never.hash(algorithm, row.key.strip_prefix(row.kind.prefix())?);
    match row.kind {
        Kind::Ip | Kind::UrlHost => never.address(row.key.parse::<IpAddr>().ok()?),
        Kind::Domain | Kind::Url => None,
        Kind::Md5 => hash(Algorithm::Md5),
        Kind::Sha1 => hash(Algorithm::Sha1),
        Kind::Sha256 => hash(Algorithm::Sha256),
    }
}

impl<'i, F: Feed<'i>> Observer for Trial<'_, 'i, F> {
    fn key(&mut self, key: &Key<'_>) {
        let Some((row, matched, strength)) = self.judge(key) else {
            return;
        };
        // The first of two as strong is the more specific one.
        let better = |best: &Hit<'_>| strength > best.strength;
        if self.best.as_ref().is_none_or(better) {
            self.best = Some(Hit {
                row,
                matched,
                strength,
                place: self.place,
                observable: key.observable.to_owned(),
            });
        }
    }

    fn end(&mut self) {
        let Some(new) = self.best.take() else { return };
        let same = |hit: &&mut Hit<'_>| hit.row.indicator() == new.row.indicator();
        match self.hits.iter_mut().find(same) {
            Some(old) if new.strength > old.strength => *old = new,
            Some(_) => {}
            None => self.hits.push(new),
        }
    }
}
