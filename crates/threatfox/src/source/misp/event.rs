//! An event: its attributes come before what is said of all of them, so those for detection wait for its end.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{attribute, attribute_of, for_detection};
use crate::error::{Error, Place};
use crate::record::{Column, RawRecord};
use crate::reject::Reason;
use crate::source::form::Form;
use crate::source::json_rows::{Fields, json_error};
use crate::source::json_text::TextBound;
use crate::source::json_value::{Members, Text};
use crate::source::{Report, Sink};

pub(super) fn read(
    name: &str,
    content: &mut dyn BufRead,
    sink: &mut dyn Sink,
) -> Result<Report, Error> {
    let mut walk = Walk {
        sink,
        event: Event::default(),
        records: 0,
        events: 0,
        failure: None,
        form: Form::default(),
    };
    let reader = BufReader::with_capacity(64 * 1024, TextBound::new(content));
    let mut json = serde_json::Deserializer::from_reader(reader);
    let result = Events(&mut walk)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    if let Some(failure) = walk.failure {
        return Err(failure);
    }
    result.map_err(|error| json_error(name, walk.records, error))?;
    walk.form.check(name, walk.records)?;
    if walk.records == 0 {
        let problem = match walk.events {
            0 => "it holds no event",
            _ => "its events have no attributes",
        };
        return Err(Error::Incomplete {
            name: name.to_owned(),
            problem: problem.to_owned(),
        });
    }
    Ok(Report {
        name: name.to_owned(),
        format: "misp_event",
        records: walk.records,
        unknown_columns: BTreeSet::new(),
        longer_records: 0,
        unread_values: 0,
    })
}

struct Walk<'a> {
    sink: &'a mut dyn Sink,
    event: Event,
    records: u64,
    events: u64,
    /// Why the sink stopped the run.
    failure: Option<Error>,
    form: Form,
}

/// The facts about an event, and its attributes for detection.
#[derive(Default)]
struct Event {
    info: String,
    org: String,
    tags: String,
    /// The first page that the event refers to.
    page: String,
    waiting: Vec<Fields>,
}

impl Event {
    /// The families that its tags name, as galaxies and taxonomies write them (`misp-galaxy:malpedia="Emotet"`), else what it
    /// is about.
    fn malware(&self) -> String {
        let galaxies = [
            "malpedia",
            "ransomware",
            "rat",
            "tool",
            "stealer",
            "banker",
            "botnet",
            "mitre-malware",
            "backdoor",
        ];
        let names: Vec<&str> = self
            .tags
            .split(',')
            .filter_map(|tag| {
                let (galaxy, name) = tag.trim().strip_prefix("misp-galaxy:")?.split_once('=')?;
                galaxies.contains(&galaxy).then(|| name.trim_matches('"'))
            })
            .collect();
        if names.is_empty() {
            self.info.chars().take(200).collect()
        } else {
            names.join(", ")
        }
    }
}

impl Walk<'_> {
    /// Takes an attribute: one that is not for detection is counted at once.
    fn attribute(&mut self, fields: &Fields) -> Result<bool, Error> {
        self.records += 1;
        if fields.too_large {
            let problem = "a field is larger than the bound of 64 KiB";
            let place = Place::Record(self.records);
            let reject = self.form.reject(Reason::TooLarge, place, problem);
            self.sink.unreadable(&RawRecord::default(), &reject)?;
            return Ok(false);
        }
        fields.with_row(|row| {
            if row.get(&["type"]) == "link" && self.event.page.is_empty() {
                row.get(&["value"]).clone_into(&mut self.event.page);
            }
            // An event says of each attribute whether it is for detection.
            if row.get(&["to_ids"]).is_empty() || !for_detection(row) {
                let mut raw = attribute(row);
                raw.set(Column::Ioc, row.get(&["value"]));
                raw.set(Column::IocType, row.get(&["type"]));
                self.sink
                    .unreadable(&raw, &Reason::NotForDetection.into())?;
                return Ok(false);
            }
            self.sink.expect(self.event.waiting.len() as u64 + 1)?;
            Ok(true)
        })
    }

    /// Hands over what has waited for the end of the event.
    fn finish(&mut self) -> Result<(), Error> {
        self.events += 1;
        let event = std::mem::take(&mut self.event);
        let malware = event.malware();
        for fields in &event.waiting {
            fields.with_row(|row| {
                let mut raw = attribute(row);
                raw.set(Column::MalwarePrintable, &malware);
                raw.set(Column::Reporter, &event.org);
                raw.set(Column::Tags, &event.tags);
                raw.set(Column::Link, &event.page);
                attribute_of(row, raw, self.sink)
            })?;
        }
        Ok(())
    }

    fn or_stop<T, E: serde::de::Error>(&mut self, result: Result<T, Error>) -> Result<T, E> {
        result.map_err(|failure| {
            self.failure = Some(failure);
            E::custom("stopped")
        })
    }
}

/// One event, a list of them, or the answer of a search.
struct Events<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for Events<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Events<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a MISP event, or a list of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Events(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "Event" => map.next_value_seed(OneEvent(self.0))?,
                "response" => map.next_value_seed(Events(self.0))?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }
}

struct OneEvent<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for OneEvent<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneEvent<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a MISP event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let walk = self.0;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "info" => {
                    walk.event.info.clear();
                    map.next_value_seed(Text(&mut walk.event.info))?;
                }
                "Orgc" => map.next_value_seed(names(&mut walk.event.org))?,
                "Tag" => map.next_value_seed(names(&mut walk.event.tags))?,
                "Attribute" => map.next_value_seed(Attributes(walk))?,
                "Object" => map.next_value_seed(Objects(walk))?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        let finished = walk.finish();
        walk.or_stop(finished)
    }
}

/// The names of things, with commas between.
fn names(into: &mut String) -> Members<'_> {
    Members {
        member: "name",
        all: true,
        into,
    }
}

/// The attributes in a list.
struct Attributes<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for Attributes<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Attributes<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of attributes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let walk = self.0;
        loop {
            let mut fields = Fields::default();
            if seq.next_element_seed(&mut fields)?.is_none() {
                return Ok(());
            }
            let taken = walk.attribute(&fields);
            if walk.or_stop(taken)? {
                fields.keep(&[
                    "uuid",
                    "type",
                    "value",
                    "to_ids",
                    "timestamp",
                    "first_seen",
                    "last_seen",
                ]);
                walk.event.waiting.push(fields);
            }
        }
    }
}

/// The objects of an event, each with attributes.
struct Objects<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for Objects<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Objects(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == "Attribute" {
                map.next_value_seed(Attributes(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
