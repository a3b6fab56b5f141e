//! Downloads from abuse.ch: one question, one whole answer in a temporary file, or an error that says what to do.
//!
//! The answer is not parsed here: it counts as good only after [`crate`]'s readers have checked it whole, the API's
//! `query_status` included. Here stand the rules of the network: TLS always verified, the [`AuthKey`] only to where it
//! belongs and never in a message, no redirect to another host, bounded bytes, time and retries.

mod answer;
mod auth_key;
mod cache;
mod client;
mod error;
mod exchange;
mod request;
mod retry;
#[cfg(test)]
mod tests;
mod transfer;
mod url_policy;

use std::time::Duration;

use tempfile::NamedTempFile;

pub use auth_key::AuthKey;
pub use cache::{Cache, CacheError, Cached};
pub use client::{Client, ClientOptions};
pub use error::DownloadError;
pub use request::{Days, Export, ExportType, Format, Other, Period, Request, Search};
pub use url_policy::is_https_or_local;

/// A whole answer. The file is removed when this is dropped.
#[derive(Debug)]
pub struct Download {
    /// The answer's body, without the compression of the transfer.
    pub file: NamedTempFile,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// The request and its address, for summaries and messages; without secrets.
    pub source_name: String,
    /// The validators to send next time, to learn whether something changed.
    pub validators: Validators,
}

/// The validators of a document's version (RFC 9110 section 8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Validators {
    /// The header `ETag`, word for word.
    pub etag: Option<String>,
    /// The header `Last-Modified`, word for word.
    pub last_modified: Option<String>,
}

/// The progress of a download, to show.
#[derive(Debug)]
pub enum Event<'a> {
    /// More bytes came.
    Progress {
        /// So far.
        received: u64,
        /// Of how many, where the server said.
        total: Option<u64>,
    },
    /// A try failed, and another one follows.
    Retry {
        /// Why it failed.
        error: &'a DownloadError,
        /// When the next one begins.
        wait: Duration,
    },
}
