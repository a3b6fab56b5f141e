//! Policy files: which records they drop, and the messages about their faults.

use super::*;
use crate::record::{Column, RawRecord};

const FILE: &str = "\
ignore:
  ips:
    - 203.0.113.0/24
    - 2001:db8::7
  domains: [Intranet.example, .cdn.example]
  urls:
  - https://Site.example:443/path
  hashes: [45C4710EDC62DF311612101B9160C7E1, 11111111111111111111111111111111]
  malware: [win.MIRAI, X Stealer]
  reporters: [Someone]
  tags: [sink hole]
  ids: [7]
shared_hosts: [share.example]
";

/// What drops a record of `someone`'s, if anything.
fn cause(ioc_type: &str, value: &str, changes: &[(Column, &str)]) -> Option<String> {
    let mut raw = RawRecord::default();
    for (column, text) in [
        (Column::Id, "1"),
        (Column::Ioc, value),
        (Column::IocType, ioc_type),
        (Column::FirstSeen, "2026-11-01 00:00:00"),
    ]
    .iter()
    .chain(changes)
    {
        raw.set(*column, text);
    }
    let policy = Policy::parse("policy.yaml", FILE).unwrap();
    let reject = policy.check(&Record::parse(&raw).unwrap())?;
    assert_eq!(reject.reason, Reason::Policy);
    Some(reject.detail.into_owned())
}

#[test]
fn each_entry_drops_what_it_names_and_tells_its_line() {
    for (ioc_type, value, expected) in [
        (
            "ip:port",
            "203.0.113.7:443",
            "line 3: ignore.ips 203.0.113.0/24",
        ),
        (
            "url",
            "http://203.0.113.7/x",
            "line 3: ignore.ips 203.0.113.0/24",
        ),
        (
            "ip:port",
            "[2001:db8::7]:443",
            "line 4: ignore.ips 2001:db8::7/128",
        ),
        (
            "domain",
            "INTRANET.example",
            "line 5: ignore.domains intranet.example",
        ),
        (
            "domain",
            "a.cdn.example",
            "line 5: ignore.domains .cdn.example",
        ),
        (
            "url",
            "http://cdn.example/x",
            "line 5: ignore.domains .cdn.example",
        ),
        (
            "url",
            "https://site.example/path#x",
            "line 7: ignore.urls https://site.example/path",
        ),
        (
            "md5_hash",
            "45c4710edc62df311612101b9160c7e1",
            "line 8: ignore.hashes 45c4710e",
        ),
        (
            "md5_hash",
            "11111111111111111111111111111111",
            "line 8: ignore.hashes 11111111",
        ),
    ] {
        let found = cause(ioc_type, value, &[]).unwrap_or_default();
        assert!(
            found.starts_with(&format!("policy.yaml, {expected}")),
            "{value}: {found}"
        );
    }
    for (column, text, expected) in [
        (
            Column::Malware,
            "win.mirai",
            "line 9: ignore.malware win.mirai",
        ),
        (
            Column::MalwarePrintable,
            "x stealer",
            "line 9: ignore.malware x stealer",
        ),
        (
            Column::Reporter,
            "someone",
            "line 10: ignore.reporters someone",
        ),
        (
            Column::Tags,
            "C2, Sink Hole",
            "line 11: ignore.tags sink hole",
        ),
        (Column::Id, "7", "line 12: ignore.ids 7"),
    ] {
        let found = cause("domain", "evil.example", &[(column, text)]).unwrap_or_default();
        assert_eq!(found, format!("policy.yaml, {expected}"));
    }
}

#[test]
fn an_address_of_ipv4_is_named_in_its_ipv6_form_too() {
    for entry in [
        "::ffff:203.0.113.7",
        "::FFFF:cb00:7107",
        "::ffff:203.0.113.0/120",
        "64:ff9b::203.0.113.7",
    ] {
        for section in ["ignore:", "weaken:\n weak:"] {
            let text = format!("{section}\n  ips: [\"{entry}\"]\n");
            let policy = Policy::parse("p", &text).unwrap();
            for value in [
                "203.0.113.7:443",
                "[::ffff:203.0.113.7]:443",
                "203.0.113.0/29",
                "::ffff:203.0.113.0/125",
            ] {
                let mut raw = RawRecord::default();
                raw.set(Column::Ioc, value);
                raw.set(Column::IocType, "ip:port");
                let record = Record::parse(&raw).unwrap();
                let found = policy.check(&record).is_some() || policy.weakening(&record).is_some();
                assert!(found, "{text}: {value}");
            }
        }
    }
}

