//! The words of a running text: names with a dot, and addresses, which may have a port behind them.

use super::text::{is_separator, schemes};
use super::url::is_of_ipv6;
use super::{Buffers, Observer, is_space};

/// A port has at most so many digits.
const MAX_PORT: usize = 5;

impl Buffers {
    pub(super) fn words(&mut self, text: &str, observer: &mut dyn Observer) {
        let (mut from, mut to) = (
            std::mem::take(&mut self.text),
            std::mem::take(&mut self.again),
        );
        let mut text = text;
        if without_urls(text, &mut from) {
            text = &from;
        }
        if with_ports_of_webdav(text, &mut to) {
            std::mem::swap(&mut from, &mut to);
            text = &from;
        }
        if with_ports_behind_spaces(text, &mut to) {
            text = &to;
        }
        let (mut at, mut words) = (0, 0);
        while at < text.len() {
            // In a run of colons that a word follows, no shorter one fits either.
            if at >= words {
                words = at + colons_of_words(&text[at..]);
            }
            at += self.word(&text[at..], at >= words, observer);
        }
        (self.text, self.again) = (from, to);
    }

    /// What the text begins with; that may be a bare IPv6 address or not. Gives back how many bytes it takes.
    fn word(&mut self, text: &str, may_be_ipv6: bool, observer: &mut dyn Observer) -> usize {
        let bytes = text.as_bytes();
        if bytes[0] == b'['
            && let Some(ip) = colons(&bytes[1..])
            && bytes.get(1 + ip) == Some(&b']')
        {
            let (port, end) = port(text, ip + 2);
            if self.host_keys(&text[1..=ip], port, observer) {
                observer.end();
            }
            return end;
        }
        if may_be_ipv6 && let Some(end) = colons(bytes) {
            self.host(&text[..end], observer);
            return end;
        }
        let end = text.find(|c| !is_of_word(c)).unwrap_or(text.len());
        if end == 0 {
            return text.chars().next().map_or(1, char::len_utf8);
        }
        let (port, behind) = port(text, end);
        if memchr::memchr(b'.', &bytes[..end]).is_some()
            && self.host_keys(&text[..end], port, observer)
        {
            observer.end();
        }
        behind
    }
}

/// Whether a character is one of a word.
fn is_of_word(c: char) -> bool {
    match c {
        '0'..='9' | 'A'..='Z' | 'a'..='z' | '.' | '_' | '-' => true,
        c => matches!(c, '\u{c0}'..='\u{1fff}' | '\u{2070}'..),
    }
}

/// The length of a run of hexadecimal digits, dots and at least two colons.
fn colons(text: &[u8]) -> Option<usize> {
    let end = text.iter().take_while(|b| is_of_ipv6(**b)).count();
    (memchr::memchr_iter(b':', &text[..end]).count() >= 2).then_some(end)
}

/// The length of such a run where a character of a word follows, so that it is not an address; else 0.
fn colons_of_words(text: &str) -> usize {
    let end = colons(text.as_bytes()).unwrap_or(0);
    if text[end..].starts_with(is_of_word) {
        end
    } else {
        0
    }
}

/// The port behind a byte, and where it ends. If there is no port, the position of the byte itself.
fn port(text: &str, at: usize) -> (Option<&str>, usize) {
    let digits = text[at..].strip_prefix(':').and_then(number);
    let ended = |port: &&str| !text[at + 1 + port.len()..].starts_with(is_of_word);
    match digits.filter(ended) {
        Some(port) => (Some(port), at + 1 + port.len()),
        None => (None, at),
    }
}

/// A number at the beginning of at most five digits, behind which neither a digit nor a dot follows.
fn number(text: &str) -> Option<&str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let ended = text.as_bytes().get(digits) != Some(&b'.');
    ((1..=MAX_PORT).contains(&digits) && ended).then(|| &text[..digits])
}

/// Writes the text with a blank for each URL. `false` where it has none.
fn without_urls(text: &str, out: &mut String) -> bool {
    out.clear();
    let mut copied = 0;
    for (start, behind) in schemes(text, text.len()) {
        // A URL inside of another has gone with it.
        if behind <= copied {
            continue;
        }
        let start = start.max(copied);
        let end = text[behind..].find(|c| is_space(c) || is_separator(c));
        out.push_str(&text[copied..start]);
        out.push(' ');
        copied = end.map_or(text.len(), |end| behind + end);
    }
    out.push_str(&text[copied..]);
    copied > 0
}

