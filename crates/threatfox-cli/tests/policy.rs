//! The policy file, as a user gives it to `normalize`.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use support::normalize::{export, line, run};
use support::{Bench, Ran};

fn normalized(policy: &str, args: &[&str]) -> (Bench, Ran) {
    let bench = Bench::new();
    std::fs::write(bench.path("policy.yaml"), policy).unwrap();
    let content = export(&[
        line(1, "203.0.113.7:443", "ip:port"),
        line(2, "a.cdn.example", "domain"),
        line(3, "http://share.example/x", "url"),
        line(4, "evil.example", "domain"),
    ]);
    let args = [&["--allow-private", "--policy", "policy.yaml"], args].concat();
    let ran = run(&bench, content.as_bytes(), &args);
    (bench, ran)
}

const POLICY: &str = "\
ignore:
  ips: [203.0.113.0/24]
  domains:
    - .cdn.example
shared_hosts: [share.example]
";

#[test]
fn what_the_policy_ignores_is_dropped_counted_and_listed_with_its_line() {
    let args = [
        "-o",
        "feed.csv",
        "--rejects",
        "rejects.csv",
        "--summary",
        "json",
    ];
    let (bench, ran) = normalized(POLICY, &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let keys: Vec<_> = bench
        .read("feed.csv")
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap().to_owned())
        .collect();
    assert_eq!(keys, ["evil.example", "url:http://share.example/x"]);
    for told in [r#""dropped":{"policy":2}"#, r#""shared_url_hosts":1"#] {
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
    }
    assert_eq!(
        bench.read("rejects.csv"),
        "id,ioc,ioc_type,reason,detail\n\
         1,203.0.113.7:443,ip:port,policy,\"policy.yaml, line 2: ignore.ips 203.0.113.0/24\"\n\
         2,a.cdn.example,domain,policy,\"policy.yaml, line 4: ignore.domains .cdn.example\"\n"
    );
}

#[test]
fn a_faulty_policy_stops_the_run_before_anything_is_written() {
    for (policy, told) in [
        (
            "ignore:\n  domain: [evil.example]\n",
            "not a policy: policy.yaml: unknown field `domain`, expected one of",
        ),
        (
            "ignore:\n  ips:\n  - 10.0.0.0/99\n",
            "at line 3, column 5: see docs/policy.md",
        ),
    ] {
        let (bench, ran) = normalized(policy, &["-o", "feed.csv", "--rejects", "rejects.csv"]);
        assert_eq!(ran.code, 1);
        assert!(ran.error().contains(told), "{}", ran.stderr);
        assert!(!bench.path("feed.csv").exists() && !bench.path("rejects.csv").exists());
    }
}

#[test]
fn the_policy_of_the_documentation_is_one() {
    let docs = include_str!("../../../docs/policy.md");
    let (_, yaml) = docs.split_once("```yaml\n").unwrap();
    let (_, ran) = normalized(yaml.split("```").next().unwrap(), &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn where_nothing_is_left_the_advice_names_what_dropped_it() {
    let all = "ignore: {ips: [203.0.113.0/24], domains: [evil.example], reporters: [someone]}";
    let bad = export(&[line(1, "not a host", "domain")]);
    for (content, args, advised, not) in [
        (
            None,
            &["--policy", "policy.yaml", "--allow-private"][..],
            "look at the policy",
            "--min-confidence",
        ),
        (
            None,
            &["--max-age", "1"],
            "raise --max-age",
            "--min-confidence",
        ),
        (
            Some(&bad),
            &[],
            "see each record, and why it was dropped, with --rejects FILE",
            "--max-age",
        ),
    ] {
        let bench = Bench::new();
        std::fs::write(bench.path("policy.yaml"), all).unwrap();
        let some = export(&[line(1, "evil.example", "domain")]);
        let ran = run(&bench, content.unwrap_or(&some).as_bytes(), args);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let said = ran.error();
        assert!(said.contains(advised) && !said.contains(not), "{said}");
        assert!(said.contains("--rejects FILE"), "{said}");
    }
}
