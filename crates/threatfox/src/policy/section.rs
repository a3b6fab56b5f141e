//! One section of a policy: which records it names.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;
use serde_yaml::Spanned;

use super::entry::{HashEntry, HostEntry, Name, Network, Percent, UrlEntry};
use crate::ioc::Ioc;
use crate::record::{Column, Record, THREATFOX, UNKNOWN_MALWARE};
use crate::shared_hosts::HostSet;
use crate::url::UrlHost;

/// A list; none where only its name is written.
pub(super) type Entries<T> = Option<Vec<Spanned<T>>>;

/// A section as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenSection {
    ips: Entries<Network>,
    domains: Entries<HostEntry>,
    urls: Entries<UrlEntry>,
    hashes: Entries<HashEntry>,
    malware: Entries<Name>,
    reporters: Entries<Name>,
    tags: Entries<Name>,
    ids: Entries<u64>,
    sources: Entries<Name>,
    lists: Entries<Name>,
    below_confidence: Option<Spanned<Percent>>,
}

type Lines<T> = HashMap<T, u64>;

/// The entries of a section, each with its line. The default has none.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    networks: Vec<(IpNet, u64)>,
    domains: HostSet,
    domain_lines: Lines<String>,
    urls: Lines<String>,
    hashes: Lines<String>,
    malware: Lines<String>,
    reporters: Lines<String>,
    tags: Lines<String>,
    ids: Lines<u64>,
    sources: Lines<String>,
    lists: Lines<String>,
    below_confidence: Option<(u8, u64)>,
}

/// The entry of a policy that names a record.
pub(super) struct Cause {
    pub section: &'static str,
    pub entry: String,
    pub line: u64,
}

impl Section {
    pub fn new(written: WrittenSection) -> Self {
        let mut domains = HostSet::default();
        let domain_lines = lines(written.domains, |entry| entry.0);
        for entry in domain_lines.keys() {
            domains.insert(entry);
        }
        Self {
            networks: written
                .ips
                .into_iter()
                .flatten()
                .map(|entry| (entry.value.0, entry.referenced.line()))
                .collect(),
            domains,
            domain_lines,
            urls: lines(written.urls, |entry| entry.0),
            hashes: lines(written.hashes, |entry| entry.0),
            malware: lines(written.malware, |entry| entry.0),
            reporters: lines(written.reporters, |entry| entry.0),
            tags: lines(written.tags, |entry| entry.0),
            ids: lines(written.ids, |id| id),
            sources: lines(written.sources, |entry| entry.0),
            lists: lines(written.lists, |entry| entry.0),
            below_confidence: written
                .below_confidence
                .map(|entry| (entry.value.0, entry.referenced.line())),
        }
    }

    /// The names of warning lists, with their lines, in a fixed order.
    pub fn lists(&self) -> impl Iterator<Item = (&str, u64)> {
        let mut lists: Vec<_> = self.lists.iter().collect();
        lists.sort_unstable();
        lists.into_iter().map(|(name, line)| (name.as_str(), *line))
    }

    /// The entry that names a record, by its indicator or by what is said of it.
    pub fn find(&self, record: &Record<'_>) -> Option<Cause> {
        self.by_indicator(&record.ioc)
            .or_else(|| self.by_record(record))
    }

    fn by_indicator(&self, ioc: &Ioc<'_>) -> Option<Cause> {
        match ioc {
            Ioc::Address(ip, _) => self.by_address(*ip),
            Ioc::Network(network, _) => self.by_network(*network),
            Ioc::Domain(host) => self.by_host(host.as_str()),
            Ioc::Hash(_, hex) => find(&self.hashes, "hashes", hex),
            Ioc::Url(url) => {
                let by_host = match &url.host {
                    UrlHost::Address(ip) => self.by_address(*ip),
                    UrlHost::Name(host) => self.by_host(host.as_str()),
                };
                by_host.or_else(|| find(&self.urls, "urls", &url.normalized))
            }
        }
    }

    fn by_address(&self, ip: IpAddr) -> Option<Cause> {
        let (net, line) = self.networks.iter().find(|(net, _)| net.contains(&ip))?;
        Some(Cause {
            section: "ips",
            entry: net.to_string(),
            line: *line,
        })
    }

    /// A network that touches a named one: a part of it would have to go, and the rest is not worth it.
    fn by_network(&self, network: IpNet) -> Option<Cause> {
        let touches = |net: &IpNet| net.contains(&network) || network.contains(net);
        let (net, line) = self.networks.iter().find(|(net, _)| touches(net))?;
        Some(Cause {
            section: "ips",
            entry: net.to_string(),
            line: *line,
        })
    }

    fn by_host(&self, host: &str) -> Option<Cause> {
        find(&self.domain_lines, "domains", &self.domains.find(host)?)
    }

    fn by_record(&self, record: &Record<'_>) -> Option<Cause> {
        let raw = &record.raw;
        let name = |lines: &Lines<String>, section, text: &str| {
            if lines.is_empty() {
                None
            } else {
                find(lines, section, &text.trim().to_lowercase())
            }
        };
        // Most policies name no tags, and most records have some.
        let tags = if self.tags.is_empty() {
            ["", ""]
        } else {
            [raw.get(Column::Tags), raw.get(Column::SharedTags)]
        };
        let source = match raw.get(Column::Source) {
            "" => THREATFOX,
            source => source,
        };
        let id = record.id.filter(|_| source == THREATFOX);
        let id = id.and_then(|id| Some((id, self.ids.get(&id)?)));
        let confidence = self.below_confidence;
        let printable = match (raw.get(Column::Malware), raw.get(Column::MalwarePrintable)) {
            // As the feed shows it.
            ("", "") => UNKNOWN_MALWARE,
            (_, printable) => printable,
        };
        name(&self.malware, "malware", raw.get(Column::Malware))
            .or_else(|| name(&self.malware, "malware", printable))
            .or_else(|| name(&self.reporters, "reporters", raw.get(Column::Reporter)))
            .or_else(|| {
                let mut tags = tags.iter().flat_map(|tags| tags.split(','));
                tags.find_map(|tag| name(&self.tags, "tags", tag))
            })
            .or_else(|| {
                id.map(|(id, line)| Cause {
                    section: "ids",
                    entry: id.to_string(),
                    line: *line,
                })
            })
            .or_else(|| name(&self.sources, "sources", source))
            .or_else(|| {
                let (least, line) = confidence.filter(|(least, _)| record.confidence < *least)?;
                Some(Cause {
                    section: "below_confidence",
                    entry: least.to_string(),
                    line,
                })
            })
    }
}

fn find(lines: &Lines<String>, section: &'static str, text: &str) -> Option<Cause> {
    let (entry, line) = lines.get_key_value(text)?;
    Some(Cause {
        section,
        entry: entry.clone(),
        line: *line,
    })
}

fn lines<E, K: Eq + std::hash::Hash>(entries: Entries<E>, key: impl Fn(E) -> K) -> Lines<K> {
    entries
        .into_iter()
        .flatten()
        .map(|entry| (key(entry.value), entry.referenced.line()))
        .collect()
}
