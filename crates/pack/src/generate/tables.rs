//! The tables as Markdown.

use std::collections::BTreeSet;

use threatfox::lookup::TypedValue;
use threatfox::rules::logs::LogFile;
use threatfox::rules::{Place, Role, Rules, Strength};

use super::Tables;

/// The tables that there are, by the names that markers give.
pub const NAMES: [&str; 3] = ["matches", "places", "logs"];

/// A table, by its name.
pub fn table(name: &str, tables: &Tables) -> Option<String> {
    match name {
        "matches" => Some(matches(&tables.rules)),
        "places" => Some(places(&tables.rules)),
        "logs" => Some(logs(&tables.logs)),
        _ => None,
    }
}

/// The table of matches: one row per role that some place has, with the matches of each strength.
fn matches(rules: &Rules) -> String {
    let strengths = [Strength::Strong, Strength::Medium, Strength::Weak];
    let header = ["Where", "Read as"]
        .into_iter()
        .chain(strengths.map(Strength::name));
    let mut rows = vec![header.map(str::to_owned).collect()];
    for name in rules.matches().roles() {
        let Some(role) = rules.matches().role(name) else {
            continue;
        };
        let of_role = rules.places().iter().filter(|place| place.role == role);
        let of_role: Vec<_> = of_role.filter(|place| !is_value(place)).collect();
        if !of_role.is_empty() {
            let mut row = vec![wheres(&of_role), name.to_owned()];
            row.extend(strengths.map(|strength| names(rules, role, strength)));
            rows.push(row);
        }
    }
    markdown(&rows)
}

/// The names of the matches of a role and strength.
fn names(rules: &Rules, role: Role, strength: Strength) -> String {
    let mut names: Vec<String> = Vec::new();
    for row in rules.matches().rows() {
        let name = code(&row.name);
        if row.role == role && row.strength == strength && !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// The table of places: one row per row of `places.csv`.
fn places(rules: &Rules) -> String {
    let header = ["Where", "Field", "Reader", "Read as", "Only if"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for place in rules.places() {
        let port = place
            .port
            .as_ref()
            .map_or(String::new(), |port| format!(", {}", code(port)));
        let conditions: Vec<_> = place.conditions.iter().map(ToString::to_string).collect();
        rows.push(vec![
            wheres(&[place]),
            code(&place.field) + &port,
            place.reader.to_string(),
            rules.matches().role_name(place.role).to_owned(),
            conditions.join("; ").replace('|', " or "),
        ]);
    }
    markdown(&rows)
}

/// The logs of Windows: one row per kind of event that tells something.
fn logs(logs: &[LogFile]) -> String {
    let header = ["Log", "File", "Searched", "Tells", "Events", "Switch it on"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for log in logs {
        for events in &log.events {
            let files: Vec<_> = log.files.iter().map(|file| code(file)).collect();
            rows.push(vec![
                log.name.clone(),
                files.join(", "),
                if log.by_default {
                    "by default"
                } else {
                    "if asked for"
                }
                .to_owned(),
                events.what.clone(),
                ids(&events.event_ids),
                if events.how.is_empty() {
                    "it is on".to_owned()
                } else {
                    code(&events.how)
                },
            ]);
        }
    }
    markdown(&rows)
}

/// Event ids as people write them.
pub fn ids(ids: &[u64]) -> String {
    ids.iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Where places are: `Sysmon 3, 22; Windows.System.DNSCache`.
fn wheres(places: &[&Place]) -> String {
    let mut found: Vec<(String, BTreeSet<u64>)> = Vec::new();
    for place in places {
        let names: BTreeSet<_> = place.providers.iter().map(|name| short(name)).collect();
        for name in names {
            let ids = place.event_ids.iter().copied();
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => known.extend(ids),
                None => found.push((name, ids.collect())),
            }
        }
    }
    let written = |(name, ids): &(String, BTreeSet<u64>)| {
        let ids: Vec<_> = ids.iter().map(u64::to_string).collect();
        format!("{name} {}", ids.join(", ")).trim_end().to_owned()
    };
    found.iter().map(written).collect::<Vec<_>>().join("; ")
}

/// A provider as people call it. Sysmon has the same events on Windows and Linux.
fn short(provider: &str) -> String {
    if provider == TypedValue::PROVIDER {
        return "a value that is looked up".to_owned();
    }
    let known = ["Microsoft-Windows-", "Linux-"];
    let short = known
        .iter()
        .find_map(|prefix| provider.strip_prefix(prefix));
    short.unwrap_or(provider).to_owned()
}

/// Whether the row is a value that a user typed, not an event of an endpoint.
fn is_value(place: &Place) -> bool {
    place
        .providers
        .iter()
        .all(|name| name == TypedValue::PROVIDER)
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// The rows, the header first.
fn markdown(rows: &[Vec<String>]) -> String {
    let mut lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let cells: Vec<_> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |", cells.join(" | ")).replace("  |", " |")
        })
        .collect();
    let columns = rows.first().map_or(0, Vec::len);
    lines.insert(1, format!("|{}", "---|".repeat(columns)));
    lines.join("\n") + "\n"
}
