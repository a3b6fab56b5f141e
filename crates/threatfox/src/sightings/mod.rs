//! Sightings: hits in, and sightings for MISP and STIX out, for people who share indicators.
//!
//! One sighting speaks of an indicator; of computers, users and processes it says nothing. An address is sighted without its
//! port, as a hit at another port is one too.

mod hit;
mod misp;
mod stix;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, Read};
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use crate::error::{Error, Place};
use crate::ioc::Ioc;
use crate::rules::{Algorithm, Strength};
use crate::source::{Input, skip_mark, unpack};
use crate::text::clean;
use crate::value::{read_value, refang};
use hit::Hit;

/// A line may have this many bytes: it can hold the text of a script.
const MAX_LINE: u64 = 4 << 20;
/// The most days and names of malware that are kept of an indicator.
const MAX_OF_ONE: usize = 10_000;

/// An indicator that was hit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Sighted {
    Address(IpAddr),
    Network(IpNet),
    Domain(String),
    Hash(&'static str, String),
    /// As it was published.
    Url(String),
}

/// What is known of its hits.
#[derive(Debug, Clone)]
struct Seen {
    first: Timestamp,
    last: Timestamp,
    hits: u64,
    malware: BTreeSet<String>,
    /// Of a network, those of its addresses that were seen, as far as the hits say it.
    addresses: BTreeSet<IpAddr>,
    /// The last hit of each day of UTC.
    days: BTreeMap<i64, Timestamp>,
}

/// The counts of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All rows.
    pub rows: u64,
    /// Hits that are sightings. A row of a hunt's Summary is as many as it counts.
    pub hits: u64,
    /// Rows weaker than asked for.
    pub weaker: u64,
    /// Rows of an event and indicator that another row has too.
    pub twice: u64,
    /// Rows that are not a hit, or whose indicator cannot be read.
    pub other: u64,
}

/// Takes hits and makes sightings of them.
pub struct Sightings {
    least: Strength,
    seen: BTreeMap<Sighted, Seen>,
    /// The fingerprints of events and indicators.
    events: HashSet<u64>,
    hasher: RandomState,
    counts: Counts,
}

impl Sightings {
    /// Begins with none. Weaker hits are left out: most are of what is no sign of an infection by itself.
    #[must_use]
    pub fn new(least: Strength) -> Self {
        Self {
            least,
            seen: BTreeMap::new(),
            events: HashSet::new(),
            hasher: RandomState::new(),
            counts: Counts::default(),
        }
    }

    /// Reads hits as JSON lines: those of a hunt, as Velociraptor exports them, its Summary, or those of a scan.
    ///
    /// # Errors
    /// The input cannot be read, or a line is not a JSON object.
    pub fn read(&mut self, input: &Input) -> Result<(), Error> {
        let unreadable = |source| Error::Unreadable {
            name: input.name().to_owned(),
            source,
        };
        unpack(input, |content, budget| {
            skip_mark(content).map_err(unreadable)?;
            let mut line = Vec::new();
            for number in 1.. {
                line.clear();
                let mut bounded = (&mut *content).take(MAX_LINE + 1);
                bounded.read_until(b'\n', &mut line).map_err(unreadable)?;
                if line.is_empty() {
                    return Ok(());
                }
                budget.check_records(input.name(), number)?;
                let broken = |problem: String| Error::Incomplete {
                    name: format!("{}, {}", input.name(), Place::Line(number)),
                    problem,
                };
                if line.len() as u64 > MAX_LINE {
                    return Err(broken("the line is larger than 4 MiB".to_owned()));
                }
                match line.trim_ascii().first() {
                    None => continue,
                    Some(b'{') => {}
                    Some(_) => return Err(broken("not a hit as a line of JSON".to_owned())),
                }
                let hit = serde_json::from_slice(&line)
                    .map_err(|error| broken(format!("not a hit as a line of JSON ({error})")))?;
                self.add(&hit);
            }
            Ok(())
        })
    }

    fn add(&mut self, hit: &Hit) {
        self.counts.rows += 1;
        let Some((strength, (first, last))) = hit.strength().zip(hit.times()) else {
            self.counts.other += 1;
            return;
        };
        if strength < self.least {
            self.counts.weaker += 1;
            return;
        }
        let Some(sighted) = sighted(&hit.ioc) else {
            self.counts.other += 1;
            return;
        };
        let address = seen_of(&sighted, &hit.observable);
        let again = |event| !self.events.insert(self.hasher.hash_one((event, &sighted)));
        let hits = if hit.event().is_some_and(again) {
            self.counts.twice += 1;
            0
        } else {
            hit.count()
        };
        self.counts.hits = self.counts.hits.saturating_add(hits);
        let seen = self.seen.entry(sighted).or_insert_with(|| Seen {
            first,
            last,
            hits: 0,
            malware: BTreeSet::new(),
            addresses: BTreeSet::new(),
            days: BTreeMap::new(),
        });
        seen.first = seen.first.min(first);
        seen.last = seen.last.max(last);
        seen.hits = seen.hits.saturating_add(hits);
        seen.addresses.extend(address);
        for name in hit.malware.split(';').map(str::trim) {
            if !name.is_empty() && seen.malware.len() < MAX_OF_ONE {
                seen.malware.insert(clean(name).into_owned());
            }
        }
        for time in [first, last] {
            let day = time.as_second().div_euclid(24 * 60 * 60);
            if seen.days.len() < MAX_OF_ONE || seen.days.contains_key(&day) {
                let latest = seen.days.entry(day).or_insert(time);
                *latest = time.max(*latest);
            }
        }
    }

    /// The counts of the rows.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The number of indicators.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

/// The indicator in a hit.
fn sighted(ioc: &str) -> Option<Sighted> {
    let text = refang(ioc.trim());
    Some(match read_value(&text).ok()? {
        Ioc::Address(ip, _) => Sighted::Address(ip),
        Ioc::Network(network, _) => Sighted::Network(network),
        Ioc::Domain(host) => Sighted::Domain(host.as_str().to_owned()),
        Ioc::Url(_) => Sighted::Url(text.into()),
        Ioc::Hash(algorithm, digits) => Sighted::Hash(name_of(algorithm), digits.into_owned()),
    })
}

/// The address of a network that was seen.
fn seen_of(sighted: &Sighted, observable: &str) -> Option<IpAddr> {
    match (sighted, read_value(observable.trim()).ok()?) {
        (Sighted::Network(network), Ioc::Address(ip, _)) => {
            Some(ip).filter(|ip| network.contains(ip))
        }
        _ => None,
    }
}

/// The name of STIX's vocabulary.
fn name_of(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "MD5",
        Algorithm::Sha1 => "SHA-1",
        Algorithm::Sha256 => "SHA-256",
    }
}

#[cfg(test)]
mod tests;
