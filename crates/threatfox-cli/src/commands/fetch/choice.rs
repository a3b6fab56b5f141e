//! Which source to ask, and why.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use threatfox::download::{self, Days, Export, ExportType, Period, Request};
use threatfox::record::THREATFOX;
use threatfox::source::{Format, Reading, SourceName};
use url::Url;

use super::super::Usage;
use crate::advice::MORE_DAYS;

/// Days asked of the API if none are given: as many as it has.
const DEFAULT_DAYS: u32 = 7;

/// A download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// The API if there is an Auth-Key, else the recent export; the full export for more than 7 days
    Auto,
    /// The API: IOCs first seen in the last days (needs an Auth-Key)
    Api,
    /// The export of IOCs that were active within 48 hours
    Recent,
    /// The export of all IOCs that have not expired
    Full,
}

/// One of the sources that make a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// ThreatFox, by one of its ways.
    ThreatFox(Source),
    /// Another source, where it publishes.
    Known(&'static str),
    /// Any address, and the name of the source there; one of the known names says the format too.
    At(String, Url),
}

impl Asked {
    /// The source's name in the feed.
    pub fn name(&self) -> &str {
        match self {
            Self::ThreatFox(_) => THREATFOX,
            Self::Known(name) => name,
            Self::At(name, _) => name,
        }
    }

    /// How its answer is read.
    pub fn reading(&self, input_format: Option<Format>) -> Reading {
        let known = self.name().parse().ok();
        Reading {
            format: match self {
                Self::ThreatFox(_) => None,
                Self::Known(_) => known,
                Self::At(..) => known.or(input_format),
            },
            source_name: self.name().parse().ok(),
            columns: None,
            now: None,
        }
    }
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = match text.split_once('=') {
            // An address may have one too, behind its scheme.
            Some((name, address)) if !name.contains("://") => (name, Some(address)),
            _ if text.contains("://") => ("", Some(text)),
            _ => (text, None),
        };
        if let Some(address) = address {
            let url: Url = address
                .parse()
                .map_err(|error| format!("{address:?} is not an address: {error}"))?;
            // One with a password is refused later, without showing it.
            if url.password().is_none() && !download::is_https_or_local(&url) {
                return Err(
                    "it must begin with https://; plain http is for this machine only".into(),
                );
            }
            let host = url.host_str().unwrap_or_default().to_owned();
            let name = if name.is_empty() { &host } else { name };
            let name: SourceName = name.parse()?;
            return Ok(Self::At(name.as_str().to_owned(), url));
        }
        if name == THREATFOX {
            return Ok(Self::ThreatFox(Source::Auto));
        }
        if let Ok(source) = Source::from_str(name, false) {
            return Ok(Self::ThreatFox(source));
        }
        let format = name.parse::<Format>().ok();
        match format.filter(|format| format.published().is_some()) {
            Some(format) => Ok(Self::Known(format.name())),
            None => Err("it is none of auto, api, recent, full, urlhaus, malwarebazaar, feodo, and not [NAME=]https://…".to_owned()),
        }
    }
}

/// The period to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Whatever has not expired.
    All,
    /// A number of days, at least 1.
    Days(u32),
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "all" => Ok(Self::All),
            Ok(days @ 1..=36500) => Ok(Self::Days(days)),
            _ => Err("a number of days, 1 to 36500, or all".to_owned()),
        }
    }
}

impl Window {
    /// In days, where it ends.
    pub fn days(self) -> Option<u32> {
        match self {
            Self::All => None,
            Self::Days(days) => Some(days),
        }
    }
}

/// The types that have an export of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Type {
    IpPort,
    Domains,
    Urls,
    Md5,
    Sha1,
    Sha256,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Csv,
    Json,
}

/// Exports as asked for.
#[derive(Debug, Clone, Copy)]
pub struct Exports {
    pub only: Option<Type>,
    pub format: Option<ExportFormat>,
}

impl Exports {
    /// Where nothing else is asked for, the recent export as JSON, which has what was last seen within 48 hours too, not
    /// only what was first seen; the full export as CSV, which is a fraction of the JSON's size and ends with the number of
    /// its entries.
    pub fn of(self, period: Period) -> Request {
        let format = match (self.format, period) {
            (Some(ExportFormat::Csv), _) | (None, Period::Full) => download::Format::Csv,
            (Some(ExportFormat::Json), _) | (None, Period::Recent) => download::Format::Json,
        };
        let only = self.only.map(|only| match only {
            Type::IpPort => ExportType::IpPort,
            Type::Domains => ExportType::Domains,
            Type::Urls => ExportType::Urls,
            Type::Md5 => ExportType::Md5,
            Type::Sha1 => ExportType::Sha1,
            Type::Sha256 => ExportType::Sha256,
        });
        Request::Export(Export {
            period,
            format,
            only,
        })
    }
}

