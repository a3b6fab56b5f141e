//! What goes wrong in a year, one fault after the other: the exit code, the message, and the last good feed as it was.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::Write;

use support::{Bench, KEY, Server, answer, api, csv_export, ok, record};

const API: &[&str] = &["fetch", "--source", "api", "--timeout", "1"];
const RECENT: &[&str] = &["fetch", "--source", "recent"];
const FULL: &[&str] = &["fetch", "--source", "full"];
/// Retried at once, so that five tries take no time.
const NOW: &str = "Retry-After: 0\r\n";

struct Fault {
    name: &'static str,
    args: &'static [&'static str],
    answer: Vec<u8>,
    code: i32,
    /// What the message must say.
    says: &'static [&'static str],
    /// How often the server is asked.
    tries: usize,
}

fn fault(
    name: &'static str,
    args: &'static [&'static str],
    answer: Vec<u8>,
    says: &'static [&'static str],
) -> Fault {
    Fault {
        name,
        args,
        answer,
        code: 1,
        says,
        tries: 1,
    }
}

fn retried(fault: Fault) -> Fault {
    Fault { tries: 5, ..fault }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn of_the_api() -> Vec<Fault> {
    let status = |status: &str| {
        ok(format!(
            r#"{{"query_status":"{status}","data":"some text"}}"#
        ))
    };
    vec![
        fault(
            "wrong key",
            API,
            answer(
                "403 Forbidden",
                "",
                r#"{"query_status":"unknown_auth_key"}"#,
            ),
            &["refused the Auth-Key", "unknown_auth_key"],
        ),
        fault(
            "key not taken",
            API,
            answer("401 Unauthorized", "", r#"{"error": "Unauthorized"}"#),
            &["refused the Auth-Key", "auth.abuse.ch"],
        ),
        fault(
            "wrong key with HTTP 200",
            API,
            status("unknown_auth_key"),
            &["refused the Auth-Key", "auth.abuse.ch"],
        ),
        fault(
            "illegal days",
            API,
            status("illegal_days"),
            &["1 to 7 days"],
        ),
        fault("no result", API, status("no_result"), &["found nothing"]),
        fault(
            "unknown status with the key in it",
            API,
            status(&format!("hello_{KEY}")),
            &["hello_<AUTH-KEY>", "some text"],
        ),
        retried(fault(
            "502 page",
            API,
            answer(
                "502 Bad Gateway",
                NOW,
                include_str!("../../../tests/data/threatfox/errors/http502.html"),
            ),
            &["HTTP 502", "502 Server Error", "try again later"],
        )),
        retried(fault(
            "rate limit",
            API,
            answer(
                "429 Too Many Requests",
                NOW,
                r#"{"query_status":"ratelimited"}"#,
            ),
            &["HTTP 429", "ratelimited"],
        )),
        fault(
            "rate limit for hours",
            API,
            answer("429 Too Many Requests", "Retry-After: 259200\r\n", ""),
            &["wait 259200 s"],
        ),
    ]
}

fn of_the_network() -> Vec<Fault> {
    let raw = |text: &str| text.as_bytes().to_vec();
    vec![
        fault(
            "login page",
            RECENT,
            ok("<!doctype html><title>Sign in</title>"),
            &["web page (\"Sign in\")", "proxy"],
        ),
        fault(
            "redirect to a login page",
            RECENT,
            answer("302 Found", "Location: https://login.example/?x\r\n", ""),
            &["https://login.example/", "another host"],
        ),
        fault("empty body", RECENT, ok(""), &["empty"]),
        fault(
            "body cut",
            API,
            raw("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{\"query_status\": \"ok\""),
            &["broke off after 21 bytes"],
        ),
        fault(
            "chunks cut",
            API,
            raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"que\r\n"),
            &["broke off after 5 bytes"],
        ),
        fault(
            "bad gzip",
            API,
            answer("200 OK", "Content-Encoding: gzip\r\n", "{}"),
            &["broke off after 0 bytes"],
        ),
        fault(
            "no HTTP",
            API,
            raw("SSH-2.0-OpenSSH_9.2\r\n"),
            &["the request failed"],
        ),
        fault(
            "too large",
            API,
            raw("HTTP/1.1 200 OK\r\nContent-Length: 536870913\r\n\r\n{"),
            &["larger than 536870912 bytes"],
        ),
        fault("gone", FULL, answer("404 Not Found", "", ""), &["HTTP 404"]),
    ]
}

fn of_the_data() -> Vec<Fault> {
    let cut = format!(
        r#"{{"query_status": "ok", "data": [{}"#,
        record(1, "evil.example", "domain")
    );
    let private = api(&[record(1, "10.0.0.1:80", "ip:port")]);
    vec![
        fault("not JSON", API, ok("hello"), &["no ThreatFox data", "hell"]),
        fault("JSON cut", API, ok(cut), &["ends in the middle"]),
        fault(
            "no usable record",
            API,
            private,
            &["no usable record among the 1 read"],
        ),
        fault(
            "wrong trailer",
            FULL,
            ok(csv_export(3, 4)),
            &["promises 4 entries, 3 are there"],
        ),
        fault(
            "no trailer",
            FULL,
            ok(csv_export(3, 3).rsplit_once('\n').unwrap().0),
            &["without the line that gives their number"],
        ),
        fault(
            "broken zip",
            FULL,
            ok("PK\u{3}\u{4}nonsense"),
            &["cannot be read to its end"],
        ),
        fault(
            "cut gz",
            FULL,
            ok(&gzip(&csv_export(250, 250))[..200]),
            &["cannot be read to its end"],
        ),
    ]
}

fn check(faults: Vec<Fault>) {
    const GOOD: &str = "the last good feed\n";
    for fault in faults {
        let bench = Bench::new();
        let server = Server::always(fault.answer);
        fs::write(bench.path("feed.csv"), GOOD).unwrap();
        let args = [fault.args, &["-o", "feed.csv", "--rejects", "rejects.csv"]].concat();
        let ran = bench.run(&server, &args);
        let name = fault.name;
        assert_eq!(ran.code, fault.code, "{name}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{name}: {}", ran.stdout);
        let last = ran
            .stderr
            .lines()
            .rfind(|line| line.starts_with("threatfox: "))
            .unwrap_or_default();
        for words in fault.says {
            assert!(
                last.contains(words),
                "{name}: {words:?} is not in {}",
                ran.stderr
            );
        }
        assert_eq!(bench.read("feed.csv"), GOOD, "{name}");
        assert!(
            !bench.path("rejects.csv").exists(),
            "{name}: a list of rejects for no feed"
        );
        let keyed = usize::from(name == "gone");
        assert_eq!(server.requests().len(), fault.tries + keyed, "{name}");
    }
}

/// Issue 4: at least 20 kinds of fault, each with exit code, message, and the last good feed byte for byte untouched.
#[test]
#[rustfmt::skip]
fn faults_wrong_key_401_wrong_key_with_200_illegal_days_no_result_unknown_status_502_page_429_429_for_hours_leave_the_last_good_feed() {
    check(of_the_api());
}

#[test]
#[rustfmt::skip]
fn faults_login_page_redirect_empty_body_cut_chunks_cut_bad_gzip_no_http_too_large_404_leave_the_last_good_feed() {
    check(of_the_network());
}

#[test]
#[rustfmt::skip]
fn faults_not_json_json_cut_no_usable_record_wrong_trailer_no_trailer_broken_zip_cut_gz_leave_the_last_good_feed() {
    check(of_the_data());
}

#[test]
fn faults_missing_key_key_in_clear_silent_server_no_folder_bad_ca_file_leave_the_last_good_feed() {
    let silent = Server::start(|_| {
        std::thread::sleep(std::time::Duration::from_millis(1500));
        Vec::new()
    });
    let open = [
        "fetch",
        "--source",
        "api",
        "--timeout",
        "1",
        "-o",
        "feed.csv",
    ];
    for (bench, more, says) in [
        (Bench::without_key(), &[][..], "https://auth.abuse.ch/"),
        (Bench::new(), &[], "no answer within 1 s"),
        (Bench::new(), &["--ca-file", "none.pem"], "none.pem"),
        (Bench::new(), &["--auth-key-file", "none.txt"], "none.txt"),
    ] {
        fs::write(bench.path("feed.csv"), "good").unwrap();
        let ran = bench.run(&silent, &[&open, more].concat());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert_eq!(bench.read("feed.csv"), "good");
    }
    let server = Server::always(api(&[record(1, "evil.example", "domain")]));
    let ran = Bench::new().run(&server, &["fetch", "-o", "nowhere/feed.csv"]);
    assert!(
        ran.code == 1 && ran.stderr.contains("nowhere/feed.csv"),
        "{}",
        ran.stderr
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_behind_and_the_last_good_feed_as_it_was() {
    let silent = Server::start(|_| {
        std::thread::sleep(std::time::Duration::from_secs(5));
        Vec::new()
    });
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let temporary = folder.path().join("tmp");
        let feed = folder.path().join("feed.csv");
        fs::create_dir(&temporary).unwrap();
        fs::write(&feed, "good").unwrap();
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("threatfox"))
            .env_clear()
            .env("TMPDIR", &temporary)
            .args([
                "fetch",
                "--source",
                "recent",
                "--export-url",
                &silent.url,
                "-o",
            ])
            .arg(&feed)
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let there = || fs::read_dir(&temporary).unwrap().count() == 1;
        while !there() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        // The handler is set right after the folder is made.
        std::thread::sleep(std::time::Duration::from_millis(300));
        let pid = child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(!there(), "the temporary folder is left");
        assert_eq!(fs::read_to_string(&feed).unwrap(), "good");
    }
}

#[test]
fn a_proxy_is_asked_for_the_tunnel_only_and_one_that_wants_a_password_is_told() {
    let proxy = Server::always(answer("407 Proxy Authentication Required", "", ""));
    let mut command = assert_cmd::Command::cargo_bin("threatfox").unwrap();
    let password = proxy.url.replace("http://", "http://me:hunter2@");
    command
        .env_clear()
        .env("HTTPS_PROXY", password)
        .env("THREATFOX_AUTH_KEY", KEY);
    let output = command.args(["fetch", "--source", "api"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr.contains("the proxy wants a user name and password"),
        "{stderr}"
    );
    assert!(
        !stderr.contains("hunter2") && !stderr.contains(KEY),
        "{stderr}"
    );
    let requests = proxy.requests();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].starts_with("CONNECT threatfox-api.abuse.ch:443 HTTP/1.1"),
        "{}",
        requests[0]
    );
    assert!(!requests[0].contains(KEY));
}
