//! The body of an answer: streamed into a temporary file, bounded in bytes and time, never mistaken for data when it is a
//! web page.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::{DownloadError, Event};
use crate::temporary::system_error;

/// Bounds of one answer.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// Bytes, after unpacking `Content-Encoding: gzip`.
    pub bytes: u64,
    /// Time for the whole body; the client's time-out bounds each silence in it.
    pub time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            bytes: 512 << 20,
            time: Duration::from_secs(600),
        }
    }
}

/// The head of the answer, before its body.
pub(super) struct Incoming<'a> {
    pub source_name: &'a str,
    /// `Content-Length`, where the body is not packed.
    pub expected: Option<u64>,
    pub timeout: Duration,
    pub folder: PathBuf,
}

/// Writes the body to a new temporary file and gives its length.
pub(super) fn receive(
    mut body: impl Read,
    incoming: &Incoming<'_>,
    bounds: &Bounds,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<(NamedTempFile, u64), DownloadError> {
    let source_name = || incoming.source_name.to_owned();
    let too_large = || DownloadError::TooLarge {
        source_name: source_name(),
        limit: bounds.bytes,
    };
    let temporary = |error| DownloadError::Temporary {
        folder: incoming.folder.clone(),
        source: system_error(error),
    };
    if incoming
        .expected
        .is_some_and(|length| length > bounds.bytes)
    {
        return Err(too_large());
    }
    let mut file = tempfile::Builder::new()
        .prefix("threatfox-")
        .tempfile_in(&incoming.folder)
        .map_err(temporary)?;
    let start = Instant::now();
    let mut buffer = vec![0; 64 << 10];
    let mut received: u64 = 0;
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if is_timeout(&error) => {
                return Err(DownloadError::Timeout {
                    source_name: source_name(),
                    timeout: incoming.timeout,
                });
            }
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(DownloadError::UnpacksTooLarge {
                    source_name: source_name(),
                    reason: error.to_string(),
                });
            }
            Err(error) => {
                let reason = root_cause(&error);
                return Err(DownloadError::Broken {
                    source_name: source_name(),
                    received,
                    reason,
                });
            }
        };
        let chunk = &buffer[..count];
        if received == 0 && looks_like_a_page(chunk) {
            let title = title_of(chunk);
            return Err(DownloadError::WebPage {
                source_name: source_name(),
                title,
            });
        }
        received += count as u64;
        if received > bounds.bytes {
            return Err(too_large());
        }
        if start.elapsed() > bounds.time {
            return Err(DownloadError::TooSlow {
                source_name: source_name(),
                received,
                limit: bounds.time,
            });
        }
        file.write_all(chunk).map_err(temporary)?;
        watch(Event::Progress {
            received,
            total: incoming.expected,
        });
    }
    if received == 0 {
        return Err(DownloadError::Empty {
            source_name: source_name(),
        });
    }
    file.flush().map_err(temporary)?;
    Ok((file, received))
}

/// Nothing that ThreatFox sends begins with `<`: CSV begins with `#`, JSON with `{`, a zip with `PK`.
/// The content type is not asked, since it has been wrong on both sides.
fn looks_like_a_page(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    start.trim_ascii_start().first() == Some(&b'<')
}

/// The title of a page as ` ("…")`, or nothing: it tells a proxy's page from the service's own.
pub(super) fn title_of(page: &[u8]) -> String {
    let page = String::from_utf8_lossy(page);
    // ASCII only, so that positions in the lower-case copy are positions in the page.
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|tag| {
        let start = tag + lower[tag..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(plain(&page[start..end]))
    });
    match title {
        Some(title) if !title.is_empty() => format!(" (\"{title}\")"),
        _ => String::new(),
    }
}

/// Text of a server for use in a message: one line, no control characters, at most 120 characters.
pub(super) fn plain(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect();
    words.join(" ").chars().take(120).collect()
}

/// Did the client's time-out end this read?
fn is_timeout(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
        || error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<reqwest::Error>())
            .is_some_and(reqwest::Error::is_timeout)
}

/// The innermost reason, which is the one that says something; the outer ones repeat "request or response body error".
pub(super) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    plain(&last.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(expected: Option<u64>) -> Incoming<'static> {
        Incoming {
            source_name: "test",
            expected,
            timeout: Duration::from_secs(1),
            folder: std::env::temp_dir(),
        }
    }

    fn receive_all(body: impl Read, bounds: &Bounds) -> Result<u64, DownloadError> {
        receive(body, &incoming(None), bounds, &mut |_| ()).map(|(_, bytes)| bytes)
    }

    #[test]
    fn a_body_over_the_bound_is_refused_before_and_while_it_comes() {
        let bounds = Bounds {
            bytes: 100_000,
            ..Bounds::default()
        };
        assert_eq!(
            receive_all(io::repeat(b'x').take(100_000), &bounds).unwrap(),
            100_000
        );
        let error = receive_all(io::repeat(b'x'), &bounds)
            .unwrap_err()
            .to_string();
        assert!(error.contains("100000 bytes"), "{error}");
        let early = receive(io::empty(), &incoming(Some(100_001)), &bounds, &mut |_| ());
        assert!(matches!(early, Err(DownloadError::TooLarge { .. })));
    }

    #[test]
    fn a_body_that_takes_too_long_is_given_up() {
        let bounds = Bounds {
            time: Duration::ZERO,
            ..Bounds::default()
        };
        let result = receive_all(io::repeat(b'x').take(9), &bounds);
        assert!(matches!(result, Err(DownloadError::TooSlow { .. })));
    }

    #[test]
    fn a_web_page_is_told_from_data_by_its_first_character() {
        let page = "\u{feff}\n <!DOCTYPE html><html><TITLE lang=en>Sign\n in</TITLE>";
        let error = receive_all(page.as_bytes(), &Bounds::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("web page (\"Sign in\")"), "{error}");
        for data in ["{\"query_status\":\"ok\"}", "# <title>", "PK\u{3}\u{4}"] {
            assert!(receive_all(data.as_bytes(), &Bounds::default()).is_ok());
        }
        assert_eq!(title_of("<title>İ</title>".as_bytes()), " (\"İ\")");
        assert_eq!(title_of(b"<title>"), "");
    }

    #[test]
    fn an_empty_body_and_a_missing_temporary_folder_are_errors() {
        assert!(matches!(
            receive_all(io::empty(), &Bounds::default()),
            Err(DownloadError::Empty { .. })
        ));
        let gone = Incoming {
            folder: "/nonexistent/folder".into(),
            ..incoming(None)
        };
        let error = receive(&b"x"[..], &gone, &Bounds::default(), &mut |_| ()).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/folder"), "{error}");
    }
}
