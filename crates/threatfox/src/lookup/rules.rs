//! What matches, and how strongly: the rules that the hunt has in VQL (`Generic.ThreatFox.Join`), for the commands that
//! look up without Velociraptor. Both must say the same.

use std::net::IpAddr;

use crate::key::Kind;

/// How much a match says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Often a hacked but legitimate site, or a guess.
    Weak,
    /// The indicator, in a way that has innocent reasons.
    Medium,
    /// The indicator itself.
    Strong,
}

impl Strength {
    /// The name in a hit.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Medium => "medium",
            Self::Strong => "strong",
        }
    }
}

/// The kinds of match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Match {
    /// A connection to the address and port of an indicator.
    IpPort,
    /// A connection to the address, at another port or without one; or a host that is the address.
    Ip,
    /// A connection from the address.
    Inbound,
    /// The address, as an old Sysmon wrote it into the first bytes of an IPv6 address.
    IpFault,
    /// The host is the domain.
    Domain,
    /// The host is below the domain.
    Subdomain,
    /// The host is that of a URL.
    UrlHost,
    /// DNS answered with the address or the name.
    DnsAnswer,
    /// A file was downloaded from the URL.
    Url,
    /// The URL stands in a command line.
    CommandLineUrl,
    /// The address and its port stand in a command line.
    CommandLineIpPort,
    /// The file has the hash.
    Md5,
    /// The file has the hash.
    Sha1,
    /// The file has the hash.
    Sha256,
}

impl Match {
    /// The name in a hit.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::IpPort => "ip:port",
            Self::Ip => "ip",
            Self::Inbound => "inbound",
            Self::IpFault => "ip (ipv6 fault)",
            Self::Domain => "domain",
            Self::Subdomain => "subdomain",
            Self::UrlHost => "url host",
            Self::DnsAnswer => "dns answer",
            Self::Url => "url",
            Self::CommandLineUrl => "command line url",
            Self::CommandLineIpPort => "command line ip:port",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// How much it says.
    #[must_use]
    pub fn strength(self) -> Strength {
        match self {
            Self::IpPort | Self::Domain | Self::Url | Self::Md5 | Self::Sha1 | Self::Sha256 => {
                Strength::Strong
            }
            Self::Ip
            | Self::Inbound
            | Self::Subdomain
            | Self::DnsAnswer
            | Self::CommandLineUrl
            | Self::CommandLineIpPort => Strength::Medium,
            Self::UrlHost | Self::IpFault => Strength::Weak,
        }
    }
}

/// Where a value stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The address at the other end of an outbound connection.
    Destination,
    /// The address at the other end of an inbound connection.
    Source,
    /// The first bytes of an IPv6 address that an old Sysmon wrote.
    Fault,
    /// A host name that was connected to or asked for; it may be an address.
    Host,
    /// A domain above such a name.
    Parent,
    /// An address or a CNAME that DNS answered with.
    Answer,
    /// The URL of a downloaded file.
    Download,
    /// A command line.
    Command,
    /// A file's hash.
    Hash,
}

impl Role {
    /// What it is called when a value in this role is an indicator of a kind; `at_port` says whether its port is one of
    /// the indicator's. `None` where that is no match.
    #[must_use]
    pub fn matches(self, kind: Kind, at_port: bool) -> Option<Match> {
        Some(match (self, kind) {
            (Self::Destination, Kind::Ip) if at_port => Match::IpPort,
            (Self::Destination | Self::Host, Kind::Ip) => Match::Ip,
            (Self::Source, Kind::Ip) => Match::Inbound,
            (Self::Fault, Kind::Ip) => Match::IpFault,
            (Self::Command, Kind::Ip) if at_port => Match::CommandLineIpPort,
            (Self::Host, Kind::Domain) => Match::Domain,
            (Self::Parent, Kind::Domain) => Match::Subdomain,
            (Self::Answer, Kind::Ip | Kind::Domain) => Match::DnsAnswer,
            (Self::Destination | Self::Host, Kind::UrlHost) => Match::UrlHost,
            (Self::Download, Kind::Url) => Match::Url,
            (Self::Command, Kind::Url) => Match::CommandLineUrl,
            (Self::Hash, Kind::Md5) => Match::Md5,
            (Self::Hash, Kind::Sha1) => Match::Sha1,
            (Self::Hash, Kind::Sha256) => Match::Sha256,
            _ => return None,
        })
    }
}

