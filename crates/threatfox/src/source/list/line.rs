//! What stands on a line of a list: its indicators, as people write them, and a remark, which is passed over.
//!
//! Several indicators count only if nothing else is on the line, except a marked remark. A word that is not an indicator
//! makes everything after the first indicator a remark: in `203.0.113.7 resolves to github.example` nobody wants the second.

use std::net::Ipv6Addr;

use crate::ioc::IocType;
use crate::reject::{Reason, Reject};
use crate::value::{refang, type_value};

/// An indicator, or what should be one.
pub(in crate::source) struct Item<'a> {
    /// As it is written.
    pub text: &'a str,
    /// Its type and the texts of its records.
    pub value: Value,
}

type Value = Result<(IocType, Vec<String>), Reject>;

/// The addresses in front of the names in a hosts file: they say that a name leads nowhere.
const NOWHERE: [&str; 4] = ["0.0.0.0", "127.0.0.1", "::", "::1"];

impl Item<'_> {
    /// What is of no use, such as an onion name or a file's name, is an indicator too: it is counted as left out.
    pub fn is_indicator(&self) -> bool {
        !self.is_rejected_as(Reason::BadDomain)
    }

    pub fn is_url(&self) -> bool {
        matches!(self.value, Ok((IocType::Url, _)))
    }

    fn is_rejected_as(&self, reason: Reason) -> bool {
        matches!(&self.value, Err(reject) if reject.reason == reason)
    }
}

/// The indicators of a line, or its first word and why that is not one. Nothing for an empty line or a comment.
pub(in crate::source) fn read(line: &str) -> Vec<Item<'_>> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.starts_with(['#', ';']) || line.starts_with("//") {
        return Vec::new();
    }
    let bullet = |c: char| matches!(c, '-' | '*' | '•' | '–' | '>') || c.is_whitespace();
    let mut text = line.trim_start_matches(bullet);
    // The star of `*.evil.example` is not a bullet.
    if text.starts_with('.') && line.ends_with(&["*", text].concat()) {
        text = &line[line.len() - text.len() - 1..];
    }
    let words = words(text.trim_matches(is_quote));
    let Some((first, others)) = words.split_first() else {
        return Vec::new();
    };
    if NOWHERE.contains(first) && others.first().is_some_and(|word| is_name(&value(word))) {
        return others.iter().map(|word| item(word)).collect();
    }
    let mut items = vec![item(first)];
    if !items[0].is_indicator() {
        // All of it, so that it is found again.
        items[0].text = line;
        return items;
    }
    let after_hash = matches!(items[0].value, Ok((IocType::Hash(_), _)));
    items.extend(others.iter().map(|word| item(word)));
    let no_remark = items[1..].iter().all(|item| {
        let file = item.is_rejected_as(Reason::FileName) || after_hash && is_name(&item.value);
        item.is_indicator() && !file
    });
    if !no_remark {
        items.truncate(1);
    }
    items
}

/// The words up to the sign of a remark, such as `#`, `//`, `(`, a dash or an arrow.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    // None of these can stand in a URL.
    let ends = |c: char| c.is_whitespace() || matches!(c, '|' | '"' | '<' | '>');
    for chunk in text.split(ends).filter(|chunk| !chunk.is_empty()) {
        let sign = chunk.starts_with(['#', '(']) || chunk.starts_with("//");
        let dash = |c: char| matches!(c, '-' | '–' | '—' | '=' | '→');
        if sign || chunk.chars().all(dash) {
            break;
        }
        split(chunk, &mut words);
    }
    words
}

/// Splits at commas and semicolons. Both can stand in a URL: there only what is clearly another indicator begins anew.
fn split<'a>(chunk: &'a str, words: &mut Vec<&'a str>) {
    let mut rest = chunk;
    while !rest.is_empty() {
        let end = rest.find(is_comma).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        let after = after.get(1..).unwrap_or_default();
        let whole = is_url(piece) && !begins_anew(piece, after);
        let word = if whole { rest } else { piece };
        let word = without_stop(word.trim_matches(is_quote));
        if !word.is_empty() {
            words.push(word);
        }
        rest = if whole { "" } else { after };
    }
}

/// Without the punctuation behind it. Two colons can end an IPv6 address.
fn without_stop(word: &str) -> &str {
    let bare = word.trim_end_matches(['.', ',', ';', ':']);
    let colons = bare.len() + 2;
    match word.get(..colons) {
        Some(address) if refang(address).parse::<Ipv6Addr>().is_ok() => address,
        _ => bare,
    }
}

/// Whether what follows the comma behind a URL is no part of it: another URL, addresses or hashes. Those may be meant for a
/// query.
fn begins_anew(url: &str, after: &str) -> bool {
    let mut pieces = after
        .split(is_comma)
        .map(|piece| piece.trim_matches(is_quote));
    let next = after.split(is_comma).next().unwrap_or_default();
    if refang(next).contains("://") {
        return true;
    }
    let strong = |text| matches!(value(text), Ok((IocType::IpPort | IocType::Hash(_), _)));
    !url.contains('?') && pieces.all(|piece| piece.is_empty() || strong(piece))
}

fn item(text: &str) -> Item<'_> {
    Item {
        text,
        value: value(text),
    }
}

fn value(text: &str) -> Value {
    type_value(&refang(text))
}

fn is_name(value: &Value) -> bool {
    matches!(value, Ok((IocType::Domain, _)))
}

fn is_url(text: &str) -> bool {
    matches!(value(text), Ok((IocType::Url, _)))
}

