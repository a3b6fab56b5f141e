//! A bundle: its objects come in any order, so the indicators wait for its end.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::{BufRead, BufReader};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::meaning::{Found, found_in};
use super::pattern::{MAX_PATTERN, NotAPattern, Pattern, parse};
use crate::error::Error;
use crate::ioc::IocType;
use crate::record::{Column, RawRecord};
use crate::reject::{Reason, Reject};
use crate::source::custom::typed;
use crate::source::json_rows::json_error;
use crate::source::json_text::TextBound;
use crate::source::json_value::{FirstUrl, Lax};
use crate::source::row::{hand, record};
use crate::source::{MAX_FIELD, Report, Sink};

pub(super) fn read(
    name: &str,
    content: &mut dyn BufRead,
    sink: &mut dyn Sink,
) -> Result<Report, Error> {
    let mut bundle = Bundle {
        sink,
        known: Known::default(),
        failure: None,
    };
    let reader = BufReader::with_capacity(64 * 1024, TextBound::new(content));
    let mut json = serde_json::Deserializer::from_reader(reader);
    let result = (&mut bundle)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    if let Some(failure) = bundle.failure {
        return Err(failure);
    }
    let Bundle { sink, known, .. } = bundle;
    result.map_err(|error| json_error(name, known.objects, error))?;
    if known.indicators.is_empty() {
        return Err(Error::Incomplete {
            name: name.to_owned(),
            problem: format!("none of its {} objects is an indicator", known.objects),
        });
    }
    for indicator in &known.indicators {
        take(indicator, known.record_of(indicator), sink)?;
    }
    Ok(Report {
        name: name.to_owned(),
        format: "stix_bundle",
        records: 0,
        unknown_columns: BTreeSet::new(),
        longer_records: 0,
        unread_values: 0,
    })
}

/// The fields that are read of any object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    r#type: Lax,
    id: Lax,
    name: Lax,
    pattern: Lax,
    pattern_type: Lax,
    valid_from: Lax,
    created: Lax,
    confidence: Lax,
    revoked: Lax,
    indicator_types: Lax,
    labels: Lax,
    relationship_type: Lax,
    source_ref: Lax,
    target_ref: Lax,
    external_references: FirstUrl,
}

/// Something that an indicator may indicate.
struct Named {
    name: String,
    page: String,
}

struct Bundle<'a> {
    sink: &'a mut dyn Sink,
    known: Known,
    /// Why the sink stopped the run.
    failure: Option<Error>,
}

/// The state while a bundle is read.
#[derive(Default)]
struct Known {
    objects: u64,
    /// The number of those that wait for the end.
    waiting: u64,
    indicators: Vec<Object>,
    /// Malware, campaigns and the like, by their ids.
    named: HashMap<String, Named>,
    /// The ids of what each indicator indicates, malware first.
    indicates: HashMap<String, Vec<String>>,
    /// The report's.
    page: String,
}

impl Known {
    /// Takes an object, and says how many wait now for the end.
    fn take(&mut self, object: Object) -> u64 {
        self.objects += 1;
        match object.r#type.0.as_str() {
            "indicator" => self.indicators.push(object),
            "malware" | "tool" | "campaign" | "intrusion-set" | "threat-actor" => {
                let named = Named {
                    name: object.name.0,
                    page: object.external_references.0,
                };
                self.named.insert(object.id.0, named);
            }
            "relationship" if object.relationship_type.0 == "indicates" => {
                let indicated = self.indicates.entry(object.source_ref.0).or_default();
                indicated.push(object.target_ref.0);
            }
            "report" if self.page.is_empty() => self.page = object.external_references.0,
            _ => return self.waiting,
        }
        self.waiting += 1;
        self.waiting
    }

    /// The bundle's facts about an indicator, besides its pattern.
    fn record_of<'o>(&'o self, indicator: &'o Object) -> RawRecord<'o> {
        let indicated = self.indicates.get(&indicator.id.0);
        let mut indicated: Vec<&String> = indicated.into_iter().flatten().collect();
        indicated.sort_by_key(|id| !id.starts_with("malware--"));
        let named = indicated.iter().find_map(|id| self.named.get(*id));
        let named_page = named.map_or("", |named| &named.page);
        let pages = [&indicator.external_references.0, named_page, &self.page];
        let page = pages.into_iter().find(|page| !page.is_empty());
        let types = [&indicator.indicator_types.0, &indicator.labels.0];
        let types = types.into_iter().find(|types| !types.is_empty());
        let times = [&indicator.valid_from.0, &indicator.created.0];
        let time = times.into_iter().find(|time| !time.is_empty());
        record(&[
            (Column::Id, &indicator.id.0),
            (Column::Ioc, &indicator.name.0),
            (Column::IocType, "pattern"),
            (
                Column::MalwarePrintable,
                named.map_or(&*indicator.name.0, |named| &*named.name),
            ),
            (Column::ThreatType, types.map_or("", |types| types)),
            (Column::Confidence, &indicator.confidence.0),
            (Column::FirstSeen, time.map_or("", |time| time)),
            (Column::Link, page.map_or("", |page| page)),
        ])
    }
}

/// Hands over all that an indicator with this record lets one look for.
fn take(indicator: &Object, raw: RawRecord<'_>, sink: &mut dyn Sink) -> Result<(), Error> {
    let found = match conditions(indicator) {
        Ok(found) => found,
        Err(reject) => return hand(&raw, Some(reject), sink),
    };
    for found in found {
        match found {
            Found::Not(reject) => sink.unreadable(&raw, &reject)?,
            Found::Indicator {
                ioc_type,
                value,
                port,
            } => {
                let mut raw: RawRecord<'_> = raw;
                raw.set(Column::IocType, "");
                raw.set(Column::Port, &port);
                typed(&value, ioc_type.map_or("", IocType::name), raw, sink)?;
            }
        }
    }
    Ok(())
}

/// The values to look for by the pattern of an indicator, or the reason why there are none.
fn conditions(indicator: &Object) -> Result<Vec<Found>, Reject> {
    let pattern = &indicator.pattern.0;
    if indicator.revoked.0 == "true" {
        return Err(Reason::NotForDetection.because("revoked"));
    }
    if pattern.len() > MAX_PATTERN.min(MAX_FIELD) {
        return Err(Reason::TooLarge.because("a pattern is larger than the bound of 64 KiB"));
    }
    let language = indicator.pattern_type.0.as_str();
    if !matches!(language, "" | "stix") {
        let language: String = crate::text::clean(language).chars().take(40).collect();
        return Err(Reason::Pattern.because(format!("a pattern of {language}")));
    }
    match parse(pattern) {
        Ok(Pattern::Observations(conditions)) => Ok(conditions.iter().flat_map(found_in).collect()),
        Ok(Pattern::Several(why)) => Err(Reason::Pattern.because(why)),
        Err(NotAPattern(problem)) => Err(Reason::Pattern.because(problem)),
    }
}

impl<'de> DeserializeSeed<'de> for &mut Bundle<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Bundle<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a STIX bundle")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == "objects" {
                map.next_value_seed(Objects(self))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Objects<'w, 'a>(&'w mut Bundle<'a>);

impl<'de> DeserializeSeed<'de> for Objects<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(object) = seq.next_element::<Object>()? {
            let waiting = self.0.known.take(object);
            if let Err(failure) = self.0.sink.expect(waiting) {
                self.0.failure = Some(failure);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
