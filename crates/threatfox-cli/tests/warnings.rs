//! Warning lists, from the feed to the answers that a user gets of it; and what a policy weakens.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::normalize::{export, line, run};
use support::{Bench, Ran};

/// Addresses are real: the lists have no others.
fn content() -> Vec<u8> {
    export(&[
        line(1, "1.1.1.1:53", "ip:port"),
        line(2, "104.16.1.2:443", "ip:port"),
        line(3, "104.244.13.1:443", "ip:port"),
        line(4, "203.0.113.7:443", "ip:port"),
        line(5, "http://tinyurl.com/x", "url"),
        line(6, "evil.example", "domain"),
        line(7, "http://evil.example/x", "url"),
    ])
    .into_bytes()
}

fn feed(args: &[&str]) -> (Bench, Ran) {
    let bench = Bench::new();
    let ran = with(&bench, args);
    (bench, ran)
}

fn with(bench: &Bench, args: &[&str]) -> Ran {
    let args = [
        &["--allow-private", "-o", "feed.csv", "--summary", "json"],
        args,
    ]
    .concat();
    run(bench, &content(), &args)
}

/// The keys that have a warning, and what it is.
fn warnings(bench: &Bench) -> Vec<String> {
    let feed = bench.read("feed.csv");
    assert!(
        feed.starts_with("key,")
            && feed
                .lines()
                .next()
                .unwrap()
                .ends_with(",compromised,source,link,warning")
    );
    let cells = |row: &str| {
        let (key, _) = row.split_once(',').unwrap();
        let (_, warning) = row.rsplit_once(',').unwrap();
        (!warning.is_empty()).then(|| format!("{key} {warning}"))
    };
    feed.lines().skip(1).filter_map(cells).collect()
}

#[test]
fn what_is_in_a_list_stays_in_the_feed_and_the_summary_counts_it() {
    let (bench, ran) = feed(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        warnings(&bench),
        [
            "1.1.1.1 well-known-resolvers",
            "104.16.1.2 cloudflare",
            "104.244.13.1 sinkholes (informs)",
            "url:http://tinyurl.com/x url-shortener",
        ]
    );
    let told = r#""warnings":{"cloudflare":1,"sinkholes (informs)":1,"url-shortener":1,"well-known-resolvers":1}"#;
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
}

#[test]
fn match_and_explain_say_that_a_hit_is_weak_and_why() {
    let (bench, _) = feed(&[]);
    let matched = |args: &[&str]| {
        let args = [&["match", "--feed", "feed.csv", "--format", "csv"], args].concat();
        let ran = bench.finish(bench.command(&args));
        let rows = ran.stdout.lines().skip(1);
        let short = |row: &str| {
            let cells: Vec<_> = row.split(',').collect();
            format!("{} {} {}", cells[0], cells[2], cells[cells.len() - 1])
        };
        rows.map(short).collect::<Vec<_>>()
    };
    let values = ["1.1.1.1:53", "104.244.13.1:443", "203.0.113.7:443"];
    assert_eq!(
        matched(&values),
        [
            "1.1.1.1:53 weak well-known-resolvers",
            "104.244.13.1:443 strong sinkholes (informs)",
            "203.0.113.7:443 strong ",
        ]
    );
    let args = [&["--min-strength", "medium"][..], &values[..]].concat();
    assert_eq!(matched(&args).len(), 2);

    let explained = bench.finish(bench.command(&["explain", "1.1.1.1:53", "input"]));
    let told = "1.1.1.1:53 (ip:port): ip:port (weak), key 1.1.1.1, warning well-known-resolvers";
    assert!(explained.stdout.contains(told), "{}", explained.stdout);
}

