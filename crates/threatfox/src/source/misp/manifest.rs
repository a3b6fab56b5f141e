//! The manifest of a feed: an object that has the id of each event as a name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::de::IgnoredAny;

use crate::error::Error;

/// Real manifests have 200 bytes an event.
const MAX_SIZE: u64 = 64 << 20;

/// The files of the events, in the order of their names.
#[expect(clippy::zero_sized_map_values, reason = "what JSON calls an object")]
pub(in crate::source) fn events_in(manifest: &Path) -> Result<Vec<String>, Error> {
    let name = || manifest.display().to_string();
    let file = File::open(manifest).map_err(|source| Error::Io {
        action: "open",
        path: name(),
        source,
    })?;
    let reader = BufReader::new(file.take(MAX_SIZE));
    let events: BTreeMap<String, IgnoredAny> =
        serde_json::from_reader(reader).map_err(|error| Error::Incomplete {
            name: name(),
            problem: format!("not a manifest of events ({error})"),
        })?;
    // A name with a slash would lead out of the folder.
    let is_id = |id: &&String| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if events.is_empty() || !events.keys().all(|id| is_id(&id)) {
        return Err(Error::Incomplete {
            name: name(),
            problem: "it names no events, or something else".to_owned(),
        });
    }
    Ok(events.into_keys().map(|id| id + ".json").collect())
}
