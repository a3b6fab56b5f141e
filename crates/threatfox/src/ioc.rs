//! The indicator itself. An [`Ioc`] that exists is valid and in its normal form.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::file_name::extension;
use crate::host::Host;
use crate::ip;
use crate::reject::{Reason, Reject};
pub use crate::rules::Algorithm;
use crate::rules::Rules;
use crate::url::{IocUrl, UrlHost, split_at_scheme};

/// The types of ThreatFox that can be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The names are ThreatFox's own.
pub enum IocType {
    IpPort,
    Domain,
    Url,
    Hash(Algorithm),
}

impl IocType {
    /// Finds a type by ThreatFox's name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "ip:port" => Self::IpPort,
            "domain" => Self::Domain,
            "url" => Self::Url,
            "md5_hash" => Self::Hash(Algorithm::Md5),
            "sha1_hash" => Self::Hash(Algorithm::Sha1),
            "sha256_hash" => Self::Hash(Algorithm::Sha256),
            _ => return None,
        })
    }

    /// ThreatFox's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::IpPort => "ip:port",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Hash(Algorithm::Md5) => "md5_hash",
            Self::Hash(Algorithm::Sha1) => "sha1_hash",
            Self::Hash(Algorithm::Sha256) => "sha256_hash",
        }
    }
}

/// An indicator in its normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ioc<'a> {
    /// An address, and the port a C2 listens on.
    Address(IpAddr, Option<u16>),
    /// A network of at most [`ip::MAX_NETWORK`] addresses, and the port that they listen on.
    Network(IpNet, Option<u16>),
    /// A host name.
    Domain(Host<'a>),
    /// A URL.
    Url(IocUrl),
    /// A file's hash in lower-case hexadecimal.
    Hash(Algorithm, Cow<'a, str>),
}

/// An indicator that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The indicator.
    pub ioc: Ioc<'a>,
    /// Whether something had to be cut off.
    pub repaired: bool,
}

impl<'a> Ioc<'a> {
    /// Reads a value.
    ///
    /// # Errors
    /// The reject to count.
    pub fn parse(ioc_type: IocType, value: &'a str) -> Result<Parsed<'a>, Reject> {
        match ioc_type {
            IocType::IpPort if value.contains('/') => {
                let network = ip::parse_network(value)?;
                Ok(Self::Network(network, None).whole())
            }
            IocType::IpPort => {
                let (ip, port) = ip::parse_with_port(value)
                    .map_err(|error| Reason::BadAddress.because(error.to_string()))?;
                Ok(Self::Address(ip, port).whole())
            }
            IocType::Domain => domain(value),
            // Percent-encoded it would be a URL that nobody asked for. No other type takes it.
            IocType::Url if value.contains(char::REPLACEMENT_CHARACTER) => {
                Err(Reason::NotUtf8.because("it has U+FFFD in place of a character"))
            }
            IocType::Url => {
                let url = IocUrl::parse(value)
                    .map_err(|error| Reason::BadUrl.because(error.to_string()))?;
                if let UrlHost::Name(name) = &url.host {
                    refuse_file(name.as_str())?;
                    refuse_onion(name)?;
                }
                Ok(Parsed {
                    repaired: url.repaired,
                    ioc: Self::Url(url),
                })
            }
            IocType::Hash(algorithm) => hash(algorithm, value).map(Self::whole),
        }
    }

    /// The same indicator, on its own.
    #[must_use]
    pub fn into_owned(self) -> Ioc<'static> {
        match self {
            Self::Address(ip, port) => Ioc::Address(ip, port),
            Self::Network(network, port) => Ioc::Network(network, port),
            Self::Domain(host) => Ioc::Domain(host.into_owned()),
            Self::Url(url) => Ioc::Url(url),
            Self::Hash(algorithm, hex) => Ioc::Hash(algorithm, Cow::Owned(hex.into_owned())),
        }
    }

    /// It was read as it is.
    fn whole(self) -> Parsed<'a> {
        Parsed {
            ioc: self,
            repaired: false,
        }
    }
}

/// Refuses a name that only a file can have, whatever type its source gives it.
fn refuse_file(name: &str) -> Result<(), Reject> {
    match extension(name) {
        Some(extension) => {
            Err(Reason::FileName.because(format!(".{extension} is not a top-level domain")))
        }
        None => Ok(()),
    }
}

fn refuse_onion(host: &Host<'_>) -> Result<(), Reject> {
    if host.is_onion() {
        return Err(Reason::Onion.into());
    }
    Ok(())
}

