//! The results of a hunt, JSON lines in a folder, as tables on a terminal: `make hunt` and `make demo` end with it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// What is shown of each source. The whole rows are in the JSON lines.
const TABLES: [(&str, &[&str]); 3] = [
    (
        "Summary",
        &[
            "Strength", "Match", "IOC", "Malware", "Count", "First", "Computer", "Image", "User",
        ],
    ),
    (
        "Hits",
        &[
            "Time", "Strength", "Match", "IOC", "Malware", "Image", "DstIP", "DstPort", "DstHost",
            "RecordID",
        ],
    ),
    (
        "Coverage",
        &[
            "Status",
            "LogFile",
            "EventsById",
            "Earliest",
            "Latest",
            "FeedVersion",
            "FeedKeys",
        ],
    ),
];
const MOST_ROWS: usize = 25;

type Row = Map<String, Value>;

/// Prints the tables and the log lines that matter. Fails where the hunt failed, after printing what there is.
pub fn print(folder: &Path) -> Result<()> {
    for (source, columns) in TABLES {
        let rows = read(&folder.join(format!("{source}.jsonl")))?;
        say!("\n{source}: {} rows", rows.len())?;
        if !rows.is_empty() {
            table(columns, &rows)?;
        }
        if rows.len() > MOST_ROWS {
            let more = rows.len() - MOST_ROWS;
            say!("({more} more rows: make hunt OUT=FILE.jsonl writes them all)")?;
        }
    }
    for line in read(&folder.join("log.jsonl"))? {
        let level = cell(line.get("level"));
        if level == "ERROR" || level.starts_with("WARN") {
            say!("{level}: {}", cell(line.get("message")).trim())?;
        }
    }
    match fs::read_to_string(folder.join("failed.txt")) {
        Ok(reason) if !reason.is_empty() => {
            bail!("the hunt failed: {}", shown(reason.trim()))
        }
        _ => Ok(()),
    }
}

fn table(columns: &[&str], rows: &[Row]) -> Result<()> {
    let head = columns.iter().map(|&column| column.to_owned()).collect();
    let mut lines: Vec<Vec<String>> = vec![head];
    for row in rows.iter().take(MOST_ROWS) {
        lines.push(
            columns
                .iter()
                .map(|&column| cell(row.get(column)))
                .collect(),
        );
    }
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths);
        let text: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        say!("{}", text.join("  ").trim_end())?;
    }
    Ok(())
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => shown(text),
        Some(other) => shown(&other.to_string()),
    }
}

/// What a log or a feed holds is not to be trusted with a terminal: no control characters, no marks that turn the text.
fn shown(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    text.chars()
        .filter(|c| !c.is_control() && !turns(*c))
        .collect()
}

/// The rows of a file; none where there is no file, since a source without rows has none.
fn read(path: &Path) -> Result<Vec<Row>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.with_context(|| path.display().to_string())?,
    };
    let mut rows = Vec::new();
    for line in BufReader::new(file).lines() {
        let row = serde_json::from_str(&line?).with_context(|| path.display().to_string())?;
        rows.push(row);
    }
    Ok(rows)
}
