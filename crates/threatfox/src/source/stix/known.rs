//! What is known of a bundle: its objects come in any order and in several versions, so all is decided at its end.

use std::collections::HashMap;

use super::object::{Object, Version};
use crate::record::{Column, RawRecord, parse_moment};
use crate::reject::{Reason, Reject};
use crate::source::row::{first_time, record};
use crate::text::clean;

/// The objects of a bundle that matter.
pub(super) struct Known {
    /// Seconds since 1970: what is valid until then is not valid any more.
    now: i64,
    pub objects: u64,
    pub indicators: Vec<Indicator>,
    /// Malware, campaigns and the like.
    named: Vec<Named>,
    /// What indicates what.
    relations: Vec<Relation>,
    /// The newest version of each of these, by its id.
    newest: HashMap<Box<str>, Version>,
    /// The report's.
    page: String,
}

/// An indicator, as short as it can wait.
pub(super) struct Indicator {
    id: Box<str>,
    name: Box<str>,
    pub pattern: Box<str>,
    pub language: Box<str>,
    types: Box<str>,
    confidence: Box<str>,
    first_seen: Box<str>,
    page: Box<str>,
    version: Version,
    /// Why it is none, by its own words.
    withdrawn: Option<Reject>,
}

/// Something that an indicator may indicate.
struct Named {
    id: Box<str>,
    name: Box<str>,
    page: Box<str>,
    version: Version,
}

struct Relation {
    id: Box<str>,
    from: Box<str>,
    to: Box<str>,
    version: Version,
}

/// What the indicators of a bundle indicate.
pub(super) struct Links<'k> {
    known: &'k Known,
    named: HashMap<&'k str, &'k Named>,
    /// The ids of what each indicator indicates, malware first.
    targets: HashMap<&'k str, Vec<&'k str>>,
}

impl Known {
    /// Begins with nothing, at this time.
    pub fn at(now: i64) -> Self {
        Self {
            now,
            objects: 0,
            indicators: Vec::new(),
            named: Vec::new(),
            relations: Vec::new(),
            newest: HashMap::new(),
            page: String::new(),
        }
    }

    /// Takes an object, and says how many wait now for the end.
    pub fn take(&mut self, object: Object) -> u64 {
        self.objects += 1;
        let version = object.version();
        let id: Box<str> = object.id.as_str().into();
        match object.kind.as_str() {
            "indicator" => self
                .indicators
                .push(Indicator::of(object, version, self.now)),
            "malware" | "tool" | "campaign" | "intrusion-set" | "threat-actor" => {
                self.named.push(Named {
                    id: id.clone(),
                    name: object.name.into(),
                    page: object.page.into(),
                    version,
                });
            }
            "relationship" if object.relationship_type == "indicates" => {
                self.relations.push(Relation {
                    id: id.clone(),
                    from: object.source_ref.into(),
                    to: object.target_ref.into(),
                    version,
                });
            }
            "report" if self.page.is_empty() => {
                self.page = object.page;
                return self.waiting();
            }
            _ => return self.waiting(),
        }
        if !id.is_empty() {
            let newest = self.newest.entry(id).or_default();
            *newest = version.max(*newest);
        }
        self.waiting()
    }

    fn waiting(&self) -> u64 {
        (self.indicators.len() + self.named.len() + self.relations.len()) as u64
    }

    /// Whether no newer version of an object is there.
    fn is_newest(&self, id: &str, version: Version) -> bool {
        self.newest.get(id).is_none_or(|newest| *newest == version)
    }

    /// What indicates what, by the newest versions that are not revoked.
    pub fn links(&self) -> Links<'_> {
        let holds = |id, version: Version| !version.revoked && self.is_newest(id, version);
        let named = self.named.iter().filter(|one| holds(&one.id, one.version));
        let mut targets: HashMap<&str, Vec<&str>> = HashMap::new();
        for relation in &self.relations {
            if holds(&relation.id, relation.version) {
                targets
                    .entry(&relation.from)
                    .or_default()
                    .push(&relation.to);
            }
        }
        for ids in targets.values_mut() {
            ids.sort_by_key(|id| !id.starts_with("malware--"));
        }
        Links {
            known: self,
            named: named.map(|named| (&*named.id, named)).collect(),
            targets,
        }
    }

    /// Why an indicator is not to be looked for, whatever its pattern is.
    pub fn left_out(&self, indicator: &Indicator) -> Option<Reject> {
        if self.is_newest(&indicator.id, indicator.version) {
            return indicator.withdrawn.clone();
        }
        Some(Reason::Superseded.into())
    }
}

impl Indicator {
    fn of(object: Object, version: Version, now: i64) -> Self {
        let withdrawn = withdrawn(&object, version, now);
        let first = |texts: [String; 2]| {
            let given = texts.into_iter().find(|text| !text.is_empty());
            given.unwrap_or_default().into_boxed_str()
        };
        Self {
            id: object.id.into(),
            name: object.name.into(),
            pattern: object.pattern.into(),
            language: object.pattern_type.into(),
            types: first([object.indicator_types, object.labels]),
            confidence: object.confidence.into(),
            first_seen: first_time([&*object.valid_from, &*object.created]).into(),
            page: object.page.into(),
            version,
            withdrawn,
        }
    }
}

/// Why an indicator is none by its own words: it is taken back, it speaks of something harmless, or its time is over.
fn withdrawn(object: &Object, version: Version, now: i64) -> Option<Reject> {
    if version.revoked {
        return Some(Reason::NotForDetection.because("revoked"));
    }
    let types = [&object.indicator_types, &object.labels];
    let types = types.into_iter().find(|types| !types.is_empty());
    let mut types = types.into_iter().flat_map(|types| types.split(','));
    if types.any(|name| name.trim().eq_ignore_ascii_case("benign")) {
        return Some(Reason::NotForDetection.because("benign"));
    }
    if object.valid_until.is_empty() {
        return None;
    }
    // Who means "for ever" writes the year 9999, which no record's own date may have.
    match parse_moment(&object.valid_until) {
        Some((end, _)) if end > now => None,
        Some(_) => {
            let end = clean(&object.valid_until);
            Some(Reason::NotForDetection.because(format!("valid until {end}")))
        }
        None => Some(Reason::BadDate.because("valid_until is not a time")),
    }
}

impl Links<'_> {
    /// The bundle's facts about an indicator, with its pattern in place of what it asks for.
    pub fn record_of<'o>(&'o self, indicator: &'o Indicator) -> RawRecord<'o> {
        let targets = self.targets.get(&*indicator.id);
        let mut targets = targets.into_iter().flatten();
        let named = targets.find_map(|id| self.named.get(id));
        let named_page = named.map_or("", |named| &named.page);
        let pages = [&*indicator.page, named_page, &self.known.page];
        let page = pages.into_iter().find(|page| !page.is_empty());
        let shown = [&*indicator.pattern, &*indicator.name];
        let shown = shown.into_iter().find(|text| !text.is_empty());
        record(&[
            (Column::Id, &indicator.id),
            (Column::Ioc, shown.unwrap_or_default()),
            (Column::IocType, "pattern"),
            (
                Column::MalwarePrintable,
                named.map_or(&indicator.name, |named| &named.name),
            ),
            (Column::ThreatType, &indicator.types),
            (Column::Confidence, &indicator.confidence),
            (Column::FirstSeen, &indicator.first_seen),
            (Column::Link, page.unwrap_or_default()),
        ])
    }
}
