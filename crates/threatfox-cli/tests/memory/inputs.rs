//! What is given to a command: texts that pack or grow well.

use std::fmt::Write as _;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

pub const MAX_INPUT: usize = 100 * 1024;
/// What a zip of much less than 100 KB unpacks to.
const UNPACKED: usize = 8 << 20;

/// Members of 1 MiB one after the other, each of them packed once.
fn gzip(start: &str, part: &str, end: &str) -> Vec<u8> {
    let member = |text: &str| gzip_of(|out| out.write_all(text.as_bytes()).unwrap());
    let block = member(&part.repeat((1 << 20) / part.len() + 1));
    let (start, end) = (member(start), member(end));
    let count = (MAX_INPUT - start.len() - end.len()) / block.len();
    [start, block.repeat(count), end].concat()
}

fn gzip_of(write: impl FnOnce(&mut dyn Write)) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    write(&mut gz);
    gz.finish().unwrap()
}

fn zip(start: &str, part: &str, end: &str) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(6));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("full.csv", options).unwrap();
    zip.write_all(start.as_bytes()).unwrap();
    let block = part.repeat((1 << 20) / part.len() + 1);
    for _ in 0..UNPACKED >> 20 {
        zip.write_all(block.as_bytes()).unwrap();
    }
    zip.write_all(end.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

/// As many different records as fit into 100 KB.
fn different(start: &str, line: impl Fn(usize) -> String) -> Vec<u8> {
    let packed = |count: usize| {
        gzip_of(|out| {
            let mut text = start.to_owned();
            for n in 0..count {
                _ = writeln!(text, "{}", line(n));
            }
            out.write_all(text.as_bytes()).unwrap();
        })
    };
    let mut count = 4000;
    while packed(count * 3 / 2).len() <= MAX_INPUT {
        count = count * 3 / 2;
    }
    packed(count)
}

const EXPORT: &str = "# \"ioc_id\",\"ioc_value\",\"ioc_type\",\"first_seen_utc\",\"malware\",\"threat_type\",\"reporter\",\"tags\",\"reference\"\n";
const FEED: &str = "key,kind,ioc,ioc_type,regex,ports,malware,threat_type,confidence,first_seen,last_seen,id,iocs,compromised\n";
pub const LIST: &str = "--fplist";
const KEY: &str = "normalize input -o out.csv";
const IOC: &str = "normalize input --by ioc -o out.csv";

#[allow(clippy::too_many_lines)] // One table of cases.
/// What is given to a command, and how the command is called.
pub fn inputs() -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    let row = |n: usize| format!("{n},a{n}.b,domain,2026-03-15 04:01:14,m{n},t{n},r{n},g{n},x{n}");
    vec![
        (
            "rows of a zip",
            zip(EXPORT, "1,a.b,domain,2026-03-15 04:01:14,,,,,\n", ""),
            vec![KEY, IOC],
        ),
        (
            "URLs of a zip",
            zip(EXPORT, "1,http://a.b/,url,2026-03-15 04:01:14,,,,,\n", ""),
            vec![KEY, IOC],
        ),
        ("rows without fields", zip(EXPORT, ",\n", ""), vec![KEY]),
        ("a record of commas", gzip(EXPORT, ",", "\n"), vec![KEY]),
        (
            "records of commas",
            gzip(
                EXPORT,
                &(",".repeat(1_000_000) + &"\n,".repeat(500_000)),
                "",
            ),
            vec![KEY],
        ),
        ("an open quote", gzip(EXPORT, "\"x", ""), vec![KEY]),
        (
            "a header without end",
            gzip("# \"ioc_value\",\"ioc_id\",\"ioc_type\"", ",\"x\"", ""),
            vec![KEY],
        ),
        ("comments without end", gzip("#", " x\n#", ""), vec![KEY]),
        ("different records", different(EXPORT, row), vec![KEY, IOC]),
        (
            "different URLs",
            different(EXPORT, |n| {
                format!("{n},http://a{n}.b/,url,2026-03-15 04:01:14,,,,,")
            }),
            vec![KEY, IOC],
        ),
        (
            "records of an export",
            gzip(
                "{",
                "\"1\":[{\"ioc\":\"a.b\",\"ioc_type\":\"domain\",\"first_seen\":\"2026-03-15 04:01:14\"}],",
                "\"2\":[]}",
            ),
            vec![KEY, IOC],
        ),
        (
            "an answer's message",
            gzip("{\"query_status\":\"no\",\"data\":[", "[],", "0]}"),
            vec![KEY],
        ),
        (
            "an answer's long message",
            gzip("{\"query_status\":\"no\",\"data\":\"", "\\n", "\"}"),
            vec![KEY],
        ),
        (
            "a status without end",
            gzip("{\"query_status\":\"", "x", "\"}"),
            vec![KEY],
        ),
        (
            "a list of tags",
            gzip("{\"1\":[{\"tags\":[\"a\",", "[\"\"],", "[]]}]}"),
            vec![KEY],
        ),
        (
            "unknown fields",
            gzip("{\"1\":[{\"a\":[", "{\"a\":0},", "0]}]}"),
            vec![KEY],
        ),
        (
            "a field without end",
            gzip("{\"1\":[{\"ioc\":\"", "x", "\"}]}"),
            vec![KEY],
        ),
        (
            "a number without end",
            gzip("{\"1\":[{\"ioc\":", "1", "}]}"),
            vec![KEY],
        ),
        ("a list of nothing", gzip("[", "[],", "0]"), vec![LIST]),
        (
            "a list of small objects",
            gzip("{\"1\":{\"entry_value\":[", "{\"a\":1},", "0]}}"),
            vec![LIST],
        ),
        (
            "a list of one entry",
            gzip(
                "[",
                "{\"entry_value\":\"a.bc\",\"removal_notes\":\"x\"},",
                "{}]",
            ),
            vec![LIST],
        ),
        (
            "a list with a long text",
            gzip(
                "[{\"removal_notes\":\"",
                "x",
                "\",\"entry_value\":\"a.bc\"}]",
            ),
            vec![LIST],
        ),
        (
            "a list in CSV",
            gzip("\"entry_value\"\n", "a.bc\n", ""),
            vec![LIST],
        ),
        (
            "a list in CSV with an open quote",
            gzip("\"entry_value\"\n", "\"x", ""),
            vec![LIST],
        ),
        (
            "a list in CSV of commas",
            gzip("\"entry_value\"\n", ",", ""),
            vec![LIST],
        ),
        (
            "different entries",
            different("", |n| {
                format!(
                    "{}{{\"entry_value\":\"a{n}.bc\",\"platform\":\"p{n}\",\"removal_notes\":\"n{n}\"}}",
                    if n == 0 { "[" } else { "," }
                )
            }),
            vec![LIST],
        ),
        (
            "rows of a feed",
            gzip(FEED, "a.b,domain,,,^a\\.b$,,,,9,,,,,\n", ""),
            vec![
                "match --feed input a.b",
                "scan --feed input none.evtx",
                "normalize export.csv -o input",
            ],
        ),
        (
            "different rows of a feed",
            different(FEED, |n| {
                format!("a{n}.b,domain,,,^a{n}\\.b$,,m{n},,9,,,,,")
            }),
            vec!["match --feed input a.b", "scan --feed input none.evtx"],
        ),
        (
            "a line of a feed",
            gzip(FEED, ",", ""),
            vec!["match --feed input a.b"],
        ),
        (
            "empty lines of a feed",
            gzip(FEED, "\n", ""),
            vec!["match --feed input a.b"],
        ),
        (
            "attributes of an event",
            gzip(
                "{\"Event\":{\"Attribute\":[",
                "{\"to_ids\":1,\"type\":\"md5\",\"value\":\"a\"},",
                "{}]}}",
            ),
            vec![KEY, IOC],
        ),
        (
            "empty attributes of an event",
            gzip("{\"Event\":{\"Attribute\":[", "{},", "{}]}}"),
            vec![KEY],
        ),
        (
            "indicators of a bundle",
            gzip(
                "{\"type\":\"bundle\",\"objects\":[",
                "{\"type\":\"indicator\"},",
                "{}]}",
            ),
            vec![KEY],
        ),
        (
            "relationships of a bundle",
            gzip(
                "{\"type\":\"bundle\",\"objects\":[",
                "{\"type\":\"relationship\",\"relationship_type\":\"indicates\"},",
                "{}]}",
            ),
            vec![KEY],
        ),
        (
            "a pattern of values",
            gzip(
                "{\"type\":\"bundle\",\"objects\":[",
                &format!(
                    "{{\"type\":\"indicator\",\"pattern\":\"[url:value IN ({}'x')]\"}},",
                    "'x',".repeat(16_000)
                ),
                "{}]}",
            ),
            vec![KEY],
        ),
        (
            "networks of a bundle with a long name",
            named(
                20_000,
                &[any_of("ipv4-addr", 64, |n| format!("45.0.{n}.0/24"))],
            ),
            vec![KEY, IOC],
        ),
        (
            "small networks of a packed bundle with a long name",
            gzip_of(|out| out.write_all(&named(60_000, &small_networks())).unwrap()),
            vec![KEY, IOC],
        ),
        (
            "names of a pattern with a long name",
            named(
                40_000,
                &[any_of("domain-name", 4000, |n| format!("a{n}.b"))],
            ),
            vec![KEY, IOC],
        ),
        (
            "networks of a list",
            (0..7_000).fold(Vec::new(), |mut text, n| {
                text.extend_from_slice(format!("45.{}.{}.0/24\n", n / 256, n % 256).as_bytes());
                text
            }),
            vec![KEY],
        ),
        (
            "lines of a list",
            gzip("evil.top\nbad.top\n", "a.top\n", ""),
            vec![KEY],
        ),
        (
            "empty lines of a list",
            gzip("evil.top\nbad.top\n", "\n", ""),
            vec![KEY],
        ),
        (
            "URLs of URLhaus",
            gzip(
                "# id,dateadded,url,urlhaus_link\n",
                "1,2026-03-15 04:01:14,http://a.top/,\n",
                "",
            ),
            vec![KEY, IOC],
        ),
        (
            "objects of URLhaus",
            gzip("{\"1\":[{\"url_status\":1},", "{},", "{}]}"),
            vec![KEY],
        ),
        (
            "a policy of aliases",
            policy().into_bytes(),
            vec!["normalize export.csv --policy input -o out.csv"],
        ),
        (
            "a policy of entries",
            format!("ignore:\n  tags: [{}]\n", "a,".repeat(51_000)).into_bytes(),
            vec!["normalize export.csv --policy input -o out.csv"],
        ),
        (
            "a policy of brackets",
            format!("ignore: {}", "[".repeat(100_000)).into_bytes(),
            vec!["normalize export.csv --policy input -o out.csv"],
        ),
    ]
}

