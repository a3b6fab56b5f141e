//! One target per parser: it takes any bytes at all, and must neither panic nor take much memory or time. What a parser says
//! of them does not matter here, except for what must hold of each answer.
//!
//! `tests/mutated_samples.rs` runs the targets on damaged samples in a moment; `make fuzz` lets libFuzzer look for new
//! ways through the code. `tests/mutated_chunks.rs` damages the chunks of real logs and runs the whole scan on them.

mod numbers;
mod samples;

use std::fmt;
use std::io;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use sysmon_log::{CHUNK_SIZE, Content};
use threatfox::error::Error;
use threatfox::false_positives::FalsePositives;
use threatfox::feed;
use threatfox::lookup::Index;
use threatfox::normalize::{Filter, KeyStore, Normalizer, RowStore, Store};
use threatfox::policy::Policy;
use threatfox::rows;
use threatfox::rules::reader::{Buffers, Key, Observer};
use threatfox::rules::{Rules, Strength};
use threatfox::shared_hosts::SharedHosts;
use threatfox::sightings::Sightings;
use threatfox::source::{self, Input};
use threatfox::table::Layout;
use threatfox::value::{read_value, refang};
use threatfox::warning::{Warner, WarningLists};

pub use numbers::Numbers;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Made once: they are not what is tested where feeds are written.
static LISTS: LazyLock<WarningLists> = LazyLock::new(WarningLists::built_in);

/// The most bytes that a parser may hold at any time. An input here is smaller than 100 KB.
const MAX_MEMORY: usize = 64 << 20;
/// The longest time for one input, on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Runs something that takes input. Nothing else may run meanwhile, as the memory is that of the whole program.
///
/// # Panics
///
/// Where it takes more than 64 MiB of memory or 10 seconds.
pub fn bounded<T>(what: impl fmt::Display, run: impl FnOnce() -> T) -> T {
    MEMORY.reset_peak_usage();
    let (before, start) = (MEMORY.current_usage(), Instant::now());
    let result = run();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(
        taken <= MAX_MEMORY,
        "{what}: {taken} bytes of memory were taken"
    );
    let time = start.elapsed();
    assert!(time <= MAX_TIME, "{what}: it took {time:?}");
    result
}

/// A parser under test.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    run: fn(&[u8]),
    /// Real input to begin with.
    pub samples: fn() -> Vec<Vec<u8>>,
}

impl Target {
    /// Feeds it, within the bounds.
    pub fn run(&self, bytes: &[u8]) {
        bounded(self.name, || (self.run)(bytes));
    }
}

/// All of them.
pub const TARGETS: [Target; 12] = [
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
        name: "sources",
        run: normalize,
        samples: samples::sources,
    },
    Target {
        name: "stix_pattern",
        run: stix_pattern,
        samples: samples::patterns,
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
    Target {
        name: "false_positives",
        run: read_false_positives,
        samples: samples::false_positives,
    },
    Target {
        name: "warning_list",
        run: read_warning_list,
        samples: samples::warning_lists,
    },
    Target {
        name: "sightings",
        run: read_hits,
        samples: samples::hits,
    },
    Target {
        name: "readers",
        run: read_texts,
        samples: samples::texts,
    },
    Target {
        name: "log",
        run: read_chunk,
        samples: samples::chunks,
    },
];

/// Records under the header of an export, so that all of the input reaches the parser of records.
fn csv_export(records: &[u8]) {
    normalize(&[samples::CSV_HEADER, records].concat());
}

/// The pattern of an indicator, so that all of the input reaches its parser.
fn stix_pattern(pattern: &[u8]) {
    let pattern = serde_json::Value::from(String::from_utf8_lossy(pattern));
    let bundle = format!(
        r#"{{"type": "bundle", "objects": [{{"type": "indicator", "id": "indicator--1", "pattern": {pattern}}}]}}"#
    );
    normalize(bundle.as_bytes());
}

/// Makes a feed and rows of the input, also where it turns out to be damaged.
fn normalize(bytes: &[u8]) {
    let input = Input::of_bytes(bytes, "input");
    if let Some(store) = kept::<KeyStore>(&input) {
        read_back(&written(|out| {
            feed::write(&store, &LISTS, out, Layout::Csv).map(|(out, _)| out)
        }));
    }
    if let Some(store) = kept::<RowStore>(&input) {
        written(|out| rows::write(&store, &LISTS, out, Layout::Jsonl).map(|(out, _)| out));
    }
}

/// The records of an input that are kept, if any. None of them may be lost.
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

fn read_false_positives(bytes: &[u8]) {
    let result = FalsePositives::read(&Input::of_bytes(bytes, "list"));
    drop(result);
}

/// A list, asked for values of each kind.
fn read_warning_list(bytes: &[u8]) {
    if let Ok(list) = WarningLists::parse("list", &String::from_utf8_lossy(bytes)) {
        let mut warner = Warner::new(&list);
        for (kind, key) in samples::KEYS {
            let warning = warner.warning(kind, key, "");
            assert!(
                warning.is_empty() || warning.starts_with("list"),
                "{warning}"
            );
        }
    }
}

/// Hits, and the sightings of them.
fn read_hits(bytes: &[u8]) {
    let mut sightings = Sightings::new(Strength::Weak);
    let result = sightings.read(&Input::of_bytes(bytes, "hits"));
    drop(result);
    for written in [
        written(|mut out| sightings.write_misp("fuzz", &mut out).map(|()| out)),
        written(|mut out| sightings.write_stix(&mut out).map(|()| out)),
    ] {
        let read: Result<serde_json::Value, _> = serde_json::from_slice(&written);
        assert!(read.is_ok(), "sightings that are not JSON");
    }
}

/// Takes observables, and counts them.
struct Counter(usize);

impl Observer for Counter {
    fn key(&mut self, key: &Key<'_>) {
        assert!(!key.text.is_empty(), "an observable without a key");
        self.0 += 1;
    }

    fn end(&mut self) {}
}

/// The text of an event's field through each reader of the rules, and as a value that a user typed.
fn read_texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (mut buffers, mut counter) = (Buffers::default(), Counter(0));
    for place in Rules::built_in().places() {
        buffers.read(&place.reader, &text, Some("443"), &mut counter);
    }
    drop(read_value(&refang(&text)));
}

/// The start of a chunk of a log; the rest of it is zeros.
fn read_chunk(bytes: &[u8]) {
    let mut chunk = vec![0; CHUNK_SIZE];
    let length = bytes.len().min(CHUNK_SIZE);
    chunk[..length].copy_from_slice(&bytes[..length]);
    let ([chunk], []) = chunk.as_chunks::<CHUNK_SIZE>() else {
        return;
    };
    if let Content::Records(mut chunk) = Content::of(chunk, &["Image", "Hashes"]) {
        let mut text = String::new();
        while let Some(event) = chunk.next_event() {
            text.clear();
            event.text(&chunk, 0, &mut text);
            drop(event.build(&chunk));
        }
    }
}
