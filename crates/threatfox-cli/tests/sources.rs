//! Feeds of other sources than ThreatFox: what is made of each real sample, and of the forms that they have.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use support::Bench;
use support::normalize::{export, line};
use support::sources::{adds_up, failed, made, normalize, sample};

#[test]
fn the_feed_of_each_real_sample_is_the_known_one() {
    for (name, format) in [
        ("urlhaus-first-400-lines.csv", "urlhaus_csv"),
        (
            "malwarebazaar-sha256-first-200-lines.txt",
            "malwarebazaar_csv",
        ),
        ("feodo.json", "feodo_json"),
        ("misp-event.json", "misp_event"),
        ("misp.csv", "misp_csv"),
        ("stix-poisonivy.json", "stix_bundle"),
        ("stix-apt1.json", "stix_bundle"),
        ("plain.txt", "list"),
    ] {
        let bench = Bench::new();
        let ran = normalize(&bench, &[&sample(name)], &[]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
        adds_up(&summary);
        assert_eq!(summary["inputs"][0]["format"], format, "{name}");
        let feed = bench.read("feed.csv");
        let mut golden = format!(
            "read {}, kept {}, dropped {}, keys {}, sha256 {}\n",
            summary["read"],
            summary["kept"],
            summary["dropped"],
            summary["keys"],
            summary["sha256"]
        );
        // The hash has the rest.
        for line in feed.lines().take(20) {
            writeln!(golden, "{line}").unwrap();
        }
        for line in bench.read("rejects.csv").lines().skip(1) {
            writeln!(golden, "left out: {line}").unwrap();
        }
        insta::assert_snapshot!(format!("golden_{name}"), golden);
    }
}

#[test]
fn a_key_that_two_sources_have_is_one_row_that_names_both() {
    let bench = Bench::new();
    let threatfox = export(&[
        line(7, "198.41.5.7:443", "ip:port"),
        line(8, "http://bad.top/x", "url"),
    ]);
    let urlhaus = "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n\
        \"5\",\"2027-03-15 04:50:08\",\"http://bad.top/x\",\"online\",\"\",\"malware_download\",\"Mozi\",\"https://urlhaus.abuse.ch/url/5/\",\"r\"\n\
        \"6\",\"2020-03-15 04:50:08\",\"http://198.41.5.7:443/y\",\"online\",\"\",\"malware_download\",\"Mozi\",\"https://urlhaus.abuse.ch/url/6/\",\"r\"\n";
    fs::write(bench.path("t.csv"), threatfox).unwrap();
    fs::write(bench.path("u.csv"), urlhaus).unwrap();
    let (t, u) = (bench.path("t.csv"), bench.path("u.csv"));
    let ran = normalize(&bench, &[&t, &u], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let feed = bench.read("feed.csv");
    let row = |key: &str| {
        let start = format!("{key},");
        let rows: Vec<&str> = feed.lines().filter(|row| row.starts_with(&start)).collect();
        assert_eq!(rows.len(), 1, "{key}: {feed}");
        rows[0]
    };
    // The newest says what it is, the id is ThreatFox's, the confidence the highest.
    let url = row("url:http://bad.top/x");
    assert!(
        url.contains(",Mozi;X Stealer,botnet_cc;malware_download,100,2026-03-15T04:01:14Z,,8,2,"),
        "{url}"
    );
    assert!(
        url.ends_with(",threatfox;urlhaus,https://urlhaus.abuse.ch/url/5/,"),
        "{url}"
    );
    // An address wins over the host of a URL; its page is ThreatFox's.
    let ip = row("198.41.5.7");
    assert!(
        ip.starts_with("198.41.5.7,ip,198.41.5.7:443,")
            && ip.ends_with(",7,2,false,threatfox;urlhaus,,"),
        "{ip}"
    );
    let first = fs::read(bench.path("feed.csv")).unwrap();
    assert_eq!(normalize(&bench, &[&u, &t], &[]).code, 0);
    assert_eq!(
        first,
        fs::read(bench.path("feed.csv")).unwrap(),
        "the order makes no difference"
    );
}

#[test]
fn two_sources_that_disagree_on_a_type_still_make_one_row() {
    let list = "198.41.5.7\nbad.top\n";
    let csv = "value,kind\n198.41.5.7,domain\nhttp://bad.top/,url\nbad.top,ip\n";
    let bench = Bench::new();
    fs::write(bench.path("list"), list).unwrap();
    fs::write(bench.path("csv"), csv).unwrap();
    assert_eq!(normalize(&bench, &[&bench.path("list")], &[]).code, 0);
    let alone = bench.read("feed.csv");
    let args = [
        "--columns",
        "value=value,type=kind",
        "--source-name",
        "partner",
    ];
    assert_eq!(normalize(&bench, &[&bench.path("csv")], &args).code, 0);
    let partner = bench.read("feed.csv");
    assert_eq!(alone.lines().count(), 3);
    assert!(
        partner.contains("198.41.5.7,ip,198.41.5.7,domain,"),
        "{partner}"
    );
    assert!(
        partner.contains("bad.top,url_host,") && partner.contains(",partner,"),
        "{partner}"
    );
    assert!(
        bench
            .read("rejects.csv")
            .contains("bad.top,ip:port,bad_address")
    );
}

#[test]
fn any_csv_is_read_by_the_columns_that_are_named() {
    let csv = "When;x,Indicator,Kind,Family,Conf\n2026-11-01,evil[.]top,FQDN,Loader,90\n2026-11-02,hxxp://evil.top/x,URL,,\n2026-11-03,x,mutex,,\n";
    let columns = "value=indicator,type=kind,malware=Family,first_seen=When;x,confidence=conf";
    let (summary, feed) = made(
        csv.as_bytes(),
        &["--columns", columns, "--source-name", "partner"],
    );
    assert_eq!(summary["dropped"]["unknown_type"], 1);
    assert!(feed.contains("evil.top,domain,evil.top,domain,(^|\\.)evil\\.top$,,Loader;Unknown malware,,90,2026-11-01T00:00:00Z,,,1,false,partner,"), "{feed}");
    let error = failed(csv.as_bytes(), &["--columns", "value=ioc"]);
    assert!(
        error.contains("input has when;x, indicator, kind, family, conf"),
        "{error}"
    );
}

#[test]
fn networks_are_written_out_up_to_256_addresses() {
    let (summary, feed) = made(
        b"198.41.5.0/24\n198.41.6.9/30\n198.42.0.0/16\n2600:1::/120\n",
        &[],
    );
    assert_eq!(summary["dropped"]["network_too_large"], 1);
    assert_eq!(summary["kept"], 3);
    assert_eq!(summary["rows"], 256 + 4 + 256);
    assert!(
        feed.contains("\n198.41.6.8,ip,198.41.6.8/30,ip:port,"),
        "{feed}"
    );
    assert!(feed.contains("\n198.41.5.255,ip,198.41.5.0/24,"), "{feed}");
}

#[test]
fn the_order_of_files_with_many_networks_makes_no_difference() {
    let bench = Bench::new();
    let networks = |first: usize| {
        (0..400).fold(String::new(), |text, n| {
            text + &format!("{first}.{}.{}.0/24\n", n / 256, n % 256)
        })
    };
    fs::write(bench.path("na.txt"), networks(45)).unwrap();
    fs::write(bench.path("nb.txt"), networks(46)).unwrap();
    let (na, nb) = (bench.path("na.txt"), bench.path("nb.txt"));
    let mut feeds = Vec::new();
    for files in [&[&*na, &*nb][..], &[&nb, &na], &[&nb, &na, &nb]] {
        let ran = normalize(&bench, files, &[]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        feeds.push(bench.read("feed.csv"));
    }
    assert_eq!(feeds[0].lines().count(), 1 + 131_072);
    assert!(feeds[0] == feeds[1] && feeds[0] == feeds[2]);
    let ran = normalize(&bench, &[&na, &na], &[]);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(summary["kept"], 800, "a network counts once");
}

#[test]
fn a_folder_with_a_manifest_is_a_feed_of_misp_events() {
    let bench = Bench::new();
    let folder = bench.path("misp");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("manifest.json"),
        r#"{"a-1": {"info": "x"}, "b-2": {}}"#,
    )
    .unwrap();
    for (id, name) in [("a-1", "one.top"), ("b-2", "two.top")] {
        let event = format!(
            r#"{{"Event": {{"info": "{id}", "Attribute": [{{"type": "domain", "value": "{name}", "to_ids": true}}]}}}}"#
        );
        fs::write(folder.join(format!("{id}.json")), event).unwrap();
    }
    let ran = normalize(&bench, &[&folder], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let feed = bench.read("feed.csv");
    assert!(
        feed.contains("one.top,domain") && feed.contains("two.top,domain"),
        "{feed}"
    );
    fs::write(folder.join("manifest.json"), r#"{"../../etc/passwd": {}}"#).unwrap();
    let ran = normalize(&bench, &[&folder], &[]);
    assert!(
        ran.code == 1 && ran.error().contains("names no events, or something else"),
        "{}",
        ran.stderr
    );
}

#[test]
fn composite_types_and_objects_of_misp_give_their_indicators() {
    let event = r#"{"response": [{"Event": {"info": "about", "Object": [{"name": "file", "Attribute": [
        {"type": "filename|sha256", "value": "a|b.exe|b3c4ae251f8094fa15b510051835c657eaef2a6cea46075d3aec964b14a99f68", "to_ids": true},
        {"type": "domain|ip", "value": "bad.top|198.41.5.7", "to_ids": true},
        {"type": "hostname|port", "value": "c2.bad.top|8080", "to_ids": "1"},
        {"type": "regkey|value", "value": "x|y", "to_ids": true}]}],
        "Tag": [{"name": "misp-galaxy:malpedia=\"Xorist\""}], "Orgc": {"name": "CIRCL"},
        "Attribute": [{"type": "link", "value": "https://site.example/report", "to_ids": false}]}}]}"#;
    let (summary, feed) = made(event.as_bytes(), &[]);
    assert_eq!(
        summary["keys"],
        serde_json::json!({"ip": 1, "domain": 2, "sha256": 1})
    );
    assert_eq!(
        summary["dropped"],
        serde_json::json!({"unknown_type": 1, "not_for_detection": 1})
    );
    for row in feed.lines().skip(1) {
        assert!(
            row.contains(",Xorist,") && row.ends_with(",misp,https://site.example/report,"),
            "{row}"
        );
    }
}

