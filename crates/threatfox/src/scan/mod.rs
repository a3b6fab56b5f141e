//! Reading event logs: narrowing them to the events that may hold an indicator, and the verdict on those.
//!
//! What is read of an event, and how, is that of [`rules`](crate::rules) for both. A [`KeySet`] has the fingerprints of
//! the feed's keys; an event of which no observable has a key in it certainly holds nothing. A [`Scan`] goes through the
//! logs; its candidates go to a hunt, which gives the verdict, or to the [`Judge`], which gives the same one here.

mod counts;
mod feed;
mod fingerprints;
mod judge;
mod log;
mod observables;
mod pace;
mod processes;
mod report;
mod results;
mod rows;
mod scripts;

pub use feed::NarrowedFeed;
pub use fingerprints::{Fingerprints, KeySet};
pub use judge::Judge;
pub use log::{Period, Scan};
pub use pace::Pace;
pub use processes::Processes;
pub use report::{LogReport, Span};
pub use results::Results;
