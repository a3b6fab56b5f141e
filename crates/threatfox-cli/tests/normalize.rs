//! `threatfox normalize`, run as a user runs it: what good and bad input does to status, output and messages.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

const HEADER: &str = r#"# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware","malware_alias","malware_printable","last_seen_utc","confidence_level","is_compromised","reference","tags","anonymous","reporter""#;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/threatfox")
        .join(name)
}

/// One line of an export.
fn line(id: u32, value: &str, ioc_type: &str) -> String {
    format!(
        r#""2026-03-15 04:01:14", "{id}", "{value}", "{ioc_type}", "botnet_cc", "win.x", "None", "X Stealer", "", "100", "False", "None", "a,b", "0", "someone""#
    )
}

fn export(lines: &[String]) -> String {
    let data = lines.join("\r\n");
    format!(
        "# banner\r\n{HEADER}\r\n{data}\r\n# Number of entries: {}",
        lines.len()
    )
}

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(folder: &TempDir, content: &[u8], args: &[&str]) -> Run {
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
fn rows(lines: &[String], args: &[&str]) -> Vec<String> {
    let run = run(&TempDir::new().unwrap(), export(lines).as_bytes(), args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout.lines().skip(1).map(str::to_owned).collect()
}

fn summary(path: &Path, args: &[&str]) -> serde_json::Value {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("feed.csv.gz");
    let output = Command::cargo_bin("threatfox")
        .unwrap()
        .args(["normalize", "--summary", "json"])
        .arg(path)
        .arg("-o")
        .arg(&out)
        .args(args)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_record_of_the_real_samples_is_kept_or_counted() {
    for (name, records) in [
        ("recent-2026-03-15.csv", 1763),
        ("full-sha256-2025-12.csv.gz", 7202),
        ("recent-2026-07-24.json.gz", 4488),
    ] {
        for by in ["key", "ioc"] {
            let summary = summary(&sample(name), &["--by", by]);
            let dropped: u64 = summary["dropped"]
                .as_object()
                .unwrap()
                .values()
                .map(|n| n.as_u64().unwrap())
                .sum();
            assert_eq!(summary["read"], records, "{name}");
            assert_eq!(
                summary["kept"].as_u64().unwrap() + dropped,
                records,
                "{name} by {by}"
            );
        }
    }
}

#[test]
fn a_feed_by_key_looks_like_this() {
    let lines = [
        line(1, "203.0.113.7:4443", "ip:port"),
        line(2, "203.0.113.7:80", "ip:port"),
        line(3, "203.0.113.7:0", "ip:port"),
        line(4, "http://C2.Evil.Example:8080/a.php?b=1#c", "url"),
        line(5, "https://https://t.me/stfmms/api", "url"),
        line(6, "B\u{fc}cher.example", "domain"),
        line(7, "12345678901234567890123456789E12", "md5_hash"),
    ];
    insta::assert_snapshot!(rows(&lines, &["--allow-private"]).join("\n"));
}

#[test]
fn rows_by_ioc_look_like_this() {
    let lines = [
        line(1, "[2001:db8::7]:443", "ip:port"),
        line(2, "evil.example/x", "domain"),
    ];
    insta::assert_snapshot!(rows(&lines, &["--by", "ioc", "--allow-private"]).join("\n"));
    insta::assert_snapshot!(
        rows(
            &lines,
            &["--by", "ioc", "--allow-private", "--format", "jsonl"]
        )
        .join("\n")
    );
}

#[test]
fn a_domain_wins_over_the_host_of_a_url_and_an_address_too() {
    let lines = [
        line(1, "evil.example", "domain"),
        line(2, "http://evil.example/x", "url"),
        line(3, "198.51.100.9:443", "ip:port"),
        line(4, "http://198.51.100.9:8080/", "url"),
    ];
    let rows = rows(&lines, &["--allow-private"]);
    assert!(rows.iter().any(|row| {
        row.starts_with(r"evil.example,domain,evil.example,domain,(^|\.)evil\.example$,")
    }));
    assert!(rows.iter().any(|row| {
        row.starts_with(r"198.51.100.9,ip,198.51.100.9:443,ip:port,^198\.51\.100\.9$,443;8080,")
    }));
}

#[test]
fn the_order_of_the_inputs_does_not_change_a_byte() {
    let (a, b) = (
        sample("recent-2026-03-15.csv"),
        sample("recent-2026-07-24.json.gz"),
    );
    let bytes = |files: [&PathBuf; 3]| {
        let output = Command::cargo_bin("threatfox")
            .unwrap()
            .arg("normalize")
            .args(files)
            .output()
            .unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let once = bytes([&a, &b, &b]);
    assert!(
        once == bytes([&b, &a, &a]),
        "a record that is read twice counts once, in any order"
    );
}

#[test]
fn every_drop_is_listed_with_its_reason() {
    let lines = [
        line(1, "10.18.175.2:43219", "ip:port"),
        line(2, "eng--neuroxen.com!s!", "domain"),
        line(3, "abc.onion", "domain"),
        line(4, "00", "sha3_384_hash"),
        line(5, "d41d8cd98f00b204e9800998ecf8427e", "md5_hash"),
        line(6, "2001:db8::7:443", "ip:port"),
        line(7, "evil.example", "domain").replace("\"100\"", "\"49\""),
        line(8, "evil.example", "domain").replace("2026-03-15", "2026-33-15"),
        line(9, "kept.example", "domain"),
    ];
    let folder = TempDir::new().unwrap();
    let rejects = folder.path().join("rejects.csv");
    let run = run(
        &folder,
        export(&lines).as_bytes(),
        &["--rejects", rejects.to_str().unwrap()],
    );
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("read 9, kept 1"), "{}", run.stderr);
    insta::assert_snapshot!(fs::read_to_string(rejects).unwrap());
}

#[test]
fn an_old_and_a_future_set_of_columns_are_read_by_name() {
    let future = export(&[line(1, "evil.example", "domain").replace(
        "\"2026-03-15 04:01:14\"",
        "\"new\", \"2026-03-15 04:01:14\"",
    )])
    .replace("# \"first", "# \"brand_new\",\"first");
    let run = run(&TempDir::new().unwrap(), future.as_bytes(), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("brand_new"), "{}", run.stderr);
    assert_eq!(
        summary(&sample("full-sha256-2025-12.csv.gz"), &[])["kept"],
        7202
    );
}

#[test]
fn formulas_and_control_characters_are_neutralized() {
    let evil = line(1, "evil.example", "domain")
        .replace("X Stealer", "=cmd|'x'!A0\u{1b}[2J\u{202e}")
        .replace("a,b", "@tag");
    let row = rows(std::slice::from_ref(&evil), &["--by", "ioc"]).join("\n");
    assert!(row.contains("'=cmd|'x'!A0[2J,"), "{row}");
    assert!(row.contains(",'@tag,"), "{row}");
}

#[test]
fn api_errors_are_told_in_the_users_words() {
    let folder = TempDir::new().unwrap();
    for (file, text) in [
        ("http401_missing_key.json", "Auth-Key"),
        ("http403_unknown_auth_key.json", "Auth-Key"),
        ("http200_illegal_days.json", "1 to 7 days"),
        ("http200_no_result.json", "found nothing"),
        ("http502.html", "502 Server Error"),
    ] {
        let run = run(
            &folder,
            &fs::read(sample("errors").join(file)).unwrap(),
            &[],
        );
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{file}");
        assert!(run.stderr.contains(text), "{file}: {}", run.stderr);
    }
    let run = run(
        &folder,
        br#"{"query_status":"brand_new\u001b[2J","data":"Some text"}"#,
        &[],
    );
    assert!(
        run.stderr.contains("brand_new[2J") && run.stderr.contains("Some text"),
        "{}",
        run.stderr
    );
}

fn zip_of(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
#[allow(clippy::too_many_lines)] // One table of cases.
fn damage_of_each_kind_fails_with_its_cause_and_leaves_the_earlier_output() {
    let good = export(&[
        line(1, "evil.example", "domain"),
        line(2, "bad.example", "domain"),
    ]);
    let json = r#"{"1":[{"ioc_value":"evil.example","ioc_type":"domain","first_seen_utc":"2026-07-24 13:50:06"}]}"#;
    let gz = fs::read(sample("recent-2026-07-24.json.gz")).unwrap();
    let zipped = zip_of(&[("full.csv", &good)]);
    let mut wrong_crc = zipped.clone();
    let at = wrong_crc
        .windows(4)
        .position(|w| w == b"PK\x01\x02")
        .unwrap();
    for byte in [14, at + 16] {
        wrong_crc[byte] ^= 0xff;
    }
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty file", vec![], "is empty"),
        ("blank file", b" \n".to_vec(), "is empty"),
        (
            "web page",
            b"<!DOCTYPE html><title>Login</title>".to_vec(),
            "web page (Login)",
        ),
        ("other text", b"hello".to_vec(), "no ThreatFox data"),
        ("ready feed", b"key,kind,ioc\n".to_vec(), "already a feed"),
        (
            "no trailer",
            good.replace("# Number", "# Nr").into(),
            "without the line that gives their number",
        ),
        (
            "wrong trailer",
            good.replace("entries: 2", "entries: 3").into(),
            "promises 3 entries, 2 are there",
        ),
        (
            "cut in a line",
            good.as_bytes()[..good.len() - 60].to_vec(),
            "line 3: 11 fields",
        ),
        (
            "a field too few",
            good.replace("\"a,b\", ", "").into(),
            "line 3: 14 fields where the header has 15",
        ),
        (
            "no header",
            good.replace("ioc_value", "value").into(),
            "header",
        ),
        (
            "no type column",
            good.replace("\"ioc_type\"", "\"kind\"").into(),
            "no column ioc_type",
        ),
        (
            "huge field",
            good.replace("a,b", &"x".repeat(70_000)).into(),
            "bound of 64 KiB",
        ),
        (
            "open quote",
            good.replace("\"a,b\"", &format!("\"{}", "y".repeat(3_000_000)))
                .into(),
            "bound of 1 MiB",
        ),
        (
            "data after the trailer",
            format!("{good}\n{}", line(3, "x.example", "domain")).into(),
            "after the line",
        ),
        ("zero entries", export(&[]).into(), "no usable record"),
        (
            "cut JSON",
            json.as_bytes()[..60].to_vec(),
            "ends in the middle",
        ),
        ("empty JSON", b"{}".to_vec(), "no records"),
        (
            "JSON of another shape",
            br#"{"1":"x"}"#.to_vec(),
            "record 1",
        ),
        (
            "huge JSON field",
            json.replace("evil", &"x".repeat(70_000)).into(),
            "bound of 64 KiB",
        ),
        (
            "endless JSON field",
            json.replace("evil", &"x".repeat(9_000_000)).into(),
            "bound of 64 KiB",
        ),
        (
            "ok without data",
            br#"{"query_status":"ok"}"#.to_vec(),
            "no data",
        ),
        (
            "cut gz",
            gz[..gz.len() / 2].to_vec(),
            "cannot be read to its end",
        ),
        (
            "not gz",
            b"\x1f\x8bnot gzip at all".to_vec(),
            "cannot be read to its end",
        ),
        (
            "cut zip",
            zipped[..zipped.len() - 30].to_vec(),
            "cannot be read to its end",
        ),
        (
            "zip with a wrong CRC",
            wrong_crc,
            "cannot be read to its end",
        ),
        (
            "zip of two",
            zip_of(&[("a", &good), ("b", &good)]),
            "holds 2 files",
        ),
        (
            "nothing left",
            export(&[line(1, "10.0.0.1:1", "ip:port")]).into(),
            "not global 1",
        ),
    ];
    let folder = TempDir::new().unwrap();
    let feed = folder.path().join("feed.csv");
    fs::write(&feed, "earlier").unwrap();
    for (name, content, text) in cases {
        let run = run(&folder, &content, &["-o", feed.to_str().unwrap()]);
        assert_eq!(run.code, 1, "{name}: {}", run.stderr);
        assert!(run.stderr.contains(text), "{name}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{name}: {}", run.stderr);
        assert_eq!(fs::read_to_string(&feed).unwrap(), "earlier", "{name}");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "{name} leaves no temporary file"
        );
    }
    assert_eq!(run(&folder, &zip_of(&[("full.csv", &good)]), &[]).code, 0);
    assert_eq!(run(&folder, json.as_bytes(), &[]).code, 0);
}

#[test]
fn quotes_and_newlines_in_a_field_are_read_as_csv_means_them() {
    let odd = line(1, "evil.example", "domain").replace("a,b", "a \"\"quoted\"\", tag\nsecond");
    let row = rows(&[odd], &["--by", "ioc"]).join("\n");
    assert!(row.contains("\"a \"\"quoted\"\", tagsecond\""), "{row}");
}

#[test]
fn bad_bytes_spoil_one_record_and_not_the_file() {
    let mut content = export(&[
        line(1, "evil.example", "domain"),
        line(2, "bad.example", "domain"),
    ])
    .into_bytes();
    let at = content.windows(3).position(|w| w == b"bad").unwrap();
    content[at] = 0xff;
    let run = run(&TempDir::new().unwrap(), &content, &[]);
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("not utf8 1"), "{}", run.stderr);
}

#[test]
fn json_of_2023_and_answers_of_the_api_have_the_same_keys() {
    let json_2023 = br#"{"7":[{"ioc_value":"203.0.113.7:7771","ioc_type":"ip:port","threat_type":"botnet_cc","malware":"win.asyncrat",
        "malware_alias":null,"malware_printable":"AsyncRAT","first_seen_utc":"2023-01-21 00:05:11","last_seen_utc":null,
        "confidence_level":75,"reference":"","tags":"asyncrat,c2","anonymous":"0","reporter":"abuse_ch"}]}"#;
    let api = br#"{"query_status":"ok","data":[{"id":7,"ioc":"203.0.113.7:7771","threat_type":"botnet_cc","threat_type_desc":"x",
        "ioc_type":"ip:port","malware":"win.asyncrat","malware_printable":"AsyncRAT","confidence_level":75,"is_compromised":false,
        "first_seen":"2023-01-21 00:05:11 UTC","last_seen":null,"reference":null,"tags":["asyncrat","c2"],"reporter":"abuse_ch"}]}"#;
    let folder = TempDir::new().unwrap();
    let args = ["--by", "ioc", "--allow-private"];
    let [old, new] = [&json_2023[..], &api[..]].map(|content| run(&folder, content, &args));
    assert_eq!((old.code, new.code), (0, 0), "{}{}", old.stderr, new.stderr);
    assert_eq!(old.stdout, new.stdout);
    assert!(old.stdout.contains("\"asyncrat,c2\""));
}

#[test]
fn wrong_usage_is_exit_code_2_and_the_help_names_the_codes() {
    let command = |args: &[&str]| {
        Command::cargo_bin("threatfox")
            .unwrap()
            .args(args)
            .output()
            .unwrap()
    };
    assert_eq!(command(&["normalize"]).status.code(), Some(2));
    assert_eq!(
        command(&["normalize", "x", "--min-confidence", "101"])
            .status
            .code(),
        Some(2)
    );
    assert_eq!(command(&["normalize", "/nowhere/x"]).status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8(command(&["normalize", "--help"]).stdout).unwrap());
}
