//! `threatfox fetch` as a user runs it, against a local server.

mod support;

use std::fs;

use support::{Bench, KEY, Server, answer, api, csv_export, ok, recent_json, record};

fn whole() -> Server {
    Server::start(
        |request| match request.split(' ').nth(1).unwrap_or_default() {
            "/api/v1/" => api(&[
                record(1, "203.0.113.7:443", "ip:port"),
                record(2, "evil.example", "domain"),
            ]),
            "/export/json/recent/" => ok(recent_json()),
            path if path.starts_with("/export/csv/") => ok(csv_export(3, 3)),
            path => answer("404 Not Found", "", path),
        },
    )
}

#[test]
fn every_documented_example_works() {
    let server = whole();
    let bench = Bench::new();
    fs::write(bench.path("key.txt"), format!("{KEY}\n")).unwrap();
    for example in [
        "fetch -o threatfox-feed.csv.gz --allow-private",
        "fetch --source full -o threatfox-feed.csv.gz --summary json",
        "fetch --source api --days 3 --auth-key-file key.txt --by ioc --format jsonl",
        "fetch --days 30 --type ip-port -o feed.csv --max-age 36500",
        "fetch --since-last --cache cache -o threatfox-feed.csv.gz",
    ] {
        let args: Vec<_> = example.split(' ').collect();
        let ran = bench.run(&server, &args);
        assert_eq!(ran.code, 0, "{example}: {}", ran.stderr);
    }
    let requests = server.requests();
    assert!(
        requests[0].ends_with(r#"{"days":7,"query":"get_iocs"}"#),
        "{}",
        requests[0]
    );
    assert!(
        requests[1].starts_with("GET /export/csv/full/ "),
        "{}",
        requests[1]
    );
    assert!(
        requests[2].contains(&format!("auth-key: {KEY}"))
            && requests[2].ends_with(r#"{"days":3,"query":"get_iocs"}"#)
    );
    assert!(
        requests[3].starts_with("GET /export/csv/ip-port/full/ "),
        "{}",
        requests[3]
    );
    assert!(
        requests[4].starts_with("GET /export/csv/full/ "),
        "{}",
        requests[4]
    );
    assert!(bench.read("feed.csv").contains("202.191.67.2,ip"));
}

#[test]
fn rows_by_ioc_go_to_standard_output_and_all_else_to_standard_error() {
    let ran = Bench::new().run(
        &whole(),
        &[
            "fetch",
            "--by",
            "ioc",
            "--format",
            "jsonl",
            "--allow-private",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines.iter().all(|line| line.starts_with(r#"{"ioc":""#)),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.contains("get_iocs days=7: there is an Auth-Key"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_summary_names_the_source_without_the_key() {
    let server = Server::start(|request| {
        if request.contains("/v2/files/exports/") {
            ok(csv_export(3, 3))
        } else {
            answer("403 Forbidden", "", "")
        }
    });
    let ran = Bench::new().run(
        &server,
        &[
            "fetch",
            "--source",
            "full",
            "-o",
            "feed.csv",
            "--summary",
            "json",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("/v2/files/exports/<AUTH-KEY>/full.csv.zip"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr
            .contains("trying the export for holders of an Auth-Key"),
        "{}",
        ran.stderr
    );
    assert!(
        server.requests()[1].starts_with(&format!("GET /v2/files/exports/{KEY}/full.csv.zip "))
    );
}

#[test]
fn auto_without_a_key_takes_the_recent_export_and_says_so() {
    let server = whole();
    let ran = Bench::without_key().run(&server, &["fetch", "-o", "feed.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("recent export: there is no Auth-Key"),
        "{}",
        ran.stderr
    );
    let request = &server.requests()[0];
    assert!(
        request.starts_with("GET /export/json/recent/ ") && !request.contains("auth-key"),
        "{request}"
    );
}

#[test]
fn a_reply_of_ten_mebibytes_gives_every_row() {
    let records: Vec<_> = (0..16_000)
        .map(|n| record(n + 1, &format!("host{n}.example"), "domain"))
        .collect();
    let reply = api(&records);
    assert!(reply.len() > 10 << 20, "{}", reply.len());
    let server = Server::always(reply);
    let ran = Bench::new().run(
        &server,
        &["fetch", "--by", "ioc", "-o", "-", "--format", "jsonl"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 16_000);
}

#[test]
fn days_the_api_does_not_have_are_wrong_usage_and_nothing_is_sent() {
    let server = whole();
    for days in ["0", "8", "90"] {
        let ran = Bench::new().run(&server, &["fetch", "--source", "api", "--days", days]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
    }
    let ran = Bench::new().run(&server, &["fetch", "--days", "many"]);
    assert_eq!(ran.code, 2);
    assert!(server.requests().is_empty());
}

#[test]
fn a_second_run_within_the_cache_time_makes_no_request_and_writes_the_same_bytes() {
    let server = whole();
    let bench = Bench::without_key();
    let args = ["fetch", "--cache", "cache", "-o"];
    for name in ["one.csv", "two.csv"] {
        let ran = bench.run(&server, &[&args[..], &[name]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert_eq!(server.requests().len(), 1);
    assert_eq!(bench.read("one.csv"), bench.read("two.csv"));
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let server = Server::start(|request| {
        if request.contains("if-none-match: \"v1\"") {
            b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_vec()
        } else {
            answer("200 OK", "ETag: \"v1\"\r\n", recent_json())
        }
    });
    let bench = Bench::without_key();
    for name in ["one.csv", "two.csv"] {
        let ran = bench.run(
            &server,
            &[
                "fetch",
                "--cache",
                "cache",
                "--cache-seconds",
                "0",
                "-o",
                name,
            ],
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert_eq!(server.requests().len(), 2);
    assert_eq!(bench.read("one.csv"), bench.read("two.csv"));
}

#[test]
fn an_answer_that_makes_no_feed_is_not_kept() {
    let bench = Bench::without_key();
    let server = Server::start(|_| ok("{\"1856791\": ["));
    for _ in 0..2 {
        let ran = bench.run(&server, &["fetch", "--cache", "cache", "-o", "feed.csv"]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn two_runs_at_once_ask_once() {
    let server = whole();
    let bench = Bench::without_key();
    std::thread::scope(|scope| {
        for name in ["one.csv", "two.csv"] {
            let (server, bench) = (&server, &bench);
            scope.spawn(move || {
                let args = ["fetch", "--cache", "cache", "-o", name];
                let mut command = bench.command_at(server, &args);
                // The other run's temporary files may be there while this one ends.
                assert!(command.output().unwrap().status.success());
            });
        }
    });
    assert_eq!(server.requests().len(), 1);
    assert_eq!(bench.read("one.csv"), bench.read("two.csv"));
}

#[test]
fn a_real_export_packed_for_the_journey_gives_the_bytes_that_normalize_gives() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/threatfox/recent-2026-07-24.json.gz"
    );
    let packed = fs::read(file).unwrap();
    let server = Server::always(answer("200 OK", "Content-Encoding: gzip\r\n", packed));
    let bench = Bench::without_key();
    let ran = bench.run(&server, &["fetch", "-o", "fetched.csv.gz"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = bench.finish(bench.command(&["normalize", file, "-o", "normalized.csv.gz"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        fs::read(bench.path("fetched.csv.gz")).unwrap(),
        fs::read(bench.path("normalized.csv.gz")).unwrap()
    );
}

#[test]
fn the_summary_says_why_this_source() {
    for (days, reason) in [
        ("2", "there is no Auth-Key"),
        ("all", "all that is active is only in the full export"),
    ] {
        let args = [
            "fetch",
            "--days",
            days,
            "-o",
            "feed.csv",
            "--max-age",
            "36500",
            "--summary",
            "json",
        ];
        let ran = Bench::without_key().run(&whole(), &args);
        let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(summary["reason"], reason);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
}

#[test]
fn data_that_is_old_or_from_the_future_is_warned_of() {
    for (year, warning) in [
        ("2026", "the newest IOC is from 2026-07-24T13:50:06Z, "),
        ("2126", "the clock of this machine is behind"),
    ] {
        let server = Server::always(ok(recent_json().replace("2026", year)));
        let ran = Bench::without_key().run(&server, &["fetch", "-o", "feed.csv"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    }
}

#[test]
fn an_export_comes_in_the_form_asked_for() {
    let server = whole();
    let args = ["fetch", "--source", "recent", "--export-format", "csv"];
    assert_eq!(Bench::new().run(&server, &args).code, 0);
    assert!(server.requests()[0].starts_with("GET /export/csv/recent/ "));
}
