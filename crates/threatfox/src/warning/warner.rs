//! Which lists a key of the feed is in.

use std::net::IpAddr;

use super::list::Classes;
use super::sets::Set;
use super::{Parts, WarningLists, spelling};
use crate::host::Host;
use crate::match_key::Kind;

/// Asks the lists; its buffers serve all rows.
pub struct Warner<'l> {
    all: &'l WarningLists,
    found: Vec<u16>,
    text: String,
}

impl<'l> Warner<'l> {
    /// One that asks these lists.
    #[must_use]
    pub fn new(all: &'l WarningLists) -> Self {
        Self {
            all,
            found: Vec::new(),
            text: String::new(),
        }
    }

    /// What stands in the column `warning` of a key: the lists that it is in, and what the policy says of it, if anything.
    /// Names have `;` between.
    pub fn warning(&mut self, kind: Kind, key: &str, policy: &str) -> &str {
        self.found.clear();
        self.text.clear();
        self.find(kind, key);
        self.found.sort_unstable();
        self.found.dedup();
        let lists = self
            .found
            .iter()
            .map(|n| &*self.all.lists[usize::from(*n)].text);
        let policy = Some(policy).filter(|text| !text.is_empty());
        for name in lists.chain(policy) {
            if !self.text.is_empty() {
                self.text.push(';');
            }
            self.text.push_str(name);
        }
        &self.text
    }

    fn find(&mut self, kind: Kind, key: &str) {
        let value = kind.value_of(key);
        match kind {
            Kind::Ip => self.address(key),
            Kind::UrlHost if is_address(key) => self.address(key),
            Kind::Domain | Kind::UrlHost => self.host(key),
            Kind::Url => {
                if let Some(host) = host_of(value) {
                    self.names(host, Classes::URL);
                }
                self.texts(value, Classes::URL);
            }
            Kind::Md5 | Kind::Sha1 | Kind::Sha256 => self.texts(value, Classes::hash(kind)),
        }
    }

    fn address(&mut self, text: &str) {
        if let Ok(ip) = text.parse::<IpAddr>() {
            self.take(self.all.networks.find(ip), Classes::ADDRESS);
        }
        self.texts(text, Classes::ADDRESS);
    }

    fn host(&mut self, name: &str) {
        self.names(name, Classes::HOST);
        self.texts(name, Classes::HOST);
    }

    /// The lists of host names that have a name, or one above it.
    fn names(&mut self, name: &str, class: Classes) {
        if name.is_ascii() {
            return self.ascii_names(name, class);
        }
        if let Ok(host) = Host::parse(name) {
            self.ascii_names(host.as_str(), class);
        }
    }

    fn ascii_names(&mut self, name: &str, class: Classes) {
        let all = self.all;
        // The top-level domain alone is hardly ever in a list.
        let end = match memchr::memrchr(b'.', name.as_bytes()) {
            _ if all.single_labels => name.len(),
            dot => dot.unwrap_or(0),
        };
        let after_dots = memchr::memchr_iter(b'.', &name.as_bytes()[..end]).map(|dot| dot + 1);
        for start in std::iter::once(0)
            .chain(after_dots)
            .filter(|start| *start < end)
        {
            if let Some(set) = all.hostnames.get(&name[start..]) {
                self.take(*set, class);
            }
        }
    }

    /// The lists that have a value as a whole, or part of it, in any of its spellings.
    fn texts(&mut self, value: &str, class: Classes) {
        let all = self.all;
        let takes = |(number, _): &(u16, _)| all.lists[usize::from(*number)].takes.meets(class);
        if !all.strings_take.meets(class) && !all.parts.iter().any(takes) {
            return;
        }
        self.text(value, class);
        for other in spelling::others(value, class) {
            self.text(&other, class);
        }
    }

    fn text(&mut self, value: &str, class: Classes) {
        let all = self.all;
        if all.strings_take.meets(class)
            && let Some(set) = all.strings.get(value)
        {
            self.take(*set, class);
        }
        for (number, parts) in &all.parts {
            if !all.lists[usize::from(*number)].takes.meets(class) {
                continue;
            }
            let found = match parts {
                Parts::Substrings(texts) => texts.iter().any(|text| value.contains(text)),
                Parts::Pattern(regex) => regex.is_match(value),
            };
            if found {
                self.found.push(*number);
            }
        }
    }

    /// Notes those lists of a set that are for this class.
    fn take(&mut self, set: Set, class: Classes) {
        let lists = self.all.sets.lists(set).iter();
        let known = &self.all.lists;
        self.found
            .extend(lists.filter(|n| known[usize::from(**n)].takes.meets(class)));
    }
}

/// Whether the host of a URL is an address: a top-level domain has no digit at its end.
fn is_address(host: &str) -> bool {
    host.contains(':') || host.ends_with(|c: char| c.is_ascii_digit())
}

/// The host name of a URL in its normal form.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let host = &rest[..end];
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    Some(host.trim_end_matches('.')).filter(|host| !is_address(host) && !host.starts_with('['))
}
