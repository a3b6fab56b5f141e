//! The exercise "Add a place" of CONTRIBUTING.md, with the lines that stand there.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::Project;
use threatfox::feed::FeedRow;
use threatfox::lookup::{Index, Matcher, Wanted};
use threatfox::match_key::Kind;
use threatfox::rules::Rules;
use threatfox::rules::plan::{Plan, Row};

fn read(file: &str) -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(file),
    )
    .unwrap()
}

/// The exercise's block in a language.
fn block(language: &str) -> String {
    let text = read("CONTRIBUTING.md");
    let (_, exercise) = text.split_once("## Exercise: add a place").unwrap();
    let (_, block) = exercise.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0.trim().to_owned()
}

/// places.csv with the exercise's line.
fn places() -> String {
    read("rules/places.csv") + &block("csv") + "\n"
}

struct Event<'t> {
    plan: Plan<'t>,
    data: &'t Value,
}

impl Row for Event<'_> {
    fn text(&self, field: usize, text: &mut String) -> bool {
        let value = self.data[self.plan.fields()[field]].as_str();
        text.push_str(value.unwrap_or_default());
        value.is_some()
    }
}

/// The hits of the sample event by these places: match, strength, indicator.
fn hits(places: &str) -> Vec<[String; 3]> {
    let domain = "gap-prime-finance.msn-int.com";
    assert!(read("tests/data/demo/planted.csv").contains(&format!("\"{domain}\", \"domain\"")));
    let mut feed = Index::default();
    let row = FeedRow {
        key: domain,
        kind: Kind::Domain,
        ioc: domain,
        ioc_type: "domain",
        exact: false,
        ports: &[],
        malware: "",
        threat_type: "",
        confidence: 75,
        first_seen: None,
        last_seen: None,
        id: None,
        iocs: 1,
        compromised: false,
        source: "",
        link: "",
        warning: "",
    };
    feed.insert(&row).unwrap();

    let rules = Rules::parse(places, &read("rules/matches.csv"), &read("rules/never.csv")).unwrap();
    let event: Value = serde_json::from_str(&block("json")).unwrap();
    let row = Event {
        plan: Plan::new(&rules),
        data: &event["EventData"],
    };
    let mut hits = Vec::new();
    let mut matcher = Matcher::new(&rules, &feed, Wanted::default());
    let provider = event["Provider"].as_str().unwrap();
    matcher.row(provider, event["EventID"].as_u64(), &row, &mut hits);
    let told = hits.iter().map(|hit| {
        let (name, strength) = (hit.matched.name.to_string(), hit.matched.strength.name());
        [name, strength.to_owned(), hit.row.indicator().to_owned()]
    });
    told.collect()
}

#[test]
fn the_line_of_the_exercise_makes_the_sample_event_hit() {
    assert!(hits(&read("rules/places.csv")).is_empty());
    let [matched, strength, indicator] = &hits(&places())[0];
    assert_eq!(indicator, "gap-prime-finance.msn-int.com");
    assert!(read("CONTRIBUTING.md").contains(&format!("See it hit: `{matched}`, `{strength}`.")));
}

#[test]
fn the_line_of_the_exercise_gives_vql_a_function() {
    let project = Project::new();
    for table in ["rules/matches.csv", "rules/never.csv"] {
        project.put(table, read(table));
    }
    project.put("rules/places.csv", places());
    project.generate();
    let made = fs::read_to_string(project.path("artifacts/Generic/ThreatFox/Rules.yaml")).unwrap();
    let (_, function) = made
        .split_once("`Example-Provider`=dict(\n          `9001`=")
        .unwrap();
    for expected in [
        "ReadHost(Feed=Feed, Role='destination', Text=",
        "E.RemoteHost",
    ] {
        assert!(function.contains(expected), "{function}");
    }
}
