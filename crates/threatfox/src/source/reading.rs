//! How to read an input whose content alone does not tell.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{CsvColumns, Published, SOURCES, Source};

/// The user's statements about an input. By default there are none, and its content decides.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The source whose format it has.
    pub format: Option<Format>,
    /// The name of its source in the feed.
    pub source_name: Option<SourceName>,
    /// The columns of a CSV that is nobody's format.
    pub columns: Option<CsvColumns>,
    /// The time for which it is read, in seconds since 1970: what is valid no longer is left out. By default the clock's.
    pub now: Option<i64>,
}

impl Reading {
    pub(super) fn source(&self) -> Option<&'static dyn Source> {
        if self.columns.is_some() {
            return Some(&super::custom::Custom);
        }
        self.format.map(|format| format.0)
    }

    pub(super) fn now(&self) -> i64 {
        let clock = || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            i64::try_from(now.as_secs()).ok()
        };
        self.now.or_else(clock).unwrap_or_default()
    }

    pub(super) fn source_name(&self) -> Option<&str> {
        self.source_name.as_ref().map(SourceName::as_str)
    }
}

/// The formats of a source, by its name.
#[derive(Clone, Copy)]
pub struct Format(&'static dyn Source);

impl Format {
    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Where the source publishes what is new, if it does so for programs.
    #[must_use]
    pub fn published(self) -> Option<Published> {
        self.0.published()
    }

    /// The names of all.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        SOURCES.iter().map(|source| source.name()).collect()
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = SOURCES.into_iter().find(|source| source.name() == name);
        found
            .map(Self)
            .ok_or_else(|| format!("it is none of {}", Self::names().join(", ")))
    }
}

/// The name of a source: up to 64 letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceName(String);

impl SourceName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SourceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins || text.len() > 64 || !text.chars().all(fits) {
            return Err("a name has up to 64 letters, digits, dots, _ and -".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_separate_names_or_begin_a_formula() {
        for name in ["", "a;b", "a b", "-a", "=a", "a,b", &"a".repeat(65)] {
            assert!(name.parse::<SourceName>().is_err(), "{name:?}");
        }
        assert!("colleagues-2026.11_a".parse::<SourceName>().is_ok());
    }

    #[test]
    fn a_format_is_chosen_by_the_name_of_its_source() {
        assert_eq!(format!("{:?}", "stix".parse::<Format>().unwrap()), "stix");
        let error = "xml".parse::<Format>().unwrap_err();
        assert!(error.contains("urlhaus, malwarebazaar"), "{error}");
    }
}
