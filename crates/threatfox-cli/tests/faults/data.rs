//! Answers that are no whole data.

use std::io::Write;

use crate::support::{Bench, Ran, api, csv_export, ok, record};
use crate::{API, FULL, asked, faults};

pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const LISTS: &str = "fetch --source full --timeout 1 --warning-lists lists";

/// A run with a warning list of this text, which nothing is asked for.
fn listed(bench: &Bench, text: &str) -> Ran {
    std::fs::create_dir(bench.path("lists")).unwrap();
    std::fs::write(bench.path("lists/x.json"), text).unwrap();
    asked(0, bench, LISTS, ok(csv_export(3, 3)))
}

faults! {
    no_data => 1, ["no known form of indicators", "hell"], |bench| asked(1, bench, API, ok("hello"));
    json_cut => 1, ["ends in the middle"], |bench| {
        let whole = record(1, "evil.example", "domain");
        asked(1, bench, API, ok(format!(r#"{{"query_status": "ok", "data": [{whole}"#)))
    };
    no_usable_record => 1, ["no usable record among the 1 read", "--allow-private", "--rejects FILE"], |bench| {
        asked(1, bench, API, api(&[record(1, "10.0.0.1:80", "ip:port")]))
    };
    huge_field => 1, ["bound of 64 KiB"], |bench| {
        asked(1, bench, API, api(&[record(1, &"x".repeat(70_000), "domain")]))
    };
    wrong_number_of_entries => 1, ["promises 4 entries, 3 are there"], |bench| {
        asked(1, bench, FULL, ok(csv_export(3, 4)))
    };
    number_of_entries_missing => 1, ["without the line that gives their number"], |bench| {
        let export = csv_export(3, 3);
        asked(1, bench, FULL, ok(export.rsplit_once('\n').unwrap().0))
    };
    column_missing => 1, ["where the header has 15"], |bench| {
        asked(1, bench, FULL, ok(csv_export(3, 3).replacen("\"A,B\", ", "", 1)))
    };
    broken_zip => 1, ["cannot be read to its end"], |bench| asked(1, bench, FULL, ok("PK\u{3}\u{4}nonsense"));
    damaged_warning_list => 1, ["not a warning list", "lists/x.json: EOF while parsing"], |bench| listed(bench, r#"{"type":"cidr","list":["#);
    warning_list_of_another_type => 1, ["is not cidr, hostname, string, substring or regex"], |bench| {
        listed(bench, r#"{"type":"bloom","list":[]}"#)
    };
    no_network_in_a_warning_list => 1, ["is neither an address nor a network"], |bench| {
        listed(bench, r#"{"type":"cidr","list":["203.0.113.0/33"]}"#)
    };
    no_name_in_a_warning_list => 1, ["\"http://evil.example/\" is not a host name", "lists/x.json"], |bench| {
        listed(bench, r#"{"type":"hostname","list":["http://evil.example/"]}"#)
    };
    two_warning_lists_of_one_name => 1, ["has the same name"], |bench| {
        std::fs::create_dir_all(bench.path("lists/x")).unwrap();
        std::fs::write(bench.path("lists/x/list.json"), r#"{"type":"cidr","list":[]}"#).unwrap();
        std::fs::write(bench.path("lists/x.json"), r#"{"type":"cidr","list":[]}"#).unwrap();
        asked(0, bench, LISTS, ok(csv_export(3, 3)))
    };
    hostile_pattern_in_a_warning_list => 1, ["the pattern \"(a{1000}){1000}\""], |bench| {
        listed(bench, r#"{"type":"regex","list":["(a{1000}){1000}"]}"#)
    };
    warning_list_too_large => 1, ["larger than the bound of 32 MiB"], |bench| listed(bench, &" ".repeat(33 << 20));
    no_warning_list_there => 1, ["the folder holds neither NAME.json nor NAME/list.json"], |bench| {
        std::fs::create_dir(bench.path("lists")).unwrap();
        asked(0, bench, LISTS, ok(csv_export(3, 3)))
    };
    gz_cut => 1, ["cannot be read to its end"], |bench| {
        asked(1, bench, FULL, ok(&gzip(&csv_export(250, 250))[..200]))
    };
}
