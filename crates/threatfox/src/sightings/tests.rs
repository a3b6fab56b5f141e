use serde_json::Value;

use super::*;

/// Of a hunt's Hits, of its Summary, of a scan; a weaker one, one twice, and rows that are not hits.
const ROWS: &str = r#"{"Strength":"strong","Malware":"X;Y","IOC":"203.0.113.7:443","Time":"2026-11-18T08:00:07.007Z","Computer":"WS01","Place":"Sysmon 3","RecordID":1}
{"Strength":"strong","Malware":"X","IOC":"203.0.113.7:443","Time":1794988807.007,"Computer":"WS01","Place":"Sysmon 3","RecordID":1}
{"Strength":"medium","Malware":"X","IOC":"203.0.113.7:8080","Time":1795075207.5,"Computer":"WS01","Place":"Sysmon 3","RecordID":2}
{"Strength":"strong","Malware":"Z","IOC":"hxxp://evil[.]example/it's","First":"2026-11-17T00:00:00Z","Last":"2026-11-18T00:00:00Z","Count":41}
{"Strength":"strong","IOC":"Evil.example","Time":"2026-11-18T08:00:07.007Z","Computer":null}
{"Strength":"strong","IOC":"45C4710EDC62DF311612101B9160C7E1","Time":"2026-11-18T08:00:07.007Z"}
{"Strength":"strong","IOC":"2001:db8::7","Time":"2026-11-18T08:00:07.007Z"}
{"Strength":"weak","IOC":"weak.example","Time":"2026-11-18T08:00:07.007Z"}

{"Strength":"strong","IOC":"no time.example"}
{"Strength":"strong","IOC":"not an indicator","Time":"2026-11-18T08:00:07.007Z"}
{"LogFile":"x.evtx","Status":"read","IOC":7}
"#;

fn read(rows: &str) -> Result<Sightings, Error> {
    let mut sightings = Sightings::new(Strength::Medium);
    sightings.read(&Input::of_bytes(rows.as_bytes(), "hits.jsonl"))?;
    Ok(sightings)
}

