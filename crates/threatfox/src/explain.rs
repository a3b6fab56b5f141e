//! Why a value is or is not in a feed: every record that concerns it, and what became of it.

use std::collections::HashMap;

use crate::error::Error;
use crate::ioc::Ioc;
use crate::key::{Key, KeyMaker, Kind};
use crate::lookup::rules::{Match, Role};
use crate::normalize::Filter;
use crate::record::{Column, RawRecord, Record};
use crate::reject::Reject;
use crate::shared_hosts::SharedHosts;
use crate::source::Sink;
use crate::text::clean;
use crate::web_address::UrlHost;

/// Takes records and remembers those that concern one value.
pub struct Explainer {
    /// The keys under which the value is looked up, and where it stands then.
    wanted: HashMap<String, (Role, Option<u16>)>,
    /// The value as text: what can't be read as a record concerns it where it is written so.
    text: String,
    filter: Filter,
    keys: KeyMaker,
    read: u64,
    findings: Vec<Finding>,
}

/// A record that concerns the value. Its texts are clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// ThreatFox's number of the record.
    pub id: String,
    /// The indicator, as ThreatFox writes it.
    pub ioc: String,
    /// ThreatFox's type of it.
    pub ioc_type: String,
    /// The family.
    pub malware: String,
    /// The confidence.
    pub confidence: String,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the feed, and the value matches it under this key.
    Matches {
        /// The key.
        key: String,
        /// The kind of match.
        matched: Match,
    },
    /// It is in the feed, but by the rules the value does not match it; why.
    NoMatch(String),
    /// It is not in the feed.
    Dropped(Reject),
}

impl Explainer {
    /// Explains a value by what a feed with this filter and these shared hosts would hold.
    #[must_use]
    pub fn new(text: &str, value: &Ioc<'_>, filter: Filter, shared: SharedHosts) -> Self {
        Self {
            wanted: wanted(value),
            text: text.to_owned(),
            filter,
            keys: KeyMaker::new(shared),
            read: 0,
            findings: Vec::new(),
        }
    }

    /// The number of records read, and those that concern the value.
    #[must_use]
    pub fn finish(self) -> (u64, Vec<Finding>) {
        (self.read, self.findings)
    }

    fn verdict(&mut self, record: &Record<'_>) -> Option<Verdict> {
        let mut under = None;
        let wanted = &self.wanted;
        self.keys.each(&record.ioc, &mut |key| {
            if let Some((role, port)) = wanted.get(key.text) {
                under = under.take().or_else(|| Some(judge(&key, *role, *port)));
            }
        });
        // A shared host makes no key, so that no look-up leads to it.
        if under.is_none()
            && let Ioc::Url(url) = &record.ioc
            && let UrlHost::Name(host) = &url.host
            && self.wanted.contains_key(host.as_str())
            && let Some(why) = self.keys.shared.why(host.as_str())
        {
            under = Some(Verdict::NoMatch(format!(
                "{} is {why}: only the whole URL matches",
                host.as_str()
            )));
        }
        let verdict = under?;
        Some(match self.filter.check(record) {
            Some(reject) => Verdict::Dropped(reject),
            None => verdict,
        })
    }

    fn found(&mut self, raw: &RawRecord<'_>, verdict: Verdict) {
        let text = |column| clean(raw.get(column)).into_owned();
        let printable = text(Column::MalwarePrintable);
        self.findings.push(Finding {
            id: text(Column::Id),
            ioc: text(Column::Ioc),
            ioc_type: text(Column::IocType),
            malware: if printable.is_empty() {
                text(Column::Malware)
            } else {
                printable
            },
            confidence: text(Column::Confidence),
            verdict,
        });
    }
}

