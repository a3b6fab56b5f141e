//! What holds of the readers whatever they read: an indicator that stands letter for letter in a text is found, and no text
//! makes a reader fail.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use std::io::Write as _;

use proptest::prelude::*;
use threatfox::lookup::{Index, Matcher, Wanted};
use threatfox::rules::plan::{Plan, Row};
use threatfox::rules::reader::{Buffers, Key, Observer};
use threatfox::rules::{Reader, Rules};
use threatfox::source::Input;

use support::normalize;

/// The creation of a process with this command line.
struct Process<'t> {
    field: usize,
    line: &'t str,
}

impl Row for Process<'_> {
    fn text(&self, field: usize, text: &mut String) -> bool {
        text.push_str(self.line);
        field == self.field
    }
}

/// The hits of a command line as match and indicator.
fn hits(index: &Index, line: &str) -> Vec<(String, String)> {
    let rules = Rules::built_in();
    let plan = Plan::new(rules);
    let field = plan.fields().iter().position(|name| *name == "CommandLine");
    let row = Process {
        field: field.unwrap(),
        line,
    };
    let mut hits = Vec::new();
    let mut matcher = Matcher::new(rules, index, Wanted::default());
    matcher.row("Microsoft-Windows-Sysmon", Some(1), &row, &mut hits);
    let short = |hit: &threatfox::lookup::Hit<'_>| {
        (hit.matched.name.to_string(), hit.row.indicator().to_owned())
    };
    hits.iter().map(short).collect()
}

fn index_of(url: &str) -> Option<Index> {
    let (bytes, _) = normalize(&[(1, url.to_owned(), "url")]);
    if bytes.is_empty() {
        return None;
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    Some(Index::read(&Input::new(file.path())).unwrap())
}

/// Counts what is read, and holds that each key belongs to an observable.
#[derive(Default)]
struct Count(u32);

impl Observer for Count {
    fn key(&mut self, key: &Key<'_>) {
        assert!(!key.text.is_empty());
        self.0 += 1;
    }

    fn end(&mut self) {
        assert!(self.0 > 0);
        self.0 = 0;
    }
}

fn readers() -> Vec<Reader> {
    let readers = Rules::built_in()
        .places()
        .iter()
        .map(|place| place.reader.clone());
    readers.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_url_that_stands_letter_for_letter_in_a_text_is_found(
        url in "([hH][tT]{2}ps?|ftp|tcp)://([a-z]{1,3}:?@)?(https?://)?([a-zA-Z]{1,6}|b\u{fc}cher|xn--bcher-kva)\\.example\\.?(:80|:443|:8080|:)?([/?#\\\\][!-~\u{fc}]{0,24})?",
        before in "(curl |x=|\"|'|\\(|http://other.example/ )",
        behind in "( -o x|\"|' x|\\)\\)|, y|;|\\.|\r\n|)",
    ) {
        // Where a sentence ends behind a URL that itself ends so, nothing tells how much of it is the URL's.
        prop_assume!(behind != "." || !url.ends_with(['.', ':', '!', '?', '&', '*']));
        let Some(index) = index_of(&url) else { return Ok(()) };
        let found = hits(&index, &format!("{before}{url}{behind}"));
        prop_assert!(
            found.iter().any(|(matched, _)| matched == "command line url"),
            "{} in {:?}: {:?}", url, format!("{before}{url}{behind}"), found
        );
    }

    #[test]
    fn no_text_makes_a_reader_fail(text in "(\\PC|[\\x00-\\x20]|://|[@:.\\[\\]\\\\]|SSL|[0-9]{1,6}|type: 5 |HostUrl=|md5=){0,40}") {
        for reader in readers() {
            Buffers::default().read(&reader, &text, Some(&text), &mut Count::default());
        }
    }
}

#[test]
fn long_texts_of_what_urls_are_cut_at_are_read_in_time() {
    for part in [
        "http://",
        "http://a,",
        "[[::",
        "1.2.3.4 5 ",
        "@SSL@1\\",
        ".",
        "a.",
        ";",
        "type: 5 a;",
        "\u{fc}://",
    ] {
        let text = part.repeat(60_000 / part.len());
        for reader in readers() {
            Buffers::default().read(&reader, &text, None, &mut Count::default());
        }
    }
}