#[test]
fn the_page_of_a_stix_indicator_is_its_reference_or_that_of_what_it_indicates() {
    let bundle = r#"{"spec_version": "2.0", "type": "bundle", "objects": [
        {"type": "relationship", "relationship_type": "indicates", "source_ref": "indicator--1", "target_ref": "malware--1"},
        {"type": "malware", "id": "malware--1", "name": "Loader", "external_references": [{"source_name": "x"}, {"url": "https://site.example/loader"}]},
        {"type": "indicator", "id": "indicator--1", "labels": ["malicious-activity"], "pattern": "[ipv4-addr:value = '198.41.5.7']", "confidence": 85,
         "valid_from": "2026-01-01T00:00:00.000Z"},
        {"type": "indicator", "id": "indicator--2", "pattern": "[domain-name:value = 'bad.top']", "valid_from": "2026-01-01T00:00:00Z",
         "external_references": [{"url": "javascript:alert(1)"}]},
        {"type": "indicator", "id": "indicator--3", "pattern": "alert tcp any any", "pattern_type": "snort"},
        {"type": "indicator", "id": "indicator--4", "pattern": "[domain-name:value = 'old.top']", "revoked": true}]}"#;
    let (summary, feed) = made(bundle.as_bytes(), &[]);
    assert_eq!(
        summary["dropped"],
        serde_json::json!({"pattern": 1, "not_for_detection": 1})
    );
    assert!(feed.contains(",Loader,malicious-activity,85,2026-01-01T00:00:00Z,,,1,false,stix,https://site.example/loader,\n"), "{feed}");
    assert!(
        feed.contains("bad\\.top$,,Unknown malware,,50,2026-01-01T00:00:00Z,,,1,false,stix,,\n"),
        "{feed}"
    );
}

#[test]
fn hashes_of_one_sample_are_rows_each_with_its_page() {
    let (_, feed) = made(
        b"# \"first_seen_utc\",\"sha256_hash\",\"md5_hash\",\"sha1_hash\",\"reporter\",\"signature\"\n\
        \"2026-03-15 03:15:12\", \"4dd9d9953ffac418546a28e23d52ccc8c92d863f0495c8980070457088f94297\", \"0749bae92ca336a02c83d126e04ec628\", \"77b0c41b7d340b8a3d903f21347bbf06aa766b5b\", \"r\", \"n/a\", \"more\", \"fields\"\n",
        &[],
    );
    assert_eq!(feed.lines().count(), 4);
    assert!(
        feed.contains(
            "https://bazaar.abuse.ch/browse.php?search=md5%3A0749bae92ca336a02c83d126e04ec628,\n"
        ),
        "{feed}"
    );
    let error = failed(b"# MalwareBazaar\n# sha256_hash\nn/a\n", &[]);
    assert!(error.contains("it holds no records"), "{error}");
}
