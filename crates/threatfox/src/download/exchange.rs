//! One try at a request: redirects followed by the rules, and each way it can end sorted into what may pass and what will
//! not.

use std::error::Error;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::blocking::{Client as Http, Response};
use reqwest::header::{self, HeaderMap};

use super::answer::{body, text_of};
use super::client::{Client, Prepared};
use super::retry::{Failure, http_date, retry_after};
use super::url_policy::NotFollowed;
use super::{DownloadError, transfer, url_policy};
use crate::source::Budget;

/// Of an answer that is an error, so much is read for the server's own words.
const MAX_ERROR_BODY: u64 = 16 << 10;

impl Client {
    /// One try: sends, follows redirects, and sorts the answers. Gives 200 and 304 only.
    pub(super) fn send(
        &self,
        http: &Http,
        prepared: &Prepared,
    ) -> Result<Response, Failure<DownloadError>> {
        let mut url = prepared.url.clone();
        for _ in 0..=url_policy::MAX_REDIRECTS {
            let posted = prepared.body.is_some();
            let request = match &prepared.body {
                Some(body) => http.post(url.clone()).body(body.clone()),
                None => http.get(url.clone()),
            };
            let response = request
                .headers(prepared.headers.clone())
                .send()
                .map_err(|error| self.not_sent(error, prepared))?;
            let status = response.status();
            let location = text_of(response.headers(), header::LOCATION);
            match location {
                Some(location) if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                    url = url_policy::redirect(status, &url, &location, posted).map_err(
                        |NotFollowed { to, reason }| {
                            Failure::Final(DownloadError::Redirect {
                                source_name: prepared.source_name.clone(),
                                to: self.redact(&to),
                                reason,
                            })
                        },
                    )?;
                }
                _ if matches!(status, StatusCode::OK | StatusCode::NOT_MODIFIED) => {
                    return Ok(response);
                }
                _ => return Err(self.refused(response, prepared)),
            }
        }
        Err(Failure::Final(DownloadError::Redirect {
            source_name: prepared.source_name.clone(),
            to: self.redact(&url_policy::shown(&url)),
            reason: "there are too many redirects",
        }))
    }

    /// Sorts the ways in which no answer comes.
    fn not_sent(&self, error: reqwest::Error, prepared: &Prepared) -> Failure<DownloadError> {
        let source_name = prepared.source_name.clone();
        // The URL could hold the key.
        let error = error.without_url();
        let reason = self.redact(&transfer::root_cause(&error));
        match tls_error(&error) {
            Some(rustls::Error::InvalidCertificate(_)) => {
                return Failure::Final(DownloadError::Certificate {
                    source_name,
                    reason,
                });
            }
            Some(rustls::Error::InvalidMessage(_)) => {
                return Failure::Final(DownloadError::NotTls { source_name });
            }
            _ => {}
        }
        if error.is_connect() && reason.contains("proxy authorization required") {
            // The types of this and the next are private to hyper-util; the words are not, and a test watches them.
            Failure::Final(DownloadError::ProxyLogin { source_name })
        } else if error.is_connect() && reason.contains("unsuccessful") {
            Failure::Final(DownloadError::ProxyRefused { source_name })
        } else if error.is_connect() {
            Failure::Again(
                DownloadError::Connect {
                    source_name,
                    reason,
                },
                None,
            )
        } else if error.is_timeout() {
            Failure::Final(DownloadError::Timeout {
                source_name,
                timeout: self.options.timeout,
            })
        } else {
            Failure::Final(DownloadError::Request {
                source_name,
                reason,
            })
        }
    }

    /// Sorts the answers that are not 200.
    fn refused(&self, response: Response, prepared: &Prepared) -> Failure<DownloadError> {
        let source_name = prepared.source_name.clone();
        let status = response.status();
        let asked = text_of(response.headers(), header::RETRY_AFTER)
            .and_then(|value| retry_after(&value, server_time(response.headers())));
        let said = self.redact(&words_of(&start_of(response, self.options.timeout)));
        let status_code = status.as_u16();
        match status_code {
            401 | 403 if prepared.with_key => Failure::Final(DownloadError::KeyRefused {
                source_name,
                status: status_code,
                said,
            }),
            401 => Failure::Final(DownloadError::KeyMissing { source_name }),
            407 => Failure::Final(DownloadError::ProxyLogin { source_name }),
            429 => Failure::Again(
                DownloadError::RateLimited {
                    source_name,
                    said,
                    wait: None,
                },
                asked,
            ),
            _ => {
                let error = DownloadError::Status {
                    source_name,
                    status: status_code,
                    said,
                };
                if status.is_server_error() {
                    Failure::Again(error, asked)
                } else {
                    Failure::Final(error)
                }
            }
        }
    }
}

/// The time by the clock of the server, which its dates are to be measured by: ours may be wrong.
fn server_time(headers: &HeaderMap) -> Timestamp {
    text_of(headers, header::DATE)
        .and_then(|date| http_date(&date))
        .unwrap_or_else(Timestamp::now)
}

/// The start of a body. Half of an explanation is better than none, and the status says enough without one: so an error
/// ends it, and a server that trickles it is not listened to for longer than the time-out.
fn start_of(response: Response, timeout: Duration) -> Vec<u8> {
    let start = Instant::now();
    let budget = Budget::default();
    let mut response = body(response, &budget).take(MAX_ERROR_BODY);
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    while start.elapsed() < timeout {
        match response.read(&mut buffer) {
            Ok(count @ 1..) => text.extend_from_slice(&buffer[..count]),
            Ok(0) | Err(_) => break,
        }
    }
    text
}

/// The server's own words as `, …`: the status and text of the API's JSON, or the title of a page.
fn words_of(body: &[u8]) -> String {
    let words = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(json) => {
            let words = ["query_status", "error", "data"].map(|name| json[name].as_str());
            transfer::plain(&words.into_iter().flatten().collect::<Vec<_>>().join(": "))
        }
        Err(_) => return transfer::title_of(body),
    };
    if words.is_empty() {
        words
    } else {
        format!(", {words}")
    }
}

/// The TLS error behind a failure to connect. Trying again does not help.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        // An io::Error names as its source what its content was caused by, and so skips the content.
        let content = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = content.map_or_else(
            || error.source(),
            |content| Some(content as &(dyn Error + 'static)),
        );
    }
    None
}
