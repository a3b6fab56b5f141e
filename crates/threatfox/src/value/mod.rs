//! A value that a person typed, pasted or put into a list: what it is.

mod refang;

pub use refang::refang;

use std::net::IpAddr;

use ipnet::IpNet;

use crate::host::Host;
use crate::ioc::{Algorithm, Ioc, IocType};
use crate::ip::{parse_network, parse_with_port};
use crate::reject::{Reason, Reject};
use crate::rules::reader::canonical;
use crate::url::split_at_scheme;

/// Reads an address (with or without a port), network, host, URL or hash. Undo a disguise with [`refang`] first.
///
/// # Errors
/// The reason why not; [`Reason::BadDomain`] for a text that is none of these.
pub fn read_value(text: &str) -> Result<Ioc<'_>, Reject> {
    // Else it would be its first address, with a path that is cut off.
    if let Some(network) = network(text) {
        return network.map(|network| Ioc::Network(network, None));
    }
    let parsed = match hash_type(text) {
        Some((algorithm, hex)) => Ioc::parse(IocType::Hash(algorithm), hex)?,
        None if split_at_scheme(text).is_some() => Ioc::parse(IocType::Url, text)?,
        None => match address(text) {
            Some(address) => return Ok(address),
            None => Ioc::parse(IocType::Domain, text).map_err(about_host)?,
        },
    };
    Ok(parsed.ioc)
}

/// Hexadecimal of the right length, also as `SHA256=…` (Sysmon) or `sha256:…` (a feed's key).
fn hash_type(text: &str) -> Option<(Algorithm, &str)> {
    let hex = match text.split_once(['=', ':']) {
        Some((name, hex)) => Algorithm::from_name(name).map(|_| hex)?,
        None => text,
    };
    let algorithm = Algorithm::ALL
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
    Some(Ioc::Address(canonical(ip), port))
}

/// A text that is nothing else is read as a host. The message says so, as the user may not have meant one.
fn about_host(reject: Reject) -> Reject {
    if reject.reason != Reason::BadDomain {
        return reject;
    }
    let why = reject.detail;
    Reason::BadDomain.because(format!("no address, URL or hash, and not a host: {why}"))
}

/// What a text means that a person typed: of a URL without a scheme two URLs, as for a list. A network of one address is that
/// address.
///
/// # Errors
/// As [`read_value`]; those of a network.
pub fn meanings(text: &str) -> Result<Vec<Ioc<'_>>, Reject> {
    if let Some(urls) = with_schemes(text) {
        let read = |url: &String| Ok(Ioc::parse(IocType::Url, url)?.ioc.into_owned());
        return urls.iter().map(read).collect();
    }
    Ok(vec![match read_value(text)? {
        Ioc::Network(network, _) if network.prefix_len() == network.max_prefix_len() => {
            Ioc::Address(network.addr(), None)
        }
        ioc => ioc,
    }])
}

/// The type of a value, and its texts as records have them: addresses with their port, hashes without their name. A URL
/// without a scheme is two, as nobody knows which one it has.
///
/// # Errors
/// As [`read_value`]; those of a network.
pub fn type_value(text: &str) -> Result<(IocType, Vec<String>), Reject> {
    if let Some(urls) = with_schemes(text) {
        Ioc::parse(IocType::Url, &urls[0])?;
        return Ok((IocType::Url, urls.into()));
    }
    let (ioc_type, text) = match read_value(text)? {
        // With brackets, as the end of an IPv6 address could be a port.
        Ioc::Address(ip, None) if ip.is_ipv6() => (IocType::IpPort, format!("[{ip}]")),
        Ioc::Address(ip, None) => (IocType::IpPort, ip.to_string()),
        Ioc::Address(ip, Some(port)) => (
            IocType::IpPort,
            std::net::SocketAddr::new(ip, port).to_string(),
        ),
        Ioc::Network(network, _) => (IocType::IpPort, network.to_string()),
        Ioc::Domain(_) => (IocType::Domain, text.to_owned()),
        Ioc::Url(_) => (IocType::Url, text.to_owned()),
        Ioc::Hash(algorithm, digits) => (IocType::Hash(algorithm), digits.into_owned()),
    };
    Ok((ioc_type, vec![text]))
}

/// What stands in front of the first slash or question mark, and the rest with it, where there is no scheme.
fn split_at_path(text: &str) -> Option<(&str, &str)> {
    let (host, path) = text.split_at(text.find(['/', '?'])?);
    let scheme = host.ends_with(':') && path.starts_with("//");
    (!scheme).then_some((host, path))
}

/// A URL without a scheme, with either: nobody knows which one it has.
fn with_schemes(text: &str) -> Option<[String; 2]> {
    let (host, path) = split_at_path(text)?;
    let is_url = path.len() > 1 && network(text).is_none() && names_host(host);
    is_url.then(|| ["http://", "https://"].map(|scheme| [scheme, text].concat()))
}

/// A network, or why it is not one although it looks like one: `203.0.113.0/33`, `203.0.113.0/255.255.255.0`.
fn network(text: &str) -> Option<Result<IpNet, Reject>> {
    let (address, prefix) = split_at_path(text)?;
    let address: Option<IpAddr> = address.parse().ok();
    let digits = |b: u8| b.is_ascii_digit() || b == b'.';
    let looks_so = address.is_some() && prefix.len() > 1 && prefix[1..].bytes().all(digits);
    looks_so.then(|| parse_network(text))
}

