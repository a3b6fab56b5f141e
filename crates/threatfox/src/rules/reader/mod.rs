//! The readers: each takes a text and gives observables. `rules/README.md` says what each reads; here it is done.
//!
//! Both the scan, which narrows, and the verdict read with these, so that they cannot differ.

mod answers;
mod hashes;
mod host;
mod ip;
mod text;
mod url;
mod words;

use super::place::Reader;
pub use ip::canonical;
pub(crate) use ip::push_address;
pub(crate) use url::split_scheme;
pub use url::{UrlText, spell};

/// A key of an observable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'t> {
    /// The text to look up in the feed.
    pub text: &'t str,
    /// What the observable is for this key: what the feed's regular expression is for.
    pub observable: &'t str,
    /// The port that goes with an address.
    pub port: Option<&'t str>,
    /// Whether it is a domain above the name that stands in the text.
    pub above: bool,
}

/// Takes observables.
pub trait Observer {
    /// Takes a key of an observable, the most specific first.
    fn key(&mut self, key: &Key<'_>);

    /// Takes note that the observable has no more keys.
    fn end(&mut self);
}

/// Reads texts; its buffers serve all of them.
#[derive(Debug, Default)]
pub struct Buffers {
    /// A key.
    key: String,
    /// A host in lowercase.
    host: String,
    /// A text that was changed on the way.
    text: String,
    /// A text that was changed again.
    again: String,
}

impl Buffers {
    /// Reads a text, and hands over its observables. `port` is the field that goes with an address.
    pub fn read(
        &mut self,
        reader: &Reader,
        text: &str,
        port: Option<&str>,
        observer: &mut dyn Observer,
    ) {
        match reader {
            Reader::Address => self.address(text, port, observer),
            Reader::FirstBytes => self.first_bytes(text, observer),
            Reader::Host => self.host(text, observer),
            Reader::Answers => self.answers(text, observer),
            Reader::Hashes => self.hashes(text, observer),
            Reader::Url => self.url(text, observer),
            Reader::Zone(mark) => {
                if let Some(text) = text::behind_mark(text, mark) {
                    self.url(text, observer);
                }
            }
            Reader::Urls => self.urls(text, observer),
            Reader::Text | Reader::Script => {
                self.urls(text, observer);
                self.words(text, observer);
            }
        }
    }
}

/// Whether a character is a space: TAB, LF, VT, FF, CR or the blank.
fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ')
}

/// A text without the space around it.
fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// A text in lowercase, letter by letter: Rust's own knows of final sigmas and gives two letters for `İ`, Go's does not.
#[must_use]
pub fn lowercase(text: &str) -> String {
    let mut lower = String::new();
    push_lowercase(&mut lower, text);
    lower
}

fn push_lowercase(out: &mut String, text: &str) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        out[start..].make_ascii_lowercase();
    } else {
        out.extend(text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The keys of each observable, in short: `key`, `key:port` for an address, `^key` for a domain above.
    #[derive(Default)]
    struct Keys {
        done: Vec<Vec<String>>,
        open: Vec<String>,
    }

    impl Observer for Keys {
        fn key(&mut self, key: &Key<'_>) {
            let above = if key.above { "^" } else { "" };
            let port = key.port.map_or(String::new(), |port| format!(" at {port}"));
            self.open.push(format!("{above}{}{port}", key.text));
        }

        fn end(&mut self) {
            self.done.push(std::mem::take(&mut self.open));
        }
    }

    /// Reads the observables of a text.
    pub fn read(reader: &Reader, text: &str) -> Vec<Vec<String>> {
        let mut keys = Keys::default();
        Buffers::default().read(reader, text, Some("443"), &mut keys);
        assert!(keys.open.is_empty(), "an observable without an end: {text}");
        keys.done
    }

    #[test]
    fn lowercase_is_made_letter_by_letter() {
        assert_eq!(lowercase("ÄB-İΣ\u{212a}"), "äb-iσk");
    }
}
