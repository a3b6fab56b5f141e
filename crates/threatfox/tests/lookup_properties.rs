//! What holds of a feed whatever it was made of: it reads back, its keys are found, its regular expressions match them
//! and nothing near them.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use std::collections::BTreeSet;
use std::io::Write as _;

use proptest::prelude::*;
use regex::Regex;
use threatfox::feed;
use threatfox::ioc::Ioc;
use threatfox::lookup::{Index, Matcher, Wanted};
use threatfox::match_key::Kind;
use threatfox::rules::{Rules, reader};
use threatfox::source::Input;
use threatfox::value::read_value;

use support::{normalize, numbered, record};

/// A row as far as these tests look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    key: String,
    kind: Kind,
    indicator: String,
    ioc_type: String,
    regex: String,
    exact: bool,
}

impl Row {
    /// What the key stands for, without its prefix.
    fn value(&self) -> &str {
        self.key.strip_prefix(self.kind.prefix()).unwrap()
    }
}

/// The feed as a file, and its rows.
fn feed_of(records: &[(u32, String, &'static str)]) -> Option<(tempfile::NamedTempFile, Vec<Row>)> {
    let (bytes, _) = normalize(records);
    if bytes.is_empty() {
        return None;
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    let mut rows = Vec::new();
    feed::read(&Input::new(file.path()), &mut |row, _| {
        rows.push(Row {
            key: row.key.to_owned(),
            kind: row.kind,
            indicator: row.indicator().to_owned(),
            ioc_type: row.ioc_type.to_owned(),
            regex: row.regex(),
            exact: row.exact,
        });
        Ok(())
    })
    .unwrap();
    Some((file, rows))
}

fn type_named(name: &str) -> &'static str {
    let names = [
        "ip:port",
        "domain",
        "url",
        "md5_hash",
        "sha1_hash",
        "sha256_hash",
    ];
    names.into_iter().find(|known| *known == name).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_kept_key_is_found(records in prop::collection::vec(record(), 1..20)) {
        let Some((file, rows)) = feed_of(&numbered(records)) else { return Ok(()) };
        let index = Index::read(&Input::new(file.path())).unwrap();
        prop_assert_eq!(index.len(), rows.len());
        let mut matcher = Matcher::new(Rules::built_in(), &index, Wanted::default());
        for row in &rows {
            prop_assert_eq!(index.get(&row.key).map(|found| found.indicator().to_owned()), Some(row.indicator.clone()));
            let value = read_value(row.value()).map_err(|reject| TestCaseError::fail(format!("{row:?}: {reject}")))?;
            if matches!(value, Ioc::Address(ip, _) if Rules::built_in().never().address(ip).is_some()) {
                continue;
            }
            let mut found = Vec::new();
            matcher.ioc(&value, &mut found);
            let found: Vec<_> = found.iter().map(|hit| hit.row.indicator()).collect();
            prop_assert!(found.contains(&&*row.indicator), "{:?} is not found: {:?}", row, found);
        }
    }

    #[test]
    fn the_key_of_a_url_is_spelled_by_the_rule(records in prop::collection::vec(record(), 1..20)) {
        let Some((_file, rows)) = feed_of(&numbered(records)) else { return Ok(()) };
        for row in rows.iter().filter(|row| row.kind == Kind::Url) {
            prop_assert_eq!(reader::spell(row.value()), row.value());
        }
    }

    #[test]
    fn each_regular_expression_matches_its_key_and_nothing_near_it(records in prop::collection::vec(record(), 1..20)) {
        let Some((_file, rows)) = feed_of(&numbered(records)) else { return Ok(()) };
        for row in &rows {
            let regex = Regex::new(&row.regex).unwrap();
            let value = row.value();
            prop_assert!(regex.is_match(value), "{:?}", row);
            let below = format!("below.{value}");
            prop_assert_eq!(regex.is_match(&below), !row.exact, "{:?}", row);
            for near in [
                format!("x{value}"),
                format!("{value}x"),
                format!("{value}.example"),
                format!("{value}\n"),
                value[value.chars().next().unwrap().len_utf8()..].to_owned(),
                value.replacen('.', "x", 1),
                String::new(),
            ] {
                prop_assert!(near == value || !regex.is_match(&near), "{:?} matches {:?}", row, near);
            }
        }
    }

    /// A key's newest indicator leads to the same keys: a feed's indicators, submitted anew, make a feed of the same keys.
    #[test]
    fn normalizing_is_idempotent(records in prop::collection::vec(record(), 1..20)) {
        let Some((_file, rows)) = feed_of(&numbered(records)) else { return Ok(()) };
        let again: Vec<_> = (1..)
            .zip(&rows)
            .map(|(id, row)| (id, row.indicator.clone(), type_named(&row.ioc_type)))
            .collect();
        let (_file, second) = feed_of(&again).unwrap();
        let keys = |rows: &[Row]| -> BTreeSet<_> {
            rows.iter().map(|row| (row.key.clone(), row.kind.name(), row.regex.clone())).collect()
        };
        prop_assert_eq!(keys(&rows), keys(&second));
    }
}
