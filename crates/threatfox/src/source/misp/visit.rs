//! The shape of MISP's JSON: an event with its attributes and objects, wrapped or bare, alone or in a list; or the answer of a
//! search, whose attributes may stand without an event.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::event::Walk;
use super::is_set;
use crate::source::json_rows::Fields;
use crate::source::json_value::{Members, Text, pass_over_scalars};

/// The objects in an attribute, and what is read of each: a search says of an attribute what its event is about.
const NAMED: [(&str, &str); 2] = [("Tag", "name"), ("Event", "info")];

/// One event, a list of them, or the answer of a search.
pub(super) struct Events<'w, 'a>(pub &'w mut Walk<'a>);

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
        let walk = self.0;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "Event" | "response" => map.next_value_seed(Events(walk))?,
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

    pass_over_scalars!();
}

/// The names of things, with commas between.
fn names(into: &mut String) -> Members<'_> {
    Members {
        member: "name",
        all: true,
        into,
    }
}

/// The attributes in a list, or one alone.
struct Attributes<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for Attributes<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
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
            let mut fields = Fields::with(&NAMED);
            if seq.next_element_seed(&mut fields)?.is_none() {
                return Ok(());
            }
            let taken = walk.take(fields);
            walk.or_stop(taken)?;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let mut fields = Fields::with(&NAMED);
        (&mut fields).visit_map(map)?;
        let taken = self.0.take(fields);
        self.0.or_stop(taken)
    }

    pass_over_scalars!();
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
        let walk = self.0;
        let first = walk.event.waiting.len();
        let mut deleted = String::new();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "Attribute" => map.next_value_seed(Attributes(walk))?,
                "deleted" => map.next_value_seed(Text(&mut deleted))?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        if !is_set(&deleted) {
            return Ok(());
        }
        let taken_back = walk.take_back(first);
        walk.or_stop(taken_back)
    }

    pass_over_scalars!();
}
