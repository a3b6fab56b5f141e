//! `logs.csv`: which file of a Windows host has which events, and how they are switched on.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::RulesError;
use super::table::{Row, Table};

const TABLE: Table = Table {
    file: "logs.csv",
    columns: &[
        "log", "file", "provider", "default", "event_id", "what", "how", "field",
    ],
};

/// Where Windows has its logs.
const FOLDER: &str = r"C:\Windows\System32\winevt\Logs";

/// The table as it was when this program was built.
static BUILT_IN: LazyLock<Vec<LogFile>> = LazyLock::new(|| {
    // A test reads the same text, so that a table with an error never gets here.
    parse(include_str!("../../../../rules/logs.csv")).unwrap_or_default()
});

/// A log of a Windows host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Its name for users.
    pub name: String,
    /// Its files: those that exist are read.
    pub files: Vec<String>,
    /// The providers whose events it has.
    pub providers: Vec<String>,
    /// Whether it is read unless something else is asked for.
    pub by_default: bool,
    /// The events that have observables.
    pub events: Vec<Logged>,
}

/// Events of a log that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Their numbers.
    pub event_ids: Vec<u64>,
    /// The activity that they record.
    pub what: String,
    /// How to switch them on; empty if Windows logs them anyway.
    pub how: String,
    /// The field without which they tell nothing; empty if they always tell it.
    pub field: String,
}

impl LogFile {
    /// The logs that this program was built with.
    #[must_use]
    pub fn built_in() -> &'static [Self] {
        &BUILT_IN
    }

    /// The files of a log, named in any case, on this host; none where there is no such log.
    #[must_use]
    pub fn paths(name: &str) -> Vec<PathBuf> {
        let log = Self::built_in()
            .iter()
            .find(|log| log.name.eq_ignore_ascii_case(name));
        let files = log.map(|log| &log.files[..]).unwrap_or_default();
        files
            .iter()
            .map(|file| Path::new(FOLDER).join(file))
            .collect()
    }
}

/// Reads the text of `logs.csv`.
///
/// # Errors
/// The first thing in it that has no meaning, with its line and column.
pub fn parse(text: &str) -> Result<Vec<LogFile>, RulesError> {
    let mut logs: Vec<LogFile> = Vec::new();
    for row in TABLE.rows(text)? {
        let log = log(&row)?;
        match logs.iter_mut().find(|known| known.name == log.name) {
            Some(known)
                if (&known.files, &known.providers, known.by_default)
                    == (&log.files, &log.providers, log.by_default) =>
            {
                known.events.extend(log.events);
            }
            Some(_) => {
                return Err(row.error(
                    1,
                    "another row of this log has another file, provider or default",
                    "Write the same",
                ));
            }
            None => logs.push(log),
        }
    }
    Ok(logs)
}

fn log(row: &Row) -> Result<LogFile, RulesError> {
    Ok(LogFile {
        name: row.filled(0)?.to_owned(),
        files: row.parts(1)?,
        providers: row.parts(2)?,
        by_default: match row.filled(3)? {
            "yes" => true,
            "no" => false,
            other => return Err(row.not(3, other, "yes or no", "Give one of the two")),
        },
        events: vec![Logged {
            event_ids: row.numbers(4)?,
            what: row.filled(5)?.to_owned(),
            how: row.get(6).to_owned(),
            field: row.get(7).to_owned(),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    #[test]
    fn each_event_of_the_built_in_table_has_a_place() {
        let logs = parse(include_str!("../../../../rules/logs.csv")).unwrap();
        assert_eq!(logs, LogFile::built_in());
        assert!(logs.len() > 5);
        for log in logs {
            for provider in &log.providers {
                let of_provider = |place: &&crate::rules::Place| place.providers.contains(provider);
                let places: Vec<_> = Rules::built_in()
                    .places()
                    .iter()
                    .filter(of_provider)
                    .collect();
                for id in log.events.iter().flat_map(|events| &events.event_ids) {
                    assert!(
                        places.iter().any(|place| place.event_ids.contains(id)),
                        "{provider} {id}"
                    );
                }
                for events in log.events.iter().filter(|events| !events.field.is_empty()) {
                    let read = places.iter().filter(|place| place.field == events.field);
                    assert!(read.count() > 0, "{provider} {}", events.field);
                }
            }
        }
    }

    #[test]
    fn a_log_has_its_files_by_its_name_in_any_case() {
        let paths = LogFile::paths("powershell");
        assert_eq!(paths.len(), 2);
        assert!(paths[0].ends_with("Microsoft-Windows-PowerShell%4Operational.evtx") || cfg!(unix));
        assert!(LogFile::paths("System").is_empty());
    }

    #[test]
    fn rows_of_one_log_that_disagree_are_refused() {
        let head = "log,file,provider,default,event_id,what,how,field\nA,a.evtx,P,yes,1,x,,\n";
        for (row, column) in [
            ("A,b.evtx,P,yes,2,y,,", "file"),
            ("A,a.evtx,P,maybe,2,y,,", "default"),
            ("A,a.evtx,P,yes,x,y,,", "event_id"),
        ] {
            let error = parse(&format!("{head}{row}\n")).unwrap_err().to_string();
            assert!(
                error.contains(&format!("(rules/logs.csv, line 3, column {column})")),
                "{error}"
            );
        }
    }
}