#[test]
fn a_folder_adds_lists_and_replaces_those_of_the_same_name() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("lists")).unwrap();
    let list =
        |name: &str, text: &str| std::fs::write(bench.path("lists").join(name), text).unwrap();
    list(
        "ours.json",
        r#"{"type":"hostname","list":["example"],"matching_attributes":["domain","url"]}"#,
    );
    list("cloudflare.json", r#"{"type":"cidr","list":[]}"#);
    let ran = with(&bench, &["--warning-lists", "lists"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        warnings(&bench),
        [
            "1.1.1.1 well-known-resolvers",
            "104.244.13.1 sinkholes (informs)",
            "evil.example ours",
            "url:http://evil.example/x ours",
            "url:http://tinyurl.com/x url-shortener",
        ]
    );
    let args = [
        "explain",
        "evil.example",
        "input",
        "--warning-lists",
        "lists",
    ];
    let explained = bench.finish(bench.command(&args));
    assert!(
        explained
            .stdout
            .contains("domain (weak), key evil.example, warning ours"),
        "{}",
        explained.stdout
    );
}

#[test]
fn a_policy_weakens_and_a_key_is_as_strong_as_the_least_weakened_of_its_records() {
    let bench = Bench::new();
    let policy = "weaken:\n  medium:\n    ids: [4, 6]\n    lists: [cloudflare]\n  weak:\n    lists: [sinkholes]\n    urls: ['http://evil.example/x']\n";
    std::fs::write(bench.path("policy.yaml"), policy).unwrap();
    let ran = with(&bench, &["--policy", "policy.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        warnings(&bench),
        [
            "1.1.1.1 well-known-resolvers",
            "104.16.1.2 cloudflare (medium)",
            "104.244.13.1 sinkholes",
            "203.0.113.7 policy: ids 4 (medium)",
            // A domain, and the host of a URL: the domain's record decides.
            "evil.example policy: ids 6 (medium)",
            "url:http://evil.example/x policy: urls http://evil.example/x",
            "url:http://tinyurl.com/x url-shortener",
        ]
    );
    let twice = export(&[
        line(1, "203.0.113.7:443", "ip:port"),
        line(4, "203.0.113.7:443", "ip:port"),
    ]);
    let args = [
        "--allow-private",
        "-o",
        "other.csv",
        "--policy",
        "policy.yaml",
    ];
    let ran = run(&bench, twice.as_bytes(), &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        bench.read("other.csv").ends_with(",false,threatfox,,\n"),
        "record 1 is not weakened"
    );
}

#[test]
fn a_policy_that_names_no_such_list_stops_the_run() {
    let bench = Bench::new();
    std::fs::write(
        bench.path("policy.yaml"),
        "weaken:\n  weak:\n    lists: [sinkhole]\n",
    )
    .unwrap();
    let ran = with(&bench, &["--policy", "policy.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.error()
            .contains("line 3: there is no warning list sinkhole, but akamai,"),
        "{}",
        ran.stderr
    );
    assert!(!bench.path("feed.csv").exists());
}

#[test]
fn rows_by_ioc_say_their_warnings_too() {
    let bench = Bench::new();
    let policy = "weaken:\n  medium:\n    domains: [evil.example]\n";
    std::fs::write(bench.path("policy.yaml"), policy).unwrap();
    let args = [
        "--by",
        "ioc",
        "--format",
        "jsonl",
        "--policy",
        "policy.yaml",
    ];
    let ran = with(&bench, &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let rows = bench.read("feed.csv");
    let rows = rows.lines().map(|row| serde_json::from_str(row).unwrap());
    let said: Vec<_> = rows
        .map(|row: Value| format!("{} {}", row["ioc"], row["warning"]).replace('"', ""))
        .collect();
    assert_eq!(
        said,
        [
            "http://evil.example/x policy: domains evil.example (medium)",
            "evil.example policy: domains evil.example (medium)",
            "http://tinyurl.com/x url-shortener",
            "203.0.113.7:443 ",
            "104.244.13.1:443 sinkholes (informs)",
            "104.16.1.2:443 cloudflare",
            "1.1.1.1:53 well-known-resolvers",
        ]
    );
    assert!(ran.stdout.contains(r#""cloudflare":1"#), "{}", ran.stdout);
}

#[test]
fn a_name_in_the_users_script_weakens_the_row_that_hunts_look_up() {
    for entry in ["münchen.example", "xn--mnchen-3ya.example"] {
        let bench = Bench::new();
        std::fs::create_dir(bench.path("lists")).unwrap();
        let text = serde_json::json!({"type": "string", "list": [entry]}).to_string();
        std::fs::write(bench.path("lists/ours.json"), text).unwrap();
        let content = export(&[line(1, "xn--mnchen-3ya.example", "domain")]);
        let args = ["--warning-lists", "lists", "-o", "feed.csv"];
        let ran = run(&bench, content.as_bytes(), &args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for value in ["münchen.example", "xn--mnchen-3ya.example"] {
            let args = ["match", "--feed", "feed.csv", "--format", "csv", value];
            let matched = bench.finish(bench.command(&args)).stdout;
            assert!(
                matched.contains(",weak,") && matched.contains(",ours"),
                "{matched}"
            );
            let args = ["explain", value, "input", "--warning-lists", "lists"];
            let explained = bench.finish(bench.command(&args)).stdout;
            assert!(explained.contains("domain (weak)"), "{explained}");
        }
    }
}
