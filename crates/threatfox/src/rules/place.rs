//! `places.csv`: which fields are read, how, and in which role.

use std::fmt;

use super::RulesError;
use super::matches::{Matches, Role};
use super::table::{Row, Table};

const TABLE: Table = Table {
    file: "places.csv",
    columns: &[
        "provider",
        "event_id",
        "field",
        "reader",
        "role",
        "port",
        "condition",
    ],
};

/// The reader of a field's text. `rules/README.md` explains each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// An IP address.
    Address,
    /// The IPv4 address in the first bytes of an IPv6 address.
    FirstBytes,
    /// A host name, or an address in its place.
    Host,
    /// The answer of a DNS query.
    Answers,
    /// Hashes of a file.
    Hashes,
    /// A URL.
    Url,
    /// The URL behind this name in a mark of the web.
    Zone(String),
    /// The URLs in running text.
    Urls,
    /// Running text.
    Text,
    /// Running text, which may go on in the next event.
    Script,
}

impl Reader {
    /// The readers that have no parameter, with their names.
    const PLAIN: [(&'static str, Self); 9] = [
        ("address", Self::Address),
        ("first bytes", Self::FirstBytes),
        ("host", Self::Host),
        ("answers", Self::Answers),
        ("hashes", Self::Hashes),
        ("url", Self::Url),
        ("urls", Self::Urls),
        ("text", Self::Text),
        ("script", Self::Script),
    ];

    fn from_name(name: &str) -> Option<Self> {
        if let Some(mark) = name.strip_prefix("zone ") {
            let word = !mark.is_empty() && mark.bytes().all(|b| b.is_ascii_alphanumeric());
            return word.then(|| Self::Zone(mark.to_owned()));
        }
        let (_, reader) = Self::PLAIN.into_iter().find(|(plain, _)| *plain == name)?;
        Some(reader)
    }
}

/// The name in the table.
impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(mark) => write!(f, "zone {mark}"),
            plain => {
                let named = Self::PLAIN.iter().find(|(_, reader)| reader == plain);
                f.write_str(named.map_or("", |(name, _)| name))
            }
        }
    }
}

/// The test of a field's value in a condition. The values here are in lowercase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// It is one of these.
    Is(Vec<String>),
    /// It is none of these, or is missing.
    IsNot(Vec<String>),
    /// It is empty, `-` or missing.
    IsEmpty,
    /// It is missing.
    IsMissing,
}

/// A condition on a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub field: String,
    /// The required value.
    pub test: Test,
}

impl Condition {
    fn parse(written: &str) -> Option<Self> {
        let (field, asked) = written.split_once(" is ")?;
        let values = |list: &str| {
            let values: Vec<String> = list.split('|').map(super::reader::lowercase).collect();
            let filled = values.iter().all(|value| !value.trim().is_empty());
            filled.then_some(values)
        };
        let test = match (asked, asked.strip_prefix("not ")) {
            ("empty", _) => Test::IsEmpty,
            ("missing", _) => Test::IsMissing,
            (_, Some(others)) => Test::IsNot(values(others)?),
            (list, None) => Test::Is(values(list)?),
        };
        let word = !field.is_empty() && !field.contains(' ');
        word.then(|| Self {
            field: field.to_owned(),
            test,
        })
    }

    /// Whether the condition holds for a field with this text.
    #[must_use]
    pub fn holds(&self, text: Option<&str>) -> bool {
        let among = |values: &[String]| {
            let lower = text.map(super::reader::lowercase);
            lower.is_some_and(|lower| values.contains(&lower))
        };
        match &self.test {
            Test::Is(values) => among(values),
            Test::IsNot(values) => !among(values),
            Test::IsEmpty => matches!(text, None | Some("" | "-")),
            Test::IsMissing => text.is_none(),
        }
    }
}

