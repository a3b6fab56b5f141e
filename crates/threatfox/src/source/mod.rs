//! Where records come from: a file or standard input, unpacked, recognized by its content, read by the source that wrote it.
//!
//! A new source of indicators is a folder beside `threatfox`, which holds its formats, and a line in [`SOURCES`].

mod ahead;
mod budget;
mod container;
mod csv_records;
mod custom;
#[cfg(test)]
#[path = "exercise/example.rs"]
mod example;
#[cfg(test)]
mod exercise;
mod feodo;
mod form;
mod json_rows;
mod json_text;
mod json_value;
mod lines;
mod list;
mod malwarebazaar;
mod misp;
mod reading;
mod row;
mod stix;
mod table;
mod threatfox;
mod typed;
mod types;
mod update;
mod urlhaus;

use std::collections::BTreeSet;
use std::io::BufRead;

use serde::Serialize;

pub(crate) use budget::{Budget, FREE_BYTES, RATIO};
pub use container::Input;
pub(crate) use container::{refuse_utf16, skip_mark, unpack, unpack_gzip};
pub(crate) use csv_records::Records;
pub use custom::CsvColumns;
pub(crate) use json_text::JsonText;
pub(crate) use json_value::{for_scalars, pass_over_scalars, text_of};
pub use reading::{Format, Reading, SourceName};
pub use update::Update;

use crate::error::Error;
use crate::record::{Column, RawRecord, THREATFOX};
use crate::reject::Reject;
use crate::text::clean;

/// The start of a feed's header, in every version.
pub(crate) const FEED_START: &str = "key,kind,";

/// How what this program writes begins: a feed and rows by IOC, as CSV and as lines of JSON.
const OUR_OWN: [&str; 4] = [
    FEED_START,
    "ioc,ioc_type,key,kind,",
    r#"{"key":"#,
    r#"{"ioc":"#,
];

/// One field may have this many bytes; a larger one is damage or an attack.
pub const MAX_FIELD: usize = 64 * 1024;

/// The sources, in the order in which they are asked whether they recognize an input: the last takes every comment and every
/// object of JSON for its own.
const SOURCES: [&dyn Source; 8] = [
    &urlhaus::UrlHaus,
    &malwarebazaar::MalwareBazaar,
    &feodo::Feodo,
    &misp::Misp,
    &stix::Stix,
    &custom::Custom,
    &list::List,
    &threatfox::ThreatFox,
];

/// A publisher of indicators, and its formats.
trait Source: Sync {
    /// The name in the column `source` of a feed, and of the formats together.
    fn name(&self) -> &'static str;

    /// Where it publishes what is new, if it does so for programs.
    fn published(&self) -> Option<Published> {
        None
    }

    /// Whether content that begins with this text is in one of the formats. The name of a file says nothing.
    fn recognizes(&self, start: &str) -> bool;

    /// Reads all records into the sink.
    ///
    /// # Errors
    /// Those of [`read`].
    fn read(
        &self,
        name: &str,
        reading: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error>;
}

/// Where a source publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The address that everybody may ask.
    pub open: &'static str,
    /// The address for holders of a key, which stands in place of `<AUTH-KEY>`.
    pub keyed: Option<&'static str>,
}

/// The counts of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The input, as the user knows it.
    pub name: String,
    /// The format, by the name that its source gives it.
    pub format: &'static str,
    /// The number of records handed over: a record of a source may hold several indicators, and each counts.
    pub records: u64,
    /// Columns that this version does not know.
    pub unknown_columns: BTreeSet<String>,
    /// Records with more fields than the header names. What is over is not used.
    #[serde(skip_serializing_if = "is_zero")]
    pub longer_records: u64,
    /// Dates and confidences that cannot be read. Their indicators are kept without them.
    #[serde(skip_serializing_if = "is_zero")]
    pub unread_values: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Takes records, one after the other.
pub trait Sink {
    /// Takes a record.
    ///
    /// # Errors
    /// Only what stops the whole run.
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error>;

    /// Takes a record that is left out already: it cannot even be read as text, or a newer one has its place.
    ///
    /// # Errors
    /// Only what stops the whole run.
    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error>;

    /// Hears that so many records are in memory and will come: some say only at their end what all of them share.
    ///
    /// # Errors
    /// They are more than the input may hold.
    fn expect(&mut self, _records: u64) -> Result<(), Error> {
        Ok(())
    }
}

