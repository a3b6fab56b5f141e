//! The reader `host`.

use super::ip::{self, whole};
use super::{Buffers, Key, Observer, push_lowercase, trim};

/// A domain above a name has at most so many bytes: DNS knows 253 characters, here in any script.
const MAX_DOMAIN: usize = 1024;

/// A name has at most so many labels.
const MAX_LABELS: usize = 127;

impl Buffers {
    pub(super) fn host(&mut self, text: &str, observer: &mut dyn Observer) {
        if self.host_keys(text, None, observer) {
            observer.end();
        }
    }

    /// An item that may be an address alone, and is not a name.
    pub(super) fn address_item(&mut self, text: &str, observer: &mut dyn Observer) {
        if let Some(key) = ip::key(text, &mut self.key) {
            whole(key, None, observer);
        }
    }

    /// The keys of a host; an address gets the port. Says whether there is one. The observable is not ended.
    pub(super) fn host_keys(
        &mut self,
        text: &str,
        port: Option<&str>,
        observer: &mut dyn Observer,
    ) -> bool {
        let name = trim(text).trim_end_matches('.');
        if matches!(name, "" | "-") {
            return false;
        }
        if let Some(key) = ip::key(name, &mut self.key) {
            observer.key(&Key {
                text: key,
                observable: key,
                port,
                above: false,
            });
            return true;
        }
        // DNS has no longer name.
        if name.len() > MAX_LABELS
            && memchr::memchr_iter(b'.', name.as_bytes()).count() >= MAX_LABELS
        {
            return false;
        }
        let lower = |b: u8| b.is_ascii() && !b.is_ascii_uppercase();
        let name = if name.bytes().all(lower) {
            name
        } else {
            self.host.clear();
            push_lowercase(&mut self.host, name);
            &self.host
        };
        let key = |text, above| Key {
            text,
            observable: name,
            port: None,
            above,
        };
        observer.key(&key(name, false));
        for dot in memchr::memchr_iter(b'.', name.as_bytes()) {
            let domain = &name[dot + 1..];
            if domain.len() <= MAX_DOMAIN {
                observer.key(&key(domain, true));
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::rules::Reader;

    #[test]
    fn a_host_has_its_own_key_and_those_of_the_domains_above_it() {
        for (text, keys) in [
            (
                "C2.Evil.example.",
                &["c2.evil.example", "^evil.example", "^example"][..],
            ),
            (" BÜCHER.example..\t", &["bücher.example", "^example"]),
            ("host", &["host"]),
            ("203.0.113.7", &["203.0.113.7"]),
            ("203.0.113.7.", &["203.0.113.7"]),
            ("::ffff:203.0.113.7", &["203.0.113.7"]),
        ] {
            assert_eq!(read(&Reader::Host, text), [keys], "{text}");
        }
        for text in ["", "-", " ", "...", "-."] {
            assert!(read(&Reader::Host, text).is_empty(), "{text}");
        }
    }
}
