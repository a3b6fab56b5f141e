//! The reader `url`, and the one spelling of a URL as a key.

use std::net::IpAddr;

use super::{Buffers, Key, Observer, canonical, lowercase, push_address, trim};

/// The prefix of a URL's key.
const PREFIX: &str = "url:";

/// The parts of a URL as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlText<'t> {
    scheme: &'t str,
    /// Without its `@`.
    user: Option<&'t str>,
    host: &'t str,
    /// Whether the host stands in brackets, which it is without here.
    in_brackets: bool,
    port: &'t str,
    rest: &'t str,
}

impl<'t> UrlText<'t> {
    /// Takes a text apart that is a URL from its beginning on.
    #[must_use]
    pub fn split(text: &'t str) -> Option<Self> {
        let (scheme, after) = split_scheme(text)?;
        let end = after.find(is_end).unwrap_or(after.len());
        let at = memchr::memrchr(b'@', &after.as_bytes()[..end]);
        let user = at.map(|at| &after[..at]);
        let after = &after[at.map_or(0, |at| at + 1)..];
        let end = end - at.map_or(0, |at| at + 1);
        let (host, in_brackets, behind) = if let Some((host, behind)) = in_brackets(after) {
            (host, true, behind)
        } else {
            let end = memchr::memchr(b':', &after.as_bytes()[..end]).unwrap_or(end);
            (&after[..end], false, &after[end..])
        };
        let (port, rest) = port(behind).unwrap_or(("", behind));
        Some(Self {
            scheme,
            user,
            host,
            in_brackets,
            port,
            rest,
        })
    }

    /// The same URL with a name for its host.
    #[must_use]
    pub fn with_host(self, host: &'t str) -> Self {
        Self {
            host,
            in_brackets: false,
            ..self
        }
    }

    /// The host as the reader `host` takes it, without brackets.
    #[must_use]
    pub fn host(&self) -> &'t str {
        self.host
    }

    /// The port that a connection goes to: the URL's own, or that of its scheme.
    #[must_use]
    pub fn port(&self) -> Option<&'t str> {
        if self.port.is_empty() {
            own_port(self.scheme)
        } else {
            Some(self.port)
        }
    }

    /// Appends the spelling of the URL in a key.
    pub fn spell(&self, out: &mut String) {
        let start = out.len();
        out.push_str(self.scheme);
        out[start..].make_ascii_lowercase();
        out.push_str("://");
        if let Some(user) = self.user {
            push_unquoted(out, user);
            out.push('@');
        }
        self.spell_host(out);
        let own = own_port(self.scheme);
        if !self.port.is_empty() && own != Some(self.port) {
            out.push(':');
            out.push_str(self.port);
        }
        let end = memchr::memchr(b'#', self.rest.as_bytes()).unwrap_or(self.rest.len());
        let rest = &self.rest[..end];
        // The schemes with a port of their own are those that browsers know.
        if own.is_some() && (rest.is_empty() || rest.starts_with('?')) {
            out.push('/');
        }
        push_unquoted(out, rest);
    }

    fn spell_host(&self, out: &mut String) {
        if !self.in_brackets {
            // The escape of a comma or a quote is part of the host then, and so in lowercase.
            let start = out.len();
            push_unquoted(out, self.host.trim_end_matches('.'));
            if out[start..]
                .bytes()
                .any(|b| b.is_ascii_uppercase() || !b.is_ascii())
            {
                let lower = lowercase(&out[start..]);
                out.truncate(start);
                out.push_str(&lower);
            }
            return;
        }
        match self.host.parse::<IpAddr>().map(canonical) {
            Ok(ip @ IpAddr::V4(_)) => push_address(out, ip),
            Ok(ip) => {
                out.push('[');
                push_address(out, ip);
                out.push(']');
            }
            Err(_) => {
                out.push('[');
                out.push_str(&self.host.to_ascii_lowercase());
                out.push(']');
            }
        }
    }
}

/// A URL as its key spells it. A text that is not a URL stays as it is.
#[must_use]
pub fn spell(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len() + 1);
    match UrlText::split(text) {
        Some(url) => url.spell(&mut spelled),
        None => spelled.push_str(text),
    }
    spelled
}

/// The port of a scheme that has one.
fn own_port(scheme: &str) -> Option<&'static str> {
    const PORTS: [(&str, &str); 5] = [
        ("http", "80"),
        ("https", "443"),
        ("ftp", "21"),
        ("ws", "80"),
        ("wss", "443"),
    ];
    let (_, port) = PORTS
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(scheme))?;
    Some(port)
}

/// A host in brackets, and what stands behind it; that must be able to follow a host.
fn in_brackets(text: &str) -> Option<(&str, &str)> {
    let (host, behind) = text.strip_prefix('[')?.split_once(']')?;
    let like_ipv6 = host.bytes().all(is_of_ipv6);
    let ended = behind.is_empty() || behind.starts_with(|c| c == ':' || is_end(c));
    (like_ipv6 && ended).then_some((host, behind))
}

/// A port at the beginning, and what stands behind it. Digits that something else follows are not a port.
fn port(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix(':')?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (port, rest) = text.split_at(digits);
    (rest.is_empty() || rest.starts_with(is_end)).then_some((port, rest))
}

