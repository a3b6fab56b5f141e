//! Rows to CSV or JSON lines, under one list of columns.

use std::fmt::Write as _;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::ser::{SerializeMap, Serializer};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object a line: numbers stay numbers, texts of digits stay texts.
    Jsonl,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Text, cleaned already.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// `true` or `false`.
    Flag(bool),
    /// Seconds since 1970, written as RFC 3339 in UTC.
    Time(i64),
    /// Nothing: empty in CSV, `null` in JSON.
    None,
}

/// A table that is being written.
pub struct Table<W: Write> {
    columns: &'static [&'static str],
    out: Writer<W>,
    text: String,
}

enum Writer<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(W),
}

impl<W: Write> Table<W> {
    /// Begins a table with its header.
    pub fn new(out: W, layout: Layout, columns: &'static [&'static str]) -> io::Result<Self> {
        let out = match layout {
            Layout::Csv => {
                let mut csv = csv::WriterBuilder::new()
                    .buffer_capacity(64 * 1024)
                    .from_writer(out);
                csv.write_record(columns)?;
                Writer::Csv(Box::new(csv))
            }
            Layout::Jsonl => Writer::Jsonl(out),
        };
        Ok(Self {
            columns,
            out,
            text: String::new(),
        })
    }

    /// Writes a row: a cell a column.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        debug_assert_eq!(cells.len(), self.columns.len());
        match &mut self.out {
            Writer::Csv(csv) => {
                for cell in cells {
                    csv.write_field(as_text(cell, &mut self.text))?;
                }
                csv.write_record(None::<&[u8]>)?;
            }
            Writer::Jsonl(out) => {
                let mut json = serde_json::Serializer::new(&mut *out);
                let mut map = json.serialize_map(Some(cells.len()))?;
                for (column, cell) in self.columns.iter().zip(cells) {
                    match cell {
                        Cell::Number(number) => map.serialize_entry(column, number)?,
                        Cell::Flag(flag) => map.serialize_entry(column, flag)?,
                        Cell::None => map.serialize_entry(column, &())?,
                        Cell::Text(_) | Cell::Time(_) => {
                            map.serialize_entry(column, as_text(cell, &mut self.text))?;
                        }
                    }
                }
                map.end()?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Ends the table and gives the writer back.
    pub fn finish(self) -> io::Result<W> {
        match self.out {
            Writer::Csv(csv) => csv.into_inner().map_err(csv::IntoInnerError::into_error),
            Writer::Jsonl(out) => Ok(out),
        }
    }
}

fn as_text<'a>(cell: &Cell<'a>, buffer: &'a mut String) -> &'a str {
    buffer.clear();
    // Writing to a String does not fail.
    match cell {
        Cell::Text(text) => return text,
        Cell::None => {}
        Cell::Flag(flag) => return if *flag { "true" } else { "false" },
        Cell::Number(number) => _ = write!(buffer, "{number}"),
        Cell::Time(second) => {
            if let Ok(time) = Timestamp::from_second(*second) {
                _ = write!(buffer, "{time}");
            }
        }
    }
    buffer
}
