//! Hits to sightings, as a user makes them.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use support::{Bench, Ran};

fn made(bench: &Bench, args: &[&str]) -> Ran {
    bench.finish(bench.command(&[&["sightings"], args].concat()))
}

/// The hits of a scan of a real log, of a feed with an indicator that it holds.
fn scanned(bench: &Bench) {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/field/field.evtx");
    let indicators = include_str!("../../../tests/data/field/field.indicators.csv");
    let lines: Vec<_> = indicators
        .lines()
        .skip(1)
        .enumerate()
        .filter_map(|(n, row)| {
            let cells: Vec<_> = row.split(',').collect();
            let id = u32::try_from(n).unwrap() + 1;
            (cells[0] == "domain").then(|| support::normalize::line(id, cells[1], "domain"))
        })
        .collect();
    assert!(!lines.is_empty(), "{indicators}");
    let export = support::normalize::export(&lines);
    let feed = support::normalize::run(
        bench,
        export.as_bytes(),
        &["--allow-private", "-o", "feed.csv"],
    );
    assert_eq!(feed.code, 0, "{}", feed.stderr);
    let args = [
        "scan",
        "--feed",
        "feed.csv",
        "--hits",
        "hits.jsonl",
        log.to_str().unwrap(),
    ];
    let scan = bench.finish(bench.command(&args));
    assert_eq!(scan.code, 0, "{}", scan.stderr);
    assert!(bench.read("hits.jsonl").lines().count() > 3);
}

#[test]
fn the_hits_of_a_scan_become_both_files_and_each_counts_once() {
    let bench = Bench::new();
    scanned(&bench);
    let hits = bench.read("hits.jsonl").lines().count();
    let ran = made(
        &bench,
        &[
            "hits.jsonl",
            "hits.jsonl",
            "--misp",
            "misp.json",
            "--stix",
            "stix.json",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains(&format!(
            "in {hits} hits; of {} rows 0 weaker, {hits} twice, 0 no hit",
            2 * hits
        )),
        "{}",
        ran.stderr
    );
    let misp: serde_json::Value = serde_json::from_str(&bench.read("misp.json")).unwrap();
    assert_eq!(misp[0]["source"], "threatfox");
    let stix: serde_json::Value = serde_json::from_str(&bench.read("stix.json")).unwrap();
    assert_eq!(stix["type"], "bundle");
    let once = (bench.read("misp.json"), bench.read("stix.json"));
    for text in [&once.0, &once.1] {
        assert!(!text.contains("Image") && !text.contains("WS01"), "{text}");
    }
    let ran = made(
        &bench,
        &["hits.jsonl", "--misp", "misp.json", "--stix", "stix.json"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(once, (bench.read("misp.json"), bench.read("stix.json")));
}

#[test]
fn what_cannot_be_made_is_said_and_leaves_no_file() {
    let bench = Bench::new();
    std::fs::write(
        bench.path("weak.jsonl"),
        r#"{"Strength":"weak","IOC":"a.example","Time":1}"#,
    )
    .unwrap();
    std::fs::write(bench.path("table.csv"), "IOC,Time\n").unwrap();
    for (args, code, told) in [
        (
            &["weak.jsonl", "--stix", "out"][..],
            1,
            "no hit to make a sighting of among 1 rows (1 weaker",
        ),
        (&["table.csv", "--stix", "out"], 1, "table.csv, line 1"),
        (&["none.jsonl", "--stix", "out"], 1, "none.jsonl"),
        (&["weak.jsonl"], 2, "--misp"),
        (
            &["weak.jsonl", "--stix", "out", "--misp", "out"],
            2,
            "go to the same place",
        ),
        (
            &["weak.jsonl", "--misp", "out", "--misp-source", " "],
            2,
            "say who has seen it",
        ),
    ] {
        let ran = made(&bench, args);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
        assert!(!bench.path("out").exists());
    }
}
