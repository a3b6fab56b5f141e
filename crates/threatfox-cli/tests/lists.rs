//! Plain lists as people write them: what of a line is an indicator, and that nothing is lost without a word.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use support::Bench;
use support::sources::{failed, made, normalize};

const PRIVATE: [&str; 1] = ["--allow-private"];

/// The first columns of a feed: key and kind.
fn keys(feed: &str) -> Vec<String> {
    let rows = feed.lines().skip(1);
    let key = |row: &str| row.split(',').take(2).collect::<Vec<_>>().join(" ");
    rows.map(key).collect()
}

#[test]
fn a_remark_behind_a_url_is_no_part_of_it() {
    let list = "http://b.example/x\tC2 server\nhttp://a.example/x # C2\nhttp://g.example/x (dropper)\n\
        http://c.example/x - seen 2026\nhttp://d.example/x // note\nhttp://e.example/x ; note\n\
        http://f.example/x -> 1.2.3.4\nhttp://h.example/x|mirai\n";
    let (summary, feed) = made(list.as_bytes(), &[]);
    assert_eq!(summary["kept"], 8);
    let urls: Vec<_> = keys(&feed);
    let urls: Vec<_> = urls.iter().filter(|key| key.ends_with(" url")).collect();
    assert_eq!(urls.len(), 8);
    assert!(
        urls.iter().all(|key| key.ends_with(".example/x url")),
        "{feed}"
    );
}

#[test]
fn a_url_without_a_scheme_accuses_no_whole_site() {
    let list = "github.com/evil/x\ndocs.google.com/forms/d/x\n203.0.113.9:8080/index.php\n";
    let (summary, feed) = made(list.as_bytes(), &PRIVATE);
    assert_eq!(summary["kept"], 6);
    assert_eq!(
        keys(&feed),
        [
            "203.0.113.9 url_host",
            "url:http://203.0.113.9:8080/index.php url",
            "url:http://docs.google.com/forms/d/x url",
            "url:http://github.com/evil/x url",
            "url:https://203.0.113.9:8080/index.php url",
            "url:https://docs.google.com/forms/d/x url",
            "url:https://github.com/evil/x url",
        ]
    );
}

#[test]
fn each_indicator_of_a_line_counts() {
    let list = "203.0.113.21, 203.0.113.22\n203.0.113.23 203.0.113.24\nevil.example,203.0.113.6\n\
        0.0.0.0 a.example b.example\n203.0.113.7 10.0.0.1 # both\n";
    let (summary, feed) = made(list.as_bytes(), &PRIVATE);
    assert_eq!(
        (&summary["read"], &summary["kept"]),
        (&10.into(), &10.into())
    );
    for key in ["203.0.113.22", "203.0.113.24", "203.0.113.6", "b.example"] {
        assert!(feed.contains(&format!("\n{key},")), "{key}: {feed}");
    }
    assert!(!feed.contains("0.0.0.0"), "{feed}");
    let (summary, _) = made(b"198.41.5.7 10.0.0.1\n", &[]);
    assert_eq!(summary["dropped"]["not_global"], 1);
}

#[test]
fn an_ipv6_address_that_ends_in_two_colons_is_kept_whole() {
    let list = "2a00:1450:4001::\n198.41.5.7\n2a00:1450:4002::, seen today\n";
    let (summary, feed) = made(list.as_bytes(), &[]);
    assert_eq!(summary["kept"], 3);
    for key in ["2a00:1450:4001::", "2a00:1450:4002::"] {
        assert!(feed.contains(&format!("\n{key},ip,")), "{feed}");
    }
}

#[test]
fn the_name_of_a_file_is_left_out_and_does_not_make_a_list_nonsense() {
    let list = "198.41.5.7\nsvchost.exe\nLoader.DLL\ndocument.pdf\ninstall.zip\n";
    let (summary, feed) = made(list.as_bytes(), &[]);
    assert_eq!(summary["dropped"], serde_json::json!({"file_name": 3}));
    assert_eq!(keys(&feed), ["198.41.5.7 ip", "install.zip domain"]);
}

#[test]
fn names_that_the_public_dns_never_has_are_kept_only_on_request() {
    let list = "127.0.0.1 localhost.localdomain ip6.localdomain\n127.0.0.1 localhost.localdomain\n\
        a.local\nhttp://nas.lan/x\n4.3.2.1.in-addr.arpa\nevil.example\n";
    let (summary, feed) = made(list.as_bytes(), &[]);
    assert_eq!(keys(&feed), ["evil.example domain"]);
    assert_eq!(summary["dropped"], serde_json::json!({"not_global": 6}));
    let (_, feed) = made(list.as_bytes(), &PRIVATE);
    assert!(keys(&feed).contains(&"a.local domain".to_owned()), "{feed}");
}

#[test]
fn a_wildcard_is_the_domain_it_stands_for_and_with_a_path_it_is_none() {
    let list = "*.evil.example\n* *.bad[.]example\n*.github.com/evil\n.worse.example\n198.41.5.7\n";
    let bench = Bench::new();
    fs::write(bench.path("list"), list).unwrap();
    let ran = normalize(&bench, &[&bench.path("list")], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        keys(&bench.read("feed.csv")),
        ["198.41.5.7 ip", "bad.example domain", "evil.example domain"]
    );
    let rejects = bench.read("rejects.csv");
    for line in ["\n,*.github.com/evil,", "\n,.worse.example,"] {
        assert!(rejects.contains(line), "{rejects}");
    }
}

#[test]
fn lines_that_end_with_cr_alone_are_lines() {
    let (summary, _) = made(b"a.example\rb.example\rc.example\r", &[]);
    assert_eq!(summary["kept"], 3);
}

#[test]
fn a_csv_whose_columns_nobody_named_is_no_list() {
    let far = "a.example,2026-01-02,mirai\n".repeat(500) + "http://b.example/x,2026-01-02,mirai\n";
    for csv in [
        far.as_str(),
        "http://a.example/x,mirai\nhttp://b.example/x,mirai\nhttp://c.example/x,mirai\n",
        "victim_ip,c2\n198.41.5.1,198.41.5.6\n198.41.5.2,198.41.5.6\n",
        "url,family\nhttp://a.example/x,mirai\nhttp://b.example/x,mirai\n",
        "domain;seen\na.example;2026-01-02\nb.example;2026-01-02\n",
    ] {
        let error = failed(csv.as_bytes(), &[]);
        assert!(error.contains("input: name them with --columns"), "{error}");
    }
    let (summary, _) = made(
        b"site,seen\na.example,2026-01-02\n",
        &["--input-format", "list"],
    );
    assert_eq!(
        (&summary["kept"], &summary["dropped"]["bad_domain"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn what_this_program_wrote_is_already_a_feed() {
    for args in [
        &["--by", "key"][..],
        &["--by", "ioc"],
        &["--by", "ioc", "--format", "jsonl"],
        &["--format", "jsonl"],
    ] {
        let bench = Bench::new();
        fs::write(bench.path("list"), "a.example\nb.example\n").unwrap();
        assert_eq!(normalize(&bench, &[&bench.path("list")], args).code, 0);
        fs::rename(bench.path("feed.csv"), bench.path("made")).unwrap();
        let ran = normalize(&bench, &[&bench.path("made")], &[]);
        assert_eq!(ran.code, 1);
        assert!(
            ran.error().contains("already a feed"),
            "{args:?} {}",
            ran.stderr
        );
    }
}
