//! The list as JSON, read as a stream: an entry stays as long as it takes to add it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Entry;
use crate::error::Error;
use crate::source::{pass_over_scalars, text_of};

/// Takes each entry.
pub(super) type Take<'a> = dyn FnMut(Entry<'_>) -> Result<(), Error> + 'a;

/// Walks through the list: entries by their number, in a list, or either of these in `data`. All of these forms exist or
/// are documented.
pub(super) struct Walk<'a> {
    pub take: &'a mut Take<'a>,
    /// The `query_status` or `error` of the answer.
    pub status: Option<String>,
    /// Why `take` stopped.
    pub failure: Option<Error>,
}

impl Walk<'_> {
    pub fn read<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let node = Node {
            walk: self,
            top: true,
        };
        node.deserialize(deserializer)
    }
}

/// Anything in the list.
struct Node<'a, 'w> {
    walk: &'a mut Walk<'w>,
    /// Whether it is the whole.
    top: bool,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The names that mean something.
enum Name {
    Value,
    Time,
    Platform,
    Notes,
    Status,
    Other,
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of false positives")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut value = None;
        let (mut time, mut platform, mut notes) = Default::default();
        while let Some(name) = map.next_key_seed(NameOf)? {
            match name {
                Name::Value => value = Some(text_of(&mut map)?),
                Name::Time => time = text_of(&mut map)?,
                Name::Platform => platform = text_of(&mut map)?,
                Name::Notes => notes = text_of(&mut map)?,
                Name::Status if self.top => self.walk.status = Some(text_of(&mut map)?),
                Name::Status | Name::Other => map.next_value_seed(Node {
                    walk: self.walk,
                    top: false,
                })?,
            }
        }
        let Some(value) = value else {
            return Ok(());
        };
        let entry = Entry {
            value: &value,
            time: &time,
            platform: &platform,
            notes: &notes,
        };
        (self.walk.take)(entry).map_err(|failure| {
            self.walk.failure = Some(failure);
            serde::de::Error::custom("stopped")
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq
            .next_element_seed(Node {
                walk: self.walk,
                top: false,
            })?
            .is_some()
        {}
        Ok(())
    }

    pass_over_scalars!();
}

struct NameOf;

impl<'de> DeserializeSeed<'de> for NameOf {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameOf {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(match name {
            "entry_value" => Name::Value,
            "time_stamp" => Name::Time,
            "platform" => Name::Platform,
            "removal_notes" => Name::Notes,
            "query_status" | "error" => Name::Status,
            _ => Name::Other,
        })
    }
}
