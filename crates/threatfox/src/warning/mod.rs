//! Warning lists: what is in feeds by mistake, such as the addresses of content networks and public resolvers.
//!
//! A list is a JSON file of MISP's warning lists (misp-warninglists), and matches as MISP says: by its type (`cidr`,
//! `hostname`, `string`, `substring`, `regex`) what its `matching_attributes` name. What is in a list stays in the feed; the
//! feed's column `warning` names the lists, and so bounds the strength of hits: see [`limit`].

mod built_in;
mod list;
mod networks;
mod sets;
mod spelling;
mod warner;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use regex_lite::Regex;

use crate::error::Error;
use crate::rules::Strength;
use list::{Classes, Entries, List};
use networks::Networks;
use sets::{Set, Sets};
pub use warner::Warner;

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

/// A name of the column `warning` without its limit.
#[must_use]
pub fn without_limit(name: &str) -> &str {
    let mut ends = [MEDIUM, INFORMS].into_iter();
    ends.find_map(|end| name.strip_suffix(end)).unwrap_or(name)
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
        for (key, (name, path)) in files {
            let shown = path.display().to_string();
            let text = read_text(&path, &shown)?;
            let list = List::parse(&name, &text).map_err(|problem| wrong(&shown, &problem))?;
            lists.insert(key, list);
        }
        Self::of(lists)
    }

    /// The files of the lists in a folder.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::WarningList`] where two have one name.
    pub fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let files = files_in(folder)?.into_values();
        Ok(files.map(|(_, path)| path).collect())
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
                    // Without a URL among them they are not asked of URLs, which would cost time.
                    let takes = if texts.iter().any(|text| text.contains("://")) {
                        list.takes
                    } else {
                        list.takes.without(Classes::URL)
                    };
                    all.strings_take = all.strings_take.and(takes);
                    for text in texts {
                        if let Some(normal) = spelling::normal(&text) {
                            add(&mut all.strings, &mut all.sets, normal, number);
                        }
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

fn add(texts: &mut Texts, sets: &mut Sets, text: String, list: u16) {
    let set = texts.entry(text.into()).or_default();
    *set = sets.with(*set, list);
}

fn built_in() -> impl Iterator<Item = Result<(String, List), String>> {
    built_in::LISTS
        .into_iter()
        .map(|(name, text)| Ok((name.to_owned(), List::parse(name, text)?)))
}

/// The lists of a folder by their names in lower case, as the policy compares them: the names as written, and the files.
fn files_in(folder: &Path) -> Result<BTreeMap<String, (String, PathBuf)>, Error> {
    let io = |source| Error::Io {
        action: "read",
        path: folder.display().to_string(),
        source,
    };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let is_json = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("json"));
        let (name, file) = if path.is_dir() {
            (path.file_name(), path.join("list.json"))
        } else if is_json {
            (path.file_stem(), path.clone())
        } else {
            continue;
        };
        let Some(name) = name.filter(|_| file.is_file()) else {
            continue;
        };
        let name = name.to_string_lossy().into_owned();
        let key = name.to_lowercase();
        if let Some((_, other)) = files.insert(key, (name, file.clone())) {
            let problem = format!("{} has the same name", other.display());
            return Err(wrong(&file.display().to_string(), &problem));
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
