//! Names that many parties share: a match of the bare host would accuse all of them.
//!
//! The list is `data/shared_hosts.txt`, which says for each entry why it is there. Public suffixes (`co.uk`,
//! `duckdns.org`) come from the Public Suffix List, compiled in by the crate `psl`.

use hashbrown::HashSet;

/// The built-in list.
const BUILT_IN: &str = include_str!("../data/shared_hosts.txt");

/// A set of host names: exact ones, and suffixes that stand for all names below them too.
#[derive(Debug, Clone, Default)]
pub struct HostSet {
    exact: HashSet<Box<str>>,
    suffixes: HashSet<Box<str>>,
}

impl HostSet {
    /// Adds `host`, or `.suffix` for a name and all below it.
    pub fn insert(&mut self, entry: &str) {
        let entry = entry.to_ascii_lowercase();
        match entry.strip_prefix('.') {
            Some(suffix) => self.suffixes.insert(suffix.into()),
            None => self.exact.insert(entry.into()),
        };
    }

    /// The entry that covers a host, as it was written.
    #[must_use]
    pub fn find(&self, host: &str) -> Option<String> {
        if self.exact.contains(host) {
            return Some(host.to_owned());
        }
        if self.suffixes.is_empty() {
            return None;
        }
        let parents = memchr::memchr_iter(b'.', host.as_bytes()).map(|dot| &host[dot + 1..]);
        std::iter::once(host)
            .chain(parents)
            .find(|name| self.suffixes.contains(*name))
            .map(|name| format!(".{name}"))
    }
}

/// The shared services that are known.
#[derive(Debug, Clone)]
pub struct SharedHosts(HostSet);

impl SharedHosts {
    /// The built-in list.
    #[must_use]
    pub fn built_in() -> Self {
        let mut set = HostSet::default();
        for line in BUILT_IN.lines() {
            let entry = line.split('#').next().unwrap_or_default().trim();
            if !entry.is_empty() {
                set.insert(entry);
            }
        }
        Self(set)
    }

    /// Adds an entry of the user's own.
    pub fn insert(&mut self, entry: &str) {
        self.0.insert(entry);
    }

    /// Why a host is shared, or `None` if it is one party's own.
    #[must_use]
    pub fn why(&self, host: &str) -> Option<String> {
        if let Some(entry) = self.0.find(host) {
            return Some(format!("on the list of shared services ({entry})"));
        }
        is_public_suffix(host)
            .then(|| "a public suffix, under which anybody can register".to_owned())
    }
}

/// Whether a name is itself a public suffix: of a registry (`co.uk`) or of a service (`github.io`).
#[must_use]
pub fn is_public_suffix(host: &str) -> bool {
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.as_bytes().len() == host.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    #[test]
    fn services_and_suffixes_are_shared_and_their_customers_are_not() {
        let shared = SharedHosts::built_in();
        for host in [
            "t.me",
            "pastebin.com",
            "files.catbox.moe",
            "raw.githubusercontent.com",
            "api.telegram.org",
            "duckdns.org",
            "co.uk",
        ] {
            assert!(shared.why(host).is_some(), "{host}");
        }
        for host in [
            "evil.duckdns.org",
            "evil.workers.dev",
            "evil.example",
            "at.me",
            "mypastebin.com",
        ] {
            assert!(shared.why(host).is_none(), "{host}");
        }
    }

    #[test]
    fn each_entry_is_a_host_in_its_normal_form_with_a_reason() {
        let mut seen = HashSet::new();
        for line in BUILT_IN
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        {
            let (entry, why) = line.split_once('#').expect("each entry says why");
            let entry = entry.trim();
            let name = entry.strip_prefix('.').unwrap_or(entry);
            assert_eq!(Host::parse(name).expect(entry).as_str(), name);
            assert!(!why.trim().is_empty(), "{entry}");
            assert!(seen.insert(entry), "{entry} is there twice");
            assert!(
                !is_public_suffix(name),
                "{entry} is on the Public Suffix List already"
            );
        }
    }

    #[test]
    fn a_suffix_covers_itself_and_all_below_it() {
        let mut set = HostSet::default();
        set.insert(".cdn.example");
        assert_eq!(set.find("cdn.example").as_deref(), Some(".cdn.example"));
        assert_eq!(set.find("a.b.cdn.example").as_deref(), Some(".cdn.example"));
        assert_eq!(set.find("xcdn.example"), None);
    }
}
