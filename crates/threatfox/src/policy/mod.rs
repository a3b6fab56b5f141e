//! The policy file: what an organization never wants to match, in YAML.
//!
//! ```yaml
//! ignore:
//!   ips: [203.0.113.0/24, "2001:db8::7"]
//!   domains: [intranet.example, .cdn.example]
//!   urls: ["https://site.example/path"]
//!   hashes: [45c4710edc62df311612101b9160c7e1]
//!   malware: [Mirai]
//!   reporters: [someone]
//!   tags: [sinkhole]
//!   ids: [1876555]
//! shared_hosts: [share.example, .hosting.example]
//! ```

mod entry;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::error::Error;
use crate::ioc::Ioc;
use crate::record::{Column, Record, THREATFOX};
use crate::reject::{Reason, Reject};
use crate::shared_hosts::{HostSet, SharedHosts};
use crate::url::UrlHost;
use entry::{HashEntry, HostEntry, Name, Network, UrlEntry};

/// A policy file may have this many bytes.
const MAX_SIZE: u64 = 16 << 20;

/// What is ignored, each entry with its line. The default ignores nothing.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    file: String,
    networks: Vec<(IpNet, u64)>,
    domains: HostSet,
    domain_lines: Lines<String>,
    urls: Lines<String>,
    hashes: Lines<String>,
    malware: Lines<String>,
    reporters: Lines<String>,
    tags: Lines<String>,
    ids: Lines<u64>,
    shared_hosts: Vec<String>,
}

type Lines<T> = HashMap<T, u64>;

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    ignore: Option<Ignore>,
    shared_hosts: Entries<HostEntry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Ignore {
    ips: Entries<Network>,
    domains: Entries<HostEntry>,
    urls: Entries<UrlEntry>,
    hashes: Entries<HashEntry>,
    malware: Entries<Name>,
    reporters: Entries<Name>,
    tags: Entries<Name>,
    ids: Entries<u64>,
}

/// A list; none where only its name is written.
type Entries<T> = Option<Vec<Spanned<T>>>;

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Policy`] for what is not a policy, with line and column.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let io_error = |source| Error::Io {
            action: "read",
            path: path.display().to_string(),
            source,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(io_error)?;
        file.take(MAX_SIZE + 1)
            .read_to_string(&mut text)
            .map_err(io_error)?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads the text of a policy file of this name.
    ///
    /// # Errors
    /// [`Error::Policy`] for what is not a policy, with line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let wrong = |problem| Error::Policy {
            name: file.to_owned(),
            problem,
        };
        if text.len() as u64 > MAX_SIZE {
            return Err(wrong("it is larger than the bound of 16 MiB".to_owned()));
        }
        let options = serde_yaml::options! { with_snippet: false };
        let written: Written = serde_yaml::from_str_with_options(text, options)
            .map_err(|error| wrong(error.to_string()))?;
        let ignore = written.ignore.unwrap_or_default();
        let mut domains = HostSet::default();
        let domain_lines = lines(ignore.domains, |entry| entry.0);
        for entry in domain_lines.keys() {
            domains.insert(entry);
        }
        Ok(Self {
            file: file.to_owned(),
            networks: ignore
                .ips
                .into_iter()
                .flatten()
                .map(|entry| (entry.value.0, entry.referenced.line()))
                .collect(),
            domains,
            domain_lines,
            urls: lines(ignore.urls, |entry| entry.0),
            hashes: lines(ignore.hashes, |entry| entry.0),
            malware: lines(ignore.malware, |entry| entry.0),
            reporters: lines(ignore.reporters, |entry| entry.0),
            tags: lines(ignore.tags, |entry| entry.0),
            ids: lines(ignore.ids, |id| id),
            shared_hosts: written
                .shared_hosts
                .into_iter()
                .flatten()
                .map(|entry| entry.value.0)
                .collect(),
        })
    }

    /// The built-in shared services, and those of the file.
    #[must_use]
    pub fn shared_hosts(&self) -> SharedHosts {
        let mut shared = SharedHosts::built_in();
        for entry in &self.shared_hosts {
            shared.insert(entry);
        }
        shared
    }

    /// The reject of a record that is ignored, with the line that does it.
    #[must_use]
    pub fn check(&self, record: &Record<'_>) -> Option<Reject> {
        let Cause {
            section,
            entry,
            line,
        } = self
            .by_indicator(&record.ioc)
            .or_else(|| self.by_record(record))?;
        let file = &self.file;
        Some(Reason::Policy.because(format!("{file}, line {line}: ignore.{section} {entry}")))
    }

    fn by_indicator(&self, ioc: &Ioc<'_>) -> Option<Cause> {
        match ioc {
            Ioc::Address(ip, _) => self.by_address(*ip),
            Ioc::Network(network) => self.by_network(*network),
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

    /// A network that touches an ignored one: a part of it would have to go, and the rest is not worth it.
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
            ""
        } else {
            raw.get(Column::Tags)
        };
        let id = record
            .id
            .filter(|_| matches!(raw.get(Column::Source), "" | THREATFOX));
        let id = id.and_then(|id| Some((id, self.ids.get(&id)?)));
        name(&self.malware, "malware", raw.get(Column::Malware))
            .or_else(|| name(&self.malware, "malware", raw.get(Column::MalwarePrintable)))
            .or_else(|| name(&self.reporters, "reporters", raw.get(Column::Reporter)))
            .or_else(|| {
                tags.split(',')
                    .find_map(|tag| name(&self.tags, "tags", tag))
            })
            .or_else(|| {
                id.map(|(id, line)| Cause {
                    section: "ids",
                    entry: id.to_string(),
                    line: *line,
                })
            })
    }
}

/// The entry of a policy that leaves a record out.
struct Cause {
    section: &'static str,
    entry: String,
    line: u64,
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