fn misp(sightings: &Sightings) -> Value {
    let mut out = Vec::new();
    sightings.write_misp("us", &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn stix(sightings: &Sightings) -> Value {
    let mut out = Vec::new();
    sightings.write_stix(&mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn the_rows_are_counted_and_none_is_lost() {
    let counts = read(ROWS).unwrap().counts();
    let expected = Counts {
        rows: 11,
        hits: 46,
        weaker: 1,
        twice: 1,
        other: 3,
    };
    assert_eq!(counts, expected);
}

#[test]
fn misp_gets_a_sighting_of_each_indicator_and_day() {
    let sightings = misp(&read(ROWS).unwrap());
    let lines: Vec<_> = sightings
        .as_array()
        .unwrap()
        .iter()
        .map(|sighting| {
            assert_eq!(
                (&sighting["type"], &sighting["source"]),
                (&"0".into(), &"us".into())
            );
            assert_eq!(sighting.as_object().unwrap().len(), 4);
            format!(
                "{} {}",
                sighting["values"][0].as_str().unwrap(),
                sighting["timestamp"]
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "203.0.113.7 1794988807",
            "203.0.113.7 1795075207",
            "2001:db8::7 1794988807",
            "evil.example 1794988807",
            "45c4710edc62df311612101b9160c7e1 1794988807",
            "http://evil.example/it's 1794873600",
            "http://evil.example/it's 1794960000",
        ]
    );
    assert_eq!(misp(&Sightings::new(Strength::Weak)), serde_json::json!([]));
}

#[test]
fn stix_gets_a_sighting_of_each_indicator_with_all_that_the_standard_wants() {
    let bundle = stix(&read(ROWS).unwrap());
    assert_eq!(bundle["type"], "bundle");
    let objects = bundle["objects"].as_array().unwrap();
    assert_eq!(objects.len(), 4 * 5);
    let mut ids = BTreeSet::new();
    for object in objects.iter().chain([&bundle]) {
        let (kind, uuid) = object["id"].as_str().unwrap().split_once("--").unwrap();
        assert_eq!(object["type"], kind);
        let version = uuid::Uuid::parse_str(uuid).unwrap().get_version_num();
        assert_eq!(version, 5, "{object}");
        assert!(
            ids.insert(object["id"].as_str().unwrap()),
            "twice: {object}"
        );
    }
    let has = |object: &Value, names: &[&str]| {
        for name in names {
            assert!(!object[*name].is_null(), "{name} of {object}");
        }
    };
    for object in objects {
        assert_eq!(object["spec_version"], "2.1");
        match object["type"].as_str().unwrap() {
            "indicator" => has(
                object,
                &[
                    "created",
                    "modified",
                    "pattern",
                    "pattern_type",
                    "valid_from",
                ],
            ),
            "observed-data" => has(
                object,
                &[
                    "created",
                    "modified",
                    "first_observed",
                    "last_observed",
                    "number_observed",
                    "object_refs",
                ],
            ),
            "sighting" => has(
                object,
                &[
                    "created",
                    "modified",
                    "sighting_of_ref",
                    "observed_data_refs",
                    "count",
                ],
            ),
            "file" => has(object, &["hashes"]),
            "ipv4-addr" | "ipv6-addr" | "domain-name" | "url" => has(object, &["value"]),
            other => panic!("{other}"),
        }
        let refs = [&object["object_refs"], &object["observed_data_refs"]];
        let refs = refs
            .into_iter()
            .flat_map(|list| list.as_array().into_iter().flatten());
        for reference in refs.chain([&object["sighting_of_ref"]]) {
            assert!(
                reference.is_null() || ids.contains(reference.as_str().unwrap()),
                "{object}"
            );
        }
    }
    let patterns: Vec<_> = objects
        .iter()
        .filter_map(|object| object["pattern"].as_str())
        .collect();
    assert_eq!(
        patterns,
        [
            "[ipv4-addr:value = '203.0.113.7']",
            "[ipv6-addr:value = '2001:db8::7']",
            "[domain-name:value = 'evil.example']",
            "[file:hashes.'MD5' = '45c4710edc62df311612101b9160c7e1']",
            r"[url:value = 'http://evil.example/it\'s']",
        ]
    );
    let sighting = objects
        .iter()
        .find(|object| object["type"] == "sighting")
        .unwrap();
    assert_eq!(sighting["count"], 2);
    assert_eq!(sighting["first_seen"], "2026-11-18T08:00:07.007Z");
    assert_eq!(sighting["last_seen"], "2026-11-19T08:00:07.500Z");
}

#[test]
fn of_a_network_the_network_is_sighted_and_only_addresses_that_were_seen_are_observed() {
    let hit = |ioc: &str, observable: &str, id: u32| {
        format!(
            r#"{{"Strength":"strong","IOC":"{ioc}","Observable":"{observable}","Time":"2026-11-18T08:00:0{id}Z","Computer":"WS01","Place":"Sysmon 3","RecordID":{id}}}"#
        )
    };
    let rows = [
        hit("203.0.113.0/24", "203.0.113.238", 1),
        hit("203.0.113.0/24", "203.0.113.40", 2),
        hit("203.0.113.0/24", "203.0.113.40", 3),
        hit("203.0.113.40", "203.0.113.40", 4),
        // An address outside the network was not seen of it.
        hit("203.0.113.0/24", "198.51.100.7", 5),
    ];
    let sightings = read(&rows.join("\n")).unwrap();
    let values: Vec<_> = misp(&sightings)
        .as_array()
        .unwrap()
        .iter()
        .map(|sighting| sighting["values"][0].clone())
        .collect();
    assert_eq!(values, ["203.0.113.40", "203.0.113.0/24"]);
    let bundle = stix(&sightings);
    let objects = bundle["objects"].as_array().unwrap();
    let of = |kind: &str, member: &str| {
        let all = objects.iter().filter(|object| object["type"] == kind);
        all.map(|object| object[member].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("ipv4-addr", "value"), ["203.0.113.40", "203.0.113.238"]);
    assert_eq!(
        of("indicator", "pattern"),
        [
            "[ipv4-addr:value = '203.0.113.40']",
            "[ipv4-addr:value ISSUBSET '203.0.113.0/24']",
        ]
    );
    assert_eq!(of("indicator", "name"), ["203.0.113.40", "203.0.113.0/24"]);
    let refs = of("observed-data", "object_refs");
    assert_eq!(refs[1].as_array().unwrap().len(), 2);
    // A Summary says nothing of the addresses.
    let row = r#"{"Strength":"strong","IOC":"2001:db8::/125","First":1794988807,"Last":1794988807,"Count":2}"#;
    let bundle = stix(&read(row).unwrap());
    let network = bundle["objects"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&network["type"], &network["value"]),
        (&"ipv6-addr".into(), &"2001:db8::/125".into())
    );
}

/// The ids that the library stix2 of OASIS gives: uuid5 of its namespace and the canonical JSON.
#[test]
fn the_id_of_an_observable_is_that_of_every_other_program() {
    let bundle = stix(&read(ROWS).unwrap());
    let ids = bundle["objects"].as_array().unwrap().iter();
    let ids: Vec<_> = ids.filter_map(|object| object["id"].as_str()).collect();
    for id in [
        "ipv4-addr--9ddd739e-87b1-587d-83f2-62ef1130af2f",
        "file--307df406-288f-5b0f-82b8-fb9f652b4e3d",
    ] {
        assert!(ids.contains(&id), "{id}: {ids:?}");
    }
}

#[test]
fn the_same_hits_in_any_order_give_the_same_files_and_later_ones_new_versions() {
    let reversed: Vec<_> = ROWS.lines().rev().collect();
    let (one, other) = (read(ROWS).unwrap(), read(&reversed.join("\n")).unwrap());
    assert_eq!(stix(&one), stix(&other));
    assert_eq!(misp(&one), misp(&other));
    let later = r#"{"Strength":"strong","IOC":"203.0.113.7:443","Time":"2026-11-29T08:00:00Z"}"#;
    let more = stix(&read(&format!("{ROWS}{later}\n")).unwrap());
    let (before, after) = (&stix(&one)["objects"][2], &more["objects"][2]);
    assert_eq!(before["id"], after["id"]);
    assert_eq!(before["created"], after["created"]);
    assert!(before["modified"].as_str() < after["modified"].as_str());
}

#[test]
fn what_is_not_json_lines_is_refused_with_its_line() {
    for (rows, expected) in [
        ("Time,IOC\n", "not a hit as a line of JSON"),
        ("{\"IOC\":\"a.example\"}\n{\"IOC\":", "hits.jsonl, line 2"),
        ("[]\n", "hits.jsonl, line 1"),
    ] {
        let error = read(rows).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let long = format!("{{\"IOC\":\"{}\"}}\n", "a".repeat(5 << 20));
    let error = read(&long).err().unwrap().to_string();
    assert!(error.contains("larger than 4 MiB"), "{error}");
}
