//! From records to a feed: check, filter, merge. Reads as a stream, writes nothing.

mod filter;
mod key_store;
mod networks;
mod origin;
mod row_store;

pub use filter::Filter;
pub use key_store::KeyStore;
pub(crate) use key_store::{family_of, shown_name};
pub(crate) use networks::{Held, Networks};
pub(crate) use origin::Origin;
pub use row_store::{IocRow, RowStore};

use ipnet::IpNet;

use crate::error::Error;
use crate::ioc::Ioc;
use crate::match_key::KeyMaker;
use crate::record::{Column, RawRecord, Record};
use crate::reject::{Reason, Reject};
use crate::shared_hosts::SharedHosts;
use crate::source::Sink;
use crate::summary::Counts;

/// Takes each reject, where a list of them is wanted.
pub type RejectSink<'a> = Box<dyn FnMut(&RawRecord<'_>, &Reject) -> Result<(), Error> + 'a>;

/// Keeps what is in the result: [`KeyStore`] for a feed by key, [`RowStore`] for rows by IOC.
pub trait Store: Default {
    /// Whether a result without any row is one.
    const MAY_BE_EMPTY: bool;

    /// Adds a record, with what the policy says where it weakens it. Says whether a shared host was spared.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    fn add(
        &mut self,
        record: &Record<'_>,
        weakening: Option<&str>,
        keys: &mut KeyMaker,
    ) -> Result<bool, Error>;

    /// Sorts and merges, when no more are added.
    fn sort(&mut self);
}

/// Collects the records of any number of inputs. The order in which they come makes no difference to the result.
pub struct Normalizer<'a, S> {
    filter: Filter,
    keys: KeyMaker,
    store: S,
    counts: Counts,
    networks: Networks,
    rejects: Option<RejectSink<'a>>,
}

impl<'a, S: Store> Normalizer<'a, S> {
    /// Begins with nothing.
    #[must_use]
    pub fn new(filter: Filter, shared: SharedHosts) -> Self {
        Self {
            filter,
            keys: KeyMaker::new(shared),
            store: S::default(),
            counts: Counts::default(),
            networks: Networks::default(),
            rejects: None,
        }
    }

    /// Hands each reject to `sink` too.
    #[must_use]
    pub fn with_rejects(mut self, sink: RejectSink<'a>) -> Self {
        self.rejects = Some(sink);
        self
    }

    /// The number of records so far.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.counts.read
    }

    /// Sorts and merges.
    ///
    /// # Errors
    /// [`Error::NothingLeft`] where a feed would be empty, or there was no record at all.
    pub fn finish(mut self) -> Result<(S, Counts), Error> {
        for (held, times) in std::mem::take(&mut self.networks).finish() {
            let record = Record::parse(&held.raw());
            // It was read before.
            if let Ok(record) = record {
                self.keep(&record, times)?;
            }
        }
        let Self {
            mut store, counts, ..
        } = self;
        if counts.read == 0 || counts.kept == 0 && !S::MAY_BE_EMPTY {
            return Err(Error::NothingLeft {
                read: counts.read,
                dropped: counts.dropped_text(),
                reasons: counts.reasons.into_iter().collect(),
            });
        }
        store.sort();
        Ok((store, counts))
    }

    /// Holds a network back, and leaves out those that no longer fit.
    fn hold(&mut self, network: IpNet, raw: &RawRecord<'_>) -> Result<(), Error> {
        let held = self.networks.held(network, raw);
        for (held, times) in self.networks.hold(held) {
            for _ in 0..times {
                self.drop(&held.raw(), &Networks::too_many())?;
            }
        }
        Ok(())
    }

    /// Keeps a record that came so many times.
    fn keep(&mut self, record: &Record<'_>, times: u64) -> Result<(), Error> {
        let weakening = self.filter.policy.weakening(record);
        let spared = self
            .store
            .add(record, weakening.as_deref(), &mut self.keys)?;
        for _ in 0..times {
            self.counts.keep(record, spared);
        }
        Ok(())
    }

    fn drop(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.counts.drop(reject, raw);
        if reject.reason == Reason::UnknownType {
            self.counts.unknown_type(raw.get(Column::IocType));
        }
        match &mut self.rejects {
            Some(sink) => sink(raw, reject),
            None => Ok(()),
        }
    }
}

impl<S: Store> Sink for Normalizer<'_, S> {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        self.counts.read += 1;
        let record = match Record::parse(raw) {
            Ok(record) => record,
            Err(reject) => return self.drop(raw, &reject),
        };
        if let Some(reject) = self.filter.check(&record) {
            return self.drop(raw, &reject);
        }
        match record.ioc {
            // A network of one address is a row, as an address is.
            Ioc::Network(network, _) if Networks::holds(network) => self.hold(network, raw),
            _ => self.keep(&record, 1),
        }
    }

    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.counts.read += 1;
        self.drop(raw, reject)
    }
}
