//! abuse.ch's list of what it removed as false positives: JSON of the Hunting API, or the CSV of its page.
//!
//! A removal concerns what was reported before it. A record that is first seen later is a new report, and stays.

mod json;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};

use self::json::{Take, Walk};
use crate::error::{ApiError, Error, Place};
use crate::ioc::Ioc;
use crate::match_key::Kind;
use crate::record::{Record, parse_time};
use crate::reject::{Reason, Reject};
use crate::source::{Input, JsonText, MAX_FIELD, Records, refuse_utf16, skip_mark, unpack};
use crate::text::clean;
use crate::value::read_value;

/// The most characters of a platform and of the notes that are kept.
const MAX_NOTES: usize = 200;

/// The removed indicators. The default is an empty list.
#[derive(Debug, Clone, Default)]
pub struct FalsePositives {
    removals: HashMap<String, Removal>,
    /// Entries that are not of a kind that can match.
    pub passed_over: u64,
}

/// The latest removal of an indicator.
#[derive(Debug, Clone)]
struct Removal {
    /// Seconds since 1970; the end of time where the list does not say.
    time: i64,
    platform: Box<str>,
    notes: Box<str>,
}

/// An entry of the list as text.
struct Entry<'a> {
    value: &'a str,
    time: &'a str,
    platform: &'a str,
    notes: &'a str,
}

impl FalsePositives {
    /// Reads a list.
    ///
    /// # Errors
    /// The input cannot be read, is not a list, or is an error the API answered with.
    pub fn read(input: &Input) -> Result<Self, Error> {
        let mut list = Self::default();
        unpack(input, |content, budget| {
            refuse_utf16(input.name(), content)?;
            let start = content.fill_buf().map_err(|error| damaged(input, error))?;
            let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
            let format = start.trim_ascii_start().first().copied();
            let mut entries = 0;
            let mut take = |entry: Entry<'_>| {
                entries += 1;
                budget.check_records(input.name(), entries)?;
                list.add(&entry);
                Ok(())
            };
            match format {
                Some(b'{' | b'[') => read_json(input, content, &mut take),
                Some(b'#' | b'"') => read_csv(input, content, &mut take),
                _ => Err(no_list(input)),
            }
        })?;
        if list.removals.is_empty() && list.passed_over == 0 {
            return Err(no_list(input));
        }
        Ok(list)
    }

    fn add(&mut self, entry: &Entry<'_>) {
        let Ok(ioc) = read_value(entry.value.trim()) else {
            self.passed_over += 1;
            return;
        };
        let short = |text| clean(text).chars().take(MAX_NOTES).collect();
        let removal = Removal {
            time: parse_time(entry.time).unwrap_or(i64::MAX),
            platform: short(entry.platform),
            notes: short(entry.notes),
        };
        let latest = self
            .removals
            .entry(name_of(&ioc, true))
            .or_insert_with(|| removal.clone());
        if removal.time > latest.time {
            *latest = removal;
        }
    }

    /// The number of indicators on the list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.removals.len()
    }

    /// Whether nothing is on the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removals.is_empty()
    }

    /// The reject of a record that was removed.
    #[must_use]
    pub fn check(&self, record: &Record<'_>) -> Option<Reject> {
        if self.is_empty() {
            return None;
        }
        let removed = |with_port| {
            let removal = self.removals.get(&name_of(&record.ioc, with_port))?;
            (record.first_seen.is_none_or(|time| time <= removal.time)).then_some(removal)
        };
        let removal = removed(true).or_else(|| removed(false))?;
        let mut detail = format!("removed from {}", removal.platform);
        if let Ok(time) = jiff::Timestamp::from_second(removal.time) {
            detail += &time.strftime(" on %Y-%m-%d").to_string();
        }
        if !removal.notes.is_empty() {
            detail = format!("{detail}: {}", removal.notes);
        }
        Some(Reason::FalsePositive.because(detail))
    }
}

