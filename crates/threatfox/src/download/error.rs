//! The errors of a download, each in one line: the cause first, then the request. None of them ever holds the
//! Auth-Key.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a download failed. `source_name` is what was asked for and where, without secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The text given as a key can't be one.
    #[error("the Auth-Key can't be used: {0}")]
    KeyUnusable(String),

    /// The file given as holding the key can't be read.
    #[error("can't read the Auth-Key from {}: {source}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// The API was asked for without a key, or an export answered 401 or 403 to a request without one.
    #[error("the source needs an Auth-Key and none was given: {source_name}")]
    KeyMissing {
        /// The request.
        source_name: String,
    },

    /// HTTP 401 or 403 to a request with a key.
    #[error("the server refused the Auth-Key (HTTP {status}{said}): {source_name}")]
    KeyRefused {
        /// The request.
        source_name: String,
        /// 401 or 403.
        status: u16,
        /// The server's own words, if it had any.
        said: String,
    },

    /// The key would have travelled in the clear.
    #[error("the Auth-Key is not sent to {url} without TLS")]
    KeyInClear {
        /// The address.
        url: String,
    },

    /// An address that can't be used.
    #[error("the address {url} can't be used: {reason}")]
    Address {
        /// The address, without user name and password.
        url: String,
        /// The problem.
        reason: &'static str,
    },

    /// The API gives 1 to 7 days.
    #[error("ThreatFox's API gives 1 to 7 days, not {0}")]
    Days(u32),

    /// A search that the API would not understand.
    #[error("can't search for this: {0}")]
    Search(String),

    /// The file of extra certificates can't be read.
    #[error("can't read the certificates of {}: {source}", path.display())]
    CaFileUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// The file of extra certificates is unusable.
    #[error("can't use the certificates of {}: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },

    /// TLS could not be set up on this machine.
    #[error("can't set up TLS: {0}")]
    Tls(String),

    /// The server's certificate is not trusted.
    #[error("the server's certificate is not trusted: {reason}: {source_name}")]
    Certificate {
        /// The request.
        source_name: String,
        /// Why.
        reason: String,
    },

    /// No connection, after all retries.
    #[error("no connection: {reason}: {source_name}")]
    Connect {
        /// The request.
        source_name: String,
        /// Why.
        reason: String,
    },

    /// The server does not speak TLS.
    #[error("the server does not speak TLS: {source_name}")]
    NotTls {
        /// The request.
        source_name: String,
    },

    /// HTTP 407 on the way.
    #[error("the proxy needs a user name and password: {source_name}")]
    ProxyLogin {
        /// The request.
        source_name: String,
    },

    /// The proxy refused to connect to the server.
    #[error("the proxy did not open a way to the server: {source_name}")]
    ProxyRefused {
        /// The request.
        source_name: String,
    },

    /// The request broke down after the connection stood.
    #[error("the request failed: {reason}: {source_name}")]
    Request {
        /// The request.
        source_name: String,
        /// Why.
        reason: String,
    },

    /// Silence for longer than the time-out.
    #[error("no answer within {} s: {source_name}", timeout.as_secs())]
    Timeout {
        /// The request.
        source_name: String,
        /// The time-out.
        timeout: Duration,
    },

    /// The answer trickled in for too long.
    #[error("only {received} bytes came within {} s, too slow to go on: {source_name}", limit.as_secs())]
    TooSlow {
        /// The request.
        source_name: String,
        /// Bytes that did come.
        received: u64,
        /// The bound.
        limit: Duration,
    },

    /// Rate limited, after all retries.
    #[error("too many requests (HTTP 429{said}){}: {source_name}", asked(*wait))]
    RateLimited {
        /// The request.
        source_name: String,
        /// The server's own words, if it had any.
        said: String,
        /// How long the server asks to wait.
        wait: Option<Duration>,
    },

    /// Any other status than 200; 5xx after all retries.
    #[error("the server answered HTTP {status}{said}: {source_name}")]
    Status {
        /// The request.
        source_name: String,
        /// The status.
        status: u16,
        /// The server's own words, if it had any.
        said: String,
    },

    /// A redirect that is not followed.
    #[error("redirected to {to}, which is not followed: {reason}: {source_name}")]
    Redirect {
        /// The request.
        source_name: String,
        /// Where to, without query and secrets.
        to: String,
        /// Why not.
        reason: &'static str,
    },

    /// HTTP 200, but a web page.
    #[error("the server answered with a web page{title} instead of data: {source_name}")]
    WebPage {
        /// The request.
        source_name: String,
        /// The page's title, if it has one.
        title: String,
    },

    /// HTTP 200, but nothing came.
    #[error("the answer is empty: {source_name}")]
    Empty {
        /// The request.
        source_name: String,
    },

    /// More than the bound.
    #[error("the answer is larger than {limit} bytes, the bound for a response: {source_name}")]
    TooLarge {
        /// The request.
        source_name: String,
        /// The bound, in bytes.
        limit: u64,
    },

    /// A small body that unpacks to a large one.
    #[error("the answer is refused, {reason}: {source_name}")]
    UnpacksTooLarge {
        /// The request.
        source_name: String,
        /// To how much.
        reason: String,
    },

    /// The body broke off, or could not be unpacked.
    #[error("the answer broke off after {received} bytes: {reason}: {source_name}")]
    Broken {
        /// The request.
        source_name: String,
        /// Bytes that did come.
        received: u64,
        /// Why.
        reason: String,
    },

    /// The temporary file could not be written.
    #[error("can't keep the download in {}: {source}", folder.display())]
    Temporary {
        /// The folder for temporary files.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn asked(wait: Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| {
        format!(", the server asks to wait {} s", wait.as_secs())
    })
}
