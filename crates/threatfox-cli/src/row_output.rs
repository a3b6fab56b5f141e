//! Rows on standard output or in a file: a table on a terminal, else CSV or JSON lines.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use threatfox::Error;
use threatfox::output::{Like, Output};
use threatfox::table::Layout;
use unicode_width::UnicodeWidthStr;

use crate::commands::feed::shown;
use crate::outputs::check_replaced;

/// Where the rows of an answer go, and how.
#[derive(Debug, Args)]
pub struct RowOptions {
    /// How the rows are written [default: table on a terminal, else csv]
    #[arg(long, value_enum)]
    format: Option<RowFormat>,

    /// Where the rows go: a file (.gz compresses) or - for standard output
    #[arg(short, long, default_value = "-", value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RowFormat {
    Table,
    Csv,
    Jsonl,
}

impl RowOptions {
    /// Checks that the output takes the place of rows that begin so, or of nothing, and of none of the inputs.
    pub fn check(&self, starts: &'static [&'static str], inputs: &[&Path]) -> Result<(), Error> {
        let like = Like {
            name: "rows of this command",
            starts,
        };
        check_replaced(&[(Some(&self.output), like)], inputs)
    }

    /// Begins the output.
    pub fn create(&self) -> Result<Output, Error> {
        Output::create(&self.output)
    }

    /// The layout for programs; `None` is the table for people.
    pub fn layout(&self) -> Option<Layout> {
        let on_terminal = self.output.as_os_str() == "-" && io::stdout().is_terminal();
        match self.format {
            None if on_terminal => None,
            Some(RowFormat::Table) => None,
            None | Some(RowFormat::Csv) => Some(Layout::Csv),
            Some(RowFormat::Jsonl) => Some(Layout::Jsonl),
        }
    }

    /// The message for a failure.
    pub fn cannot_write(&self) -> String {
        format!("cannot write {}", shown(&self.output))
    }
}

/// A table for people: columns as wide as their longest cell.
pub struct TextTable<const N: usize>(Vec<[String; N]>);

impl<const N: usize> TextTable<N> {
    /// Begins with the names of the columns.
    pub fn new(names: [&str; N]) -> Self {
        Self(vec![names.map(str::to_owned)])
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [String; N]) {
        self.0.push(cells);
    }

    /// Writes it all.
    pub fn write(&self, mut out: Output) -> anyhow::Result<()> {
        let lines = &self.0;
        let width = |column: usize| {
            lines
                .iter()
                .map(|line| line[column].width())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; N] = std::array::from_fn(width);
        for line in lines {
            let cells: Vec<_> = line
                .iter()
                .zip(widths)
                .map(|(cell, width)| cell.to_owned() + &" ".repeat(width - cell.width()))
                .collect();
            writeln!(out, "{}", cells.join("  ").trim_end())?;
        }
        out.finish()?;
        Ok(())
    }
}

/// A time for people, to the minute, in UTC.
pub fn minute(second: i64) -> String {
    jiff::Timestamp::from_second(second)
        .map(|time| time.strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_one_below_the_other_for_wide_text_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        let mut table = TextTable::new(["IOC", "TYPE"]);
        for name in [
            "evil.example",
            "例え.テスト",
            "bücher.example",
            "e\u{301}vil.example",
        ] {
            table.row([name.to_owned(), "domain".to_owned()]);
        }
        table.write(Output::create(&path).unwrap()).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let starts = |line: &str| line.rfind(' ').map(|at| line[..=at].width());
        for line in text.lines() {
            assert_eq!(starts(line), Some(16), "{text}");
        }
    }
}