/// The name under which an indicator is listed: an address that was removed without a port stands for all its ports.
fn name_of(ioc: &Ioc<'_>, with_port: bool) -> String {
    match ioc {
        Ioc::Address(ip, Some(port)) if with_port => format!("{ip} {port}"),
        Ioc::Address(ip, _) => ip.to_string(),
        Ioc::Network(network, _) => network.to_string(),
        Ioc::Domain(host) => host.as_str().to_owned(),
        Ioc::Url(url) => url.normalized.clone(),
        Ioc::Hash(algorithm, hex) => format!("{}{hex}", Kind::from(*algorithm).prefix()),
    }
}

fn read_json(input: &Input, content: &mut dyn BufRead, take: &mut Take<'_>) -> Result<(), Error> {
    let mut walk = Walk {
        take,
        status: None,
        failure: None,
    };
    let mut content = BufReader::with_capacity(64 * 1024, JsonText::new(content));
    skip_mark(&mut content).map_err(|error| damaged(input, error))?;
    let mut json = serde_json::Deserializer::from_reader(content);
    let result = walk.read(&mut json).and_then(|()| json.end());
    if let Some(failure) = walk.failure {
        return Err(failure);
    }
    result.map_err(|error| damaged(input, error))?;
    match walk.status.as_deref() {
        None | Some("ok") => Ok(()),
        Some(status) => Err(Error::Api {
            name: input.name().to_owned(),
            source: ApiError::from_status(status, ""),
        }),
    }
}

fn read_csv(
    input: &Input,
    content: &mut (dyn BufRead + Send),
    take: &mut Take<'_>,
) -> Result<(), Error> {
    skip_mark(content).map_err(|error| damaged(input, error))?;
    let mut positions = None;
    for batch in Records::new(content, 1) {
        let batch = batch.map_err(|stop| stop.of(input.name()))?;
        for record in batch.records() {
            let texts = record.texts().map_err(|_| Error::Broken {
                name: input.name().to_owned(),
                place: Place::Line(record.line()),
                problem: "not UTF-8".to_owned(),
            })?;
            let texts: Vec<_> = texts.map(str::trim).collect();
            if texts.first().is_some_and(|first| first.starts_with('#')) {
                continue;
            }
            let Some(columns) = positions else {
                let columns = ["entry_value", "time_stamp", "platform", "removal_notes"]
                    .map(|name| texts.iter().position(|column| *column == name));
                if columns[0].is_none() {
                    return Err(no_list(input));
                }
                positions = Some(columns);
                continue;
            };
            let text = |at: Option<usize>| {
                let text = at.and_then(|at| texts.get(at)).copied();
                text.filter(|text| text.len() <= MAX_FIELD)
                    .unwrap_or_default()
            };
            let [value, time, platform, notes] = columns.map(text);
            take(Entry {
                value,
                time,
                platform,
                notes,
            })?;
        }
    }
    if positions.is_none() {
        return Err(no_list(input));
    }
    Ok(())
}

fn no_list(input: &Input) -> Error {
    Error::NotFalsePositives {
        name: input.name().to_owned(),
    }
}

