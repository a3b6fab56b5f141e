//! `threatfox normalize` on files that are not complete exports: each fails with its cause, and the earlier output stays.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

mod support;

use std::fs;
use std::io::Write;

use support::Bench;
use support::normalize::{export, line, run, sample};

#[test]
fn api_errors_are_told_in_the_users_words() {
    let bench = Bench::new();
    for (file, text) in [
        ("http401_missing_key.json", "Auth-Key"),
        ("http403_unknown_auth_key.json", "Auth-Key"),
        ("http200_illegal_days.json", "1 to 7 days"),
        ("http200_no_result.json", "found nothing"),
        ("http502.html", "502 Server Error"),
    ] {
        let run = run(&bench, &fs::read(sample("errors").join(file)).unwrap(), &[]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{file}");
        assert!(run.stderr.contains(text), "{file}: {}", run.stderr);
    }
    let run = run(
        &bench,
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
        (
            "other text",
            b"hello".to_vec(),
            "no known form of indicators",
        ),
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
            "is never closed",
        ),
        (
            "a field too few",
            good.replace("\"a,b\", ", "").into(),
            "14 fields where the header has 15 (so in 2 of 2 records): input, line 3",
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
            "a zip of 2 files, where one is read",
        ),
        (
            "nothing left",
            export(&[line(1, "10.0.0.1:1", "ip:port")]).into(),
            "not global 1",
        ),
    ];
    let bench = Bench::new();
    let earlier = "key,kind,ioc\nevil.example,domain,evil.example\n";
    fs::write(bench.path("feed.csv"), earlier).unwrap();
    for (name, content, text) in cases {
        let run = run(&bench, &content, &["-o", "feed.csv"]);
        assert_eq!(run.code, 1, "{name}: {}", run.stderr);
        assert!(run.stderr.contains(text), "{name}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{name}: {}", run.stderr);
        assert_eq!(bench.read("feed.csv"), earlier, "{name}");
    }
    assert_eq!(run(&bench, &zip_of(&[("full.csv", &good)]), &[]).code, 0);
    assert_eq!(run(&bench, json.as_bytes(), &[]).code, 0);
}
