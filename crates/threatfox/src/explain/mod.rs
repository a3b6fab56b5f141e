//! Why a value is or is not in a feed: every record that concerns it, and whether the feed has it.

mod asked;
mod finding;
#[cfg(test)]
mod tests;

pub use finding::{Finding, Verdict};

use asked::Asked;

use crate::error::Error;
use crate::feed::FeedRow;
use crate::ioc::Ioc;
use crate::lookup::{Index, Matcher, TypedValue, Wanted, why_never};
use crate::match_key::{KeyMaker, Kind};
use crate::normalize::{Filter, Held, Networks};
use crate::record::{Column, RawRecord, Record};
use crate::reject::Reject;
use crate::rules::Rules;
use crate::shared_hosts::SharedHosts;
use crate::source::Sink;
use crate::url::UrlHost;
use crate::value::{read_value, refang};
use crate::warning::{Warner, WarningLists};

/// Takes records and remembers those that concern one value.
pub struct Explainer {
    /// The value, as the judge takes it.
    values: Vec<TypedValue>,
    asked: Asked,
    filter: Filter,
    networks: Networks,
    /// The networks that concern the value, with the number of their findings: which do not fit is known later.
    held: Vec<(Held, usize)>,
    lists: WarningLists,
    keys: KeyMaker,
    input: String,
    read: u64,
    findings: Vec<Finding>,
}

impl Explainer {
    /// Explains a value, by its meanings, by what a feed with this filter, these warning lists and these shared hosts would hold.
    #[must_use]
    pub fn new(
        text: &str,
        meanings: &[Ioc<'_>],
        filter: Filter,
        lists: WarningLists,
        shared: SharedHosts,
    ) -> Self {
        let values: Vec<_> = meanings.iter().flat_map(TypedValue::all_of).collect();
        Self {
            asked: Asked::new(text, &values),
            values,
            filter,
            networks: Networks::default(),
            held: Vec::new(),
            lists,
            keys: KeyMaker::new(shared),
            input: String::new(),
            read: 0,
            findings: Vec::new(),
        }
    }

    /// Names the input whose records come now.
    pub fn begin(&mut self, input: &str) {
        input.clone_into(&mut self.input);
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
            && self.asked.has_key(host.as_str())
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

    /// Every network counts for the bound of all, whether or not it concerns the value. Which do not fit is known only when others
    /// come: then their findings change.
    fn hold(&mut self, record: &Record<'_>, raw: &RawRecord<'_>, concerns: bool) {
        let network = match &record.ioc {
            Ioc::Network(network, _) if Networks::holds(*network) => *network,
            _ => return,
        };
        if self.filter.check(record).is_some() {
            return;
        }
        let held = self.networks.held(network, raw);
        if concerns {
            let finding = self.findings.len() - 1;
            self.held.push((held.clone(), finding));
        }
        for (over, _) in self.networks.hold(held) {
            for (_, finding) in self.held.iter().filter(|(held, _)| *held == over) {
                self.findings[*finding].verdict = Verdict::Dropped(Networks::too_many());
            }
        }
    }

    /// What the one judge says of the value where the record alone is the feed; `None` where no key is the value's.
    fn judge(&mut self, record: &Record<'_>) -> Result<Option<Verdict>, Error> {
        let mut concerned = None;
        let asked = &self.asked;
        self.keys.each(&record.ioc, &mut |key| {
            if concerned.is_none() && asked.has_key(key.text) {
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
            None => Verdict::NoMatch(why_not(rules, &index, &concerned, &self.asked)),
        }))
    }

    /// Remembers a record that cannot be in the feed, where it concerns the value.
    fn left_out(&mut self, raw: &RawRecord<'_>, reject: &Reject) {
        if self.asked.is_named_in(raw.get(Column::Ioc), &mut self.keys) {
            self.found(raw, Verdict::Dropped(reject.clone()));
        }
    }

    fn found(&mut self, raw: &RawRecord<'_>, verdict: Verdict) {
        let mut first = String::new();
        if let Ok(ioc) = read_value(&refang(raw.get(Column::Ioc))) {
            self.keys.each(&ioc, &mut |key| {
                if first.is_empty() {
                    key.text.clone_into(&mut first);
                }
            });
        }
        let finding = Finding::new(&self.input, raw, &first, verdict);
        self.findings.push(finding);
    }
}

impl Sink for Explainer {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        self.read += 1;
        match Record::parse(raw) {
            Ok(record) => {
                let verdict = self.verdict(&record)?;
                let concerns = verdict.is_some();
                if let Some(verdict) = verdict {
                    self.found(raw, verdict);
                }
                self.hold(&record, raw, concerns);
            }
            Err(reject) => self.left_out(raw, &reject),
        }
        Ok(())
    }

    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.read += 1;
        self.left_out(raw, reject);
        Ok(())
    }
}

/// Why a key of the value is in the feed, and yet not a match.
fn why_not(rules: &Rules, index: &Index, key: &str, asked: &Asked) -> String {
    let Some(row) = index.get(key) else {
        return String::new();
    };
    let above = asked.is_above(key);
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
