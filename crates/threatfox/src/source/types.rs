//! The names that other tools have for the types of indicators.

use crate::ioc::{Algorithm, IocType};

/// The name of a type in lower case, with one kind of dash.
pub(super) fn plain(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['_', ' '], "-")
}

/// The type behind a name of MISP, `OpenCTI`, OTX or a spreadsheet.
pub(super) fn type_of(name: &str) -> Option<IocType> {
    let name = plain(name);
    Some(match name.as_str() {
        "ip" | "ips" | "ip-address" | "address" | "ipv4" | "ipv6" | "ipv4-addr" | "ipv6-addr"
        | "cidr" | "ip-src" | "ip-dst" | "ip:port" | "ip-port" | "ip-src|port" | "ip-dst|port" => {
            IocType::IpPort
        }
        "domain" | "domains" | "domain-name" | "hostname" | "host" | "fqdn" | "hostname|port" => {
            IocType::Domain
        }
        "url" | "urls" | "uri" => IocType::Url,
        _ => {
            let hash = name.strip_prefix("filename|").unwrap_or(&name);
            let hash = hash.strip_prefix("filehash-").unwrap_or(hash);
            let hash = hash.strip_suffix("-hash").unwrap_or(hash);
            IocType::Hash(match hash {
                "md5" => Algorithm::Md5,
                "sha1" | "sha-1" => Algorithm::Sha1,
                "sha256" | "sha-256" => Algorithm::Sha256,
                _ => return None,
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_the_names_of_many_tools() {
        for (name, known) in [
            ("IPv4", "ip:port"),
            ("ip-dst|port", "ip:port"),
            ("CIDR", "ip:port"),
            ("FQDN", "domain"),
            ("URL", "url"),
            ("FileHash-SHA256", "sha256_hash"),
            ("filename|sha1", "sha1_hash"),
            ("md5_hash", "md5_hash"),
        ] {
            assert_eq!(type_of(name).map(IocType::name), Some(known), "{name}");
        }
        for name in [
            "x509-fingerprint-sha1",
            "filename",
            "regkey|value",
            "sha512",
            "",
        ] {
            assert_eq!(type_of(name), None, "{name}");
        }
    }
}
