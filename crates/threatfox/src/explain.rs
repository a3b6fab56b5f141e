//! Why a value is or is not in a feed: every record that concerns it, and whether the feed has it.

use std::collections::HashMap;

use crate::error::Error;
use crate::feed::FeedRow;
use crate::ioc::Ioc;
use crate::lookup::{Index, Matcher, TypedValue, Wanted, why_never};
use crate::match_key::{KeyMaker, Kind};
use crate::normalize::Filter;
use crate::record::{Column, RawRecord, Record};
use crate::reject::Reject;
use crate::rules::reader::{Key, Observer};
use crate::rules::{Match, Rules, Strength};
use crate::shared_hosts::SharedHosts;
use crate::source::Sink;
use crate::text::clean;
use crate::url::UrlHost;
use crate::warning::{Warner, WarningLists};

/// Takes records and remembers those that concern one value.
pub struct Explainer {
    /// The value, as the judge takes it.
    values: Vec<TypedValue>,
    /// The keys under which it is looked up, and whether each is only a domain above it.
    wanted: WantedKeys,
    /// The value as text: what can't be read as a record concerns it where it is written so.
    text: String,
    filter: Filter,
    lists: WarningLists,
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
    /// The result of it.
    pub verdict: Verdict,
}

/// The result of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the feed, and the value matches it under this key.
    Matches {
        /// The key.
        key: String,
        /// The kind of match.
        matched: Match,
        /// Its strength, lowered by warnings.
        strength: Strength,
        /// The feed's column `warning`; may be empty.
        warning: String,
    },
    /// It is in the feed, but by the rules the value does not match it; why.
    NoMatch(String),
    /// It is not in the feed.
    Dropped(Reject),
}

