//! Reading a table: a CSV with a fixed header, whose fields are known by line and column.

use std::fmt::Display;

use csv::{ReaderBuilder, StringRecord};

use super::RulesError;

/// A table's name and columns.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub file: &'static str,
    pub columns: &'static [&'static str],
}

/// A row of a table.
pub(super) struct Row {
    table: Table,
    line: u64,
    fields: StringRecord,
}

impl Table {
    /// The rows, each with as many fields as there are columns.
    pub fn rows(self, text: &str) -> Result<Vec<Row>, RulesError> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut rows = Vec::new();
        for record in reader.records() {
            let fields = record.map_err(|error| {
                let line = error.position().map_or(0, csv::Position::line);
                self.error(line, None, error.to_string(), "Write it as CSV")
            })?;
            let line = fields.position().map_or(0, csv::Position::line);
            let expected = self.columns.len();
            if fields.len() != expected {
                let problem = format!("the row has {} fields, not {expected}", fields.len());
                return Err(self.error(line, None, problem, self.header()));
            }
            rows.push(Row {
                table: self,
                line,
                fields,
            });
        }
        match rows.first() {
            Some(header) if header.fields.iter().eq(self.columns.iter().copied()) => {
                rows.remove(0);
                Ok(rows)
            }
            _ => Err(self.error(1, None, "the header is another".to_owned(), self.header())),
        }
    }

    fn header(self) -> String {
        format!("The columns are {}", self.columns.join(","))
    }

    fn error(
        self,
        line: u64,
        column: Option<usize>,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> RulesError {
        RulesError {
            problem: problem.into(),
            file: self.file,
            line,
            column: column.map(|column| self.columns[column].to_owned()),
            cure: cure.into(),
        }
    }
}

impl Row {
    pub fn line(&self) -> u64 {
        self.line
    }

    /// A field, which may be empty.
    pub fn get(&self, column: usize) -> &str {
        self.fields.get(column).unwrap_or_default()
    }

    /// A field that must not be empty.
    pub fn filled(&self, column: usize) -> Result<&str, RulesError> {
        match self.get(column) {
            "" => Err(self.error(column, "the field is empty", "Fill it")),
            text => Ok(text),
        }
    }

    /// The parts of a field that must not be empty, with `|` between.
    pub fn parts(&self, column: usize) -> Result<Vec<String>, RulesError> {
        let parts = self.filled(column)?.split('|');
        parts
            .map(|part| match part {
                "" => Err(self.error(column, "a part of the field is empty", "Fill it")),
                part => Ok(part.to_owned()),
            })
            .collect()
    }

    /// The event ids in a field, with `|` between; none where it is empty.
    pub fn numbers(&self, column: usize) -> Result<Vec<u64>, RulesError> {
        if self.get(column).is_empty() {
            return Ok(Vec::new());
        }
        // Windows keeps an event's id in 16 bits.
        let number = |part: String| {
            let cure = "Give numbers up to 65535 with | between";
            let number = part.parse::<u16>().map(u64::from);
            number.map_err(|_| self.not(column, &part, "an event id", cure))
        };
        self.parts(column)?.into_iter().map(number).collect()
    }

    /// The error of a field.
    pub fn error(
        &self,
        column: usize,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> RulesError {
        self.table.error(self.line, Some(column), problem, cure)
    }

    /// The error of a text that is not what it should be.
    pub fn not(&self, column: usize, text: &str, what: &str, cure: impl Display) -> RulesError {
        self.error(column, format!("{text:?} is not {what}"), cure.to_string())
    }

    /// The error of a row that says again what another row says.
    pub fn twice(&self) -> RulesError {
        self.error(0, "the row is there twice", "Remove one of them")
    }
}
