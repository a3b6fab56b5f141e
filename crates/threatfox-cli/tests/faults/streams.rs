//! Standard output and standard error that are closed, have lost their reader, or are full, in every command: the exit code
//! stays as documented, nothing crashes, and nothing temporary is left (which every run is checked for).

use std::fs::{self, File};
use std::process::Stdio;

use crate::LAST_GOOD;
use crate::support::{
    Bench, KEY_FILE, Ran, Server, addresses, api, csv_export, program, record, scan,
};

/// A command, and whether it writes to standard output.
struct Case {
    words: &'static str,
    code: i32,
    prints: bool,
}

const fn case(words: &'static str, code: i32, prints: bool) -> Case {
    Case {
        words,
        code,
        prints,
    }
}

/// Every command, done and failed, with each place that it can write to.
const CASES: [Case; 31] = [
    case("--help", 0, true),
    case("--version", 0, true),
    case("", 2, false),
    case("nonsense", 2, false),
    case("fetch --source api -o new.csv", 0, false),
    case("fetch --source api -o new.csv --summary json", 0, true),
    case(
        "fetch --source api --rejects rejects.csv --cache cache",
        0,
        true,
    ),
    case("fetch --source full -o feed.csv", 3, false),
    case("fetch --source api --days 90 -o new.csv", 2, false),
    case("fetch --source api -o nowhere/new.csv", 1, false),
    case("normalize export.csv -o new.csv", 0, false),
    case("normalize export.csv -o new.csv --summary json", 0, true),
    case("normalize export.csv", 0, true),
    case("normalize export.csv --by ioc --format jsonl", 0, true),
    case(
        "normalize export.csv --rejects rejects.csv -o new.csv.gz",
        0,
        false,
    ),
    case("normalize none.csv", 1, false),
    case("normalize export.csv -o feed.csv", 3, false),
    case("normalize", 2, false),
    case("search evil.example", 0, true),
    case("search evil.example --format table", 0, true),
    case("search evil.example -o rows.csv", 0, false),
    case("search evil.example --id", 2, false),
    case("match --feed feed.csv a.example", 0, true),
    case("match --feed none.csv a.example", 1, false),
    case("explain a.example export.csv", 0, true),
    case("explain a.example none.csv", 1, false),
    case("scan --feed feed.csv.gz --met met.csv EDGE", 0, true),
    case(
        "scan --feed feed.csv.gz --summary json -o events.jsonl EDGE",
        0,
        true,
    ),
    case("scan --feed feed.csv none.evtx", 1, false),
    case("completions bash", 0, true),
    case("man fetch", 0, true),
];

fn bench() -> Bench {
    let bench = scan::bench();
    fs::write(bench.path("feed.csv"), LAST_GOOD).unwrap();
    fs::write(bench.path("export.csv"), csv_export(4, 4)).unwrap();
    fs::write(bench.path(KEY_FILE), crate::support::KEY).unwrap();
    bench
}

fn server() -> Server {
    Server::start(|request| {
        if request.contains("/export/") {
            return crate::support::ok(csv_export(4, 4));
        }
        api(&[record(1, "evil.example", "domain")])
    })
}

fn args(server: &Server, words: &str) -> Vec<String> {
    let mut args: Vec<_> = words
        .split_whitespace()
        .map(|word| match word {
            "EDGE" => scan::edge().display().to_string(),
            word => word.to_owned(),
        })
        .collect();
    if words.starts_with("fetch") || words.starts_with("search") {
        args.extend(addresses(server));
    }
    args
}

/// A pipe whose reader has closed it.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// Runs each case in a folder of its own, and checks the code.
fn each(run: impl Fn(&Bench, &[String]) -> Ran, code: impl Fn(&Case) -> i32) {
    let server = server();
    for case in &CASES {
        let bench = bench();
        let ran = run(&bench, &args(&server, case.words));
        assert_eq!(ran.code, code(case), "{}: {}", case.words, ran.stderr);
        assert_eq!(bench.read("feed.csv"), LAST_GOOD, "{}", case.words);
    }
}

#[test]
fn every_case_does_what_it_should_with_both_streams() {
    each(
        |bench, args| {
            let mut command = bench.command_of(program());
            command.args(args);
            bench.finish(command)
        },
        |case| case.code,
    );
}

#[test]
fn a_closed_stream_changes_no_exit_code() {
    for closed in ["2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        each(
            |bench, args| {
                let mut command = bench.command_of("/bin/sh");
                command.args(["-c", &format!("exec \"$0\" \"$@\" {closed}")]);
                command.arg(program()).args(args);
                bench.finish(command)
            },
            |case| case.code,
        );
    }
}

#[test]
fn a_stderr_without_a_reader_or_room_changes_no_exit_code() {
    for stderr in [unread, full] {
        each(
            |bench, args| {
                let mut command = bench.command_of(program());
                command.args(args).stderr(stderr());
                bench.finish(command)
            },
            |case| case.code,
        );
    }
}

#[test]
fn a_stdout_without_a_reader_ends_quietly() {
    each(
        |bench, args| {
            let mut command = bench.command_of(program());
            command.args(args).stdout(unread());
            let ran = bench.finish(command);
            assert!(!ran.stderr.contains("roken pipe"), "{}", ran.stderr);
            ran
        },
        |case| case.code,
    );
}

#[test]
fn a_full_stdout_is_a_failure_of_each_command_that_writes_to_it() {
    each(
        |bench, args| {
            let mut command = bench.command_of(program());
            command.args(args).stdout(full());
            bench.finish(command)
        },
        |case| if case.prints { 1 } else { case.code },
    );
}

#[test]
fn a_stdout_without_room_is_named_in_one_line() {
    for words in [
        "--help",
        "--version",
        "scan --help",
        "normalize export.csv",
        "normalize export.csv -o new.csv --summary json",
        "fetch --source api -o new.csv --summary json",
        "explain a.example export.csv",
        "completions bash",
        "man",
        "match --feed feed.csv a.example",
        "search evil.example",
        "scan --feed feed.csv.gz EDGE",
    ] {
        let (server, bench) = (server(), bench());
        let mut command = bench.command_of(program());
        command.args(args(&server, words)).stdout(full());
        let ran = bench.finish(command);
        assert_eq!(ran.code, 1, "{words}");
        assert!(
            ran.error().contains("standard output") && ran.error().contains("No space left"),
            "{words}: {}",
            ran.stderr
        );
        let json = words.contains("--summary json");
        assert_eq!(bench.path("new.csv").exists(), json, "{words}");
        assert_eq!(
            ran.error().contains("is written"),
            json,
            "{words}: {}",
            ran.stderr
        );
    }
}
