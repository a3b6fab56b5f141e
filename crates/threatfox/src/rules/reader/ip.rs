//! The readers `address` and `first bytes`, and the one spelling of an address.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Buffers, Key, Observer, trim};

/// The address that an address stands for: IPv4 in its IPv6 forms (`::ffff:0:0/96` and NAT64's `64:ff9b::/96`) is IPv4.
#[must_use]
pub fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => match v6.segments() {
            [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
                let [.., a, b, c, d] = v6.octets();
                Ipv4Addr::new(a, b, c, d).into()
            }
            _ => ip,
        },
    }
}

/// Appends an address in the spelling of RFC 5952, without the machinery of `fmt` for the many of IPv4.
pub(crate) fn push_address(out: &mut String, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            for (n, octet) in ip.octets().into_iter().enumerate() {
                if n > 0 {
                    out.push('.');
                }
                out.push_str(itoa::Buffer::new().format(octet));
            }
        }
        // Writing to a String does not fail.
        IpAddr::V6(ip) => _ = write!(out, "{ip}"),
    }
}

/// The key of an address in any spelling.
pub(super) fn key<'b>(text: &'b str, buffer: &'b mut String) -> Option<&'b str> {
    let text = trim(text);
    // An IPv4 address has one spelling.
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.parse::<Ipv4Addr>().is_ok() {
        return Some(text);
    }
    let ip = ipv6(text)?;
    buffer.clear();
    push_address(buffer, canonical(ip.into()));
    Some(buffer)
}

/// A look for a colon spares most texts the parser.
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    memchr::memchr(b':', text.as_bytes())?;
    text.parse().ok()
}

impl Buffers {
    pub(super) fn address(&mut self, text: &str, port: Option<&str>, observer: &mut dyn Observer) {
        if let Some(key) = key(text, &mut self.key) {
            whole(key, port, observer);
        }
    }

    /// An old Sysmon writes an IPv4 address into the first bytes of an IPv6 address.
    pub(super) fn first_bytes(&mut self, text: &str, observer: &mut dyn Observer) {
        let Some(ip) = ipv6(trim(text)) else { return };
        let buffer = &mut self.key;
        buffer.clear();
        push_address(buffer, ip.into());
        let groups = buffer.split(':').take(2);
        let written_out =
            |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_hexdigit());
        if groups.filter(|group| written_out(group)).count() == 2 {
            let [a, b, c, d, ..] = ip.octets();
            buffer.clear();
            push_address(buffer, Ipv4Addr::new(a, b, c, d).into());
            whole(buffer, None, observer);
        }
    }
}

/// An observable with one key.
pub(super) fn whole(text: &str, port: Option<&str>, observer: &mut dyn Observer) {
    observer.key(&Key {
        text,
        observable: text,
        port,
        above: false,
    });
    observer.end();
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::rules::Reader;

    #[test]
    fn an_address_has_one_key_whatever_its_spelling() {
        for (text, key) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7\r\n", "203.0.113.7"),
            ("2001:0DB8:0:0:0:0:0:7", "2001:db8::7"),
            ("::FFFF:203.0.113.7", "203.0.113.7"),
            ("::ffff:cb00:7107", "203.0.113.7"),
            ("64:ff9b::cb00:7107", "203.0.113.7"),
            ("64:ff9b:1::cb00:7107", "64:ff9b:1::cb00:7107"),
        ] {
            assert_eq!(read(&Reader::Address, text), [[format!("{key} at 443")]]);
        }
        for text in [
            "",
            "-",
            "203.0.113.07",
            "203.0.113.7:443",
            "[2001:db8::7]",
            "fe80::1%eth0",
            "a.example",
        ] {
            assert!(read(&Reader::Address, text).is_empty(), "{text}");
        }
    }

    #[test]
    fn the_first_bytes_are_an_address_where_both_groups_are_written_out() {
        for (text, key) in [
            ("cb00:7107:1:2:3:4:5:6", "203.0.113.7"),
            ("CB00:7107::", "203.0.113.7"),
            ("1:0:2:3:4::", "0.1.0.0"),
        ] {
            assert_eq!(read(&Reader::FirstBytes, text), [[key]], "{text}");
        }
        for text in [
            "cb00::7107",
            "::cb00:7107",
            "203.0.113.7",
            "::ffff:203.0.113.7",
            "",
            "cb00:7107",
        ] {
            assert!(read(&Reader::FirstBytes, text).is_empty(), "{text}");
        }
    }
}