/// The condition as the table has it, its values in lowercase.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.test {
            Test::Is(values) => write!(f, "{field} is {}", values.join("|")),
            Test::IsNot(values) => write!(f, "{field} is not {}", values.join("|")),
            Test::IsEmpty => write!(f, "{field} is empty"),
            Test::IsMissing => write!(f, "{field} is missing"),
        }
    }
}

/// A field that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The providers of the event, or the artifacts that a row comes from.
    pub providers: Vec<String>,
    /// The numbers of the event; none for rows that are not events.
    pub event_ids: Vec<u64>,
    /// The field.
    pub field: String,
    /// The reader of its text.
    pub reader: Reader,
    /// Where the observables stand.
    pub role: Role,
    /// The field with the port of the address.
    pub port: Option<String>,
    /// Conditions that all have to hold.
    pub conditions: Vec<Condition>,
    /// The line in the table.
    pub line: u64,
}

pub(super) fn parse(text: &str, matches: &Matches) -> Result<Vec<Place>, RulesError> {
    let mut places: Vec<Place> = Vec::new();
    for row in TABLE.rows(text)? {
        let place = place(&row, matches)?;
        let same = |other: &Place| {
            Place {
                line: place.line,
                ..other.clone()
            } == place
        };
        if places.iter().any(same) {
            return Err(row.twice());
        }
        places.push(place);
    }
    Ok(places)
}

fn place(row: &Row, matches: &Matches) -> Result<Place, RulesError> {
    let event_ids = row.numbers(1)?;
    let reader = row.filled(3)?;
    let reader = Reader::from_name(reader).ok_or_else(|| {
        let names = Reader::PLAIN.map(|(name, _)| name).join(", ");
        row.not(
            3,
            reader,
            "a reader",
            format!("Give one of {names} or zone NAME"),
        )
    })?;
    let role = row.filled(4)?;
    let role = matches.role(role).ok_or_else(|| {
        let names: Vec<_> = matches.roles().collect();
        let cure = format!("Give one of matches.csv: {}", names.join(", "));
        row.not(4, role, "a role", cure)
    })?;
    let port = row.get(5);
    Ok(Place {
        providers: row.parts(0)?,
        event_ids,
        field: row.filled(2)?.to_owned(),
        reader,
        role,
        port: (!port.is_empty()).then(|| port.to_owned()),
        conditions: conditions(row, 6)?,
        line: row.line(),
    })
}

/// The conditions in a column of a row.
pub(super) fn conditions(row: &Row, column: usize) -> Result<Vec<Condition>, RulesError> {
    let condition = |text| {
        let cure = "Write X is a|b, X is not a|b, X is empty or X is missing, with '; ' between";
        Condition::parse(text).ok_or_else(|| row.not(column, text, "a condition", cure))
    };
    match row.get(column) {
        "" => Ok(Vec::new()),
        text => text.split("; ").map(condition).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_holds_by_the_text_of_its_field() {
        for (condition, text, holds) in [
            ("X is a|b", Some("B"), true),
            ("X is a|b", Some("c"), false),
            ("X is a|b", None, false),
            ("X is not false", Some("False"), false),
            ("X is not false", Some("true"), true),
            ("X is not false", None, true),
            ("X is empty", Some(""), true),
            ("X is empty", Some("-"), true),
            ("X is empty", None, true),
            ("X is empty", Some("a"), false),
            ("X is missing", None, true),
            ("X is missing", Some(""), false),
        ] {
            let parsed = Condition::parse(condition).unwrap();
            assert_eq!(parsed.holds(text), holds, "{condition} {text:?}");
            assert_eq!(parsed.to_string(), condition);
        }
    }

    #[test]
    fn a_reader_is_written_as_it_was_read() {
        for name in ["address", "first bytes", "zone HostUrl", "text"] {
            assert_eq!(Reader::from_name(name).unwrap().to_string(), name);
        }
        for name in ["", "zone", "zone ", "zone a b", "Address", "regex"] {
            assert_eq!(Reader::from_name(name), None, "{name}");
        }
    }
}
