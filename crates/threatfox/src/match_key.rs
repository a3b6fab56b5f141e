//! The keys under which an indicator is looked up, and the regular expression for a join with `=~`.
//!
//! | indicator | keys |
//! |---|---|
//! | address | the address |
//! | network | each of its addresses, 256 at most |
//! | domain | the name; an IDN also in its U-label spelling, as Sysmon logs either |
//! | URL | `url:` and the URL as browsers read it, as it was written, and with a U-label host, where these differ; its
//! host as `url_host`, unless the host is a shared service |
//! | hash | `md5:`, `sha1:` or `sha256:` and the digits |
//!
//! The host of a URL may be an address: its row has the kind `url_host` too, unless an `ip:port` indicator has the same
//! address, whose kind `ip` then wins, as `domain` does for a name.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::host::Host;
use crate::ioc::Ioc;
pub use crate::rules::Kind;
use crate::rules::reader::{canonical, push_address};
use crate::shared_hosts::SharedHosts;
use crate::url::UrlHost;

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The text, with its prefix.
    pub text: &'a str,
    /// Whether a subdomain must not match.
    pub exact: bool,
    /// The port that goes with it.
    pub port: Option<u16>,
}

/// Makes keys; its buffer serves all of them.
#[derive(Debug)]
pub struct KeyMaker {
    /// The hosts that get no key of their own from a URL, and no subdomains from a domain.
    pub shared: SharedHosts,
    text: String,
}

impl KeyMaker {
    /// A maker that spares these shared services.
    #[must_use]
    pub fn new(shared: SharedHosts) -> Self {
        Self {
            shared,
            text: String::new(),
        }
    }

    /// Hands each key of an indicator to `take`. Says whether a URL's host was spared as a shared service.
    pub fn each(&mut self, ioc: &Ioc<'_>, take: &mut dyn FnMut(Key<'_>)) -> bool {
        match ioc {
            Ioc::Address(ip, port) => {
                take(Key {
                    kind: Kind::Ip,
                    text: address_text(&mut self.text, *ip),
                    exact: true,
                    port: *port,
                });
            }
            Ioc::Network(network, port) => {
                for ip in addresses_of(*network) {
                    take(Key {
                        kind: Kind::Ip,
                        text: address_text(&mut self.text, ip),
                        exact: true,
                        port: *port,
                    });
                }
            }
            Ioc::Domain(host) => {
                let exact = self.shared.why(host.as_str()).is_some();
                host_keys(host, Kind::Domain, exact, None, take);
            }
            Ioc::Hash(algorithm, hex) => {
                let kind = Kind::from(*algorithm);
                let text = joined(&mut self.text, kind.prefix(), hex);
                take(Key {
                    kind,
                    text,
                    exact: true,
                    port: None,
                });
            }
            Ioc::Url(url) => {
                let unicode = url.unicode();
                let unicode = unicode
                    .as_deref()
                    .filter(|text| url.written.as_deref() != Some(text));
                for text in url.spellings().chain(unicode) {
                    take(Key {
                        kind: Kind::Url,
                        text: joined(&mut self.text, Kind::Url.prefix(), text),
                        exact: true,
                        port: None,
                    });
                }
                match &url.host {
                    UrlHost::Address(ip) => {
                        let text = address_text(&mut self.text, *ip);
                        take(Key {
                            kind: Kind::UrlHost,
                            text,
                            exact: true,
                            port: url.port,
                        });
                    }
                    UrlHost::Name(host) if self.shared.why(host.as_str()).is_some() => return true,
                    UrlHost::Name(host) => host_keys(host, Kind::UrlHost, true, url.port, take),
                }
            }
        }
        false
    }
}

/// All addresses of a network, the first and the last included.
fn addresses_of(network: IpNet) -> impl Iterator<Item = IpAddr> {
    let single = network.subnets(network.max_prefix_len()).ok();
    let single = single.into_iter().flatten();
    single.map(|net| canonical(net.addr()))
}

/// The address in a buffer.
fn address_text(buffer: &mut String, ip: IpAddr) -> &str {
    buffer.clear();
    push_address(buffer, ip);
    buffer
}

fn joined<'b>(buffer: &'b mut String, prefix: &str, text: &str) -> &'b str {
    buffer.clear();
    buffer.push_str(prefix);
    buffer.push_str(text);
    buffer
}

