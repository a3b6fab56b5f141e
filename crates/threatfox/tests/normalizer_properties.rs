//! What holds of the normalizer whatever the input.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write as _;

use proptest::prelude::*;
use threatfox::feed;
use threatfox::normalize::{Filter, Normalized, Normalizer, Shape};
use threatfox::shared_hosts::SharedHosts;
use threatfox::source::{self, Input};
use threatfox::table::Layout;

const HEADER: &str = "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\
    \"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\
    \"tags\",\"anonymous\",\"reporter\"\n";

/// An export of these values and types.
fn export(records: &[(u32, String, &str)]) -> String {
    let mut text = HEADER.to_owned();
    for (id, value, kind) in records {
        let value = value.replace('"', "\"\"");
        writeln!(
            text,
            "\"2026-11-01 00:00:00\", \"{id}\", \"{value}\", \"{kind}\", \"botnet_cc\", \"win.x\", \"None\", \"X\", \
             \"\", \"75\", \"False\", \"None\", \"None\", \"0\", \"r\""
        )
        .unwrap();
    }
    write!(text, "# Number of entries: {}", records.len()).unwrap();
    text
}

/// The feed's bytes, and the records read, kept and dropped; no bytes where nothing is left.
fn normalize(records: &[(u32, String, &str)]) -> (Vec<u8>, [u64; 3]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(export(records).as_bytes()).unwrap();
    let filter = Filter {
        allow_private: true,
        ..Filter::default()
    };
    let mut normalizer = Normalizer::new(Shape::ByKey, filter, SharedHosts::built_in());
    source::read(&Input::new(file.path()), &mut normalizer).unwrap();
    let Ok((Normalized::ByKey(store), counts)) = normalizer.finish() else {
        return (Vec::new(), [records.len() as u64, 0, records.len() as u64]);
    };
    let (bytes, _) = feed::write(&store, Vec::new(), Layout::Csv).unwrap();
    let dropped = counts.dropped.values().sum();
    (bytes, [counts.read, counts.kept, dropped])
}

/// Values as ThreatFox has them, near misses of those, and any text at all.
fn record() -> impl Strategy<Value = (String, &'static str)> {
    prop_oneof![
        ("203\\.0\\.113\\.[0-9]{1,3}:[0-9]{1,5}", Just("ip:port")),
        ("\\[2001:db8::[0-9a-f]{1,4}\\]:[0-9]{1,4}", Just("ip:port")),
        ("[a-zA-Z0-9-]{1,8}\\.(bad|evil)\\.example", Just("domain")),
        (
            "https?://[a-z]{1,6}\\.example(:[0-9]{1,5})?/[ -~]{0,12}",
            Just("url")
        ),
        ("[0-9a-fA-F]{64}", Just("sha256_hash")),
        (
            "[^\r\n]{0,24}",
            prop_oneof![
                Just("ip:port"),
                Just("domain"),
                Just("url"),
                Just("md5_hash"),
                Just("new_type")
            ]
        ),
    ]
}

fn numbered(records: Vec<(String, &'static str)>) -> Vec<(u32, String, &'static str)> {
    (1..)
        .zip(records)
        .map(|(id, (value, kind))| (id, value, kind))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_record_is_either_kept_or_dropped_with_a_reason(records in prop::collection::vec(record(), 1..20)) {
        let (_, [read, kept, dropped]) = normalize(&numbered(records.clone()));
        prop_assert_eq!(read, records.len() as u64);
        prop_assert_eq!(read, kept + dropped);
    }

    #[test]
    fn the_order_of_the_input_does_not_change_the_bytes(records in prop::collection::vec(record(), 1..20)) {
        let mut records = numbered(records);
        let (forward, _) = normalize(&records);
        records.reverse();
        let (backward, _) = normalize(&records);
        prop_assert_eq!(forward, backward);
    }

    #[test]
    fn keys_are_unique_and_never_read_as_a_number_or_a_bool(records in prop::collection::vec(record(), 1..20)) {
        let (bytes, _) = normalize(&numbered(records));
        let mut seen = HashSet::new();
        for row in csv::Reader::from_reader(&bytes[..]).records() {
            let key = row.unwrap()[0].to_owned();
            prop_assert!(key.parse::<f64>().is_err() && key != "true" && key != "false", "{}", key);
            prop_assert!(!key.chars().any(char::is_control), "{:?}", key);
            prop_assert!(seen.insert(key.clone()), "{} twice", key);
        }
    }
}
