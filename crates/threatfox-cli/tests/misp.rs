//! MISP as it is in the field: what was deleted, tags of attributes, and the shapes of its JSON.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use serde_json::json;
use support::Bench;
use support::sources::{adds_up, failed, made, normalize};

const PRIVATE: &[&str] = &["--allow-private"];

#[test]
fn what_was_deleted_is_not_for_detection_however_the_flag_is_written() {
    let event = json!({"Event": {"info": "x", "Attribute": [
        {"type": "domain", "value": "kept.example", "to_ids": true, "deleted": false},
        {"type": "domain", "value": "gone1.example", "to_ids": true, "deleted": true},
        {"type": "domain", "value": "gone2.example", "to_ids": true, "deleted": "1"},
        {"type": "domain", "value": "gone3.example", "to_ids": true, "deleted": 1},
    ], "Object": [
        {"name": "file", "deleted": true, "Attribute": [{"type": "domain", "value": "gone4.example", "to_ids": true}]},
        {"name": "file", "Attribute": [{"type": "domain", "value": "gone5.example", "to_ids": true}], "deleted": "1"},
        {"name": "file", "Attribute": [{"type": "domain", "value": "also.example", "to_ids": true}], "deleted": false},
    ]}});
    let (summary, feed) = made(event.to_string().as_bytes(), &[]);
    assert_eq!(summary["dropped"], json!({"not_for_detection": 5}));
    assert!(!feed.contains("gone"), "{feed}");
    assert!(
        feed.contains("kept.example,") && feed.contains("also.example,"),
        "{feed}"
    );
    let csv = "type,value,deleted\ndomain,kept.example,0\ndomain,gone.example,1\n";
    let (summary, feed) = made(csv.as_bytes(), &[]);
    assert_eq!(summary["dropped"], json!({"not_for_detection": 1}));
    assert!(!feed.contains("gone"), "{feed}");
}

