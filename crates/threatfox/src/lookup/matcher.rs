//! Finding what matches a value: the value is spelled as the feed spells its keys, looked up, and judged by the rules.

use std::net::IpAddr;

use super::Index;
use super::rules::{Match, Role, is_never_matched};
use crate::feed::FeedRow;
use crate::ioc::Algorithm;
use crate::key::{Kind, address_text};
use crate::web_address::WebAddress;

/// A row of the feed that matches, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit<'i> {
    /// The row.
    pub row: FeedRow<'i>,
    /// The kind of match.
    pub matched: Match,
}

/// Looks values up in one feed; its buffer serves all of them.
#[derive(Debug, Clone)]
pub struct Matcher<'i> {
    index: &'i Index,
    key: String,
}

impl<'i> Matcher<'i> {
    /// A matcher for a feed.
    #[must_use]
    pub fn new(index: &'i Index) -> Self {
        Self {
            index,
            key: String::new(),
        }
    }

    /// An address in a role, with the port that goes with it.
    pub fn address(&mut self, ip: IpAddr, port: Option<u16>, role: Role) -> Option<Hit<'i>> {
        let ip = ip.to_canonical();
        if is_never_matched(ip) {
            return None;
        }
        judge(self.index, address_text(&mut self.key, ip), port, role)
    }

    /// A host name in any case, with or without a final dot: the name itself, and the domains above it. A name that is an
    /// address is looked up as one.
    pub fn host(&mut self, text: &str, take: &mut dyn FnMut(Hit<'i>)) {
        if let Some(ip) = as_address(text) {
            if let Some(hit) = self.address(ip, None, Role::Host) {
                take(hit);
            }
            return;
        }
        let name = host_name(&mut self.key, text);
        if let Some(hit) = judge(self.index, name, None, Role::Host) {
            take(hit);
        }
        let dots = memchr::memchr_iter(b'.', name.as_bytes());
        for parent in dots.map(|dot| &name[dot + 1..]) {
            if let Some(hit) = judge(self.index, parent, None, Role::Parent) {
                take(hit);
            }
        }
    }

    /// An address or a CNAME that DNS answered with.
    pub fn answer(&mut self, text: &str) -> Option<Hit<'i>> {
        match as_address(text) {
            Some(ip) => self.address(ip, None, Role::Answer),
            None => judge(
                self.index,
                host_name(&mut self.key, text),
                None,
                Role::Answer,
            ),
        }
    }

    /// A URL in a role, in any spelling that leads to the same place.
    pub fn url(&mut self, url: &WebAddress, role: Role) -> Option<Hit<'i>> {
        let key = prefixed(&mut self.key, Kind::Url, &url.normalized);
        judge(self.index, key, None, role)
    }

    /// A file's hash in hexadecimal of either case.
    pub fn hash(&mut self, algorithm: Algorithm, hex: &str) -> Option<Hit<'i>> {
        let kind = Kind::from(algorithm);
        let key = prefixed(&mut self.key, kind, hex);
        key.make_ascii_lowercase();
        if key.ends_with(algorithm.of_nothing()) {
            return None;
        }
        judge(self.index, key, None, Role::Hash)
    }
}

/// Looks up a key and says what the match is, if it is one.
fn judge<'i>(index: &'i Index, key: &str, port: Option<u16>, role: Role) -> Option<Hit<'i>> {
    let row = index.get(key)?;
    if role == Role::Parent && row.exact {
        return None;
    }
    let at_port = port.is_some_and(|port| row.ports.contains(&port));
    let matched = role.matches(row.kind, at_port)?;
    Some(Hit { row, matched })
}

/// The address that a host name is. A look at one byte spares most names the parser.
fn as_address(text: &str) -> Option<IpAddr> {
    let last = text.bytes().last()?;
    if last.is_ascii_hexdigit() || last == b':' {
        text.parse().ok()
    } else {
        None
    }
}

/// A host name in lower case, without its final dots; nothing for the `-` of a name that Sysmon does not know.
fn host_name<'b>(buffer: &'b mut String, text: &'b str) -> &'b str {
    let text = text.trim_end_matches('.');
    if text == "-" {
        return "";
    }
    if text
        .bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase())
    {
        return text;
    }
    buffer.clear();
    buffer.extend(text.chars().flat_map(char::to_lowercase));
    buffer
}

