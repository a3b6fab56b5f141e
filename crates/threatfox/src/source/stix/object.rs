//! One object of STIX: the members that are read of any.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use std::fmt;

use crate::record::{Moment, parse_moment};
use crate::source::form::Problem;
use crate::source::json_value::{IfObject, Members, Text};

/// Its texts, whatever types they were written in; empty where it has none.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub kind: String,
    pub id: String,
    pub name: String,
    pub pattern: String,
    pub pattern_type: String,
    pub valid_from: String,
    pub valid_until: String,
    pub created: String,
    modified: String,
    pub confidence: String,
    revoked: String,
    pub indicator_types: String,
    pub labels: String,
    pub relationship_type: String,
    pub source_ref: String,
    pub target_ref: String,
    /// The first address of its references.
    pub page: String,
    /// Why it is not one.
    pub problem: Option<Problem>,
}

/// Which of the versions of an object it is. A later one is greater; of two of the same time, the one that takes it back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    modified: Option<Moment>,
    pub revoked: bool,
}

impl Object {
    /// Reads the value of a member.
    pub fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let text = match name {
            "type" => &mut self.kind,
            "id" => &mut self.id,
            "name" => &mut self.name,
            "pattern" => &mut self.pattern,
            "pattern_type" => &mut self.pattern_type,
            "valid_from" => &mut self.valid_from,
            "valid_until" => &mut self.valid_until,
            "created" => &mut self.created,
            "modified" => &mut self.modified,
            "confidence" => &mut self.confidence,
            "revoked" => &mut self.revoked,
            "indicator_types" => &mut self.indicator_types,
            "labels" => &mut self.labels,
            "relationship_type" => &mut self.relationship_type,
            "source_ref" => &mut self.source_ref,
            "target_ref" => &mut self.target_ref,
            "external_references" => {
                return map.next_value_seed(Members {
                    member: "url",
                    all: false,
                    into: &mut self.page,
                });
            }
            _ => return map.next_value::<IgnoredAny>().map(|_| ()),
        };
        text.clear();
        map.next_value_seed(Text(text))
    }

    pub fn version(&self) -> Version {
        let times = [&self.modified, &self.created];
        let time = times.into_iter().find(|time| !time.is_empty());
        Version {
            modified: time.and_then(|time| parse_moment(time)),
            revoked: self.revoked == "true",
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Object {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !IfObject(&mut *self).deserialize(deserializer)? {
            self.problem = Some(Problem::not_an_object());
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for &mut Object {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of STIX")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            self.member(&name, &mut map)?;
        }
        Ok(())
    }
}
