//! `threatfox normalize` run on an export that the test writes.
// Each test program uses a part; the lint on unwrap knows test functions only, not what they call.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

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

pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn run(folder: &TempDir, content: &[u8], args: &[&str]) -> Run {
    let file = folder.path().join("input");
    fs::write(&file, content).unwrap();
    let output = Command::cargo_bin("threatfox")
        .unwrap()
        .arg("normalize")
        .arg(&file)
        .args(args)
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The feed's rows for lines of an export, without the header.
pub fn rows(lines: &[String], args: &[&str]) -> Vec<String> {
    let run = run(&TempDir::new().unwrap(), export(lines).as_bytes(), args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout.lines().skip(1).map(str::to_owned).collect()
}