/// Each anchor holds the one before it ten times.
fn policy() -> String {
    let mut text = "ignore:\n  tags: &t0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..9 {
        let alias = format!("*t{}", n - 1);
        _ = writeln!(text, "  a{n}: &t{n} [{}]", [&*alias; 10].join(", "));
    }
    text
}

/// A pattern that asks for any of so many values.
fn any_of(object: &str, count: usize, value: impl Fn(usize) -> String) -> String {
    let values: Vec<_> = (0..count).map(|n| format!("'{}'", value(n))).collect();
    format!("[{object}:value IN ({})]", values.join(","))
}

fn small_networks() -> Vec<String> {
    let pattern = |octet| {
        any_of("ipv4-addr", 1000, |n| {
            format!("{octet}.0.{}.{}/30", n / 64, n % 64 * 4)
        })
    };
    (45..51).map(pattern).collect()
}

/// A bundle with two families whose names are so long, and an indicator of each pattern, of one family or the other.
fn named(length: usize, patterns: &[String]) -> Vec<u8> {
    let mut text = "{\"type\":\"bundle\",\"objects\":[".to_owned();
    for (number, letter) in ["F", "G"].iter().take(patterns.len()).enumerate() {
        let name = letter.repeat(length);
        _ = write!(
            text,
            r#"{{"type":"malware","id":"malware--{number}","name":"{name}"}},"#
        );
    }
    for (n, pattern) in patterns.iter().enumerate() {
        let family = n % 2;
        _ = write!(
            text,
            r#"{{"type":"indicator","id":"indicator--{n}","pattern":"{pattern}"}},{{"type":"relationship","id":"relationship--{n}","relationship_type":"indicates","source_ref":"indicator--{n}","target_ref":"malware--{family}"}},"#
        );
    }
    text.push_str("{}]}");
    text.into_bytes()
}
