//! A CSV of any make, with `--columns`: its delimiter, its quotation marks, its dates.

// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use support::sources::{failed, made};

#[test]
fn the_delimiter_is_the_one_that_makes_the_columns() {
    for delimiter in [",", ";", "\t", "|"] {
        let csv = "when,ip,family\n2026-01-02,198.41.5.7,\"a, b\"\n".replace("\",", "\"\0");
        let csv = csv
            .replace(", ", "\0")
            .replace(',', delimiter)
            .replace('\0', ", ");
        let (_, feed) = made(csv.as_bytes(), &["--columns", "value=ip,malware=family"]);
        assert!(
            feed.contains("198.41.5.7,ip,198.41.5.7,"),
            "{delimiter:?}: {feed}"
        );
        assert!(feed.contains("\"a, b\""), "{delimiter:?}: {feed}");
        let error = failed(csv.as_bytes(), &["--columns", "value=host"]);
        assert!(error.contains("input has when, ip, family"), "{error}");
    }
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_damage_and_no_short_feed() {
    let rows = |make: &dyn Fn(u32) -> String| (1..=100).map(make).collect::<String>();
    let broken = |n| if n == 50 { "\"Foo" } else { "Foo" };
    let custom = rows(&|n| format!("site{n}.example,{}\n", broken(n)));
    let quoted_later = custom.replace("site80.example,Foo", "site80.example,\"Foo, Bar\"");
    let urlhaus = rows(&|n| {
        format!(
            "{n},2026-01-02 03:04:05,http://site{n}.example/,online,{}\n",
            broken(n)
        )
    });
    let misp = rows(&|n| format!("domain,site{n}.example,{}\n", broken(n)));
    let columns = ["--columns", "value=ip"];
    for (text, args) in [
        (format!("ip,family\n{custom}"), &columns[..]),
        (format!("ip,family\n{quoted_later}"), &columns),
        (format!("id,dateadded,url,url_status,tags\n{urlhaus}"), &[]),
        (format!("type,value,comment\n{misp}"), &[]),
    ] {
        let error = failed(text.as_bytes(), args);
        assert!(
            error.contains("input, line 51: download the file again, or close it"),
            "{error}"
        );
    }
}

#[test]
fn utf_16_is_said_to_be_utf_16() {
    let text = "ip,family\n198.41.5.7,Foo\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for (mark, content) in [
        (&b"\xff\xfe"[..], &little),
        (b"\xfe\xff", &big),
        (b"", &little),
        (b"", &big),
    ] {
        let content = [mark, content].concat();
        for args in [
            &[][..],
            &["--columns", "value=ip"],
            &["--input-format", "list"],
        ] {
            let error = failed(&content, args);
            assert!(error.ends_with("input: save it as UTF-8"), "{error}");
        }
    }
}

#[test]
fn types_of_other_tools_are_read_with_both_parts_and_networks_keep_their_port() {
    let csv = "value,type,port\n\
        198.41.5.7|80,ip-dst|port,\n198[.]41.5.8|80,IP-SRC|port,\nx.exe|45c4710edc62df311612101b9160c7e1,filename|md5,\n\
        a.example|198.41.5.9,domain|ip,\n198.41.5.16/30,CIDR,443\n198.41.5.21,ip,443\n";
    let columns = "value=value,type=type,port=port";
    let (summary, feed) = made(csv.as_bytes(), &["--columns", columns]);
    assert_eq!(summary["kept"], 7, "{summary}");
    for (key, port) in [
        ("198.41.5.7", "80"),
        ("198.41.5.8", "80"),
        ("198.41.5.9", ""),
        ("198.41.5.16", "443"),
        ("198.41.5.19", "443"),
        ("198.41.5.21", "443"),
        ("a.example", ""),
        ("md5:45c4710edc62df311612101b9160c7e1", ""),
    ] {
        let start = format!("{key},");
        let row = feed.lines().find(|row| row.starts_with(&start)).unwrap();
        assert_eq!(row.split(',').nth(5).unwrap(), port, "{row}");
    }
    let (_, rows) = made(csv.as_bytes(), &["--columns", columns, "--by", "ioc"]);
    assert!(
        rows.contains("198.41.5.16/30,ip:port,198.41.5.16,ip,^198\\.41\\.5\\.16$,443,"),
        "{rows}"
    );
}

#[test]
fn an_indicator_is_kept_without_a_date_or_a_confidence_that_cannot_be_read() {
    let csv = "ip,seen,conf\n\
        198.41.5.1,2026-01-02 03:04,85.0\n198.41.5.2,20260102,90%\n198.41.5.3,1767323040,85\n\
        198.41.5.4,1767323040000,\n198.41.5.5,N/A,-\n198.41.5.6,-,n/a\n198.41.5.7,,None\n\
        198.41.5.8,01/02/2026,high\n198.41.5.9,1066-10-14,150\n198.41.5.10,9999-12-31,0.9\n";
    let columns = "value=ip,first_seen=seen,confidence=conf";
    let (summary, feed) = made(csv.as_bytes(), &["--columns", columns]);
    assert_eq!(summary["kept"], 10);
    assert_eq!(summary["inputs"][0]["unread_values"], 6);
    for (number, values) in [
        (1, "85,2026-01-02T03:04:00Z,"),
        (2, "90,2026-01-02T00:00:00Z,"),
        (3, "85,2026-01-02T03:04:00Z,"),
        (4, "50,2026-01-02T03:04:00Z,"),
        (5, "50,,"),
        (6, "50,,"),
        (7, "50,,"),
        (8, "50,,"),
        (9, "50,,"),
        (10, "50,,"),
    ] {
        let start = format!("198.41.5.{number},");
        let row = feed.lines().find(|row| row.starts_with(&start)).unwrap();
        assert!(
            row.contains(&format!(",Unknown malware,,{values}")),
            "{row}"
        );
    }
}
