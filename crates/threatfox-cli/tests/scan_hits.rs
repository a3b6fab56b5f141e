//! `threatfox scan --hits` held against the answer keys, in each layout of a log.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::Bench;
use support::scan::{bench, data, edge, feed_of, scan};

fn field(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/field")
        .join(name)
}

/// A row of an answer key.
struct Answer {
    record: u64,
    case: String,
    /// Match, strength and indicator.
    hit: Option<[String; 3]>,
}

fn answers(key: &Path) -> Vec<Answer> {
    let text = fs::read_to_string(key).unwrap();
    let mut lines = text.lines().map(fields);
    let header = lines.next().unwrap();
    let column = |name: &str| header.iter().position(|known| known == name).unwrap();
    let [record, case, expect, matched, strength, indicator] = [
        "record_id",
        "case",
        "expect",
        "match_kind",
        "strength",
        "indicator",
    ]
    .map(column);
    lines
        .map(|row| Answer {
            record: row[record].parse().unwrap(),
            case: row[case].clone(),
            hit: (row[expect] == "match")
                .then(|| [matched, strength, indicator].map(|column| row[column].clone())),
        })
        .collect()
}

/// The fields of a line of a CSV without doubled quotes.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}

/// Match, strength and indicator of each hit, by record.
fn hits(text: &str) -> BTreeMap<u64, Vec<[String; 3]>> {
    let mut hits: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in text.lines() {
        let hit: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| hit[name].as_str().unwrap().to_owned();
        let record = hit["RecordID"].as_u64().unwrap();
        // The feed writes an address without a port as ThreatFox does.
        let ioc = text("IOC").replace("]:0", "").replace('[', "");
        let hit = [text("Match"), text("Strength"), ioc];
        hits.entry(record).or_default().push(hit);
    }
    hits
}

fn scan_hits(bench: &Bench, log: &Path) -> BTreeMap<u64, Vec<[String; 3]>> {
    let args = [
        "--feed",
        "feed.csv.gz",
        "--min-strength",
        "weak",
        "--hits",
        "-",
    ];
    let run = scan(bench, &[&args[..], &[log.to_str().unwrap()]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    hits(&run.stdout)
}

fn field_bench() -> Bench {
    feed_of(&field("field.indicators.csv"))
}

#[test]
fn every_case_from_the_field_has_its_hit_and_no_other_in_both_layouts() {
    let bench = field_bench();
    let answers = answers(&field("field.key.csv"));
    assert_eq!(answers.len(), 54);
    for log in ["field.evtx", "field-forwarded.evtx"] {
        let mut hits = scan_hits(&bench, &field(log));
        for answer in &answers {
            let found = hits.remove(&answer.record).unwrap_or_default();
            let expected: Vec<_> = answer.hit.iter().cloned().collect();
            assert_eq!(found, expected, "{log}, {}: {}", answer.record, answer.case);
        }
        assert!(hits.is_empty(), "{hits:?}");
    }
}

#[test]
fn every_edge_case_has_its_hit_and_no_other() {
    let mut hits = scan_hits(&bench(), &edge());
    for answer in answers(&data("synth-edge-shared.key.csv")) {
        let mut found = hits.remove(&answer.record).unwrap_or_default();
        if answer.case.starts_with("stream: HostUrl") {
            // The page that led there is at a domain of the feed: an indicator of its own since there are referrers.
            found.retain(|[matched, ..]| matched != "referrer domain");
        }
        let expected: Vec<_> = answer.hit.into_iter().collect();
        assert_eq!(found, expected, "{}: {}", answer.record, answer.case);
    }
    assert!(hits.is_empty(), "{hits:?}");
}

#[test]
fn a_hit_tells_when_where_and_what() {
    let bench = field_bench();
    let log = field("field-forwarded.evtx").display().to_string();
    let args = ["--feed", "feed.csv.gz", "--hits", "-", &log];
    let run = scan(&bench, &args);
    let first = run.stdout.lines().next().unwrap();
    let expected = format!(
        r#"{{"Time":1794988801.007,"Computer":"WS01.example.test","RecordID":1,"Place":"Microsoft-Windows-Sysmon 1","EventID":1,"IOC":"badcase-one.example","Match":"command line subdomain","Strength":"medium","Observable":"3h.badcase-one.example","Malware":"X Stealer","Confidence":100,"Warning":"","LogFile":{}}}"#,
        serde_json::to_string(&log).unwrap()
    );
    assert_eq!(first, expected);
    assert!(
        !run.stdout.contains(r#""Strength":"weak""#),
        "medium is the default"
    );
    assert!(run.stderr.ends_with("hits\n"), "{}", run.stderr);
}

#[test]
fn an_event_that_several_logs_hold_hits_once() {
    let bench = field_bench();
    let (local, forwarded) = (field("field.evtx"), field("field-forwarded.evtx"));
    let logs = [local.to_str().unwrap(), forwarded.to_str().unwrap()];
    let args = [
        "--feed",
        "feed.csv.gz",
        "--summary",
        "json",
        "--hits",
        "hits.jsonl",
    ];
    let one: Value =
        serde_json::from_str(&scan(&bench, &[&args[..], &logs[..1]].concat()).stdout).unwrap();
    let both: Value =
        serde_json::from_str(&scan(&bench, &[&args[..], &logs].concat()).stdout).unwrap();
    assert_eq!(one["hits"], both["hits"]);
    assert!(one["hits"].as_u64() > Some(40));
    assert_eq!(
        bench.read("hits.jsonl").lines().count() as u64,
        both["hits"].as_u64().unwrap()
    );
}

#[test]
fn hits_of_less_confidence_or_other_kinds_are_left_out_and_events_come_on_request() {
    let bench = field_bench();
    let log = field("field.evtx").display().to_string();
    let count = |options: &[&str]| {
        let args = [
            &["--feed", "feed.csv.gz", "--hits", "hits.jsonl"],
            options,
            &[&log],
        ];
        let run = scan(&bench, &args.concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        (
            bench.read("hits.jsonl").lines().count(),
            run.stdout.lines().count(),
        )
    };
    let (all, events) = count(&[]);
    assert_eq!(events, 0, "only the hits are written");
    assert_eq!(count(&["--min-confidence", "100"]).0, all);
    assert!(count(&["--min-strength", "strong"]).0 < all);
    assert!(count(&["--kinds", "url"]).0 < all);
    assert_eq!(count(&["-o", "-"]).1, 46);
}

#[test]
fn usage_that_cannot_give_hits_is_refused() {
    let bench = field_bench();
    let log = field("field.evtx").display().to_string();
    for (args, says) in [
        (&["--hits", "x"][..], "--feed"),
        (&["--min-strength", "weak"], "--hits"),
        (
            &["--feed", "feed.csv.gz", "--hits", "x", "-o", "x"],
            "--output and --hits go to the same place, x",
        ),
        (
            &["--feed", "feed.csv.gz", "--met", "-"],
            "--output and --met go to the same place",
        ),
        (&["--feed", "-", "--hits", "x"], "cannot be read twice"),
        (&["--after", "nan"], "nan is not a time"),
        (&["--before", "inf"], "inf is not a time"),
        (
            &["--after", "10", "--before", "10"],
            "--after is not before --before",
        ),
        (
            &["--after", "2026-03-15T04:00:00Z", "--before", "5"],
            "--after is not before --before",
        ),
    ] {
        let run = scan(&bench, &[args, &[&log]].concat());
        assert_eq!(run.code, 2, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{args:?}: {}", run.stderr);
    }
}
