//! `artifacts/Generic/ThreatFox/Rules.yaml`: the tables as one dict of VQL.

use anyhow::Result;
use threatfox::rules::plan::{Plan, Provider, Step};
use threatfox::rules::{KeyKind, Match, Place, Rules, Strength};

use super::readers;
use super::vql_text::{check_name, string};

/// Where it is.
pub const PATH: &str = "artifacts/Generic/ThreatFox/Rules.yaml";

const HEAD: &str = "\
# Made of rules/*.csv by `make generate`: change those.
name: Generic.ThreatFox.Rules
author: The threatfox project
description: |
  The project's rules as VQL: what is read where, and what counts. For other artifacts to import.

  This artifact collects nothing. Generic.ThreatFox.Match reads an event by these tables, which are made of the project's rules/*.csv.

type: CLIENT

reference:
  - https://threatfox.abuse.ch/

export: |
  -- A dict: Readers has provider, then event id, to the function that reads an event's fields (E) into the observables that are in the feed, and
  -- counts it in Counts, if that is given: provider, then event id, to a list: how many, the first and the last time. (`&&` gives its last value:
  -- it costs less than a call of if().) OtherEvent stands for it where there is none, and only counts. Matches has role and kind of key to what the match is called, and its strength: what is not there is not a match; NeverNetworks and
  -- NeverHashes are never an indicator.
  LET Rules <= dict(
";

/// It finds the event in the scope that it is called from, as `System`.
const OTHER_EVENT: &str = "      OtherEvent='''E, Feed, Counts, Time=>NOT set(
            item=get(item=Counts, field=System.Provider.Name),
            field=str(str=System.EventID.Value || System.EventID),
            value=(
              1 + (get(item=get(item=Counts, field=System.Provider.Name), field=str(str=System.EventID.Value || System.EventID))[0] || 0),
              get(item=get(item=Counts, field=System.Provider.Name), field=str(str=System.EventID.Value || System.EventID))[1] || Time,
              Time))'''";

/// The whole file.
pub fn text(rules: &Rules) -> Result<String> {
    check_names(rules)?;
    let parts = [
        format!("      Readers=dict(\n{})", all_readers(rules)),
        OTHER_EVENT.to_owned(),
        format!("      Matches=dict(\n{})", all_matches(rules)),
        format!(
            "      NeverNetworks=({})",
            never(rules, "network", |value| string(value, '"'))
        ),
        format!(
            "      NeverHashes=dict({})",
            never(rules, "hash", |value| format!("`{value}`=TRUE"))
        ),
    ];
    Ok(format!("{HEAD}{})\n", parts.join(",\n")))
}

fn check_names(rules: &Rules) -> Result<()> {
    for place in rules.places() {
        let check = |name: &str, column| check_name(name, "places.csv", place.line, column);
        for provider in &place.providers {
            check(provider, "provider")?;
        }
        check(&place.field, "field")?;
        check(place.port.as_deref().unwrap_or_default(), "port")?;
        for condition in &place.conditions {
            check(&condition.field, "condition")?;
        }
    }
    Ok(())
}

/// Readers: provider, then event id, to a function; `row` where the rows are not events.
fn all_readers(rules: &Rules) -> String {
    let event = |provider: &str, (id, steps): (Option<u64>, &[Step<'_>])| {
        let counted = id.map_or(String::new(), |id| counted(provider, id));
        let id = id.map_or("row".to_owned(), |id| id.to_string());
        let places: Vec<_> = steps.iter().map(|step| step.place).collect();
        format!(
            "          `{id}`='''{}'''",
            function(&counted, &places, rules)
        )
    };
    let provider = |provider: &Provider<'_>| {
        let events: Vec<_> = provider
            .events()
            .map(|one| event(provider.name, one))
            .collect();
        format!("        `{}`=dict(\n{})", provider.name, events.join(",\n"))
    };
    let plan = Plan::new(rules);
    let providers: Vec<_> = plan.providers().iter().map(provider).collect();
    providers.join(",\n")
}

/// The condition, always true, that counts an event. It names the place letter by letter: looking it up would cost more than the rest.
fn counted(provider: &str, id: u64) -> String {
    let place = format!("Counts.`{provider}`");
    format!(
        "(NOT Counts OR set(item={place}, field='{id}', value=(1 + ({place}.`{id}`[0] || 0), {place}.`{id}`[1] || Time, Time)))
            && "
    )
}

/// The function of an event: nothing of the fields is read unless one of them may hold an indicator.
fn function(counted: &str, places: &[&Place], rules: &Rules) -> String {
    const INDENT: &str = "              ";
    let mut conditions: Vec<String> = Vec::new();
    for condition in places
        .iter()
        .flat_map(|place| readers::may_hold(place, rules))
    {
        let condition = condition.replace('\n', &format!("\n{INDENT}"));
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    let reads: Vec<_> = places
        .iter()
        .map(|place| readers::read(place, rules))
        .collect();
    format!(
        "E, Feed, Counts, Time=>{counted}({})
            && ({})",
        conditions.join(&format!("\n{INDENT}OR ")),
        reads.join(&format!("\n{INDENT}+ ")),
    )
}

/// Matches: role and kind of key, to match and strength. An `ip:port` without a row is an `ip`.
fn all_matches(rules: &Rules) -> String {
    let matches = rules.matches();
    let rows = matches.rows();
    let own = rows.iter().map(|row| (row.kind, row));
    let fallback = rows.iter().filter_map(|row| {
        let has_port = rows
            .iter()
            .any(|other| other.role == row.role && other.kind == KeyKind::IpPort);
        (row.kind == KeyKind::Ip && !has_port).then_some((KeyKind::IpPort, row))
    });
    let line = |(kind, row): (KeyKind, &Match)| {
        let role = matches.role_name(row.role);
        let name = string(&row.name, '"');
        let (strength, rank) = (row.strength.name(), rank(row.strength));
        let kind = kind.name();
        format!("        `{role} {kind}`=dict(Match={name}, Strength=\"{strength}\", Rank={rank})")
    };
    own.chain(fallback)
        .map(line)
        .collect::<Vec<_>>()
        .join(",\n")
}

/// Strengths are compared as numbers.
fn rank(strength: Strength) -> u8 {
    match strength {
        Strength::Weak => 1,
        Strength::Medium => 2,
        Strength::Strong => 3,
    }
}

fn never(rules: &Rules, kind: &str, written: impl Fn(&str) -> String) -> String {
    let entries = rules.never().entries().iter();
    let values = entries
        .filter(|entry| *entry.kind == *kind)
        .map(|entry| written(&entry.value));
    values.collect::<Vec<_>>().join(", ")
}