/// The characters that end the host part of a URL.
pub(super) fn is_end(c: char) -> bool {
    matches!(c, '/' | '?' | '#' | '\\')
}

/// The scheme of a URL, and what stands behind its `://`.
pub(crate) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let colon = memchr::memchr(b':', text.as_bytes())?;
    let scheme = &text[..colon];
    let after = text[colon..].strip_prefix("://")?;
    let valid =
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(is_of_scheme);
    valid.then_some((scheme, after))
}

/// Whether a byte may stand in an IPv6 address, which may end in an IPv4 address.
pub(super) fn is_of_ipv6(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

pub(super) fn is_of_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Appends a text without the characters for which a CSV needs quotes.
fn push_unquoted(out: &mut String, text: &str) {
    let mut copied = 0;
    for at in memchr::memchr2_iter(b',', b'"', text.as_bytes()) {
        out.push_str(&text[copied..at]);
        out.push_str(if text.as_bytes()[at] == b',' {
            "%2C"
        } else {
            "%22"
        });
        copied = at + 1;
    }
    out.push_str(&text[copied..]);
}

impl Buffers {
    pub(super) fn url(&mut self, text: &str, observer: &mut dyn Observer) {
        if let Some(url) = UrlText::split(trim(text)) {
            self.url_key(&url, observer);
            self.host_keys(url.host, url.port(), observer);
            observer.end();
        }
    }

    /// The key of the URL itself.
    pub(super) fn url_key(&mut self, url: &UrlText<'_>, observer: &mut dyn Observer) {
        let key = &mut self.key;
        key.clear();
        key.push_str(PREFIX);
        url.spell(key);
        observer.key(&Key {
            text: key,
            observable: &key[PREFIX.len()..],
            port: None,
            above: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::read;
    use super::*;
    use crate::rules::Reader;

    #[test]
    fn a_url_is_spelled_by_the_rule() {
        for (text, spelled) in [
            (
                "HTTP://User@Evil.Example.:80/A?b#c",
                "http://User@evil.example/A?b",
            ),
            ("https://evil.example", "https://evil.example/"),
            ("https://evil.example:443?x", "https://evil.example/?x"),
            ("https://evil.example#x", "https://evil.example/"),
            ("tcp://Evil.example:8080", "tcp://evil.example:8080"),
            ("tcp://evil.example?x", "tcp://evil.example?x"),
            ("http://evil.example:/x", "http://evil.example/x"),
            ("http://evil.example:8x/", "http://evil.example:8x/"),
            ("http://[2001:DB8:0::7]:8080/", "http://[2001:db8::7]:8080/"),
            ("http://[::ffff:203.0.113.7]/", "http://203.0.113.7/"),
            ("http://[64:ff9b::cb00:7107]/", "http://203.0.113.7/"),
            ("http://[1:2]/", "http://[1:2]/"),
            ("http://a@b@evil.example/@", "http://a@b@evil.example/@"),
            (r"http://evil.example\x", r"http://evil.example\x"),
            (
                "http://evil.example/a,\"b\"",
                "http://evil.example/a%2C%22b%22",
            ),
            ("http://BÜCHER.example/Ü", "http://bücher.example/Ü"),
            (
                "https://https://evil.example/x",
                "https://https//evil.example/x",
            ),
            ("file:///etc/passwd", "file:///etc/passwd"),
            ("evil.example/x", "evil.example/x"),
        ] {
            assert_eq!(spell(text), spelled, "{text}");
        }
    }

    #[test]
    fn a_url_has_its_own_key_and_those_of_its_host() {
        for (text, keys) in [
            (
                " HTTP://a.Evil.example/X ",
                &[
                    "url:http://a.evil.example/X",
                    "a.evil.example",
                    "^evil.example",
                    "^example",
                ][..],
            ),
            (
                "http://203.0.113.7/x",
                &["url:http://203.0.113.7/x", "203.0.113.7 at 80"],
            ),
            (
                "https://u:p@203.0.113.7",
                &["url:https://u:p@203.0.113.7/", "203.0.113.7 at 443"],
            ),
            (
                "ftp://203.0.113.7:2121/",
                &["url:ftp://203.0.113.7:2121/", "203.0.113.7 at 2121"],
            ),
            (
                "tcp://[2001:db8::7]",
                &["url:tcp://[2001:db8::7]", "2001:db8::7"],
            ),
            ("file:///x", &["url:file:///x"]),
        ] {
            assert_eq!(read(&Reader::Url, text), [keys], "{text}");
        }
        for text in [
            "",
            "-",
            "about:internet",
            "evil.example",
            "://x",
            "1http://x",
            "a b://x",
        ] {
            assert!(read(&Reader::Url, text).is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_spelled_url_is_spelled_as_it_is(
            text in "[hH]ttps?://([a-zA-Z0-9@:\\[\\].,/?#\\\\\"Üİ%-]{0,24}|\\PC{0,24})",
        ) {
            let spelled = spell(&text);
            prop_assert_eq!(spell(&spelled), spelled);
        }
    }
}
