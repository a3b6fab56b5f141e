//! The observables of an event that may be in a feed: read as for the verdict, looked up as fingerprints.

use sysmon_log::{Chunk, Event};

use super::fingerprints::{Fingerprints, KeySet};
use crate::rules::Reader;
use crate::rules::plan::{FieldReader, Row, Step};
use crate::rules::reader::{Buffers, Key, Observer};

/// An event whose fields are read in place.
#[derive(Clone, Copy)]
pub(super) struct EventRow<'e, 'c> {
    pub event: &'e Event<'c>,
    pub chunk: &'e Chunk<'c>,
    /// The unfinished word at the end of the previous part of a script block.
    pub before: &'e str,
}

impl EventRow<'_, '_> {
    /// Whether a field has a text that is not empty.
    pub fn has(&self, field: usize) -> bool {
        let mut text = String::new();
        self.event.text(self.chunk, field, &mut text) && !text.is_empty()
    }
}

impl Row for EventRow<'_, '_> {
    fn text(&self, field: usize, text: &mut String) -> bool {
        self.event.text(self.chunk, field, text)
    }

    fn before(&self) -> Option<&str> {
        Some(self.before)
    }
}

/// Looks texts up, and keeps the fingerprints that it found.
pub(super) struct Lookup<'k> {
    pub found: Fingerprints,
    reader: FieldReader,
    known: Known<'k>,
}

/// The known keys of a field.
struct Known<'k> {
    keys: &'k KeySet,
    fingerprints: Vec<u64>,
}

impl Observer for Known<'_> {
    fn key(&mut self, key: &Key<'_>) {
        let fingerprint = self.keys.fingerprint(key.text);
        if self.keys.contains(fingerprint) {
            self.fingerprints.push(fingerprint);
        }
    }

    fn end(&mut self) {}
}

impl<'k> Lookup<'k> {
    pub fn new(keys: &'k KeySet) -> Self {
        Self {
            found: Fingerprints::default(),
            reader: FieldReader::default(),
            known: Known {
                keys,
                fingerprints: Vec::new(),
            },
        }
    }

    /// Whether an event holds something of the feed, in one of these places.
    pub fn event(&mut self, steps: &[Step<'_>], row: &EventRow<'_, '_>) -> bool {
        let mut any = false;
        for step in steps {
            self.reader.read(step, row, &mut self.known);
            if self.known.fingerprints.is_empty() {
                continue;
            }
            // Few events get here, so that the conditions of few are looked at.
            if self.reader.holds(step, row) {
                self.found.extend(&self.known.fingerprints);
                any = true;
            }
            self.known.fingerprints.clear();
        }
        any
    }

    /// Looks up a value that is not of an event: an address, a name, or an answer as `QueryResults` has it.
    pub fn value(&mut self, value: &str) {
        let mut buffers = Buffers::default();
        for reader in [Reader::Host, Reader::Answers] {
            buffers.read(&reader, value, None, &mut self.known);
        }
        self.found.extend(self.known.fingerprints.drain(..));
    }
}
