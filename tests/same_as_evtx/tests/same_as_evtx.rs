//! This reader against the crate evtx, on every log in tests/data: the same records, and the same fields in them.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use evtx::{EvtxParser, ParserSettings};
use serde_json::Value;
use sysmon_log::{Block, Content, Log};

/// The fields of an event, by the names that lead to them.
type Fields = BTreeMap<String, String>;

fn logs() -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let folders = ["evtx", "evtx-windows", "field"].map(|name| data.join(name));
    let files = folders.iter().flat_map(|folder| folder.read_dir().unwrap());
    let mut logs: Vec<_> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "evtx")
        })
        .collect();
    logs.sort();
    logs
}

/// Each event as this reader builds it.
fn ours(path: &Path) -> Vec<Value> {
    let mut log = Log::open(path).unwrap();
    let mut block = Block::default();
    let mut events = Vec::new();
    loop {
        log.read(8, &mut block).unwrap();
        if block.is_empty() {
            return events;
        }
        for bytes in block.chunks() {
            let Content::Records(mut chunk) = Content::of(bytes, &[]) else {
                continue;
            };
            while let Some(event) = chunk.next_event() {
                assert!(event.is_whole());
                events.push(serde_json::to_value(event.build(&chunk).unwrap()).unwrap());
            }
        }
    }
}

fn theirs(path: &Path) -> Vec<Value> {
    let settings = ParserSettings::default().num_threads(1);
    let mut parser = EvtxParser::from_path(path)
        .unwrap()
        .with_configuration(settings);
    let records = parser.records_json_value();
    // A place that holds no chunk yet is an error to that crate.
    let records = records.filter_map(Result::ok);
    records.map(|record| record.data["Event"].clone()).collect()
}

/// The fields of an event, each as one text for the forms that the two readers give it.
fn fields(event: &Value) -> Fields {
    let mut fields = Fields::new();
    flatten(event, "", &mut fields);
    fields
}

fn flatten(value: &Value, path: &str, fields: &mut Fields) {
    let text = match value {
        // parse_evtx leaves data as it is where there is only one of it.
        Value::Object(inner)
            if path == "/EventData/Data" && inner.get("Name").is_some_and(Value::is_string) =>
        {
            let name = inner["Name"].as_str().unwrap();
            flatten(&value["Value"], &format!("/EventData/{name}"), fields);
            return;
        }
        Value::Object(inner) => {
            for (name, value) in inner {
                match name.as_str() {
                    "xmlns" => {}
                    "#attributes" | "#text" | "Value" => flatten(value, path, fields),
                    name => flatten(value, &format!("{path}/{name}"), fields),
                }
            }
            return;
        }
        // parse_evtx leaves data as a list where one of them has no value.
        Value::Array(items) if items.iter().all(|item| item["Name"].is_string()) => {
            let parent = path.trim_end_matches("/Data");
            for item in items {
                let name = item["Name"].as_str().unwrap();
                flatten(&item["Value"], &format!("{parent}/{name}"), fields);
            }
            return;
        }
        Value::Array(items) => {
            let items = items.iter().map(one_form);
            items.collect::<Vec<_>>().join(" ")
        }
        value => one_form(value),
    };
    if !text.is_empty() {
        fields.insert(path.to_owned(), text);
    }
}

/// A GUID without braces, a number in decimal, a time in seconds with three decimals.
fn one_form(value: &Value) -> String {
    if let Some(number) = value.as_f64().filter(|_| value.is_f64()) {
        return format!("{number:.3}");
    }
    let Some(text) = value.as_str() else {
        return value.to_string().replace("null", "");
    };
    if let Some(number) = text.strip_prefix("0x")
        && let Ok(number) = u64::from_str_radix(number, 16)
    {
        return number.to_string();
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return format!("{:.3}", time.as_duration().as_secs_f64());
    }
    let text = text.trim_matches(['{', '}']);
    if text.len() == 36 && text.matches('-').count() == 4 {
        return text.to_uppercase();
    }
    text.to_owned()
}

#[test]
fn every_log_has_the_same_events_as_the_crate_evtx_gives() {
    let logs = logs();
    assert!(logs.len() >= 9, "{logs:?}");
    for log in logs {
        let (ours, theirs) = (ours(&log), theirs(&log));
        let log = log.display();
        assert!(!ours.is_empty(), "{log}");
        assert_eq!(ours.len(), theirs.len(), "{log}");
        for (n, (ours, theirs)) in (1..).zip(ours.iter().zip(&theirs)) {
            assert_eq!(fields(ours), fields(theirs), "{log}, event {n}");
        }
    }
}