impl Explainer {
    /// Explains a value by what a feed with this filter, these warning lists and these shared hosts would hold.
    #[must_use]
    pub fn new(
        text: &str,
        value: &Ioc<'_>,
        filter: Filter,
        lists: WarningLists,
        shared: SharedHosts,
    ) -> Self {
        let values = TypedValue::all_of(value);
        Self {
            wanted: WantedKeys::of(&values),
            values,
            text: text.to_owned(),
            filter,
            lists,
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

    fn verdict(&mut self, record: &Record<'_>) -> Result<Option<Verdict>, Error> {
        let mut under = self.judge(record)?;
        // A shared host makes no key, so that no look-up leads to it.
        if under.is_none()
            && let Ioc::Url(url) = &record.ioc
            && let UrlHost::Name(host) = &url.host
            && self.wanted.0.contains_key(host.as_str())
            && let Some(why) = self.keys.shared.why(host.as_str())
        {
            under = Some(Verdict::NoMatch(format!(
                "{} is {why}: only the whole URL matches",
                host.as_str()
            )));
        }
        Ok(under.map(|verdict| match self.filter.check(record) {
            Some(reject) => Verdict::Dropped(reject),
            None => verdict,
        }))
    }

    /// What the one judge says of the value where the record alone is the feed; `None` where no key is the value's.
    fn judge(&mut self, record: &Record<'_>) -> Result<Option<Verdict>, Error> {
        let mut concerned = None;
        let wanted = &self.wanted.0;
        self.keys.each(&record.ioc, &mut |key| {
            if concerned.is_none() && wanted.contains_key(key.text) {
                concerned = Some(key.text.to_owned());
            }
        });
        let Some(concerned) = concerned else {
            return Ok(None);
        };
        let mut index = Index::default();
        let mut failure = None;
        let weakening = self.filter.policy.weakening(record).unwrap_or_default();
        let mut warner = Warner::new(&self.lists);
        self.keys.each(&record.ioc, &mut |key| {
            let ports = key.port.map(|port| [port]);
            let row = FeedRow {
                key: key.text,
                kind: key.kind,
                ioc: record.raw.get(Column::Ioc),
                ioc_type: record.ioc_type.name(),
                exact: key.exact,
                ports: ports.as_ref().map_or(&[], |port| port),
                malware: "",
                threat_type: "",
                confidence: record.confidence,
                first_seen: None,
                last_seen: None,
                id: None,
                iocs: 1,
                compromised: record.compromised,
                source: "",
                link: "",
                warning: warner.warning(key.kind, key.text, &weakening),
            };
            failure = failure.take().or(index.insert(&row).err());
        });
        if let Some(error) = failure {
            return Err(error);
        }
        let mut hits = Vec::new();
        let rules = Rules::built_in();
        Matcher::new(rules, &index, Wanted::default()).values(&self.values, &mut hits);
        let best = hits.into_iter().max_by_key(|hit| hit.strength);
        Ok(Some(match best {
            Some(hit) => Verdict::Matches {
                key: hit.row.key.to_owned(),
                matched: hit.matched.clone(),
                strength: hit.strength,
                warning: hit.row.warning.to_owned(),
            },
            None => Verdict::NoMatch(why_not(rules, &index, &concerned, &self.wanted)),
        }))
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
                if let Some(verdict) = self.verdict(&record)? {
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

/// Why a key of the value is in the feed, and yet not a match.
fn why_not(rules: &Rules, index: &Index, key: &str, wanted: &WantedKeys) -> String {
    let Some(row) = index.get(key) else {
        return String::new();
    };
    let above = wanted.0.get(key).is_some_and(|above| *above);
    if let Some(why) = why_never(rules, &row) {
        format!("{key} is never an indicator ({why})")
    } else if above && row.kind == Kind::Domain {
        "the domain is a shared service or a public suffix: names below it do not match".to_owned()
    } else if above {
        "the host of a URL matches alone, nothing below it".to_owned()
    } else {
        format!("no rule makes {} a match here", row.kind.name())
    }
}

/// The keys of a value.
#[derive(Default)]
struct WantedKeys(HashMap<String, bool>);

impl WantedKeys {
    fn of(values: &[TypedValue]) -> Self {
        let mut keys = Self::default();
        for value in values {
            value.read(Rules::built_in(), &mut keys);
        }
        keys
    }
}

impl Observer for WantedKeys {
    fn key(&mut self, key: &Key<'_>) {
        self.0.insert(key.text.to_owned(), key.above);
    }

    fn end(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::read_value;

    /// The findings for records with these values that concern the value.
    fn explained(value: &str, records: &[(&str, &str)]) -> Vec<String> {
        let filter = Filter {
            min_confidence: 50,
            allow_private: true,
            ..Filter::default()
        };
        let ioc = read_value(value).unwrap();
        let lists = WarningLists::built_in();
        let mut explainer = Explainer::new(value, &ioc, filter, lists, SharedHosts::built_in());
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
            Verdict::Matches {
                key,
                matched,
                strength,
                warning,
            } => match warning.as_str() {
                "" => format!("{key} {}", matched.name),
                _ => format!("{key} {} {}: {warning}", matched.name, strength.name()),
            },
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
            ("url", "http://10.1.2.4:81/x"),
            ("ip:port", "10.1.2.5:81"),
            ("ip:port", "1.1.1.1:53"),
        ];
        for (value, expected) in [
            ("203.0.113.7:443", &["203.0.113.7 ip:port"][..]),
            ("203.0.113.7:80", &["203.0.113.7 ip"]),
            ("a.evil.example", &["evil.example subdomain"]),
            ("http://evil.example/y", &["evil.example domain"]),
            // Addresses that are never an indicator may be in a feed that private ones were allowed in.
            (
                "http://10.1.2.4:81/other",
                &["10.1.2.4 is never an indicator (private)"],
            ),
            ("http://10.1.2.4:81/x", &["url:http://10.1.2.4:81/x url"]),
            ("10.1.2.5:81", &["10.1.2.5 is never an indicator (private)"]),
            (
                "1.1.1.1:53",
                &["1.1.1.1 ip:port weak: well-known-resolvers"],
            ),
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
