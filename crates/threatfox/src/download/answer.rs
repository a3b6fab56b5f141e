//! What an answer says beside its body.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};

use super::DownloadError;

/// Adds the wait that the server asked for to the error it ended in.
pub(super) fn with_wait(error: DownloadError, asked: Option<Duration>) -> DownloadError {
    match (error, asked) {
        (
            DownloadError::RateLimited {
                source_name, said, ..
            },
            Some(wait),
        ) => DownloadError::RateLimited {
            source_name,
            said,
            wait: Some(wait),
        },
        (error, _) => error,
    }
}

pub(super) fn text_of(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