/// The request, and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub request: Request,
    pub reason: String,
}

impl Choice {
    pub fn new(request: Request, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { request, reason }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.reason)
    }
}

/// Chooses one request that has what is asked for.
pub fn choose(
    source: Source,
    window: Option<Window>,
    exports: Exports,
    has_key: bool,
) -> Result<Choice, Usage> {
    let recent = |reason| Ok(Choice::new(exports.of(Period::Recent), reason));
    let full = |reason| Ok(Choice::new(exports.of(Period::Full), reason));
    match (source, window) {
        (Source::Recent, _) => recent("--source recent"),
        (Source::Full, _) => full("--source full"),
        (Source::Api, _) if exports.only.is_some() => Err(Usage(
            "--type is for exports; the API gives all types: use --source recent or full".into(),
        )),
        (Source::Api, Some(Window::All)) => Err(Usage(format!(
            "ThreatFox's API gives 1 to 7 days: {MORE_DAYS}"
        ))),
        (Source::Api, _) => iocs(window, "--source api"),
        (Source::Auto, Some(Window::All)) => full("all that is active is only in the full export"),
        (Source::Auto, Some(Window::Days(8..))) => {
            full("more than 7 days are only in the full export")
        }
        (Source::Auto, _) if exports.only.is_some() => recent("only exports come by type"),
        (Source::Auto, _) if has_key => iocs(window, "there is an Auth-Key"),
        (Source::Auto, Some(Window::Days(3..))) => recent(
            "there is no Auth-Key; it holds 48 hours only: for more give a key, or --source full",
        ),
        (Source::Auto, _) => recent("there is no Auth-Key"),
    }
}

fn iocs(window: Option<Window>, reason: &str) -> Result<Choice, Usage> {
    let days = window.and_then(Window::days).unwrap_or(DEFAULT_DAYS);
    match Days::new(days) {
        Ok(days) => Ok(Choice::new(Request::Iocs(days), reason)),
        Err(error) => Err(Usage(format!("{error}: {MORE_DAYS}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYTHING: Exports = Exports {
        only: None,
        format: None,
    };

    fn chosen(source: Source, days: &str, has_key: bool) -> String {
        let window = (!days.is_empty()).then(|| days.parse().unwrap());
        match choose(source, window, EVERYTHING, has_key) {
            Ok(choice) => choice.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn auto_takes_the_api_with_a_key_the_recent_export_without_and_the_full_one_past_a_week() {
        for (days, has_key, choice) in [
            ("", true, "get_iocs days=7: there is an Auth-Key"),
            ("3", true, "get_iocs days=3: there is an Auth-Key"),
            (
                "3",
                false,
                "recent export: there is no Auth-Key; it holds 48 hours only",
            ),
            ("", false, "recent export: there is no Auth-Key"),
            ("8", true, "full export: more than 7 days"),
            ("8", false, "full export: more than 7 days"),
            ("all", true, "full export: all that is active"),
        ] {
            let got = chosen(Source::Auto, days, has_key);
            assert!(got.starts_with(choice), "{days} {has_key}: {got}");
        }
    }

    #[test]
    fn a_source_is_a_name_or_an_address_with_or_without_a_name() {
        for (text, name) in [
            ("recent", "threatfox"),
            ("threatfox", "threatfox"),
            ("urlhaus", "urlhaus"),
            ("https://cert.example/list.txt?a=b", "cert.example"),
            ("partner=https://cert.example/list.txt", "partner"),
        ] {
            assert_eq!(text.parse::<Asked>().unwrap().name(), name, "{text}");
        }
        for text in [
            "stix",
            "list",
            "everything",
            "a b=https://x.example/",
            "x=y",
            "x=http://cert.example/list.txt",
            "http://203.0.113.7/list.txt",
            "ftp://cert.example/list.txt",
        ] {
            assert!(text.parse::<Asked>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_api_has_one_to_seven_days() {
        assert!(chosen(Source::Api, "7", true).starts_with("get_iocs days=7"));
        for days in ["8", "all"] {
            let message = chosen(Source::Api, days, true);
            assert!(message.contains("1 to 7 days"), "{message}");
        }
        for days in ["0", "36501", "-1", "many", "ALL", ""] {
            assert!(days.parse::<Window>().is_err(), "{days}");
        }
    }

    #[test]
    fn exports_come_by_type_and_in_the_form_asked_for() {
        let exports = Exports {
            only: Some(Type::IpPort),
            format: Some(ExportFormat::Json),
        };
        let request = |days| choose(Source::Auto, days, exports, true).unwrap().request;
        let Request::Export(export) = request(Some(Window::All)) else {
            panic!("no export")
        };
        assert_eq!(export.to_string(), "json/ip-port/full/");
        assert!(choose(Source::Api, None, exports, true).is_err());
    }
}
