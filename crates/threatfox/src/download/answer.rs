//! The head of an answer, and its unpacked body.

use std::io::Read;
use std::time::Duration;

use reqwest::blocking::Response;
use reqwest::header::{self, HeaderMap, HeaderName};

use super::DownloadError;
use crate::source::{Budget, unpack_gzip};

/// Whether the body is gzipped on its way, as the client offers.
pub(super) fn is_packed(response: &Response) -> bool {
    let encoding = text_of(response.headers(), header::CONTENT_ENCODING);
    encoding.is_some_and(|encoding| encoding.trim().eq_ignore_ascii_case("gzip"))
}

/// The body as it was before it was packed. A small body that unpacks to a large one is an error.
pub(super) fn body<'b>(response: Response, budget: &'b Budget) -> Box<dyn Read + 'b> {
    if is_packed(&response) {
        Box::new(unpack_gzip(response, budget))
    } else {
        Box::new(response)
    }
}

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
