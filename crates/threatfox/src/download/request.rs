//! The requests to abuse.ch, each as a URL and a body.

use std::fmt;

use serde_json::{Value, json};
use url::Url;

use super::DownloadError;

/// Days of `get_iocs`: 1 to 7, by the time a record was first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(u32);

impl Days {
    /// # Errors
    /// [`DownloadError::Days`] outside 1 to 7, where the API would answer `illegal_days`.
    pub fn new(days: u32) -> Result<Self, DownloadError> {
        if (1..=7).contains(&days) {
            Ok(Self(days))
        } else {
            Err(DownloadError::Days(days))
        }
    }
}

/// How far back an export reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Records first or last seen within 48 hours: plain text.
    Recent,
    /// All records that have not expired (six months without activity): a zip.
    Full,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma separated, with the number of entries at its end.
    Csv,
    /// An object by id.
    Json,
}

/// Exports of one type of indicator. `sha1` was never seen in use, the others were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ExportType {
    IpPort,
    Domains,
    Urls,
    Md5,
    Sha1,
    Sha256,
}

/// A bulk export: <https://threatfox.abuse.ch/export/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    /// Recent or full.
    pub period: Period,
    /// CSV or JSON.
    pub format: Format,
    /// All types, or one.
    pub only: Option<ExportType>,
}

/// A question about single indicators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// By the indicator itself; not exact means: any indicator that contains the term.
    Ioc {
        /// The indicator or a part of it.
        term: String,
        /// The whole of it?
        exact: bool,
    },
    /// Indicators that a sample of this MD5 or SHA256 hash talks to.
    Hash(String),
    /// One record by its number.
    Id(u64),
    /// By the printable name of a malware family or its malpedia id.
    Malware {
        /// The name.
        name: String,
        /// At most so many, 1 to 1000.
        limit: u32,
    },
    /// By tag.
    Tag {
        /// The tag.
        tag: String,
        /// At most so many, 1 to 1000.
        limit: u32,
    },
}

impl Search {
    /// The largest limit that the API takes.
    pub const MAX_LIMIT: u32 = 1000;

    /// The body of the request.
    ///
    /// # Errors
    /// [`DownloadError::Search`] where the API would refuse the question (or, for a limit, clamp it without a word).
    fn body(&self) -> Result<Value, DownloadError> {
        let refuse = |reason: &str| Err(DownloadError::Search(reason.into()));
        let text = match self {
            Self::Ioc { term: text, .. }
            | Self::Hash(text)
            | Self::Malware { name: text, .. }
            | Self::Tag { tag: text, .. } => text.trim(),
            Self::Id(_) => "-",
        };
        if text.is_empty() {
            return refuse("the term is empty");
        }
        if let Self::Malware { limit, .. } | Self::Tag { limit, .. } = self
            && !(1..=Self::MAX_LIMIT).contains(limit)
        {
            return refuse(&format!("the limit must be 1 to 1000, not {limit}"));
        }
        Ok(match self {
            Self::Ioc { exact, .. } => {
                json!({"query": "search_ioc", "search_term": text, "exact_match": exact})
            }
            Self::Hash(_) => {
                let hex = text.chars().all(|c| c.is_ascii_hexdigit());
                if !hex || ![32, 64].contains(&text.len()) {
                    return refuse("a hash is 32 (MD5) or 64 (SHA256) hexadecimal digits");
                }
                json!({"query": "search_hash", "hash": text.to_ascii_lowercase()})
            }
            Self::Id(id) => json!({"query": "ioc", "id": id}),
            Self::Malware { limit, .. } => {
                json!({"query": "malwareinfo", "malware": text, "limit": limit})
            }
            Self::Tag { limit, .. } => json!({"query": "taginfo", "tag": text, "limit": limit}),
        })
    }
}

/// One question to abuse.ch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Records first seen in the last days, from the API.
    Iocs(Days),
    /// A bulk export.
    Export(Export),
    /// The zipped CSV of all types, from the address that has the Auth-Key in its path.
    KeyedExport(Period),
    /// A search in the API.
    Search(Search),
    /// The list of what abuse.ch removed as false positives, as JSON, from the Hunting API.
    FalsePositives,
    /// An export of another source.
    Other(Other),
}

/// An export of another source than ThreatFox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The source's name.
    pub name: String,
    /// Where it is. The Auth-Key goes in place of [`Other::KEY`] in the path.
    pub url: Url,
}

impl Other {
    /// What stands for the Auth-Key in an address, so that the key itself need not stand in a command line.
    pub const KEY: &'static str = "<AUTH-KEY>";
    /// The same as it stands in a URL.
    const ENCODED_KEY: &'static str = "%3CAUTH-KEY%3E";

