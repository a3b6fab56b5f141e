//! `threatfox explain` as an analyst runs it.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;

use support::Bench;
use support::normalize::{export, line, sample};

#[test]
fn the_answer_comes_first_and_each_record_tells_what_became_of_it() {
    let bench = Bench::new();
    let content = export(&[
        line(1, "203.0.113.7:443", "ip:port"),
        line(2, "evil.example", "domain"),
        line(3, "http://a.evil.example/x", "url"),
        line(4, "odd.example!s!", "domain"),
    ]);
    std::fs::write(bench.path("full.csv"), content).unwrap();
    std::fs::write(bench.path("policy.yaml"), "ignore:\n  ids: [3]\n").unwrap();
    for (args, expected) in [
        (
            &["hxxp://a[.]evil.example/x", "--policy", "policy.yaml"][..],
            "http://a.evil.example/x is matched by the feed: of 4 records, 2 concern it, 1 match.\n\
             \x20 match     evil.example (domain): subdomain (medium), key evil.example\n\
             \x20           X Stealer, confidence 100, threatfox in full.csv, https://threatfox.abuse.ch/ioc/2/\n\
             \x20 left out  http://a.evil.example/x (url): policy: policy.yaml, line 2: ignore.ids 3\n\
             \x20           X Stealer, confidence 100, threatfox in full.csv, https://threatfox.abuse.ch/ioc/3/\n",
        ),
        (
            &["203.0.113.7"],
            "203.0.113.7 is not matched by the feed: of 4 records, 1 concern it, and each is left out or does not match.\n\
             \x20 left out  203.0.113.7:443 (ip:port): not global: private or documentation\n\
             \x20           X Stealer, confidence 100, threatfox in full.csv, https://threatfox.abuse.ch/ioc/1/\n",
        ),
        (
            &["devil.example"],
            "devil.example is not in the feed: none of the 4 records concerns it.\n",
        ),
    ] {
        let args: Vec<_> = [&["explain"], args, &["full.csv"]].concat();
        let ran = bench.finish(bench.command(&args));
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, expected),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn explain_and_match_give_the_same_verdict_on_private_addresses() {
    let bench = Bench::new();
    let content = export(&[line(1, "http://10.1.2.4:81/x", "url")]);
    std::fs::write(bench.path("full.csv"), content).unwrap();
    let private = ["--allow-private", "full.csv"];
    let normalized =
        bench.finish(bench.command(&[&["normalize", "-o", "feed.csv"], &private[..]].concat()));
    assert_eq!(normalized.code, 0, "{}", normalized.stderr);
    for (value, matches) in [
        ("http://10.1.2.4:81/other", false),
        ("http://10.1.2.4:81/x", true),
        ("10.1.2.4", false),
    ] {
        let explained = bench.finish(bench.command(&[&["explain", value], &private[..]].concat()));
        let matched = bench.finish(bench.command(&["match", "--feed", "feed.csv", value]));
        assert_eq!(
            explained.stdout.contains("is matched by the feed"),
            matches,
            "{}",
            explained.stdout
        );
        assert_eq!(
            matched.stdout.lines().count() > 1,
            matches,
            "{}",
            matched.stdout
        );
    }
}

#[test]
fn a_value_of_a_real_export_is_explained_and_what_is_no_value_is_wrong_usage() {
    let bench = Bench::new();
    let file = sample("recent-2026-03-15.csv").display().to_string();
    let run = |value: &str| bench.finish(bench.command(&["explain", value, &file]));
    let ran = run("202.191.67.71:50003");
    assert!(
        ran.stdout.contains("ip:port (strong), key 202.191.67.71"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("AdaptixC2, confidence 100"),
        "{}",
        ran.stdout
    );
    assert!(
        run("10.0.0.1")
            .stdout
            .contains("It is never an indicator (private)")
    );
    let ran = run("no such thing");
    assert_eq!(ran.code, 2);
    assert!(
        ran.error().contains("cannot be in a feed"),
        "{}",
        ran.stderr
    );
}

/// What it says of a value in one file.
fn explained(value: &str, content: &str, args: &[&str]) -> String {
    let bench = Bench::new();
    std::fs::write(bench.path("input"), content).unwrap();
    let args = [&["explain", value, "input", "--allow-private"], args].concat();
    let ran = bench.finish(bench.command(&args));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

#[test]
fn a_record_shows_its_own_source_page_confidence_and_family() {
    let urlhaus = "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n\
        \"5\",\"2027-03-15 04:50:08\",\"http://bad.example/x\",\"online\",\"\",\"malware_download\",\"Mozi;elf\",\"https://urlhaus.abuse.ch/url/5/\",\"r\"\n";
    let said = explained("http://bad.example/x", urlhaus, &[]);
    let facts = "\n            Mozi,elf, confidence 50, urlhaus in input, https://urlhaus.abuse.ch/url/5/\n";
    assert!(said.ends_with(facts), "{said}");
    let said = explained("evil.example", "evil.example\n", &["--source-name", "mine"]);
    let facts = "\n            Unknown malware, confidence 50, mine in input\n";
    assert!(said.ends_with(facts), "{said}");
    let hash = "0749bae92ca336a02c83d126e04ec628";
    let bazaar = format!("# MalwareBazaar\n# md5_hash\n{hash}\n");
    let said = explained(hash, &bazaar, &[]);
    assert!(
        said.contains(&format!(
            "malwarebazaar in input, https://bazaar.abuse.ch/browse.php?search=md5%3A{hash}\n"
        )),
        "{said}"
    );
}

#[test]
fn a_url_without_a_scheme_is_explained_by_the_urls_that_a_list_makes_of_it() {
    let list = "github.com/evil/x\n203.0.113.9:8080/x\n";
    for value in list.lines() {
        let said = explained(value, list, &[]);
        let matched =
            format!("{value} is matched by the feed: of 4 records, 2 concern it, 2 match.");
        assert!(said.starts_with(&matched), "{said}");
        for scheme in ["http://", "https://"] {
            let line = format!("\n  match     {scheme}{value} (url): url (strong), ");
            assert!(said.contains(&line), "{said}");
        }
    }
}

#[test]
fn a_network_is_not_explained_as_its_first_address() {
    let bench = Bench::new();
    std::fs::write(bench.path("input"), "203.0.113.0/30\n2001:db8::5/128\n").unwrap();
    let ran = bench.finish(bench.command(&["explain", "203.0.113.0/30", "input"]));
    assert_eq!(ran.code, 2);
    assert!(
        ran.error().contains("203.0.113.0/30 is a network"),
        "{}",
        ran.stderr
    );
    let said = explained("2001:db8::5/128", "203.0.113.0/30\n2001:db8::5/128\n", &[]);
    assert!(said.contains(": ip (medium), key 2001:db8::5\n"), "{said}");
}

#[test]
fn what_is_rejected_is_listed_where_it_concerns_the_value() {
    let list = "evil.example\nbad.example\nother.example\n10.0.0.0/8\nfd00::/8\n";
    let event = r#"{"Event": {"info": "x", "Attribute": [
        {"type": "domain", "value": "off.example", "to_ids": false},
        {"type": "ip-dst|port", "value": "203.0.113.8|80", "to_ids": true, "deleted": true},
        {"type": "email-dst", "value": "a.example", "to_ids": true},
        {"type": "x509-fingerprint-md5", "value": "0749bae92ca336a02c83d126e04ec628", "to_ids": true},
        {"type": "domain", "value": "evil.example", "to_ids": true}]}}"#;
    let bundle = r#"{"type": "bundle", "objects": [
        {"type": "indicator", "id": "indicator--1", "name": "n", "pattern": "[domain-name:value = 'off.example']", "revoked": true},
        {"type": "indicator", "id": "indicator--2", "name": "n", "pattern": "[domain-name:value = 'a.example' AND ipv4-addr:value = '203.0.113.8']"}]}"#;
    for (content, value, reason) in [
        (
            list,
            "10.1.2.3",
            "10.0.0.0/8: network too large: line 4: a network of 2^24 addresses, where 256 are written out",
        ),
        (
            list,
            "http://[fd00::1]:81/x",
            "fd00::/8: network too large: line 5: a network of 2^120 addresses, where 256 are written out",
        ),
        (
            event,
            "off.example",
            "off.example (domain): not for detection",
        ),
        (
            event,
            "203.0.113.8:80",
            "203.0.113.8|80 (ip-dst|port): not for detection: deleted",
        ),
        (
            event,
            "www.a.example",
            "a.example (email-dst): unknown type: email-dst",
        ),
        (
            event,
            "0749BAE92CA336A02C83D126E04EC628",
            "0749bae92ca336a02c83d126e04ec628 (x509-fingerprint-md5): unknown type: x509-fingerprint-md5",
        ),
        (
            bundle,
            "off.example",
            "off.example (domain): not for detection: revoked",
        ),
        (
            bundle,
            "203.0.113.8",
            "[domain-name:value = 'a.example' AND ipv4-addr:value = '203.0.113.8'] (pattern): pattern: several conditions at once (AND)",
        ),
    ] {
        let said = explained(value, content, &[]);
        let line = format!("\n  left out  {reason}\n");
        assert!(said.contains(&line), "{value}: {said}");
        assert!(
            said.contains(", 1 concern it, and each is left out"),
            "{said}"
        );
    }
}

#[test]
fn networks_over_the_bound_of_all_are_told_as_the_feed_decides_them() {
    let mut list = String::new();
    for n in 0..=512 {
        writeln!(list, "10.{}.{}.0/24", n / 256, n % 256).unwrap();
    }
    assert!(explained("10.1.255.7", &list, &[]).contains("no match  10.1.255.0/24"));
    let said = explained("10.2.0.7", &list, &[]);
    assert!(
        said.contains("left out  10.2.0.0/24 (ip:port): network too large: networks of more than 131072 addresses in all"),
        "{said}"
    );
}
