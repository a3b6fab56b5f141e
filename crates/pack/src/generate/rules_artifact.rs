//! `artifacts/Generic/ThreatFox/Rules.yaml`: the tables as one dict of VQL.

use anyhow::Result;
use threatfox::rules::columns::{Column, Part};
use threatfox::rules::plan::{Plan, Provider, Step};
use threatfox::rules::{KeyKind, Kind, Match, Place, Rules, Strength};

use super::Tables;
use super::log_tables::{all_logs, all_needs, asked};
use super::readers;
use super::vql_text::{check_name, column, string};

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
  -- A dict: Gates has provider, then event id, to the function that says whether an event's fields (E) may hold an indicator of the feed, and counts it:
  -- Counts gets, by event id, a list: how many, the least and the greatest time, and whether one tells what it is read for (Needs). (`&&` gives its last
  -- value: it costs less than a call of if().) OtherEvent is used if an event has no gate, and only counts. Readers has the functions that give the
  -- observables that are in the feed. JoinedPart joins a script block's part with the word that the part before ended in (BehindPart). NewJob notes
  -- whose a job of BITS is, in Feed.Jobs; AnyTime is asked of the events outside of the period that is searched. Matches has role and kind of key to what the match is called, and its
  -- strength (Ranks are strengths as numbers): what is not there is not a match. NeverNetworks and NeverHashes are never an indicator. Columns has provider, then event id, to the
  -- function that gives the fields of a hit that the event names otherwise than Sysmon does (NoColumns where there is none). Logs has the logs of
  -- Windows by their names; Needs what a provider's log should have (Field: not without this field), and how it is switched on.
  LET Rules <= dict(
";

/// It finds the event in the scope that it is called from, as `System`.
const OTHER_EVENT: &str = "      OtherEvent='''E, Feed, Counts, Time=>NOT set(
            item=Counts,
            field=str(str=System.EventID.Value || System.EventID),
            value=(
              1 + (Counts[str(str=System.EventID.Value || System.EventID)][0] || 0),
              (Counts[str(str=System.EventID.Value || System.EventID)][1] < Time && Counts[str(str=System.EventID.Value || System.EventID)][1]) || Time,
              (Time < Counts[str(str=System.EventID.Value || System.EventID)][2] && Counts[str(str=System.EventID.Value || System.EventID)][2]) || Time))'''";

/// The text of a script block's part, behind the unfinished word of the part before, of which the last 1,024 bytes count. Feed.Scripts has, by computer and
/// block, the last part that was read: its number, its word, and the word before it. At 4,096 they become Feed.Older, and are forgotten when these are as
/// many again. The helper writes the word of its own reading as `Before`.
const JOINED_PART: &str = r#"      JoinedPart='''E, Text, Feed, Block=>eval(func=Rules.BehindPart, args=(E, Text, Feed, Block, Feed.Scripts[Block] || Feed.Older[Block] || (0, "")))''',
      BehindPart='''E, Text, Feed, Block, Last=>(Block IN Feed.Scripts OR len(list=Feed.Scripts) < 4096
          OR set(item=set(item=Feed, field="Older", value=Feed.Scripts), field="Scripts", value=dict()))
        && set(item=Feed.Scripts, field=Block, value=(
          int(int=E.MessageNumber),
          regex_replace(source=Text, re="(?s)^.*[\t-\r \"'`|<>(){},;]", replace="")[-1024:],
          if(condition="Before" IN E, then=E.Before, else=Last[0] = int(int=E.MessageNumber) - 1 && Last[1]) || ""))[Block][2] + Text'''"#;

/// BITS names the process and the owner of a job only where it begins: event 3, of whose fields the old form has no names and no id. Feed.Jobs has them by the
/// job's id, else by its title; so many that an entry costs nothing to speak of, then it begins anew. Each is noted once, as some events are read twice.
const NEW_JOB: &str = r#"E, Feed=>(E.jobId OR E.string)
            && NOT get(field="System").Job
            && (NOT get(field="System") OR set(item=get(field="System"), field="Job", value=dict(Noted=TRUE)))
            && (len(list=Feed.Jobs) < 10000 OR set(item=Feed, field="Jobs", value=dict()))
            && NOT set(item=Feed.Jobs, value=dict(Image=E.processPath, User=E.jobOwner || E.string2, ProcessId=E.processId),
              field=lowcase(string=format(format="%v %v", args=(get(field="System").Computer, strip(string=E.jobId || "title " + E.string, prefix="{", suffix="}")))))"#;

/// A job may have begun before the period that is searched. An event's data, which may be a list.
const JOB_OF_ANY_TIME: &str = r#"Data, Feed=>str(str=get(field="System").EventID.Value || get(field="System").EventID) = "3"
            && eval(func=Feed.Rules.NewJob, args=((Data.Data && eval(func=Feed.Reading.Fields, args=(Data, ))) || Data, Feed))"#;

/// What a download's event gets of its job's, for columns.csv: in `System`, as all that reads the event later has that. An unknown job stays unknown: one
/// that is noted before the event is looked at again is a later one.
const JOB: &str = r#"
            && (NOT get(field="System") OR get(field="System").Job OR set(item=get(field="System"), field="Job",
              value=Feed.Jobs[lowcase(string=format(format="%v %v", args=(get(field="System").Computer, strip(string=E.Id || "", prefix="{", suffix="}"))))]
                || Feed.Jobs[lowcase(string=format(format="%v title %v", args=(get(field="System").Computer, E.name)))] || dict(Unknown=TRUE)))"#;
const BITS: &str = "Microsoft-Windows-Bits-Client";

/// The whole file.
pub fn text(tables: &Tables) -> Result<String> {
    let rules = &tables.rules;
    check_names(rules)?;
    for row in &tables.columns {
        let check = |name: &str, column| check_name(name, "columns.csv", row.line, column);
        row.providers
            .iter()
            .try_for_each(|name| check(name, "provider"))?;
        check(&row.name, "column")?;
        row.value.iter().try_for_each(|part| match part {
            Part::Field(name) => check(name, "value"),
            Part::System(names) => names.iter().try_for_each(|name| check(name, "value")),
            Part::Text(_) => Ok(()),
        })?;
    }
    let parts = [
        format!(
            "      Gates=dict(\n{})",
            of_all_events(
                rules,
                |provider, id, places| gate(provider, id, places, tables),
                Some(BITS)
            )
        ),
        format!(
            "      Readers=dict(\n{})",
            of_all_events(rules, |_, _, places| reader(places, rules), None)
        ),
        OTHER_EVENT.to_owned(),
        JOINED_PART.to_owned(),
        format!("      NewJob='''{NEW_JOB}'''"),
        format!("      AnyTime=dict(`{BITS}`='''{JOB_OF_ANY_TIME}''')"),
        format!("      Matches=dict(\n{})", all_matches(rules)),
        format!("      Ranks=dict({})", ranks()),
        format!(
            "      NeverNetworks=({})",
            never(rules, "network", |value| string(value, '"'))
        ),
        format!(
            "      NeverHashes=dict({})",
            never(rules, "hash", |value| format!("`{value}`=TRUE"))
        ),
        format!("      Columns=dict({})", all_columns(&tables.columns)),
        "      NoColumns='E, System=>dict()'".to_owned(),
        format!("      Logs=dict({})", all_logs(&tables.logs)),
        format!("      Needs=dict({})", all_needs(&tables.logs)),
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

/// Provider, then event id, to a function of the event; `row` where the rows are not events. One provider may have jobs to note.
fn of_all_events(
    rules: &Rules,
    function: impl Fn(&str, Option<u64>, &[&Place]) -> String,
    with_jobs: Option<&str>,
) -> String {
    let event = |provider: &str, (id, steps): (Option<u64>, &[Step<'_>])| {
        let places: Vec<_> = steps.iter().map(|step| step.place).collect();
        let function = function(provider, id, &places);
        let id = id.map_or("row".to_owned(), |id| id.to_string());
        format!("          `{id}`='''{function}'''")
    };
    let provider = |provider: &Provider<'_>| {
        let mut events: Vec<_> = provider
            .events()
            .map(|one| event(provider.name, one))
            .collect();
        if with_jobs == Some(provider.name) {
            let counted = counted(3, None);
            events.push(format!(
                "          `3`='''E, Feed, Counts, Time=>{counted}eval(func=Feed.Rules.NewJob, args=(E, Feed))'''"
            ));
        }
        format!("        `{}`=dict(\n{})", provider.name, events.join(",\n"))
    };
    let plan = Plan::new(rules);
    let providers: Vec<_> = plan.providers().iter().map(provider).collect();
    providers.join(",\n")
}

/// The function that counts an event, and says whether one of its fields may hold an indicator. It is asked of every event.
fn gate(provider: &str, id: Option<u64>, places: &[&Place], tables: &Tables) -> String {
    const INDENT: &str = "              ";
    let mut conditions: Vec<String> = Vec::new();
    for condition in places
        .iter()
        .flat_map(|place| readers::may_hold(place, &tables.rules))
    {
        let condition = condition.replace('\n', &format!("\n{INDENT}"));
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    let conditions = conditions.join(&format!("\n{INDENT}OR "));
    let counted = id.map_or(String::new(), |id| {
        counted(id, asked(&tables.logs, provider, id))
    });
    let job = if provider == BITS { JOB } else { "" };
    format!("E, Feed, Counts, Time=>{counted}({conditions}){job}")
}

/// The condition, always true, that counts an event, and notes whether one had this field.
fn counted(id: u64, asked: Option<&str>) -> String {
    let tells = asked.map_or(String::new(), |field| {
        format!(", Counts.`{id}`[3] || ({} && TRUE)", column(field))
    });
    format!(
        "set(item=Counts, field='{id}', value=(1 + (Counts.`{id}`[0] || 0), (Counts.`{id}`[1] < Time && Counts.`{id}`[1]) || Time, (Time < Counts.`{id}`[2] && Counts.`{id}`[2]) || Time{tells}))
            && "
    )
}

/// The function that gives the observables of an event. It is asked of the events that the gate lets through.
fn reader(places: &[&Place], rules: &Rules) -> String {
    let reads: Vec<_> = places
        .iter()
        .map(|place| readers::read(place, rules))
        .collect();
    format!("E, Feed=>{}", reads.join("\n              + "))
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
        (row.kind == KeyKind::Key(Kind::Ip) && !has_port).then_some((KeyKind::IpPort, row))
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

/// Ranks: strength to the number that stands for it where strengths are compared.
fn ranks() -> String {
    let ranks = [Strength::Weak, Strength::Medium, Strength::Strong]
        .map(|strength| format!("{}={}", strength.name(), rank(strength)));
    ranks.join(", ")
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

/// Lines of a dict, each further to the right than what they belong to.
pub fn lines(lines: &[String], indent: &str) -> String {
    let lines: Vec<_> = lines
        .iter()
        .map(|line| format!("\n{indent}{line}"))
        .collect();
    lines.join(",")
}

/// The rows of each event of a provider, by its id.
type Events<'c> = Vec<(String, Vec<&'c Column>)>;

/// Columns: provider, then event id (`row` where the rows are not events), to a function of the event's fields and its `System`.
fn all_columns(columns: &[Column]) -> String {
    let mut providers: Vec<(&str, Events<'_>)> = Vec::new();
    for row in columns {
        let ids: Vec<_> = match &row.event_ids[..] {
            [] => vec!["row".to_owned()],
            ids => ids.iter().map(u64::to_string).collect(),
        };
        for provider in &row.providers {
            let events = entry(&mut providers, provider.as_str());
            for id in &ids {
                entry(events, id.clone()).push(row);
            }
        }
    }
    let event = |(id, rows): &(String, Vec<&Column>)| {
        let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        names.dedup();
        let value = |name: &&str| format!("`{name}`={}", column_value(rows, name));
        let values: Vec<_> = names.iter().map(value).collect();
        format!(
            "`{id}`='''E, System=>dict({})'''",
            lines(&values, "            ")
        )
    };
    let provider = |(name, events): &(&str, Events<'_>)| {
        let events: Vec<_> = events.iter().map(event).collect();
        format!("`{name}`=dict({})", lines(&events, "          "))
    };
    lines(
        &providers.iter().map(provider).collect::<Vec<_>>(),
        "        ",
    )
}

/// The value of a key in a short list that keeps its order.
fn entry<K: PartialEq, V: Default>(list: &mut Vec<(K, V)>, key: K) -> &mut V {
    let known = list.iter().position(|(known, _)| *known == key);
    let at = known.unwrap_or_else(|| {
        list.push((key, V::default()));
        list.len() - 1
    });
    &mut list[at].1
}

/// The value of a column: that of the first row whose conditions hold.
fn column_value(rows: &[&Column], name: &str) -> String {
    let of_column = rows.iter().rev().filter(|row| row.name == name);
    of_column.fold("NULL".to_owned(), |other, row| {
        let value = parts(&row.value);
        if row.conditions.is_empty() {
            return value;
        }
        let conditions = readers::all_hold(&row.conditions);
        format!("if(condition={conditions}, then={value}, else={other})")
    })
}

/// A single field keeps its type; several parts are one text.
fn parts(parts: &[Part]) -> String {
    let field = |part: &Part| match part {
        Part::Text(text) => string(text, '"'),
        Part::Field(name) => column(name),
        Part::System(names) => format!("System.{}", names.join(".")),
    };
    let text = |part: &Part| match part {
        Part::Text(_) => field(part),
        _ => format!("str(str={} || \"\")", field(part)),
    };
    match parts {
        [one] => field(one),
        several => several.iter().map(text).collect::<Vec<_>>().join(" + "),
    }
}
