//! The bound of all networks together: a few bytes of input must not become 256 rows each without end.

use crate::ioc::Ioc;
use crate::record::Record;
use crate::reject::{Reason, Reject};

/// So many addresses of networks are written out in one feed.
const MAX_IN_NETWORKS: u64 = 1 << 17;

/// The networks so far. Who explains a feed asks the same of the same records, and gets the same answers.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    addresses: u64,
}

impl Networks {
    /// Counts the addresses of a network that is kept otherwise; the reject where they are too many.
    pub(crate) fn check(&mut self, record: &Record<'_>) -> Option<Reject> {
        let Ioc::Network(network) = &record.ioc else {
            return None;
        };
        self.addresses += 1 << (network.max_prefix_len() - network.prefix_len());
        (self.addresses > MAX_IN_NETWORKS).then(|| {
            let detail = format!("networks of more than {MAX_IN_NETWORKS} addresses in all");
            Reason::NetworkTooLarge.because(detail)
        })
    }
}
