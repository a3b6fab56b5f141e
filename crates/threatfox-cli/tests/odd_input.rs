//! Input that is a little odd: one record over a bound or short of a field, more fields than the header names, a byte
//! order mark, a
//! folder, another tool's file. What can be used is used and the rest is counted; what cannot is named with its cure.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use support::normalize::{export, line, run};
use support::{Bench, KEY_FILE, Server, addresses, api, record};

/// A feed, its summary as JSON, and what was left out of it.
const ARGS: [&str; 6] = [
    "-o",
    "feed.csv",
    "--summary",
    "json",
    "--rejects",
    "rejects.csv",
];

fn lines(count: u32) -> Vec<String> {
    (1..=count)
        .map(|n| line(n, &format!("evil{n}.example"), "domain"))
        .collect()
}

fn summary(content: &[u8]) -> Value {
    let ran = run(&Bench::new(), content, &ARGS);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn one_record_in_ten_that_is_not_in_form_is_left_out_and_counted() {
    let huge = "x".repeat(70_000);
    for (odd, reason, detail) in [
        (
            line(5, &huge, "domain"),
            "too_large",
            "line 7: a field is larger than the bound of 64 KiB",
        ),
        (
            "\"2026-03-15 04:01:14\", \"5\"".to_owned(),
            "fields_missing",
            "line 7: 2 fields where the header has 15",
        ),
    ] {
        let mut all = lines(10);
        all[4] = odd;
        let bench = Bench::new();
        let ran = run(&bench, export(&all).as_bytes(), &ARGS);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(summary["dropped"][reason], 1, "{summary}");
        assert_eq!(
            (&summary["read"], &summary["kept"]),
            (&10.into(), &9.into())
        );
        let rejects = bench.read("rejects.csv");
        assert!(
            rejects.contains(detail) && rejects.len() < 1000,
            "{rejects}"
        );
        // Two of them in ten are a format that has changed.
        all[5] = all[4].clone();
        let ran = run(&Bench::new(), export(&all).as_bytes(), &ARGS);
        assert_eq!(ran.code, 1);
        assert!(
            ran.error()
                .contains("(so in 2 of 10 records): input, line 7: download it again"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_huge_field_in_json_costs_its_record_alone() {
    for length in [66_000, 400_000, 9_000_000] {
        let mut records: Vec<_> = (1..=10)
            .map(|n| record(n, &format!("evil{n}.example"), "domain"))
            .collect();
        records[3] = record(4, &"ü".repeat(length / 2), "domain");
        let body = format!(
            r#"{{"query_status": "ok", "data": [{}]}}"#,
            records.join(",")
        );
        let summary = summary(body.as_bytes());
        assert_eq!(summary["dropped"]["too_large"], 1, "{summary}");
        assert_eq!(summary["kept"], 9);
    }
}

#[test]
fn one_huge_submission_does_not_stop_a_refresh() {
    let mut records: Vec<_> = (1..=10)
        .map(|n| record(n, &format!("evil{n}.example"), "domain"))
        .collect();
    records[3] = record(4, &"x".repeat(70_000), "domain");
    let server = Server::always(api(&records));
    let bench = Bench::new();
    let ran = bench.run(&server, &["fetch", "--source", "api", "-o", "feed.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("too large 1"), "{}", ran.stderr);
    assert_eq!(bench.read("feed.csv").lines().count(), 10);
}

#[test]
fn one_record_that_no_reader_could_take_does_not_spoil_the_feed() {
    for long in ["\u{fc}".repeat(12_000), ".".repeat(30_000) + "x"] {
        let bench = Bench::new();
        let url = format!("http://a.example/{long}");
        let ran = run(&bench, format!("1.2.3.4\n{url}\n").as_bytes(), &ARGS);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(summary["dropped"]["too_large"], 1, "{summary}");
        assert!(bench.read("rejects.csv").contains("4000 at most"));
        let looked_up = ["match", "--feed", "feed.csv", "1.2.3.4"];
        let ran = bench.finish(bench.command(&looked_up));
        assert!(ran.stdout.contains("1.2.3.4,"), "{}", ran.stderr);
        let ran = bench.finish(bench.command(&["explain", &url, "input"]));
        assert!(ran.stdout.contains("too large"), "{}", ran.stderr);
    }
}

#[test]
fn ports_over_the_bound_of_a_row_are_left_out_and_told() {
    let mut text = String::new();
    for port in 1..=11_000 {
        writeln!(text, "1.2.3.4:{port}").unwrap();
    }
    let bench = Bench::new();
    let ran = run(&bench, text.as_bytes(), &["-o", "feed.csv"]);
    let told = "1 rows have more in the column ports than a row may hold";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    let ran = bench.finish(bench.command(&["match", "--feed", "feed.csv", "1.2.3.4:4096"]));
    assert!(ran.stdout.contains(",ip:port,"), "{}", ran.stdout);
    assert_eq!(summary(text.as_bytes())["cut"]["ports"], 1);
}

#[test]
fn fields_that_the_header_does_not_name_are_not_used_and_told() {
    let longer: Vec<_> = lines(4)
        .iter()
        .map(|line| format!("{line}, \"more\", \"x\""))
        .collect();
    let summary = summary(export(&longer).as_bytes());
    assert_eq!(summary["kept"], 4);
    assert_eq!(summary["inputs"][0]["longer_records"], 4);
    let ran = run(
        &Bench::new(),
        export(&longer).as_bytes(),
        &["-o", "feed.csv"],
    );
    assert!(
        ran.stderr
            .contains("4 records of input have more fields than its header"),
        "{}",
        ran.stderr
    );
}

#[test]
fn other_tools_files_are_named_and_not_called_damaged() {
    for (content, says) in [
        (
            "<stix:STIX_Package xmlns:stix=\"x\">",
            "this is a STIX package of version 1, which is not read yet: input: give an export",
        ),
        (
            "# abuse.ch SSLBL SSL Certificate Blacklist (SHA1 Fingerprints)\n",
            "SSLBL has hashes of certificates, not of files, and no log that is read has these: input: ",
        ),
    ] {
        let ran = run(&Bench::new(), content.as_bytes(), &["-o", "feed.csv"]);
        assert_eq!(ran.code, 1);
        let says = format!("threatfox: {says}");
        assert!(ran.error().starts_with(&says), "{}", ran.stderr);
    }
}

#[test]
fn a_byte_order_mark_is_passed_over_in_every_file() {
    let marked = |text: &str| format!("\u{feff}{text}");
    let bench = Bench::new();
    let good = export(&lines(3));
    let list = r#"{"1": {"entry_value": "evil1.example", "platform": "ThreatFox"}}"#;
    fs::write(bench.path("fplist.json"), marked(list)).unwrap();
    let csv = "\"entry_value\",\"platform\"\n\"evil1.example\",\"ThreatFox\"\n";
    fs::write(bench.path("fplist.csv"), marked(csv)).unwrap();
    fs::write(
        bench.path("policy.yaml"),
        marked("ignore:\n  domains: [evil2.example]\n"),
    )
    .unwrap();
    for list in ["fplist.json", "fplist.csv"] {
        let args = [
            "-o",
            "feed.csv",
            "--fplist",
            list,
            "--policy",
            "policy.yaml",
            "--force",
        ];
        let ran = run(&bench, marked(&good).as_bytes(), &args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(bench.read("feed.csv").lines().count(), 2);
    }
    let body = format!(
        r#"{{"query_status": "ok", "data": [{}]}}"#,
        record(1, "evil.example", "domain")
    );
    assert_eq!(summary(marked(&body).as_bytes())["kept"], 1);
    // The feed itself: by match, by scan, and as what is about to be replaced.
    fs::write(bench.path("feed.csv"), marked(&bench.read("feed.csv"))).unwrap();
    let ran = bench.finish(bench.command(&["match", "--feed", "feed.csv", "evil3.example"]));
    assert!(
        ran.stdout.contains("evil3.example,domain,strong"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    let edge = support::scan::edge().display().to_string();
    let args = [
        "scan",
        "--feed",
        "feed.csv",
        "--met",
        "met.csv",
        "-o",
        "events.jsonl",
        &edge,
    ];
    let ran = bench.finish(bench.command(&args));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(bench.read("met.csv").starts_with("key,kind"));
    let ran = run(&bench, good.as_bytes(), &["-o", "feed.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_folder_where_a_file_is_wanted_is_named_with_the_cure() {
    let bench = Bench::new();
    let server = Server::always(api(&[record(1, "evil.example", "domain")]));
    fs::create_dir(bench.path("folder")).unwrap();
    fs::write(bench.path("export.csv"), export(&lines(3))).unwrap();
    fs::write(bench.path(KEY_FILE), support::KEY).unwrap();
    for words in [
        "normalize folder",
        "normalize export.csv -o folder",
        "normalize export.csv -o feed.csv --rejects folder",
        "normalize export.csv --policy folder",
        "normalize export.csv --fplist folder",
        "explain x.example folder",
        "match --feed folder x.example",
        "scan --feed folder x.evtx",
        "search x.example -o folder",
        "fetch -o folder",
        "fetch -o feed.csv --auth-key-file folder",
        "fetch -o feed.csv --ca-file folder",
    ] {
        let mut command = bench.command(&words.split(' ').collect::<Vec<_>>());
        if words.starts_with("search") || words.starts_with("fetch") {
            command.args(addresses(&server));
        }
        if words.starts_with("scan") {
            fs::write(bench.path("x.evtx"), "").unwrap();
        }
        let ran = bench.finish(command);
        assert_eq!(ran.code, 1, "{words}: {}", ran.stderr);
        let error = ran.error();
        assert!(
            error.contains("folder") && error.ends_with(": name a file in this folder"),
            "{words}: {error}"
        );
        assert!(!bench.path("feed.csv").exists(), "{words}");
    }
}

#[test]
fn of_a_key_that_a_feed_has_twice_the_last_row_counts() {
    let bench = Bench::new();
    let ran = run(&bench, export(&lines(1)).as_bytes(), &["-o", "feed.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let feed = bench.read("feed.csv");
    let row = feed.lines().nth(1).unwrap();
    let later = row.replace("X Stealer", "Later");
    fs::write(bench.path("feed.csv"), format!("{feed}{later}\n")).unwrap();
    let ran = bench.finish(bench.command(&["match", "--feed", "feed.csv", "evil1.example"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("Later") && !ran.stdout.contains("X Stealer"),
        "{}",
        ran.stdout
    );
    let edge = support::scan::edge().display().to_string();
    let ran =
        bench.finish(bench.command(&["scan", "--feed", "feed.csv", "-o", "events.jsonl", &edge]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}
