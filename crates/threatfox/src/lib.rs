//! Indicators of compromise of ThreatFox and others: reading what sources write, normalizing it and writing a feed.
//!
//! The way of a record: [`source`] unpacks and reads a file into [`record::RawRecord`]s, [`normalize::Normalizer`]
//! checks, filters and merges them, [`feed`] (one row per match key) or [`rows`] (one row per IOC) writes the result through
//! [`output`], and [`summary::Summary`] says what happened.
//!
//! The way back: [`feed::read`] reads a feed, and [`lookup`] finds what matches in it.

// A library says what it has to say in its results.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod arena;
pub mod carry;
pub mod download;
pub mod error;
pub mod explain;
pub mod false_positives;
pub mod feed;
mod file_name;
pub mod host;
pub mod ioc;
pub mod ip;
pub mod lookup;
pub mod match_key;
pub mod normalize;
pub mod output;
pub mod policy;
pub mod record;
pub mod reject;
pub mod rows;
pub mod rules;
pub mod scan;
pub mod shared_hosts;
pub mod sightings;
pub mod source;
pub mod summary;
pub mod table;
pub mod temporary;
pub mod text;
pub mod url;
pub mod value;
pub mod warning;

pub use error::Error;
