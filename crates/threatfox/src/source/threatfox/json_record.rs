//! One record of JSON, read field by field into buffers that the next record uses again.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::columns::{ColumnName, column_of};
use crate::record::{Column, RawRecord};
use crate::source::MAX_FIELD;
use crate::source::form::Problem;
use crate::source::json_value::{IfObject, Text};
use crate::text::clean;

/// The buffers of a record.
#[derive(Default)]
pub(super) struct JsonRecord {
    texts: [String; Column::COUNT],
    /// Why it cannot be used. A field that is too large is empty then.
    pub(super) problem: Option<Problem>,
    /// Names of fields that this version does not know.
    pub(super) unknown: BTreeSet<String>,
}

impl JsonRecord {
    /// Empties the record; `id` is the id where it stands outside the record.
    pub(super) fn begin(&mut self, id: &str) {
        self.texts.iter_mut().for_each(String::clear);
        self.problem = None;
        self.texts[Column::Id as usize].push_str(id);
    }

    /// The record as text.
    pub(super) fn as_raw(&self) -> RawRecord<'_> {
        let mut raw = RawRecord::default();
        for column in Column::ALL {
            raw.set(column, &self.texts[column as usize]);
        }
        raw
    }
}

impl<'de> DeserializeSeed<'de> for &mut JsonRecord {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !IfObject(&mut *self).deserialize(deserializer)? {
            self.problem = Some(Problem::not_an_object());
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for &mut JsonRecord {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record (an object with ioc, ioc_type and so on)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name(&mut self.unknown))? {
            match name {
                Some(column) => {
                    let text = &mut self.texts[column as usize];
                    // The last one counts where a name stands twice.
                    text.clear();
                    map.next_value_seed(Text(text))?;
                    if text.len() > MAX_FIELD {
                        text.clear();
                        let field = format!("the field {}", column.name());
                        self.problem = Some(Problem::too_large(&field));
                    }
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The name of a field, noted where it is unknown.
struct Name<'a>(&'a mut BTreeSet<String>);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<Column>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<Column>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(match column_of(name) {
            ColumnName::Used(column) => Some(column),
            ColumnName::Unused => None,
            ColumnName::Unknown(name) => {
                // Bounded: a hostile file must not fill the memory with names.
                if self.0.len() < 100 {
                    self.0.insert(clean(name).chars().take(64).collect());
                }
                None
            }
        })
    }
}
