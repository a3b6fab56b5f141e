//! Addresses: reading ThreatFox's `ip:port`, and finding which addresses cannot be reached from the internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::reject::{Reason, Reject};
use crate::rules::reader::canonical;

/// A network with more addresses is not written out: it says little of one of them.
pub const MAX_NETWORK: u32 = 256;

/// Why a text is not an address, with or without a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // The messages say it.
pub enum NotAnAddress {
    #[error("not an IP address")]
    NotIp,
    #[error("not an IPv4 address")]
    NotIpv4,
    #[error("no IPv6 address in the brackets")]
    NotIpv6,
    #[error("no closing bracket after the IPv6 address")]
    OpenBracket,
    #[error("no colon after the bracket")]
    NoColon,
    #[error("an IPv6 address without brackets, with or without a port: it can be read both ways")]
    Ambiguous,
    #[error("the port is not a number")]
    PortNotNumber,
    #[error("the port is over 65535")]
    PortTooLarge,
}

/// Reads `address:port`, `address`, `[v6]:port`, `[v6]` or `v6:port` where only one reading is possible.
///
/// Port 0 means no port. An IPv4 address in one of its IPv6 forms becomes the IPv4 address.
///
/// # Errors
/// [`NotAnAddress`].
pub fn parse_with_port(text: &str) -> Result<(IpAddr, Option<u16>), NotAnAddress> {
    let (ip, port) = if let Some(rest) = text.strip_prefix('[') {
        let (ip, after) = rest.split_once(']').ok_or(NotAnAddress::OpenBracket)?;
        let ip: Ipv6Addr = ip.parse().map_err(|_| NotAnAddress::NotIpv6)?;
        let port = if after.is_empty() {
            None
        } else {
            Some(after.strip_prefix(':').ok_or(NotAnAddress::NoColon)?)
        };
        (IpAddr::V6(ip), port.map(parse_port).transpose()?)
    } else if let Some((ip, port)) = text.split_once(':') {
        match ip.parse::<Ipv4Addr>() {
            Ok(ip) => (IpAddr::V4(ip), Some(parse_port(port)?)),
            Err(_) => bare_v6(text)?,
        }
    } else {
        (
            IpAddr::V4(text.parse().map_err(|_| NotAnAddress::NotIpv4)?),
            None,
        )
    };
    Ok((canonical(ip), port.filter(|port| *port != 0)))
}

/// Reads a network such as `203.0.113.0/24`, or a single address. An IPv4 one in one of its IPv6 forms becomes the IPv4 one.
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    let net = text.parse::<IpNet>().ok();
    let net = net.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    net.map(canonical_network)
}

/// The network, an IPv4 one in one of its IPv6 forms as the IPv4 one.
fn canonical_network(net: IpNet) -> IpNet {
    if let (IpNet::V6(v6), IpAddr::V4(v4)) = (net, canonical(net.network()))
        && let Some(prefix) = v6.prefix_len().checked_sub(96)
        && let Ok(v4) = Ipv4Net::new(v4, prefix)
    {
        return v4.into();
    }
    net
}

/// Reads a network such as `203.0.113.0/24`. What of the address lies behind the prefix is cut off.
///
/// # Errors
/// The reject to count.
pub fn parse_network(text: &str) -> Result<IpNet, Reject> {
    let network: IpNet = text
        .parse()
        .map_err(|_| Reason::BadAddress.because("not a network such as 203.0.113.0/24"))?;
    let bits = network.max_prefix_len() - network.prefix_len();
    if bits > MAX_NETWORK.ilog2().try_into().unwrap_or(0) {
        return Err(Reason::NetworkTooLarge.because(format!(
            "a network of 2^{bits} addresses, where {MAX_NETWORK} are written out"
        )));
    }
    Ok(canonical_network(network.trunc()))
}

fn parse_port(text: &str) -> Result<u16, NotAnAddress> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotAnAddress::PortNotNumber);
    }
    text.parse().map_err(|_| NotAnAddress::PortTooLarge)
}

/// An IPv6 address without brackets may or may not end in a port: `2001:db8::7:443` can be read both ways.
fn bare_v6(text: &str) -> Result<(IpAddr, Option<u16>), NotAnAddress> {
    let whole = text.parse::<Ipv6Addr>().ok();
    let split = text
        .rsplit_once(':')
        .and_then(|(ip, port)| Some((ip.parse::<Ipv6Addr>().ok()?, parse_port(port).ok()?)));
    match (whole, split) {
        (Some(_), Some(_)) => Err(NotAnAddress::Ambiguous),
        (Some(ip), None) => Ok((ip.into(), None)),
        (None, Some((ip, port))) => Ok((ip.into(), Some(port))),
        (None, None) => Err(NotAnAddress::NotIp),
    }
}

/// Why an address is not one of the internet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Used inside networks, in documentation or in benchmarks: kept only on request.
    Private,
    /// Never a peer of a connection (unspecified, multicast, reserved): never kept.
    Reserved,
}

