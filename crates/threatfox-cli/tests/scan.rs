//! `threatfox scan` run on real logs, on the log with an answer key, and on damaged ones.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::normalize::{export, line};
use support::{Bench, Ran, program};

/// A chunk of a log, and what lies in front of the first.
const CHUNK: usize = 0x1_0000;
const HEADER: usize = 0x1000;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/evtx")
        .join(name)
}

fn edge() -> PathBuf {
    data("synth-edge-shared.evtx")
}

/// A folder with a feed of the answer key's indicators.
fn bench() -> Bench {
    let bench = Bench::new();
    let table = fs::read_to_string(data("synth-edge-shared.indicators.csv")).unwrap();
    let lines: Vec<_> = (1..)
        .zip(table.lines().skip(1))
        .map(|(id, row)| {
            let (kind, value) = row.split_once(',').unwrap();
            match kind {
                "ipv6" => line(id, &format!("[{value}]:0"), "ip:port"),
                "md5" | "sha1" | "sha256" => line(id, value, &format!("{kind}_hash")),
                kind => line(id, value, kind),
            }
        })
        .collect();
    let args = ["--allow-private", "-o", "feed.csv.gz"];
    let ran = support::normalize::run(&bench, export(&lines).as_bytes(), &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    bench
}

fn scan(bench: &Bench, args: &[&str]) -> Ran {
    bench.finish(bench.command(&[&["scan"], args].concat()))
}

/// The numbers of the records in JSON lines.
fn records(rows: &str) -> BTreeSet<u64> {
    let number = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        row["System"]["EventRecordID"].as_u64().unwrap()
    };
    let numbers: Vec<_> = rows.lines().map(number).collect();
    let unique: BTreeSet<_> = numbers.iter().copied().collect();
    assert_eq!(unique.len(), numbers.len(), "a record comes twice");
    unique
}

fn summary(run: &Ran) -> Value {
    serde_json::from_str(&run.stderr).unwrap_or_else(|_| panic!("{}", run.stderr))
}

/// The edge log with something done to its bytes, in the folder of the test.
fn damaged(bench: &Bench, name: &str, damage: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = fs::read(edge()).unwrap();
    damage(&mut bytes);
    fs::write(bench.path(name), bytes).unwrap();
    name.to_owned()
}

