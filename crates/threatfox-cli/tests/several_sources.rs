//! `threatfox fetch` of several sources: each part new, or as it was, and never silently.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use support::{Bench, KEY, Ran, Server, answer, csv_export, ok};

/// What the server answers for each path that begins so; 503 for all others.
fn server(answers: Vec<(&'static str, Vec<u8>)>) -> Server {
    Server::start(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let found = answers.iter().find(|(start, _)| path.starts_with(start));
        // A status that is not tried again.
        found.map_or_else(
            || answer("404 Not Found", "", ""),
            |(_, bytes)| bytes.clone(),
        )
    })
}

fn urlhaus(count: u32) -> Vec<u8> {
    let mut text = "# id,dateadded,url,urlhaus_link\n".to_owned();
    for n in 0..count {
        writeln!(text, "{n},2026-03-15 04:50:08,http://site{n}.top/x,-").unwrap();
    }
    ok(text)
}

fn full(count: u32) -> (&'static str, Vec<u8>) {
    ("/export/csv/full/", ok(csv_export(count, count)))
}

/// Fetches ThreatFox and `URLhaus` of the server.
fn fetch(bench: &Bench, server: &Server, more: &[&str]) -> Ran {
    let sources = format!("full,urlhaus={}/u.csv", server.url);
    let args = [
        "fetch",
        "--source",
        &sources,
        "-o",
        "feed.csv",
        "--summary",
        "json",
    ];
    bench.run(server, &[&args[..], more].concat())
}

