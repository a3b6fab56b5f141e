//! Where results go: two outputs never to one place, and a file that is replaced keeps its mode, its links and its place.
#![cfg(unix)]
// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use support::normalize::{export, line};
use support::{Bench, Ran, Server, addresses, csv_export, ok, scan};

fn bench() -> Bench {
    with_export(Bench::new())
}

/// The folder with an export of two records, of which one is rejected.
fn with_export(bench: Bench) -> Bench {
    let lines = [
        line(1, "evil.example", "domain"),
        line(2, "10.0.0.1:80", "ip:port"),
    ];
    fs::write(bench.path("export.csv"), export(&lines)).unwrap();
    bench
}

/// Normalizes the export, with its rejects to a file.
fn with_rejects(bench: &Bench, rejects: &str, more: &[&str]) -> Ran {
    let args = [
        "normalize",
        "export.csv",
        "-o",
        "feed.csv",
        "--rejects",
        rejects,
    ];
    bench.finish(bench.command(&[&args[..], more].concat()))
}

#[test]
fn two_outputs_to_one_place_are_wrong_usage_and_nothing_is_read_or_asked() {
    let server = Server::always(ok(csv_export(3, 3)));
    for (output, rejects) in [
        ("feed.csv", "feed.csv"),
        ("feed.csv", "./feed.csv"),
        ("feed.csv", "sub/../feed.csv"),
        ("sub/feed.csv", "link/feed.csv"),
        ("old.csv", "to-old.csv"),
        ("old.csv", "hard.csv"),
        ("to-new.csv", "new.csv"),
        ("to-new.csv", "also-to-new.csv"),
        ("-", "-"),
        ("-", "/dev/stdout"),
        ("/dev/fd/1", "-"),
    ] {
        for command in ["normalize none.csv", "fetch --source full"] {
            let bench = bench();
            fs::create_dir(bench.path("sub")).unwrap();
            fs::write(bench.path("old.csv"), "").unwrap();
            fs::hard_link(bench.path("old.csv"), bench.path("hard.csv")).unwrap();
            symlink("sub", bench.path("link")).unwrap();
            symlink("old.csv", bench.path("to-old.csv")).unwrap();
            symlink("new.csv", bench.path("to-new.csv")).unwrap();
            symlink("sub/../to-new.csv", bench.path("also-to-new.csv")).unwrap();
            let mut words: Vec<_> = command.split(' ').collect();
            words.extend(["-o", output, "--rejects", rejects]);
            let mut command = bench.command(&words);
            if words[0] == "fetch" {
                command.args(addresses(&server));
            }
            let ran = bench.finish(command);
            assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
            assert!(
                ran.error().contains("--output and --rejects"),
                "{}",
                ran.stderr
            );
        }
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_scan_has_two_outputs_too() {
    let edge = scan::edge().display().to_string();
    for more in [
        &["-o", "x", "--met", "x"][..],
        &["-o", "x", "--met", "./x"],
        &["--met", "-"],
        &["-o", "x", "--met", "-", "--summary", "json"],
        &["-o", "/dev/stdout", "--summary", "json"],
    ] {
        let bench = bench();
        let args = [&["scan", "--feed", "none.csv", &edge], more].concat();
        let ran = bench.finish(bench.command(&args));
        assert_eq!(ran.code, 2, "{more:?}: {}", ran.stderr);
        assert!(
            ran.error().contains("go to the same place"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn rows_and_a_summary_never_share_standard_output() {
    let bench = bench();
    for output in ["/dev/stdout", "/dev/fd/1"] {
        let args = ["normalize", "export.csv", "-o", output, "--summary", "json"];
        let ran = bench.finish(bench.command(&args));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(
            ran.error().contains("--output and --summary json"),
            "{}",
            ran.stderr
        );
    }
    // As documented: with - the summary goes to standard error.
    let args = ["normalize", "export.csv", "-o", "-", "--summary", "json"];
    let ran = bench.finish(bench.command(&args));
    assert!(ran.code == 0 && ran.stdout.starts_with("key,") && ran.stderr.starts_with('{'));
    let ran = with_rejects(&bench, "-", &["--summary", "json"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn outputs_to_two_places_or_to_nowhere_go_on() {
    for (output, rejects) in [
        ("feed.csv", "rejects.csv"),
        ("feed.csv", "-"),
        ("-", "rejects.csv"),
        ("/dev/null", "/dev/null"),
    ] {
        let bench = bench();
        let args = [
            "normalize",
            "export.csv",
            "-o",
            output,
            "--rejects",
            rejects,
        ];
        let ran = bench.finish(bench.command(&args));
        assert_eq!(ran.code, 0, "{output} {rejects}: {}", ran.stderr);
    }
}

/// Each command that writes a file, and which file.
const WRITERS: [&str; 5] = [
    "normalize export.csv -o out",
    "normalize export.csv -o feed.csv --rejects out",
    "match --feed feed.csv.gz evil.example -o out",
    "scan --feed feed.csv.gz EDGE -o out",
    "scan --feed feed.csv.gz EDGE -o events.jsonl --met out",
];

/// Each option that writes a file, with a run of it that reads files.
const OPTIONS: [&str; 10] = [
    "normalize export.csv --policy policy.yaml -o feed.csv --rejects out",
    "normalize export.csv --fplist fplist.csv -o out",
    "match --feed feed.csv.gz evil.example -o out",
    "match --feed feed.csv.gz evil.example --format jsonl -o out",
    "scan --feed feed.csv.gz EDGE -o out",
    "scan --feed feed.csv.gz EDGE -o events.jsonl --met out",
    "scan --feed feed.csv.gz EDGE --hits out",
    "scan --feed feed.csv.gz EDGE -o events.jsonl --processes out --process-ids ids",
    "sightings hits.jsonl --misp out",
    "sightings hits.jsonl --stix out",
];

/// A folder with what the options read.
fn options_bench() -> Bench {
    let bench = writers_bench();
    fs::write(bench.path("policy.yaml"), "").unwrap();
    fs::write(bench.path("fplist.csv"), "").unwrap();
    fs::write(bench.path("ids"), "1\n").unwrap();
    write(&bench, "scan --feed feed.csv.gz EDGE --hits hits.jsonl");
    bench
}

/// Runs it with the output in another place.
fn refused(bench: &Bench, words: &str, out: &str) {
    let edge = scan::edge().display().to_string();
    let words = words.replace("EDGE", &edge);
    let words = words
        .split(' ')
        .map(|word| if word == "out" { out } else { word });
    let words: Vec<_> = words.collect();
    let before = fs::read(bench.path(out)).unwrap();
    let ran = bench.finish(bench.command(&words));
    assert_eq!(ran.code, 3, "{words:?}: {}", ran.stderr);
    let said = ran.error();
    assert!(
        said.contains("and stays as it is: name another file"),
        "{said}"
    );
    assert_eq!(fs::read(bench.path(out)).unwrap(), before, "{words:?}");
}

#[test]
fn no_option_replaces_a_file_of_another_kind_or_one_that_is_read() {
    let bench = options_bench();
    for words in OPTIONS {
        fs::write(bench.path("notes"), "my notes\n").unwrap();
        refused(&bench, words, "notes");
        fs::write(bench.path("notes.zip"), "PK\u{3}\u{4}").unwrap();
        refused(&bench, words, "notes.zip");
        let read = words.split(' ').filter(|word| bench.path(word).is_file());
        for input in read {
            refused(&bench, words, input);
        }
    }
}

#[test]
fn every_option_replaces_its_like() {
    let bench = options_bench();
    for words in OPTIONS.iter().filter(|words| !words.contains("fplist")) {
        fs::write(bench.path("out"), "").unwrap();
        write(&bench, words);
        write(&bench, words);
    }
}

#[test]
fn with_force_a_list_of_rejects_replaces_any_file() {
    let bench = bench();
    fs::write(bench.path("notes"), "my notes\n").unwrap();
    let ran = with_rejects(&bench, "notes", &["--force"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(bench.read("notes").starts_with("id,ioc,"));
}

#[test]
fn no_force_replaces_a_file_that_is_read() {
    let bench = bench();
    fs::write(bench.path("policy.yaml"), "").unwrap();
    fs::write(bench.path("fplist.csv"), "").unwrap();
    fs::create_dir(bench.path("lists")).unwrap();
    fs::write(bench.path("lists/x.json"), r#"{"type":"cidr","list":[]}"#).unwrap();
    fs::create_dir(bench.path("events")).unwrap();
    fs::write(bench.path("events/manifest.json"), r#"{"a-1":{}}"#).unwrap();
    fs::write(bench.path("events/a-1.json"), "{}").unwrap();
    symlink("export.csv", bench.path("link")).unwrap();
    for (words, read) in [
        ("normalize export.csv", "export.csv"),
        ("normalize export.csv", "link"),
        ("normalize link", "export.csv"),
        ("normalize export.csv --policy policy.yaml", "policy.yaml"),
        ("normalize export.csv --fplist fplist.csv", "fplist.csv"),
        ("normalize export.csv --warning-lists lists", "lists/x.json"),
        ("normalize events", "events/a-1.json"),
        ("normalize events", "events/manifest.json"),
        ("normalize -", "export.csv"),
        ("fetch --policy policy.yaml", "policy.yaml"),
        ("fetch --warning-lists lists", "lists/x.json"),
    ] {
        for option in ["-o", "-o feed.csv --rejects"] {
            let before = fs::read(bench.path(read)).unwrap();
            let words = format!("{words} --force {option} {read}");
            let words: Vec<_> = words.split(' ').collect();
            let mut command = bench.command(&words);
            command.stdin(fs::File::open(bench.path("export.csv")).unwrap());
            let ran = bench.finish(command);
            assert_eq!(ran.code, 3, "{words:?}: {}", ran.stderr);
            let said = "is read by this very run, and stays as it is: name another file";
            assert!(ran.error().contains(said), "{}", ran.stderr);
            assert!(!ran.error().contains("--force"), "{}", ran.stderr);
            assert_eq!(fs::read(bench.path(read)).unwrap(), before, "{words:?}");
        }
    }
    assert!(!bench.path("feed.csv").exists());
}

fn write(bench: &Bench, words: &str) {
    let edge = scan::edge().display().to_string();
    let words: Vec<_> = words
        .split(' ')
        .map(|word| if word == "EDGE" { &edge } else { word })
        .collect();
    let mut command = bench.command_of("/bin/sh");
    command.args(["-c", "umask 022; exec \"$0\" \"$@\""]);
    command.arg(support::program()).args(words);
    let ran = bench.finish(command);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

fn writers_bench() -> Bench {
    with_export(scan::bench())
}

#[test]
fn a_file_that_is_replaced_keeps_its_mode() {
    for words in WRITERS {
        for mode in [0o640, 0o600, 0o664, 0o444] {
            let bench = writers_bench();
            fs::write(bench.path("out"), "").unwrap();
            fs::set_permissions(bench.path("out"), fs::Permissions::from_mode(mode)).unwrap();
            write(&bench, words);
            let meta = fs::metadata(bench.path("out")).unwrap();
            assert_eq!(meta.mode() & 0o7777, mode, "{words}");
            assert!(meta.len() > 0, "{words}");
        }
        let bench = writers_bench();
        write(&bench, words);
        assert_eq!(
            fs::metadata(bench.path("out")).unwrap().mode() & 0o777,
            0o644,
            "{words}"
        );
    }
}

#[test]
fn an_output_follows_a_symbolic_link_and_is_renamed_beside_what_it_leads_to() {
    for words in WRITERS {
        for there in [true, false] {
            let bench = writers_bench();
            fs::create_dir(bench.path("real")).unwrap();
            if there {
                fs::write(bench.path("real/file"), "").unwrap();
                fs::set_permissions(bench.path("real/file"), fs::Permissions::from_mode(0o640))
                    .unwrap();
            }
            symlink("real/file", bench.path("middle")).unwrap();
            symlink("middle", bench.path("out")).unwrap();
            write(&bench, words);
            for link in ["out", "middle"] {
                assert!(
                    fs::symlink_metadata(bench.path(link)).unwrap().is_symlink(),
                    "{words}"
                );
            }
            let meta = fs::metadata(bench.path("real/file")).unwrap();
            assert!(meta.len() > 0, "{words}");
            assert_eq!(
                meta.mode() & 0o777,
                if there { 0o640 } else { 0o644 },
                "{words}"
            );
        }
    }
}

#[test]
fn links_that_lead_in_a_circle_are_an_error() {
    let bench = bench();
    symlink("b", bench.path("a")).unwrap();
    symlink("a", bench.path("b")).unwrap();
    let ran = bench.finish(bench.command(&["normalize", "export.csv", "-o", "a"]));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.error().contains("cannot write a: "), "{}", ran.stderr);
}
