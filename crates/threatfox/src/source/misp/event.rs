//! An event: its attributes come before what is said of all of them, so those for detection wait for its end.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

use serde::de::DeserializeSeed;

use super::tags::families;
use super::visit::Events;
use super::{attribute, attribute_of, deleted, not_for_detection};
use crate::error::Error;
use crate::record::{Column, RawRecord};
use crate::reject::{Reason, Reject};
use crate::source::form::Form;
use crate::source::json_rows::{Fields, json_error};
use crate::source::json_text::JsonText;
use crate::source::row::without_unread;
use crate::source::{Report, Sink};

/// A title may have so many characters where it stands for the family.
const MAX_TITLE: usize = 200;

pub(super) fn read(
    name: &str,
    content: &mut dyn BufRead,
    sink: &mut dyn Sink,
) -> Result<Report, Error> {
    let mut walk = Walk {
        sink,
        event: Event::default(),
        records: 0,
        unread: 0,
        failure: None,
        form: Form::default(),
    };
    let reader = BufReader::with_capacity(64 * 1024, JsonText::new(content));
    let mut json = serde_json::Deserializer::from_reader(reader);
    let result = Events(&mut walk)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    if let Some(failure) = walk.failure {
        return Err(failure);
    }
    result.map_err(|error| json_error(name, walk.records, error))?;
    walk.form.check(name, walk.records)?;
    Ok(Report {
        name: name.to_owned(),
        format: "misp_event",
        records: walk.records,
        unknown_columns: BTreeSet::new(),
        longer_records: 0,
        unread_values: walk.unread,
    })
}

/// The state while events are read.
pub(super) struct Walk<'a> {
    sink: &'a mut dyn Sink,
    pub event: Event,
    records: u64,
    /// Dates that cannot be read.
    unread: u64,
    /// Why the sink stopped the run.
    failure: Option<Error>,
    form: Form,
}

/// The facts about an event, and its attributes for detection.
#[derive(Default)]
pub(super) struct Event {
    pub info: String,
    pub org: String,
    pub tags: String,
    /// The first page that the event refers to.
    page: String,
    pub waiting: Vec<Fields>,
}

impl Event {
    /// The families that its tags name, else what it is about.
    fn malware(&self) -> String {
        families(&self.tags).unwrap_or_else(|| self.info.chars().take(MAX_TITLE).collect())
    }
}

impl Walk<'_> {
    /// Takes an attribute: it waits for the end of the event, or is left out at once.
    pub fn take(&mut self, mut fields: Fields) -> Result<(), Error> {
        self.records += 1;
        if let Some(problem) = &fields.problem {
            let reject = self.form.reject_record(self.records, problem);
            return self.sink.unreadable(&RawRecord::default(), &reject);
        }
        let left_out = fields.with_row(|row| {
            if row.get(&["type"]) == "link" && self.event.page.is_empty() {
                row.get(&["value"]).clone_into(&mut self.event.page);
            }
            // An event says of each attribute whether it is for detection.
            let unsaid = || row.get(&["to_ids"]).is_empty();
            not_for_detection(row).or_else(|| unsaid().then(|| Reason::NotForDetection.into()))
        });
        if let Some(reject) = left_out {
            return self.leave_out(&fields, &reject);
        }
        self.sink.expect(self.event.waiting.len() as u64 + 1)?;
        fields.keep(&[
            "uuid",
            "type",
            "value",
            "to_ids",
            "timestamp",
            "first_seen",
            "last_seen",
            "Tag",
            "Event",
        ]);
        self.event.waiting.push(fields);
        Ok(())
    }

    /// Leaves out what waits from this one on: the attributes of an object that says only at its end that it is deleted.
    pub fn take_back(&mut self, first: usize) -> Result<(), Error> {
        let waiting = self.event.waiting.split_off(first);
        waiting
            .iter()
            .try_for_each(|fields| self.leave_out(fields, &deleted()))
    }

    fn leave_out(&mut self, fields: &Fields, reject: &Reject) -> Result<(), Error> {
        fields.with_row(|row| {
            let mut raw = attribute(row);
            raw.set(Column::Ioc, row.get(&["value"]));
            raw.set(Column::IocType, row.get(&["type"]));
            self.sink.unreadable(&raw, reject)
        })
    }

    /// Hands over what has waited for the end of the event.
    pub fn finish(&mut self) -> Result<(), Error> {
        let event = std::mem::take(&mut self.event);
        let malware = event.malware();
        for fields in &event.waiting {
            fields.with_row(|row| {
                let mut raw = attribute(row);
                self.unread += without_unread(&mut raw);
                let own = families(raw.get(Column::Tags));
                let malware = own.as_ref().unwrap_or(&malware);
                if !malware.is_empty() {
                    raw.set(Column::MalwarePrintable, malware);
                }
                raw.set(Column::Reporter, &event.org);
                raw.set(Column::SharedTags, &event.tags);
                raw.set(Column::Link, &event.page);
                attribute_of(row, &raw, self.sink)
            })?;
        }
        Ok(())
    }

    pub fn or_stop<T, E: serde::de::Error>(&mut self, result: Result<T, Error>) -> Result<T, E> {
        result.map_err(|failure| {
            self.failure = Some(failure);
            E::custom("stopped")
        })
    }
}
