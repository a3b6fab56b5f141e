//! What the tests of `threatfox scan` share: the log with an answer key, and the feed of its indicators.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::normalize::{export, line, run};
use super::{Bench, Ran};

pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/evtx")
        .join(name)
}

pub fn edge() -> PathBuf {
    data("synth-edge-shared.evtx")
}

/// A folder with a feed of the answer key's indicators.
pub fn bench() -> Bench {
    feed_of(&data("synth-edge-shared.indicators.csv"))
}

/// A folder with a feed of a table of indicators.
pub fn feed_of(indicators: &Path) -> Bench {
    let bench = Bench::new();
    let table = fs::read_to_string(indicators).unwrap();
    let lines: Vec<_> = (1..)
        .zip(table.lines().skip(1))
        .map(|(id, row)| {
            let (kind, value) = row.split_once(',').unwrap();
            match kind {
                "ipv6" => line(id, &format!("[{value}]:0"), "ip:port"),
                "md5" | "sha1" | "sha256" => line(id, value, &format!("{kind}_hash")),
                kind => line(id, value, kind),
            }
        })
        .collect();
    let args = ["--allow-private", "-o", "feed.csv.gz"];
    let ran = run(&bench, export(&lines).as_bytes(), &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    bench
}

pub fn scan(bench: &Bench, args: &[&str]) -> Ran {
    bench.finish(bench.command(&[&["scan"], args].concat()))
}

/// The numbers of the records in JSON lines.
pub fn records(rows: &str) -> BTreeSet<u64> {
    let number = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        row["System"]["EventRecordID"].as_u64().unwrap()
    };
    let numbers: Vec<_> = rows.lines().map(number).collect();
    let unique: BTreeSet<_> = numbers.iter().copied().collect();
    assert_eq!(unique.len(), numbers.len(), "a record comes twice");
    unique
}

pub fn summary(run: &Ran) -> Value {
    serde_json::from_str(&run.stderr).unwrap_or_else(|_| panic!("{}", run.stderr))
}
