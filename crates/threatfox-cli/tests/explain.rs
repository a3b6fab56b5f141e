//! `threatfox explain` as an analyst runs it.

mod support;

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
             \x20           X Stealer, confidence 100, https://threatfox.abuse.ch/ioc/2/\n\
             \x20 left out  http://a.evil.example/x (url): policy: policy.yaml, line 2: ignore.ids 3\n\
             \x20           X Stealer, confidence 100, https://threatfox.abuse.ch/ioc/3/\n",
        ),
        (
            &["203.0.113.7"],
            "203.0.113.7 is not matched by the feed: of 4 records, 1 concern it, and each is left out or does not match.\n\
             \x20 left out  203.0.113.7:443 (ip:port): not global: private or documentation\n\
             \x20           X Stealer, confidence 100, https://threatfox.abuse.ch/ioc/1/\n",
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
