//! A value that somebody typed or pasted: what it is, and what it matches.

use super::rules::Role;
use super::{Hit, Matcher};
use crate::address::parse_with_port;
use crate::ioc::{Algorithm, Ioc, IocType};
use crate::reject::{Reason, Reject};
use crate::web_address::{UrlHost, split_at_scheme};

/// Reads an address (with or without a port), host, URL or hash. Undo a disguise with [`super::refang`] first.
///
/// # Errors
/// What is wrong; [`Reason::BadDomain`] for what is nothing of these.
pub fn read_value(text: &str) -> Result<Ioc<'_>, Reject> {
    let (ioc, _) = match hash_type(text) {
        Some((algorithm, hex)) => Ioc::parse(IocType::Hash(algorithm), hex)?,
        None if split_at_scheme(text).is_some() => Ioc::parse(IocType::Url, text)?,
        None => match address(text) {
            Some(address) => (address, false),
            None => Ioc::parse(IocType::Domain, text).map_err(about_host)?,
        },
    };
    Ok(ioc)
}

/// Hexadecimal of the right length, also as `SHA256=…` (Sysmon) or `sha256:…` (a feed's key).
fn hash_type(text: &str) -> Option<(Algorithm, &str)> {
    let hex = match text.split_once(['=', ':']) {
        Some((name, hex)) => {
            let known = ["md5", "sha1", "sha256"];
            known
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
                .then_some(hex)?
        }
        None => text,
    };
    let algorithm = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256]
        .into_iter()
        .find(|algorithm| hex.len() == algorithm.digits())?;
    let all_hex = hex.bytes().all(|b| b.is_ascii_hexdigit());
    all_hex.then_some((algorithm, hex))
}

/// An address. An IPv6 address without brackets that could end in a port is read without one.
fn address(text: &str) -> Option<Ioc<'static>> {
    if !text.starts_with(|c: char| c.is_ascii_hexdigit() || matches!(c, '[' | ':')) {
        return None;
    }
    let (ip, port) = match text.parse() {
        Ok(ip) => (ip, None),
        Err(_) => parse_with_port(text).ok()?,
    };
    Some(Ioc::Address(ip.to_canonical(), port))
}

/// What is nothing else was read as a host: that nobody meant one must not puzzle.
fn about_host(reject: Reject) -> Reject {
    if reject.reason != Reason::BadDomain {
        return reject;
    }
    let why = reject.detail;
    Reason::BadDomain.because(format!("no address, URL or hash, and not a host: {why}"))
}

impl<'i> Matcher<'i> {
    /// All that a value matches, as if an event had held it: a host or address as the destination of a connection, a URL
    /// as the source of a download, its host as one that was asked for.
    pub fn ioc(&mut self, ioc: &Ioc<'_>, take: &mut dyn FnMut(Hit<'i>)) {
        match ioc {
            Ioc::Address(ip, port) => {
                self.address(*ip, *port, Role::Destination).map(take);
            }
            Ioc::Domain(host) => self.host(host.as_str(), take),
            Ioc::Hash(algorithm, hex) => {
                self.hash(*algorithm, hex).map(take);
            }
            Ioc::Url(url) => {
                if let Some(hit) = self.url(url, Role::Download) {
                    take(hit);
                }
                match &url.host {
                    UrlHost::Name(host) => self.host(host.as_str(), take),
                    UrlHost::Address(ip) => {
                        self.address(*ip, url.connects_to(), Role::Destination)
                            .map(take);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match read_value(text) {
            Ok(Ioc::Address(ip, port)) => format!("address {ip} {port:?}"),
            Ok(Ioc::Domain(host)) => format!("host {}", host.as_str()),
            Ok(Ioc::Url(url)) => format!("url {}", url.normalized),
            Ok(Ioc::Hash(algorithm, hex)) => format!("{algorithm:?} {hex}"),
            Err(reject) => reject.reason.name().to_owned(),
        }
    }

    #[test]
    fn a_value_is_told_by_its_look() {
        let md5 = "45c4710edc62df311612101b9160c7e1";
        for (text, expected) in [
            ("203.0.113.7", "address 203.0.113.7 None"),
            ("203.0.113.7:443", "address 203.0.113.7 Some(443)"),
            ("2001:db8:0::7", "address 2001:db8::7 None"),
            ("2001:db8::7:443", "address 2001:db8::7:443 None"),
            ("[2001:db8::7]:443", "address 2001:db8::7 Some(443)"),
            ("::ffff:203.0.113.7", "address 203.0.113.7 None"),
            ("Evil.Example.", "host evil.example"),
            ("evil.example:8080", "host evil.example"),
            ("evil.example/gate.php", "host evil.example"),
            ("beef.example", "host beef.example"),
            ("HTTP://Evil.example/A", "url http://evil.example/A"),
            (&md5.to_uppercase(), &format!("Md5 {md5}")),
            (&format!("MD5={md5}"), &format!("Md5 {md5}")),
            (&format!("md5:{md5}"), &format!("Md5 {md5}")),
            (Algorithm::Md5.of_nothing(), "empty_file"),
            ("IMPHASH=45c4710edc62df311612101b9160c7e1", "bad_domain"),
            ("abc.onion", "onion"),
            ("localhost", "bad_domain"),
            ("no such thing", "bad_domain"),
            ("http://", "bad_url"),
            ("203.0.113.700", "bad_domain"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