    /// Whether the address wants the key in its path.
    #[must_use]
    pub fn wants_key(&self) -> bool {
        self.url.path().contains(Self::ENCODED_KEY)
    }

    /// The address with a key in its path.
    pub(super) fn with_key(&self, key: &str) -> Url {
        let mut url = self.url.clone();
        let encoded: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        url.set_path(&self.url.path().replace(Self::ENCODED_KEY, &encoded));
        url
    }
}

impl Request {
    /// The body to post; exports are fetched with GET and have none.
    pub(super) fn body(&self) -> Result<Option<Value>, DownloadError> {
        Ok(match self {
            Self::Iocs(Days(days)) => Some(json!({"query": "get_iocs", "days": days})),
            Self::Search(search) => Some(search.body()?),
            Self::FalsePositives => Some(json!({"query": "get_fplist", "format": "json"})),
            Self::Export(_) | Self::KeyedExport(_) | Self::Other(_) => None,
        })
    }
}

/// The path below the base of the exports, `csv/ip-port/recent/`.
impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.format {
            Format::Csv => "csv/",
            Format::Json => "json/",
        })?;
        f.write_str(match self.only {
            None => "",
            Some(ExportType::IpPort) => "ip-port/",
            Some(ExportType::Domains) => "domains/",
            Some(ExportType::Urls) => "urls/",
            Some(ExportType::Md5) => "md5/",
            Some(ExportType::Sha1) => "sha1/",
            Some(ExportType::Sha256) => "sha256/",
        })?;
        f.write_str(match self.period {
            Period::Recent => "recent/",
            Period::Full => "full/",
        })
    }
}

/// The request, for messages and summaries: `get_iocs, 3 days`. The address is added where it is known.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iocs(Days(days)) => write!(f, "get_iocs days={days}"),
            Self::Export(export) => {
                let period = match export.period {
                    Period::Recent => "recent",
                    Period::Full => "full",
                };
                write!(f, "{period} export")
            }
            Self::KeyedExport(Period::Recent) => f.write_str("recent export with a key"),
            Self::KeyedExport(Period::Full) => f.write_str("full export with a key"),
            Self::Search(Search::Ioc { .. }) => f.write_str("search_ioc"),
            Self::Search(Search::Hash(_)) => f.write_str("search_hash"),
            Self::Search(Search::Id(id)) => write!(f, "ioc {id}"),
            Self::Search(Search::Malware { .. }) => f.write_str("malwareinfo"),
            Self::Search(Search::Tag { .. }) => f.write_str("taginfo"),
            Self::FalsePositives => f.write_str("get_fplist"),
            Self::Other(other) => write!(f, "{} export", other.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_outside_one_to_seven_are_refused_with_the_way_out() {
        for days in [0, 8, 90] {
            let error = Days::new(days).unwrap_err().to_string();
            assert!(error.contains("1 to 7"), "{error}");
        }
        assert!(Days::new(1).is_ok() && Days::new(7).is_ok());
    }

    #[test]
    fn searches_speak_the_words_of_the_api() {
        let term = String::from(" 1.2.3.4 ");
        let body = Search::Ioc { term, exact: true }.body().unwrap();
        assert_eq!(
            body,
            json!({"query": "search_ioc", "search_term": "1.2.3.4", "exact_match": true})
        );
        let hash = Search::Hash("0123456789ABCDEF0123456789ABCDEF".into());
        assert_eq!(
            hash.body().unwrap()["hash"],
            "0123456789abcdef0123456789abcdef"
        );
        let tag = Search::Tag {
            tag: "Cobalt Strike".into(),
            limit: 1000,
        };
        assert_eq!(
            tag.body().unwrap(),
            json!({"query": "taginfo", "tag": "Cobalt Strike", "limit": 1000})
        );
        assert_eq!(
            Search::Id(41).body().unwrap(),
            json!({"query": "ioc", "id": 41})
        );
    }

    #[test]
    fn searches_that_the_api_would_refuse_are_not_sent() {
        let term = String::from("  ");
        assert!(Search::Ioc { term, exact: false }.body().is_err());
        assert!(Search::Hash("xyz".into()).body().is_err());
        assert!(
            Search::Hash("00".repeat(20)).body().is_err(),
            "SHA1 is not known there"
        );
        for limit in [0, 1001] {
            assert!(
                Search::Tag {
                    tag: "x".into(),
                    limit
                }
                .body()
                .is_err()
            );
        }
    }

    #[test]
    fn exports_have_the_addresses_of_the_export_page() {
        let export = |period, format, only| {
            Export {
                period,
                format,
                only,
            }
            .to_string()
        };
        assert_eq!(export(Period::Recent, Format::Json, None), "json/recent/");
        assert_eq!(
            export(Period::Full, Format::Csv, Some(ExportType::IpPort)),
            "csv/ip-port/full/"
        );
    }
}
