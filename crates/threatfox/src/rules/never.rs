//! `never.csv`: networks and hashes that are never an indicator, even if a feed has them.

use std::net::IpAddr;

use ipnet::IpNet;

use super::RulesError;
use super::reader::canonical;
use super::table::Table;

const TABLE: Table = Table {
    file: "never.csv",
    columns: &["kind", "value", "why"],
};

/// A hash that logs and feeds have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// 32 digits.
    Md5,
    /// 40 digits.
    Sha1,
    /// 64 digits.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Md5, Self::Sha1, Self::Sha256];

    /// The name, as in `md5:…`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The number of hexadecimal digits.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha256 => 64,
        }
    }

    /// Finds an algorithm by its name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}

/// A row of the table, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeverEntry {
    /// `network` or `hash`.
    pub kind: Box<str>,
    /// The network, or the hash with its kind in front.
    pub value: Box<str>,
    /// Why it is never an indicator.
    pub why: Box<str>,
}

/// The rows of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Never {
    entries: Vec<NeverEntry>,
    /// With the number of their entry.
    networks: Vec<(IpNet, usize)>,
    hashes: Vec<(Algorithm, Box<str>, usize)>,
}

impl Never {
    pub(super) fn parse(text: &str) -> Result<Self, RulesError> {
        let mut never = Self::default();
        for row in TABLE.rows(text)? {
            let (kind, value, why) = (row.filled(0)?, row.filled(1)?, row.filled(2)?);
            let number = never.entries.len();
            if never.entries.iter().any(|entry| *entry.value == *value) {
                return Err(row.twice());
            }
            match kind {
                "network" => {
                    let network = value
                        .parse()
                        .map_err(|_| row.not(1, value, "a network", "Write it like 10.0.0.0/8"))?;
                    never.networks.push((network, number));
                }
                "hash" => {
                    let (algorithm, digits) = hash(value).ok_or_else(|| {
                        row.not(1, value, "a hash", "Write it like md5: and 32 digits")
                    })?;
                    never.hashes.push((algorithm, digits.into(), number));
                }
                other => return Err(row.not(0, other, "a kind", "Give network or hash")),
            }
            never.entries.push(NeverEntry {
                kind: kind.into(),
                value: value.into(),
                why: why.into(),
            });
        }
        Ok(never)
    }

    /// The rows, in their order.
    #[must_use]
    pub fn entries(&self) -> &[NeverEntry] {
        &self.entries
    }

    /// Why an address is never an indicator, if so.
    #[must_use]
    pub fn address(&self, ip: IpAddr) -> Option<&str> {
        let ip = canonical(ip);
        let (_, entry) = self.networks.iter().find(|(net, _)| net.contains(&ip))?;
        Some(&self.entries.get(*entry)?.why)
    }

    /// Why a hash in lowercase digits is never an indicator, if so.
    #[must_use]
    pub fn hash(&self, algorithm: Algorithm, digits: &str) -> Option<&str> {
        let same = |(known, hash, _): &&(Algorithm, Box<str>, usize)| {
            *known == algorithm && **hash == *digits
        };
        let (.., entry) = self.hashes.iter().find(same)?;
        Some(&self.entries.get(*entry)?.why)
    }
}

/// `md5:…` in lowercase digits.
fn hash(text: &str) -> Option<(Algorithm, &str)> {
    let (name, digits) = text.split_once(':')?;
    let algorithm = Algorithm::from_name(name)?;
    let lower = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() == algorithm.digits() && digits.bytes().all(lower)).then_some((algorithm, digits))
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::*;

    #[test]
    fn private_and_local_addresses_are_never_an_indicator_in_any_spelling() {
        let never = Rules::built_in().never();
        for (ip, expected) in [
            ("10.1.2.3", true),
            ("127.0.0.1", true),
            ("169.254.1.1", true),
            ("192.168.0.1", true),
            ("0.0.0.0", true),
            ("239.1.1.1", true),
            ("::1", true),
            ("::", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("::ffff:10.0.0.1", true),
            ("64:ff9b::a00:5", true),
            ("203.0.113.7", false),
            ("2001:db8::7", false),
            ("172.32.0.1", false),
        ] {
            let why = never.address(ip.parse().unwrap());
            assert_eq!(why.is_some(), expected, "{ip}");
        }
    }

    #[test]
    fn the_hashes_of_the_empty_file_and_of_zeros_are_never_an_indicator() {
        let never = Rules::built_in().never();
        for algorithm in Algorithm::ALL {
            let zeros = "0".repeat(algorithm.digits());
            assert_eq!(
                never.hash(algorithm, &zeros),
                Some("no hash was calculated")
            );
        }
        let empty = "d41d8cd98f00b204e9800998ecf8427e";
        assert_eq!(never.hash(Algorithm::Md5, empty), Some("the empty file"));
        assert_eq!(never.hash(Algorithm::Md5, &"1".repeat(32)), None);
    }
}
