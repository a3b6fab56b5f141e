//! Where records come from: a file or standard input, unpacked, its kind sniffed, read by the one reader for that kind.

mod ahead;
mod container;
mod csv_export;
mod csv_records;
mod json;
mod json_record;
mod update;

use std::collections::BTreeSet;
use std::io::BufRead;

use serde::Serialize;

pub use container::Input;
pub(crate) use container::unpack;
pub use update::Update;

use crate::error::Error;
use crate::feed;
use crate::record::RawRecord;
use crate::reject::Reject;
use crate::text::clean;

/// One field may have this many bytes; a larger one is damage or an attack.
pub const MAX_FIELD: usize = 64 * 1024;

/// The kinds of ThreatFox data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The CSV export, its header in a comment.
    CsvExport,
    /// The JSON export: an object of records by id.
    JsonExport,
    /// An answer of the API: `query_status` and `data`.
    ApiResponse,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The input, as the user knows it.
    pub name: String,
    /// The kind.
    pub format: Format,
    /// How many records.
    pub records: u64,
    /// Columns that this version does not know.
    pub unknown_columns: BTreeSet<String>,
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
    unpack(input, |content| {
        let name = input.name();
        match sniff(name, content)? {
            Content::Csv => csv_export::read(name, content, sink),
            Content::Json => json::read(name, content, sink),
        }
    })
}

enum Content {
    Csv,
    Json,
}

/// Tells the kind from the first characters, never from the name.
fn sniff(name: &str, content: &mut dyn BufRead) -> Result<Content, Error> {
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
    if text.starts_with(feed::HEADER_START) {
        return Err(Error::AlreadyFeed { name });
    }
    match text.as_bytes()[0] {
        b'{' => Ok(Content::Json),
        b'#' => Ok(Content::Csv),
        b'"' if text.contains("ioc_value") => Ok(Content::Csv),
        b'<' => Err(Error::WebPage {
            name,
            title: page_title(text),
        }),
        _ => Err(Error::UnknownFormat {
            name,
            start: clean(text).chars().take(40).collect(),
        }),
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
