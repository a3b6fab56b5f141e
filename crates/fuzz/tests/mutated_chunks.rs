//! The reader of logs on hostile input: real chunks, mutated. It must neither panic nor take more than 64 MiB or 10 s.
//!
//! A short run is part of the tests; `FUZZ_SECONDS=600 cargo test --release --test mutated_chunks` is a long one.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // In a test, a panic is the report.

use std::fs;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use threatfox::rules::Rules;
use threatfox::scan::{KeySet, Pace, Results, Scan};
use threatfox_fuzz::{Numbers, bounded};

const CHUNK: usize = 0x1_0000;
const HEADER: usize = 0x1000;
/// Rounds of a run without `FUZZ_SECONDS`.
const ROUNDS: u64 = 400;
/// What the candidates of one chunk may take, and their line ends.
const MAX_OUTPUT: u64 = (4 << 20) + 4096;

fn pick<T: Copy>(from: &[T], numbers: &mut Numbers) -> T {
    from[numbers.below(from.len())]
}

/// Each real log's header and chunks.
fn corpus() -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/evtx");
    let logs = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "evtx")
    });
    logs.map(|path| {
        let bytes = fs::read(path).unwrap();
        let chunks = bytes[HEADER..].chunks_exact(CHUNK).map(<[u8]>::to_vec);
        (bytes[..HEADER].to_vec(), chunks.collect())
    })
    .collect()
}

fn mutate(chunk: &mut [u8], numbers: &mut Numbers) {
    for _ in 0..=numbers.below(20) {
        let at = 8 + numbers.below(CHUNK - 16);
        match numbers.below(7) {
            0 => chunk[at] ^= 1 << numbers.below(8),
            1 => chunk[at] = pick(&[0, 1, 0x0c, 0x0d, 0x0f, 0x21, 0x7f, 0x80, 0xff], numbers),
            2 => chunk[at..at + 2].copy_from_slice(&(numbers.below(CHUNK) as u16).to_le_bytes()),
            3 => chunk[at..at + 4].copy_from_slice(
                &pick(&[0, 1, 0xffff, 0x7fff_ffff, u32::MAX], numbers).to_le_bytes(),
            ),
            4 => chunk[at..at + 4].copy_from_slice(&(numbers.below(CHUNK) as u32).to_le_bytes()),
            5 => {
                let length = numbers.below(CHUNK - at);
                chunk[at..at + length].fill(pick(&[0, 0xff, 0x0c, 0x21], numbers));
            }
            _ => {
                let from = numbers.below(CHUNK - 512);
                let length = numbers.below(512.min(CHUNK - at));
                chunk.copy_within(from..from + length, at);
            }
        }
    }
}

/// Counts what is written.
#[derive(Default)]
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn scan(log: &Path, keys: Option<&KeySet>) -> u64 {
    let scan = Scan {
        rules: Rules::built_in(),
        keys,
        judge: None,
        period: 0.0..f64::MAX,
        pace: Pace {
            threads: NonZero::<u8>::MIN,
            max_cpu: None,
        },
    };
    let mut out = Counter::default();
    let mut results = Results::new(Some(&mut out), None);
    let report = scan.log(log, &mut results).unwrap();
    assert_eq!(report.error, None);
    assert!(report.chunks + report.damaged_chunks <= 2);
    out.0
}

fn round(log: &PathBuf, corpus: &[(Vec<u8>, Vec<Vec<u8>>)], keys: &KeySet, seed: u64) {
    let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (header, chunks) = &corpus[numbers.below(corpus.len())];
    let mut chunk = chunks[numbers.below(chunks.len())].clone();
    mutate(&mut chunk, &mut numbers);
    fs::write(log, [&header[..], &chunk].concat()).unwrap();
    let written = bounded(seed, || scan(log, None));
    assert!(written <= MAX_OUTPUT, "seed {seed}: {written} bytes");
    let with_keys = bounded(seed, || scan(log, Some(keys)));
    assert!(with_keys <= written, "seed {seed}");
}

#[test]
fn mutated_chunks_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mutated.evtx");
    let corpus = corpus();
    let mut keys = KeySet::default();
    for key in [
        "203.0.113.7",
        "c2.bad-domain.example",
        "url:http://c2.bad-domain.example/gate.php?id=1",
    ] {
        keys.insert(key);
    }
    match std::env::var("FUZZ_SECONDS") {
        Err(_) => (0..ROUNDS).for_each(|seed| round(&log, &corpus, &keys, seed)),
        Ok(seconds) => {
            let end = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
            let seeds = (ROUNDS..).take_while(|_| Instant::now() < end);
            let last = seeds
                .inspect(|seed| round(&log, &corpus, &keys, *seed))
                .last();
            println!("seeds {ROUNDS} to {last:?}");
        }
    }
}
