//! JSON whose records are flat objects: in a list, by their ids, or as the data of an answer. Read as a stream.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::form::{Form, Problem};
use super::json_text::JsonText;
use super::json_value::{IfObject, Members, Text, for_scalars};
use super::row::Row;
use super::table::Take;
use super::{MAX_FIELD, Report, Sink};
use crate::error::{Error, Place};
use crate::record::RawRecord;

/// The most fields of a record that are kept.
const MAX_FIELDS: usize = 64;

/// The fields of an object that are no objects themselves. Used again for the next.
#[derive(Debug, Default)]
pub(super) struct Fields {
    names: Vec<String>,
    texts: Vec<String>,
    /// Fields that are objects after all, or lists of them, and the member that is read of each.
    objects: &'static [(&'static str, &'static str)],
    /// Why they cannot be used.
    pub problem: Option<Problem>,
}

impl Fields {
    /// Reads these objects too, each as the text of its member, or of theirs with commas between.
    pub fn with(objects: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            objects,
            ..Self::default()
        }
    }

    fn clear(&mut self) {
        self.names.clear();
        self.texts.clear();
        self.problem = None;
    }

    /// Forgets all but these fields.
    pub fn keep(&mut self, wanted: &[&str]) {
        let (names, texts) = (
            std::mem::take(&mut self.names),
            std::mem::take(&mut self.texts),
        );
        let all = names.into_iter().zip(texts);
        let kept = all.filter(|(name, text)| wanted.contains(&name.as_str()) && !text.is_empty());
        (self.names, self.texts) = kept.unzip();
    }

    /// Lends the fields as a row.
    pub fn with_row<T>(&self, take: impl FnOnce(&Row<'_>) -> T) -> T {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        take(&Row {
            names: &self.names,
            texts: &texts,
        })
    }
}

impl<'de> DeserializeSeed<'de> for &mut Fields {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !IfObject(&mut *self).deserialize(deserializer)? {
            self.problem = Some(Problem::not_an_object());
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for &mut Fields {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record (an object)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if self.names.len() >= MAX_FIELDS || name.len() > 256 {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let mut text = String::new();
            let object = self.objects.iter().find(|(object, _)| *object == name);
            match object {
                Some((_, member)) => map.next_value_seed(Members {
                    member,
                    all: true,
                    into: &mut text,
                })?,
                None => map.next_value_seed(Text(&mut text))?,
            }
            if text.len() > MAX_FIELD {
                text = String::new();
                self.problem = Some(Problem::too_large("a field"));
            }
            self.names.push(name);
            self.texts.push(text);
        }
        Ok(())
    }
}

/// Reads all records.
pub(super) fn read(
    name: &str,
    format: &'static str,
    content: &mut dyn BufRead,
    take: Take<'_>,
    sink: &mut dyn Sink,
) -> Result<Report, Error> {
    let mut walk = Walk {
        fields: Fields::default(),
        take,
        sink,
        records: 0,
        failure: None,
        status: String::new(),
        form: Form::default(),
    };
    let bound = JsonText::new(content);
    let reader = BufReader::with_capacity(64 * 1024, bound);
    let mut json = serde_json::Deserializer::from_reader(reader);
    let result = Rows(&mut walk, Level::Top)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    if let Some(failure) = walk.failure {
        return Err(failure);
    }
    result.map_err(|error| json_error(name, walk.records, error))?;
    walk.form.check(name, walk.records)?;
    if walk.records == 0 {
        let said = match walk.status.as_str() {
            "" | "ok" => String::new(),
            status => format!(" (query_status {})", crate::text::clean(status)),
        };
        return Err(Error::NoIndicators {
            name: name.to_owned(),
            problem: format!("it holds no records{said}"),
        });
    }
    Ok(Report {
        name: name.to_owned(),
        format,
        records: walk.records,
        unknown_columns: BTreeSet::new(),
        longer_records: 0,
        unread_values: 0,
    })
}

/// The error of a JSON parser after so many records.
pub(super) fn json_error(name: &str, records: u64, error: serde_json::Error) -> Error {
    let name = name.to_owned();
    if error.is_io() {
        return Error::Unreadable {
            name,
            source: error.into(),
        };
    }
    if error.is_eof() {
        return Error::Incomplete {
            name,
            problem: format!("the JSON ends in the middle, after {records} records"),
        };
    }
    Error::Broken {
        name,
        place: Place::Record(records + 1),
        problem: error.to_string(),
    }
}

struct Walk<'a> {
    fields: Fields,
    take: Take<'a>,
    sink: &'a mut dyn Sink,
    records: u64,
    /// Why the sink stopped the run.
    failure: Option<Error>,
    status: String,
    form: Form,
}

impl Walk<'_> {
    /// Takes the record that is in the fields.
    fn record<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.records += 1;
        let taken = match &self.fields.problem {
            Some(problem) => {
                let reject = self.form.reject_record(self.records, problem);
                self.sink.unreadable(&RawRecord::default(), &reject)
            }
            None => self.fields.with_row(|row| (self.take)(row, self.sink)),
        };
        taken.map_err(|failure| {
            self.failure = Some(failure);
            E::custom("stopped")
        })
    }
}

/// Where a value stands that has rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The whole document.
    Top,
    /// A member of it.
    Member,
    /// The member that has the number of a record as its name.
    Number,
}

/// The rows in a value: lists of objects, of which the outermost object's members may be some.
struct Rows<'w, 'a>(&'w mut Walk<'a>, Level);

impl Rows<'_, '_> {
    /// Counts what has no rows, where a record should be.
    fn no_rows<E: serde::de::Error>(self) -> Result<(), E> {
        if self.1 != Level::Number {
            return Ok(());
        }
        self.0.fields.problem = Some(Problem::not_an_object());
        self.0.record()
    }
}

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records, or an object of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            self.0.fields.clear();
            if seq.next_element_seed(&mut self.0.fields)?.is_none() {
                return Ok(());
            }
            self.0.record()?;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == "query_status" {
                self.0.status.clear();
                map.next_value_seed(Text(&mut self.0.status))?;
            } else if self.1 != Level::Top {
                map.next_value::<IgnoredAny>()?;
            } else if name.bytes().all(|b| b.is_ascii_digit()) {
                map.next_value_seed(Rows(self.0, Level::Number))?;
            } else {
                map.next_value_seed(Rows(self.0, Level::Member))?;
            }
        }
        Ok(())
    }

    for_scalars!(visitor, _text => visitor.no_rows());
}
