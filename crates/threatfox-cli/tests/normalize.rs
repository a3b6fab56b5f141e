//! `threatfox normalize`, run as a user runs it: what its input does to status, output and messages.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod support;

use std::path::{Path, PathBuf};

use support::normalize::{export, line, rows, run, sample};
use support::{Bench, Ran};

fn summary(path: &Path, args: &[&str]) -> serde_json::Value {
    let bench = Bench::new();
    let mut command = bench.command(&["normalize", "--summary", "json", "-o", "feed.csv.gz"]);
    command.arg(path).args(args);
    let ran = bench.finish(command);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn every_record_of_the_real_samples_is_kept_or_counted() {
    for (name, records) in [
        ("recent-2026-03-15.csv", 1763),
        ("full-sha256-2025-12.csv.gz", 7202),
        ("recent-2026-07-24.json.gz", 4488),
    ] {
        for by in ["key", "ioc"] {
            let summary = summary(&sample(name), &["--by", by]);
            let dropped: u64 = summary["dropped"]
                .as_object()
                .unwrap()
                .values()
                .map(|n| n.as_u64().unwrap())
                .sum();
            assert_eq!(summary["read"], records, "{name}");
            assert_eq!(
                summary["kept"].as_u64().unwrap() + dropped,
                records,
                "{name} by {by}"
            );
        }
    }
}

#[test]
fn a_feed_by_key_looks_like_this() {
    let lines = [
        line(1, "203.0.113.7:4443", "ip:port"),
        line(2, "203.0.113.7:80", "ip:port"),
        line(3, "203.0.113.7:0", "ip:port"),
        line(4, "http://C2.Evil.Example:8080/a.php?b=1#c", "url"),
        line(5, "https://https://t.me/stfmms/api", "url"),
        line(6, "B\u{fc}cher.example", "domain"),
        line(7, "12345678901234567890123456789E12", "md5_hash"),
    ];
    insta::assert_snapshot!(rows(&lines, &["--allow-private"]).join("\n"));
}

#[test]
fn rows_by_ioc_look_like_this() {
    let lines = [
        line(1, "[2001:db8::7]:443", "ip:port"),
        line(2, "evil.example/x", "domain"),
    ];
    insta::assert_snapshot!(rows(&lines, &["--by", "ioc", "--allow-private"]).join("\n"));
    insta::assert_snapshot!(
        rows(
            &lines,
            &["--by", "ioc", "--allow-private", "--format", "jsonl"]
        )
        .join("\n")
    );
}

#[test]
fn a_domain_wins_over_the_host_of_a_url_and_an_address_too() {
    let lines = [
        line(1, "evil.example", "domain"),
        line(2, "http://evil.example/x", "url"),
        line(3, "198.51.100.9:443", "ip:port"),
        line(4, "http://198.51.100.9:8080/", "url"),
    ];
    let rows = rows(&lines, &["--allow-private"]);
    assert!(rows.iter().any(|row| {
        row.starts_with(r"evil.example,domain,evil.example,domain,(^|\.)evil\.example$,")
    }));
    assert!(rows.iter().any(|row| {
        row.starts_with(r"198.51.100.9,ip,198.51.100.9:443,ip:port,^198\.51\.100\.9$,443;8080,")
    }));
}

#[test]
fn the_order_of_the_inputs_does_not_change_a_byte() {
    let (a, b) = (
        sample("recent-2026-03-15.csv"),
        sample("recent-2026-07-24.json.gz"),
    );
    let bytes = |files: [&PathBuf; 3]| {
        let bench = Bench::new();
        let mut command = bench.command(&["normalize"]);
        command.args(files);
        let ran = bench.finish(command);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let once = bytes([&a, &b, &b]);
    assert!(
        once == bytes([&b, &a, &a]),
        "a record that is read twice counts once, in any order"
    );
}

#[test]
fn every_drop_is_listed_with_its_reason() {
    let lines = [
        line(1, "10.18.175.2:43219", "ip:port"),
        line(2, "eng--neuroxen.com!s!", "domain"),
        line(3, "abc.onion", "domain"),
        line(4, "00", "sha3_384_hash"),
        line(5, "d41d8cd98f00b204e9800998ecf8427e", "md5_hash"),
        line(6, "2001:db8::7:443", "ip:port"),
        line(7, "evil.example", "domain").replace("\"100\"", "\"49\""),
        line(8, "evil.example", "domain").replace("2026-03-15", "2026-33-15"),
        line(9, "kept.example", "domain"),
    ];
    let bench = Bench::new();
    let run = run(
        &bench,
        export(&lines).as_bytes(),
        &["--rejects", "rejects.csv"],
    );
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("read 9, kept 1"), "{}", run.stderr);
    insta::assert_snapshot!(bench.read("rejects.csv"));
}

#[test]
fn an_old_and_a_future_set_of_columns_are_read_by_name() {
    let future = export(&[line(1, "evil.example", "domain").replace(
        "\"2026-03-15 04:01:14\"",
        "\"new\", \"2026-03-15 04:01:14\"",
    )])
    .replace("# \"first", "# \"brand_new\",\"first");
    let run = run(&Bench::new(), future.as_bytes(), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("brand_new"), "{}", run.stderr);
    assert_eq!(
        summary(&sample("full-sha256-2025-12.csv.gz"), &[])["kept"],
        7202
    );
}

#[test]
fn formulas_and_control_characters_are_neutralized() {
    let evil = line(1, "evil.example", "domain")
        .replace("X Stealer", "=cmd|'x'!A0\u{1b}[2J\u{202e}")
        .replace("a,b", "@tag");
    let row = rows(std::slice::from_ref(&evil), &["--by", "ioc"]).join("\n");
    assert!(row.contains("'=cmd|'x'!A0[2J,"), "{row}");
    assert!(row.contains(",'@tag,"), "{row}");
}

#[test]
fn no_text_of_a_row_by_ioc_is_longer_than_a_row_may_hold_and_a_long_link_is_left_out() {
    let link = |length: usize| format!("https://site.example/{}", "y".repeat(length));
    let of = |link: &str, n: usize| {
        let long = |part: &str| part.repeat(n);
        line(1, "evil.example", "domain")
            .replace("X Stealer", &long("Family "))
            .replace("win.x", &long("win.x"))
            .replace("a,b", &long("\u{fc}tag,"))
            .replace("botnet_cc", &long("botnet"))
            .replace("someone", &long("me"))
            .replacen("\"None\", \"\u{fc}", &format!("\"{link}\", \"\u{fc}"), 1)
    };
    let bench = Bench::new();
    let rows = |line: String| {
        let args = [
            "--by",
            "ioc",
            "-o",
            "rows.csv",
            "--force",
            "--summary",
            "json",
        ];
        let ran = run(&bench, export(&[line]).as_bytes(), &args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        (bench.read("rows.csv"), summary["cut"].clone())
    };
    let (text, cut) = rows(of(&link(5000), 5000));
    assert!(text.len() < 6000, "{} bytes", text.len());
    assert!(text.contains("\u{fc}tag,\u{2026}\"") && !text.contains("https://site"));
    let cut = cut.as_object().unwrap().keys();
    assert_eq!(
        cut.collect::<Vec<_>>(),
        [
            "malware",
            "malware_printable",
            "reference",
            "reporter",
            "tags",
            "threat_type"
        ]
    );
    let (text, cut) = rows(of(&link(900), 100));
    assert!(text.contains(&link(900)) && cut.is_null(), "{cut}");
}

#[test]
fn quotes_and_newlines_in_a_field_are_read_as_csv_means_them() {
    let odd = line(1, "evil.example", "domain").replace("a,b", "a \"\"quoted\"\", tag\nsecond");
    let row = rows(&[odd], &["--by", "ioc"]).join("\n");
    assert!(row.contains("\"a \"\"quoted\"\", tagsecond\""), "{row}");
}

#[test]
fn bad_bytes_spoil_one_record_and_not_the_file() {
    let mut lines: Vec<_> = (1..10)
        .map(|n| line(n, &format!("evil{n}.example"), "domain"))
        .collect();
    lines.push(line(10, "bad.example", "domain"));
    let mut content = export(&lines).into_bytes();
    let at = content.windows(3).position(|w| w == b"bad").unwrap();
    content[at] = 0xff;
    let run = run(&Bench::new(), &content, &[]);
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("not utf8 1"), "{}", run.stderr);
}

#[test]
fn json_of_2023_and_answers_of_the_api_have_the_same_keys() {
    let json_2023 = br#"{"7":[{"ioc_value":"203.0.113.7:7771","ioc_type":"ip:port","threat_type":"botnet_cc","malware":"win.asyncrat",
        "malware_alias":null,"malware_printable":"AsyncRAT","first_seen_utc":"2023-01-21 00:05:11","last_seen_utc":null,
        "confidence_level":75,"reference":"","tags":"asyncrat,c2","anonymous":"0","reporter":"abuse_ch"}]}"#;
    let api = br#"{"query_status":"ok","data":[{"id":7,"ioc":"203.0.113.7:7771","threat_type":"botnet_cc","threat_type_desc":"x",
        "ioc_type":"ip:port","malware":"win.asyncrat","malware_printable":"AsyncRAT","confidence_level":75,"is_compromised":false,
        "first_seen":"2023-01-21 00:05:11 UTC","last_seen":null,"reference":null,"tags":["asyncrat","c2"],"reporter":"abuse_ch"}]}"#;
    let bench = Bench::new();
    let args = ["--by", "ioc", "--allow-private"];
    let [old, new] = [&json_2023[..], &api[..]].map(|content| run(&bench, content, &args));
    assert_eq!((old.code, new.code), (0, 0), "{}{}", old.stderr, new.stderr);
    assert_eq!(old.stdout, new.stdout);
    assert!(old.stdout.contains("\"asyncrat,c2\""));
}

#[test]
fn wrong_usage_is_exit_code_2_and_the_help_names_the_codes() {
    let bench = Bench::new();
    let run = |args: &[&str]| -> Ran { bench.finish(bench.command(args)) };
    assert_eq!(run(&["normalize"]).code, 2);
    assert_eq!(run(&["normalize", "x", "--min-confidence", "101"]).code, 2);
    assert_eq!(run(&["normalize", "/nowhere/x"]).code, 1);
    insta::assert_snapshot!(run(&["normalize", "--help"]).stdout);
}
