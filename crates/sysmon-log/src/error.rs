//! Why a log cannot be read. A damaged part is not an error: it is counted, and the rest is read.

use std::io;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file, as it was given.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{path} is not a Windows event log: it does not begin like one")]
    OtherFile {
        /// The file, as it was given.
        path: String,
    },
    /// A log of a version that this reader does not know.
    #[error(
        "{path} is not a Windows event log that can be read: it has version {major}.{minor}, and only 3.0 to 3.2 are known"
    )]
    OtherVersion {
        /// The file, as it was given.
        path: String,
        /// The version.
        major: u16,
        /// The part behind its dot.
        minor: u16,
    },
}