#[test]
fn what_is_only_near_an_entry_stays() {
    for (ioc_type, value) in [
        ("ip:port", "203.0.114.7:443"),
        ("domain", "www.intranet.example"),
        ("domain", "xcdn.example"),
        ("url", "https://site.example/path/2"),
        ("domain", "share.example"),
    ] {
        assert_eq!(cause(ioc_type, value, &[]), None, "{value}");
    }
    assert_eq!(
        cause("domain", "evil.example", &[(Column::Tags, "sink")]),
        None
    );
}

#[test]
fn shared_hosts_add_to_the_built_in_ones() {
    let shared = Policy::parse("p", FILE).unwrap().shared_hosts();
    assert!(shared.why("share.example").is_some() && shared.why("t.me").is_some());
    assert!(shared.why("evil.example").is_none());
}

#[test]
fn a_fault_is_told_with_line_and_column() {
    let long = format!("ignore: {{tags: [{}]}}", "a".repeat(1001));
    for (text, expected) in [
        (
            "ignore:\n  ipz: []\n",
            "unknown field `ipz`, expected one of ips, domains",
        ),
        ("ignore:\n  ipz: []\n", "line 2, column 3"),
        ("ignored:\n", "line 1, column 1"),
        (
            "ignore:\n  ips:\n    - 10.0.0.0/33\n",
            "\"10.0.0.0/33\" is neither an address nor a network",
        ),
        ("ignore:\n  ips:\n    - 10.0.0.0/33\n", "line 3, column 7"),
        (
            "ignore:\n  domains: [a b]\n",
            "neither a host nor a .suffix",
        ),
        (
            "ignore:\n  domains: [.com]\n",
            "neither a host nor a .suffix",
        ),
        ("ignore:\n  urls: [site.example]\n", "is not a URL"),
        ("ignore:\n  hashes: [abc]\n", "is not an MD5"),
        ("ignore:\n  malware: ['']\n", "the name is empty"),
        ("ignore:\n  ids: [x]\n", "line 2, column 9"),
        ("ignore:\n  ips: 10.0.0.0/8\n", "line 2, column 8"),
        (
            "ignore:\n  ips: []\n  ips: []\n",
            "ips stands here a second time: put its entries where it stands first at line 3, column 3",
        ),
        (
            "ignore:\n---\nignore:\n",
            "a second document begins here, and a policy is one: remove the line --- at line 3",
        ),
        (
            "ignore:\n  tags: a\n",
            "a list belongs here, such as [one, another] at line 2, column 9",
        ),
        ("ignore: [a]\n", "names of sections belong here"),
        ("ignore:\n  ids: [x]\n", "this is not a number"),
        (
            "ignore:\n  domains: [*.evil.example]\n",
            "put quotes around a text that begins with *",
        ),
        ("- ips\n", "line 1, column 1"),
        (
            "ignore:\n  ips:\n    - 203.0.113.7\n    -\n",
            "this entry is empty: remove it at line 4, column 6",
        ),
        (
            "ignore:\n  tags: [[a]]\n",
            "one text or number belongs here, not a list or a section at line 2, column 10",
        ),
        ("ignore:\n  ids: [{a: 1}]\n", "one text or number belongs"),
        ("ignore:\n  tags: [!!int a]\n", "a text belongs here"),
        ("ignore:\n  <<: 5\n", "<< takes names of sections"),
        (
            "ignore:\n  tags: &a [*a]\n",
            "this * refers to what it stands in",
        ),
        (&long, "the name has 1001 bytes, where 1000 are the most"),
    ] {
        let error = Policy::parse("p.yaml", text).unwrap_err().to_string();
        for word in [
            "Option",
            "from_str",
            "deserialize",
            "scalar",
            "weak recursion",
        ] {
            assert!(!error.contains(word), "{error}");
        }
        assert!(
            error.contains("p.yaml") && error.contains(expected),
            "{error}"
        );
    }
}

