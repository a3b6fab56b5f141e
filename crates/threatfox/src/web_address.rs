//! URLs: the normal form under which one is looked up, and the host it names.

use std::net::IpAddr;

use url::Url;

use crate::host::Host;
use crate::key::address_text;

/// Where a URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlHost {
    /// An address, also one written as `0x5e.1098916`.
    Address(IpAddr),
    /// A name.
    Name(Host<'static>),
}

/// A URL with a host, in the WHATWG normal form: scheme and host in lower case, no default port, no fragment; but a
/// comma is written %2C, so that a key never needs quotes in a CSV and readers may split a line at its first comma. User
/// and password stay in the text, as they are part of what a command line shows, but never reach the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress {
    /// The normal form.
    pub normalized: String,
    /// The host.
    pub host: UrlHost,
    /// The port, if it is written and not the scheme's own.
    pub port: Option<u16>,
}

impl WebAddress {
    /// Reads a URL of any scheme that has a host. The second value says whether a doubled scheme
    /// (`https://https://host/`) was cut off.
    ///
    /// # Errors
    /// Says what is wrong, for the list of rejects.
    pub fn parse(text: &str) -> Result<(Self, bool), &'static str> {
        let (text, repaired) = without_doubled_scheme(text);
        if !has_scheme(text) {
            return Err("no scheme such as http://");
        }
        let mut url = Url::parse(text).map_err(|_| "not a URL")?;
        url.set_fragment(None);
        let host = match url.host() {
            Some(url::Host::Ipv4(ip)) => UrlHost::Address(ip.into()),
            Some(url::Host::Ipv6(ip)) => UrlHost::Address(IpAddr::V6(ip).to_canonical()),
            Some(url::Host::Domain(name)) => named(name)?,
            None => return Err("no host"),
        };
        // Schemes that browsers do not know (tcp, tftp) keep their host as written.
        let mut text = String::new();
        let spelling = match &host {
            UrlHost::Name(name) => Some(name.as_str()),
            UrlHost::Address(ip @ IpAddr::V4(_)) => Some(address_text(&mut text, *ip)),
            UrlHost::Address(IpAddr::V6(_)) => None,
        };
        if let Some(spelling) = spelling.filter(|s| url.host_str() != Some(s)) {
            url.set_host(Some(spelling))
                .map_err(|_| "a host that cannot be written in lower case")?;
        }
        let port = url.port().filter(|port| *port != 0);
        Ok((
            Self {
                normalized: String::from(url).replace(',', "%2C"),
                host,
                port,
            },
            repaired,
        ))
    }
}

impl WebAddress {
    /// The port of a connection to it, where the scheme has one.
    #[must_use]
    pub fn connects_to(&self) -> Option<u16> {
        let (scheme, _) = split_at_scheme(&self.normalized)?;
        self.port.or(match scheme {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            "ftp" => Some(21),
            _ => None,
        })
    }
}

fn named(name: &str) -> Result<UrlHost, &'static str> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(UrlHost::Address(ip.to_canonical()));
    }
    Ok(UrlHost::Name(Host::parse(name)?.into_owned()))
}

/// Cuts `https://` off `https://http://host/`, where a naive reader takes "http" for the host.
fn without_doubled_scheme(text: &str) -> (&str, bool) {
    let mut rest = text;
    while let Some((_, after)) = split_scheme(rest) {
        if split_scheme(after).is_none() {
            break;
        }
        rest = after;
    }
    (rest, rest.len() != text.len())
}

fn has_scheme(text: &str) -> bool {
    split_scheme(text).is_some()
}

/// `text.split_once("://")`, which prepares a search that takes longer than these short texts are worth.
pub(crate) fn split_at_scheme(text: &str) -> Option<(&str, &str)> {
    let colon = memchr::memchr_iter(b':', text.as_bytes())
        .find(|colon| text.as_bytes()[colon + 1..].starts_with(b"//"))?;
    Some((&text[..colon], &text[colon + 3..]))
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = split_at_scheme(text)?;
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    valid.then_some((scheme, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, String, Option<u16>, bool) {
        let (url, repaired) = WebAddress::parse(text).unwrap();
        let host = match url.host {
            UrlHost::Address(ip) => ip.to_string(),
            UrlHost::Name(name) => name.as_str().to_owned(),
        };
        (url.normalized, host, url.port, repaired)
    }

    #[test]
    fn normal_form_follows_the_browsers() {
        for (text, normalized, host, port, repaired) in [
            (
                "HTTP://Evil.Example:80/A?b#c",
                "http://evil.example/A?b",
                "evil.example",
                None,
                false,
            ),
            (
                "http://evil.example/a,b?c=1,2",
                "http://evil.example/a%2Cb?c=1%2C2",
                "evil.example",
                None,
                false,
            ),
            (
                "http://94.0x4A.164.136/fifx.odd",
                "http://94.74.164.136/fifx.odd",
                "94.74.164.136",
                None,
                false,
            ),
            (
                "ftp://anonymous:anonymous@81.181.129.231/all.sh",
                "ftp://anonymous:anonymous@81.181.129.231/all.sh",
                "81.181.129.231",
                None,
                false,
            ),
            (
                "https://https://t.me/stfmms/api",
                "https://t.me/stfmms/api",
                "t.me",
                None,
                true,
            ),
            (
                "tcp://Evil.Example:8080",
                "tcp://evil.example:8080",
                "evil.example",
                Some(8080),
                false,
            ),
            (
                "tftp://203.0.113.7/x",
                "tftp://203.0.113.7/x",
                "203.0.113.7",
                None,
                false,
            ),
            (
                "http://[2001:DB8::7]:8080/",
                "http://[2001:db8::7]:8080/",
                "2001:db8::7",
                Some(8080),
                false,
            ),
            (
                "http://bücher.example/",
                "http://xn--bcher-kva.example/",
                "xn--bcher-kva.example",
                None,
                false,
            ),
            (
                "https://web.evil.example/web/http://other.example/",
                "https://web.evil.example/web/http://other.example/",
                "web.evil.example",
                None,
                false,
            ),
        ] {
            assert_eq!(
                parsed(text),
                (normalized.into(), host.into(), port, repaired),
                "{text}"
            );
        }
    }

    #[test]
    fn what_has_no_host_is_refused() {
        for text in [
            "evil.example/x",
            "http://",
            "mailto:a@evil.example",
            "http://localhost/",
            "file:///etc/passwd",
            "http://evil.example:99999/",
            "",
        ] {
            assert!(WebAddress::parse(text).is_err(), "{text}");
        }
    }
}
