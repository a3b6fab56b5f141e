//! The keys of a feed as fingerprints: 8 bytes a key, and a look-up that reads each byte of a text once.
//!
//! Two texts may have one fingerprint: then an event more is a candidate, which the hunt rejects. None is missed.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use crate::host::Host;
use crate::key::Kind;

/// The fingerprint of a text, read from its end: so the fingerprint of `b.example` is on the way to that of
/// `a.b.example`. Capital letters count as small ones.
#[derive(Clone, Copy)]
pub(super) struct Fold(u64);

impl Fold {
    /// Of the empty text; FNV-1a's number.
    pub const START: Self = Self(0xcbf2_9ce4_8422_2325);

    pub fn byte(self, byte: u8) -> Self {
        let mixed = self.0 ^ u64::from(byte.to_ascii_lowercase());
        Self(mixed.wrapping_mul(0x0000_0100_0000_01b3))
    }

    pub fn text(self, text: &[u8]) -> Self {
        text.iter().rev().fold(self, |fold, byte| fold.byte(*byte))
    }

    /// Spreads the bits (the finalizer of `MurmurHash3`): FNV's high ones say little.
    pub fn fingerprint(self) -> u64 {
        let x = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let x = (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        x ^ (x >> 33)
    }
}

/// A set of fingerprints, which are hashes already.
pub type Fingerprints = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// Hashes nothing.
#[derive(Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = Fold(self.0).text(bytes).fingerprint();
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}

/// The keys of a feed, and which of them were met.
#[derive(Default)]
pub struct KeySet {
    fingerprints: Fingerprints,
}

impl KeySet {
    /// Adds a key of a feed.
    pub fn insert(&mut self, key: &str) {
        self.fingerprints.insert(of_key(key));
    }

    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        self.fingerprints.contains(&fingerprint)
    }
}

/// The fingerprint under which a key is found. Of a URL it is that of its host: a command line may hold more than the
/// URL, and whether it holds the URL is for the hunt to say.
pub(super) fn of_key(key: &str) -> u64 {
    let url = key.strip_prefix(Kind::Url.prefix());
    match url.and_then(crate::web_address::split_at_scheme) {
        Some((_, rest)) => of_url_host(rest.as_bytes()),
        None => of_text(key).fingerprint(),
    }
}

/// A text in any script, in small letters as VQL's `lowcase` makes them.
pub(super) fn of_text(text: &str) -> Fold {
    if text.is_ascii() {
        return Fold::START.text(text.as_bytes());
    }
    // Letter by letter: Rust's to_lowercase() knows of final sigmas and gives two for "İ", Go's does not.
    let small: String = text
        .chars()
        .filter_map(|c| c.to_lowercase().next())
        .collect();
    Fold::START.text(small.as_bytes())
}

/// Bytes that end a URL's host, in a URL or in the text around it.
const ENDS: &[u8] = b"/?#\\\"'`<>|^{}(),; \t\r\n";

/// The fingerprint of the host of the URL whose scheme ends in front of `rest`.
pub(super) fn of_url_host(rest: &[u8]) -> u64 {
    let end = rest.iter().position(|byte| ENDS.contains(byte));
    let authority = &rest[..end.unwrap_or(rest.len())];
    let user = memchr::memrchr(b'@', authority).map_or(0, |at| at + 1);
    let host = without_port(&authority[user..]);
    let host = host.strip_suffix(b".").unwrap_or(host);
    let fold = match std::str::from_utf8(host) {
        Ok(name) if !name.is_ascii() => match Host::parse(name) {
            Ok(host) => of_text(host.as_str()),
            Err(_) => of_text(name),
        },
        _ => Fold::START.text(host),
    };
    // Apart from the host's own key.
    fold.text(b"://").fingerprint()
}

fn without_port(host: &[u8]) -> &[u8] {
    match memchr::memrchr(b':', host) {
        Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) => &host[..colon],
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_under_its_own_text_in_any_case() {
        for (key, text) in [
            ("203.0.113.7", "203.0.113.7"),
            ("evil.example", "EVIL.example"),
            ("bücher.example", "BÜCHER.example"),
            ("sha256:0a", "SHA256:0A"),
        ] {
            assert_eq!(of_key(key), of_text(text).fingerprint(), "{key}");
            assert_ne!(of_key(key), of_text(&text[1..]).fingerprint(), "{key}");
        }
    }

    #[test]
    fn the_fingerprint_of_a_name_is_on_the_way_to_those_below_it() {
        let parent = Fold::START.text(b"evil.example");
        assert_eq!(
            parent.byte(b'.').text(b"c2").fingerprint(),
            of_key("c2.evil.example")
        );
    }

    #[test]
    fn a_url_is_found_under_its_host_wherever_it_stands() {
        let key = of_key("url:http://evil.example/gate.php?id=1");
        for rest in [
            "evil.example",
            "EVIL.example./other",
            "user:pw@evil.example:8080/",
            "evil.example\" -o x",
            "evil.example', x",
        ] {
            assert_eq!(of_url_host(rest.as_bytes()), key, "{rest}");
        }
        assert_ne!(of_key("evil.example"), key);
        assert_ne!(of_url_host(b"evil.example.org/"), key);
        assert_eq!(
            of_url_host("bücher.example/".as_bytes()),
            of_key("url:http://xn--bcher-kva.example/")
        );
        assert_eq!(
            of_url_host(b"[2001:db8::7]:80/"),
            of_key("url:http://[2001:db8::7]/")
        );
    }
}
