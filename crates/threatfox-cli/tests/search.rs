//! `threatfox search` as a user runs it, against a local server.

mod support;

use support::{Bench, Server, answer, api, ok, record};

fn found() -> Server {
    Server::always(api(&[
        record(7, "203.0.113.7:443", "ip:port"),
        record(9, "evil.example", "domain"),
    ]))
}

#[test]
fn every_documented_example_asks_what_it_says() {
    for (example, body) in [
        (
            "203.0.113.7",
            r#"{"exact_match":false,"query":"search_ioc","search_term":"203.0.113.7"}"#,
        ),
        (
            "evil.example --exact --format jsonl",
            r#"{"exact_match":true,"query":"search_ioc","search_term":"evil.example"}"#,
        ),
        (
            "0123456789abcdef0123456789abcdef --hash",
            r#"{"hash":"0123456789abcdef0123456789abcdef","query":"search_hash"}"#,
        ),
        (
            "AsyncRAT --malware --limit 20",
            r#"{"limit":20,"malware":"AsyncRAT","query":"malwareinfo"}"#,
        ),
        ("1876555 --id", r#"{"id":1876555,"query":"ioc"}"#),
        (
            "exe --tag",
            r#"{"limit":100,"query":"taginfo","tag":"exe"}"#,
        ),
    ] {
        let server = found();
        let args: Vec<_> = std::iter::once("search")
            .chain(example.split(' '))
            .collect();
        let ran = Bench::new().run(&server, &args);
        assert_eq!(ran.code, 0, "{example}: {}", ran.stderr);
        assert!(
            server.requests()[0].ends_with(body),
            "{}",
            server.requests()[0]
        );
    }
}

#[test]
fn rows_are_those_by_ioc_documentation_addresses_included() {
    let ran = Bench::new().run(&found(), &["search", "x"]);
    assert!(
        ran.stdout
            .starts_with("ioc,ioc_type,key,kind,regex,port,malware,"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stdout.lines().count(), 3);
    let ran = Bench::new().run(&found(), &["search", "x", "--format", "table"]);
    assert!(
        ran.stdout.starts_with("IOC              TYPE"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .contains("203.0.113.7:443  ip:port  AsyncRAT  100   2026-08-15 16:05"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_ioc_that_is_in_a_warning_list_says_so() {
    let server = Server::always(api(&[
        record(7, "1.1.1.1:443", "ip:port"),
        record(9, "evil.example", "domain"),
    ]));
    let ran = Bench::new().run(&server, &["search", "x"]);
    let warnings: Vec<_> = ran
        .stdout
        .lines()
        .map(|row| row.rsplit(',').next())
        .collect();
    let expected = [Some("warning"), Some(""), Some("well-known-resolvers")];
    assert_eq!(warnings, expected, "{}", ran.stdout);
    let ran = Bench::new().run(&server, &["search", "x", "--format", "table"]);
    let row = ran
        .stdout
        .lines()
        .find(|row| row.starts_with("1.1.1.1:443"));
    assert!(
        row.is_some_and(|row| row.ends_with("  7   well-known-resolvers")),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_single_record_by_id_is_a_row_too() {
    let one = ok(format!(
        r#"{{"query_status": "ok", "data": {}}}"#,
        record(7, "evil.example", "domain")
    ));
    let ran = Bench::new().run(
        &Server::always(one),
        &["search", "7", "--id", "--format", "jsonl"],
    );
    assert!(
        ran.stdout.starts_with(r#"{"ioc":"evil.example","#),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
}

#[test]
fn nothing_found_is_no_row_and_no_failure() {
    let none = include_str!("../../../tests/data/threatfox/errors/http200_no_result.json");
    for (format, lines) in [("jsonl", 0), ("csv", 1)] {
        let ran = Bench::new().run(
            &Server::always(ok(none)),
            &["search", "nothing.example", "--format", format],
        );
        assert_eq!(
            (ran.code, ran.stdout.lines().count()),
            (0, lines),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("found nothing"), "{}", ran.stderr);
    }
}

#[test]
fn what_cannot_be_asked_is_wrong_usage() {
    let server = found();
    for args in [
        &["search"][..],
        &["search", "x", "--exact", "--tag"],
        &["search", "x", "--tag", "--limit", "1001"],
        &["search", "xyz", "--hash"],
        &["search", "xyz", "--id"],
        &["search", " "],
    ] {
        let ran = Bench::new().run(&server, args);
        assert_eq!(ran.code, 2, "{args:?} {}", ran.stderr);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_malware_limit_that_the_server_stumbles_over_is_explained() {
    let bad = answer("502 Bad Gateway", "Retry-After: 0\r\n", "<html>");
    let ran = Bench::new().run(
        &Server::always(bad),
        &["search", "AsyncRAT", "--malware", "--limit", "1000"],
    );
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("try a lower --limit"), "{}", ran.stderr);
}

#[test]
fn a_search_needs_a_key() {
    let ran = Bench::without_key().run(&found(), &["search", "x"]);
    assert!(
        ran.code == 1 && ran.stderr.contains("https://auth.abuse.ch/"),
        "{}",
        ran.stderr
    );
}
