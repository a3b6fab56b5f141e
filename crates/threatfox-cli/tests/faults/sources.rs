//! What other sources than ThreatFox give that is not whole, or of no use.

use std::fs;

use crate::support::{Bench, Ran, Server, answer, csv_export, ok};
use crate::{args, faults, run};

/// Normalizes a text with more words on the command line.
fn file(bench: &Bench, words: &str, text: &str) -> Ran {
    fs::write(bench.path("input"), text).unwrap();
    bench.finish(bench.command(&args(&format!("normalize input{words}"))))
}

faults! {
    event_cut => 1, ["the JSON ends in the middle"], |bench| {
        file(bench, "", r#"{"Event": {"info": "x", "Attribute": [{"type": "md5""#)
    };
    event_without_attributes => 1, ["it holds no records"], |bench| {
        file(bench, "", r#"{"Event": {"info": "x", "Attribute": []}}"#)
    };
    bundle_without_indicators => 1, ["none of its 1 objects is an indicator"], |bench| {
        file(bench, "", r#"{"type": "bundle", "objects": [{"type": "malware", "id": "malware--1"}]}"#)
    };
    csv_without_the_column => 1, ["not the columns asked for", "input has when, address"], |bench| {
        file(bench, " --columns value=ip", "when,address\n2026-11-01,198.41.5.7\n")
    };
    columns_not_named => 1, ["its columns are not named"], |bench| {
        file(bench, "", "when,address\n2026-11-01,198.41.5.7\n")
    };
    quotation_mark_open => 1, ["the quotation mark of a field is never closed"], |bench| {
        file(bench, " --columns value=ip", "ip,family\n198.41.5.7,\"Foo\n198.41.5.8,Foo\n")
    };
    utf_16 => 1, ["this is UTF-16"], |bench| {
        file(bench, "", "e\0v\0i\0l\0.\0t\0o\0p\0")
    };
    rows_of_ours => 1, ["already a feed"], |bench| {
        file(bench, "", "ioc,ioc_type,key,kind,regex\nevil.top,domain,evil.top,domain,\n")
    };
    list_of_nonsense => 1, ["(so in 3 of 4 records)"], |bench| {
        file(bench, " --input-format list", "evil.top\nwhat a day\nso it is\nand so on\n")
    };
    hashes_of_certificates => 1, ["SSLBL has hashes of certificates"], |bench| {
        file(bench, "", "# abuse.ch SSLBL SSL Certificate Blacklist\n# Listingdate,SHA1,Listingreason\n")
    };
    empty_export_of_hashes => 1, ["it holds no records"], |bench| {
        file(bench, "", "# MalwareBazaar recent malware samples\n# sha256_hash\nn/a\n")
    };
    part_cannot_stay => 1, ["rows by IOC and JSON lines cannot keep the part of one source", "--force"], |bench| {
        fs::write(bench.path("rows.jsonl"), "{\"ioc\":\"evil.top\"}\n").unwrap();
        let server = Server::start(|request| match request {
            request if request.starts_with("GET /export/") => ok(csv_export(9, 9)),
            _ => answer("404 Not Found", "", ""),
        });
        let sources = format!("full,urlhaus={}/u.csv", server.url);
        bench.run(&server, &["fetch", "--by", "ioc", "--source", &sources, "-o", "rows.jsonl"])
    };
    every_source_fails => 1, ["no source gave anything new"], |bench| {
        let server = Server::always(answer("404 Not Found", "", ""));
        let words = format!("fetch --source full,urlhaus={}/u.csv", server.url);
        run(bench, &server, &words)
    };
}
