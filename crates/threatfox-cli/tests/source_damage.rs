//! Feeds of other sources that are damaged, hostile, or large.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use support::Bench;
use support::sources::{adds_up, failed, made, normalize, sample};

#[test]
fn of_an_event_only_what_is_for_detection_counts_whatever_its_size() {
    let mut attributes: Vec<String> = (0..100_000)
        .map(|n| format!(r#"{{"type": "domain", "value": "site{n}.top", "to_ids": false}}"#))
        .collect();
    for n in 0..10 {
        attributes[n * 9_000] =
            format!(r#"{{"type": "ip-dst|port", "value": "198.41.5.{n}|443", "to_ids": true}}"#);
    }
    let event = format!(
        r#"{{"Event": {{"info": "x", "Attribute": [{}]}}}}"#,
        attributes.join(",")
    );
    let (summary, feed) = made(event.as_bytes(), &[]);
    assert_eq!(summary["kept"], 10);
    assert_eq!(summary["dropped"]["not_for_detection"], 99_990);
    assert_eq!(feed.lines().count(), 11);
    assert!(
        feed.contains("198.41.5.3,ip,198.41.5.3,ip:port,^198\\.41\\.5\\.3$,443,x,"),
        "{feed}"
    );
}

#[test]
fn a_list_may_have_some_nonsense_and_says_how_much() {
    let good: String = (0..70).fold(String::new(), |text, n| {
        text + &format!("- evil{n}[.]top\n")
    });
    let bad = "what a day\n".repeat(30);
    let (summary, _) = made((good.clone() + &bad).as_bytes(), &[]);
    assert_eq!(summary["kept"], 70);
    assert_eq!(summary["dropped"]["bad_domain"], 30);
    let error = failed(
        (good + &bad.repeat(3)).as_bytes(),
        &["--input-format", "list"],
    );
    assert!(error.contains("(so in 90 of 160 records): "), "{error}");
}

#[test]
fn lines_of_a_list_that_nobody_can_read_are_damage_where_more_than_one_in_ten_is_so() {
    let good = b"a.example\n".repeat(90);
    let too_large = "x".repeat(70_000) + "\n";
    for (bad, reason) in [
        (&b"m\xfc.example\n"[..], "not_utf8"),
        (too_large.as_bytes(), "too_large"),
    ] {
        let (summary, _) = made(&[&good, &*bad.repeat(10)].concat(), &[]);
        assert_eq!(summary["dropped"][reason], 10);
        let error = failed(&[&good, &*bad.repeat(11)].concat(), &[]);
        assert!(error.contains("(so in 11 of 101 records): "), "{error}");
    }
}

#[test]
fn a_pattern_that_is_large_and_deep_costs_its_indicator_alone() {
    let deep = "(".repeat(63_000);
    let pattern = |text: &str| {
        format!(
            r#"{{"type": "indicator", "id": "indicator--1", "pattern": "{text}", "valid_from": "2026-01-01T00:00:00Z"}}"#
        )
    };
    let bundle = format!(
        r#"{{"type": "bundle", "objects": [{}, {}, {}]}}"#,
        pattern(&format!("[{deep}")),
        pattern(&"x".repeat(70_000)),
        pattern("[domain-name:value = 'bad.top']")
    );
    let (summary, feed) = made(bundle.as_bytes(), &[]);
    assert_eq!(
        summary["dropped"],
        serde_json::json!({"pattern": 1, "too_large": 1})
    );
    assert!(feed.contains("bad.top,domain"), "{feed}");
}

#[test]
fn a_list_of_feodo_is_whole_where_it_has_as_many_entries_as_its_last_line_says() {
    let list = |entries| {
        let rows =
            "\"2026-03-01 00:00:00\",\"198.41.5.7\",\"443\",\"online\",\"\",\"QakBot\"\n".repeat(2);
        let header =
            "\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"";
        format!("# Feodo Tracker\n{header}\n{rows}# END {entries} entries\n")
    };
    let error = failed(list(3).as_bytes(), &[]);
    assert!(
        error.contains("its last line promises 3 entries, 2 are there"),
        "{error}"
    );
    assert_eq!(made(list(2).as_bytes(), &[]).0["read"], 2);
    let addresses = "# Feodo Tracker\n198.41.5.7\n# END 2 entries\n";
    assert!(failed(addresses.as_bytes(), &[]).contains("promises 2 entries"));
}

#[test]
fn an_example_of_what_is_left_out_has_its_number_or_else_its_indicator() {
    let (summary, _) = made(b"10.1.2.3\n1.2.3.4\n", &[]);
    assert_eq!(summary["examples"]["not_global"][0], "10.1.2.3");
    let rows = r#"{"7": [{"url": "http://10.1.2.3/"}], "urls": [{"id": 8, "url": "http://bad.top/"}, {"id": 9, "url": "http://10.1.2.4/"}]}"#;
    let (summary, _) = made(rows.as_bytes(), &["--input-format", "urlhaus"]);
    assert_eq!(
        summary["examples"]["not_global"],
        serde_json::json!(["http://10.1.2.3/", "9"])
    );
}

#[test]
fn no_answer_of_another_api_is_told_as_one_of_threatfox() {
    let error = failed(br#"{"query_status":"no_results"}"#, &[]);
    assert!(
        error.contains("the API found nothing for this query"),
        "{error}"
    );
    let error = failed(br#"{"query_status":"invalid_url"}"#, &[]);
    assert!(
        error.contains("the API answered \"invalid_url\""),
        "{error}"
    );
}

#[test]
fn damage_of_each_form_is_a_message_or_a_counted_record() {
    for name in [
        "urlhaus-first-400-lines.csv",
        "malwarebazaar-sha256-first-200-lines.txt",
        "feodo.json",
        "misp-event.json",
        "misp.csv",
        "stix-apt1.json",
        "plain.txt",
    ] {
        let whole = fs::read(sample(name)).unwrap();
        let cut = &whole[..whole.len() / 2];
        let text = String::from_utf8(whole.clone()).unwrap();
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let numbers = text.replace("\": \"", "\": [\"").into_bytes();
        let hostile = text
            .replace("evil", "=cmd|'/C calc'!A0\u{1b}[2J")
            .into_bytes();
        for (damage, content) in [
            ("cut", cut),
            ("utf16", &utf16),
            ("types", &numbers),
            ("hostile", &hostile),
        ] {
            let bench = Bench::new();
            fs::write(bench.path("input"), content).unwrap();
            let ran = normalize(&bench, &[&bench.path("input")], &[]);
            assert!(matches!(ran.code, 0 | 1), "{name} {damage}: {}", ran.stderr);
            let json = Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "json");
            if json && damage == "cut" {
                assert!(
                    ran.error().contains("ends in the middle"),
                    "{name}: {}",
                    ran.stderr
                );
            }
            if damage == "utf16" {
                assert_eq!(ran.code, 1, "{name}");
            }
            if ran.code == 0 {
                adds_up(&serde_json::from_str(&ran.stdout).unwrap());
                assert!(!bench.read("feed.csv").contains('\u{1b}'));
            } else {
                assert!(
                    ran.error().starts_with("threatfox: ") && ran.error().len() < 400,
                    "{}",
                    ran.stderr
                );
                assert!(!bench.path("feed.csv").exists());
            }
        }
    }
}

#[test]
fn a_zip_of_several_files_is_whole_and_says_what_to_do() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in ["a.txt", "b.txt"] {
        zip.start_file(name, options).unwrap();
    }
    let error = failed(zip.finish().unwrap().get_ref(), &[]);
    assert!(
        error.ends_with("input: unpack it, and give its files"),
        "{error}"
    );
    assert!(
        error.starts_with("threatfox: a zip of 2 files, where one is read: "),
        "{error}"
    );
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.add_directory("folder/", options).unwrap();
    zip.start_file("folder/a.txt", options).unwrap();
    std::io::Write::write_all(&mut zip, b"evil.example\n").unwrap();
    let (summary, _) = made(zip.finish().unwrap().get_ref(), &[]);
    assert_eq!(summary["kept"], 1);
    let empty = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let error = failed(empty.finish().unwrap().get_ref(), &[]);
    assert!(error.contains(" is empty: "), "{error}");
}