/// Whether an address is no indicator whatever a feed says: this host, private, link-local and multicast.
#[must_use]
pub fn is_never_matched(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            ip.octets()[0] == 0
                || ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
        }
        IpAddr::V6(ip) => {
            ip.is_unspecified()
                || ip.is_loopback()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ROLES: [(Role, &str); 9] = [
        (Role::Destination, "destination"),
        (Role::Source, "source"),
        (Role::Fault, "fault"),
        (Role::Host, "host"),
        (Role::Parent, "parent"),
        (Role::Answer, "answer"),
        (Role::Download, "download"),
        (Role::Command, "command"),
        (Role::Hash, "hash"),
    ];

    #[test]
    fn every_match_has_the_strength_of_the_design() {
        for (role, kind, at_port, name, strength) in [
            (Role::Destination, Kind::Ip, true, "ip:port", "strong"),
            (Role::Destination, Kind::Ip, false, "ip", "medium"),
            (Role::Source, Kind::Ip, true, "inbound", "medium"),
            (Role::Host, Kind::Domain, false, "domain", "strong"),
            (Role::Parent, Kind::Domain, false, "subdomain", "medium"),
            (Role::Host, Kind::UrlHost, false, "url host", "weak"),
            (Role::Answer, Kind::Ip, false, "dns answer", "medium"),
            (Role::Host, Kind::Ip, false, "ip", "medium"),
            (Role::Hash, Kind::Md5, false, "md5", "strong"),
            (Role::Download, Kind::Url, false, "url", "strong"),
            (
                Role::Command,
                Kind::Url,
                false,
                "command line url",
                "medium",
            ),
            (
                Role::Command,
                Kind::Ip,
                true,
                "command line ip:port",
                "medium",
            ),
            (Role::Fault, Kind::Ip, true, "ip (ipv6 fault)", "weak"),
        ] {
            let found = role.matches(kind, at_port).unwrap();
            assert_eq!((found.name(), found.strength().name()), (name, strength));
        }
    }

    #[test]
    fn what_only_looks_alike_is_no_match() {
        for (role, kind) in [
            (Role::Parent, Kind::UrlHost),
            (Role::Source, Kind::UrlHost),
            (Role::Answer, Kind::UrlHost),
            (Role::Command, Kind::Ip),
            (Role::Hash, Kind::Url),
        ] {
            assert_eq!(role.matches(kind, false), None, "{role:?} {kind:?}");
        }
    }

    /// The artifact's `Matches` and `Strengths` are read from its text: whoever changes one side sees the other fail.
    #[test]
    fn the_hunt_in_vql_says_the_same() {
        let join = include_str!("../../../../artifacts/Generic/ThreatFox/Join.yaml");
        let (_, vql) = join.split_once(" Matches=dict(").unwrap();
        let (kinds, rest) = vql.split_once("Strengths=dict(").unwrap();
        let mut ours = BTreeSet::new();
        for (role, role_name) in ROLES {
            for (kind, at_port) in Kind::ALL.map(|k| [(k, false), (k, true)]).concat() {
                // Both have a port: the value in this role, and the feed's row.
                let has_port = matches!(role, Role::Destination | Role::Command)
                    && matches!(kind, Kind::Ip | Kind::UrlHost);
                if at_port && !has_port {
                    continue;
                }
                if let Some(found) = role.matches(kind, at_port) {
                    let at = if at_port { " at port" } else { "" };
                    let (kind, name) = (kind.name(), found.name());
                    ours.insert(format!("`{role_name} {kind}{at}`={name:?}"));
                    let strength = found.strength().name();
                    let bare = format!("{name}={strength:?}");
                    let quoted = format!("`{name}`={strength:?}");
                    assert!(rest.contains(&bare) || rest.contains(&quoted), "{bare}");
                }
            }
        }
        for pair in &ours {
            assert!(kinds.contains(pair), "{pair} is not in Matches");
        }
        assert_eq!(kinds.matches("`=\"").count(), ours.len());
    }

    #[test]
    fn private_and_loopback_addresses_are_never_matched() {
        for (ip, never) in [
            ("10.1.2.3", true),
            ("127.0.0.1", true),
            ("169.254.1.1", true),
            ("192.168.0.1", true),
            ("0.0.0.0", true),
            ("239.1.1.1", true),
            ("::1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("::ffff:10.0.0.1", true),
            ("203.0.113.7", false),
            ("2001:db8::7", false),
            ("172.32.0.1", false),
        ] {
            assert_eq!(is_never_matched(ip.parse().unwrap()), never, "{ip}");
        }
    }
}
