//! What can go wrong in a download, in words that say what to do. None of them ever holds the Auth-Key.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::advice_on;

/// Why a download failed. `source_name` is what was asked for and where, without secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The text given as a key can't be one.
    #[error("the Auth-Key can't be used: {0}. Copy it again from https://auth.abuse.ch/")]
    KeyUnusable(String),

    /// The file given as holding the key can't be read.
    #[error("can't read the Auth-Key from {}: {source}{}", path.display(), advice_on(.source))]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// The API was asked for without a key, or an export answered 401 or 403 to a request without one.
    #[error(
        "{source_name} needs an Auth-Key and none was given. Get a free one at https://auth.abuse.ch/ \
         and set THREATFOX_AUTH_KEY, or name a file that holds it with --auth-key-file"
    )]
    KeyMissing {
        /// What was asked for.
        source_name: String,
    },

    /// HTTP 401 or 403 to a request with a key.
    #[error(
        "{source_name} refused the Auth-Key (HTTP {status}{said}). Check it at https://auth.abuse.ch/, \
         where it may have been renewed; a company proxy can refuse requests with the same status"
    )]
    KeyRefused {
        /// What was asked for.
        source_name: String,
        /// 401 or 403.
        status: u16,
        /// The server's own words, if it had any.
        said: String,
    },

    /// The key would have travelled in the clear.
    #[error(
        "won't send the Auth-Key to {url} without TLS: use https (plain http is for this machine only)"
    )]
    KeyInClear {
        /// The address.
        url: String,
    },

    /// An address that can't be used.
    #[error("the address {url} can't be used: {reason}")]
    Address {
        /// The address, without user name and password.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// The API gives 1 to 7 days.
    #[error(
        "ThreatFox's API gives 1 to 7 days, not {0}. For more use the full export: --source full, or auto"
    )]
    Days(u32),

    /// A search that the API would not understand.
    #[error("can't search for this: {0}")]
    Search(String),

    /// The file of extra certificates is unusable.
    #[error("can't use the certificates of {}: {reason}. It must hold certificates in PEM form", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },

    /// TLS could not be set up on this machine.
    #[error(
        "can't set up TLS: {0}. Install the system's CA certificates (package ca-certificates), or name a PEM file with --ca-file"
    )]
    Tls(String),

    /// The server's certificate is not trusted.
    #[error(
        "{source_name}: the server's certificate is not trusted: {reason}. If your company inspects TLS, \
         name its CA certificate with --ca-file; if it is said to be expired or not yet valid, look at this machine's clock"
    )]
    Certificate {
        /// What was asked for.
        source_name: String,
        /// Why.
        reason: String,
    },

    /// No connection, after all retries.
    #[error(
        "{source_name}: no connection: {reason}. Check the network, DNS and the proxy variables (HTTPS_PROXY)"
    )]
    Connect {
        /// What was asked for.
        source_name: String,
        /// Why.
        reason: String,
    },

    /// The request broke down after the connection stood.
    #[error("{source_name}: the request failed: {reason}")]
    Request {
        /// What was asked for.
        source_name: String,
        /// Why.
        reason: String,
    },

    /// Silence for longer than the time-out.
    #[error("{source_name}: no answer within {} s. Try again later, or raise --timeout", timeout.as_secs())]
    Timeout {
        /// What was asked for.
        source_name: String,
        /// The time-out.
        timeout: Duration,
    },

    /// The answer trickled in for too long.
    #[error("{source_name}: only {received} bytes came within {} s, too slow to go on", limit.as_secs())]
    TooSlow {
        /// What was asked for.
        source_name: String,
        /// Bytes that did come.
        received: u64,
        /// The bound.
        limit: Duration,
    },

    /// The server has had enough of us, after all retries.
    #[error("{source_name}: too many requests (HTTP 429{said}). {advice}")]
    RateLimited {
        /// What was asked for.
        source_name: String,
        /// The server's own words, if it had any.
        said: String,
        /// When to come back.
        advice: String,
    },

    /// Any other status than 200; 5xx after all retries.
    #[error("{source_name}: the server answered HTTP {status}{said}. {advice}")]
    Status {
        /// What was asked for.
        source_name: String,
        /// The status.
        status: u16,
        /// The server's own words, if it had any.
        said: String,
        /// What to do.
        advice: &'static str,
    },

    /// A redirect that is not followed.
    #[error(
        "{source_name}: redirected to {to}, which is not followed: {reason}. \
         Is a proxy's login page in the way? If the service moved, give its new address"
    )]
    Redirect {
        /// What was asked for.
        source_name: String,
        /// Where to, without query and secrets.
        to: String,
        /// Why not.
        reason: &'static str,
    },

    /// HTTP 200, but a web page.
    #[error(
        "{source_name}: the server answered with a web page{title} instead of data. A login page of a proxy?"
    )]
    WebPage {
        /// What was asked for.
        source_name: String,
        /// The page's title, if it has one.
        title: String,
    },

    /// HTTP 200, but nothing came.
    #[error("{source_name}: the answer is empty. Try again later")]
    Empty {
        /// What was asked for.
        source_name: String,
    },

    /// More than the bound.
    #[error("{source_name}: the answer is larger than {limit} bytes, the bound for a response")]
    TooLarge {
        /// What was asked for.
        source_name: String,
        /// The bound, in bytes.
        limit: u64,
    },

    /// The body broke off, or could not be unpacked.
    #[error(
        "{source_name}: the answer broke off after {received} bytes: {reason}. Try again later"
    )]
    Broken {
        /// What was asked for.
        source_name: String,
        /// Bytes that did come.
        received: u64,
        /// Why.
        reason: String,
    },

    /// The temporary file could not be written.
    #[error("can't keep the download in {}: {source}{}", folder.display(), advice_on(.source))]
    Temporary {
        /// The folder for temporary files.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}