/// The parts as the summary tells them: source, state, rows.
fn parts(ran: &Ran) -> Vec<(String, String, u64)> {
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    let parts = summary["parts"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    parts
        .map(|part| {
            (
                text(&part["source"]),
                text(&part["state"]),
                part["rows"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn part(source: &str, state: &str, rows: u64) -> (String, String, u64) {
    (source.to_owned(), state.to_owned(), rows)
}

#[test]
fn a_source_that_fails_leaves_its_part_of_the_feed_in_use() {
    let bench = Bench::new();
    let ran = fetch(&bench, &server(vec![full(5), ("/u.csv", urlhaus(6))]), &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        parts(&ran),
        [part("threatfox", "new", 5), part("urlhaus", "new", 12)]
    );
    let first = bench.read("feed.csv");
    for (what, bad) in [
        ("HTTP 404", answer("404 Not Found", "", "")),
        ("ends before the header", ok("# nothing\n")),
        ("it holds no records", ok("# id,dateadded,url\n")),
        ("less than half of the 12", urlhaus(1)),
        ("web page (\"Sign in\")", ok("<html><title>Sign in</title>")),
    ] {
        let ran = fetch(&bench, &server(vec![full(6), ("/u.csv", bad)]), &[]);
        assert_eq!(ran.code, 4, "{what}: {}", ran.stderr);
        assert_eq!(
            ran.stderr.lines().last(),
            Some("threatfox: the feed is written, with nothing new of urlhaus"),
        );
        assert_eq!(
            parts(&ran),
            [part("threatfox", "new", 6), part("urlhaus", "kept", 12)]
        );
        let warning = "threatfox: warning: urlhaus: its 12 rows of the feed in use stay";
        let told = |line: &str| line.starts_with(warning) && line.contains(what);
        assert!(ran.stderr.lines().any(told), "{what}: {}", ran.stderr);
    }
    // ThreatFox's part is another; URLhaus's is the same byte for byte, but for how often it was merged.
    let of_urlhaus = |feed: &str| {
        let rows = feed.lines().filter(|row| row.contains(",urlhaus,"));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let now = bench.read("feed.csv");
    assert_eq!(of_urlhaus(&now), of_urlhaus(&first));
    assert_eq!(now.lines().count(), first.lines().count() + 1);
}

#[test]
fn threatfox_may_fail_too_and_a_first_feed_tells_what_it_has_not() {
    let bench = Bench::new();
    let ran = fetch(&bench, &server(vec![("/u.csv", urlhaus(6))]), &[]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert_eq!(
        parts(&ran),
        [part("threatfox", "missing", 0), part("urlhaus", "new", 12)]
    );
    assert!(
        ran.stderr.contains("warning: threatfox: nothing, as "),
        "{}",
        ran.stderr
    );
    let ran = fetch(&bench, &server(vec![full(5), ("/u.csv", urlhaus(6))]), &[]);
    assert_eq!(parts(&ran)[0], part("threatfox", "new", 5));
    let ran = fetch(&bench, &server(vec![full(2), ("/u.csv", urlhaus(7))]), &[]);
    assert_eq!(
        parts(&ran),
        [part("threatfox", "kept", 5), part("urlhaus", "new", 14)]
    );
    let ran = fetch(
        &bench,
        &server(vec![full(2), ("/u.csv", urlhaus(7))]),
        &["--force"],
    );
    assert_eq!(parts(&ran)[0], part("threatfox", "new", 2));
}

#[test]
fn rows_that_cannot_keep_a_part_stay_as_they_are_where_a_source_fails() {
    for form in [
        &["--by", "ioc"][..],
        &["--format", "jsonl"],
        &["--by", "ioc", "--format", "jsonl"],
    ] {
        let bench = Bench::new();
        let half = server(vec![full(5)]);
        // Where nothing is in use, nothing is lost.
        assert_eq!(fetch(&bench, &half, form).code, 4, "{form:?}");
        let whole = server(vec![full(5), ("/u.csv", urlhaus(6))]);
        assert_eq!(fetch(&bench, &whole, form).code, 0, "{form:?}");
        let before = bench.read("feed.csv");
        let ran = fetch(&bench, &half, form);
        assert_eq!(ran.code, 1, "{form:?}: {}", ran.stderr);
        for words in ["urlhaus: ", "HTTP 404", "stays as it is", "--force"] {
            assert!(ran.error().contains(words), "{words}: {}", ran.error());
        }
        assert_eq!(bench.read("feed.csv"), before);
        let ran = fetch(&bench, &half, &[form, &["--force"]].concat());
        assert_eq!(ran.code, 4, "{form:?}: {}", ran.stderr);
        assert_eq!(parts(&ran)[1], part("urlhaus", "missing", 0));
    }
}

#[test]
fn of_a_feed_in_json_lines_no_part_is_lost_by_a_feed_as_csv() {
    let bench = Bench::new();
    let whole = server(vec![full(5), ("/u.csv", urlhaus(6))]);
    assert_eq!(fetch(&bench, &whole, &["--format", "jsonl"]).code, 0);
    let ran = fetch(&bench, &server(vec![full(5)]), &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    // The other way, the rows can be read.
    assert_eq!(fetch(&bench, &whole, &[]).code, 0);
    let ran = fetch(&bench, &server(vec![full(5)]), &["--format", "jsonl"]);
    assert_eq!(parts(&ran)[1], part("urlhaus", "kept", 12));
}

#[test]
fn of_a_damaged_feed_the_rows_before_the_damage_stay_with_a_warning() {
    let bench = Bench::new();
    let whole = server(vec![full(5), ("/u.csv", urlhaus(600))]);
    let half = server(vec![full(5)]);
    assert_eq!(fetch(&bench, &whole, &[]).code, 0);
    let feed = bench.read("feed.csv");
    for (cut, at_least) in [
        (5, 1200),
        (feed.len() / 2, 1200),
        (feed.len() * 9 / 10, 100),
    ] {
        fs::write(bench.path("feed.csv"), &feed[..feed.len() - cut]).unwrap();
        let ran = fetch(&bench, &half, &[]);
        assert_eq!(ran.code, 4, "{}", ran.stderr);
        let (_, state, rows) = parts(&ran).remove(1);
        assert_eq!(state, "kept");
        assert!((at_least..=1200).contains(&rows), "{rows}");
        for words in ["is damaged (it ends", "the rows before this stay"] {
            assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        }
    }
}

#[test]
fn where_nothing_is_new_the_feed_stays_as_it_is() {
    let bench = Bench::new();
    let whole = server(vec![full(5), ("/u.csv", urlhaus(6))]);
    assert_eq!(fetch(&bench, &whole, &[]).code, 0);
    let before = bench.read("feed.csv");
    let ran = fetch(&bench, &server(vec![]), &[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.error()
            .starts_with("threatfox: no source gave anything new (the first was threatfox): ")
            && ran
                .stderr
                .contains("\nthreatfox: urlhaus: the server answered HTTP 404"),
        "{}",
        ran.stderr
    );
    assert_eq!(bench.read("feed.csv"), before);
}

#[test]
fn an_address_has_a_name_and_the_key_of_its_path_shows_nowhere() {
    let bench = Bench::new();
    let server = server(vec![
        ("/v2/files/exports/5ec2", ok("evil.top\nbad.top\n")),
        ("/list", ok("other.top\n")),
    ]);
    let sources = format!(
        "partner={0}/v2/files/exports/<AUTH-KEY>/list.txt,{0}/list",
        server.url
    );
    let ran = bench.run(&server, &["fetch", "--source", &sources, "-o", "feed.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let feed = bench.read("feed.csv");
    assert!(
        feed.contains(",false,partner,,\n") && feed.contains(",false,127.0.0.1,,\n"),
        "{feed}"
    );
    assert!(
        ran.stderr.contains("/v2/files/exports/<AUTH-KEY>/list.txt"),
        "{}",
        ran.stderr
    );
    assert!(server.requests()[0].starts_with(&format!("GET /v2/files/exports/{KEY}/list.txt")));
    // A stranger does not get it.
    let sources = "recent,x=https://mirror.example/<AUTH-KEY>/list";
    let ran = bench.run(&server, &["fetch", "--source", sources, "-o", "feed.csv"]);
    assert!(
        ran.stderr
            .contains("the Auth-Key is for addresses of abuse.ch alone"),
        "{}",
        ran.stderr
    );
}

#[test]
fn two_sources_of_one_name_are_wrong_usage() {
    let bench = Bench::new();
    for sources in [
        "recent,full",
        "urlhaus,urlhaus=https://x.example/",
        "partner=https://x.example/,Partner=https://y.example/",
        "full,x=http://x.example/list",
        "stix",
        "",
    ] {
        let command = bench.command(&["fetch", "--source", sources, "-o", "feed.csv"]);
        assert_eq!(bench.finish(command).code, 2, "{sources}");
    }
}
