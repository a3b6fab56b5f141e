//! Where records come from: a file or standard input, unpacked, recognized by its content, read by the source that wrote it.
//!
//! A new source of indicators is a folder beside `threatfox`, which holds its formats, and a line in [`SOURCES`].

mod ahead;
mod budget;
mod container;
mod csv_records;
mod form;
mod json_text;
mod threatfox;
mod update;

use std::collections::BTreeSet;
use std::io::BufRead;

use serde::Serialize;

pub(crate) use budget::Budget;
pub use container::Input;
pub(crate) use container::{skip_mark, unpack, unpack_gzip};
pub(crate) use csv_records::Records;
pub(crate) use json_text::TextBound;
pub use update::Update;

use crate::error::Error;
use crate::record::RawRecord;
use crate::reject::Reject;
use crate::text::clean;

/// How the header of a feed begins, in every version.
pub(crate) const FEED_START: &str = "key,kind,";

/// One field may have this many bytes; a larger one is damage or an attack.
pub const MAX_FIELD: usize = 64 * 1024;

/// The sources, in the order in which they are asked whether they recognize an input.
const SOURCES: [&dyn Source; 1] = [&threatfox::ThreatFox];

/// Somebody who publishes indicators, and the formats of theirs.
trait Source: Sync {
    /// Whether content that begins with this text is in one of the formats. The name of a file says nothing.
    fn recognizes(&self, start: &str) -> bool;

    /// Reads all records into the sink.
    ///
    /// # Errors
    /// Those of [`read`].
    fn read(
        &self,
        name: &str,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error>;
}

/// The counts of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The input, as the user knows it.
    pub name: String,
    /// The format, by the name that its source gives it.
    pub format: &'static str,
    /// How many records.
    pub records: u64,
    /// Columns that this version does not know.
    pub unknown_columns: BTreeSet<String>,
    /// Records with more fields than the header names. What is over is not used.
    #[serde(skip_serializing_if = "is_zero")]
    pub longer_records: u64,
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
}

/// Reads all records of an input into the sink.
///
/// # Errors
/// The input cannot be read, is of no known kind, is damaged or incomplete, or is an error the API answered with.
/// The sink may have records by then: do not use them.
pub fn read(input: &Input, sink: &mut dyn Sink) -> Result<Report, Error> {
    unpack(input, |content, budget| {
        let name = input.name();
        let source = recognize(name, content)?;
        skip_mark(content).map_err(|source| Error::Unreadable {
            name: name.to_owned(),
            source,
        })?;
        let mut sink = Budgeted {
            name,
            budget,
            records: 0,
            sink,
        };
        source.read(name, content, &mut sink)
    })
}

/// Counts the records, so that they stay within what the input may hold.
struct Budgeted<'a> {
    name: &'a str,
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
        self.sink.record(raw)
    }

    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.count()?;
        self.sink.unreadable(raw, reject)
    }
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
    if text.starts_with(FEED_START) {
        return Err(Error::AlreadyFeed { name });
    }
    if let Some(kind) = other_format(text) {
        return Err(Error::OtherFormat { name, kind });
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
    let json: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let starts = |texts: &[&str]| texts.iter().any(|text| json.starts_with(text));
    let has = |texts: &[&str]| texts.iter().any(|text| json.contains(text));
    if starts(&["{\"Event\":{", "{\"response\":", "[{\"Event\":{"]) {
        Some("MISP event")
    } else if starts(&["{"]) && has(&["\"type\":\"bundle\"", "\"spec_version\":\"2."]) {
        Some("STIX bundle")
    } else if starts(&["<"]) && has(&["stix:STIX_Package"]) {
        Some("STIX package")
    } else {
        None
    }
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
