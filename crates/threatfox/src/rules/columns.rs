//! `columns.csv`: which columns of a hit come from which fields, where an event names them otherwise than Sysmon does.

use super::RulesError;
use super::place::{Condition, conditions};
use super::table::{Row, Table};

const TABLE: Table = Table {
    file: "columns.csv",
    columns: &["provider", "event_id", "column", "value", "condition"],
};

/// A column of a hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The providers of the event, or the artifacts that a row comes from.
    pub providers: Vec<String>,
    /// The numbers of the event; none for rows that are not events.
    pub event_ids: Vec<u64>,
    /// The column, by the name of the Sysmon field that it has elsewhere.
    pub name: String,
    /// What stands in it, in order.
    pub value: Vec<Part>,
    /// Conditions that all have to hold. Of two rows of a column the first whose conditions hold counts.
    pub conditions: Vec<Condition>,
    /// The line in the table.
    pub line: u64,
}

/// A part of a column's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// This text.
    Text(String),
    /// The value of a field of `EventData`, or of the row.
    Field(String),
    /// A value of `System`: the names that lead to it.
    System(Vec<String>),
}

/// Reads the text of `columns.csv`.
///
/// # Errors
/// The first thing in it that has no meaning, with its line and column.
pub fn parse(text: &str) -> Result<Vec<Column>, RulesError> {
    TABLE.rows(text)?.iter().map(column).collect()
}

fn column(row: &Row) -> Result<Column, RulesError> {
    Ok(Column {
        providers: row.parts(0)?,
        event_ids: row.numbers(1)?,
        name: row.filled(2)?.to_owned(),
        value: value(row)?,
        conditions: conditions(row, 4)?,
        line: row.line(),
    })
}

/// A text with fields between braces: `{Application}`, `{Domain}\{Name}`, `{System.Security.UserID}`.
fn value(row: &Row) -> Result<Vec<Part>, RulesError> {
    let written = row.filled(3)?;
    let wrong = || {
        row.not(
            3,
            written,
            "a value",
            "Write fields between braces: {Domain}\\{Name}",
        )
    };
    let mut parts = Vec::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or_else(wrong)?;
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(match name.strip_prefix("System.") {
            _ if name.is_empty() => return Err(wrong()),
            Some(path) => Part::System(path.split('.').map(str::to_owned).collect()),
            None => Part::Field(name.to_owned()),
        });
        rest = behind;
    }
    if rest.contains('}') {
        return Err(wrong());
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "provider,event_id,column,value,condition\n";

    #[test]
    fn the_table_of_the_project_can_be_read() {
        let columns = parse(include_str!("../../../../rules/columns.csv")).unwrap();
        assert!(columns.iter().any(|column| column.name == "Image"));
    }

    #[test]
    fn a_value_is_text_and_fields_between_braces() {
        let row = format!("{HEAD}P,1,User,{{System.Security.UserID}} is {{D N}}\\x,A is b\n");
        let columns = parse(&row).unwrap();
        assert_eq!(
            columns[0].value,
            [
                Part::System(vec!["Security".to_owned(), "UserID".to_owned()]),
                Part::Text(" is ".to_owned()),
                Part::Field("D N".to_owned()),
                Part::Text("\\x".to_owned()),
            ]
        );
        assert_eq!(columns[0].conditions.len(), 1);
    }

    #[test]
    fn a_fault_is_reported_with_its_line_and_column() {
        for (value, condition, column) in [
            ("{A", "", "value"),
            ("{}", "", "value"),
            ("A}", "", "value"),
            ("{A}", "B", "condition"),
        ] {
            let error = parse(&format!("{HEAD}P,1,User,{value},{condition}\n")).unwrap_err();
            let error = error.to_string();
            assert!(
                error.contains(&format!("(rules/columns.csv, line 2, column {column})")),
                "{error}"
            );
        }
    }
}
