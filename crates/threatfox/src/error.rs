//! The one error type of the library. Each text is one line: the cause first, then where. What to do about it is for the
//! caller to
//! say, who knows by what options or buttons it can be done.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::reject::Reason;

/// Where in an input something is: a line of a CSV or a record of a JSON file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line of a text file.
    Line(u64),
    /// The n-th record of a JSON file.
    Record(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(n) => write!(f, "line {n}"),
            Self::Record(n) => write!(f, "record {n}"),
        }
    }
}

/// The failures of an input or an output as a whole. A single bad record is not an error: see [`crate::reject`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// The attempted action, as a verb.
        action: &'static str,
        /// The file, as the user wrote it.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The input ended early, is damaged, or is over a bound.
    #[error("{source}: {name} cannot be read to its end")]
    Unreadable {
        /// The input.
        name: String,
        /// The decoder's message.
        source: io::Error,
    },
    /// There is nothing in the input.
    #[error("{name} is empty")]
    Empty {
        /// The input.
        name: String,
    },
    /// A web page stands where data should.
    #[error("a web page ({title}) instead of indicators: {name}")]
    WebPage {
        /// The input.
        name: String,
        /// The page's title, cleaned.
        title: String,
    },
    /// The content is of no known kind.
    #[error("no known form of indicators: {name} begins with {start:?}")]
    UnknownFormat {
        /// The input.
        name: String,
        /// The first characters, cleaned.
        start: String,
    },
    /// Something else was given where a list of false positives is wanted.
    #[error("not a list of false positives, or an empty one: {name}")]
    NotFalsePositives {
        /// The input.
        name: String,
    },
    /// The content is of a known kind that this program does not read.
    #[error("this is a {kind}, which is not read yet: {name}")]
    OtherFormat {
        /// The input.
        name: String,
        /// The kind.
        kind: &'static str,
    },
    /// The content is of a known kind that no hunt could use.
    #[error("{why}: {name}")]
    OfNoUse {
        /// The input.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// A CSV has not the columns that it was said to have.
    #[error("not the columns asked for: {name} has {columns}")]
    NoColumns {
        /// The input.
        name: String,
        /// Its columns, with a comma between.
        columns: String,
    },
    /// A CSV that is nobody's format, without a word on its columns.
    #[error("its columns are not named: {name}")]
    ColumnsNotNamed {
        /// The input.
        name: String,
    },
    /// A feed was given where ThreatFox data is wanted.
    #[error("already a feed: {name}")]
    AlreadyFeed {
        /// The input.
        name: String,
    },
    /// Something else was given where a feed is wanted.
    #[error("not a feed: {name} begins with {start:?}")]
    NotFeed {
        /// The input.
        name: String,
        /// The first characters, cleaned.
        start: String,
    },
    /// A feed of another version, or one that was cut.
    #[error("not a feed of this version: {name} lacks the columns {columns}")]
    MissingColumns {
        /// The input.
        name: String,
        /// The columns, with a comma between.
        columns: String,
    },
    /// A file that should be a policy is not one.
    #[error("not a policy: {name}: {problem}")]
    Policy {
        /// The file.
        name: String,
        /// The problem, with line and column.
        problem: String,
    },
    /// A file that should be a warning list is not one.
    #[error("not a warning list: {name}: {problem}")]
    WarningList {
        /// The file.
        name: String,
        /// The problem.
        problem: String,
    },
    /// The structure is wrong, so that nothing in the file can be trusted.
    #[error("{problem}: {name}, {place}")]
    Broken {
        /// The input.
        name: String,
        /// Where.
        place: Place,
        /// The problem.
        problem: String,
    },
    /// A field of a CSV does not end, so that nobody knows what is a record.
    #[error("the quotation mark of a field is never closed: {name}, {place}")]
    OpenQuote {
        /// The input.
        name: String,
        /// Where it opens.
        place: Place,
    },
    /// The text is in an encoding that this program does not read.
    #[error("this is UTF-16: {name}")]
    Utf16 {
        /// The input.
        name: String,
    },
    /// The structure of a feed is wrong.
    #[error("{problem}: {name}, {place}")]
    BrokenFeed {
        /// The feed.
        name: String,
        /// Where.
        place: Place,
        /// The problem.
        problem: String,
    },
    /// The data is whole, but not all there.
    #[error("{problem}: {name} is incomplete")]
    Incomplete {
        /// The input.
        name: String,
        /// The missing part.
        problem: String,
    },
    /// The data is whole, and nothing in it is an indicator: most often it is another file than the user meant.
    #[error("{problem}: {name} has no indicators")]
    NoIndicators {
        /// The input.
        name: String,
        /// What is there, or is missing.
        problem: String,
    },
    /// A zip has more than the one file that is read.
    #[error("a zip of {files} files, where one is read: {name}")]
    SeveralFiles {
        /// The zip.
        name: String,
        /// How many it has.
        files: usize,
    },
    /// The API answered with something else than data.
    #[error("{source}: {name}")]
    Api {
        /// The input.
        name: String,
        /// The answer.
        source: ApiError,
    },
    /// Everything was read, and nothing is left to write.
    #[error("no usable record among the {read} read ({dropped})")]
    NothingLeft {
        /// Records read.
        read: u64,
        /// The counts by reason, in words.
        dropped: String,
        /// The reasons, each once.
        reasons: Vec<Reason>,
    },
    /// A safety check stands between the result and what it would replace.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// More than this program can index.
    #[error("the input holds more than {limit} of {what}, the bound of this program")]
    TooLarge {
        /// The quantity over the limit.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
}

/// A file was not replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The new feed has lost more than half of the rows.
    #[error(
        "refused: the new feed has {new} rows, less than half of the {old} in {path}, which stays as it is",
        path = path.display()
    )]
    Shrunk {
        /// The file.
        path: PathBuf,
        /// Its rows.
        old: u64,
        /// The rows that were to replace them.
        new: u64,
    },
    /// The file holds something else.
    #[error(
        "refused: {path} holds {found}, not {wanted}, and stays as it is",
        path = path.display()
    )]
    DifferentKind {
        /// The file.
        path: PathBuf,
        /// Its present content.
        found: String,
        /// The content that was to replace it.
        wanted: &'static str,
    },
    /// The file is not of the output's kind. What it holds is not shown: it may be anything.
    #[error(
        "refused: {path} holds something else, not {wanted}, and stays as it is",
        path = path.display()
    )]
    NotLike {
        /// The file.
        path: PathBuf,
        /// The content that was to replace it.
        wanted: &'static str,
    },
    /// The file is an input of this run.
    #[error(
        "refused: {path} is read by this very run, and stays as it is",
        path = path.display()
    )]
    IsRead {
        /// The file.
        path: PathBuf,
    },
}

