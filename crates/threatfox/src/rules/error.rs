//! The error of a table in `rules/`.

/// A table in `rules/` that has no meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (rules/{file}, line {line}{}). {cure}", in_column(.column.as_deref()))]
pub struct RulesError {
    /// What is wrong.
    pub problem: String,
    /// The table.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u64,
    /// The name of the column; none where the whole line is wrong.
    pub column: Option<String>,
    /// What to do.
    pub cure: String,
}

fn in_column(column: Option<&str>) -> String {
    column.map_or(String::new(), |column| format!(", column {column}"))
}
