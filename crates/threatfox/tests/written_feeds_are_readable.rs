//! Whatever is written as a feed, the reader of feeds reads, plain and gzipped: no record may spoil a feed.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

use proptest::prelude::*;
use threatfox::feed;
use threatfox::normalize::{Filter, KeyStore, Normalizer};
use threatfox::output::Output;
use threatfox::policy::Policy;
use threatfox::record::{Column, RawRecord};
use threatfox::shared_hosts::SharedHosts;
use threatfox::source::{Input, Sink};
use threatfox::summary::{Counts, RowCounts};
use threatfox::table::Layout;
use threatfox::warning::WarningLists;

/// A reader in VQL finds no key that goes on for longer behind the 16 KiB in which it begins.
const LONGEST_KEY: usize = 4000;
/// A line may have this many bytes for the readers in VQL.
const LONGEST_LINE: usize = 256 * 1024;

type Fields<'a> = Vec<(Column, &'a str)>;

/// The feed of these records, as text, after it was read as a plain and as a gzipped file.
fn written(policy: &str, records: &[Fields<'_>]) -> (String, Counts, RowCounts) {
    let filter = Filter {
        allow_private: true,
        policy: Policy::parse("policy.yaml", policy).unwrap(),
        ..Filter::default()
    };
    let mut normalizer = Normalizer::<KeyStore>::new(filter, SharedHosts::built_in());
    for fields in records {
        let mut raw = RawRecord::default();
        for (column, text) in fields {
            raw.set(*column, text);
        }
        normalizer.record(&raw).unwrap();
    }
    let (store, counts) = normalizer.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut rows = RowCounts::default();
    for name in ["feed.csv", "feed.csv.gz"] {
        let path = folder.path().join(name);
        let out = Output::create(&path).unwrap();
        let lists = WarningLists::built_in();
        let (out, of_feed) = feed::write(&store, &lists, out, Layout::Csv).unwrap();
        out.finish().unwrap();
        rows = of_feed;
        let mut read = 0;
        let result = feed::read(&Input::new(&path), &mut |row, _| {
            assert!(row.key.len() <= LONGEST_KEY);
            read += 1;
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, rows.total(), "{name}");
    }
    let text = std::fs::read_to_string(folder.path().join("feed.csv")).unwrap();
    for line in text.lines() {
        assert!(line.len() < LONGEST_LINE, "{} bytes", line.len());
    }
    (text, counts, rows)
}

fn url(value: &str) -> Fields<'_> {
    vec![(Column::Ioc, value), (Column::IocType, "url")]
}

fn address(value: &str) -> Fields<'_> {
    vec![(Column::Ioc, value), (Column::IocType, "ip:port")]
}

#[test]
fn a_record_whose_key_would_be_too_long_for_a_reader_is_left_out_as_too_large() {
    let path = |text: &str, n| format!("http://a.example/{}", text.repeat(n));
    let beside_a_domain = format!("evil.example/{}", "x".repeat(5000));
    for value in [
        &path("\u{fc}", 12_000),
        &path("\u{fc}", 700),
        &path(".", 40_000),
        &path("a", 4000),
    ] {
        let (text, counts, _) = written("", &[url(value), address("203.0.113.7:80")]);
        assert_eq!(counts.dropped["too_large"], 1, "{text}");
        assert!(!text.contains("a.example"));
    }
    let domain = vec![
        (Column::Ioc, &*beside_a_domain),
        (Column::IocType, "domain"),
    ];
    let (_, counts, _) = written("", &[domain, address("203.0.113.7:80")]);
    assert_eq!(counts.dropped["too_large"], 1);
    let (_, counts, _) = written("", &[url(&path(".", 3900))]);
    assert_eq!(counts.kept, 1);
}

