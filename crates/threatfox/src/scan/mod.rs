//! Reading Sysmon logs on the endpoint and narrowing them to the events that may hold an indicator.
//!
//! The verdict (what matches, and how strongly) is the hunt's, in VQL. Here only what certainly holds nothing is left
//! out: [`keys::KeySet`] is a set of fingerprints of the feed's keys, [`observables`] looks up what an event holds,
//! and [`log::Scan`] goes through the logs.

mod feed;
mod keys;
mod log;
mod observables;
mod pace;

pub use feed::NarrowedFeed;
pub use keys::{Fingerprints, KeySet};
pub use log::{LogReport, Period, Scan};
pub use pace::Pace;
