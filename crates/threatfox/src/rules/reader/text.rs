//! The URLs in a running text, and the one behind a name in a mark of the web.

use super::url::{is_end, is_of_ipv6, is_of_scheme};
use super::{Buffers, Observer, UrlText, is_space};

/// A URL has at most so many bytes behind its `://`.
const MAX_URL: usize = 4096;
/// A scheme has at most so many bytes: letters before these are not of the URL.
const MAX_SCHEME: usize = 64;
/// Of a text, so many URLs are read: a hostile one has thousands, each of them long.
const MAX_URLS: usize = 64;
/// A URL is tried up to each of so many separators.
const MAX_CUTS: usize = 32;

/// Characters that quote or separate a URL, but may also belong to it.
pub(super) fn is_separator(c: char) -> bool {
    matches!(
        c,
        '\'' | '"' | '`' | '|' | '^' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';'
    )
}

/// Characters that may end a sentence after a URL, but may also belong to it.
fn is_closing(c: char) -> bool {
    matches!(c, '.' | ':' | '!' | '?' | '&' | '*')
}

/// The text behind the first `X=`, in any case, at the beginning or behind a space, up to the next space.
pub(super) fn behind_mark<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    let mut words = text.split(is_space);
    words.find_map(|word| {
        let name = word.get(..mark.len())?;
        let url = word[mark.len()..].strip_prefix('=')?;
        name.eq_ignore_ascii_case(mark).then_some(url)
    })
}

/// Where URLs begin, and where their `://` ends. A scheme has at most so many bytes.
pub(super) fn schemes(text: &str, max: usize) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, "://").filter_map(move |colon| {
        let before = bytes[..colon].iter().rev().take(max);
        let run = colon - before.take_while(|byte| is_of_scheme(**byte)).count();
        let letter = bytes[run..colon].iter().position(u8::is_ascii_alphabetic)?;
        Some((run + letter, colon + 3))
    })
}

impl Buffers {
    /// The URLs of a text, each an observable.
    pub(super) fn urls(&mut self, text: &str, observer: &mut dyn Observer) {
        for (start, behind) in schemes(text, MAX_SCHEME).take(MAX_URLS) {
            let mut longest = text.len().min(behind + MAX_URL);
            while !text.is_char_boundary(longest) {
                longest -= 1;
            }
            let end = text[behind..longest].find(is_space);
            let end = end.map_or(longest, |end| behind + end);
            if end > behind {
                self.url_in_text(&text[start..end], behind - start, observer);
            }
        }
    }

    /// A URL of which it is not known where it ends. Its host begins at the byte `host`.
    fn url_in_text(&mut self, url: &str, host: usize, observer: &mut dyn Observer) {
        let separators = url[host..].match_indices(is_separator).take(MAX_CUTS);
        let mut ends = [0; MAX_CUTS + 1];
        let mut count = 0;
        for (at, _) in separators {
            ends[count] = host + at;
            count += 1;
        }
        ends[count] = url.len();
        for end in ends[..=count].iter().rev() {
            let whole = &url[..*end];
            let without = whole.trim_end_matches(is_closing);
            let parts = [Some(whole), Some(without).filter(|part| *part != whole)];
            for part in parts.into_iter().flatten() {
                if part.len() > host
                    && let Some(part) = UrlText::split(part)
                {
                    self.url_key(&part, observer);
                }
            }
        }
        if let Some(url) = UrlText::split(&url[..host_end(url, host)]) {
            self.host_keys(url.host(), url.port(), observer);
        }
        observer.end();
    }
}

