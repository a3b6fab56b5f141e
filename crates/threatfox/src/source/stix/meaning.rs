//! What a condition means for a hunt that looks for equal values: which of its values is an indicator by itself.
//!
//! Any one of several values is an indicator each. Of values that must come together only those are that say all: the hash of
//! a file, whatever else is said of it, and an address with the port beside it. Nothing else is guessed.

use super::pattern::{Condition, Path};
use crate::ioc::{Algorithm, IocType};
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
    Value(Option<IocType>, String),
    AtPort(String, String),
    Port(String),
    /// It says nothing that could be looked for, and nothing is lost without it.
    Aside,
    Unread(String),
    Not(String),
}

/// Everything that a condition lets one look for, and what it does not.
pub(super) fn found_in(condition: &Condition) -> Vec<Found> {
    terms(condition).into_iter().map(found).collect()
}

fn found(term: Term) -> Found {
    match term {
        Term::Value(ioc_type, value) => Found::Indicator {
            ioc_type,
            value,
            port: String::new(),
        },
        Term::AtPort(value, port) => Found::Indicator {
            ioc_type: None,
            value,
            port,
        },
        Term::Port(_) | Term::Aside => {
            Found::Not(Reason::Pattern.because("a port or protocol without an address"))
        }
        Term::Unread(path) => Found::Not(Reason::UnknownType.because(path)),
        Term::Not(why) => Found::Not(Reason::Pattern.because(why)),
    }
}

fn terms(condition: &Condition) -> Vec<Term> {
    match condition {
        Condition::Equal { path, values } => values.iter().map(|value| term(path, value)).collect(),
        Condition::Other { operator } => {
            vec![Term::Not(format!("more than equal values: {operator}"))]
        }
        Condition::Any(any) => any.iter().flat_map(terms).collect(),
        Condition::All(all) => together(all.iter().map(terms).collect()),
    }
}

/// Values that must occur together.
fn together(all: Vec<Vec<Term>>) -> Vec<Term> {
    let every = |terms: &[Term], is: fn(&Term) -> bool| terms.iter().all(is);
    if let Some(not) = all
        .iter()
        .flatten()
        .find(|term| matches!(term, Term::Not(_)))
    {
        return vec![not.clone()];
    }
    let is_hash = |term: &Term| matches!(term, Term::Value(Some(IocType::Hash(_)), _));
    if all.iter().any(|terms| every(terms, is_hash)) {
        let hashes = all.into_iter().filter(|terms| every(terms, is_hash));
        return hashes.flatten().collect();
    }
    let is_aside = |term: &Term| *term == Term::Aside;
    let mut rest: Vec<Vec<Term>> = all
        .into_iter()
        .filter(|terms| !every(terms, is_aside))
        .collect();
    if rest.len() < 2 {
        return rest.pop().unwrap_or_else(|| vec![Term::Aside]);
    }
    let is_port = |term: &Term| matches!(term, Term::Port(_));
    rest.sort_by_key(|terms| every(terms, is_port));
    if let [values, ports] = &rest[..]
        && every(ports, is_port)
        && every(values, |term| matches!(term, Term::Value(..)))
        && values.len() * ports.len() <= MAX_PAIRS
    {
        return pairs(values, ports);
    }
    vec![Term::Not("several conditions at once (AND)".to_owned())]
}

fn pairs(values: &[Term], ports: &[Term]) -> Vec<Term> {
    let mut pairs = Vec::new();
    for value in values {
        for port in ports {
            if let (Term::Value(_, value), Term::Port(port)) = (value, port) {
                pairs.push(Term::AtPort(value.clone(), port.clone()));
            }
        }
    }
    pairs
}

