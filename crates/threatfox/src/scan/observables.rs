//! What an event holds that may be in a feed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::keys::{Fingerprints, Fold, KeySet, of_text, of_url_host};
use crate::evtx::{Chunk, Event, Utf16};

/// A field that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    SourceIp,
    DestinationIp,
    DestinationHostname,
    QueryName,
    QueryResults,
    Hashes,
    Hash,
    Contents,
    CommandLine,
}

/// The names of the fields, in their order.
pub(super) const NAMES: &[&str] = &[
    "SourceIp",
    "DestinationIp",
    "DestinationHostname",
    "QueryName",
    "QueryResults",
    "Hashes",
    "Hash",
    "Contents",
    "CommandLine",
];

/// The fields of an event of Sysmon; none where it cannot hold an indicator.
fn fields(event_id: u64) -> &'static [Field] {
    match event_id {
        1 => &[Field::Hashes, Field::Hash, Field::CommandLine],
        3 => &[
            Field::SourceIp,
            Field::DestinationIp,
            Field::DestinationHostname,
        ],
        6 | 7 | 23 | 26 | 27 | 29 => &[Field::Hashes, Field::Hash],
        15 => &[Field::Hashes, Field::Hash, Field::Contents],
        22 => &[Field::QueryName, Field::QueryResults],
        _ => &[],
    }
}

/// Looks texts up, and keeps the fingerprints that it found.
pub(super) struct Lookup<'k> {
    keys: &'k KeySet,
    pub found: Fingerprints,
    buffer: Vec<u8>,
}

impl<'k> Lookup<'k> {
    pub fn new(keys: &'k KeySet) -> Self {
        Self {
            keys,
            found: Fingerprints::default(),
            buffer: Vec::new(),
        }
    }

    /// Whether an event holds something of the feed.
    pub fn event<'c>(&mut self, event_id: u64, event: &Event<'c>, chunk: &Chunk<'c>) -> bool {
        let mut any = false;
        for field in fields(event_id) {
            if let Some(text) = event.field(chunk, *field as usize) {
                any |= self.field(*field, text);
            }
        }
        any
    }

    /// Looks up a value that is no event's: an address, a name, or an answer as `QueryResults` has it.
    pub fn value(&mut self, value: &str) {
        self.answer(value.as_bytes());
    }

    fn field(&mut self, field: Field, text: Utf16<'_>) -> bool {
        let mut buffer = std::mem::take(&mut self.buffer);
        if text.ascii(&mut buffer).is_none() {
            buffer = text.to_string().into_bytes();
        }
        let any = match field {
            Field::SourceIp | Field::DestinationIp => self.address(&buffer),
            Field::DestinationHostname | Field::QueryName => self.host(&buffer),
            Field::QueryResults => self.any(buffer.split(|byte| *byte == b';'), Self::answer),
            Field::Hashes | Field::Hash => self.any(buffer.split(|byte| *byte == b','), Self::hash),
            Field::Contents | Field::CommandLine => self.running_text(&buffer),
        };
        self.buffer = buffer;
        any
    }

    /// Looks up each part; none is left out for an earlier one's sake, as the feed's rows of all are wanted.
    fn any<'t>(
        &mut self,
        parts: impl Iterator<Item = &'t [u8]>,
        look: fn(&mut Self, &[u8]) -> bool,
    ) -> bool {
        parts.fold(false, |any, part| look(self, part) | any)
    }

    fn found(&mut self, fingerprint: u64) -> bool {
        let known = self.keys.contains(fingerprint);
        if known {
            self.found.insert(fingerprint);
        }
        known
    }

    /// An IPv6 address in any spelling; an IPv4 address as Sysmon spells it.
    fn address(&mut self, text: &[u8]) -> bool {
        if !text.contains(&b':') {
            return self.found(Fold::START.text(text).fingerprint());
        }
        let Some(ip) = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<Ipv6Addr>().ok())
        else {
            return false;
        };
        // An old Sysmon writes an IPv4 address into the first bytes of an IPv6 address.
        let [a, b, c, d, ..] = ip.octets();
        let faulty = Ipv4Addr::new(a, b, c, d);
        self.ip(IpAddr::V6(ip).to_canonical()) | self.ip(faulty.into())
    }

    fn ip(&mut self, ip: IpAddr) -> bool {
        self.found(of_text(&ip.to_string()).fingerprint())
    }

    /// A host name and the domains above it; or an address in its place.
    fn host(&mut self, text: &[u8]) -> bool {
        if text.contains(&b':') {
            return self.address(text);
        }
        let mut name = text;
        while let [rest @ .., b'.'] = name {
            name = rest;
        }
        if name.is_ascii() {
            return self.name(name);
        }
        let small: String = String::from_utf8_lossy(name)
            .chars()
            .filter_map(|c| c.to_lowercase().next())
            .collect();
        self.name(small.as_bytes())
    }

    fn name(&mut self, name: &[u8]) -> bool {
        let mut fold = Fold::START;
        let mut any = false;
        for byte in name.iter().rev() {
            if *byte == b'.' {
                any |= self.found(fold.fingerprint());
            }
            fold = fold.byte(*byte);
        }
        any | self.found(fold.fingerprint())
    }

    /// An item of `QueryResults`: an address, or `type:  5 name`.
    fn answer(&mut self, item: &[u8]) -> bool {
        let word = item.trim_ascii().rsplit(u8::is_ascii_whitespace).next();
        word.is_some_and(|word| !word.is_empty() && self.host(word))
    }

    /// An item of `Hashes`: `SHA256=…`, which the feed writes `sha256:…`.
    fn hash(&mut self, item: &[u8]) -> bool {
        let mut parts = item.trim_ascii().splitn(2, |byte| *byte == b'=');
        let (Some(algorithm), Some(digits)) = (parts.next(), parts.next()) else {
            return false;
        };
        let key = Fold::START.text(digits).byte(b':').text(algorithm);
        self.found(key.fingerprint())
    }

    /// Text that may hold URLs and addresses.
    fn running_text(&mut self, text: &[u8]) -> bool {
        let mut any = false;
        for colon in memchr::memchr_iter(b':', text) {
            if let Some(rest) = text[colon + 1..].strip_prefix(b"//") {
                any |= self.found(of_url_host(rest));
            }
        }
        let not_v4 = |byte: &u8| !byte.is_ascii_digit() && *byte != b'.';
        let not_v6 = |byte: &u8| !byte.is_ascii_hexdigit() && !matches!(byte, b'.' | b':');
        any |= self.any(text.split(not_v4), Self::v4_word);
        any | self.any(text.split(not_v6), Self::v6_word)
    }

    fn v4_word(&mut self, word: &[u8]) -> bool {
        (7..=15).contains(&word.len()) && self.found(Fold::START.text(word).fingerprint())
    }

    /// An IPv6 address, perhaps with a port behind it.
    fn v6_word(&mut self, word: &[u8]) -> bool {
        if memchr::memchr_iter(b':', word).count() < 2 {
            return false;
        }
        let before_port = memchr::memrchr(b':', word).map_or(word, |colon| &word[..colon]);
        self.address(word) | self.address(before_port)
    }
}
