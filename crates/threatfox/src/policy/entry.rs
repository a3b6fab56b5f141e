//! The entries of a policy file: read once, into the spelling in which they are compared.

use ipnet::IpNet;
use serde::Deserialize;

use crate::feed::MAX_TEXT;
use crate::host::Host;
use crate::ioc::{Algorithm, Ioc, IocType, Parsed};
use crate::ip;
use crate::url::IocUrl;

/// A network, or a single address.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Network(pub IpNet);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        ip::network(&text).map(Self).ok_or_else(|| {
            format!("{text:?} is neither an address nor a network such as 203.0.113.0/24")
        })
    }
}

/// A host, or `.suffix` for a name and all below it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct HostEntry(pub String);

impl TryFrom<String> for HostEntry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let name = text.strip_prefix('.').unwrap_or(&text);
        let host = Host::parse(name).map_err(|why| {
            format!("{text:?} is neither a host nor a .suffix such as .cdn.example: {why}")
        })?;
        let dot = if name.len() == text.len() { "" } else { "." };
        Ok(Self(format!("{dot}{}", host.as_str())))
    }
}

/// A URL in its normal form.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct UrlEntry(pub String);

impl TryFrom<String> for UrlEntry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = IocUrl::parse(&text).map_err(|why| {
            format!("{text:?} is not a URL such as https://site.example/path: {why}")
        })?;
        Ok(Self(url.normalized))
    }
}

/// A hash in lower case.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct HashEntry(pub String);

impl TryFrom<String> for HashEntry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256]
            .into_iter()
            .find_map(
                |algorithm| match Ioc::parse(IocType::Hash(algorithm), &text) {
                    Ok(Parsed {
                        ioc: Ioc::Hash(_, hex),
                        ..
                    }) => Some(Self(hex.into_owned())),
                    _ => None,
                },
            )
            .ok_or_else(|| format!("{text:?} is not an MD5, SHA-1 or SHA-256 in hexadecimal"))
    }
}

/// A name that is compared without regard to case.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Name(pub String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("the name is empty: remove it".to_owned());
        }
        // It stands in the column `warning` of each row that it weakens.
        if text.len() > MAX_TEXT {
            return Err(format!(
                "the name has {} bytes, where {MAX_TEXT} are the most",
                text.len()
            ));
        }
        Ok(Self(text.trim().to_lowercase()))
    }
}

/// A confidence, 0 to 100.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct Percent(pub u8);

impl TryFrom<u64> for Percent {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        let percent = u8::try_from(number).ok().filter(|percent| *percent <= 100);
        percent
            .map(Self)
            .ok_or_else(|| format!("{number} is not a confidence from 0 to 100"))
    }
}