#[test]
fn a_record_without_a_family_goes_by_the_name_that_the_feed_shows() {
    let policy = Policy::parse("p", "ignore: {malware: [unknown malware]}").unwrap();
    let of = |malware| {
        let mut raw = RawRecord::default();
        raw.set(Column::Ioc, "evil.example");
        raw.set(Column::IocType, "domain");
        raw.set(Column::MalwarePrintable, malware);
        policy.check(&Record::parse(&raw).unwrap()).is_some()
    };
    assert!(of("") && of("Unknown malware") && !of("Mirai"));
}

#[test]
fn an_empty_file_and_empty_lists_ignore_nothing() {
    for text in [
        "",
        "# nothing yet\n",
        "ignore:\nshared_hosts:\n",
        "ignore:\n  ips:\n",
    ] {
        assert!(Policy::parse("p", text).is_ok(), "{text:?}");
    }
}

const WEAKEN: &str = "\
weaken:
  medium:
    malware: [X]
    tags: [noisy]
    sources: [ThreatFox]
  weak:
    below_confidence: 75
    domains: [.cdn.example]
    lists: [sinkholes]
";

#[test]
fn what_is_weakened_says_by_what_and_the_weakest_counts() {
    let policy = Policy::parse("policy.yaml", WEAKEN).unwrap();
    for (value, changes, expected) in [
        (
            "a.cdn.example",
            &[(Column::Confidence, "100")][..],
            "policy: domains .cdn.example",
        ),
        (
            "a.example",
            &[(Column::Confidence, "74")],
            "policy: below_confidence 75",
        ),
        (
            "a.example",
            &[(Column::Confidence, "75"), (Column::Malware, "x")],
            "policy: malware x (medium)",
        ),
        (
            "a.example",
            &[(Column::Confidence, "75"), (Column::Tags, "a,Noisy")],
            "policy: tags noisy (medium)",
        ),
        (
            "a.example",
            &[(Column::Confidence, "75")],
            "policy: sources threatfox (medium)",
        ),
    ] {
        let mut raw = RawRecord::default();
        raw.set(Column::Id, "1");
        raw.set(Column::Ioc, value);
        raw.set(Column::IocType, "domain");
        raw.set(Column::FirstSeen, "2026-11-01 00:00:00");
        for (column, text) in changes {
            raw.set(*column, text);
        }
        let record = Record::parse(&raw).unwrap();
        assert_eq!(policy.weakening(&record).as_deref(), Some(expected));
        assert!(policy.check(&record).is_none());
    }
}

#[test]
fn a_list_is_limited_by_its_name_and_one_that_is_not_there_is_a_fault() {
    let mut lists = WarningLists::built_in();
    let policy = Policy::parse("policy.yaml", WEAKEN).unwrap();
    policy.limit_lists(&mut lists).unwrap();
    let mut warner = crate::warning::Warner::new(&lists);
    assert_eq!(
        warner.warning(crate::match_key::Kind::Ip, "104.244.13.1", ""),
        "sinkholes"
    );
    let other = Policy::parse("policy.yaml", "weaken:\n  weak:\n    lists: [sinkhole]\n").unwrap();
    let error = other.limit_lists(&mut lists).unwrap_err().to_string();
    assert!(
        error.contains("line 3: there is no warning list sinkhole, but akamai, "),
        "{error}"
    );
}

#[test]
fn what_cannot_be_weakened_or_ignored_is_refused_with_its_line() {
    for (text, expected) in [
        (
            "ignore:\n  lists: [cloudflare]\n",
            "line 2: ignore.lists cloudflare",
        ),
        ("weaken:\n  strong:\n    tags: [x]\n", "strong"),
        ("weaken:\n  tags: [x]\n", "tags"),
        (
            "weaken:\n  weak:\n    below_confidence: 101\n",
            "101 is not a confidence",
        ),
    ] {
        let error = Policy::parse("policy.yaml", text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
