//! `threatfox match` as a user runs it, on feeds made by `normalize` from real and planted indicators.

mod support;

use std::io::Write as _;
use std::process::Stdio;

use support::normalize::{export, line, run, sample};
use support::{Bench, Ran};

/// A feed of a few planted indicators.
fn bench() -> Bench {
    let bench = Bench::new();
    let planted = export(&[
        line(1, "203.0.113.7:443", "ip:port"),
        line(2, "evil.example", "domain"),
        line(3, "http://bad.example:8080/gate.php", "url"),
        line(4, "45c4710edc62df311612101b9160c7e1", "md5_hash"),
        line(5, "10.1.2.3:443", "ip:port"),
    ]);
    let ran = run(
        &bench,
        planted.as_bytes(),
        &["--allow-private", "-o", "feed.csv.gz"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    bench
}

fn matched(bench: &Bench, args: &[&str]) -> Ran {
    let args: Vec<_> = ["match", "--feed", "feed.csv.gz"]
        .iter()
        .chain(args)
        .copied()
        .collect();
    bench.finish(bench.command(&args))
}

/// Value, match, strength and IOC of each row.
fn rows(ran: &Ran) -> Vec<String> {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let first_four = |line: &str| line.split(',').take(4).collect::<Vec<_>>().join(" ");
    ran.stdout.lines().skip(1).map(first_four).collect()
}

#[test]
fn each_kind_of_value_gets_the_answer_of_the_hunt() {
    let bench = bench();
    for (value, expected) in [
        ("203.0.113.7:443", &["ip:port strong 203.0.113.7:443"][..]),
        ("203[.]0.113.7", &["ip medium 203.0.113.7:443"]),
        ("203.0.113.7:80", &["ip medium 203.0.113.7:443"]),
        ("::ffff:203.0.113.7", &["ip medium 203.0.113.7:443"]),
        ("EVIL[.]example.", &["domain strong evil.example"]),
        ("a.b.evil.example", &["subdomain medium evil.example"]),
        (
            "hxxps[:]//www.evil.example/x",
            &["subdomain medium evil.example"],
        ),
        ("https://203.0.113.7/x", &["ip:port strong 203.0.113.7:443"]),
        (
            "hxxp://BAD.example:8080/gate.php",
            &["url strong http://bad.example:8080/gate.php"],
        ),
        (
            "bad.example",
            &["url host weak http://bad.example:8080/gate.php"],
        ),
        (
            "MD5=45C4710EDC62DF311612101B9160C7E1",
            &["md5 strong 45c4710edc62df311612101b9160c7e1"],
        ),
        ("devil.example", &[]),
        ("www.bad.example", &[]),
        ("example", &[]),
        ("10.1.2.3:443", &[]),
    ] {
        let expected: Vec<_> = expected
            .iter()
            .map(|rest| format!("{value} {rest}"))
            .collect();
        assert_eq!(rows(&matched(&bench, &[value])), expected, "{value}");
    }
}

#[test]
fn a_value_of_an_answer_key_gets_the_verdict_of_its_event() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let bench = support::scan::feed_of(&path.join("../../tests/data/field/field.indicators.csv"));
    for (value, expected) in [
        // Records 36, 37, 20, 21, 22, 23, 24, 25, 28, 30, 32, 45, 49, 50 and 51: what stands alone in its field.
        (
            "[64:ff9b::cb00:710a]:443",
            Some("ip:port strong 203.0.113.10:443"),
        ),
        (
            "[64:ff9b::cb00:710a]:8443",
            Some("ip medium 203.0.113.10:443"),
        ),
        (
            "https://badcase-one.example/payload.zip",
            Some("domain strong badcase-one.example"),
        ),
        (
            "https://3h.badcase-one.example/payload.zip",
            Some("subdomain medium badcase-one.example"),
        ),
        (
            "http://203.0.113.11/payload.exe",
            Some("ip:port strong 203.0.113.11:80"),
        ),
        (
            "http://203.0.113.11:8081/payload.exe",
            Some("ip medium 203.0.113.11:80"),
        ),
        (
            "http://badcase-two.example/gate.php",
            Some("url strong http://badcase-two.example/gate.php"),
        ),
        (
            "http://badcase-two.example/x",
            Some("url host weak http://badcase-two.example/gate.php"),
        ),
        ("https://cdn.fine.example/p.zip", None),
        (
            "http://verb-one.example/y.exe",
            Some("url strong http://verb-one.example/files/../y.exe"),
        ),
        (
            "http://verb-one.example/files/../y.exe",
            Some("url strong http://verb-one.example/files/../y.exe"),
        ),
        (
            "http://verb-two.example/files-%C3%BC/f.exe",
            Some("url strong http://verb-two.example/files-ü/f.exe"),
        ),
        (
            "2001:0db8:0007:0:0:0:0:0053",
            Some("ip medium [2001:db8:7::53]:0"),
        ),
        ("MD5=00000000000000000000000000000000", None),
        (
            "MD5=1D41D8CD98F00B204E9800998ECF8420",
            Some("md5 strong 1d41d8cd98f00b204e9800998ecf8420"),
        ),
    ] {
        let expected: Vec<_> = expected
            .map(|rest| format!("{value} {rest}"))
            .into_iter()
            .collect();
        assert_eq!(rows(&matched(&bench, &[value])), expected, "{value}");
    }
}

/// A feed of a list.
fn bench_of(list: &str) -> Bench {
    let bench = Bench::new();
    let args = ["--allow-private", "-o", "feed.csv.gz"];
    let ran = run(&bench, list.as_bytes(), &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    bench
}

#[test]
fn a_url_without_a_scheme_is_looked_up_as_the_urls_that_a_list_makes_of_it() {
    let list = "github.com/evil/x\nevil.example/path\n203.0.113.9:8080/x\n";
    let bench = bench_of(list);
    for value in list.lines() {
        assert_eq!(
            rows(&matched(&bench, &[value])),
            [format!("{value} url strong http://{value}")]
        );
    }
    assert!(rows(&matched(&bench, &["github.com/other"])).is_empty());
    let secure = bench_of("https://evil.example/path\n");
    assert_eq!(
        rows(&matched(&secure, &["evil[.]example/path"])),
        ["evil[.]example/path url strong https://evil.example/path"]
    );
}

#[test]
fn a_network_is_not_taken_for_its_first_address() {
    let bench = bench_of("203.0.113.0\n203.0.113.4\n2001:db8::5\n");
    let values = ["203.0.113.0/24", "203.0.113.4/24", "203.0.0.0/16"];
    let ran = matched(&bench, &values);
    assert!(rows(&ran).is_empty(), "{}", ran.stdout);
    for told in [
        "3 not looked up: \"203.0.113.0/24\" (a network: look up single addresses of it)",
        "\"203.0.0.0/16\" (network too large: ",
    ] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    assert_eq!(
        rows(&matched(&bench, &["203.0.113.4/32", "2001:db8::5/128"])),
        [
            "203.0.113.4/32 ip medium 203.0.113.4",
            "2001:db8::5/128 ip medium [2001:db8::5]"
        ]
    );
}

#[test]
fn values_come_one_a_line_and_those_that_match_nothing_are_counted() {
    let bench = bench();
    let mut command = bench.command(&["match", "--feed", "feed.csv.gz"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = "\u{feff}# from a report\r\n\r\nevil.example\r\n198.51.100.1\r\nno value\r\nlocalhost\n10.0.0.1\n\u{1b}[31m\nx.evil.example";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let ran = bench.check(&child.wait_with_output().unwrap());
    assert_eq!(
        rows(&ran),
        [
            "evil.example domain strong evil.example",
            "x.evil.example subdomain medium evil.example"
        ]
    );
    for told in [
        "2 of 3 values match, 1 do not",
        "4 not looked up: \"no value\" (",
        ", …",
    ] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

#[test]
fn weak_matches_can_be_left_out_and_rows_come_as_a_table_or_json() {
    let bench = bench();
    let values = ["bad.example", "evil.example"];
    let with = |options: &[&str]| matched(&bench, &[&values, options].concat());
    assert_eq!(
        rows(&with(&["--min-strength", "medium"])),
        ["evil.example domain strong evil.example"]
    );
    let table = with(&["--format", "table"]).stdout;
    assert!(
        table.starts_with("VALUE         MATCH     STRENGTH  IOC"),
        "{table}"
    );
    let json = with(&["--format", "jsonl"]).stdout;
    assert!(
        json.starts_with(
            r#"{"value":"bad.example","match":"url host","strength":"weak","ioc":"http"#
        ),
        "{json}"
    );
}

#[test]
fn every_key_of_the_real_exports_is_found() {
    let bench = Bench::new();
    for name in [
        "recent-2026-03-15.csv",
        "recent-2026-07-24.json.gz",
        "full-sha256-2025-12.csv.gz",
    ] {
        let content = std::fs::read(sample(name)).unwrap();
        let feed = run(&bench, &content, &["--min-confidence", "0"]).stdout;
        std::fs::write(bench.path("feed.csv"), &feed).unwrap();
        let keys = values(&feed);
        std::fs::write(bench.path("values.txt"), keys.join("\n")).unwrap();
        let mut command = bench.command(&["match", "--feed", "feed.csv"]);
        command.stdin(std::fs::File::open(bench.path("values.txt")).unwrap());
        let ran = bench.finish(command);
        let told = format!("{0} of {0} values match", keys.len());
        assert!(ran.stderr.contains(&told), "{name}: {}", ran.stderr);
    }
}

/// The keys of a feed, as a user would type them.
fn values(feed: &str) -> Vec<String> {
    let key = |line: &str| match line.strip_prefix('"') {
        Some(rest) => rest
            .split("\",")
            .next()
            .unwrap_or_default()
            .replace("\"\"", "\""),
        None => line.split(',').next().unwrap_or_default().to_owned(),
    };
    let keys = feed.lines().skip(1).map(key);
    keys.map(|key| key.trim_start_matches("url:").to_owned())
        .collect()
}

#[test]
fn what_is_no_feed_or_wrong_usage_is_told() {
    let bench = bench();
    for (args, code, told) in [
        (
            &["match", "--feed", "input", "x.example"][..],
            1,
            "not a feed: input begins with",
        ),
        (
            &["match", "--feed", "missing.csv", "x.example"],
            1,
            "cannot open missing.csv",
        ),
        (
            &["match", "--feed", "-"],
            2,
            "standard input cannot hold both",
        ),
        (&["match", "x.example"], 2, "--feed"),
    ] {
        let ran = bench.finish(bench.command(args));
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}
