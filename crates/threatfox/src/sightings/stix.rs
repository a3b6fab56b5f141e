//! Sightings as a STIX 2.1 bundle: for each indicator what was observed, an indicator and a sighting of it.
//!
//! Each id is a UUID of version 5, so that the same hits give the same bundle, and a later one with more hits brings newer
//! versions of the same objects.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::IpAddr;

use ipnet::IpNet;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Seen, Sighted, Sightings};

/// The namespace that STIX gives for observables.
const OBSERVABLES: Uuid = Uuid::from_u128(0x00abedb4_aa42_466c_9c01_fed23315a9b7);
/// The largest count in STIX.
const MAX_COUNT: u64 = 999_999_999;

impl Sightings {
    /// Writes the bundle.
    ///
    /// # Errors
    /// `out` fails.
    pub fn write_stix(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut names = String::new();
        let mut objects = Vec::new();
        // An address may be seen by itself and as one of a network.
        let mut known = BTreeSet::new();
        for (sighted, seen) in &self.seen {
            let mut new = objects_of(sighted, seen);
            new.retain(|object| known.insert(object["id"].to_string()));
            for id in new.iter().filter_map(|object| object["id"].as_str()) {
                names.push_str(id);
            }
            names.push_str(&shown(seen.last));
            objects.extend(new);
        }
        let bundle = json!({
            "type": "bundle",
            "id": id("bundle", &names),
            "objects": objects,
        });
        serde_json::to_writer_pretty(&mut *out, &bundle)?;
        out.write_all(b"\n")
    }
}

fn objects_of(sighted: &Sighted, seen: &Seen) -> Vec<Value> {
    let (observable, path) = observable(sighted);
    let operator = match sighted {
        Sighted::Network(_) => "ISSUBSET",
        _ => "=",
    };
    let observed = seen.addresses.iter();
    let mut observables: Vec<_> = observed
        .map(|ip| self::observable(&Sighted::Address(*ip)).0)
        .collect();
    if observables.is_empty() {
        observables.push(observable);
    }
    let refs: Vec<_> = observables.iter().map(|object| &object["id"]).collect();
    let value = match sighted {
        Sighted::Address(ip) => ip.to_string(),
        Sighted::Network(network) => network.to_string(),
        Sighted::Domain(text) | Sighted::Url(text) | Sighted::Hash(_, text) => text.clone(),
    };
    let quoted = value.replace('\\', r"\\").replace('\'', r"\'");
    let pattern = format!("[{path} {operator} '{quoted}']");
    let (first, last) = (shown(seen.first), shown(seen.last));
    let hits = seen.hits.min(MAX_COUNT);
    let indicator = id("indicator", &pattern);
    let once = format!("{pattern} {first}");
    let observed = id("observed-data", &once);
    let mut objects = vec![
        json!({
            "type": "indicator", "spec_version": "2.1", "id": &indicator,
            "created": &first, "modified": &first,
            "name": &value, "indicator_types": ["malicious-activity"],
            "description": format!("Malware: {}", names(seen)),
            "pattern": &pattern, "pattern_type": "stix", "valid_from": &first,
        }),
        json!({
            "type": "observed-data", "spec_version": "2.1", "id": &observed,
            "created": &first, "modified": &last,
            "first_observed": &first, "last_observed": &last, "number_observed": hits,
            "object_refs": refs,
        }),
        json!({
            "type": "sighting", "spec_version": "2.1", "id": id("sighting", &once),
            "created": &first, "modified": &last,
            "first_seen": &first, "last_seen": &last, "count": hits,
            "sighting_of_ref": &indicator, "observed_data_refs": [&observed],
        }),
    ];
    objects.append(&mut observables);
    objects
}

fn names(seen: &Seen) -> String {
    let names: Vec<_> = seen.malware.iter().map(String::as_str).collect();
    if names.is_empty() {
        "unknown".to_owned()
    } else {
        names.join(", ")
    }
}

/// What was observed, and the path of its value in a pattern. Its id is made of what STIX says that it is made of.
fn observable(sighted: &Sighted) -> (Value, String) {
    let (kind, property, value) = match sighted {
        Sighted::Address(ip @ IpAddr::V4(_)) => ("ipv4-addr", "value", json!(ip.to_string())),
        Sighted::Address(ip @ IpAddr::V6(_)) => ("ipv6-addr", "value", json!(ip.to_string())),
        Sighted::Network(net @ IpNet::V4(_)) => ("ipv4-addr", "value", json!(net.to_string())),
        Sighted::Network(net @ IpNet::V6(_)) => ("ipv6-addr", "value", json!(net.to_string())),
        Sighted::Domain(name) => ("domain-name", "value", json!(name)),
        Sighted::Url(url) => ("url", "value", json!(url)),
        Sighted::Hash(name, digits) => {
            let object = observable_of("file", "hashes", &json!({*name: digits}));
            return (object, format!("file:hashes.'{name}'"));
        }
    };
    (
        observable_of(kind, property, &value),
        format!("{kind}:{property}"),
    )
}

fn observable_of(kind: &str, property: &str, value: &Value) -> Value {
    let made_of = json!({ property: value }).to_string();
    let uuid = Uuid::new_v5(&OBSERVABLES, made_of.as_bytes());
    json!({
        "type": kind, "spec_version": "2.1", "id": format!("{kind}--{uuid}"), property: value,
    })
}

/// The id of an object that is not an observable. The namespace of those is for them alone.
fn id(kind: &str, name: &str) -> String {
    let ours = Uuid::new_v5(&Uuid::NAMESPACE_OID, b"threatfox sightings");
    format!("{kind}--{}", Uuid::new_v5(&ours, name.as_bytes()))
}

fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
