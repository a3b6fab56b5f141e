//! Sightings as MISP takes them: each object is the body of a request to `/sightings/add`.

use std::io::{self, Write};

use serde::Serialize;

use super::{Sighted, Sightings};

/// A sighting of an attribute by its value.
#[derive(Serialize)]
struct Sighting<'a> {
    values: [&'a str; 1],
    /// Seconds since 1970.
    timestamp: i64,
    /// 0: it was seen.
    r#type: &'static str,
    source: &'a str,
}

impl Sightings {
    /// Writes an array with a sighting for each indicator and day (UTC) on which it was hit, at the time of the last hit of
    /// that day. `source` is what MISP shows as who has seen it. An address finds MISP's `ip-dst|port` too.
    ///
    /// # Errors
    /// `out` fails.
    pub fn write_misp(&self, source: &str, out: &mut dyn Write) -> io::Result<()> {
        let mut lead = "[\n";
        for (sighted, seen) in &self.seen {
            let value = match sighted {
                Sighted::Address(ip) => ip.to_string(),
                Sighted::Network(network) => network.to_string(),
                Sighted::Domain(text) | Sighted::Url(text) | Sighted::Hash(_, text) => text.clone(),
            };
            for time in seen.days.values() {
                out.write_all(lead.as_bytes())?;
                lead = ",\n";
                let sighting = Sighting {
                    values: [&value],
                    timestamp: time.as_second(),
                    r#type: "0",
                    source,
                };
                serde_json::to_writer(&mut *out, &sighting)?;
            }
        }
        out.write_all(if self.is_empty() { b"[]\n" } else { b"\n]\n" })
    }
}
