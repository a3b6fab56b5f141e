//! Which lists an address is in: sorted ranges that do not overlap, each with its set of lists.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::sets::{Set, Sets};

/// The networks of all lists.
#[derive(Debug, Clone, Default)]
pub(super) struct Networks {
    /// Whether there is a network with this first octet: for most addresses there is none.
    v4_first: Vec<bool>,
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

impl Networks {
    /// Takes the networks, each with the number of its list.
    pub fn new(networks: &[(IpNet, u16)], sets: &mut Sets) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (net, list) in networks {
            match net {
                IpNet::V4(net) => {
                    v4.push((net.network().to_bits(), net.broadcast().to_bits(), *list));
                }
                IpNet::V6(net) => {
                    v6.push((net.network().to_bits(), net.broadcast().to_bits(), *list));
                }
            }
        }
        let mut v4_first = vec![false; 256];
        for (first, last, _) in &v4 {
            let octets = (first >> 24) as usize..=(last >> 24) as usize;
            v4_first[octets].fill(true);
        }
        Self {
            v4_first,
            v4: Ranges::new(&v4, |end| end.checked_add(1), sets),
            v6: Ranges::new(&v6, |end| end.checked_add(1), sets),
        }
    }

    /// The lists of an address.
    pub fn find(&self, ip: IpAddr) -> Set {
        match ip {
            IpAddr::V4(ip) => match self.v4_first.get(usize::from(ip.octets()[0])) {
                Some(true) => self.v4.find(ip.to_bits()),
                _ => Set::default(),
            },
            IpAddr::V6(ip) => self.v6.find(ip.to_bits()),
        }
    }
}

/// Where each range begins, ascending, and its lists. It ends where the next begins.
#[derive(Debug, Clone, Default)]
struct Ranges<T>(Vec<(T, Set)>);

impl<T: Copy + Ord> Ranges<T> {
    /// Takes ranges by their first and last number, each with its list. `next` is the number after another.
    fn new(ranges: &[(T, T, u16)], next: impl Fn(T) -> Option<T>, sets: &mut Sets) -> Self {
        // Where a list begins (true) and where it is over.
        let mut turns: Vec<(T, bool, u16)> = Vec::with_capacity(2 * ranges.len());
        for (first, last, list) in ranges {
            turns.push((*first, true, *list));
            turns.extend(next(*last).map(|after| (after, false, *list)));
        }
        turns.sort_unstable();
        let mut open: BTreeMap<u16, usize> = BTreeMap::new();
        let mut found: Vec<(T, Set)> = Vec::new();
        for same in turns.chunk_by(|a, b| a.0 == b.0) {
            for (_, begins, list) in same {
                let count = open.entry(*list).or_default();
                *count = if *begins {
                    *count + 1
                } else {
                    count.saturating_sub(1)
                };
            }
            open.retain(|_, count| *count > 0);
            let set = sets.of(open.keys().copied());
            if found.last().map(|(_, last)| *last).unwrap_or_default() != set {
                found.push((same[0].0, set));
            }
        }
        Self(found)
    }

    fn find(&self, number: T) -> Set {
        let after = self.0.partition_point(|(start, _)| *start <= number);
        after
            .checked_sub(1)
            .map_or_else(Set::default, |n| self.0[n].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_each_network_that_holds_it_and_in_no_other() {
        let nets = [
            ("203.0.113.0/24", 0),
            ("203.0.113.7/32", 1),
            ("203.0.113.7/32", 1),
            ("203.0.112.0/23", 2),
            ("255.255.255.255/32", 3),
            ("0.0.0.0/32", 3),
            ("2001:db8::/32", 0),
            ("ffff::/16", 1),
        ];
        let nets = nets.map(|(net, list)| (net.parse().unwrap(), list));
        let mut sets = Sets::default();
        let networks = Networks::new(&nets, &mut sets);
        for (ip, lists) in [
            ("203.0.113.7", &[0, 1, 2][..]),
            ("203.0.113.6", &[0, 2]),
            ("203.0.113.8", &[0, 2]),
            ("203.0.113.255", &[0, 2]),
            ("203.0.112.255", &[2]),
            ("203.0.114.0", &[]),
            ("203.0.111.255", &[]),
            ("255.255.255.255", &[3]),
            ("255.255.255.254", &[]),
            ("0.0.0.0", &[3]),
            ("0.0.0.1", &[]),
            ("2001:db8:ffff::1", &[0]),
            ("2001:db9::", &[]),
            ("ffff:ffff::", &[1]),
        ] {
            let found = networks.find(ip.parse().unwrap());
            assert_eq!(sets.lists(found), lists, "{ip}");
        }
    }
}