#[test]
fn the_tags_of_an_attribute_count_with_those_of_its_event_and_its_own_family_wins() {
    let tag = |name: &str| json!([{"name": name}]);
    let event = json!({"Event": {"info": "a title", "Tag": [
        {"name": "misp-galaxy:malpedia=\"Emotet\""}, {"name": "osint:event"}],
    "Attribute": [
        {"type": "domain", "value": "own.example", "to_ids": true, "Tag": tag("misp-galaxy:malpedia=\"QakBot\"")},
        {"type": "domain", "value": "event.example", "to_ids": true, "Tag": tag("osint:x")},
    ], "Object": [{"name": "file", "Attribute": [
        {"type": "domain", "value": "object.example", "to_ids": true, "Tag": tag("misp-galaxy:tool=\"PlugX\"")}]}]}});
    let event = event.to_string();
    let (_, feed) = made(event.as_bytes(), &[]);
    let family = |key: &str| {
        let start = format!("{key},");
        let row = feed.lines().find(|row| row.starts_with(&start)).unwrap();
        row.split(',').nth(6).unwrap().to_owned()
    };
    assert_eq!(family("own.example"), "QakBot");
    assert_eq!(family("event.example"), "Emotet");
    assert_eq!(family("object.example"), "PlugX");

    let (_, rows) = made(event.as_bytes(), &["--by", "ioc"]);
    assert!(
        rows.contains(r#""osint:x,misp-galaxy:malpedia=""Emotet"",osint:event""#),
        "{rows}"
    );
    for (policy, kept) in [("osint:x", 2), ("osint:event", 0)] {
        let bench = Bench::new();
        fs::write(bench.path("input"), &event).unwrap();
        let content = format!("ignore:\n  tags: ['{policy}']\n");
        fs::write(bench.path("policy.yaml"), content).unwrap();
        let ran = normalize(
            &bench,
            &[&bench.path("input")],
            &["--by", "ioc", "--policy", "policy.yaml"],
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        adds_up(&summary);
        assert_eq!(summary["kept"], kept, "{policy}");
    }
}

#[test]
fn without_families_of_the_event_those_of_an_attribute_count_in_csv_too() {
    let event = json!({"Event": {"info": "a title", "Attribute": [
        {"type": "domain", "value": "own.example", "to_ids": true, "Tag": [{"name": "misp-galaxy:malpedia=\"QakBot\""}]},
        {"type": "domain", "value": "none.example", "to_ids": true, "Tag": []}]}});
    let csv = "type,value,attribute_tag,event_tag,event_info\n\
        domain,own.example,\"osint,misp-galaxy:malpedia=\"\"QakBot\"\"\",misp-galaxy:malpedia=\"\"Emotet\"\",a title\n\
        domain,none.example,,,a title\n";
    for content in [event.to_string(), csv.to_owned()] {
        let (_, feed) = made(content.as_bytes(), &[]);
        assert!(
            feed.contains("own\\.example$,,QakBot,") && feed.contains("none\\.example$,,a title,"),
            "{feed}"
        );
    }
}

#[test]
fn a_time_of_0_is_none_at_all() {
    let event = json!({"Event": {"info": "x", "Attribute": [
        {"type": "domain", "value": "a.example", "to_ids": true, "timestamp": "0"},
        {"type": "domain", "value": "b.example", "to_ids": true, "timestamp": 0, "last_seen": "0"}]}});
    let (summary, feed) = made(event.to_string().as_bytes(), &[]);
    assert_eq!(summary["kept"], 2, "{summary}");
    assert!(feed.contains("a\\.example$,,x,,50,,,,1,"), "{feed}");
    let csv = "type,value,timestamp,date\ndomain,a.example,0,2026-11-01\n";
    let (_, feed) = made(csv.as_bytes(), &[]);
    assert!(feed.contains(",50,2026-11-01T00:00:00Z,"), "{feed}");
    let csv = "name,day\na.example,0\n";
    let columns = &["--columns", "value=name,first_seen=day"];
    assert_eq!(made(csv.as_bytes(), columns).0["kept"], 1);
}

#[test]
fn an_attribute_with_a_date_that_cannot_be_read_is_kept_without_it() {
    let dates = [
        json!({"first_seen": "0001-01-01T00:00:00Z"}),
        json!({"first_seen": "9999-12-31T00:00:00Z", "timestamp": "1767225600"}),
        json!({"last_seen": "9999-12-31T00:00:00Z"}),
        json!({"timestamp": "-5"}),
        json!({"timestamp": "abc"}),
        json!({"timestamp": 1_767_225_600.5}),
        json!({"timestamp": 253_402_300_799_u64}),
    ];
    let attributes = dates
        .into_iter()
        .enumerate()
        .map(|(number, mut attribute)| {
            attribute["type"] = json!("domain");
            attribute["value"] = json!(format!("a{number}.example"));
            attribute["to_ids"] = json!(true);
            attribute
        });
    let attributes: Vec<_> = attributes.collect();
    let event = json!({"Event": {"info": "x", "Attribute": attributes}}).to_string();
    let (summary, feed) = made(event.as_bytes(), &[]);
    assert_eq!(summary["kept"], 7, "{summary}");
    assert_eq!(summary["inputs"][0]["unread_values"], 6);
    let with_date: Vec<_> = feed.lines().filter(|row| row.contains(",20")).collect();
    assert!(
        with_date.len() == 1
            && with_date[0].starts_with("a1.example,")
            && with_date[0].contains(",2026-01-01T00:00:00Z,,"),
        "{with_date:?}"
    );
    let csv = "type,value,timestamp\ndomain,a.example,abc\n";
    let (summary, _) = made(csv.as_bytes(), &[]);
    assert_eq!(summary["inputs"][0]["unread_values"], 1);
}

#[test]
fn a_network_with_a_port_is_each_of_its_addresses_at_that_port() {
    let event = json!({"Event": {"info": "x", "Attribute": [
        {"type": "ip-dst|port", "value": "198.41.5.16/30|80", "to_ids": true}]}});
    let csv = "type,value\nip-dst|port,198.41.5.16/30|80\n";
    let bundle = json!({"type": "bundle", "objects": [{"type": "indicator", "id": "indicator--1", "name": "x",
        "pattern": "[ipv4-addr:value = '198.41.5.16/30' AND network-traffic:dst_port = 80]"}]});
    for content in [event.to_string(), csv.to_owned(), bundle.to_string()] {
        let bench = Bench::new();
        fs::write(bench.path("input"), &content).unwrap();
        assert_eq!(normalize(&bench, &[&bench.path("input")], &[]).code, 0);
        for (value, strength) in [
            ("198.41.5.17:80", "ip:port,strong"),
            ("198.41.5.17:81", "ip,medium"),
        ] {
            let ran = bench.finish(bench.command(&["match", "--feed", "feed.csv", value]));
            assert!(ran.stdout.contains(strength), "{content}: {}", ran.stdout);
        }
    }
}

#[test]
fn an_event_is_read_wrapped_or_bare_and_the_attributes_of_a_search_without_one() {
    let attribute = json!({"type": "domain", "value": "bad.example", "to_ids": true});
    let mut found = attribute.clone();
    found["Event"] = json!({"id": "7", "info": "a title"});
    let event = json!({"info": "a title", "Attribute": [attribute]});
    for content in [
        json!({"Event": event}),
        json!({"response": [{"Event": event}]}),
        event.clone(),
        json!([event]),
        json!({"response": {"Attribute": [found]}}),
        json!({"response": [{"Attribute": found}]}),
        json!({"response": [{"Object": {"name": "file", "Attribute": [found]}}]}),
    ] {
        let (summary, feed) = made(content.to_string().as_bytes(), &[]);
        assert_eq!(summary["inputs"][0]["format"], "misp_event", "{content}");
        assert!(
            feed.contains("bad\\.example$,,a title,"),
            "{content}: {feed}"
        );
    }
}

#[test]
fn an_event_without_attributes_in_a_folder_does_not_stop_the_others() {
    let bench = Bench::new();
    let folder = bench.path("misp");
    fs::create_dir(&folder).unwrap();
    let write = |name: &str, content: &str| fs::write(folder.join(name), content).unwrap();
    write("manifest.json", r#"{"a": {}, "b": {}, "c": {}, "d": {}}"#);
    write("a.json", r#"{"Event": {"info": "x", "Attribute": []}}"#);
    write("b.json", r#"{"Event": {"info": "x"}}"#);
    write(
        "c.json",
        r#"{"Event": {"info": "x", "Attribute": null, "Object": null}}"#,
    );
    write(
        "d.json",
        r#"{"Event": {"info": "x", "Attribute": [{"type": "domain", "value": "a.example", "to_ids": true}]}}"#,
    );
    let ran = normalize(&bench, &[&folder], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(bench.read("feed.csv").contains("\na.example,"));
    write("manifest.json", r#"{"a": {}, "b": {}}"#);
    let ran = normalize(&bench, &[&folder], &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.error().contains("among the 0 read"), "{}", ran.stderr);
}

#[test]
fn a_whole_file_without_indicators_is_not_called_incomplete() {
    for (content, args, problem) in [
        (r#"{"Event": {}}"#, &[][..], "it holds no records"),
        (r#"{"response": []}"#, &[], "it holds no records"),
        (
            r#"{"Event": {"Attribute": [{"type": "domain", "value": "a.example", "to_ids": true}]}}"#,
            &["--input-format", "stix"],
            "no objects of STIX",
        ),
        (
            r#"{"type": "bundle", "objects": [{"type": "malware", "id": "malware--1"}]}"#,
            &[],
            "none of its 1 objects is an indicator",
        ),
        (r#"{"more": false}"#, &[], "no objects of STIX"),
    ] {
        let error = failed(content.as_bytes(), args);
        let whole = format!("threatfox: {problem}: ");
        assert!(
            error.starts_with(&whole)
                && error.ends_with(
                    "input has no indicators: give a file that has some; where --input-format is given, name the form that the file has"
                ),
            "{error}"
        );
    }
}

#[test]
fn two_events_with_one_address_at_two_ports_are_two_rows_in_any_order() {
    let event = |port: &str| {
        json!({"Event": {"info": "x", "Attribute": [
            {"type": "ip-dst|port", "value": format!("203.0.113.8|{port}"), "to_ids": true, "timestamp": "1472541011"},
            {"type": "ip-dst|port", "value": format!("2001:db8::7|{port}"), "to_ids": true, "timestamp": "1472541011"}]}})
    };
    let bench = Bench::new();
    let (a, b) = (bench.path("a"), bench.path("b"));
    fs::write(&a, event("80").to_string()).unwrap();
    fs::write(&b, event("443").to_string()).unwrap();
    let args = [PRIVATE, &["--by", "ioc"]].concat();
    assert_eq!(normalize(&bench, &[&a, &b], &args).code, 0);
    let first = bench.read("feed.csv");
    assert_eq!(normalize(&bench, &[&b, &a], &args).code, 0);
    assert_eq!(first, bench.read("feed.csv"));
    let iocs: Vec<_> = first
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap())
        .collect();
    assert_eq!(
        iocs,
        [
            "203.0.113.8:443",
            "203.0.113.8:80",
            "[2001:db8::7]:443",
            "[2001:db8::7]:80"
        ]
    );
}
