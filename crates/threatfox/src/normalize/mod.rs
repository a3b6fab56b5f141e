//! From records to a feed: check, filter, merge. Reads as a stream, writes nothing.

mod filter;
mod key_store;
mod row_store;

pub use crate::feed::Shape;
pub use filter::Filter;
pub use key_store::KeyStore;
pub use row_store::{IocRow, RowStore};

use crate::error::Error;
use crate::key::KeyMaker;
use crate::record::{Column, RawRecord, Record};
use crate::reject::{Reason, Reject};
use crate::shared_hosts::SharedHosts;
use crate::source::Sink;
use crate::summary::Counts;

/// Takes each reject, where a list of them is wanted.
pub type RejectSink<'a> = Box<dyn FnMut(&RawRecord<'_>, &Reject) -> Result<(), Error> + 'a>;

/// Collects the records of any number of inputs. The order in which they come makes no difference to the result.
pub struct Normalizer<'a> {
    filter: Filter,
    keys: KeyMaker,
    store: Store,
    counts: Counts,
    rejects: Option<RejectSink<'a>>,
}

enum Store {
    ByKey(KeyStore),
    ByIoc(RowStore),
}

/// The result.
pub enum Normalized {
    /// A feed by key.
    ByKey(KeyStore),
    /// Rows by IOC.
    ByIoc(RowStore),
}

impl<'a> Normalizer<'a> {
    /// Begins with nothing.
    #[must_use]
    pub fn new(shape: Shape, filter: Filter, shared: SharedHosts) -> Self {
        let store = match shape {
            Shape::ByKey => Store::ByKey(KeyStore::default()),
            Shape::ByIoc => Store::ByIoc(RowStore::default()),
        };
        Self {
            filter,
            keys: KeyMaker::new(shared),
            store,
            counts: Counts::default(),
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
    pub fn finish(self) -> Result<(Normalized, Counts), Error> {
        let Self { store, counts, .. } = self;
        let empty = match &store {
            Store::ByKey(_) => counts.kept == 0,
            Store::ByIoc(_) => counts.read == 0,
        };
        if empty {
            return Err(Error::NothingLeft {
                read: counts.read,
                dropped: counts.dropped_text(),
            });
        }
        let normalized = match store {
            Store::ByKey(mut store) => {
                store.sort();
                Normalized::ByKey(store)
            }
            Store::ByIoc(mut store) => {
                store.sort();
                Normalized::ByIoc(store)
            }
        };
        Ok((normalized, counts))
    }

    fn keep(&mut self, record: &Record<'_>) -> Result<(), Error> {
        let spared = match &mut self.store {
            Store::ByKey(store) => store.add(record, &mut self.keys)?,
            Store::ByIoc(store) => store.add(record, &mut self.keys)?,
        };
        self.counts.keep(record, spared);
        Ok(())
    }

    fn drop(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.counts.drop(reject, raw.get(Column::Id));
        if reject.reason == Reason::UnknownType {
            self.counts.unknown_type(raw.get(Column::IocType));
        }
        match &mut self.rejects {
            Some(sink) => sink(raw, reject),
            None => Ok(()),
        }
    }
}

impl Sink for Normalizer<'_> {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        self.counts.read += 1;
        let record = match Record::parse(raw) {
            Ok(record) => record,
            Err(reject) => return self.drop(raw, &reject),
        };
        match self.filter.check(&record) {
            Some(reject) => self.drop(raw, &reject),
            None => self.keep(&record),
        }
    }

    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.counts.read += 1;
        self.drop(raw, reject)
    }
}
