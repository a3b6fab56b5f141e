//! The rules: what is read where, and what matches. They are the tables in the folder `rules/`, which its README.md explains.
//!
//! A [`Place`] says which field of which event is read, by which [`Reader`], in which role. A [`Match`] is what an
//! observable in a role is called, and how strong it is. [`Never`] holds what is never an indicator. [`reader`] reads
//! a text into observables; [`plan`] finds the places of an event.

pub mod columns;
mod error;
mod kind;
pub mod logs;
mod matches;
mod never;
mod place;
pub mod plan;
pub mod reader;
mod table;

use std::sync::LazyLock;

pub use error::RulesError;
pub use kind::Kind;
pub use matches::{KeyKind, Match, Matches, Role, Strength};
pub use never::{Algorithm, Never, NeverEntry};
pub use place::{Condition, Place, Reader, Test};

/// The tables as they were when this program was built.
static BUILT_IN: LazyLock<Rules> = LazyLock::new(|| {
    // A test reads the same texts, so that a table with an error never gets here.
    Rules::parse(
        include_str!("../../../../rules/places.csv"),
        include_str!("../../../../rules/matches.csv"),
        include_str!("../../../../rules/never.csv"),
    )
    .unwrap_or_default()
});

/// The three tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    places: Vec<Place>,
    matches: Matches,
    never: Never,
}

impl Rules {
    /// Reads the texts of `places.csv`, `matches.csv` and `never.csv`.
    ///
    /// # Errors
    /// The first thing in them that has no meaning, with its line and column.
    pub fn parse(places: &str, matches: &str, never: &str) -> Result<Self, RulesError> {
        let matches = Matches::parse(matches)?;
        Ok(Self {
            places: place::parse(places, &matches)?,
            matches,
            never: Never::parse(never)?,
        })
    }

    /// The tables that this program was built with.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The rows of `places.csv`, in their order.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The rows of `matches.csv`.
    #[must_use]
    pub fn matches(&self) -> &Matches {
        &self.matches
    }

    /// The rows of `never.csv`.
    #[must_use]
    pub fn never(&self) -> &Never {
        &self.never
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: &str = "provider,event_id,field,reader,role,port,condition\n";
    const MATCHES: &str = "role,kind,match,strength\nfile,md5,md5,strong\n";
    const NEVER: &str = "kind,value,why\nnetwork,10.0.0.0/8,private\n";

    #[test]
    fn the_built_in_tables_can_be_read() {
        let rules = Rules::parse(
            include_str!("../../../../rules/places.csv"),
            include_str!("../../../../rules/matches.csv"),
            include_str!("../../../../rules/never.csv"),
        )
        .unwrap();
        assert_eq!(&rules, Rules::built_in());
        assert!(!rules.places().is_empty() && !rules.never().entries().is_empty());
    }

    const ROW: &str = "Sysmon,1,Hashes,hashes,file,,\n";

    /// The error of tables with these rows more.
    fn error(places: &str, matches: &str, never: &str) -> String {
        let parsed = Rules::parse(
            &format!("{PLACES}{places}"),
            &format!("{MATCHES}{matches}"),
            &format!("{NEVER}{never}"),
        );
        parsed.unwrap_err().to_string()
    }

    #[test]
    fn a_fault_in_places_is_reported_with_its_line_and_column() {
        let twice = format!("{ROW}{ROW}");
        for (row, problem, column) in [
            (
                "Sysmon,1,Hashes,hash,file,,",
                "\"hash\" is not a reader",
                "reader",
            ),
            (
                "Sysmon,1,Hashes,zone,file,,",
                "\"zone\" is not a reader",
                "reader",
            ),
            (
                "Sysmon,1,Hashes,hashes,files,,",
                "\"files\" is not a role",
                "role",
            ),
            ("Sysmon,1,,hashes,file,,", "the field is empty", "field"),
            (",1,Hashes,hashes,file,,", "the field is empty", "provider"),
            (
                "Sysmon,x,Hashes,hashes,file,,",
                "\"x\" is not an event id",
                "event_id",
            ),
            (
                "Sysmon,1|,Hashes,hashes,file,,",
                "a part of the field is empty",
                "event_id",
            ),
            (
                "Sysmon,1,H,hashes,file,,X equals y",
                "\"X equals y\" is not a condition",
                "condition",
            ),
            (
                "Sysmon,65536,Hashes,hashes,file,,",
                "\"65536\" is not an event id",
                "event_id",
            ),
        ] {
            let expected = format!("{problem} (rules/places.csv, line 2, column {column}). ");
            let error = error(row, "", "");
            assert!(error.starts_with(&expected), "{error}");
        }
        for (row, count) in [
            ("Sysmon,1,Hashes,hashes", 4),
            ("Sysmon,1,Hashes,hashes,file,,,", 8),
        ] {
            let expected = format!(
                "the row has {count} fields, not 7 (rules/places.csv, line 2). The columns are provider,"
            );
            let error = error(row, "", "");
            assert!(error.starts_with(&expected), "{error}");
        }
        let error = error(&twice, "", "");
        assert!(
            error.starts_with("the row is there twice (rules/places.csv, line 3, "),
            "{error}"
        );
        let error = Rules::parse("provider,id\n", MATCHES, NEVER).unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }

    #[test]
    fn a_fault_in_matches_or_never_is_reported_with_its_line_and_column() {
        for (matches, never, problem, place) in [
            (
                "file,md4,md4,strong",
                "",
                "\"md4\" is not a kind",
                "matches.csv, line 3, column kind",
            ),
            (
                "file,sha1,sha1,huge",
                "",
                "\"huge\" is not a strength",
                "matches.csv, line 3, column strength",
            ),
            (
                "file,md5,again,weak",
                "",
                "the row is there twice",
                "matches.csv, line 3, column role",
            ),
            (
                "file,sha1,,weak",
                "",
                "the field is empty",
                "matches.csv, line 3, column match",
            ),
            (
                "script,ip,md5,weak",
                "",
                "the match \"md5\" is strong in another row",
                "matches.csv, line 3, column strength",
            ),
            (
                "",
                "network,10.0.0.0,x",
                "\"10.0.0.0\" is not a network",
                "never.csv, line 3, column value",
            ),
            (
                "",
                "hash,md5:00,x",
                "\"md5:00\" is not a hash",
                "never.csv, line 3, column value",
            ),
            (
                "",
                "host,a.example,x",
                "\"host\" is not a kind",
                "never.csv, line 3, column kind",
            ),
        ] {
            let error = error(ROW, matches, never);
            assert!(
                error.starts_with(&format!("{problem} (rules/{place}). ")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_place_of_a_new_provider_needs_a_line_in_the_table_only() {
        let places = format!(
            "{PLACES}Microsoft-Windows-Bits-Client,59|60,url,hashes,file,,X is a|b; Y is empty\n"
        );
        let rules = Rules::parse(&places, MATCHES, NEVER).unwrap();
        let place = &rules.places()[0];
        assert_eq!(place.providers, ["Microsoft-Windows-Bits-Client"]);
        assert_eq!(place.event_ids, [59, 60]);
        assert_eq!(place.conditions.len(), 2);
        assert_eq!(place.conditions[0].to_string(), "X is a|b");
    }
}
