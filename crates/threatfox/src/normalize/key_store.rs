//! The feed by key: facts are collected as they come, sorted once, and merged while they are written.
//!
//! Sorting puts the facts of a key side by side in an order of their own, so the result depends on no order of input
//! and needs no hash table. A fact takes 80 bytes and its texts.

use std::cmp::{Ordering, Reverse};
use std::io;

use rayon::slice::ParallelSliceMut;

use super::Store;
use super::origin::Origins;
use crate::arena::{Arena, Names, Span};
use crate::error::Error;
use crate::feed::{self, FeedRow, MAX_TEXT};
use crate::ioc::IocType;
use crate::match_key::{Key, KeyMaker, Kind};
use crate::record::{Column, RawRecord, Record, UNKNOWN_MALWARE};
use crate::text::clean;
use crate::warning::limit;

/// No time.
const NEVER: i64 = i64::MIN;

/// The family of a record, as a feed has it.
pub(crate) fn family_of<'a>(raw: &RawRecord<'a>) -> &'a str {
    let names = [Column::MalwarePrintable, Column::Malware].map(|column| raw.get(column));
    let name = names.into_iter().find(|name| !name.is_empty());
    name.unwrap_or(UNKNOWN_MALWARE)
}

/// A name as a feed has it: the separator of merged names cannot stand in it.
pub(crate) fn shown_name(name: &str) -> String {
    clean(name).replace(';', ",")
}

/// What one record says about one key.
#[derive(Debug, Clone, Copy)]
struct Fact {
    /// The first 16 bytes of the key: enough to order most without a look at the text.
    start: [u64; 2],
    key: Span,
    ioc: Span,
    /// 0 means none.
    id: u64,
    first_seen: i64,
    last_seen: i64,
    malware: u32,
    threat_type: u32,
    origin: u32,
    /// 0 means none, else one more than its number.
    weakening: u32,
    /// 0 means none.
    port: u16,
    confidence: u8,
    kind: Kind,
    ioc_type: IocType,
    exact: bool,
    compromised: bool,
}

impl Fact {
    fn activity(&self) -> i64 {
        self.first_seen.max(self.last_seen)
    }
}

/// All facts.
#[derive(Debug, Default)]
pub struct KeyStore {
    facts: Vec<Fact>,
    arena: Arena,
    malware: Names,
    threat_types: Names,
    origins: Origins,
    /// What the policy says of what it weakens.
    weakenings: Names,
}

impl Store for KeyStore {
    const MAY_BE_EMPTY: bool = false;

    fn add(
        &mut self,
        record: &Record<'_>,
        weakening: Option<&str>,
        keys: &mut KeyMaker,
    ) -> Result<bool, Error> {
        let value = clean(record.raw.get(Column::Ioc));
        let malware = self.malware.number(family_of(&record.raw))?;
        let threat_type = self
            .threat_types
            .number(record.raw.get(Column::ThreatType))?;
        let origin = self
            .origins
            .number(record.raw.get(Column::Source), record.raw.get(Column::Link))?;
        let weakening = match weakening {
            Some(text) => self.weakenings.number(text)? + 1,
            None => 0,
        };
        let mut ioc: Option<Span> = None;
        let mut failure = None;
        let spared = keys.each(&record.ioc, &mut |key: Key<'_>| {
            let mut add = || {
                let span = self.arena.add(key.text)?;
                let ioc_span = match (ioc, key.kind) {
                    (_, kind) if kind.is_hash() => Span::default(),
                    (Some(ioc), _) => ioc,
                    (None, _) => self.arena.add_after(&value, span)?,
                };
                ioc = Some(ioc_span);
                self.facts.push(Fact {
                    start: start_of(key.text),
                    key: span,
                    ioc: ioc_span,
                    id: record.id.unwrap_or(0),
                    first_seen: record.first_seen.unwrap_or(NEVER),
                    last_seen: record.last_seen.unwrap_or(NEVER),
                    malware,
                    threat_type,
                    origin,
                    weakening,
                    port: key.port.unwrap_or(0),
                    confidence: record.confidence,
                    kind: key.kind,
                    ioc_type: record.ioc_type,
                    exact: key.exact,
                    compromised: record.compromised,
                });
                Ok(())
            };
            if let Err(error) = add() {
                failure = Some(error);
            }
        });
        failure.map_or(Ok(spared), Err)
    }

    fn sort(&mut self) {
        for names in [&mut self.malware, &mut self.threat_types] {
            names.rewrite(shown_name);
        }
        self.origins.split();
        let arena = &self.arena;
        self.facts
            .par_sort_unstable_by(|a, b| a.start.cmp(&b.start).then_with(|| compare(arena, a, b)));
    }
}

