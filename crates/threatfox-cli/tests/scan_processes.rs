//! `threatfox scan --processes`: the events in which the processes of candidates begin.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod support;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use support::scan::{data, feed_of, scan, summary};

fn rows(text: &str) -> Vec<Value> {
    let row = |line: &str| serde_json::from_str(line).unwrap();
    text.lines().map(row).collect()
}

fn is(row: &Value, id: u64) -> bool {
    row["System"]["EventID"]["Value"] == id
}

fn guid(row: &Value) -> String {
    row["EventData"]["ProcessGuid"].as_str().unwrap().to_owned()
}

const NO_GUID: &str = "00000000-0000-0000-0000-000000000000";

fn id(row: &Value) -> u64 {
    row["EventData"]["ProcessId"].as_u64().unwrap()
}

#[test]
fn each_process_of_a_candidate_has_the_event_in_which_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("indicators.csv");
    fs::write(
        &table,
        "kind,value\ndomain,umwatson.events.data.microsoft.com\nip:port,23.62.18.39:443\n",
    )
    .unwrap();
    let bench = feed_of(&table);
    let logs = [
        "otrf-covenant-dcom-iertutil.evtx",
        "otrf-metasploit-sharpdump.evtx",
    ]
    .map(data);
    let logs = logs.each_ref().map(|log| log.to_str().unwrap());

    let all = scan(&bench, &logs);
    let begun: Vec<_> = rows(&all.stdout)
        .into_iter()
        .filter(|row| is(row, 1))
        .collect();
    let args = [
        "--feed",
        "feed.csv.gz",
        "--output",
        "events.jsonl",
        "--processes",
        "processes.jsonl",
        "--summary",
        "json",
    ];
    let ran = scan(&bench, &[&args[..], &logs].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);

    let events = rows(&fs::read_to_string(bench.path("events.jsonl")).unwrap());
    // Where Sysmon does not know the process it writes zeros: then its id counts.
    let (unknown, known): (Vec<_>, Vec<_>) = events.iter().partition(|row| guid(row) == NO_GUID);
    let guids: BTreeSet<_> = known.into_iter().map(guid).collect();
    let ids: BTreeSet<_> = unknown.into_iter().map(id).collect();
    assert!(!guids.is_empty() && !ids.is_empty());
    let expected: Vec<_> = begun
        .iter()
        .filter(|row| guids.contains(&guid(row)) || ids.contains(&id(row)))
        .collect();
    let written = rows(&fs::read_to_string(bench.path("processes.jsonl")).unwrap());
    assert_eq!(written.iter().collect::<Vec<_>>(), expected);
    assert!(written.len() > 3 && written.len() < begun.len());
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["processes"], written.len());
}

#[test]
fn without_a_candidate_no_log_is_read_again() {
    let bench = feed_of(&data("synth-edge-shared.indicators.csv"));
    let log = data("sysmon-psexec-dns.evtx");
    let args = [
        "--feed",
        "feed.csv.gz",
        "-o",
        "-",
        "--processes",
        "processes.jsonl",
        "--summary",
        "json",
    ];
    let ran = scan(&bench, &[&args[..], &[log.to_str().unwrap()]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert_eq!(
        fs::read_to_string(bench.path("processes.jsonl")).unwrap(),
        ""
    );
    assert_eq!(summary(&ran)["processes"], 0);
}
