//! `threatfox fetch --since-last`: a full export in the cache, brought up to date by what is new since.
// The lint on unwrap knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use jiff::{SignedDuration, Timestamp};
use support::{Bench, Ran, Server, answer, api, csv_of, ok, record};

const HOUR: i64 = 3600;

type Harm<'a> = &'a dyn Fn(&Bench);

/// So many hours ago, as ThreatFox writes it.
fn ago(hours: i64) -> String {
    let time = Timestamp::now() - SignedDuration::from_hours(hours);
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn new(id: u32, ioc: &str, hours_ago: i64) -> String {
    record(id, ioc, "domain").replace("2026-08-15 16:05:07", &ago(hours_ago))
}

/// The export has three records; by now one of them has changed, one was deleted, and there is a new one.
fn server() -> Server {
    let export = csv_of(&[
        (1, "old.example", &ago(30 * 24)),
        (2, "changed.example", &ago(60)),
        (3, "deleted.example", &ago(39)),
    ]);
    let changed = new(2, "changed.example", 60).replace("100", "75");
    let news = api(&[changed, new(4, "new.example", 1)]);
    let recent = r#"{"4": [{"ioc_value": "new.example", "ioc_type": "domain", "first_seen_utc": "NOW", "confidence_level": 100}]}"#
        .replace("NOW", &ago(1));
    Server::start(
        move |request| match request.split(' ').nth(1).unwrap_or_default() {
            "/api/v1/" => news.clone(),
            path if path.ends_with("/full/") => ok(&export),
            path if path.ends_with("/recent/") => ok(&recent),
            path => answer("404 Not Found", "", path),
        },
    )
}

const FETCH: [&str; 8] = [
    "fetch",
    "--since-last",
    "--cache",
    "cache",
    "-o",
    "feed.csv",
    "--summary",
    "json",
];

fn fetch(bench: &Bench, server: &Server, more: &[&str]) -> Ran {
    bench.run(server, &[&FETCH, more].concat())
}

/// Makes everything in the cache older.
fn age(bench: &Bench, hours: i64) {
    for entry in fs::read_dir(bench.path("cache")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let mut note: serde_json::Value =
                serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let fetched = note["fetched"].as_i64().unwrap() - hours * HOUR;
            note["fetched"] = fetched.into();
            fs::write(&path, note.to_string()).unwrap();
        }
    }
}

fn hosts(bench: &Bench) -> Vec<String> {
    let feed = bench.read("feed.csv");
    let host = |line: &str| line.split(',').next().unwrap().to_owned();
    feed.lines().skip(1).map(host).collect()
}

fn asked(server: &Server) -> Vec<String> {
    let what = |request: String| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        if line.starts_with("POST") {
            request.lines().last().unwrap().to_owned()
        } else {
            line
        }
    };
    server.requests().into_iter().map(what).collect()
}

