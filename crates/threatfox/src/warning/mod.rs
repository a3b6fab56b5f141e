//! Warning lists: what is in feeds by mistake, such as the addresses of content networks and public resolvers.
//!
//! A list is a JSON file of MISP's warning lists (misp-warninglists), and matches as MISP says: by its type (`cidr`,
//! `hostname`, `string`, `substring`, `regex`) what its `matching_attributes` name. What is in a list stays in the feed; the
//! feed's column `warning` names the lists, and so bounds the strength of hits: see [`limit`].

mod built_in;
mod list;
mod networks;
mod sets;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

use hashbrown::HashMap;
use regex_lite::Regex;

use crate::error::Error;
use crate::host::Host;
use crate::match_key::Kind;
use crate::rules::Strength;
use list::{Classes, Entries, List};
use networks::Networks;
use sets::{Set, Sets};

/// A list may have this many bytes, about a million entries.
const MAX_SIZE: u64 = 32 << 20;
/// All lists together may have this many entries.
const MAX_ENTRIES: usize = 2_000_000;
/// There may be this many lists.
const MAX_LISTS: usize = 512;

/// How a name in the column says that it does not weaken at all.
const INFORMS: &str = " (informs)";
/// How it says that hits are medium at most.
const MEDIUM: &str = " (medium)";

/// The strongest that a hit may be whose row in the feed has this in its column `warning`: weak, unless each name there
/// ends in ` (informs)` or ` (medium)`.
#[must_use]
pub fn limit(warning: &str) -> Strength {
    let limits = warning.split(';').filter(|name| !name.is_empty());
    limits
        .map(|name| match name {
            _ if name.ends_with(INFORMS) => Strength::Strong,
            _ if name.ends_with(MEDIUM) => Strength::Medium,
            _ => Strength::Weak,
        })
        .min()
        .unwrap_or(Strength::Strong)
}

/// A name for the column `warning`, where hits may be this strong at most.
#[must_use]
pub fn name_with_limit(name: &str, limit: Strength) -> String {
    let end = match limit {
        Strength::Weak => "",
        Strength::Medium => MEDIUM,
        Strength::Strong => INFORMS,
    };
    // What stands between names and around limits can't stand in one.
    name.replace([';', '(', ')'], " ").trim().to_owned() + end
}

/// All lists that are used, ready to be asked. The default has none.
#[derive(Debug, Clone, Default)]
pub struct WarningLists {
    lists: Vec<Known>,
    sets: Sets,
    networks: Networks,
    hostnames: Texts,
    /// Whether one of them has no dot.
    single_labels: bool,
    strings: Texts,
    /// What the lists of strings are for.
    strings_take: Classes,
    /// Which need a look at each entry.
    parts: Vec<(u16, Parts)>,
}

/// What is known of a list beside its entries.
#[derive(Debug, Clone)]
struct Known {
    name: String,
    /// The name as it stands in the column.
    text: String,
    takes: Classes,
}

/// Texts, each with the lists that it is in.
type Texts = HashMap<Box<str>, Set>;

#[derive(Debug, Clone)]
enum Parts {
    Substrings(Vec<String>),
    Pattern(Box<Regex>),
}

impl WarningLists {
    /// The lists that this program was built with, which are those in the folder `rules/warning_lists`.
    #[must_use]
    pub fn built_in() -> Self {
        // A test reads each, so that one with an error never gets here.
        Self::of(built_in().filter_map(Result::ok).collect()).unwrap_or_default()
    }

    /// The same, and those of a folder: `NAME.json`, or `NAME/list.json` as MISP has them. A list there takes the place
    /// of the built-in one of its name.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::WarningList`] for a file that is not a list, with its name, and for a folder without one.
    pub fn with_folder(folder: &Path) -> Result<Self, Error> {
        let mut lists: BTreeMap<_, _> = built_in().filter_map(Result::ok).collect();
        let files = files_in(folder)?;
        if files.is_empty() {
            let problem = "the folder holds neither NAME.json nor NAME/list.json";
            return Err(wrong(&folder.display().to_string(), problem));
        }
        for (name, path) in files {
            let shown = path.display().to_string();
            let text = read_text(&path, &shown)?;
            let list = List::parse(&name, &text).map_err(|problem| wrong(&shown, &problem))?;
            lists.insert(name, list);
        }
        Self::of(lists)
    }

