//! abuse.ch's list of false positives: downloaded by `fetch`, or from a file in `normalize`.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use support::normalize::{export, line, run};
use support::{Bench, Server, answer, api, ok, record};

const LIST: &str = r#"{"77": {"time_stamp": "2099-01-01 00:00:00 UTC", "platform": "ThreatFox", "entry_type": "domain",
    "entry_value": "bank.example", "removed_by": "someone", "removal_notes": "a bank"}}"#;

/// ThreatFox with two records, and a Hunting API that answers so.
fn server(list: Vec<u8>) -> Server {
    Server::start(move |request| {
        if request.contains("get_fplist") {
            return list.clone();
        }
        api(&[
            record(1, "bank.example", "domain"),
            record(2, "evil.example", "domain"),
        ])
    })
}

fn asked_for_list(server: &Server) -> usize {
    let requests = server.requests();
    requests
        .iter()
        .filter(|request| request.contains("get_fplist"))
        .count()
}

#[test]
fn fetch_leaves_out_what_is_on_the_list_and_asks_for_it_once() {
    let server = server(ok(LIST));
    let bench = Bench::new();
    let args = [
        "fetch",
        "--source",
        "api",
        "--fplist",
        "--cache",
        "cache",
        "-o",
        "feed.csv",
        "--rejects",
        "rejects.csv",
    ];
    for _ in 0..2 {
        let ran = bench.run(&server, &args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("dropped: false positive 1"),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("list of false positives: 1"),
            "{}",
            ran.stderr
        );
        assert!(!bench.read("feed.csv").contains("bank.example"));
        let rejects = bench.read("rejects.csv");
        let told =
            "1,bank.example,domain,false_positive,removed from ThreatFox on 2099-01-01: a bank";
        assert!(rejects.contains(told), "{rejects}");
    }
    assert_eq!(asked_for_list(&server), 1);
}

#[test]
fn the_documented_example_with_policy_and_list_works() {
    let server = Server::start(|request| {
        if request.contains("get_fplist") {
            return ok(LIST);
        }
        ok(export(&[line(1, "evil.example", "domain")]))
    });
    let bench = Bench::new();
    std::fs::write(bench.path("policy.yaml"), "ignore:\n").unwrap();
    let example =
        "fetch --source full --policy policy.yaml --fplist --cache cache -o threatfox-feed.csv.gz";
    let args: Vec<_> = example.split(' ').collect();
    assert_eq!(bench.run(&server, &args).code, 0);
}

#[test]
fn without_the_list_there_is_no_feed_and_an_earlier_one_stays() {
    for (list, told) in [
        (
            answer(
                "403 Forbidden",
                "",
                r#"{"query_status":"unknown_auth_key"}"#,
            ),
            "Auth-Key",
        ),
        (ok("{}"), "not a list of false positives"),
        (ok("<html>login</html>"), "a web page instead of data"),
    ] {
        let server = server(list);
        let bench = Bench::new();
        std::fs::write(bench.path("feed.csv"), "earlier").unwrap();
        let ran = bench.run(&server, &["fetch", "--fplist", "--force", "-o", "feed.csv"]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.error().contains(told), "{}", ran.stderr);
        assert_eq!(bench.read("feed.csv"), "earlier");
    }
}

#[test]
fn normalize_takes_the_list_from_a_file() {
    let bench = Bench::new();
    std::fs::write(bench.path("fplist.json"), LIST).unwrap();
    let content = export(&[
        line(1, "bank.example", "domain"),
        line(2, "evil.example", "domain"),
    ]);
    let ran = run(&bench, content.as_bytes(), &["--fplist", "fplist.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stdout.contains("bank.example") && ran.stdout.contains("evil.example"));
}