fn prefixed<'b>(buffer: &'b mut String, kind: Kind, value: &str) -> &'b mut str {
    buffer.clear();
    buffer.push_str(kind.prefix());
    buffer.push_str(value);
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        let mut index = Index::default();
        for (key, kind, exact, ports) in [
            ("203.0.113.7", Kind::Ip, true, &[443, 8443][..]),
            ("203.0.113.8", Kind::UrlHost, true, &[8080]),
            ("2001:db8::7", Kind::Ip, true, &[443]),
            ("10.1.2.3", Kind::Ip, true, &[443]),
            ("evil.example", Kind::Domain, false, &[]),
            ("cdn.evil.example", Kind::Domain, true, &[]),
            ("bücher.example", Kind::Domain, false, &[]),
            ("bad.example", Kind::UrlHost, true, &[]),
            ("url:http://bad.example/a", Kind::Url, true, &[]),
            ("md5:45c4710edc62df311612101b9160c7e1", Kind::Md5, true, &[]),
            ("md5:d41d8cd98f00b204e9800998ecf8427e", Kind::Md5, true, &[]),
        ] {
            let row = FeedRow {
                key,
                kind,
                ioc: key,
                ioc_type: "",
                exact,
                ports,
                malware: "",
                threat_type: "",
                confidence: 100,
                first_seen: None,
                last_seen: None,
                id: None,
                iocs: 1,
                compromised: false,
            };
            assert!(index.insert(&row).unwrap());
        }
        index
    }

    fn address(text: &str, port: Option<u16>, role: Role) -> Option<&'static str> {
        let index = index();
        let hit = Matcher::new(&index).address(text.parse().unwrap(), port, role);
        hit.map(|hit| hit.matched.name())
    }

    fn host(text: &str) -> Vec<String> {
        let index = index();
        let mut found = Vec::new();
        Matcher::new(&index).host(text, &mut |hit| {
            found.push(format!("{} {}", hit.matched.name(), hit.row.key));
        });
        found
    }

    #[test]
    fn an_address_matches_by_role_and_port() {
        for (text, port, role, expected) in [
            ("203.0.113.7", Some(443), Role::Destination, Some("ip:port")),
            ("203.0.113.7", Some(80), Role::Destination, Some("ip")),
            ("203.0.113.7", None, Role::Destination, Some("ip")),
            ("203.0.113.7", Some(443), Role::Source, Some("inbound")),
            ("::ffff:203.0.113.7", None, Role::Answer, Some("dns answer")),
            (
                "2001:db8:0:0:0:0:0:7",
                Some(443),
                Role::Destination,
                Some("ip:port"),
            ),
            (
                "203.0.113.8",
                Some(8080),
                Role::Destination,
                Some("url host"),
            ),
            ("203.0.113.8", Some(8080), Role::Source, None),
            ("203.0.113.70", None, Role::Destination, None),
            ("10.1.2.3", Some(443), Role::Destination, None),
        ] {
            assert_eq!(address(text, port, role), expected, "{text} {role:?}");
        }
    }

    #[test]
    fn a_host_matches_itself_and_what_is_above_it_at_the_boundaries_of_labels() {
        for (text, expected) in [
            ("EVIL.Example.", &["domain evil.example"][..]),
            ("a.b.evil.example", &["subdomain evil.example"]),
            (
                "cdn.evil.example",
                &["domain cdn.evil.example", "subdomain evil.example"],
            ),
            ("x.cdn.evil.example", &["subdomain evil.example"]),
            ("BÜCHER.example", &["domain bücher.example"]),
            ("bad.example", &["url host bad.example"]),
            ("www.bad.example", &[]),
            ("devil.example", &[]),
            ("evil.example.com", &[]),
            ("example", &[]),
            ("203.0.113.7", &["ip 203.0.113.7"]),
            ("-", &[]),
            ("", &[]),
            ("..", &[]),
        ] {
            assert_eq!(host(text), expected, "{text}");
        }
    }

    #[test]
    fn urls_and_hashes_match_in_any_spelling_and_the_empty_file_never() {
        let index = index();
        let mut matcher = Matcher::new(&index);
        let (url, _) = WebAddress::parse("HTTP://BAD.example:80/a#b").unwrap();
        let mut url = |role| matcher.url(&url, role).map(|hit| hit.matched.name());
        assert_eq!(url(Role::Download), Some("url"));
        assert_eq!(url(Role::Command), Some("command line url"));
        let mut md5 = |hex| matcher.hash(Algorithm::Md5, hex).is_some();
        assert!(md5("45C4710EDC62DF311612101B9160C7E1"));
        assert!(!md5("45c4710edc62df311612101b9160c7e2"));
        assert!(!md5(Algorithm::Md5.of_nothing()));
    }
}