impl Sink for Explainer {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        self.read += 1;
        match Record::parse(raw) {
            Ok(record) => {
                if let Some(verdict) = self.verdict(&record) {
                    self.found(raw, verdict);
                }
            }
            Err(reject) if raw.get(Column::Ioc).eq_ignore_ascii_case(&self.text) => {
                self.found(raw, Verdict::Dropped(reject));
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn unreadable(&mut self, _: &RawRecord<'_>, _: &Reject) -> Result<(), Error> {
        self.read += 1;
        Ok(())
    }
}

/// What a record's key says of the value.
fn judge(key: &Key<'_>, role: Role, port: Option<u16>) -> Verdict {
    if role == Role::Parent && key.kind == Kind::Domain && key.exact {
        let why = "the domain is a shared service or a public suffix: names below it do not match";
        return Verdict::NoMatch(why.to_owned());
    }
    match role.matches(key.kind, port.is_some() && port == key.port) {
        Some(matched) => Verdict::Matches {
            key: key.text.to_owned(),
            matched,
        },
        None => Verdict::NoMatch("the host of a URL matches alone, nothing below it".to_owned()),
    }
}

/// The keys of a value, and of the domains above its host.
fn wanted(value: &Ioc<'_>) -> HashMap<String, (Role, Option<u16>)> {
    let mut wanted = HashMap::new();
    let mut host = |name: &str| {
        wanted.insert(name.to_owned(), (Role::Host, None));
        for (dot, _) in name.match_indices('.') {
            wanted.insert(name[dot + 1..].to_owned(), (Role::Parent, None));
        }
    };
    match value {
        Ioc::Domain(name) => host(name.as_str()),
        Ioc::Address(ip, port) => _ = wanted.insert(ip.to_string(), (Role::Destination, *port)),
        Ioc::Hash(algorithm, hex) => {
            let key = format!("{}{hex}", Kind::from(*algorithm).prefix());
            wanted.insert(key, (Role::Hash, None));
        }
        Ioc::Url(url) => {
            match &url.host {
                UrlHost::Name(name) => host(name.as_str()),
                UrlHost::Address(ip) => {
                    wanted.insert(ip.to_string(), (Role::Destination, url.connects_to()));
                }
            }
            let key = format!("{}{}", Kind::Url.prefix(), url.normalized);
            wanted.insert(key, (Role::Download, None));
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::read_value;

    /// What becomes of records with these values, as far as they concern the value.
    fn explained(value: &str, records: &[(&str, &str)]) -> Vec<String> {
        let filter = Filter {
            min_confidence: 50,
            allow_private: true,
            ..Filter::default()
        };
        let ioc = read_value(value).unwrap();
        let mut explainer = Explainer::new(value, &ioc, filter, SharedHosts::built_in());
        for (ioc_type, text) in records {
            let mut raw = RawRecord::default();
            raw.set(Column::Id, "7");
            raw.set(Column::Ioc, text);
            raw.set(Column::IocType, ioc_type);
            raw.set(Column::FirstSeen, "2026-11-01 00:00:00");
            raw.set(
                Column::Confidence,
                if text.contains("low") { "25" } else { "75" },
            );
            explainer.record(&raw).unwrap();
        }
        let (read, findings) = explainer.finish();
        assert_eq!(read, records.len() as u64);
        let line = |finding: Finding| match finding.verdict {
            Verdict::Matches { key, matched } => format!("{key} {}", matched.name()),
            Verdict::NoMatch(why) => why,
            Verdict::Dropped(reject) => reject.to_string(),
        };
        findings.into_iter().map(line).collect()
    }

    #[test]
    fn every_record_that_concerns_a_value_is_told_and_no_other() {
        let records = [
            ("ip:port", "203.0.113.7:443"),
            ("domain", "evil.example"),
            ("domain", "low.example"),
            ("url", "http://bad.example/x"),
            ("url", "https://t.me/channel"),
            ("domain", "duckdns.org"),
            ("domain", "odd.example!s!"),
        ];
        for (value, expected) in [
            ("203.0.113.7:443", &["203.0.113.7 ip:port"][..]),
            ("203.0.113.7:80", &["203.0.113.7 ip"]),
            ("a.evil.example", &["evil.example subdomain"]),
            ("http://evil.example/y", &["evil.example domain"]),
            ("devil.example", &[]),
            ("x.low.example", &["low confidence: 25 is below 50"]),
            ("http://bad.example/x", &["url:http://bad.example/x url"]),
            ("bad.example", &["bad.example url host"]),
            (
                "www.bad.example",
                &["the host of a URL matches alone, nothing below it"],
            ),
            (
                "t.me",
                &["t.me is on the list of shared services (t.me): only the whole URL matches"],
            ),
            (
                "mine.duckdns.org",
                &["the domain is a shared service or a public suffix: names below it do not match"],
            ),
        ] {
            assert_eq!(explained(value, &records), expected, "{value}");
        }
    }
}