/// Whether it is a name or an address, with or without a port.
fn names_host(text: &str) -> bool {
    let name = text.split_once(':').map_or(text, |(name, _)| name);
    address(text).is_some() || Host::parse(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match read_value(text) {
            Ok(Ioc::Address(ip, port)) => format!("address {ip} {port:?}"),
            Ok(Ioc::Network(network, _)) => format!("network {network}"),
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
            ("203.0.113.0/24", "network 203.0.113.0/24"),
            ("203.0.113.9/29", "network 203.0.113.8/29"),
            ("::ffff:203.0.113.0/120", "network 203.0.113.0/24"),
            ("203.0.0.0/16", "network_too_large"),
            ("Evil.Example.", "host evil.example"),
            ("evil.example:8080", "host evil.example"),
            ("evil.example/gate.php", "host evil.example"),
            ("beef.example", "host beef.example"),
            ("HTTP://Evil.example/A", "url http://evil.example/A"),
            (&md5.to_uppercase(), &format!("Md5 {md5}")),
            (&format!("MD5={md5}"), &format!("Md5 {md5}")),
            (&format!("md5:{md5}"), &format!("Md5 {md5}")),
            ("d41d8cd98f00b204e9800998ecf8427e", "never_indicator"),
            (&"0".repeat(40), "never_indicator"),
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

    #[test]
    fn what_a_person_types_means_what_a_list_makes_of_it() {
        let mean = |text: &str| {
            let shown = |ioc: Ioc<'_>| match ioc {
                Ioc::Url(url) => url.normalized,
                other => format!("{other:?}"),
            };
            let all = meanings(text)?.into_iter().map(shown);
            Ok::<_, Reject>(all.collect::<Vec<_>>().join(" "))
        };
        for (text, expected) in [
            (
                "github.com/evil/x",
                "http://github.com/evil/x https://github.com/evil/x",
            ),
            (
                "203.0.113.9:8080/x",
                "http://203.0.113.9:8080/x https://203.0.113.9:8080/x",
            ),
            ("203.0.113.9/24", "Network(203.0.113.0/24, None)"),
            ("203.0.113.9/32", "Address(203.0.113.9, None)"),
            ("2001:db8::5/128", "Address(2001:db8::5, None)"),
            ("203.0.113.9:80", "Address(203.0.113.9, Some(80))"),
        ] {
            assert_eq!(mean(text).unwrap(), expected, "{text}");
        }
        assert_eq!(
            mean("203.0.0.0/16").unwrap_err().reason,
            Reason::NetworkTooLarge
        );
        assert_eq!(mean("abc.onion/x").unwrap_err().reason, Reason::Onion);
    }

    #[test]
    fn a_value_of_a_list_has_the_type_and_text_of_a_record() {
        for (text, name, value) in [
            ("203.0.113.7", "ip:port", "203.0.113.7"),
            ("203.0.113.7:443", "ip:port", "203.0.113.7:443"),
            ("2001:db8::7:443", "ip:port", "[2001:db8::7:443]"),
            ("[2001:db8::7]:443", "ip:port", "[2001:db8::7]:443"),
            ("203.0.113.9/29", "ip:port", "203.0.113.8/29"),
            ("evil.example", "domain", "evil.example"),
            ("http://evil.example/x", "url", "http://evil.example/x"),
            (
                "MD5=6A255BEBF3DBCD13585538ED47DBAFD7",
                "md5_hash",
                "6a255bebf3dbcd13585538ed47dbafd7",
            ),
        ] {
            let (ioc_type, texts) = type_value(text).unwrap();
            assert_eq!((ioc_type.name(), &*texts.concat()), (name, value), "{text}");
        }
        let reason = |text| type_value(text).unwrap_err().reason;
        assert_eq!(reason("203.0.0.0/16"), Reason::NetworkTooLarge);
        assert_eq!(reason("what a day"), Reason::BadDomain);
        assert_eq!(reason("203.0.113.0/33"), Reason::BadAddress);
        assert_eq!(reason("203.0.113.0/255.255.255.0"), Reason::BadAddress);
    }

    #[test]
    fn a_url_without_a_scheme_is_no_domain_but_a_url_of_either_scheme() {
        for text in [
            "github.com/evil/x",
            "docs.google.com/forms/d/x",
            "203.0.113.9:8080/index.php",
            "evil.example:8080/x",
            "evil.example?x=1",
            "evil.example/x?to=http://a.example/",
        ] {
            let (ioc_type, texts) = type_value(text).unwrap();
            assert_eq!(ioc_type, IocType::Url, "{text}");
            assert_eq!(texts, ["http://", "https://"].map(|s| s.to_owned() + text));
        }
        // The root is the site.
        for text in ["evil.example/", "evil.example:8080"] {
            assert_eq!(type_value(text).unwrap().0, IocType::Domain, "{text}");
        }
        let reason = |text| type_value(text).unwrap_err().reason;
        assert_eq!(reason("abc.onion/x"), Reason::Onion);
        assert_eq!(reason("and/or"), Reason::BadDomain);
        assert_eq!(reason("01/02/2026"), Reason::BadDomain);
    }
}