#[test]
fn of_many_ports_and_families_the_first_stay_and_the_cut_is_marked_and_counted() {
    let ports: Vec<_> = (1..=11_000).map(|n| format!("203.0.113.7:{n}")).collect();
    let mut records: Vec<_> = ports.iter().map(|value| address(value)).collect();
    let families: Vec<_> = (0..20_000).map(|n| format!("Family {n:05}")).collect();
    records.extend(families.iter().map(|family| {
        let mut fields = address("203.0.113.7");
        fields.extend([
            (Column::MalwarePrintable, &**family),
            (Column::ThreatType, &**family),
        ]);
        fields
    }));
    let (text, _, rows) = written("", &records);
    assert!(text.contains(";4095;4096,"), "the first ports stay");
    assert!(text.contains(",Family 00000;Family 00001;") && text.contains(";\u{2026},"));
    let cut: Vec<_> = rows.cut().iter().collect();
    assert_eq!(
        cut,
        [(&"malware", &1), (&"ports", &1), (&"threat_type", &1)]
    );
    records.reverse();
    assert_eq!(written("", &records).0, text, "whatever the order");
}

#[test]
fn one_long_family_is_cut_between_two_characters() {
    let mut record = address("203.0.113.7");
    let family = "\u{fc}".repeat(30_000);
    record.push((Column::MalwarePrintable, &family));
    let (text, ..) = written("", &[record]);
    assert!(text.contains("\u{fc}\u{2026},"), "it is marked");
    assert!(text.len() < 1500, "{} bytes", text.len());
}

#[test]
fn a_page_that_grows_by_its_hash_or_number_is_left_out() {
    let page = format!("https://a.example/{}", "{hash}".repeat(300));
    let hash = "45c4710edc62df311612101b9160c7e1";
    let record = vec![
        (Column::Ioc, hash),
        (Column::IocType, "md5_hash"),
        (Column::Source, "a"),
        (Column::Link, &*page),
    ];
    assert!(!written("", &[record]).0.contains("https://"));
}

#[test]
fn a_time_before_the_year_0_is_a_bad_date() {
    let mut record = address("203.0.113.7");
    record.push((Column::FirstSeen, "-000001-01-01T00:00:00Z"));
    let (_, counts, _) = written("", &[record, address("203.0.113.8")]);
    assert_eq!(counts.dropped["bad_date"], 1);
}

#[test]
fn an_entry_of_the_policy_with_a_line_break_breaks_no_row() {
    let mut record = address("203.0.113.7");
    record.push((Column::Tags, "a\nb"));
    let policy = "weaken: {weak: {tags: [\"a\\nb\"]}}";
    assert!(written(policy, &[record]).0.contains("policy: tags ab"));
}

#[test]
fn a_feed_that_packs_well_can_still_be_unpacked() {
    let path = "a".repeat(3900);
    let values: Vec<_> = (0..2000)
        .map(|n| format!("http://a.example/{path}{n}"))
        .collect();
    let records: Vec<_> = values.iter().map(|value| url(value)).collect();
    written("", &records);
}

/// A value with parts that grow: in a URL, in its regular expression, by quoting.
fn long_value() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("a"),
        Just("."),
        Just("\u{fc}"),
        Just("\""),
        Just("%"),
        Just(",")
    ];
    (part, 0usize..5000, "[ -~\u{e4}]{0,9}")
        .prop_map(|(part, n, end)| format!("http://b\u{fc}cher.example/{}{end}", part.repeat(n)))
}

/// A text of any kind, that may be long.
fn text() -> impl Strategy<Value = String> {
    ("[^\r]{0,9}", 1usize..1200).prop_map(|(part, n)| part.repeat(n))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_written_is_read_with_as_many_rows(
        values in prop::collection::vec(long_value(), 1..5),
        texts in prop::collection::vec(text(), 6),
        time in "(-00)?[0-9]{4}-[01][0-9]-[0-3][0-9]T00:00:00Z",
    ) {
        let mut records = vec![address("203.0.113.7:443")];
        for value in &values {
            let mut record = url(value);
            record.extend([
                (Column::MalwarePrintable, &*texts[0]),
                (Column::ThreatType, &*texts[1]),
                (Column::Tags, &*texts[2]),
                (Column::Source, &*texts[3]),
                (Column::Link, &*texts[4]),
                (Column::Id, &*texts[5]),
                (Column::FirstSeen, &*time),
            ]);
            records.push(record);
        }
        written("weaken: {medium: {below_confidence: 75}}", &records);
    }
}