impl KeyStore {
    /// The facts in parts of about this size, in the order of their keys. All facts of a key are in one part.
    fn parts(&self, size: usize) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        let mut rest = &self.facts[..];
        while !rest.is_empty() {
            let mut end = size.clamp(1, rest.len());
            while end < rest.len() && self.same_key(&rest[end - 1], &rest[end]) {
                end += 1;
            }
            let (facts, others) = rest.split_at(end);
            parts.push(Part { store: self, facts });
            rest = others;
        }
        parts
    }

    fn same_key(&self, a: &Fact, b: &Fact) -> bool {
        a.start == b.start && self.arena.get(a.key) == self.arena.get(b.key)
    }

    /// The row of a key that one record speaks of, as most are.
    fn row<'a>(&'a self, fact: &Fact, ports: &'a [u16], link: &'a mut String) -> FeedRow<'a> {
        let key = self.arena.get(fact.key);
        let origin = self.origins.get(fact.origin);
        let id = (fact.id != 0).then_some(fact.id);
        origin.link_of(id, key, link);
        FeedRow {
            key,
            kind: fact.kind,
            ioc: self.arena.get(fact.ioc),
            ioc_type: fact.ioc_type.name(),
            exact: fact.exact,
            ports,
            malware: self.malware.text(fact.malware),
            threat_type: self.threat_types.text(fact.threat_type),
            confidence: fact.confidence,
            first_seen: time(fact.first_seen),
            last_seen: time(fact.last_seen),
            id: id.filter(|_| origin.is_threatfox),
            iocs: 1,
            compromised: fact.compromised,
            source: &origin.source,
            link,
            warning: self.weakening_of(fact),
        }
    }

    /// The newest record of the kind that wins, so that a row says one thing.
    fn newest<'f>(&self, facts: &'f [Fact]) -> Option<&'f Fact> {
        let kind = facts.iter().map(|fact| fact.kind).min()?;
        let of_kind = facts.iter().filter(|fact| fact.kind == kind);
        of_kind.max_by(|a, b| self.newer(a, b))
    }

    /// What the policy says of a key that several records speak of: it is as weak as the least weak of them, which are
    /// those of the kind that wins.
    fn weakening<'f>(&self, facts: impl Iterator<Item = &'f Fact>) -> &str {
        let texts = facts.map(|fact| self.weakening_of(fact));
        texts
            .max_by_key(|text| (limit(text), Reverse(*text)))
            .unwrap_or_default()
    }

    fn weakening_of(&self, fact: &Fact) -> &str {
        let number = fact.weakening.checked_sub(1);
        number.map_or("", |number| self.weakenings.text(number))
    }

    /// The number that ThreatFox has for the newest of its records.
    fn threatfox_id(&self, facts: &[Fact]) -> Option<u64> {
        let numbered = |fact: &&Fact| fact.id != 0 && self.origins.get(fact.origin).is_threatfox;
        let newest = facts.iter().filter(numbered);
        newest.max_by(|a, b| self.newer(a, b)).map(|fact| fact.id)
    }

    fn newer(&self, a: &Fact, b: &Fact) -> Ordering {
        let order = a.activity().cmp(&b.activity()).then(a.id.cmp(&b.id));
        order
            .then_with(|| self.arena.get(a.ioc).cmp(self.arena.get(b.ioc)))
            .then_with(|| self.origins.compare(a.origin, b.origin))
            .then_with(|| a.ioc_type.name().cmp(b.ioc_type.name()))
    }
}

impl feed::Store for KeyStore {
    fn parts(&self, size: usize) -> Vec<Box<dyn feed::Part + '_>> {
        let parts = self.parts(size).into_iter();
        parts.map(|part| Box::new(part) as Box<_>).collect()
    }
}

/// Some of the facts, all that are known of their keys.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    store: &'a KeyStore,
    facts: &'a [Fact],
}

