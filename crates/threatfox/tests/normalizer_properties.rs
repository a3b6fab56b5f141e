//! What holds of the normalizer whatever the input.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod support;

use std::collections::HashSet;

use proptest::prelude::*;

use support::{normalize, numbered, record};

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
