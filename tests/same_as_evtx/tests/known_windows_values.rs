//! What stands in the real logs of tests/data/evtx-windows, counted with the crate evtx alone: the engine's tests hold the hunts against it.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use evtx::{EvtxParser, ParserSettings};
use serde_json::Value;

/// Provider, event ids and the field that has addresses of the Internet.
const FIELDS: [(&str, &[&str], &str); 4] = [
    ("Microsoft-Windows-Bits-Client", &["59", "60"], "url"),
    ("Microsoft-Windows-PowerShell", &["4104"], "ScriptBlockText"),
    (
        "Microsoft-Windows-Security-Auditing",
        &["4688"],
        "CommandLine",
    ),
    (
        "Microsoft-Windows-Windows Defender",
        &["1116", "1117"],
        "Path",
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/evtx-windows")
}

/// The URLs of a text, each once: up to a space or a quotation mark.
fn urls(text: &str) -> Vec<&str> {
    let starts = text.match_indices("http").map(|(at, _)| &text[at..]);
    let of_scheme =
        starts.filter(|rest| rest.starts_with("http://") || rest.starts_with("https://"));
    let mut urls: Vec<_> = of_scheme
        .map(|rest| {
            rest.split(|c: char| c.is_whitespace() || c == '\'' || c == '"')
                .next()
                .unwrap()
        })
        .collect();
    urls.sort_unstable();
    urls.dedup();
    urls
}

/// A value as text: a number, or the `#text` of an element that has attributes too.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => text(&value["#text"]),
        Value::Array(values) => values.iter().map(text).collect(),
        other => other.to_string(),
    }
}

#[test]
fn the_list_of_known_values_is_what_the_crate_evtx_counts() {
    let mut counts: BTreeMap<(String, String, String), u32> = BTreeMap::new();
    let files = folder()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for path in files.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "evtx")
    }) {
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let settings = ParserSettings::default().num_threads(1);
        let mut parser = EvtxParser::from_path(&path)
            .unwrap()
            .with_configuration(settings);
        for record in parser.records_json_value().filter_map(Result::ok) {
            let event = &record.data["Event"];
            let provider = text(&event["System"]["Provider"]["#attributes"]["Name"]);
            let id = text(&event["System"]["EventID"]);
            for (of, ids, field) in FIELDS {
                if of == provider && ids.contains(&&*id) {
                    for url in urls(&text(&event["EventData"][field])) {
                        *counts
                            .entry((file.clone(), id.clone(), url.to_owned()))
                            .or_default() += 1;
                    }
                }
            }
        }
    }
    let line = |((file, id, url), count): (&(String, String, String), &u32)| {
        format!("{file},{id},\"{url}\",{count}\n")
    };
    let counted: String = std::iter::once("file,event_id,url,count\n".to_owned())
        .chain(counts.iter().map(line))
        .collect();
    let list = folder().join("known-values.csv");
    if std::env::var_os("WRITE_KNOWN_VALUES").is_some() {
        fs::write(&list, &counted).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&list).unwrap(),
        counted,
        "run with WRITE_KNOWN_VALUES=1 and read the difference"
    );
}