/// Writes the text with `:PORT\` for `@SSL@PORT\` and `@PORT\`, and `:443\` for `@SSL\`. `false` where it has none.
fn with_ports_of_webdav(text: &str, out: &mut String) -> bool {
    out.clear();
    let mut copied = 0;
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        if at < copied {
            continue;
        }
        let behind = &text[at + 1..];
        let ssl = behind
            .get(..3)
            .is_some_and(|ssl| ssl.eq_ignore_ascii_case("SSL"));
        let behind_ssl = if ssl { &behind[3..] } else { "" };
        let (port, length) = if behind_ssl.starts_with('\\') {
            ("443", 3)
        } else if let Some(port) = behind_ssl.strip_prefix('@').and_then(share_port) {
            (port, 4 + port.len())
        } else if let Some(port) = share_port(behind) {
            (port, port.len())
        } else {
            continue;
        };
        out.push_str(&text[copied..at]);
        out.push(':');
        out.push_str(port);
        copied = at + 1 + length;
    }
    out.push_str(&text[copied..]);
    copied > 0
}

/// A port with a backslash behind it.
fn share_port(text: &str) -> Option<&str> {
    let port = number(text)?;
    text[port.len()..].starts_with('\\').then_some(port)
}

/// Writes the text with `ADDRESS:PORT` for an IPv4 address, spaces and a number. `false` where it has none.
fn with_ports_behind_spaces(text: &str, out: &mut String) -> bool {
    out.clear();
    let bytes = text.as_bytes();
    let mut copied = 0;
    for dot in memchr::memchr_iter(b'.', bytes) {
        // The last dot of the run of digits and dots that ends in an address.
        let digits = bytes[dot + 1..].iter().take_while(|b| b.is_ascii_digit());
        let end = dot + 1 + digits.count();
        if !(dot + 2..=dot + 4).contains(&end) || !ends_in_ipv4(&bytes[copied..end]) {
            continue;
        }
        let behind = text[end..].trim_start_matches(is_space);
        let start = text.len() - behind.len();
        if start > end && number(behind).is_some() {
            out.push_str(&text[copied..end]);
            out.push(':');
            copied = start;
        }
    }
    out.push_str(&text[copied..]);
    copied > 0
}

