//! The policy file: what an organization never wants to match, or to match weaker, in YAML.
//!
//! ```yaml
//! ignore:
//!   ips: [203.0.113.0/24, "2001:db8::7"]
//!   domains: [intranet.example, .cdn.example]
//!   urls: ["https://site.example/path"]
//!   hashes: [45c4710edc62df311612101b9160c7e1]
//!   malware: [Mirai]
//!   reporters: [someone]
//!   tags: [sinkhole]
//!   ids: [1876555]
//! weaken:
//!   medium:
//!     below_confidence: 75
//!   weak:
//!     lists: [sinkholes]
//! shared_hosts: [share.example, .hosting.example]
//! ```

mod entry;
mod message;
mod section;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::error::Error;
use crate::record::Record;
use crate::reject::{Reason, Reject};
use crate::rules::Strength;
use crate::shared_hosts::SharedHosts;
use crate::text::clean;
use crate::warning::{WarningLists, name_with_limit, without_limit};
use entry::HostEntry;
use section::{Cause, Entries, Section, WrittenSection};

/// A policy file may have this many bytes.
const MAX_SIZE: u64 = 16 << 20;

/// How a name in the column `warning` says that the policy weakens the key.
const MARK: &str = "policy: ";

/// The section and the entry that weaken a key, where this name in its column `warning` is one of the policy.
#[must_use]
pub fn cause_of(name: &str) -> Option<(&str, &str)> {
    without_limit(name).strip_prefix(MARK)?.split_once(' ')
}

/// The entries to ignore and to weaken, each with its line. The default has none.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    file: String,
    ignore: Option<Section>,
    /// The sections to weaken, each with the greatest strength of its hits; the weakest first.
    weaken: Vec<(Strength, Section)>,
    shared_hosts: Vec<String>,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    ignore: Option<WrittenSection>,
    weaken: Option<Weaken>,
    shared_hosts: Entries<HostEntry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Weaken {
    weak: Option<WrittenSection>,
    medium: Option<WrittenSection>,
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Policy`] for what is not a policy, with line and column.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let io_error = |source| Error::Io {
            action: "read",
            path: path.display().to_string(),
            source,
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(io_error)?;
        file.take(MAX_SIZE + 1)
            .read_to_end(&mut bytes)
            .map_err(io_error)?;
        let name = path.display().to_string();
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(&name, &text),
            Err(_) => Err(Error::Policy {
                name,
                problem: "it is not UTF-8".to_owned(),
            }),
        }
    }

    /// Reads the text of a policy file of this name.
    ///
    /// # Errors
    /// [`Error::Policy`] for what is not a policy, with line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let wrong = |problem| Error::Policy {
            name: file.to_owned(),
            problem,
        };
        if text.len() as u64 > MAX_SIZE {
            return Err(wrong("it is larger than the bound of 16 MiB".to_owned()));
        }
        let options = serde_yaml::options! { with_snippet: false };
        let written: Written = serde_yaml::from_str_with_options(text, options)
            .map_err(|error| wrong(message::message(&error)))?;
        let ignore = written.ignore.map(Section::new);
        if let Some((list, line)) = ignore.iter().flat_map(Section::lists).next() {
            return Err(wrong(format!(
                "line {line}: ignore.lists {list}: what is in a warning list stays in the feed, so that it can only be weakened"
            )));
        }
        let weaken = written.weaken.unwrap_or_default();
        let sections = [
            (Strength::Weak, weaken.weak),
            (Strength::Medium, weaken.medium),
        ];
        let sections = sections
            .into_iter()
            .filter_map(|(limit, section)| Some((limit, Section::new(section?))));
        Ok(Self {
            file: file.to_owned(),
            ignore,
            weaken: sections.collect(),
            shared_hosts: written
                .shared_hosts
                .into_iter()
                .flatten()
                .map(|entry| entry.value.0)
                .collect(),
        })
    }

    /// The built-in shared services, and those of the file.
    #[must_use]
    pub fn shared_hosts(&self) -> SharedHosts {
        let mut shared = SharedHosts::built_in();
        for entry in &self.shared_hosts {
            shared.insert(entry);
        }
        shared
    }

    /// The reject of a record that is ignored, with the line that does it.
    #[must_use]
    pub fn check(&self, record: &Record<'_>) -> Option<Reject> {
        let Cause {
            section,
            entry,
            line,
        } = self.ignore.as_ref()?.find(record)?;
        let file = &self.file;
        Some(Reason::Policy.because(format!("{file}, line {line}: ignore.{section} {entry}")))
    }

    /// What the feed's column `warning` says of a record that is weakened: the section and the entry that do it.
    #[must_use]
    pub fn weakening(&self, record: &Record<'_>) -> Option<String> {
        self.weaken.iter().find_map(|(limit, section)| {
            let Cause { section, entry, .. } = section.find(record)?;
            // A line break there would end the row.
            Some(name_with_limit(
                &clean(&format!("{MARK}{section} {entry}")),
                *limit,
            ))
        })
    }

    /// Lets hits of what is in the lists that the file names be as strong as it says.
    ///
    /// # Errors
    /// [`Error::Policy`] for a list that there is not.
    pub fn limit_lists(&self, lists: &mut WarningLists) -> Result<(), Error> {
        for (limit, section) in &self.weaken {
            for (name, line) in section.lists() {
                if !lists.set_limit(name, *limit) {
                    let known: Vec<_> = lists.names().collect();
                    return Err(Error::Policy {
                        name: self.file.clone(),
                        problem: format!(
                            "line {line}: there is no warning list {name}, but {}",
                            known.join(", ")
                        ),
                    });
                }
            }
        }
        Ok(())
    }
}