/// The networks of IANA's special-purpose registries (RFC 6890 and its successors) that are not globally reachable.
const SPECIAL: [(IpNet, Scope); 24] = [
    (v4(0, 0, 0, 0, 8), Scope::Reserved),
    (v4(10, 0, 0, 0, 8), Scope::Private),
    (v4(100, 64, 0, 0, 10), Scope::Private),
    (v4(127, 0, 0, 0, 8), Scope::Private),
    (v4(169, 254, 0, 0, 16), Scope::Private),
    (v4(172, 16, 0, 0, 12), Scope::Private),
    (v4(192, 0, 0, 0, 24), Scope::Private),
    (v4(192, 0, 2, 0, 24), Scope::Private),
    (v4(192, 168, 0, 0, 16), Scope::Private),
    (v4(198, 18, 0, 0, 15), Scope::Private),
    (v4(198, 51, 100, 0, 24), Scope::Private),
    (v4(203, 0, 113, 0, 24), Scope::Private),
    (v4(224, 0, 0, 0, 4), Scope::Reserved),
    (v4(240, 0, 0, 0, 4), Scope::Reserved),
    (v6([0; 8], 128), Scope::Reserved),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Scope::Private),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), Scope::Private),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), Scope::Reserved),
    (v6([0x2001, 0x2, 0, 0, 0, 0, 0, 0], 48), Scope::Private),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), Scope::Private),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Scope::Private),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Scope::Private),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), Scope::Private),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Scope::Reserved),
];

/// The first octets of the IPv4 networks above: they alone decide for nearly all addresses.
const SPECIAL_FIRST: [bool; 256] = {
    let mut special = [false; 256];
    let mut n = 0;
    while n < SPECIAL.len() {
        if let IpNet::V4(net) = SPECIAL[n].0 {
            let mut octet = net.addr().octets()[0] as usize;
            let end = octet
                + (256
                    >> if net.prefix_len() < 8 {
                        net.prefix_len()
                    } else {
                        8
                    });
            while octet < end {
                special[octet] = true;
                octet += 1;
            }
        }
        n += 1;
    }
    special
};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(groups: [u16; 8], prefix: u8) -> IpNet {
    let [first, second, third, .., last] = groups;
    IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::new(first, second, third, 0, 0, 0, 0, last),
        prefix,
    ))
}

/// The scope of an address that is not globally routable; `None` for all others.
#[must_use]
pub fn scope(ip: IpAddr) -> Option<Scope> {
    if let IpAddr::V4(ip) = ip
        && !SPECIAL_FIRST[usize::from(ip.octets()[0])]
    {
        return None;
    }
    SPECIAL
        .iter()
        .find(|(net, _)| net.contains(&ip))
        .map(|(_, scope)| *scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(String, Option<u16>), NotAnAddress> {
        parse_with_port(text).map(|(ip, port)| (ip.to_string(), port))
    }

    #[test]
    fn reads_every_spelling_that_has_one_meaning() {
        for (text, ip, port) in [
            ("203.0.113.7:4443", "203.0.113.7", Some(4443)),
            ("203.0.113.7", "203.0.113.7", None),
            ("176.108.209.127:0", "176.108.209.127", None),
            ("[2001:DB8:0::7]:443", "2001:db8::7", Some(443)),
            ("[2001:db8::7]:0", "2001:db8::7", None),
            ("[2001:db8::7]", "2001:db8::7", None),
            ("2a02:cf40:1::5:40669", "2a02:cf40:1::5", Some(40669)),
            ("2001:db8::7", "2001:db8::7", None),
            ("1:2:3:4:5:6:7:8:443", "1:2:3:4:5:6:7:8", Some(443)),
            ("[::ffff:203.0.113.7]:80", "203.0.113.7", Some(80)),
            ("[64:ff9b::cb00:7107]:80", "203.0.113.7", Some(80)),
        ] {
            assert_eq!(parsed(text), Ok((ip.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn rejects_what_is_no_address_or_has_two_meanings() {
        for text in [
            "2001:db8::7:443",
            "256.1.1.1:80",
            "1.2.3.4:65536",
            "1.2.3.4:x",
            "1.2.3.4:",
            "1.2.3.4:+80",
            "",
            "evil.example:80",
            "[2001:db8::7",
            "[1.2.3.4]:80",
            "fe80::1%eth0",
            "01.2.3.4:80",
        ] {
            assert!(parse_with_port(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_of_ipv4_has_one_form_whatever_form_it_is_written_in() {
        for (text, expected) in [
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("::FFFF:cb00:7107/128", "203.0.113.7/32"),
            ("64:ff9b::203.0.113.0/121", "203.0.113.0/25"),
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("2001:db8::/120", "2001:db8::/120"),
        ] {
            assert_eq!(parse_network(text).unwrap().to_string(), expected);
            assert_eq!(network(text).unwrap().to_string(), expected);
        }
        assert_eq!(
            network("::ffff:203.0.113.7").unwrap().to_string(),
            "203.0.113.7/32"
        );
    }

    #[test]
    fn the_first_octet_hides_no_network() {
        for (net, expected) in SPECIAL {
            for ip in [net.network(), net.broadcast()] {
                assert_eq!(scope(ip), Some(expected), "{ip}");
            }
        }
    }

    #[test]
    fn tells_private_and_reserved_addresses_from_the_internet() {
        for (ip, expected) in [
            ("8.8.8.8", None),
            ("2a02:cf40:1::5", None),
            ("10.18.175.2", Some(Scope::Private)),
            ("100.110.56.1", Some(Scope::Private)),
            ("203.0.113.7", Some(Scope::Private)),
            ("2001:db8::7", Some(Scope::Private)),
            ("0.0.0.0", Some(Scope::Reserved)),
            ("239.1.1.1", Some(Scope::Reserved)),
            ("255.255.255.255", Some(Scope::Reserved)),
            ("ff02::1", Some(Scope::Reserved)),
        ] {
            assert_eq!(scope(ip.parse().unwrap()), expected, "{ip}");
        }
    }
}