#[test]
fn the_first_run_downloads_everything_and_a_run_soon_after_asks_for_nothing() {
    let (bench, server) = (Bench::new(), server());
    for _ in 0..2 {
        let ran = fetch(&bench, &server, &[]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(
            hosts(&bench),
            ["changed.example", "deleted.example", "old.example"]
        );
    }
    assert_eq!(asked(&server), ["GET /export/csv/full/ HTTP/1.1"]);
}

#[test]
fn with_a_key_the_api_tells_what_is_new_and_shows_what_changed_and_what_was_deleted() {
    let (bench, server) = (Bench::new(), server());
    assert_eq!(fetch(&bench, &server, &[]).code, 0);
    age(&bench, 50);
    let ran = fetch(&bench, &server, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(asked(&server)[1], r#"{"days":4,"query":"get_iocs"}"#);
    assert_eq!(
        hosts(&bench),
        ["changed.example", "new.example", "old.example"]
    );
    assert!(
        bench.read("feed.csv").contains(",botnet_cc,75,"),
        "the changed one is as it is now"
    );
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(summary["dropped"]["left_source"], 1);
    assert_eq!(summary["dropped"]["superseded"], 1);
    assert_eq!((&summary["read"], &summary["kept"]), (&5.into(), &3.into()));
    let reason = summary["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("--since-last: what is new since the full export of 20"),
        "{reason}"
    );
    assert!(ran.stderr.contains(reason), "{}", ran.stderr);
}

#[test]
fn without_a_key_and_by_type_the_recent_export_tells_it() {
    for (bench, more, path) in [
        (Bench::without_key(), &[][..], "/export/json/recent/"),
        (
            Bench::new(),
            &["--type", "domains"],
            "/export/json/domains/recent/",
        ),
    ] {
        let server = server();
        assert_eq!(fetch(&bench, &server, more).code, 0);
        age(&bench, 10);
        let ran = fetch(&bench, &server, more);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(asked(&server)[1], format!("GET {path} HTTP/1.1"));
        // What is older than the export surely reaches is kept; whether it was deleted is not to be known.
        assert_eq!(
            hosts(&bench),
            ["changed.example", "new.example", "old.example"]
        );
    }
}

#[test]
fn an_export_too_old_from_the_future_or_damaged_is_downloaded_anew() {
    let bad = |bench: &Bench| {
        let files = fs::read_dir(bench.path("cache")).unwrap().flatten();
        let data = files
            .map(|file| file.path())
            .find(|path| path.extension().is_some_and(|e| e == "data"));
        let data = data.unwrap();
        let text = fs::read_to_string(&data).unwrap().replace("old", "0ld");
        fs::write(data, text).unwrap();
    };
    let harms: [(Bench, Harm<'_>, &str); 4] = [
        (
            Bench::new(),
            &|bench| age(bench, 6 * 24 + 1),
            "too old for the 7 days",
        ),
        (
            Bench::without_key(),
            &|bench| age(bench, 41),
            "too old for the 48 hours",
        ),
        (
            Bench::new(),
            &|bench| age(bench, -1),
            "the clock was set back",
        ),
        (Bench::new(), &bad, "not there yet"),
    ];
    for (bench, harm, says) in harms {
        let server = server();
        assert_eq!(fetch(&bench, &server, &[]).code, 0);
        harm(&bench);
        let ran = fetch(&bench, &server, &[]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert_eq!(
            asked(&server)[1],
            "GET /export/csv/full/ HTTP/1.1",
            "{says}"
        );
    }
}

#[test]
fn the_export_for_holders_of_a_key_is_a_base_too() {
    let keyed = csv_of(&[(1, "old.example", &ago(30 * 24))]);
    let news = api(&[new(4, "new.example", 1)]);
    let server = Server::start(move |request| {
        if request.contains("/v2/files/exports/") {
            ok(&keyed)
        } else if request.contains("/api/v1/") {
            news.clone()
        } else {
            answer("403 Forbidden", "", "")
        }
    });
    let bench = Bench::new();
    assert_eq!(fetch(&bench, &server, &[]).code, 0);
    age(&bench, 10);
    let ran = fetch(&bench, &server, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(hosts(&bench), ["new.example", "old.example"]);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn news_that_fail_leave_the_feed_and_the_export_in_the_cache() {
    let (bench, good) = (Bench::new(), server());
    assert_eq!(fetch(&bench, &good, &[]).code, 0);
    age(&bench, 10);
    let before = bench.read("feed.csv");
    let url = good.url.clone();
    let bad = Server::always(ok(r#"{"query_status": "no_result"}"#));
    // The exports are those of the good server, so that its base is found.
    let mut command = bench.command(&FETCH);
    command.args([
        "--export-url",
        &format!("{url}/export/"),
        "--api-url",
        &format!("{}/api/v1/", bad.url),
    ]);
    let ran = bench.finish(command);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(bench.read("feed.csv"), before);
    assert_eq!(fetch(&bench, &good, &[]).code, 0);
    assert_eq!(
        asked(&good),
        [
            "GET /export/csv/full/ HTTP/1.1",
            r#"{"days":2,"query":"get_iocs"}"#
        ]
    );
}

#[test]
fn news_that_lack_most_of_what_they_should_have_are_not_whole() {
    let recently = ago(60);
    let names: Vec<_> = (0..30).map(|n| format!("host{n}.example")).collect();
    let records: Vec<_> = (1..)
        .zip(&names)
        .map(|(id, name)| (id, name.as_str(), recently.as_str()))
        .collect();
    let export = csv_of(&records);
    let news = |count| {
        let records: Vec<_> = (1..=count)
            .map(|id| new(id, &names[id as usize - 1], 60))
            .collect();
        api(&records)
    };
    for (count, code) in [(14, 1), (15, 0)] {
        let (export, news) = (export.clone(), news(count));
        let server = Server::start(move |request| {
            if request.starts_with("POST") {
                news.clone()
            } else {
                ok(&export)
            }
        });
        let bench = Bench::new();
        assert_eq!(fetch(&bench, &server, &[]).code, 0);
        age(&bench, 50);
        let before = bench.read("feed.csv");
        let ran = fetch(&bench, &server, &[]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        if code == 1 {
            assert!(
                ran.error().contains("lacks 16 of the 30 records"),
                "{}",
                ran.stderr
            );
            assert_eq!(bench.read("feed.csv"), before);
        }
    }
}

#[test]
fn it_needs_a_cache_and_chooses_the_source_itself() {
    let bench = Bench::new();
    for args in [
        &["fetch", "--since-last"][..],
        &["fetch", "--since-last", "--cache", "c", "--source", "api"],
    ] {
        assert_eq!(bench.finish(bench.command(args)).code, 2);
    }
}
