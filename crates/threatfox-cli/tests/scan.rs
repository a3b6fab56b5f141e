//! `threatfox scan` run on real logs and on the log with an answer key.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod support;

use std::fs;

use serde_json::Value;
use support::normalize::{export, line};
use support::scan::{bench, data, edge, records, scan, summary};

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
    let events =
        r#"{"Microsoft-Windows-Sysmon":{"1":356,"16":3,"2":851,"3":153,"4":3,"5":351,"6":13}}"#;
    assert_eq!(
        all["logs"][0]["events"],
        serde_json::from_str::<Value>(events).unwrap()
    );
    assert_eq!(all["logs"][0]["path"], real);
    let edge_events = &all["logs"][1]["events"];
    assert_eq!(edge_events["Microsoft-Windows-Sysmon"]["3"], 61);
    assert_eq!(edge_events["Linux-Sysmon"]["3"], 1);
    assert_eq!(all["logs"][1]["other"], 1);
    assert_eq!(all["logs"][1]["damaged_records"], 0);

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
    assert!(some["candidates"].as_u64() < Some(149));
    assert_eq!(some["candidates"], run.stdout.lines().count());

    let run = scan(
        &bench,
        &[
            "--summary",
            "json",
            "--before",
            "9999-12-31T23:59:59Z",
            edge,
        ],
    );
    assert_eq!(summary(&run)["logs"][0]["events"], *edge_events, "no end");
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

/// A real log of Windows beside Sysmon's.
fn of_windows(name: &str) -> String {
    let log = data("../evtx-windows").join(name);
    log.to_str().unwrap().to_owned()
}

#[test]
fn a_job_of_bits_is_given_whenever_it_began_as_its_download_may_be_later() {
    let log = of_windows("bits-3-59-60.evtx");
    let ids = |text: &str| -> Vec<Value> {
        let id = |line: &str| {
            let row: Value = serde_json::from_str(line).unwrap();
            row["System"]["EventID"]["Value"].clone()
        };
        text.lines().map(id).collect()
    };
    let late = ["--after", "2100-01-01T00:00:00Z", "--summary", "json", &log];
    let run = scan(&bench(), &[&["--feed", "feed.csv.gz"], &late[..]].concat());
    assert!(!ids(&run.stdout).is_empty());
    assert!(ids(&run.stdout).iter().all(|id| *id == 3), "{}", run.stdout);
    let read = &summary(&run)["logs"][0];
    assert_eq!(read["events"], serde_json::json!({}), "{read}");
    assert_eq!(scan(&bench(), &late).stdout, "");
}

#[test]
fn the_summary_says_when_each_provider_wrote_and_whether_it_logs_command_lines() {
    const SECURITY: &str = "Microsoft-Windows-Security-Auditing";
    let log = of_windows("security-4688-certutil.evtx");
    let run = scan(&bench(), &["--summary", "json", &log]);
    let read = &summary(&run)["logs"][0];
    let span = &read["spans"][SECURITY];
    assert!(span["first"].as_f64().unwrap() <= span["last"].as_f64().unwrap());
    assert_eq!(read["told"][SECURITY]["4688"], true, "{read}");
    assert_eq!(read["first"], span["first"]);
}