/// A domain is sometimes submitted with the path or the scheme of its URL: cut off, as the host still says enough. So does
/// that of `*.evil.example`, as names below a domain match too; with a path it would accuse a whole site.
fn domain(value: &str) -> Result<Parsed<'_>, Reject> {
    let without_scheme = split_at_scheme(value).map_or(value, |(_, rest)| rest);
    let end = without_scheme
        .bytes()
        .position(|b| matches!(b, b'/' | b'?' | b'#' | b':'));
    let name = end.map_or(without_scheme, |end| &without_scheme[..end]);
    let name = match value.strip_prefix("*.") {
        Some(below) if name == value => below,
        _ => name,
    };
    let repaired = name.len() != value.len();
    // An IPv4 address ends in a digit, as few names do; one of IPv6 does not get here, it has colons.
    if name.ends_with(|c: char| c.is_ascii_digit())
        && let Ok(ip) = name.parse::<IpAddr>()
    {
        return Ok(Parsed {
            ioc: Ioc::Address(ip, None),
            repaired: true,
        });
    }
    refuse_file(name)?;
    let host = Host::parse(name).map_err(|error| Reason::BadDomain.because(error.to_string()))?;
    refuse_onion(&host)?;
    Ok(Parsed {
        ioc: Ioc::Domain(host),
        repaired,
    })
}

fn hash(algorithm: Algorithm, value: &str) -> Result<Ioc<'_>, Reject> {
    if value.len() != algorithm.digits() || !value.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(
            Reason::BadHash.because(format!("not {} hexadecimal digits", algorithm.digits()))
        );
    }
    let hex = if value.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(value.to_ascii_lowercase())
    } else {
        Cow::Borrowed(value)
    };
    if let Some(why) = Rules::built_in().never().hash(algorithm, &hex) {
        return Err(Reason::NeverIndicator.because(why.to_owned()));
    }
    Ok(Ioc::Hash(algorithm, hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(ioc_type: &str, value: &str) -> Reason {
        Ioc::parse(IocType::from_name(ioc_type).unwrap(), value)
            .unwrap_err()
            .reason
    }

    #[test]
    fn a_domain_loses_its_path_and_is_counted_as_repaired() {
        for text in [
            "armamenti.world/dsIOQn",
            "http://armamenti.world/",
            "armamenti.world:8080",
        ] {
            let Parsed { ioc, repaired } = Ioc::parse(IocType::Domain, text).unwrap();
            assert!(
                matches!(ioc, Ioc::Domain(host) if host.as_str() == "armamenti.world"),
                "{text}"
            );
            assert!(repaired);
        }
    }

    #[test]
    fn a_domain_that_is_an_address_is_read_as_one() {
        assert_eq!(
            Ioc::parse(IocType::Domain, "203.0.113.7").unwrap().ioc,
            Ioc::Address("203.0.113.7".parse().unwrap(), None)
        );
    }

    #[test]
    fn trailing_junk_onion_names_and_unknown_types_are_rejects() {
        assert_eq!(reason("domain", "eng--neuroxen.com!s!"), Reason::BadDomain);
        assert_eq!(reason("domain", "abc.onion"), Reason::Onion);
        assert_eq!(reason("url", "http://abc.onion/x"), Reason::Onion);
        assert_eq!(IocType::from_name("sha3_384_hash"), None);
        assert_eq!(IocType::from_name(""), None);
    }

    #[test]
    fn hashes_are_lower_case_and_of_the_right_length() {
        let Parsed { ioc, .. } = Ioc::parse(
            IocType::Hash(Algorithm::Md5),
            "45C4710EDC62DF311612101B9160C7E1",
        )
        .unwrap();
        assert!(
            matches!(ioc, Ioc::Hash(Algorithm::Md5, hex) if hex == "45c4710edc62df311612101b9160c7e1")
        );
        assert_eq!(reason("md5_hash", "45c4"), Reason::BadHash);
        assert_eq!(reason("sha1_hash", &"g".repeat(40)), Reason::BadHash);
    }

    #[test]
    fn a_hash_of_the_empty_file_or_of_zeros_is_never_an_indicator() {
        for algorithm in Algorithm::ALL {
            let name = format!("{}_hash", algorithm.name());
            let zeros = "0".repeat(algorithm.digits());
            assert_eq!(reason(&name, &zeros), Reason::NeverIndicator);
        }
        let empty = "D41D8CD98F00B204E9800998ECF8427E";
        assert_eq!(reason("md5_hash", empty), Reason::NeverIndicator);
    }
}