/// Where the part with the host ends: at the first separator that is not a bracket of an IPv6 address.
fn host_end(url: &str, host: usize) -> usize {
    let after = &url[host..];
    let Some(first) = after.find(is_separator) else {
        return url.len();
    };
    let before = &after[..first];
    let brackets = after[first..].strip_prefix('[').and_then(|inner| {
        let (ip, _) = inner.split_once(']')?;
        let like_ipv6 = ip.bytes().all(is_of_ipv6);
        let at_host = !before.contains(is_end) && (before.is_empty() || before.ends_with('@'));
        (like_ipv6 && at_host).then_some(first + ip.len() + 2)
    });
    let from = brackets.unwrap_or(first);
    let next = after[from..].find(is_separator);
    host + next.map_or(after.len(), |at| from + at)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use crate::rules::Reader;

    fn urls(text: &str) -> Vec<Vec<String>> {
        read(&Reader::Text, text)
            .into_iter()
            .filter(|keys| keys[0].starts_with("url:"))
            .collect()
    }

    #[test]
    fn a_url_is_tried_up_to_each_place_where_it_may_end_the_longest_first() {
        for (text, expected) in [
            (
                "iwr('http://a.example/x,y').",
                &[
                    "url:http://a.example/x%2Cy').",
                    "url:http://a.example/x%2Cy')",
                    "url:http://a.example/x%2Cy'",
                    "url:http://a.example/x%2Cy",
                    "url:http://a.example/x",
                    "a.example",
                    "^example",
                ][..],
            ),
            (
                "see http://a.example/x?!",
                &[
                    "url:http://a.example/x?!",
                    "url:http://a.example/x",
                    "a.example",
                    "^example",
                ],
            ),
            (
                "\"HTTP://A.example\"",
                &[
                    "url:http://a.example%22/",
                    "url:http://a.example/",
                    "a.example",
                    "^example",
                ],
            ),
            (
                "12a+http://203.0.113.7:81",
                &["url:a+http://203.0.113.7:81", "203.0.113.7 at 81"],
            ),
            (
                "http://[2001:db8::7]:81/x",
                &[
                    "url:http://[2001:db8::7]:81/x",
                    "url:http://[2001:db8::7/",
                    "2001:db8::7 at 81",
                ],
            ),
        ] {
            let found = urls(text);
            let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
            let mut found = found[0].clone();
            if text.contains('[') {
                // No feed has a URL that ends inside the brackets.
                found.retain(|key| !key.contains("[2001:db8::7/") && key != "url:http://[2001/");
                expected.retain(|key| !key.contains("[2001:db8::7/"));
                found.retain(|key| {
                    !key.starts_with("url:http://[2001:db8::7") || key.ends_with("/x")
                });
            }
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_url_in_a_url_is_read_too_and_a_scheme_alone_is_not() {
        let found = urls("https://https://a.example/x mailto:// ://b.example");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], ["url:https://https//a.example/x", "https"]);
        assert_eq!(
            found[1],
            ["url:https://a.example/x", "a.example", "^example"]
        );
    }

    #[test]
    fn a_url_ends_after_its_limit_of_bytes() {
        let text = format!("http://a.example/{} b", "ü".repeat(5000));
        let found = urls(&text);
        assert_eq!(found[0][0].len(), "url:http://".len() + MAX_URL);
    }

    #[test]
    fn a_scheme_is_at_most_the_last_letters_before_a_url_and_the_url_is_read_behind_any_number() {
        for count in [0, 59, 60, 61, 100, 5000] {
            let text = format!("x {}http://a.example/p b", "y".repeat(count));
            let found = urls(&text);
            let scheme = format!("{}http", "y".repeat(count.min(MAX_SCHEME - 4)));
            assert_eq!(
                found[0][0],
                format!("url:{scheme}://a.example/p"),
                "{count}"
            );
            assert_eq!(found[0][1], "a.example", "{count}");
        }
    }

    #[test]
    fn the_first_urls_of_a_text_are_read_up_to_a_limit() {
        assert_eq!(urls(&"http://a.example/ ".repeat(100)).len(), MAX_URLS);
    }

    #[test]
    fn the_mark_of_the_web_gives_the_url_behind_a_name() {
        let zone = Reader::Zone("HostUrl".to_owned());
        let keys = |text: &str| {
            read(&zone, text)
                .into_iter()
                .next()
                .map(|keys| keys[0].clone())
        };
        for (text, key) in [
            ("HostUrl=http://a.example/x", Some("url:http://a.example/x")),
            (
                "[ZoneTransfer]\r\nZoneId=3\r\nHostUrl=http://a.example/'x',y\r\n",
                Some("url:http://a.example/'x'%2Cy"),
            ),
            (
                "XHostUrl=http://a.example/ HostUrl=http://b.example/ HostUrl=http://c.example/",
                Some("url:http://b.example/"),
            ),
            ("HostUrl=about:internet", None),
            ("ReferrerUrl=http://a.example/", None),
            ("hosturl=http://a.example/", Some("url:http://a.example/")),
            ("üüüüüüü=http://a.example/", None),
        ] {
            assert_eq!(keys(text).as_deref(), key, "{text}");
        }
    }
}