fn damaged(input: &Input, error: impl Into<std::io::Error>) -> Error {
    Error::Unreadable {
        name: input.name().to_owned(),
        source: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::record::{Column, RawRecord};

    const JSON: &str = r#"{
        "1": {"time_stamp": "2026-03-01 00:00:00 UTC", "platform": "ThreatFox", "entry_type": "domain",
              "entry_value": "Site.example", "removed_by": "someone", "removal_notes": "a bank"},
        "2": {"time_stamp": "2026-03-01 00:00:00 UTC", "platform": "URLhaus", "entry_type": "url",
              "entry_value": "http://site.example/x", "removed_by": "someone", "removal_notes": null},
        "3": {"time_stamp": "2026-03-01 00:00:00 UTC", "platform": "ThreatFox", "entry_type": "ip:port",
              "entry_value": "203.0.113.7:443"},
        "4": {"time_stamp": "soon", "platform": "ThreatFox", "entry_type": "ip", "entry_value": "203.0.113.8"},
        "5": {"platform": "YARAify", "entry_type": "yara_rule", "entry_value": "some rule"}
    }"#;

    fn list(content: &str) -> Result<FalsePositives, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let input = Input::labelled(file.path(), "fplist");
        FalsePositives::read(&input).map_err(|error| error.to_string())
    }

    fn why(list: &FalsePositives, ioc_type: &str, value: &str, first_seen: &str) -> Option<String> {
        let mut raw = RawRecord::default();
        raw.set(Column::Id, "1");
        raw.set(Column::Ioc, value);
        raw.set(Column::IocType, ioc_type);
        raw.set(Column::FirstSeen, first_seen);
        let reject = list.check(&Record::parse(&raw).unwrap())?;
        assert_eq!(reject.reason, Reason::FalsePositive);
        Some(reject.detail.into_owned())
    }

    #[test]
    fn what_was_removed_is_dropped_with_the_reason_and_what_is_reported_later_stays() {
        let list = list(JSON).unwrap();
        assert_eq!((list.len(), list.passed_over), (4, 1));
        for (ioc_type, value, first_seen, expected) in [
            (
                "domain",
                "site.EXAMPLE",
                "2026-02-01 00:00:00",
                Some("removed from ThreatFox on 2026-03-01: a bank"),
            ),
            ("domain", "site.example", "2026-03-02 00:00:00", None),
            ("domain", "www.site.example", "2026-02-01 00:00:00", None),
            (
                "url",
                "HTTP://site.example:80/x",
                "2026-02-01 00:00:00",
                Some("removed from URLhaus on 2026-03-01"),
            ),
            (
                "ip:port",
                "203.0.113.7:443",
                "2026-02-01 00:00:00",
                Some("removed from ThreatFox on 2026-03-01"),
            ),
            ("ip:port", "203.0.113.7:80", "2026-02-01 00:00:00", None),
            (
                "ip:port",
                "203.0.113.8:80",
                "2026-11-01 00:00:00",
                Some("removed from ThreatFox"),
            ),
        ] {
            assert_eq!(
                why(&list, ioc_type, value, first_seen).as_deref(),
                expected,
                "{value} {first_seen}"
            );
        }
    }

    #[test]
    fn a_network_was_removed_as_a_whole_and_not_as_its_first_address() {
        let text = r#"[{"entry_value": "203.0.113.0/24"}]"#;
        let list = list(text).unwrap();
        let removed = |value| why(&list, "ip:port", value, "2026-02-01 00:00:00").is_some();
        assert!(removed("203.0.113.0/24") && !removed("203.0.113.0:80"));
    }

    #[test]
    fn json_in_other_shapes_and_csv_read_the_same() {
        let csv = "# banner\n\"time_stamp\",\"removal_id\",\"platform\",\"entry_type\",\"entry_value\",\"removed_by\",\"removal_notes\"\n\
            \"2026-03-01 00:00:00\",\"1\",\"ThreatFox\",\"domain\",\"site.example\",\"x\",\"a bank\"\n# 1 entry\n";
        let entry = r#"{"time_stamp": "2026-03-01 00:00:00 UTC", "platform": "ThreatFox", "entry_value": "site.example", "removal_notes": "a bank"}"#;
        for content in [
            csv.to_owned(),
            format!("[{entry}]"),
            format!(r#"{{"query_status": "ok", "data": [{entry}]}}"#),
            format!(r#"{{"query_status": "ok", "data": {{"9": {entry}}}}}"#),
        ] {
            let found = why(
                &list(&content).unwrap(),
                "domain",
                "site.example",
                "2026-02-01 00:00:00",
            );
            assert_eq!(
                found.as_deref(),
                Some("removed from ThreatFox on 2026-03-01: a bank"),
                "{content}"
            );
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for (content, expected) in [
            (
                r#"{"query_status": "unknown_auth_key"}"#,
                "refused the Auth-Key",
            ),
            (r#"{"error": "Unauthorized"}"#, "refused the Auth-Key"),
            ("{}", "not a list of false positives"),
            ("<html>", "not a list of false positives"),
            ("\"a\",\"b\"\n", "not a list of false positives"),
            ("{\"1\": {", "cannot be read to its end"),
        ] {
            let error = list(content).unwrap_err();
            assert!(
                error.contains("fplist") && error.contains(expected),
                "{error}"
            );
        }
    }
}