    /// One list of this name and text.
    ///
    /// # Errors
    /// [`Error::WarningList`].
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let list = List::parse(name, text).map_err(|problem| wrong(name, &problem))?;
        Self::of([(name.to_owned(), list)].into())
    }

    fn of(lists: BTreeMap<String, List>) -> Result<Self, Error> {
        let too_many = |what, limit: usize| Error::TooLarge {
            what,
            limit: limit as u64,
        };
        if lists.len() > MAX_LISTS {
            return Err(too_many("warning lists", MAX_LISTS));
        }
        if lists.values().map(List::len).sum::<usize>() > MAX_ENTRIES {
            return Err(too_many("entries of warning lists", MAX_ENTRIES));
        }
        let mut all = Self::default();
        let mut networks = Vec::new();
        for (number, list) in (0..).zip(lists.into_values()) {
            let limit = if list.informs {
                Strength::Strong
            } else {
                Strength::Weak
            };
            all.lists.push(Known {
                text: name_with_limit(&list.name, limit),
                name: list.name,
                takes: list.takes,
            });
            match list.entries {
                Entries::Networks(nets) => {
                    networks.extend(nets.into_iter().map(|net| (net, number)));
                }
                Entries::Hostnames(names) => {
                    all.single_labels |= names.iter().any(|name| !name.contains('.'));
                    for name in names {
                        add(&mut all.hostnames, &mut all.sets, name, number);
                    }
                }
                Entries::Strings(texts) => {
                    all.strings_take = all.strings_take.and(list.takes);
                    for text in texts {
                        let lower = text.to_lowercase();
                        if lower != text {
                            add(&mut all.strings, &mut all.sets, text, number);
                        }
                        add(&mut all.strings, &mut all.sets, lower, number);
                    }
                }
                Entries::Substrings(texts) => all.parts.push((number, Parts::Substrings(texts))),
                Entries::Pattern(regex) => all.parts.push((number, Parts::Pattern(regex))),
            }
        }
        all.networks = Networks::new(&networks, &mut all.sets);
        Ok(all)
    }

    /// The names of the lists.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().map(|list| list.name.as_str())
    }

    /// Lets hits of what is in a list be this strong at most. `false` where there is no list of this name.
    pub fn set_limit(&mut self, name: &str, limit: Strength) -> bool {
        let list = self
            .lists
            .iter_mut()
            .find(|list| list.name.eq_ignore_ascii_case(name));
        list.is_some_and(|list| {
            list.text = name_with_limit(&list.name, limit);
            true
        })
    }
}

/// Asks the lists; its buffers serve all rows.
pub struct Warner<'l> {
    all: &'l WarningLists,
    found: Vec<u16>,
    text: String,
}

impl<'l> Warner<'l> {
    /// One that asks these lists.
    #[must_use]
    pub fn new(all: &'l WarningLists) -> Self {
        Self {
            all,
            found: Vec::new(),
            text: String::new(),
        }
    }

    /// What stands in the column `warning` of a key: the lists that it is in, and what the policy says of it, if anything.
    /// Names have `;` between.
    pub fn warning(&mut self, kind: Kind, key: &str, policy: &str) -> &str {
        self.found.clear();
        self.text.clear();
        self.find(kind, key);
        self.found.sort_unstable();
        self.found.dedup();
        let lists = self
            .found
            .iter()
            .map(|n| &*self.all.lists[usize::from(*n)].text);
        let policy = Some(policy).filter(|text| !text.is_empty());
        for name in lists.chain(policy) {
            if !self.text.is_empty() {
                self.text.push(';');
            }
            self.text.push_str(name);
        }
        &self.text
    }

    fn find(&mut self, kind: Kind, key: &str) {
        let value = key.strip_prefix(kind.prefix()).unwrap_or(key);
        match kind {
            Kind::Ip => self.address(key),
            Kind::UrlHost if is_address(key) => self.address(key),
            Kind::Domain | Kind::UrlHost => self.host(key),
            Kind::Url => {
                if let Some(host) = host_of(value) {
                    self.names(host, Classes::URL);
                }
                self.texts(value, Classes::URL);
            }
            Kind::Md5 | Kind::Sha1 | Kind::Sha256 => self.texts(value, Classes::hash(kind)),
        }
    }

