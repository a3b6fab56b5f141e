//! `logs.csv` as VQL.

use threatfox::rules::logs::LogFile;

use super::rules_artifact::lines;
use super::tables::ids;
use super::vql_text::string;

/// The field without which an event tells nothing of what its log is read for.
pub fn asked<'l>(logs: &'l [LogFile], provider: &str, id: u64) -> Option<&'l str> {
    let of_provider = |log: &&LogFile| log.providers.iter().any(|name| name == provider);
    let mut events = logs.iter().filter(of_provider).flat_map(|log| &log.events);
    let asked = events.find(|events| events.event_ids.contains(&id))?;
    Some(asked.field.as_str()).filter(|field| !field.is_empty())
}

/// Logs: name to the provider, the files and how what it lacks is switched on.
pub fn all_logs(logs: &[LogFile]) -> String {
    let log = |log: &LogFile| {
        let files: Vec<_> = log.files.iter().map(|file| string(file, '"')).collect();
        let hows: Vec<_> = log
            .events
            .iter()
            .map(|events| &*events.how)
            .filter(|how| !how.is_empty())
            .collect();
        let provider = log.providers.first().map_or("", |provider| provider);
        format!(
            "`{}`=dict(Provider={}, Files=({}, ), How={})",
            log.name,
            string(provider, '"'),
            files.join(", "),
            string(&hows.join("; "), '"')
        )
    };
    lines(&logs.iter().map(log).collect::<Vec<_>>(), "        ")
}

/// Needs: provider to the events that its log should have but may not: what they tell, and how they are switched on.
pub fn all_needs(logs: &[LogFile]) -> String {
    let mut providers: Vec<String> = Vec::new();
    for log in logs {
        let switched = log.events.iter().filter(|events| !events.how.is_empty());
        let needs: Vec<_> = switched
            .map(|events| {
                let what = format!("{} (event {})", events.what, ids(&events.event_ids));
                let ids: Vec<_> = events
                    .event_ids
                    .iter()
                    .map(|id| format!("\"{id}\""))
                    .collect();
                format!(
                    "dict(Log=\"{}\", Ids=({}, ), Field={}, What={}, How={})",
                    log.name,
                    ids.join(", "),
                    string(&events.field, '"'),
                    string(&what, '"'),
                    string(&events.how, '"')
                )
            })
            .collect();
        for provider in log.providers.iter().filter(|_| !needs.is_empty()) {
            providers.push(format!("`{provider}`=({}, )", lines(&needs, "          ")));
        }
    }
    lines(&providers, "        ")
}
