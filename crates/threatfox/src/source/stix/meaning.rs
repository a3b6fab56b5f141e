//! What a condition means for a hunt that looks for equal values: which of its values is an indicator by itself.
//!
//! Any one of several values is an indicator each. Of values that must come together only those are that say all: the hash of
//! a file, where all else is said of the file too, and an address with its own port beside it. Nothing else is guessed.

use super::pattern::{Condition, Path};
use crate::ioc::{Algorithm, IocType};
use crate::ip::network;
use crate::reject::{Reason, Reject};

/// The most addresses with ports from one condition.
const MAX_PAIRS: usize = 256;

/// The result of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A value to look for.
    Indicator {
        /// Its type; none where the value says it.
        ioc_type: Option<IocType>,
        value: String,
        port: String,
    },
    /// Something that cannot be looked for, and why.
    Not(Reject),
}

/// One of the alternatives of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Value(IocType, String),
    /// An address, a network or a name, and the end of the connection that it is.
    Peer(End, String),
    AtPort(String, String),
    Port(End, String),
    /// It says nothing that could be looked for, and nothing is lost without it.
    Aside,
    /// Something that cannot be looked for, why, and whether it is said of a file.
    Not {
        reject: Reject,
        of_file: bool,
    },
}

/// The end of a connection that a property speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Source,
    Destination,
}

impl Term {
    fn is_hash(&self) -> bool {
        matches!(self, Self::Value(IocType::Hash(_), _))
    }

    /// Whether it is said of a file, so that a hash of the file says it too.
    fn is_of_file(&self) -> bool {
        self.is_hash() || matches!(self, Self::Not { of_file: true, .. })
    }

    /// The address or network that this is at this port, where both are of the same end.
    fn at(&self, port: &Self) -> Option<Self> {
        let (value, Self::Port(end, port)) = (self, port) else {
            return None;
        };
        let value = match value {
            // Where no end is named, the address is the one that is connected to.
            Self::Value(IocType::IpPort, value) if *end == End::Destination => value,
            Self::Peer(of, value) if of == end => value,
            _ => return None,
        };
        // A hit on a name says nothing of the port.
        network(value).map(|_| Self::AtPort(value.clone(), port.clone()))
    }
}

/// Everything that a condition lets one look for, and what it does not.
pub(super) fn found_in(condition: &Condition) -> Vec<Found> {
    terms(condition).into_iter().map(found).collect()
}

fn found(term: Term) -> Found {
    match term {
        Term::Value(ioc_type, value) => Found::Indicator {
            ioc_type: Some(ioc_type),
            value,
            port: String::new(),
        },
        // The value says whether it is an address or a name.
        Term::Peer(_, value) => Found::Indicator {
            ioc_type: None,
            value,
            port: String::new(),
        },
        Term::AtPort(value, port) => Found::Indicator {
            ioc_type: None,
            value,
            port,
        },
        Term::Port(..) | Term::Aside => {
            Found::Not(Reason::Pattern.because("a port or protocol without an address"))
        }
        Term::Not { reject, .. } => Found::Not(reject),
    }
}

fn terms(condition: &Condition) -> Vec<Term> {
    match condition {
        Condition::Equal { path, values } => values.iter().map(|value| term(path, value)).collect(),
        Condition::Other { path, operator } => vec![Term::Not {
            reject: Reason::Pattern.because(format!("more than equal values: {operator}")),
            of_file: is_of_file(path),
        }],
        Condition::Any(any) => any.iter().flat_map(terms).collect(),
        Condition::All(all) => together(all.iter().map(terms).collect()),
    }
}

/// Values that must occur together.
fn together(mut all: Vec<Vec<Term>>) -> Vec<Term> {
    let every = |terms: &[Term], is: fn(&Term) -> bool| terms.iter().all(is);
    all.retain(|terms| !every(terms, |term| *term == Term::Aside));
    if all.len() < 2 {
        return all.pop().unwrap_or_else(|| vec![Term::Aside]);
    }
    let of_file = all.iter().all(|terms| every(terms, Term::is_of_file));
    if of_file && all.iter().any(|terms| every(terms, Term::is_hash)) {
        let hashes = all.into_iter().filter(|terms| every(terms, Term::is_hash));
        return hashes.flatten().collect();
    }
    all.sort_by_key(|terms| every(terms, |term| matches!(term, Term::Port(..))));
    if let [values, ports] = &all[..]
        && let Some(pairs) = pairs(values, ports)
    {
        return pairs;
    }
    vec![Term::Not {
        reject: why_not(all.into_iter().flatten()),
        of_file,
    }]
}

/// Why values that must occur together are not looked for.
fn why_not(mut terms: impl Iterator<Item = Term>) -> Reject {
    let more_than_equal = terms.find_map(|term| match term {
        Term::Not { reject, .. } if reject.reason == Reason::Pattern => Some(reject),
        _ => None,
    });
    more_than_equal.unwrap_or_else(|| Reason::Pattern.because("several conditions at once (AND)"))
}

/// Each of these addresses at each of these ports, if all of them go together.
fn pairs(values: &[Term], ports: &[Term]) -> Option<Vec<Term>> {
    if values.len() * ports.len() > MAX_PAIRS {
        return None;
    }
    let of_value = |value| ports.iter().map(move |port| Term::at(value, port));
    values.iter().flat_map(of_value).collect()
}

/// The meaning of a property with this value.
fn term(path: &Path, value: &str) -> Term {
    let steps: Vec<&str> = path.steps.iter().map(String::as_str).collect();
    let value_of = |ioc_type| Term::Value(ioc_type, value.to_owned());
    let peer = |end| Term::Peer(end, value.to_owned());
    let port = |end| Term::Port(end, value.to_owned());
    match (path.object.as_str(), &steps[..]) {
        ("ipv4-addr" | "ipv6-addr", ["value"]) => value_of(IocType::IpPort),
        ("domain-name", ["value"]) => value_of(IocType::Domain),
        ("url", ["value"]) => value_of(IocType::Url),
        ("network-traffic", ["dst_ref", "value"]) => peer(End::Destination),
        ("network-traffic", ["src_ref", "value"]) => peer(End::Source),
        ("network-traffic", ["dst_port"]) => port(End::Destination),
        ("network-traffic", ["src_port"]) => port(End::Source),
        ("network-traffic", ["protocols"] | ["dst_ref" | "src_ref", "type"]) => Term::Aside,
        ("file" | "artifact", ["hashes", name] | ["content_ref", "hashes", name])
        | ("process", ["binary_ref" | "image_ref", "hashes", name]) => match algorithm(name) {
            Some(algorithm) => value_of(IocType::Hash(algorithm)),
            None => unread(path),
        },
        _ => unread(path),
    }
}

fn unread(path: &Path) -> Term {
    Term::Not {
        reject: Reason::UnknownType.because(shown(path)),
        of_file: is_of_file(path),
    }
}

/// Whether a property is one of a file, be it the image of a process. The command line of a process is not: the hash of a shell
/// says nothing of what it is told.
fn is_of_file(path: &Path) -> bool {
    match path.object.as_str() {
        "file" | "artifact" => true,
        "process" => {
            let first = path.steps.first().map(String::as_str);
            matches!(first, Some("binary_ref" | "image_ref"))
        }
        _ => false,
    }
}

fn algorithm(name: &str) -> Option<Algorithm> {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    Algorithm::from_name(&name)
}

fn shown(path: &Path) -> String {
    let whole = format!("{}:{}", path.object, path.steps.join("."));
    crate::text::clean(&whole).chars().take(64).collect()
}

#[cfg(test)]
mod tests;
