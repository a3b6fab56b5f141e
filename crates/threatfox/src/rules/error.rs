//! The error of a table in `rules/`.

/// A table in `rules/` that has no meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (rules/{file}, line {line}, column {column}). {cure}")]
pub struct RulesError {
    /// What is wrong.
    pub problem: String,
    /// The table.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u64,
    /// The name of the column.
    pub column: String,
    /// What to do.
    pub cure: String,
}