impl feed::Part for Part<'_> {
    /// Merges the facts of each key.
    fn each_row(&self, take: &mut dyn FnMut(&FeedRow<'_>) -> io::Result<()>) -> io::Result<()> {
        let store = self.store;
        let mut ports = Vec::new();
        let mut malware = Merged::default();
        let mut threat_types = Merged::default();
        let mut sources: String;
        let mut link = String::new();
        let (mut done, mut touched) = (0, 0);
        for facts in self.facts.chunk_by(|a, b| store.same_key(a, b)) {
            // Sorted facts have their texts anywhere in memory: fetched by the dozen, the waits for it overlap.
            if done >= touched {
                touched = (done + 16).min(self.facts.len());
                let ahead = self.facts[done..touched].iter();
                std::hint::black_box(ahead.fold(0, |n, fact| n ^ store.arena.first(fact.key)));
            }
            done += facts.len();
            ports.clear();
            ports.extend(facts.iter().map(|fact| fact.port).filter(|port| *port != 0));
            ports.sort_unstable();
            ports.dedup();
            let Some(newest) = store.newest(facts) else {
                continue;
            };
            let mut row = store.row(newest, &ports, &mut link);
            if facts.len() > 1 {
                row.exact = facts.iter().all(|f| f.kind != row.kind || f.exact);
                row.malware = malware.of(&store.malware, facts.iter().map(|f| f.malware));
                row.threat_type =
                    threat_types.of(&store.threat_types, facts.iter().map(|f| f.threat_type));
                row.confidence = facts.iter().map(|f| f.confidence).fold(0, u8::max);
                row.first_seen = facts.iter().filter_map(|f| time(f.first_seen)).min();
                row.last_seen = time(facts.iter().map(|f| f.last_seen).fold(NEVER, i64::max));
                // Sorted by id and origin within a key: the same record in two inputs counts once.
                let same = |a: &Fact, b: &Fact| a.id == b.id && a.origin == b.origin;
                row.iocs = facts.chunk_by(same).count() as u64;
                if let Some(merged) = store.origins.merged(facts.iter().map(|f| f.origin)) {
                    sources = merged;
                    row.source = &sources;
                    row.id = store.threatfox_id(facts);
                }
                row.warning = store.weakening(facts.iter().filter(|f| f.kind == row.kind));
                row.compromised = facts.iter().any(|f| f.compromised);
            }
            take(&row)?;
        }
        Ok(())
    }
}

fn time(second: i64) -> Option<i64> {
    (second != NEVER).then_some(second)
}

fn compare(arena: &Arena, a: &Fact, b: &Fact) -> Ordering {
    let order = arena.get(a.key).cmp(arena.get(b.key));
    order.then(a.id.cmp(&b.id)).then(a.origin.cmp(&b.origin))
}

fn start_of(key: &str) -> [u64; 2] {
    let mut bytes = [0; 16];
    let len = key.len().min(16);
    bytes[..len].copy_from_slice(&key.as_bytes()[..len]);
    let whole = u128::from_be_bytes(bytes);
    #[allow(clippy::cast_possible_truncation)] // The lower half is meant.
    [(whole >> 64) as u64, whole as u64]
}

/// Names of one row, sorted, without doubles, with `;` between. Most rows have one name, and need no work.
#[derive(Default)]
struct Merged {
    numbers: Vec<u32>,
    text: String,
}

impl Merged {
    fn of<'a>(&'a mut self, names: &'a Names, numbers: impl Iterator<Item = u32>) -> &'a str {
        self.numbers.clear();
        self.numbers.extend(numbers);
        self.numbers.sort_unstable();
        self.numbers.dedup();
        if let [one] = self.numbers[..] {
            return names.text(one);
        }
        let mut texts: Vec<&str> = self.numbers.iter().map(|n| names.text(*n)).collect();
        texts.retain(|text| !text.is_empty());
        texts.sort_unstable();
        texts.dedup();
        self.text.clear();
        for text in texts {
            if !self.text.is_empty() {
                self.text.push(';');
            }
            self.text.push_str(text);
            // A row holds no more, and it says so where it is written.
            if self.text.len() > MAX_TEXT {
                break;
            }
        }
        &self.text
    }
}
