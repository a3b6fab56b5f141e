//! The keys of a feed as fingerprints: 8 bytes per key.
//!
//! Two texts may have one fingerprint: then one event more is a candidate, which the verdict rejects. None is missed.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use hashbrown::{HashSet, HashTable};

/// A set of fingerprints.
pub type Fingerprints = HashSet<u64>;

/// The keys of a feed.
#[derive(Default)]
pub struct KeySet {
    /// Seeded differently in each run: a hostile log cannot choose keys that collide.
    hasher: DefaultHashBuilder,
    fingerprints: HashTable<u64>,
}

impl KeySet {
    /// Adds a key of a feed.
    pub fn insert(&mut self, key: &str) {
        let fingerprint = self.fingerprint(key);
        if !self.contains(fingerprint) {
            let itself = |fingerprint: &u64| *fingerprint;
            self.fingerprints
                .insert_unique(fingerprint, fingerprint, itself);
        }
    }

    pub(super) fn fingerprint(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }

    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        let same = |known: &u64| *known == fingerprint;
        self.fingerprints.find(fingerprint, same).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_exact_text() {
        let mut keys = KeySet::default();
        for key in ["203.0.113.7", "url:http://evil.example/A", "203.0.113.7"] {
            keys.insert(key);
        }
        for (text, known) in [
            ("203.0.113.7", true),
            ("url:http://evil.example/A", true),
            ("url:http://evil.example/a", false),
            ("203.0.113.70", false),
            ("", false),
        ] {
            assert_eq!(keys.contains(keys.fingerprint(text)), known, "{text}");
        }
    }
}
