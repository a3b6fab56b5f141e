//! How VQL spells the texts of the tables.

use anyhow::{Result, bail};

/// The words that VQL's lexer does not accept as names, in any case.
const KEYWORDS: [&str; 15] = [
    "and", "as", "desc", "explain", "false", "from", "in", "let", "limit", "not", "null", "or",
    "select", "true", "where",
];

/// A column of the event, `E`.
pub fn column(field: &str) -> String {
    let plain = field.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&field.to_ascii_lowercase().as_str());
    if plain {
        format!("E.{field}")
    } else {
        format!("E.`{field}`")
    }
}

/// Refuses a name that can't stand between backticks.
pub fn check_name(name: &str, table: &str, line: u64, column: &str) -> Result<()> {
    if name.contains('`') || name.contains(char::is_control) {
        bail!(
            "{name:?} has a backtick or a control character (rules/{table}, line {line}, column {column}). \
             Name it without: VQL writes names between backticks"
        );
    }
    Ok(())
}

/// A string, between these quotation marks.
pub fn string(text: &str, mark: char) -> String {
    let mut quoted = String::from(mark);
    for c in text.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c => {
                if c == mark || c == '\\' {
                    quoted.push('\\');
                }
                quoted.push(c);
            }
        }
    }
    quoted.push(mark);
    quoted
}

/// A regular expression for a text as it stands there.
pub fn literal(text: &str) -> String {
    let mut regex = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            regex.push('\\');
        }
        regex.push(c);
    }
    regex
}
