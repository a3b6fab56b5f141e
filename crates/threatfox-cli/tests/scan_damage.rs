//! `threatfox scan` run on logs that are damaged, missing or in use.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod support;

use std::fs;

use serde_json::Value;
use support::scan::{bench, data, edge, records, scan, summary};
use support::{Bench, program};

/// A chunk of a log, and what lies in front of the first.
const CHUNK: usize = 0x1_0000;
const HEADER: usize = 0x1000;

/// The edge log with something done to its bytes, in the folder of the test.
fn damaged(bench: &Bench, name: &str, damage: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = fs::read(edge()).unwrap();
    damage(&mut bytes);
    fs::write(bench.path(name), bytes).unwrap();
    name.to_owned()
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

/// Where the records of the edge log's first chunk begin, with their sizes.
fn records_of_first_chunk(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut records = Vec::new();
    let mut at = HEADER + 512;
    while bytes[at..].starts_with(b"**\0\0") {
        let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        records.push((at, size));
        at += size;
    }
    records
}

#[test]
fn a_record_that_cannot_be_read_is_counted_as_damaged() {
    let bench = bench();
    let whole = scan(&bench, &[edge().to_str().unwrap(), "--summary", "json"]);
    let all = summary(&whole)["candidates"].as_u64().unwrap();
    // The token of the template instance, behind the fragment's header; the version of the instance.
    for (name, offset) in [("token.evtx", 24 + 4), ("instance.evtx", 24 + 5)] {
        let log = damaged(&bench, name, |bytes| {
            let (at, _) = records_of_first_chunk(bytes)[5];
            bytes[at + offset] = 0x77;
        });
        let run = scan(&bench, &["--summary", "json", &log]);
        let log = &summary(&run)["logs"][0];
        assert_eq!(log["damaged_records"], 1, "{name}: {log}");
        assert_eq!(log["damaged_chunks"], 0, "{name}");
        assert_eq!(log["candidates"], all - 1, "{name}");
        let text = scan(&bench, &[name]).stderr;
        assert!(text.contains("1 damaged records"), "{text}");
    }
}

#[test]
fn a_record_whose_fields_cannot_be_read_is_counted_as_damaged_and_still_searched() {
    let bench = bench();
    let log = damaged(&bench, "fields.evtx", |bytes| {
        let (at, size) = records_of_first_chunk(bytes)[5];
        // The fields are a template instance in the record's values, behind a header of their own.
        let nested = [0x0f, 1, 1, 0, 0x0c];
        let record = &bytes[at + 29..at + size];
        let found = record
            .windows(5)
            .position(|window| window == nested)
            .unwrap();
        bytes[at + 29 + found + 4] = 0x77;
    });
    let run = scan(&bench, &["--summary", "json", &log]);
    let log = &summary(&run)["logs"][0];
    assert_eq!(log["damaged_records"], 1, "{log}");
    assert_eq!(log["candidates"], 149, "{log}");
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
    fs::write(bench.path("out.jsonl"), "{\"System\":1}\n").unwrap();
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
            "not a feed of this version: old.csv lacks the columns kind, ioc_type",
        ),
        (
            &["--feed", "text.evtx", edge],
            "not a feed: text.evtx begins with",
        ),
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
            "{\"System\":1}\n",
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
