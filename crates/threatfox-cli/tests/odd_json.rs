//! JSON with one odd record: half a pair of surrogates, bytes that are not UTF-8, something else in place of a record.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::record;
use support::sources::{failed, made};

fn read(content: &[u8]) -> Value {
    made(content, &[]).0
}

/// Twenty records of each source of JSON. `odd` stands in place of the fourth, whose number is `4`.
fn json_sources(odd: impl Fn(&str) -> String) -> [(&'static str, String); 5] {
    let all = |record: &str, between: &str| {
        let records = (1..=20).map(|n| match n {
            4 => odd(record),
            n => record.replace('@', &n.to_string()),
        });
        let numbered = records
            .zip(1..)
            .map(|(record, n)| between.replace('#', &n.to_string()) + &record);
        numbered.collect::<Vec<_>>().join(",")
    };
    let threatfox = record(7, "evil@.example", "domain")
        .replace("\"7\"", "\"@\"")
        .replace("someone", "a note");
    let urlhaus = r#"{"dateadded": "2026-03-15 04:50:08 UTC", "url": "http://evil@.example/x", "url_status": "online", "tags": ["a note"]}"#;
    let misp =
        r#"{"type": "domain", "value": "evil@.example", "to_ids": true, "comment": "a note"}"#;
    let stix = r#"{"type": "indicator", "id": "indicator--@", "name": "a note", "pattern": "[domain-name:value = 'evil@.example']"}"#;
    [
        (
            "ThreatFox",
            format!(
                r#"{{"query_status": "ok", "data": [{}]}}"#,
                all(&threatfox, "")
            ),
        ),
        (
            "ThreatFox by number",
            format!("{{{}}}", all(&threatfox, r##""#": "##)),
        ),
        ("URLhaus", format!(r#"{{"urls": [{}]}}"#, all(urlhaus, ""))),
        (
            "MISP",
            format!(
                r#"{{"Event": {{"info": "x", "Attribute": [{}]}}}}"#,
                all(misp, "")
            ),
        ),
        (
            "STIX",
            format!(r#"{{"type": "bundle", "objects": [{}]}}"#, all(stix, "")),
        ),
    ]
}

#[test]
fn half_a_pair_of_surrogates_in_json_costs_no_other_record() {
    for odd in [r"\ud83d", r"\ude00\ud83d"] {
        for (source, json) in json_sources(|record| record.replace('@', odd)) {
            let summary = read(json.as_bytes());
            assert_eq!(summary["kept"], 19, "{source}: {summary}");
            assert_eq!(summary["read"], 20, "{source}: {summary}");
        }
        // Beside the indicator it does not even cost its own record.
        for (source, json) in json_sources(|record| record.replace("a note", odd).replace('@', "4"))
        {
            assert!(json.contains(odd), "{source}");
            assert_eq!(read(json.as_bytes())["kept"], 20, "{source}");
        }
    }
}

#[test]
fn json_that_is_not_utf_8_costs_its_record_alone() {
    for (source, json) in json_sources(|record| record.replace('@', "4~").replace("a note", "~")) {
        let latin1: Vec<u8> = json
            .bytes()
            .map(|b| if b == b'~' { 0xfc } else { b })
            .collect();
        let summary = read(&latin1);
        assert_eq!(summary["kept"], 19, "{source}: {summary}");
        assert_eq!(summary["read"], 20, "{source}: {summary}");
        let url = source == "URLhaus";
        assert_eq!(summary["dropped"]["not_utf8"] == 1, url, "{summary}");
    }
}

#[test]
fn what_is_no_record_in_a_list_of_json_is_left_out_and_counted() {
    for odd in ["null", "\"x\"", "7", "true", "[{}]"] {
        for (source, json) in json_sources(|_| odd.to_owned()) {
            if odd == "[{}]" && source == "ThreatFox by number" {
                continue;
            }
            let summary = read(json.as_bytes());
            assert_eq!(summary["kept"], 19, "{source}, {odd}: {summary}");
            assert_eq!(
                summary["dropped"]["fields_missing"], 1,
                "{source}, {odd}: {summary}"
            );
        }
    }
    // Three of them in twenty are a format that has changed.
    let (_, json) = &json_sources(|_| "null, 7, \"x\"".to_owned())[0];
    let error = failed(json.as_bytes(), &[]);
    let problem = "threatfox: not an object with fields (so in 3 of 22 records): ";
    assert!(error.starts_with(problem), "{error}");
}
