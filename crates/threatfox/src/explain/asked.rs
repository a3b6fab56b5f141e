//! The value that is asked about: which records, kept or not, concern it.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::ioc::Ioc;
use crate::ip::network;
use crate::lookup::TypedValue;
use crate::match_key::KeyMaker;
use crate::rules::Rules;
use crate::rules::reader::{Key, Observer};
use crate::url::UrlHost;
use crate::value::{meanings, refang};

/// A value, and the keys under which it is looked up.
pub(super) struct Asked {
    /// As it was typed: what can't be read concerns it where it is written so.
    text: String,
    /// Each key, and whether it is only a domain above the value.
    keys: HashMap<String, bool>,
    /// Those of the keys that are addresses: a network concerns them.
    addresses: Vec<IpAddr>,
}

impl Asked {
    pub fn new(text: &str, values: &[TypedValue]) -> Self {
        let mut asked = Self {
            text: text.to_owned(),
            keys: HashMap::new(),
            addresses: Vec::new(),
        };
        for value in values {
            value.read(Rules::built_in(), &mut asked);
        }
        let addresses = asked.keys.keys().filter_map(|key| key.parse().ok());
        asked.addresses = addresses.collect();
        asked
    }

    pub fn has_key(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// Whether a key is only a domain above the value.
    pub fn is_above(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|above| *above)
    }

    /// Whether what stands in a record that is left out concerns the value. It may be of any type, or of none, and hold several
    /// values: the parts of MISP's composite types, the texts in a pattern of STIX.
    pub fn is_named_in(&self, text: &str, keys: &mut KeyMaker) -> bool {
        let parts = text.split(['|', '\'']);
        let mut all = std::iter::once(text).chain(parts);
        all.any(|part| self.is_named_by(part.trim(), keys))
    }

    fn is_named_by(&self, part: &str, keys: &mut KeyMaker) -> bool {
        if part.is_empty() {
            return false;
        }
        if part.eq_ignore_ascii_case(&self.text) {
            return true;
        }
        let plain = refang(part);
        if plain.contains('/')
            && let Some(network) = network(&plain)
        {
            return self.addresses.iter().any(|ip| network.contains(ip));
        }
        let meanings = meanings(&plain).unwrap_or_default();
        meanings.iter().any(|ioc| self.is_meant_by(ioc, keys))
    }

    fn is_meant_by(&self, ioc: &Ioc<'_>, keys: &mut KeyMaker) -> bool {
        // A shared host makes no key, and yet it is in the URL.
        let mut named = match ioc {
            Ioc::Url(url) => match &url.host {
                UrlHost::Name(host) => self.has_key(host.as_str()),
                UrlHost::Address(_) => false,
            },
            _ => false,
        };
        keys.each(ioc, &mut |key| named |= self.has_key(key.text));
        named
    }
}

impl Observer for Asked {
    fn key(&mut self, key: &Key<'_>) {
        self.keys.insert(key.text.to_owned(), key.above);
    }

    fn end(&mut self) {}
}