#[test]
fn each_record_that_the_answer_key_tells_of_is_a_candidate_and_no_background_is() {
    let run = scan(
        &bench(),
        &["--feed", "feed.csv.gz", edge().to_str().unwrap()],
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    let candidates = records(&run.stdout);

    let key = fs::read_to_string(data("synth-edge-shared.key.csv")).unwrap();
    let mut checked = 0;
    for row in key.lines().skip(1) {
        let record: u64 = row.split(',').next().unwrap().parse().unwrap();
        if row.contains(",match,") {
            assert!(candidates.contains(&record), "{row}");
            checked += 1;
        }
        if row.contains("background") {
            assert!(!candidates.contains(&record), "{row}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn only_the_rows_of_the_feed_that_were_met_are_written_as_they_stand() {
    let bench = bench();
    let log = data("sysmon6-issue_43.evtx");
    let feed = fs::read_to_string(data("known-values.csv")).unwrap();
    let known: Vec<_> = feed
        .lines()
        .filter(|row| {
            row.starts_with("sysmon6-issue_43")
                && row.contains("eid3_dst_ip_public")
                && !row.contains("::")
        })
        .collect();
    let value = known[0].split(',').nth(2).unwrap();
    let lines = [
        line(1, &format!("{value}:443"), "ip:port"),
        line(2, "unmet.example", "domain"),
    ];
    let made = support::normalize::run(&bench, export(&lines).as_bytes(), &["-o", "-"]);
    fs::write(bench.path("two.csv"), &made.stdout).unwrap();

    let run = scan(
        &bench,
        &[
            "--feed",
            "two.csv",
            "--met",
            "met.csv",
            "--summary",
            "json",
            log.to_str().unwrap(),
        ],
    );

    let met = fs::read_to_string(bench.path("met.csv")).unwrap();
    let mut rows = made.stdout.lines();
    assert_eq!(met.lines().next(), rows.next());
    assert_eq!(met.lines().nth(1), rows.find(|row| row.starts_with(value)));
    assert_eq!(met.lines().count(), 2);
    let summary = summary(&run);
    assert_eq!(
        (&summary["feed_rows"], &summary["met_rows"]),
        (&2.into(), &1.into())
    );
    assert_eq!(
        summary["candidates"],
        known[0].split(',').nth(3).unwrap().parse::<u64>().unwrap()
    );
}

#[test]
fn only_keys_of_the_kinds_asked_for_are_looked_up() {
    let bench = bench();
    let edge = edge();
    let args = [
        "--feed",
        "feed.csv.gz",
        "--summary",
        "json",
        edge.to_str().unwrap(),
    ];
    let all = summary(&scan(&bench, &args));
    let some = summary(&scan(&bench, &[&args[..], &["--kinds", "ip,url"]].concat()));
    assert_eq!(some["feed_rows"], 3);
    assert!(some["candidates"].as_u64() < all["candidates"].as_u64());
    let run = scan(&bench, &[&args[..], &["--kinds", "ip,address"]].concat());
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("give some of ip,domain,url_host"),
        "{}",
        run.stderr
    );
}

#[test]
fn rows_of_values_from_elsewhere_are_met_too() {
    let bench = bench();
    let log = data("not-sysmon-security-1-record.evtx");
    fs::write(
        bench.path("values"),
        "203.0.113.7\n2001:db8:0:0::7\ntype: 5 www.C2.bad-domain.example.\nother.example\n",
    )
    .unwrap();
    let args = [
        "--feed",
        "feed.csv.gz",
        "--met",
        "met.csv",
        "--values",
        "values",
    ];
    let run = scan(&bench, &[&args[..], &[log.to_str().unwrap()]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let met = fs::read_to_string(bench.path("met.csv")).unwrap();
    let keys: Vec<_> = met
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap())
        .collect();
    assert_eq!(
        keys,
        ["2001:db8::7", "203.0.113.7", "c2.bad-domain.example"]
    );
}

#[test]
fn the_summary_counts_sysmons_events_of_each_log_in_the_period() {
    let bench = bench();
    let (edge, real) = (edge(), data("sysmon6-issue_43.evtx"));
    let (edge, real) = (edge.to_str().unwrap(), real.to_str().unwrap());
    let run = scan(
        &bench,
        &["--feed", "feed.csv.gz", "--summary", "json", real, edge],
    );
    let all = summary(&run);
    let events = r#"{"1":356,"16":3,"2":851,"3":153,"4":3,"5":351,"6":13}"#;
    assert_eq!(
        all["logs"][0]["events"],
        serde_json::from_str::<Value>(events).unwrap()
    );
    assert_eq!(all["logs"][0]["path"], real);
    assert_eq!(all["logs"][1]["events"]["3"], 62); // 63, one of another provider

    let run = scan(
        &bench,
        &[
            "--summary",
            "json",
            "--after",
            "2026-11-18T08:01:00Z",
            "--before",
            "1795000000",
            edge,
        ],
    );
    let some = summary(&run);
    let first = some["logs"][0]["first"].as_f64().unwrap();
    assert!(
        (1_794_988_860.0..1_795_000_000.0).contains(&first),
        "{first}"
    );
    assert!(some["candidates"].as_u64() < all["logs"][1]["events"]["3"].as_u64().map(|n| n + 87));
    assert_eq!(some["candidates"], run.stdout.lines().count());
}

#[test]
fn threads_and_rests_change_nothing() {
    let bench = bench();
    let log = data("otrf-metasploit-sharpdump.evtx");
    let log = log.to_str().unwrap();
    let one = scan(&bench, &[log]);
    assert_eq!(one.stdout.lines().count(), 1779);
    for args in [&["--threads", "3"][..], &["--max-cpu", "90"]] {
        let other = scan(&bench, &[args, &[log]].concat());
        assert!(
            one.stdout == other.stdout && one.stderr == other.stderr,
            "{args:?}"
        );
    }
}

#[test]
fn patterns_and_lists_name_logs_and_each_is_read_once() {
    let bench = bench();
    fs::create_dir(bench.path("old[1]")).unwrap();
    for name in ["a.evtx", "b.evtx", "old[1]/c.evtx"] {
        fs::copy(edge(), bench.path(name)).unwrap();
    }
    fs::write(bench.path("list.txt"), "b.evtx\nold[1]/c.evtx\n").unwrap();
    for (args, count) in [
        (&["*.evtx"][..], 2),
        (&["**/*.evtx"], 3),
        (&["old[1]/c.evtx"], 1),
        (&["a.evtx", "*.evtx", "--logs-from", "list.txt"], 3),
    ] {
        let run = scan(
            &bench,
            &[args, &["--summary", "json", "-o", "events.jsonl"]].concat(),
        );
        let summary: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(summary["logs"].as_array().unwrap().len(), count, "{args:?}");
        assert_eq!(
            fs::read_to_string(bench.path("events.jsonl"))
                .unwrap()
                .lines()
                .count(),
            149 * count
        );
    }
}

#[test]
fn a_damaged_part_is_counted_and_the_rest_is_read() {
    let bench = bench();
    let whole = records(&scan(&bench, &[edge().to_str().unwrap()]).stdout);
    let second = HEADER + CHUNK;
    for (name, damage, lost) in [
        (
            "zeros.evtx",
            (|bytes| bytes[HEADER..HEADER + CHUNK].fill(0)) as fn(&mut Vec<u8>),
            false,
        ),
        (
            "cut.evtx",
            |bytes| bytes.truncate(HEADER + 2 * CHUNK + 5000),
            true,
        ),
        (
            "other.evtx",
            |bytes| bytes[HEADER..HEADER + 8].fill(b'x'),
            true,
        ),
        (
            "record.evtx",
            |bytes| bytes[HEADER + CHUNK + 512] = b'x',
            true,
        ),
        (
            "size.evtx",
            |bytes| bytes[HEADER + CHUNK + 516..][..4].fill(0xff),
            true,
        ),
        ("junk.evtx", |bytes| bytes.extend([7; 100]), true),
        (
            "unused.evtx",
            |bytes| bytes.resize(bytes.len() + 70_000, 0),
            false,
        ),
    ] {
        let log = damaged(&bench, name, damage);
        let run = scan(&bench, &["--summary", "json", &log]);
        assert_eq!(run.code, 0, "{name}: {}", run.stderr);
        assert_eq!(
            summary(&run)["logs"][0]["damaged_chunks"],
            u64::from(lost),
            "{name}"
        );
        let read = records(&run.stdout);
        assert!(!read.is_empty() && read.is_subset(&whole), "{name}");
    }
    assert!(
        fs::read(edge()).unwrap().len() > second,
        "the log has two chunks"
    );
}

#[test]
fn a_log_that_cannot_be_read_is_told_and_the_others_are_searched() {
    let bench = bench();
    fs::write(bench.path("text.evtx"), "no log").unwrap();
    fs::write(bench.path("empty.evtx"), "").unwrap();
    let version = damaged(&bench, "version.evtx", |bytes| bytes[38] = 4);
    let good = damaged(&bench, "good.evtx", |_| {});
    fs::write(
        bench.path("list"),
        format!("gone.evtx\ntext.evtx\nempty.evtx\n{version}\n{good}"),
    )
    .unwrap();

    let run = scan(&bench, &["--summary", "json", "--logs-from", "list"]);

    assert_eq!(run.code, 0, "{}", run.stderr);
    let summary = summary(&run);
    for (n, error) in [
        (0, "cannot read gone.evtx: No such file"),
        (
            1,
            "text.evtx is not a Windows event log: it does not begin like",
        ),
        (2, "empty.evtx is not a Windows event log"),
        (3, "it has version 4.1, and only 3.0 to 3.2 are known"),
    ] {
        assert!(
            summary["logs"][n]["error"]
                .as_str()
                .unwrap()
                .contains(error),
            "{summary}"
        );
    }
    assert_eq!(summary["logs"][4]["error"], Value::Null);
    assert_eq!(run.stdout.lines().count(), 149);
}

#[test]
fn nothing_to_search_or_to_look_for_is_a_failure_that_leaves_earlier_files_alone() {
    let bench = bench();
    fs::write(bench.path("text.evtx"), "no log").unwrap();
    fs::write(bench.path("empty.list"), "").unwrap();
    fs::write(bench.path("old.csv"), "key,ioc\n203.0.113.7,x\n").unwrap();
    fs::write(bench.path("head.csv"), "key,kind,ioc,ioc_type,regex,ports,malware,threat_type,confidence,first_seen,last_seen,id,iocs,compromised\n").unwrap();
    fs::write(bench.path("out.jsonl"), "before").unwrap();
    let edge = edge();
    let edge = edge.to_str().unwrap();
    for (args, says) in [
        (&["nothing/*.evtx"][..], "no log matches nothing/*.evtx"),
        (&["text.evtx"], "text.evtx is not a Windows event log"),
        (&["--logs-from", "empty.list"], "no log is named"),
        (
            &["--logs-from", "gone.list"],
            "cannot read the list gone.list",
        ),
        (
            &["--feed", "old.csv", edge],
            "not a feed of this version: it lacks the columns kind, ioc_type",
        ),
        (&["--feed", "text.evtx", edge], "text.evtx is no feed"),
        (
            &["--feed", "head.csv", edge],
            "no row of the kinds asked for",
        ),
        (&["--feed", "gone.csv", edge], "gone.csv"),
    ] {
        let run = scan(&bench, &[args, &["-o", "out.jsonl"]].concat());
        assert_eq!(run.code, 1, "{args:?}");
        assert!(run.stderr.contains(says), "{args:?}: {}", run.stderr);
        assert_eq!(
            fs::read_to_string(bench.path("out.jsonl")).unwrap(),
            "before",
            "{args:?}"
        );
    }
    for args in [
        &[][..],
        &["--met", "x", edge],
        &["--after", "yesterday", edge],
        &["a***", "-o", "out.jsonl"],
    ] {
        assert_eq!(scan(&bench, args).code, 2, "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_scan_quietly() {
    let mut child = std::process::Command::new(program())
        .arg("scan")
        .arg(data("otrf-metasploit-sharpdump.evtx"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
