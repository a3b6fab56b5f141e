//! STIX as it is in the field: what is over, taken back or harmless, versions, and the answers of TAXII.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::sources::made;

/// An indicator of a domain, with these members besides.
fn indicator(number: u8, domain: &str, others: &Value) -> Value {
    let mut indicator = json!({
        "type": "indicator", "id": format!("indicator--{number}"), "name": "n", "valid_from": "2026-01-01T00:00:00Z",
        "modified": "2026-01-01T00:00:00Z", "pattern": format!("[domain-name:value = '{domain}']")});
    let members = indicator.as_object_mut().unwrap();
    members.extend(others.as_object().unwrap().clone());
    indicator
}

fn bundle(objects: &[Value]) -> Vec<u8> {
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": objects});
    bundle.to_string().into_bytes()
}

#[test]
fn an_indicator_whose_time_is_over_is_left_out() {
    let (summary, feed) = made(
        &bundle(&[
            indicator(
                1,
                "over.example",
                &json!({"valid_until": "2026-01-02T00:00:00Z"}),
            ),
            indicator(
                2,
                "valid.example",
                &json!({"valid_until": "2999-01-01T00:00:00.5Z"}),
            ),
            indicator(3, "odd.example", &json!({"valid_until": "soon"})),
        ]),
        &[],
    );
    assert_eq!(
        summary["dropped"],
        json!({"not_for_detection": 1, "bad_date": 1})
    );
    assert!(feed.contains("\nvalid.example,"), "{feed}");
}

#[test]
fn an_indicator_that_is_valid_for_ever_is_valid_and_one_revoked_for_ever_is_revoked() {
    for valid_until in [
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999999999999Z",
        "9999-12-31T00:00:00+02:00",
        "9999-12-31",
    ] {
        let others = json!({"valid_until": valid_until});
        let (_, feed) = made(&bundle(&[indicator(1, "ever.example", &others)]), &[]);
        assert!(feed.contains("\never.example,"), "{valid_until}: {feed}");
    }
    let mut objects = vec![
        indicator(1, "gone.example", &json!({})),
        indicator(
            1,
            "gone.example",
            &json!({"modified": "9999-12-31T23:59:59Z", "revoked": true}),
        ),
        indicator(2, "kept.example", &json!({})),
    ];
    for _ in 0..2 {
        let (summary, feed) = made(&bundle(&objects), &[]);
        assert_eq!(
            summary["dropped"],
            json!({"not_for_detection": 1, "superseded": 1})
        );
        assert!(feed.contains("\nkept.example,"), "{feed}");
        objects.reverse();
    }
}

#[test]
fn an_indicator_with_a_date_or_a_confidence_that_cannot_be_read_is_kept_without_it() {
    let odd = [
        json!({"valid_from": "0001-01-01T00:00:00Z"}),
        json!({"valid_from": "1960-01-01T00:00:00Z", "created": "2026-02-01T00:00:00Z"}),
        json!({"confidence": 101}),
        json!({"valid_from": "0001-01-01T00:00:00Z", "revoked": true}),
    ];
    let named = (1..).zip(&odd);
    let objects: Vec<_> = named
        .map(|(n, odd)| indicator(n, &format!("a{n}.example"), odd))
        .collect();
    let (summary, feed) = made(&bundle(&objects), &[]);
    assert_eq!(summary["dropped"], json!({"not_for_detection": 1}));
    assert_eq!(summary["inputs"][0]["unread_values"], 2);
    for (key, values) in [
        ("a1.example", ",50,,,"),
        ("a2.example", ",50,2026-02-01T00:00:00Z,,"),
        ("a3.example", ",50,2026-01-01T00:00:00Z,,"),
    ] {
        let start = format!("{key},");
        let row = feed.lines().find(|row| row.starts_with(&start)).unwrap();
        assert!(row.contains(values), "{row}");
    }
}

#[test]
fn what_is_benign_is_no_indicator_by_type_or_by_label() {
    let (summary, feed) = made(
        &bundle(&[
            indicator(1, "a.example", &json!({"indicator_types": ["benign"]})),
            indicator(2, "b.example", &json!({"labels": ["Benign"]})),
            indicator(
                3,
                "c.example",
                &json!({"indicator_types": ["anomalous-activity"], "labels": ["benign"]}),
            ),
            indicator(
                4,
                "d.example",
                &json!({"indicator_types": ["malicious-activity"]}),
            ),
        ]),
        &[],
    );
    assert_eq!(summary["dropped"], json!({"not_for_detection": 2}));
    assert!(
        feed.contains("\nc.example,") && feed.contains("\nd.example,"),
        "{feed}"
    );
}

#[test]
fn of_several_versions_the_newest_counts_in_any_order() {
    let mut objects = vec![
        indicator(1, "revoked.example", &json!({})),
        indicator(
            1,
            "revoked.example",
            &json!({"modified": "2026-02-01T00:00:00Z", "revoked": true}),
        ),
        indicator(
            2,
            "old.example",
            &json!({"modified": "2026-01-01T00:00:00.100Z"}),
        ),
        indicator(
            2,
            "new.example",
            &json!({"modified": "2026-01-01T00:00:00.200Z"}),
        ),
    ];
    for _ in 0..2 {
        let (summary, feed) = made(&bundle(&objects), &[]);
        assert_eq!(
            summary["dropped"],
            json!({"not_for_detection": 1, "superseded": 2})
        );
        assert!(feed.contains("\nnew.example,"), "{feed}");
        objects.reverse();
    }
}

#[test]
fn what_is_revoked_names_no_family() {
    let malware = |number: u8, name: &str, revoked: bool| {
        json!({"type": "malware", "id": format!("malware--{number}"), "name": name, "revoked": revoked,
            "modified": "2026-01-01T00:00:00Z"})
    };
    let indicates = |from: u8, to: u8, revoked: bool| {
        json!({"type": "relationship", "id": format!("relationship--{from}{to}"), "relationship_type": "indicates",
            "modified": if revoked { "2026-02-01T00:00:00Z" } else { "2026-01-01T00:00:00Z" },
            "source_ref": format!("indicator--{from}"), "target_ref": format!("malware--{to}"), "revoked": revoked})
    };
    let (_, feed) = made(
        &bundle(&[
            malware(1, "Wrong", false),
            malware(2, "Right", false),
            malware(3, "Withdrawn", true),
            indicator(1, "a.example", &json!({})),
            indicator(2, "b.example", &json!({})),
            indicates(1, 1, false),
            indicates(1, 1, true),
            indicates(1, 2, false),
            indicates(2, 3, false),
        ]),
        &[],
    );
    assert!(
        feed.contains("a\\.example$,,Right,") && feed.contains("b\\.example$,,n,"),
        "{feed}"
    );
}

#[test]
fn an_envelope_of_taxii_a_list_and_an_object_alone_are_read_as_a_bundle_is() {
    let one = indicator(1, "bad.example", &json!({"spec_version": "2.1"}));
    for content in [
        json!({"more": true, "next": "7", "objects": [one]}),
        json!({"objects": [one]}),
        json!([one]),
        one.clone(),
    ] {
        let (summary, feed) = made(content.to_string().as_bytes(), &[]);
        assert_eq!(summary["inputs"][0]["format"], "stix_bundle", "{content}");
        assert!(feed.contains("\nbad.example,"), "{content}: {feed}");
    }
}
