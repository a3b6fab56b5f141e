//! Rows to CSV or JSON lines, under one list of columns.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::ser::{SerializeMap, Serializer};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object per line: numbers stay numbers, texts of digits stay texts.
    Jsonl,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Text, cleaned already.
    Text(&'a str),
    /// Text without commas, quotes and ends of lines.
    Plain(&'a str),
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
pub struct Table<W: Write, const N: usize> {
    columns: &'static [&'static str; N],
    layout: Layout,
    out: W,
    /// The line being made.
    line: Vec<u8>,
}

impl<W: Write, const N: usize> Table<W, N> {
    /// Begins a table with its header.
    pub fn new(out: W, layout: Layout, columns: &'static [&'static str; N]) -> io::Result<Self> {
        let mut table = Self::part(out, layout, columns);
        if layout == Layout::Csv {
            table.row(&columns.map(Cell::Text))?;
        }
        Ok(table)
    }

    /// A part of a table that has its header already.
    pub fn part(out: W, layout: Layout, columns: &'static [&'static str; N]) -> Self {
        Self {
            columns,
            layout,
            out,
            line: Vec::new(),
        }
    }

    /// Writes a row: one cell per column.
    pub fn row(&mut self, cells: &[Cell<'_>; N]) -> io::Result<()> {
        self.line.clear();
        match self.layout {
            Layout::Csv => {
                for (n, cell) in cells.iter().enumerate() {
                    if n > 0 {
                        self.line.push(b',');
                    }
                    push_csv(&mut self.line, cell);
                }
            }
            Layout::Jsonl => {
                let mut json = serde_json::Serializer::new(&mut self.line);
                let mut map = json.serialize_map(Some(N))?;
                for (column, cell) in self.columns.iter().zip(cells) {
                    match cell {
                        Cell::Number(number) => map.serialize_entry(column, number)?,
                        Cell::Flag(flag) => map.serialize_entry(column, flag)?,
                        Cell::None => map.serialize_entry(column, &())?,
                        Cell::Text(text) | Cell::Plain(text) => {
                            map.serialize_entry(column, text)?;
                        }
                        Cell::Time(second) => {
                            let mut time = Vec::new();
                            push_time(&mut time, *second);
                            map.serialize_entry(column, &String::from_utf8_lossy(&time))?;
                        }
                    }
                }
                map.end()?;
            }
        }
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    /// Ends the table and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Quotes as the csv crate does, only where it must be. Written here as its writer looks at every byte of the numbers
/// and times too, which took a fifth of a run.
fn push_csv(line: &mut Vec<u8>, cell: &Cell<'_>) {
    match cell {
        Cell::Text(text) => {
            // No early end: without one the compiler compares many bytes at once.
            let quote = text.bytes().fold(false, |quote, b| {
                quote | matches!(b, b',' | b'"' | b'\r' | b'\n')
            });
            if quote {
                line.push(b'"');
                line.extend_from_slice(text.replace('"', "\"\"").as_bytes());
                line.push(b'"');
            } else {
                line.extend_from_slice(text.as_bytes());
            }
        }
        Cell::Plain(text) => line.extend_from_slice(text.as_bytes()),
        Cell::None => {}
        Cell::Flag(flag) => line.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Cell::Number(number) => {
            line.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
        }
        Cell::Time(second) => push_time(line, *second),
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ`, as jiff writes it, at a fraction of the time. Nothing for a time outside jiff's years.
fn push_time(line: &mut Vec<u8>, second: i64) {
    let Ok(timestamp) = Timestamp::from_second(second) else {
        return;
    };
    let time = TimeZone::UTC.to_datetime(timestamp);
    let year = time.year();
    let (Ok(century), Ok(in_century)) = (
        u8::try_from(year.div_euclid(100)),
        u8::try_from(year.rem_euclid(100)),
    ) else {
        // Before the year 0: as rare as it looks.
        line.extend_from_slice(timestamp.to_string().as_bytes());
        return;
    };
    let mut text = *b"0000-00-00T00:00:00Z";
    for (at, n) in [
        (0, century),
        (2, in_century),
        (5, time.month().unsigned_abs()),
        (8, time.day().unsigned_abs()),
        (11, time.hour().unsigned_abs()),
        (14, time.minute().unsigned_abs()),
        (17, time.second().unsigned_abs()),
    ] {
        text[at] += n / 10;
        text[at + 1] += n % 10;
    }
    line.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_as_by_the_csv_crate() {
        for text in [
            "",
            "a b",
            "a,b",
            "a\"b",
            "a\nb",
            "a\rb",
            "\"",
            "ü;'\t",
            "a,\"b\",\r\n",
        ] {
            let mut ours = Table::new(Vec::new(), Layout::Csv, &["a", "b"]).unwrap();
            ours.row(&[Cell::Text(text), Cell::None]).unwrap();
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(["a", "b"]).unwrap();
            csv.write_record([text, ""]).unwrap();
            assert_eq!(ours.finish().unwrap(), csv.into_inner().unwrap(), "{text}");
        }
    }

    #[test]
    fn times_are_written_as_by_jiff() {
        let years = (-63_000_000_000..253_000_000_000).step_by(12_345_678_901);
        for second in years.chain([0, -1, 951_782_399, 951_868_799, i64::MAX]) {
            let mut ours = Vec::new();
            push_time(&mut ours, second);
            let jiff = Timestamp::from_second(second).map_or(String::new(), |t| t.to_string());
            assert_eq!(String::from_utf8(ours).unwrap(), jiff);
        }
    }
}
