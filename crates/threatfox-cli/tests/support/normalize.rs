//! `threatfox normalize` run on an export that the test writes.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Bench, Ran};

pub const HEADER: &str = r#"# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware","malware_alias","malware_printable","last_seen_utc","confidence_level","is_compromised","reference","tags","anonymous","reporter""#;

pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/threatfox")
        .join(name)
}

/// One line of an export.
pub fn line(id: u32, value: &str, ioc_type: &str) -> String {
    format!(
        r#""2026-03-15 04:01:14", "{id}", "{value}", "{ioc_type}", "botnet_cc", "win.x", "None", "X Stealer", "", "100", "False", "None", "a,b", "0", "someone""#
    )
}

pub fn export(lines: &[String]) -> String {
    let data = lines.join("\r\n");
    format!(
        "# banner\r\n{HEADER}\r\n{data}\r\n# Number of entries: {}",
        lines.len()
    )
}

pub fn run(bench: &Bench, content: &[u8], args: &[&str]) -> Ran {
    fs::write(bench.path("input"), content).unwrap();
    let args = [&["normalize", "input"], args].concat();
    bench.finish(bench.command(&args))
}

/// The feed's rows for lines of an export, without the header.
pub fn rows(lines: &[String], args: &[&str]) -> Vec<String> {
    let run = run(&Bench::new(), export(lines).as_bytes(), args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout.lines().skip(1).map(str::to_owned).collect()
}
