//! The records of networks, held back until all are read: a few bytes of input must not become 256 rows each without end.
//!
//! So many addresses are written out in all, those of the smaller networks first, then by address. What is over is known
//! only at the end, and does not depend on the order of the inputs. The same record twice counts once.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ipnet::IpNet;

use crate::record::{Column, RawRecord};
use crate::reject::{Reason, Reject};

/// So many addresses of networks are written out in one feed.
const MOST: u64 = 1 << 17;

/// The record of a network: first what decides between two of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    addresses: u64,
    network: IpNet,
    /// The columns that are not empty. A text that several networks have, such as the name in an object of STIX, is there once.
    texts: Box<[(usize, Arc<str>)]>,
}

impl Held {
    fn new(network: IpNet, raw: &RawRecord<'_>, known: &mut HashSet<Arc<str>>) -> Self {
        let columns = Column::ALL.into_iter().enumerate();
        let columns = columns.map(|(number, column)| (number, raw.get(column)));
        let texts = columns.filter(|(_, text)| !text.is_empty());
        let texts = texts.map(|(number, text)| {
            if let Some(known) = known.get(text) {
                return (number, known.clone());
            }
            let text: Arc<str> = text.into();
            known.insert(text.clone());
            (number, text)
        });
        Self {
            addresses: addresses(network),
            network,
            texts: texts.collect(),
        }
    }

    /// The record as it came.
    pub(crate) fn raw(&self) -> RawRecord<'_> {
        let mut raw = RawRecord::default();
        for (number, text) in &self.texts {
            raw.set(Column::ALL[*number], text);
        }
        raw
    }
}

/// How many addresses a network has. Those that are read have 256 at most.
fn addresses(network: IpNet) -> u64 {
    1 << (network.max_prefix_len() - network.prefix_len())
}

/// The records that fit so far, and how often each came.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    held: BTreeMap<Held, u64>,
    addresses: u64,
    /// The texts of all that was held.
    texts: HashSet<Arc<str>>,
}

impl Networks {
    /// Whether a network is held back: one of a single address is a row, as an address is.
    pub(crate) fn holds(network: IpNet) -> bool {
        addresses(network) > 1
    }

    /// Why a network that does not fit is left out.
    pub(crate) fn too_many() -> Reject {
        Reason::NetworkTooLarge.because(format!("networks of more than {MOST} addresses in all"))
    }

    /// A record, as it is held back.
    pub(crate) fn held(&mut self, network: IpNet, raw: &RawRecord<'_>) -> Held {
        Held::new(network, raw, &mut self.texts)
    }

    /// Holds a record back, and gives those that no longer fit. They never will: of what is held all comes before them.
    pub(crate) fn hold(&mut self, held: Held) -> Vec<(Held, u64)> {
        let size = held.addresses;
        let times = self.held.entry(held).or_default();
        *times += 1;
        if *times == 1 {
            self.addresses += size;
        }
        let mut over = Vec::new();
        while self.addresses > MOST
            && let Some((last, times)) = self.held.pop_last()
        {
            self.addresses -= last.addresses;
            over.push((last, times));
        }
        over
    }

    /// All that fit.
    pub(crate) fn finish(self) -> impl Iterator<Item = (Held, u64)> {
        self.held.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_depends_on_no_order_and_the_same_record_counts_once() {
        let name = |n: usize| format!("45.{}.{}.0/{}", n / 256, n % 256, 24 + n % 3);
        let result = |order: &mut dyn Iterator<Item = usize>| {
            let (mut networks, mut over) = (Networks::default(), 0);
            for text in order.map(name) {
                let mut raw = RawRecord::default();
                raw.set(Column::Ioc, &text);
                let held = networks.held(text.parse().unwrap(), &raw);
                let gone = networks.hold(held);
                over += gone.iter().map(|(_, times)| times).sum::<u64>();
            }
            let addresses = networks.addresses;
            let kept: Vec<_> = networks.finish().collect();
            (kept, addresses, over)
        };
        let (kept, addresses, over) = result(&mut (0..2_000));
        assert!((MOST - 256..=MOST).contains(&addresses));
        assert_eq!(kept.len() as u64 + over, 2_000);
        assert_eq!(result(&mut (0..2_000).rev()).0, kept);
        let (twice, again, over_twice) = result(&mut (0..2_000).chain(0..2_000));
        assert_eq!((again, over_twice), (addresses, 2 * over));
        assert!(
            twice
                .iter()
                .map(|(held, _)| held)
                .eq(kept.iter().map(|(held, _)| held))
        );
        assert!(twice.iter().all(|(_, times)| *times == 2));
    }
}