/// Whether a text ends in four numbers of up to three digits with dots between; the first may be the end of a longer one.
fn ends_in_ipv4(text: &[u8]) -> bool {
    let mut parts = text.rsplit(|b| *b == b'.');
    let mut digits = || {
        parts.next().map(|part| {
            let digits = part.iter().rev().take_while(|b| b.is_ascii_digit()).count();
            (digits, digits == part.len())
        })
    };
    let whole = |part: Option<(usize, bool)>| matches!(part, Some((1..=3, true)));
    whole(digits()) && whole(digits()) && whole(digits()) && matches!(digits(), Some((1.., _)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::super::tests::read;
    use crate::rules::Reader;

    /// The words that are looked up: the first key of each observable that is not a URL.
    fn words(text: &str) -> Vec<String> {
        let found = read(&Reader::Text, text).into_iter();
        found
            .map(|keys| keys[0].clone())
            .filter(|key| !key.starts_with("url:"))
            .collect()
    }

    #[test]
    fn names_and_addresses_are_read_with_their_ports() {
        for (text, expected) in [
            ("nslookup evil.example", &["evil.example"][..]),
            ("ping -n 1 A.evil.example.", &["a.evil.example"]),
            ("nc 203.0.113.7 4443", &["203.0.113.7 at 4443"]),
            ("nc 203.0.113.7:4443", &["203.0.113.7 at 4443"]),
            ("nc 203.0.113.7 444444", &["203.0.113.7"]),
            (
                "nc 203.0.113.7 203.0.113.8",
                &["203.0.113.7", "203.0.113.8"],
            ),
            (
                "nc 203.0.113.7\t\r\n 1 203.0.113.8 2",
                &["203.0.113.7 at 1", "203.0.113.8 at 2"],
            ),
            (r"\\203.0.113.7@8888\x,y", &["203.0.113.7 at 8888"]),
            (r"\\203.0.113.7@SSL@8443\x", &["203.0.113.7 at 8443"]),
            (r"\\203.0.113.7@ssl\x", &["203.0.113.7 at 443"]),
            (r"\\evil.example@SSL\DavWWWRoot", &["evil.example"]),
            ("x [2001:DB8::7]:443 y", &["2001:db8::7 at 443"]),
            ("x [2001:db8::7] y", &["2001:db8::7"]),
            ("x 2001:db8::7", &["2001:db8::7"]),
            ("x 2001:db8::7x", &[]),
            ("[bad.cc]", &["bad.cc"]),
            ("(user@evil.example)", &["evil.example"]),
            ("--url=evil.example:8080", &["evil.example"]),
            ("*.evil.example", &[".evil.example"]),
            ("bücher.example", &["bücher.example"]),
            ("curl http://evil.example/x.y,z.example", &["z.example"]),
            ("curl https://https://a.example/b.c", &[]),
            ("no dot: 443", &[]),
            ("", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    /// The rule of the README in regular expressions, as an engine without hand-written readers has it.
    fn by_regex(text: &str) -> Vec<String> {
        let replace = |text: &str, from: &str, to: &str| {
            Regex::new(from).unwrap().replace_all(text, to).into_owned()
        };
        let text = replace(
            text,
            "[A-Za-z][A-Za-z0-9+.-]*://[^\\t-\\r '\"`|^<>()\\[\\]{},;]*",
            " ",
        );
        let text = replace(&text, "@(?:[Ss][Ss][Ll]@)?([0-9]{1,5})\\\\", ":$1\\");
        let text = replace(&text, "@[Ss][Ss][Ll]\\\\", ":443\\");
        let text = replace(
            &text,
            "([0-9]{1,3}(?:[.][0-9]{1,3}){3})[\\t-\\r ]+([0-9]{1,5})([^0-9.]|$)",
            "$1:$2$3",
        );
        let word = "0-9A-Za-z._\\x{c0}-\\x{1fff}\\x{2070}-\\x{10ffff}-";
        let like_ipv6 = "[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*";
        let port = format!("(?::([0-9]{{1,5}})(?:[^{word}]|$))?");
        let shape = format!(
            "^(?:\\[({like_ipv6})\\]{port}|({like_ipv6})(?:[^:{word}]|$)|([{word}]+){port})"
        );
        let shape = Regex::new(&shape).unwrap();
        let mut found = Vec::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let Some(parts) = shape.captures(rest) else {
                rest = &rest[first.len_utf8()..];
                continue;
            };
            // The next character is not part of a word or a port.
            let group = |n| parts.get(n).map(|found| found.as_str());
            let end = |n| parts.get(n).map(|found| found.end());
            let port = group(2)
                .or(group(5))
                .map_or(String::new(), |port| format!(" at {port}"));
            let dotted = group(4).filter(|name| name.contains('.'));
            if let Some(name) = group(1).or(group(3)).or(dotted) {
                let name = super::super::lowercase(name.trim_end_matches('.'));
                match name.parse().map(super::super::canonical) {
                    Ok(ip) => found.push(format!("{ip}{port}")),
                    Err(_) if matches!(&*name, "" | "-") => {}
                    Err(_) => found.push(name),
                }
            }
            let bracket = end(1).map(|end| end + 1);
            let end = end(2).or(end(5)).or(end(4)).or(end(3)).or(bracket).unwrap();
            rest = &rest[end..];
        }
        found
    }

    #[test]
    fn every_word_of_the_examples_is_read_as_the_regular_expressions_read_it() {
        for text in [
            "203.0.113.7:4443: x",
            "a::b.example",
            "1.2.3.4 5 6.7.8.9 10.x",
            "@SSL@1@2\\",
        ] {
            assert_eq!(words(text), by_regex(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn words_are_read_as_the_regular_expressions_read_them(
            text in "(([0-9a-f.:]{1,9}|1\\.2\\.3\\.4|[ \\[\\]@\\\\]|SSL|ssl|://|http|x|,|ü|\u{2070}|\\PC| 80|2001:db8::7){0,12})",
        ) {
            prop_assert_eq!(words(&text), by_regex(&text), "{}", text);
        }
    }
}
