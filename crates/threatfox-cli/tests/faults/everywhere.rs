//! A full disk and SIGTERM in each command, at each stage that writes or waits.

use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::LAST_GOOD;
use crate::support::{Bench, Server, addresses, api, csv_export, ok, program, record, scan};

fn bench() -> Bench {
    let bench = scan::bench();
    fs::write(bench.path("feed.csv"), LAST_GOOD).unwrap();
    fs::write(bench.path("export.csv"), csv_export(9, 9)).unwrap();
    bench
}

fn server() -> Server {
    Server::start(|request| {
        if request.contains("/export/") {
            return ok(csv_export(9, 9));
        }
        api(&[record(1, "evil.example", "domain")])
    })
}

/// The words of a command line; EDGE is the log with an answer key.
fn args(words: &str) -> Vec<String> {
    let edge = scan::edge().display().to_string();
    words
        .split(' ')
        .map(|word| word.replace("EDGE", &edge))
        .collect()
}

#[test]
fn a_full_disk_at_each_place_fails_with_its_name_and_leaves_the_feed() {
    let server = server();
    for words in [
        "fetch --source full -o /dev/full",
        "fetch --source full -o feed.csv --rejects /dev/full",
        "normalize export.csv -o /dev/full",
        "normalize export.csv -o feed.csv --rejects /dev/full",
        "normalize export.csv --by ioc -o /dev/full",
        "search evil.example -o /dev/full",
        "search evil.example --format table -o /dev/full",
        "match --feed feed.csv a.example -o /dev/full",
        "match --feed feed.csv a.example --format table -o /dev/full",
        "scan --feed feed.csv.gz EDGE -o /dev/full",
        "scan --feed feed.csv.gz EDGE -o events.jsonl --met /dev/full",
    ] {
        let bench = bench();
        let mut command = bench.command_of(program());
        command.args(args(words));
        if words.starts_with("fetch") || words.starts_with("search") {
            command.args(addresses(&server));
        }
        let ran = bench.finish(command);
        assert_eq!(ran.code, 1, "{words}: {}", ran.stderr);
        for text in ["/dev/full", "No space left on device", "make room"] {
            assert!(ran.error().contains(text), "{words}: {}", ran.stderr);
        }
        assert_eq!(bench.read("feed.csv"), LAST_GOOD, "{words}");
        for name in ["rejects.csv", "events.jsonl"] {
            assert!(!bench.path(name).exists(), "{words}: {name}");
        }
    }
}

/// Is the program where it waits: does it read what never comes?
fn waits(child: &mut Child, bench: &Bench, stdin: bool) {
    if let Some(pipe) = child.stdin.as_mut().filter(|_| stdin) {
        // More than a pipe holds: it is written once the program reads.
        let line = "# a comment that every reader skips\n";
        pipe.write_all(line.repeat(4000).as_bytes()).unwrap();
        return;
    }
    while fs::read_dir(bench.path("tmp")).unwrap().count() == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn sigterm_ends_each_command_that_waits_and_leaves_nothing() {
    let silent = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(5));
        Vec::new()
    });
    for (words, stdin) in [
        (
            "fetch --source full --fplist -o feed.csv --cache cache",
            false,
        ),
        ("search evil.example -o rows.csv", false),
        ("normalize - -o feed.csv --rejects rejects.csv", true),
        ("normalize -", true),
        ("match --feed feed.csv -o hits.csv", true),
        ("match --feed feed.csv --format table", true),
        ("explain a.example -", true),
        (
            "scan --feed feed.csv.gz --met met.csv -o events.jsonl --logs-from -",
            true,
        ),
    ] {
        let bench = bench();
        let mut command = bench.command_of(program());
        command.args(args(words));
        if !stdin {
            command.args(addresses(&silent));
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        waits(&mut child, &bench, stdin);
        let open = child.stdin.take();
        super::place::send("-TERM", child.id());
        let output = child.wait_with_output().unwrap();
        drop(open);
        let ran = bench.check(&output);
        assert_eq!(ran.code, 130, "{words}: {}", ran.stderr);
        assert_eq!(ran.error(), "threatfox: interrupted", "{words}");
        assert_eq!(bench.read("feed.csv"), LAST_GOOD, "{words}");
        for name in [
            "rejects.csv",
            "rows.csv",
            "hits.csv",
            "events.jsonl",
            "met.csv",
        ] {
            assert!(!bench.path(name).exists(), "{words}: {name}");
        }
    }
}

#[test]
fn sigterm_with_a_closed_stderr_still_cleans_up() {
    let bench = bench();
    let mut command = bench.command_of(program());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command
        .args(args("normalize - -o feed.csv"))
        .stdin(Stdio::piped())
        .stderr(writer);
    let mut child = command.spawn().unwrap();
    waits(&mut child, &bench, true);
    let open = child.stdin.take();
    super::place::send("-TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(open);
    bench.nothing_temporary_is_left();
}