/// The meaning of a property with this value.
fn term(path: &Path, value: &str) -> Term {
    let steps: Vec<&str> = path.steps.iter().map(String::as_str).collect();
    let value_of = |ioc_type| Term::Value(ioc_type, value.to_owned());
    match (path.object.as_str(), &steps[..]) {
        ("ipv4-addr" | "ipv6-addr", ["value"]) => value_of(Some(IocType::IpPort)),
        ("domain-name", ["value"]) => value_of(Some(IocType::Domain)),
        ("url", ["value"]) => value_of(Some(IocType::Url)),
        // The value says whether it is an address or a name.
        ("network-traffic", ["dst_ref" | "src_ref", "value"]) => value_of(None),
        ("network-traffic", ["dst_port" | "src_port"]) => Term::Port(value.to_owned()),
        ("network-traffic", ["protocols"] | ["dst_ref" | "src_ref", "type"]) => Term::Aside,
        ("file" | "artifact", ["hashes", name] | ["content_ref", "hashes", name])
        | ("process", ["binary_ref" | "image_ref", "hashes", name]) => match algorithm(name) {
            Some(algorithm) => value_of(Some(IocType::Hash(algorithm))),
            None => Term::Unread(shown(path)),
        },
        _ => Term::Unread(shown(path)),
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
mod tests {
    use super::super::pattern::{NotAPattern, Pattern, parse};
    use super::*;

    /// What is looked for, in short; what is not in parentheses.
    fn read(text: &str) -> String {
        let conditions = match parse(text) {
            Ok(Pattern::Observations(conditions)) => conditions,
            Ok(Pattern::Several(why)) => return format!("several: {why}"),
            Err(NotAPattern(problem)) => return format!("no pattern: {problem}"),
        };
        let found = conditions
            .iter()
            .flat_map(found_in)
            .map(|found| match found {
                Found::Indicator { value, port, .. } if port.is_empty() => value,
                Found::Indicator { value, port, .. } => format!("{value} at {port}"),
                Found::Not(reject) => format!("({reject})"),
            });
        found.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn any_one_of_several_values_is_an_indicator() {
        for (pattern, found) in [
            ("[ipv4-addr:value = '203.0.113.7']", "203.0.113.7"),
            (
                "[domain-name:value = 'a.example' OR ipv4-addr:value = '203.0.113.7']",
                "a.example, 203.0.113.7",
            ),
            (
                "[url:value IN ('http://a.example/x', 'http://b.example/')]",
                "http://a.example/x, http://b.example/",
            ),
            (
                "[url:value='http://a.example/it\\'s\\\\x']",
                r"http://a.example/it's\x",
            ),
            (
                "([domain-name:value == 'a.example'] OR [domain-name:value='b.example'])",
                "a.example, b.example",
            ),
            (
                "[ipv4-addr:value ISSUBSET '203.0.113.0/24']",
                "203.0.113.0/24",
            ),
            (
                "[file:hashes.'SHA-256' = 'aa' OR file:hashes.md5 = 'bb']",
                "aa, bb",
            ),
            (
                "[file:name = 'x' OR domain-name:value = 'a.example']",
                "(unknown type: file:name), a.example",
            ),
        ] {
            assert_eq!(read(pattern), found, "{pattern}");
        }
    }

    #[test]
    fn what_must_come_together_is_an_indicator_where_one_part_says_all() {
        for (pattern, found) in [
            (
                "[file:hashes.MD5 = 'aa' AND file:hashes.'SHA-1' = 'bb']",
                "aa, bb",
            ),
            ("[file:name = 'x.exe' AND file:hashes.MD5 = 'aa']", "aa"),
            (
                "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 443]",
                "203.0.113.7 at 443",
            ),
            (
                "[(ipv4-addr:value = '203.0.113.7' OR ipv4-addr:value = '203.0.113.8') AND network-traffic:dst_port IN (80, 443)]",
                "203.0.113.7 at 80, 203.0.113.7 at 443, 203.0.113.8 at 80, 203.0.113.8 at 443",
            ),
            (
                "[domain-name:value = 'a.example' AND ipv4-addr:value = '203.0.113.7']",
                "(pattern: several conditions at once (AND))",
            ),
            (
                "[x509-certificate:issuer = 'CN=WEBMAIL' AND x509-certificate:serial_number = '4c']",
                "(pattern: several conditions at once (AND))",
            ),
            (
                "[network-traffic:dst_port = 443]",
                "(pattern: a port or protocol without an address)",
            ),
        ] {
            assert_eq!(read(pattern), found, "{pattern}");
        }
    }

    #[test]
    fn what_asks_for_more_than_equal_values_is_not_guessed() {
        for (pattern, found) in [
            (
                "[url:value LIKE 'http://%.example/']",
                "(pattern: more than equal values: LIKE)",
            ),
            (
                "[domain-name:value NOT = 'a.example']",
                "(pattern: more than equal values: NOT =)",
            ),
            (
                "[domain-name:value != 'a.example']",
                "(pattern: more than equal values: !=)",
            ),
            (
                "[EXISTS file:name]",
                "(pattern: more than equal values: EXISTS)",
            ),
            (
                "[file:hashes.MD5 = 'aa' AND file:size > 25]",
                "(pattern: more than equal values: >)",
            ),
            (
                "[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.7']",
                "several: it asks for several observations (FOLLOWEDBY)",
            ),
            (
                "[domain-name:value = 'a.example'] REPEATS 5 TIMES WITHIN 30 SECONDS",
                "several: it asks for several observations (WITHIN, REPEATS)",
            ),
            (
                "[domain-name:value = 'a.example'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
                "several: it asks for observations at some time (START)",
            ),
            (
                "[x509-certificate:hashes.'SHA-1' = 'aa']",
                "(unknown type: x509-certificate:hashes.SHA-1)",
            ),
        ] {
            assert_eq!(read(pattern), found, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_told_with_the_place() {
        for (text, problem) in [
            ("", "the end where \"[\" should be"),
            ("[domain-name:value = 'a]", "a quote is not closed"),
            ("[domain-name:value]", "\"]\" where an operator should be"),
            ("[domain-name:value = 'a'", "the end where \"]\" should be"),
            (
                "[domain-name:value = 'a'] x",
                "\"x\" where the end should be",
            ),
            (
                "[value = 'a']",
                "\"value\" where a property such as ipv4-addr:value should be",
            ),
            (
                "[domain-name:value IN ('a', )]",
                "\")\" where a value should be",
            ),
            ("[domain-name:value = 'a'] REPEATS", "the end where the end"),
        ] {
            let read = read(text);
            let expected = format!("no pattern: {problem}");
            assert!(
                read == expected || problem.ends_with("the end") && read.starts_with("several"),
                "{text}: {read}"
            );
        }
    }

    #[test]
    fn parentheses_without_end_cost_no_stack() {
        for text in ["(".repeat(65_000), "[".to_owned() + &"(".repeat(65_000)] {
            assert_eq!(read(&text), "no pattern: parentheses more than 64 deep");
        }
        let inside = "(".repeat(60) + "domain-name:value = 'a'" + &")".repeat(60);
        assert_eq!(read(&format!("[{inside}]")), "a");
        assert!(read(&"x".repeat(70_000)).contains("64 KiB"));
    }
}
