//! A target a parser: it takes any bytes at all, and must neither panic nor fill the memory. What a parser says of them
//! does not matter here, but for what must hold of each answer.
//!
//! `tests/mutated_samples.rs` runs the targets on damaged samples in a moment; `make fuzz` lets libFuzzer look for new
//! ways through the code. Logs are binary, and read from a file: `tests/mutated_chunks.rs` does the same for them.

mod numbers;
mod samples;

use std::io;

use threatfox::error::Error;
use threatfox::feed;
use threatfox::lookup::Index;
use threatfox::normalize::{Filter, KeyStore, Normalizer, RowStore, Store};
use threatfox::policy::Policy;
use threatfox::rows;
use threatfox::shared_hosts::SharedHosts;
use threatfox::source::{self, Input};
use threatfox::table::Layout;

pub use numbers::Numbers;

/// A parser under test.
pub struct Target {
    /// How it is called on the command line.
    pub name: &'static str,
    /// Feeds it.
    pub run: fn(&[u8]),
    /// Real input to begin with.
    pub samples: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: [Target; 5] = [
    Target {
        name: "csv_export",
        run: csv_export,
        samples: samples::csv_records,
    },
    Target {
        name: "json",
        run: normalize,
        samples: samples::json,
    },
    Target {
        name: "container",
        run: normalize,
        samples: samples::containers,
    },
    Target {
        name: "feed",
        run: read_feed,
        samples: samples::feeds,
    },
    Target {
        name: "policy",
        run: read_policy,
        samples: samples::policies,
    },
];

/// Records under the header of an export, so that all of the input reaches the parser of records.
fn csv_export(records: &[u8]) {
    normalize(&[samples::CSV_HEADER, records].concat());
}

/// Makes a feed and rows of the input, also where it turns out to be damaged.
fn normalize(bytes: &[u8]) {
    let input = Input::of_bytes(bytes, "input");
    if let Some(store) = kept::<KeyStore>(&input) {
        read_back(&written(|out| {
            feed::write(&store, out, Layout::Csv).map(|(out, _)| out)
        }));
    }
    if let Some(store) = kept::<RowStore>(&input) {
        written(|out| rows::write(&store, out, Layout::Jsonl).map(|(out, _)| out));
    }
}

/// What is kept of the records of an input, if anything is. None of them may be lost.
fn kept<S: Store>(input: &Input) -> Option<S> {
    let mut normalizer = Normalizer::<S>::new(Filter::default(), SharedHosts::built_in());
    let report = source::read(input, &mut normalizer);
    let read = normalizer.read();
    if let Ok(report) = report {
        assert_eq!(report.records, read, "a record is lost");
    }
    let (store, counts) = normalizer.finish().ok()?;
    let dropped: u64 = counts.dropped.values().sum();
    assert_eq!(read, counts.kept + dropped, "the counts do not add up");
    Some(store)
}

fn written(write: impl FnOnce(Vec<u8>) -> io::Result<Vec<u8>>) -> Vec<u8> {
    // Writing to memory does not fail.
    write(Vec::new()).unwrap_or_default()
}

/// Whatever is written as a feed must read as one.
fn read_back(feed: &[u8]) {
    if let Err(error) = Index::read(&Input::of_bytes(feed, "feed")) {
        panic!("the feed that was written is refused: {error}");
    }
}

fn read_policy(bytes: &[u8]) {
    let result: Result<Policy, Error> = Policy::parse("policy", &String::from_utf8_lossy(bytes));
    drop(result);
}

fn read_feed(bytes: &[u8]) {
    let result: Result<Index, Error> = Index::read(&Input::of_bytes(bytes, "feed"));
    drop(result);
}
