//! A hit as a line of JSON: of a hunt's Hits or Summary, or of a scan.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::rules::Strength;

/// What a sighting needs of a hit. Other columns are passed over, and so is a value of another type.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Hit {
    #[serde(rename = "IOC", deserialize_with = "text")]
    pub ioc: String,
    /// What of the event it is: of a network the address that was seen. A Summary has it not.
    #[serde(deserialize_with = "text")]
    pub observable: String,
    #[serde(deserialize_with = "text")]
    pub malware: String,
    #[serde(deserialize_with = "text")]
    strength: String,
    time: Value,
    first: Value,
    last: Value,
    count: Value,
    computer: Value,
    place: Value,
    #[serde(rename = "RecordID")]
    record: Value,
}

/// A text; empty where it is anything else, as columns of other rows may be.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        _ => String::new(),
    })
}

impl Hit {
    pub fn strength(&self) -> Option<Strength> {
        let mut all = Strength::ALL.into_iter();
        all.find(|strength| strength.name() == self.strength)
    }

    /// When it was hit first and last: the same of a single hit.
    pub fn times(&self) -> Option<(Timestamp, Timestamp)> {
        if let Some(time) = time(&self.time) {
            return Some((time, time));
        }
        let (first, last) = (time(&self.first)?, time(&self.last)?);
        Some((first.min(last), last.max(first)))
    }

    /// How many hits it stands for.
    pub fn count(&self) -> u64 {
        self.count.as_u64().filter(|count| *count > 0).unwrap_or(1)
    }

    /// The event that it is of, where that is known: hunts over the same log find it again.
    pub fn event(&self) -> Option<String> {
        let known = !self.computer.is_null() && self.record.is_number();
        known.then(|| format!("{}\n{}\n{}", self.computer, self.place, self.record))
    }
}

/// RFC 3339, or seconds since 1970.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(seconds) => {
            let milliseconds = (seconds.as_f64()? * 1000.0).round();
            #[allow(clippy::cast_possible_truncation)] // What is out of range is no time.
            Timestamp::from_millisecond(milliseconds as i64).ok()
        }
        _ => None,
    }
}
