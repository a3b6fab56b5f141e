//! A bundle, an envelope of TAXII, a list of objects, or an object alone: what is there, read as a stream.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::known::{Indicator, Known};
use super::meaning::{Found, found_in};
use super::object::Object;
use super::pattern::{MAX_PATTERN, NotAPattern, Pattern, parse};
use crate::error::Error;
use crate::ioc::IocType;
use crate::record::{Column, RawRecord};
use crate::reject::{Reason, Reject};
use crate::source::form::Form;
use crate::source::json_rows::json_error;
use crate::source::json_text::JsonText;
use crate::source::row::{hand, without_unread};
use crate::source::typed::typed;
use crate::source::{MAX_FIELD, Report, Sink};

/// Reads it as it is now, in seconds since 1970.
pub(super) fn read(
    name: &str,
    now: i64,
    content: &mut dyn BufRead,
    sink: &mut dyn Sink,
) -> Result<Report, Error> {
    let mut bundle = Bundle {
        sink,
        known: Known::at(now),
        form: Form::default(),
        failure: None,
    };
    let reader = BufReader::with_capacity(64 * 1024, JsonText::new(content));
    let mut json = serde_json::Deserializer::from_reader(reader);
    let result = Top(&mut bundle)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    if let Some(failure) = bundle.failure {
        return Err(failure);
    }
    let Bundle {
        sink, known, form, ..
    } = bundle;
    result.map_err(|error| json_error(name, known.objects, error))?;
    form.check(name, known.objects)?;
    if known.indicators.is_empty() {
        let problem = match known.objects {
            0 => "no objects of STIX".to_owned(),
            n => format!("none of its {n} objects is an indicator"),
        };
        let name = name.to_owned();
        return Err(Error::NoIndicators { name, problem });
    }
    let links = known.links();
    let mut unread_values = 0;
    for indicator in &known.indicators {
        let left_out = known.left_out(indicator);
        let mut raw = links.record_of(indicator);
        let unread = without_unread(&mut raw);
        unread_values += if left_out.is_none() { unread } else { 0 };
        take(indicator, &raw, left_out, sink)?;
    }
    Ok(Report {
        name: name.to_owned(),
        format: "stix_bundle",
        records: 0,
        unknown_columns: BTreeSet::new(),
        longer_records: 0,
        unread_values,
    })
}

struct Bundle<'a> {
    sink: &'a mut dyn Sink,
    known: Known,
    form: Form,
    /// Why the sink stopped the run.
    failure: Option<Error>,
}

impl Bundle<'_> {
    fn take<E: serde::de::Error>(&mut self, object: Object) -> Result<(), E> {
        let number = self.known.objects + 1;
        let left_out = object.problem.as_ref();
        let left_out = left_out.map(|problem| self.form.reject_record(number, problem));
        let waiting = self.known.take(object);
        let taken = match left_out {
            Some(reject) => self.sink.unreadable(&RawRecord::default(), &reject),
            None => self.sink.expect(waiting),
        };
        taken.map_err(|failure| {
            self.failure = Some(failure);
            E::custom("stopped")
        })
    }
}

/// Hands over all that an indicator with this record lets one look for, or that it would without the reason to leave it out.
fn take(
    indicator: &Indicator,
    raw: &RawRecord<'_>,
    left_out: Option<Reject>,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let found = match conditions(indicator) {
        Ok(found) => found,
        Err(problem) => return hand(raw, Some(left_out.unwrap_or(problem)), sink),
    };
    for found in found {
        match found {
            Found::Not(problem) => {
                sink.unreadable(raw, left_out.as_ref().unwrap_or(&problem))?;
            }
            Found::Indicator {
                ioc_type,
                value,
                port,
            } => {
                let mut raw: RawRecord<'_> = *raw;
                let type_name = ioc_type.map_or("", IocType::name);
                raw.set(Column::IocType, type_name);
                raw.set(Column::Port, &port);
                if let Some(reject) = &left_out {
                    raw.set(Column::Ioc, &value);
                    sink.unreadable(&raw, reject)?;
                } else {
                    raw.set(Column::IocType, "");
                    typed(&value, type_name, raw, sink)?;
                }
            }
        }
    }
    Ok(())
}

/// The values to look for by the pattern of an indicator, or the reason why there are none.
fn conditions(indicator: &Indicator) -> Result<Vec<Found>, Reject> {
    if indicator.pattern.len() > MAX_PATTERN.min(MAX_FIELD) {
        return Err(Reason::TooLarge.because("a pattern is larger than the bound of 64 KiB"));
    }
    if !matches!(&*indicator.language, "" | "stix") {
        let language = crate::text::clean(&indicator.language);
        let language: String = language.chars().take(40).collect();
        return Err(Reason::Pattern.because(format!("a pattern of {language}")));
    }
    match parse(&indicator.pattern) {
        Ok(Pattern::Observations(conditions)) => Ok(conditions.iter().flat_map(found_in).collect()),
        Ok(Pattern::Several(why)) => Err(Reason::Pattern.because(why)),
        Err(NotAPattern(problem)) => Err(Reason::Pattern.because(problem)),
    }
}

/// The outermost value. An object there is a bundle or envelope by its `objects`, else one of them itself.
struct Top<'w, 'a>(&'w mut Bundle<'a>);

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a STIX bundle")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        Objects(self.0).visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut alone = Object::default();
        let mut is_bundle = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == "objects" {
                is_bundle = true;
                map.next_value_seed(Objects(self.0))?;
            } else {
                alone.member(&name, &mut map)?;
            }
        }
        if is_bundle || alone.kind.is_empty() {
            return Ok(());
        }
        self.0.take(alone)
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
        loop {
            let mut object = Object::default();
            if seq.next_element_seed(&mut object)?.is_none() {
                return Ok(());
            }
            self.0.take(object)?;
        }
    }
}