fn is_comma(c: char) -> bool {
    matches!(c, ',' | ';')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '<' | '>' | '|' | ',' | ';') || c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of all records of a line; of a word that is none, its reason.
    fn texts(line: &str) -> Vec<String> {
        let of = |item: Item<'_>| match item.value {
            Ok((_, texts)) => texts,
            Err(reject) => vec![reject.reason.name().to_owned()],
        };
        read(line).into_iter().flat_map(of).collect()
    }

    #[test]
    fn a_line_is_read_as_people_write_it() {
        for (line, value) in [
            ("- hxxp://evil[.]example/x", "http://evil.example/x"),
            ("  * 203.0.113[.]7:443,", "203.0.113.7:443"),
            ("`evil[.]example`", "evil.example"),
            ("<http://evil.example/x>", "http://evil.example/x"),
            ("evil[.]example.", "evil.example"),
            ("203[.]0[.]113[.]7 (C2 of the loader)", "203.0.113.7"),
            ("evil.example;seen on Monday", "evil.example"),
            ("203.0.113.0/29", "203.0.113.0/29"),
            ("*.evil.example", "*.evil.example"),
            ("* *.evil[.]example", "*.evil.example"),
            ("what a day", "bad_domain"),
            ("svchost.exe", "file_name"),
        ] {
            assert_eq!(texts(line), [value], "{line}");
        }
        for line in ["# evil.example", "// remark", "", " - ", "\u{feff}", "; x"] {
            assert_eq!(read(line).len(), 0, "{line}");
        }
    }

    #[test]
    fn two_colons_at_the_end_of_an_ipv6_address_are_no_punctuation() {
        for line in [
            "2001:db8:1::",
            "2001[:]db8:1::",
            "- 2001:db8:1::, # seen",
            "2001:db8:1:::",
            "2001:db8:1::. (C2)",
        ] {
            assert_eq!(texts(line), ["[2001:db8:1::]"], "{line}");
        }
        assert_eq!(texts("2001:db8:1::5:"), ["[2001:db8:1::5]"]);
        assert_eq!(texts("203.0.113.7:"), ["203.0.113.7"]);
        assert_eq!(texts("http://a.example/x::"), ["http://a.example/x"]);
    }

    #[test]
    fn what_cannot_be_read_is_shown_as_the_line_stands() {
        for line in ["* .evil.example", "- what a day", "*.evil.example/x"] {
            assert_eq!(read(line)[0].text, line);
        }
    }

    #[test]
    fn a_url_ends_where_a_remark_begins() {
        for remark in [
            "\tC2 server",
            " # C2",
            " (dropper)",
            " - seen 2026",
            " // note",
            " ; note",
            " -> 1.2.3.4",
            "|mirai",
            " | mirai",
            ", mirai",
            ",",
            "  203.0.113.7 was its address",
        ] {
            let line = format!("http://a.example/x{remark}");
            assert_eq!(texts(&line), ["http://a.example/x"], "{line}");
        }
    }

    #[test]
    fn a_comma_or_a_semicolon_can_stand_in_a_url() {
        for url in [
            "http://a.example/x,mirai",
            "http://a.example/x;jsessionid=1",
            "http://a.example/a,index.html",
            "http://a.example/?of=203.0.113.6,203.0.113.7",
        ] {
            assert_eq!(texts(url), [url]);
        }
    }

    #[test]
    fn each_of_several_indicators_is_one() {
        let both = ["203.0.113.21", "203.0.113.22"];
        for line in [
            "203.0.113.21, 203.0.113.22",
            "203.0.113.21 203.0.113.22",
            "203.0.113.21\t203.0.113.22",
            "203.0.113.21;203.0.113.22",
            "203.0.113.21|203.0.113.22",
            "- 203.0.113.21, 203.0.113.22 # two of them",
            "203.0.113.21, 203.0.113.22 (both in use)",
        ] {
            assert_eq!(texts(line), both, "{line}");
        }
        assert_eq!(
            texts("evil.example,203.0.113.6"),
            ["evil.example", "203.0.113.6"]
        );
        assert_eq!(
            texts("http://a.example/x,http://b.example/y,203.0.113.6"),
            ["http://a.example/x", "http://b.example/y", "203.0.113.6"]
        );
        assert_eq!(texts("203.0.113.7 abc.onion"), ["203.0.113.7", "onion"]);
    }

    #[test]
    fn what_a_remark_names_is_no_indicator() {
        let md5 = "6a255bebf3dbcd13585538ed47dbafd7";
        for (line, value) in [
            ("203.0.113.7 resolves to github.com", "203.0.113.7"),
            ("203.0.113.7 loader.dll", "203.0.113.7"),
            ("203.0.113.7 run.ps1", "203.0.113.7"),
            ("203.0.113.7,Loader,github.com", "203.0.113.7"),
            (&format!("{md5}  setup.py"), md5),
        ] {
            assert_eq!(texts(line), [value], "{line}");
        }
    }

    #[test]
    fn a_hosts_file_gives_its_names() {
        for line in [
            "0.0.0.0 a.example b.example",
            "127.0.0.1\ta.example  b.example # ads",
            "::  a.example b.example",
        ] {
            assert_eq!(texts(line), ["a.example", "b.example"], "{line}");
        }
        assert_eq!(texts("127.0.0.1 localhost"), ["127.0.0.1"]);
        assert_eq!(texts("::"), ["[::]"]);
        assert_eq!(texts("0.0.0.0 a.example -bad"), ["a.example", "bad_domain"]);
    }
}
