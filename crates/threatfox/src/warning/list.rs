//! One warning list, read from MISP's JSON.

use ipnet::IpNet;
use regex_lite::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::host::{Host, NotAHost};
use crate::ip::network;
use crate::match_key::Kind;

/// A pattern, and all patterns of a list together, may take this many bytes compiled.
const MAX_PATTERNS: usize = 2 << 20;
/// An entry may have this many bytes.
const MAX_ENTRY: usize = 4096;

/// A list that was read.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// Its short name: that of its file.
    pub name: String,
    /// Whether it informs only: MISP's category `known`, and `sinkholes`, which has none yet.
    pub informs: bool,
    /// What its entries are held against.
    pub takes: Classes,
    pub entries: Entries,
}

/// The entries, by the list's type.
#[derive(Debug, Clone)]
pub(super) enum Entries {
    /// `cidr`: networks and addresses.
    Networks(Vec<IpNet>),
    /// `hostname`: names that stand for all below them too.
    Hostnames(Vec<String>),
    /// `string`: whole values.
    Strings(Vec<String>),
    /// `substring`: parts of values.
    Substrings(Vec<String>),
    /// `regex`: one for all patterns.
    Pattern(Box<Regex>),
}

/// What a value is, as far as `matching_attributes` tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Classes(u8);

impl Classes {
    pub const ADDRESS: Self = Self(1);
    pub const HOST: Self = Self(2);
    pub const URL: Self = Self(4);
    const ALL: Self = Self(u8::MAX);

    /// The class of hashes of a kind.
    pub fn hash(kind: Kind) -> Self {
        match kind {
            Kind::Md5 => Self(8),
            Kind::Sha1 => Self(16),
            Kind::Sha256 => Self(32),
            _ => Self(0),
        }
    }

    /// The classes of an attribute of MISP: `ip-dst|port` is an address, `filename|md5` an MD5. Others can't be in a feed.
    fn of_attribute(name: &str) -> Self {
        name.split('|').fold(Self(0), |classes, part| {
            classes.and(match part {
                "ip-src" | "ip-dst" | "ip" => Self::ADDRESS,
                "domain" | "hostname" => Self::HOST,
                "url" | "uri" | "link" => Self::URL,
                "md5" | "malware-sample" => Self::hash(Kind::Md5),
                "sha1" => Self::hash(Kind::Sha1),
                "sha256" => Self::hash(Kind::Sha256),
                "ALL" => Self::ALL,
                _ => Self(0),
            })
        })
    }

    /// Both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All but those.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether one of these classes is among the others.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A list as MISP writes it. What it says beside this is for people.
#[derive(Deserialize)]
struct Written {
    r#type: String,
    list: Vec<String>,
    #[serde(default)]
    matching_attributes: Vec<String>,
    #[serde(default)]
    category: String,
}

impl List {
    /// Reads the text of a list of this name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            return Err("its name is not made of up to 64 letters, digits, -, _ and .".to_owned());
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let written: Written = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let fit = |entry: &&String| entry.trim().is_empty() || entry.len() > MAX_ENTRY;
        if let Some(entry) = written.list.iter().find(fit) {
            return Err(format!(
                "an entry of {} bytes: 1 to {MAX_ENTRY} are allowed",
                entry.len()
            ));
        }
        let attributes = written.matching_attributes.iter();
        let takes = attributes
            .map(|name| Classes::of_attribute(name))
            .reduce(Classes::and);
        Ok(Self {
            name: name.to_owned(),
            informs: written.category == "known" || name == "sinkholes",
            // As MISP does.
            takes: takes.unwrap_or(Classes::ALL),
            entries: Entries::of(&written.r#type, &written.list)?,
        })
    }

    /// The number of entries; patterns count as one.
    pub fn len(&self) -> usize {
        match &self.entries {
            Entries::Networks(list) => list.len(),
            Entries::Hostnames(list) | Entries::Strings(list) | Entries::Substrings(list) => {
                list.len()
            }
            Entries::Pattern(_) => 1,
        }
    }
}

impl Entries {
    fn of(kind: &str, list: &[String]) -> Result<Self, String> {
        Ok(match kind {
            "cidr" => {
                let nets = list.iter().map(|entry| {
                    let net = network(entry.trim());
                    net.ok_or_else(|| format!("{entry:?} is neither an address nor a network"))
                });
                Self::Networks(nets.collect::<Result<_, _>>()?)
            }
            "hostname" => {
                let names = list.iter().map(|entry| hostname(entry));
                Self::Hostnames(names.collect::<Result<_, _>>()?)
            }
            "string" => Self::Strings(list.iter().map(|text| text.trim().to_owned()).collect()),
            "substring" => {
                let parts = list.iter().map(|part| part.trim().to_lowercase());
                Self::Substrings(parts.collect())
            }
            "regex" => Self::Pattern(Box::new(one_pattern(list)?)),
            other => {
                let other: String = crate::text::clean(other).chars().take(40).collect();
                return Err(format!(
                    "the type {other:?} is not cidr, hostname, string, substring or regex"
                ));
            }
        })
    }
}

/// A name as it is looked up: in A-labels, without a dot or `*.` before it, as it stands for all below it anyway. What can
/// be no name would match nothing, and nobody would notice.
fn hostname(entry: &str) -> Result<String, String> {
    let name = entry.trim();
    let name = name.strip_prefix("*.").unwrap_or(name).trim_matches('.');
    match Host::parse(name) {
        Ok(host) => return Ok(host.as_str().to_owned()),
        Err(NotAHost::SingleLabel) => {
            if let Ok(label) = idna::domain_to_ascii(name) {
                return Ok(label);
            }
        }
        Err(_) if network(name).is_some() => {
            return Err(format!(
                "{entry:?} is an address, which only a list of the type cidr matches"
            ));
        }
        Err(_) => {}
    }
    Err(format!("{entry:?} is not a host name"))
}

/// One regular expression for all of a list: some programs' time grows with their number. Each is read alone first, so
/// that a bracket that is open in one is not closed by another.
fn one_pattern(list: &[String]) -> Result<Regex, String> {
    let mut whole = String::new();
    for entry in list {
        let pattern = without_delimiters(entry.trim())?;
        compiled(&pattern).map_err(|error| format!("the pattern {entry:?}: {error}"))?;
        if !whole.is_empty() {
            whole.push('|');
        }
        whole.push_str(&pattern);
    }
    if list.is_empty() {
        // Nothing is before the beginning.
        "a^".clone_into(&mut whole);
    }
    compiled(&whole).map_err(|error| format!("its patterns together: {error}"))
}

fn compiled(pattern: &str) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(pattern).size_limit(MAX_PATTERNS).build()
}

/// A pattern as PHP has it, such as `/evil\.example$/i`, as a group. One without delimiters is taken as it is.
fn without_delimiters(entry: &str) -> Result<String, String> {
    let delimiter = entry.chars().next().unwrap_or('/');
    let (pattern, flags) = match entry.rfind(delimiter) {
        Some(end) if end > 0 && "/#~@!%".contains(delimiter) => (&entry[1..end], &entry[end + 1..]),
        _ => (entry, ""),
    };
    if let Some(other) = flags.chars().find(|flag| !"imsxuU".contains(*flag)) {
        return Err(format!(
            "the pattern {entry:?}: the flag {other:?} is not known"
        ));
    }
    let flags: String = flags
        .chars()
        .filter(|flag| "imsxU".contains(*flag))
        .collect();
    // With x, a comment at the pattern's end goes on to the end of the line.
    let end = if flags.contains('x') { "\n" } else { "" };
    Ok(format!("(?{flags}:{pattern}{end})"))
}
