//! abuse.ch's list of what it removed as false positives: JSON of the Hunting API, or the CSV of its page.
//!
//! A removal concerns what was reported before it. A record that is first seen later is a new report, and stays.

use std::collections::HashMap;
use std::io::BufRead;

use serde_json::Value;

use crate::error::{ApiError, Error};
use crate::ioc::Ioc;
use crate::key::Kind;
use crate::lookup::read_value;
use crate::record::{Record, parse_time};
use crate::reject::{Reason, Reject};
use crate::source::{Input, unpack};
use crate::text::clean;

/// What was removed. The default is an empty list.
#[derive(Debug, Clone, Default)]
pub struct FalsePositives {
    removals: HashMap<String, Removal>,
    /// Entries that are no indicator of a kind that is matched.
    pub passed_over: u64,
}

/// The latest removal of an indicator.
#[derive(Debug, Clone)]
struct Removal {
    /// Seconds since 1970; the end of time where the list does not say.
    time: i64,
    platform: String,
    notes: String,
}

impl FalsePositives {
    /// Reads a list.
    ///
    /// # Errors
    /// The input cannot be read, is no list, or is an error the API answered with.
    pub fn read(input: &Input) -> Result<Self, Error> {
        let mut list = Self::default();
        unpack(input, |content| {
            let start = content.fill_buf().map_err(|error| damaged(input, error))?;
            match start.trim_ascii_start().first() {
                Some(b'{' | b'[') => list.read_json(input, content),
                Some(b'#' | b'"') => list.read_csv(input, content),
                _ => Err(no_list(input)),
            }
        })?;
        if list.removals.is_empty() && list.passed_over == 0 {
            return Err(no_list(input));
        }
        Ok(list)
    }

    fn read_json(&mut self, input: &Input, content: &mut dyn BufRead) -> Result<(), Error> {
        let json: Value =
            serde_json::from_reader(content).map_err(|error| damaged(input, error))?;
        let status = json.get("query_status").or_else(|| json.get("error"));
        match status.and_then(Value::as_str) {
            Some(status) if status != "ok" => {
                return Err(Error::Api {
                    name: input.name().to_owned(),
                    source: ApiError::from_status(status, ""),
                });
            }
            _ => {}
        }
        self.add_json(&json);
        Ok(())
    }

    /// Entries by their number, in a list, or either of these in `data`: all have been seen or told of.
    fn add_json(&mut self, json: &Value) {
        let text = |name| json.get(name).and_then(Value::as_str).unwrap_or_default();
        match json {
            Value::Object(_) if json.get("entry_value").is_some() => self.add(
                text("entry_value"),
                text("time_stamp"),
                text("platform"),
                text("removal_notes"),
            ),
            Value::Object(entries) => entries.values().for_each(|entry| self.add_json(entry)),
            Value::Array(entries) => entries.iter().for_each(|entry| self.add_json(entry)),
            _ => {}
        }
    }

    fn read_csv(&mut self, input: &Input, content: &mut dyn BufRead) -> Result<(), Error> {
        let mut csv = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(content);
        let header = csv.headers().map_err(|error| damaged(input, error))?;
        let positions = ["entry_value", "time_stamp", "platform", "removal_notes"]
            .map(|name| header.iter().position(|column| column == name));
        if positions[0].is_none() {
            return Err(no_list(input));
        }
        for record in csv.records() {
            let record = record.map_err(|error| damaged(input, error))?;
            let [value, time, platform, notes] =
                positions.map(|at| at.and_then(|at| record.get(at)).unwrap_or_default());
            self.add(value, time, platform, notes);
        }
        Ok(())
    }

    fn add(&mut self, value: &str, time: &str, platform: &str, notes: &str) {
        let Ok(ioc) = read_value(value.trim()) else {
            self.passed_over += 1;
            return;
        };
        let removal = Removal {
            time: parse_time(time).unwrap_or(i64::MAX),
            platform: clean(platform).into_owned(),
            notes: clean(notes).chars().take(200).collect(),
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
            (record.first_seen <= removal.time).then_some(removal)
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
        Ioc::Domain(host) => host.as_str().to_owned(),
        Ioc::Url(url) => url.normalized.clone(),
        Ioc::Hash(algorithm, hex) => format!("{}{hex}", Kind::from(*algorithm).prefix()),
    }
}

fn no_list(input: &Input) -> Error {
    Error::Incomplete {
        name: input.name().to_owned(),
        problem: "it is no list of false positives, or an empty one".to_owned(),
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
            ("{}", "no list of false positives"),
            ("<html>", "no list of false positives"),
            ("\"a\",\"b\"\n", "no list of false positives"),
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