/// Reads all records of an input into the sink.
///
/// # Errors
/// The input cannot be read, is of no known kind, is damaged or incomplete, or is an error the API answered with.
/// The sink may have records by then: do not use them.
pub fn read(input: &Input, sink: &mut dyn Sink) -> Result<Report, Error> {
    unpack(input, |content, budget| {
        let name = input.name();
        let reading = input.reading();
        refuse_utf16(name, content)?;
        let source = match reading.source() {
            Some(source) => source,
            None => recognize(name, content)?,
        };
        skip_mark(content).map_err(|source| Error::Unreadable {
            name: name.to_owned(),
            source,
        })?;
        let mut sink = Budgeted {
            name,
            source: reading.source_name().unwrap_or(source.name()),
            budget,
            records: 0,
            sink,
        };
        let mut report = source.read(name, reading, content, &mut sink)?;
        report.records = sink.records;
        // Of ThreatFox there may be nothing new; what says so is whole by its last line.
        if report.records == 0 && source.name() != THREATFOX && !input.is_part() {
            let problem = "it holds no records".to_owned();
            let name = name.to_owned();
            return Err(Error::NoIndicators { name, problem });
        }
        Ok(report)
    })
}

/// Counts the records, so that they stay within what the input may hold, and says whose they are.
struct Budgeted<'a> {
    name: &'a str,
    source: &'a str,
    budget: &'a Budget,
    records: u64,
    sink: &'a mut dyn Sink,
}

impl Budgeted<'_> {
    fn count(&mut self) -> Result<(), Error> {
        self.records += 1;
        self.budget.check_records(self.name, self.records)
    }
}

impl Sink for Budgeted<'_> {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        self.count()?;
        // A record is large: it is not copied where its reader has said it already.
        if raw.get(Column::Source) == self.source {
            return self.sink.record(raw);
        }
        let mut raw = *raw;
        raw.set_source(self.source);
        self.sink.record(&raw)
    }

    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.count()?;
        let mut raw = *raw;
        raw.set_source(self.source);
        self.sink.unreadable(&raw, reject)
    }

    fn expect(&mut self, records: u64) -> Result<(), Error> {
        self.budget.check_records(self.name, self.records + records)
    }
}

/// The first byte that is no blank, as JSON begins with a bracket.
fn first_byte(name: &str, content: &mut dyn BufRead) -> Result<Option<u8>, Error> {
    let start = content.fill_buf().map_err(|source| Error::Unreadable {
        name: name.to_owned(),
        source,
    })?;
    Ok(start.trim_ascii_start().first().copied())
}

/// Finds the source by the first characters.
fn recognize(name: &str, content: &mut dyn BufRead) -> Result<&'static dyn Source, Error> {
    let start = content.fill_buf().map_err(|source| Error::Unreadable {
        name: name.to_owned(),
        source,
    })?;
    let start = String::from_utf8_lossy(&start[..start.len().min(4096)]).into_owned();
    let text = start.trim_start_matches('\u{feff}').trim_start();
    let name = name.to_owned();
    if text.is_empty() {
        return Err(Error::Empty { name });
    }
    if OUR_OWN.iter().any(|start| text.starts_with(start)) {
        return Err(Error::AlreadyFeed { name });
    }
    if let Some(kind) = other_format(text) {
        return Err(Error::OtherFormat { name, kind });
    }
    if let Some(why) = of_no_use(text) {
        return Err(Error::OfNoUse { name, why });
    }
    if let Some(source) = SOURCES.into_iter().find(|source| source.recognizes(text)) {
        return Ok(source);
    }
    if text.starts_with('<') {
        return Err(Error::WebPage {
            name,
            title: page_title(text),
        });
    }
    Err(Error::UnknownFormat {
        name,
        start: clean(text).chars().take(40).collect(),
    })
}

/// Recognizes what other tools write, so that the error does not call it a damaged export.
fn other_format(text: &str) -> Option<&'static str> {
    if text.starts_with('<') && text.contains("stix:STIX_Package") {
        return Some("STIX package of version 1");
    }
    None
}

/// Recognizes what can be read and is of no use: why.
fn of_no_use(text: &str) -> Option<&'static str> {
    (text.starts_with('#') && text.contains("SSLBL")).then_some(
        "SSLBL has hashes of certificates, not of files, and no log that is read has these",
    )
}

fn page_title(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let title = lower
        .find("<title>")
        .and_then(|at| html.get(at + 7..))
        .and_then(|rest| rest.split('<').next())
        .map(|title| clean(title.trim()).chars().take(80).collect::<String>());
    title
        .filter(|title| !title.is_empty())
        .unwrap_or_else(|| "without a title".to_owned())
}
