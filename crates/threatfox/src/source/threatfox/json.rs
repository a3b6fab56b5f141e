//! JSON: the export (records by id) and the answers of the API (`query_status` and `data`), read as a stream.
//!
//! Both are an object; its keys say which of the two it is. An answer that is not `ok` has a text in place of the data, or
//! nothing.

use std::fmt;
use std::io::{BufRead, BufReader};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::hand;
use super::json_record::JsonRecord;
use crate::error::{ApiError, Error};
use crate::source::form::{Form, Problem};
use crate::source::json_rows::json_error;
use crate::source::json_text::JsonText;
use crate::source::json_value::for_scalars;
use crate::source::{Report, Sink};

pub(super) fn read(
    name: &str,
    content: &mut dyn BufRead,
    sink: &mut dyn Sink,
) -> Result<Report, Error> {
    let mut top = Top {
        record: JsonRecord::default(),
        sink,
        records: 0,
        failure: None,
        status: None,
        error: None,
        message: String::new(),
        data: false,
        form: Form::default(),
    };
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(
        64 * 1024,
        JsonText::new(content),
    ));
    let result = (&mut top).deserialize(&mut json).and_then(|()| json.end());
    let Top {
        record,
        records,
        failure,
        status,
        error,
        message,
        data,
        form,
        ..
    } = top;
    if let Some(failure) = failure {
        return Err(failure);
    }
    result.map_err(|error| json_error(name, records, error))?;
    form.check(name, records)?;
    let api = |status: &str| Error::Api {
        name: name.to_owned(),
        source: ApiError::from_status(status, &message),
    };
    let format = match (status.as_deref(), error.as_deref()) {
        (Some("ok"), _) if data => "api_response",
        (Some("ok"), _) => {
            return Err(Error::Incomplete {
                name: name.to_owned(),
                problem: "query_status is ok, but there is no data".into(),
            });
        }
        (Some(status), _) => return Err(api(status)),
        (None, Some(error)) => return Err(api(error)),
        (None, None) if data => {
            return Err(Error::Incomplete {
                name: name.to_owned(),
                problem: "there is data, but no query_status".into(),
            });
        }
        (None, None) if records == 0 => {
            return Err(Error::Incomplete {
                name: name.to_owned(),
                problem: "it holds no records".into(),
            });
        }
        (None, None) => "json_export",
    };
    Ok(Report {
        name: name.to_owned(),
        format,
        records,
        unknown_columns: record.unknown,
        longer_records: 0,
        unread_values: 0,
    })
}

/// The outermost object.
struct Top<'s> {
    record: JsonRecord,
    sink: &'s mut dyn Sink,
    records: u64,
    /// Why the sink stopped the run.
    failure: Option<Error>,
    status: Option<String>,
    error: Option<String>,
    /// The text in place of the data.
    message: String,
    data: bool,
    form: Form,
}

impl Top<'_> {
    /// Reads one record, or a list of them as the export has under each id.
    fn take<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.records += 1;
        let mut raw = self.record.as_raw();
        let taken = match &self.record.problem {
            None => hand(&mut raw, self.sink),
            Some(problem) => {
                let reject = self.form.reject_record(self.records, problem);
                self.sink.unreadable(&raw, &reject)
            }
        };
        taken.map_err(|failure| {
            self.failure = Some(failure);
            E::custom("stopped")
        })
    }
}

impl<'de> DeserializeSeed<'de> for &mut Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of records by id, or an answer with query_status and data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "query_status" => self.status = Some(map.next_value()?),
                "error" => self.error = Some(map.next_value()?),
                "data" => {
                    let readable = self.status.as_deref().is_none_or(|status| status == "ok");
                    if readable {
                        map.next_value_seed(Records {
                            top: self,
                            id: "",
                            in_data: true,
                        })?;
                    } else {
                        map.next_value_seed(Message(&mut self.message))?;
                    }
                }
                id if id.bytes().all(|b| b.is_ascii_digit()) => {
                    map.next_value_seed(Records {
                        top: self,
                        id,
                        in_data: false,
                    })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The records under `data` or under an id.
struct Records<'a, 's> {
    top: &'a mut Top<'s>,
    id: &'a str,
    in_data: bool,
}

impl Records<'_, '_> {
    /// Counts what stands in the place of a record. An answer may have a message in place of the data.
    fn no_records<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if self.in_data {
            self.top.message = text.chars().take(500).collect();
            return Ok(());
        }
        self.top.record.begin(self.id);
        self.top.record.problem = Some(Problem::not_an_object());
        self.top.take()
    }
}

impl<'de> DeserializeSeed<'de> for Records<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Records<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.top.data |= self.in_data;
        loop {
            self.top.record.begin(self.id);
            if seq.next_element_seed(&mut self.top.record)?.is_none() {
                return Ok(());
            }
            self.top.take()?;
        }
    }

    /// A single record, as the API gives for a query by id.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.top.data |= self.in_data;
        self.top.record.begin(self.id);
        (&mut self.top.record).visit_map(map)?;
        self.top.take()
    }

    for_scalars!(visitor, text => visitor.no_records(text));
}

/// The text in place of the data, of any type.
struct Message<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in place of the data")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        *self.0 = text.chars().take(500).collect();
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        *self.0 = value.to_string();
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        *self.0 = value.to_string();
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        *self.0 = value.to_string();
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        *self.0 = value.to_string();
        Ok(())
    }

    /// The first text in a list, which is all that a person can use of it.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while self.0.is_empty() {
            if seq.next_element_seed(Message(self.0))?.is_none() {
                return Ok(());
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    /// The first text in an object, likewise.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            if self.0.is_empty() {
                map.next_value_seed(Message(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