/// The answers of an API of abuse.ch without data (its `query_status`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// No IOC fits the query: not a fault.
    #[error("the API found nothing for this query")]
    NoResult,
    /// No Auth-Key, or one ThreatFox does not know.
    #[error("the API refused the Auth-Key ({status})")]
    Key {
        /// The status as it came.
        status: String,
    },
    /// The number of days is not 1 to 7.
    #[error("ThreatFox answers for 1 to 7 days only")]
    IllegalDays,
    /// The search term is one ThreatFox does not take.
    #[error("ThreatFox does not accept this search term")]
    IllegalSearchTerm,
    /// Not an MD5 or SHA-256 in hexadecimal.
    #[error("ThreatFox does not accept this hash")]
    IllegalHash,
    /// Too many requests.
    #[error("the API limits the number of requests ({status})")]
    RateLimited {
        /// The status as it came.
        status: String,
    },
    /// Anything else, in the API's own words, cleaned of control characters.
    #[error("the API answered {status:?}{}", detail_text(.detail))]
    Other {
        /// The `query_status` or `error` as it came.
        status: String,
        /// The text that came instead of data; may be empty.
        detail: String,
    },
}

fn detail_text(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(" ({detail})")
    }
}

impl ApiError {
    /// Reads a `query_status` other than `ok` (or the text of `error`) and the text that stands in place of the data.
    #[must_use]
    pub fn from_status(status: &str, detail: &str) -> Self {
        let status: String = crate::text::clean(status).chars().take(200).collect();
        match status.to_ascii_lowercase().as_str() {
            // The second is what URLhaus and MalwareBazaar say.
            "no_result" | "no_results" | "hash_not_found" => Self::NoResult,
            "unknown_auth_key" | "auth_key_required" | "no_api_key" | "unauthorized"
            | "forbidden" => Self::Key { status },
            "illegal_days" => Self::IllegalDays,
            "illegal_search_term" => Self::IllegalSearchTerm,
            "illegl_hash" | "illegal_hash" => Self::IllegalHash,
            "ratelimited" | "rate_limited" => Self::RateLimited { status },
            _ => Self::Other {
                status,
                detail: crate::text::clean(detail).chars().take(500).collect(),
            },
        }
    }
}