fn host_keys(
    host: &Host<'_>,
    kind: Kind,
    exact: bool,
    port: Option<u16>,
    take: &mut dyn FnMut(Key<'_>),
) {
    take(Key {
        kind,
        text: host.as_str(),
        exact,
        port,
    });
    if let Some(unicode) = host.unicode() {
        take(Key {
            kind,
            text: &unicode,
            exact,
            port,
        });
    }
}

/// How a regular expression begins that takes the names below its key too.
pub(crate) const SUBDOMAINS: &str = r"(^|\.)";

/// Appends the regular expression of a key, for Go's RE2: escaped as `regexp.QuoteMeta` does, and anchored.
pub fn push_regex(out: &mut String, kind: Kind, key: &str, exact: bool) {
    out.push_str(if kind == Kind::Domain && !exact {
        SUBDOMAINS
    } else {
        "^"
    });
    let value = kind.value_of(key);
    if kind.is_hash() {
        out.push_str(value);
        out.push('$');
        return;
    }
    let mut copied = 0;
    for (at, byte) in value.bytes().enumerate() {
        if matches!(
            byte,
            b'\\'
                | b'.'
                | b'+'
                | b'*'
                | b'?'
                | b'('
                | b')'
                | b'|'
                | b'['
                | b']'
                | b'{'
                | b'}'
                | b'^'
                | b'$'
        ) {
            out.push_str(&value[copied..at]);
            out.push('\\');
            copied = at;
        }
    }
    out.push_str(&value[copied..]);
    out.push('$');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ioc::IocType;

    fn keys(ioc_type: &str, value: &str) -> (Vec<String>, bool) {
        let parsed = Ioc::parse(IocType::from_name(ioc_type).unwrap(), value).unwrap();
        let ioc = parsed.ioc;
        let mut keys = Vec::new();
        let spared = KeyMaker::new(SharedHosts::built_in()).each(&ioc, &mut |key| {
            let mut regex = String::new();
            push_regex(&mut regex, key.kind, key.text, key.exact);
            let port = key.port.map_or(String::new(), |port| port.to_string());
            keys.push(format!("{} {} {regex} {port}", key.kind.name(), key.text));
        });
        (keys, spared)
    }

    #[test]
    fn each_indicator_has_its_keys_and_regular_expressions() {
        for (ioc_type, value, expected) in [
            (
                "ip:port",
                "203.0.113.7:4443",
                &[r"ip 203.0.113.7 ^203\.0\.113\.7$ 4443"][..],
            ),
            (
                "ip:port",
                "[2001:DB8::0:7]:443",
                &["ip 2001:db8::7 ^2001:db8::7$ 443"],
            ),
            (
                "domain",
                "WWW.evil.example",
                &[r"domain www.evil.example (^|\.)www\.evil\.example$ "],
            ),
            (
                "domain",
                "files.catbox.moe",
                &[r"domain files.catbox.moe ^files\.catbox\.moe$ "],
            ),
            (
                "domain",
                "evil.duckdns.org",
                &[r"domain evil.duckdns.org (^|\.)evil\.duckdns\.org$ "],
            ),
            (
                "domain",
                "duckdns.org",
                &[r"domain duckdns.org ^duckdns\.org$ "],
            ),
            (
                "domain",
                "xn--bcher-kva.example",
                &[
                    r"domain xn--bcher-kva.example (^|\.)xn--bcher-kva\.example$ ",
                    r"domain bücher.example (^|\.)bücher\.example$ ",
                ],
            ),
            (
                "url",
                "http://c2.evil.example:8080/a?b=(1)",
                &[
                    r"url url:http://c2.evil.example:8080/a?b=(1) ^http://c2\.evil\.example:8080/a\?b=\(1\)$ ",
                    r"url_host c2.evil.example ^c2\.evil\.example$ 8080",
                ],
            ),
            (
                "url",
                "http://bücher.example/ü",
                &[
                    r"url url:http://xn--bcher-kva.example/%C3%BC ^http://xn--bcher-kva\.example/%C3%BC$ ",
                    r"url url:http://bücher.example/ü ^http://bücher\.example/ü$ ",
                    r"url url:http://bücher.example/%C3%BC ^http://bücher\.example/%C3%BC$ ",
                    r"url_host xn--bcher-kva.example ^xn--bcher-kva\.example$ ",
                    r"url_host bücher.example ^bücher\.example$ ",
                ],
            ),
            (
                "url",
                "http://203.0.113.7:81/x",
                &[
                    r"url url:http://203.0.113.7:81/x ^http://203\.0\.113\.7:81/x$ ",
                    r"url_host 203.0.113.7 ^203\.0\.113\.7$ 81",
                ],
            ),
            (
                "md5_hash",
                "12345678901234567890123456789E12",
                &["md5 md5:12345678901234567890123456789e12 ^12345678901234567890123456789e12$ "],
            ),
        ] {
            assert_eq!(
                keys(ioc_type, value),
                (expected.iter().map(ToString::to_string).collect(), false),
                "{value}"
            );
        }
    }

    #[test]
    fn a_url_on_a_shared_service_has_no_host_key() {
        let (keys, spared) = keys("url", "https://https://t.me/stfmms/api");
        assert_eq!(
            keys,
            [
                r"url url:https://t.me/stfmms/api ^https://t\.me/stfmms/api$ ",
                r"url url:https://https//t.me/stfmms/api ^https://https//t\.me/stfmms/api$ ",
            ]
        );
        assert!(spared);
    }
}
