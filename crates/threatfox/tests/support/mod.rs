//! Exports of any values, and what is made of them.

#![allow(clippy::unwrap_used, dead_code)] // a failed step is a failed test, and each test program uses a part

use std::fmt::Write as _;
use std::io::Write as _;

use proptest::prelude::*;
use threatfox::feed;
use threatfox::normalize::{Filter, KeyStore, Normalizer};
use threatfox::shared_hosts::SharedHosts;
use threatfox::source::{self, Input};
use threatfox::table::Layout;
use threatfox::warning::WarningLists;

const HEADER: &str = "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\
    \"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\
    \"tags\",\"anonymous\",\"reporter\"\n";

/// An export of these values and types.
pub fn export(records: &[(u32, String, &str)]) -> String {
    let mut text = HEADER.to_owned();
    for (id, value, kind) in records {
        let value = value.replace('"', "\"\"");
        writeln!(
            text,
            "\"2026-11-01 00:00:00\", \"{id}\", \"{value}\", \"{kind}\", \"botnet_cc\", \"win.x\", \"None\", \"X\", \
             \"\", \"75\", \"False\", \"None\", \"None\", \"0\", \"r\""
        )
        .unwrap();
    }
    write!(text, "# Number of entries: {}", records.len()).unwrap();
    text
}

/// The feed's bytes, and the records read, kept and dropped; no bytes where nothing is left.
pub fn normalize(records: &[(u32, String, &str)]) -> (Vec<u8>, [u64; 3]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(export(records).as_bytes()).unwrap();
    let filter = Filter {
        allow_private: true,
        ..Filter::default()
    };
    let mut normalizer = Normalizer::<KeyStore>::new(filter, SharedHosts::built_in());
    source::read(&Input::new(file.path()), &mut normalizer).unwrap();
    let Ok((store, counts)) = normalizer.finish() else {
        return (Vec::new(), [records.len() as u64, 0, records.len() as u64]);
    };
    let (bytes, _) =
        feed::write(&store, &WarningLists::built_in(), Vec::new(), Layout::Csv).unwrap();
    let dropped = counts.dropped.values().sum();
    (bytes, [counts.read, counts.kept, dropped])
}

/// Values as ThreatFox has them, near misses of those, and any text at all.
pub fn record() -> impl Strategy<Value = (String, &'static str)> {
    prop_oneof![
        ("203\\.0\\.113\\.[0-9]{1,3}:[0-9]{1,5}", Just("ip:port")),
        ("\\[2001:db8::[0-9a-f]{1,4}\\]:[0-9]{1,4}", Just("ip:port")),
        ("[a-zA-Z0-9-]{1,8}\\.(bad|evil)\\.example", Just("domain")),
        (
            "https?://[a-z]{1,6}\\.example(:[0-9]{1,5})?/[ -~]{0,12}",
            Just("url")
        ),
        ("[0-9a-fA-F]{64}", Just("sha256_hash")),
        (
            "[^\r\n]{0,24}",
            prop_oneof![
                Just("ip:port"),
                Just("domain"),
                Just("url"),
                Just("md5_hash"),
                Just("new_type")
            ]
        ),
    ]
}

/// Records with ids from 1.
pub fn numbered(records: Vec<(String, &'static str)>) -> Vec<(u32, String, &'static str)> {
    (1..)
        .zip(records)
        .map(|(id, (value, kind))| (id, value, kind))
        .collect()
}
