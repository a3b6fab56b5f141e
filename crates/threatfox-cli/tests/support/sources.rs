//! Feeds of other sources, and what must hold of each.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Bench, Ran};

/// A feed, its summary and what was left out.
pub const ARGS: [&str; 8] = [
    "normalize",
    "-o",
    "feed.csv",
    "--summary",
    "json",
    "--rejects",
    "rejects.csv",
    "--force",
];

pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/feeds")
        .join(name)
}

pub fn normalize(bench: &Bench, files: &[&Path], args: &[&str]) -> Ran {
    let mut command = bench.command(&ARGS);
    command.args(args).args(files);
    bench.finish(command)
}

/// Makes a feed of a text, and gives its summary and rows.
pub fn made(content: &[u8], args: &[&str]) -> (Value, String) {
    let bench = Bench::new();
    fs::write(bench.path("input"), content).unwrap();
    let ran = normalize(&bench, &[&bench.path("input")], args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    adds_up(&summary);
    (summary, bench.read("feed.csv"))
}

pub fn failed(content: &[u8], args: &[&str]) -> String {
    let bench = Bench::new();
    fs::write(bench.path("input"), content).unwrap();
    let ran = normalize(&bench, &[&bench.path("input")], args);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    ran.error().to_owned()
}

/// What was read is kept or counted as left out.
pub fn adds_up(summary: &Value) {
    let dropped = summary["dropped"].as_object().unwrap().values();
    let dropped: u64 = dropped.map(|n| n.as_u64().unwrap()).sum();
    let inputs = summary["inputs"].as_array().unwrap();
    let records: u64 = inputs
        .iter()
        .map(|input| input["records"].as_u64().unwrap())
        .sum();
    assert_eq!(summary["read"], records, "{summary}");
    assert_eq!(
        summary["kept"].as_u64().unwrap() + dropped,
        records,
        "{summary}"
    );
}
