//! Which records concern a value.

use super::*;
use crate::value::meanings;

/// The findings for records with these values that concern the value.
fn explained(value: &str, records: &[(&str, &str)]) -> Vec<String> {
    let filter = Filter {
        min_confidence: 50,
        allow_private: true,
        ..Filter::default()
    };
    let iocs = meanings(value).unwrap();
    let lists = WarningLists::built_in();
    let mut explainer = Explainer::new(value, &iocs, filter, lists, SharedHosts::built_in());
    for (ioc_type, text) in records {
        let mut raw = RawRecord::default();
        raw.set(Column::Id, "7");
        raw.set(Column::Ioc, text);
        raw.set(Column::IocType, ioc_type);
        raw.set(Column::FirstSeen, "2026-11-01 00:00:00");
        raw.set(
            Column::Confidence,
            if text.contains("low") { "25" } else { "75" },
        );
        explainer.record(&raw).unwrap();
    }
    let (read, findings) = explainer.finish();
    assert_eq!(read, records.len() as u64);
    let line = |finding: Finding| match finding.verdict {
        Verdict::Matches {
            key,
            matched,
            strength,
            warning,
        } => match warning.as_str() {
            "" => format!("{key} {}", matched.name),
            _ => format!("{key} {} {}: {warning}", matched.name, strength.name()),
        },
        Verdict::NoMatch(why) => why,
        Verdict::Dropped(reject) => reject.to_string(),
    };
    findings.into_iter().map(line).collect()
}

#[test]
fn every_record_that_concerns_a_value_is_told_and_no_other() {
    let records = [
        ("ip:port", "203.0.113.7:443"),
        ("domain", "evil.example"),
        ("domain", "low.example"),
        ("url", "http://bad.example/x"),
        ("url", "https://t.me/channel"),
        ("domain", "duckdns.org"),
        ("domain", "odd.example!s!"),
        ("url", "http://10.1.2.4:81/x"),
        ("ip:port", "10.1.2.5:81"),
        ("ip:port", "1.1.1.1:53"),
    ];
    for (value, expected) in [
        ("203.0.113.7:443", &["203.0.113.7 ip:port"][..]),
        ("203.0.113.7:80", &["203.0.113.7 ip"]),
        ("a.evil.example", &["evil.example subdomain"]),
        ("http://evil.example/y", &["evil.example domain"]),
        // Addresses that are never an indicator may be in a feed that private ones were allowed in.
        (
            "http://10.1.2.4:81/other",
            &["10.1.2.4 is never an indicator (private)"],
        ),
        ("http://10.1.2.4:81/x", &["url:http://10.1.2.4:81/x url"]),
        ("10.1.2.5:81", &["10.1.2.5 is never an indicator (private)"]),
        (
            "1.1.1.1:53",
            &["1.1.1.1 ip:port weak: well-known-resolvers"],
        ),
        ("devil.example", &[]),
        ("x.low.example", &["low confidence: 25 is below 50"]),
        ("http://bad.example/x", &["url:http://bad.example/x url"]),
        ("bad.example/x", &["url:http://bad.example/x url"]),
        ("t.me/channel", &["url:https://t.me/channel url"]),
        ("203.0.113.7/32", &["203.0.113.7 ip"]),
        ("bad.example", &["bad.example url host"]),
        (
            "www.bad.example",
            &["the host of a URL matches alone, nothing below it"],
        ),
        (
            "t.me",
            &["t.me is on the list of shared services (t.me): only the whole URL matches"],
        ),
        (
            "mine.duckdns.org",
            &["the domain is a shared service or a public suffix: names below it do not match"],
        ),
    ] {
        assert_eq!(explained(value, &records), expected, "{value}");
    }
}
