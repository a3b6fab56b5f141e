//! URLs: the spellings under which one is looked up, and the host it names.

use std::net::IpAddr;

use url::Url;

use crate::host::{Host, NotAHost};
use crate::rules::reader::{UrlText, canonical, push_address, spell, split_scheme};
use crate::text::clean;

/// Why a text is not a URL with a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // The messages say it.
pub enum NotAUrl {
    #[error("no scheme such as http://")]
    NoScheme,
    #[error("not a URL")]
    Syntax,
    #[error("no host")]
    NoHost,
    #[error("a host that cannot be written in lower case")]
    Case,
    #[error(transparent)]
    Host(#[from] NotAHost),
}

/// Where a URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlHost {
    /// An address, also one written as `0x5e.1098916`.
    Address(IpAddr),
    /// A name.
    Name(Host<'static>),
}

/// A URL with a host. User and password stay in its text, as they are part of what a command line shows, but never
/// reach the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IocUrl {
    /// The WHATWG normal form, as browsers read the URL, in the spelling of a key.
    pub normalized: String,
    /// The URL as it was written, in the spelling of a key, where that is another.
    pub written: Option<String>,
    /// The host.
    pub host: UrlHost,
    /// The port, if it is written and not the scheme's own.
    pub port: Option<u16>,
    /// Whether a doubled scheme (`https://https://host/`) was cut off.
    pub repaired: bool,
}

impl IocUrl {
    /// Reads a URL of any scheme that has a host.
    ///
    /// # Errors
    /// [`NotAUrl`].
    pub fn parse(text: &str) -> Result<Self, NotAUrl> {
        let written = text;
        let text = without_doubled_scheme(text);
        let repaired = text.len() != written.len();
        if split_scheme(text).is_none() {
            return Err(NotAUrl::NoScheme);
        }
        let mut url = Url::parse(text).map_err(|_| NotAUrl::Syntax)?;
        url.set_fragment(None);
        let host = match url.host() {
            Some(url::Host::Ipv4(ip)) => UrlHost::Address(ip.into()),
            Some(url::Host::Ipv6(ip)) => UrlHost::Address(canonical(ip.into())),
            Some(url::Host::Domain(name)) => named(name)?,
            None => return Err(NotAUrl::NoHost),
        };
        // Schemes that browsers do not know (tcp, tftp) keep their host as written.
        let mut text = String::new();
        let spelling = match &host {
            UrlHost::Name(name) => Some(name.as_str()),
            UrlHost::Address(ip @ IpAddr::V4(_)) => {
                push_address(&mut text, *ip);
                Some(&*text)
            }
            UrlHost::Address(IpAddr::V6(_)) => None,
        };
        if let Some(spelling) = spelling.filter(|s| url.host_str() != Some(s)) {
            url.set_host(Some(spelling)).map_err(|_| NotAUrl::Case)?;
        }
        let port = url.port().filter(|port| *port != 0);
        let normalized = spell(url.as_str());
        // Text that cannot be shown is not looked up either.
        let written = Some(spell(written))
            .filter(|written| *written != normalized && clean(written) == written.as_str());
        Ok(Self {
            normalized,
            written,
            host,
            port,
            repaired,
        })
    }
}

impl IocUrl {
    /// The spellings under which it is looked up: the normal form, and the text as it was written where that differs.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.normalized).chain(self.written.as_deref())
    }

    /// The normal form with the host in the user's script, where the name has such a spelling.
    #[must_use]
    pub fn unicode(&self) -> Option<String> {
        let UrlHost::Name(name) = &self.host else {
            return None;
        };
        let unicode = name.unicode()?;
        let url = UrlText::split(&self.normalized)?.with_host(&unicode);
        let mut spelled = String::new();
        url.spell(&mut spelled);
        Some(spelled)
    }
}

fn named(name: &str) -> Result<UrlHost, NotAHost> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(UrlHost::Address(canonical(ip)));
    }
    Ok(UrlHost::Name(Host::parse(name)?.into_owned()))
}

/// Cuts `https://` off `https://http://host/`, where a naive reader takes "http" for the host.
fn without_doubled_scheme(text: &str) -> &str {
    let mut rest = text;
    while let Some((_, after)) = split_scheme(rest) {
        if split_scheme(after).is_none() {
            break;
        }
        rest = after;
    }
    rest
}

/// `text.split_once("://")`, which prepares a search that takes longer than these short texts are worth.
pub(crate) fn split_at_scheme(text: &str) -> Option<(&str, &str)> {
    let colon = memchr::memchr_iter(b':', text.as_bytes())
        .find(|colon| text.as_bytes()[colon + 1..].starts_with(b"//"))?;
    Some((&text[..colon], &text[colon + 3..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, String, Option<u16>, bool) {
        let url = IocUrl::parse(text).unwrap();
        let host = match url.host {
            UrlHost::Address(ip) => ip.to_string(),
            UrlHost::Name(name) => name.as_str().to_owned(),
        };
        (url.normalized, host, url.port, url.repaired)
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
                "http://[::ffff:203.0.113.7]/x",
                "http://203.0.113.7/x",
                "203.0.113.7",
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
    fn a_url_is_looked_up_as_it_was_written_too_where_that_is_another_spelling() {
        for (text, written) in [
            ("HTTP://Evil.Example:80/A#c", None),
            (
                "http://evil.example/a/../b",
                Some("http://evil.example/a/../b"),
            ),
            ("http://evil.example/ü'|", Some("http://evil.example/ü'|")),
            (
                "https://https://evil.example/x",
                Some("https://https//evil.example/x"),
            ),
            ("http://0x5e.1098916/x", Some("http://0x5e.1098916/x")),
            ("http://bücher.example/", Some("http://bücher.example/")),
            ("http://evil.example/a\tb", None),
        ] {
            let url = IocUrl::parse(text).unwrap();
            assert_eq!(url.written.as_deref(), written, "{text}");
        }
    }

    #[test]
    fn an_internationalized_name_has_a_spelling_in_its_script() {
        let url = IocUrl::parse("http://u@xn--bcher-kva.example:81/ü").unwrap();
        let unicode = url.unicode();
        assert_eq!(
            unicode.as_deref(),
            Some("http://u@bücher.example:81/%C3%BC")
        );
        let url = IocUrl::parse("http://evil.example/ü").unwrap();
        assert_eq!(url.unicode(), None);
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
            assert!(IocUrl::parse(text).is_err(), "{text}");
        }
    }
}