    fn address(&mut self, text: &str) {
        if let Ok(ip) = text.parse::<IpAddr>() {
            self.take(self.all.networks.find(ip), Classes::ADDRESS);
        }
        self.texts(text, Classes::ADDRESS);
    }

    fn host(&mut self, name: &str) {
        self.names(name, Classes::HOST);
        self.texts(name, Classes::HOST);
    }

    /// The lists of host names that have a name, or one above it.
    fn names(&mut self, name: &str, class: Classes) {
        if name.is_ascii() {
            return self.ascii_names(name, class);
        }
        if let Ok(host) = Host::parse(name) {
            self.ascii_names(host.as_str(), class);
        }
    }

    fn ascii_names(&mut self, name: &str, class: Classes) {
        let all = self.all;
        // The top-level domain alone is hardly ever in a list.
        let end = match memchr::memrchr(b'.', name.as_bytes()) {
            _ if all.single_labels => name.len(),
            dot => dot.unwrap_or(0),
        };
        let after_dots = memchr::memchr_iter(b'.', &name.as_bytes()[..end]).map(|dot| dot + 1);
        for start in std::iter::once(0)
            .chain(after_dots)
            .filter(|start| *start < end)
        {
            if let Some(set) = all.hostnames.get(&name[start..]) {
                self.take(*set, class);
            }
        }
    }

    /// The lists that have a value as a whole, or part of it.
    fn texts(&mut self, value: &str, class: Classes) {
        let all = self.all;
        if all.strings_take.meets(class)
            && let Some(set) = all.strings.get(value)
        {
            self.take(*set, class);
        }
        for (number, parts) in &all.parts {
            if !all.lists[usize::from(*number)].takes.meets(class) {
                continue;
            }
            let found = match parts {
                Parts::Substrings(texts) => texts.iter().any(|text| value.contains(text)),
                Parts::Pattern(regex) => regex.is_match(value),
            };
            if found {
                self.found.push(*number);
            }
        }
    }

    /// Notes those lists of a set that are for this class.
    fn take(&mut self, set: Set, class: Classes) {
        let lists = self.all.sets.lists(set).iter();
        let known = &self.all.lists;
        self.found
            .extend(lists.filter(|n| known[usize::from(**n)].takes.meets(class)));
    }
}

fn add(texts: &mut Texts, sets: &mut Sets, text: String, list: u16) {
    let set = texts.entry(text.into()).or_default();
    *set = sets.with(*set, list);
}

/// Whether the host of a URL is an address: a top-level domain has no digit at its end.
fn is_address(host: &str) -> bool {
    host.contains(':') || host.ends_with(|c: char| c.is_ascii_digit())
}

/// The host name of a URL in its normal form.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let host = &rest[..end];
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    Some(host.trim_end_matches('.')).filter(|host| !is_address(host) && !host.starts_with('['))
}

fn built_in() -> impl Iterator<Item = Result<(String, List), String>> {
    built_in::LISTS
        .into_iter()
        .map(|(name, text)| Ok((name.to_owned(), List::parse(name, text)?)))
}

/// The lists of a folder: their names and files.
fn files_in(folder: &Path) -> Result<BTreeMap<String, std::path::PathBuf>, Error> {
    let io = |source| Error::Io {
        action: "read",
        path: folder.display().to_string(),
        source,
    };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let is_json = path.extension().is_some_and(|end| end == "json");
        let (name, file) = if path.is_dir() {
            (path.file_name(), path.join("list.json"))
        } else if is_json {
            (path.file_stem(), path.clone())
        } else {
            continue;
        };
        if file.is_file()
            && let Some(name) = name
        {
            files.insert(name.to_string_lossy().into_owned(), file);
        }
    }
    Ok(files)
}

fn read_text(path: &Path, shown: &str) -> Result<String, Error> {
    let io = |source| Error::Io {
        action: "read",
        path: shown.to_owned(),
        source,
    };
    let file = fs::File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(MAX_SIZE + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(wrong(shown, "it is larger than the bound of 32 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| wrong(shown, "it is not UTF-8"))
}

fn wrong(name: &str, problem: &str) -> Error {
    Error::WarningList {
        name: name.to_owned(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests;
