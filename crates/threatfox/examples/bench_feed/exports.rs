//! Exports of any size to measure with: invented indicators, or real values from a list.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::Result;

/// A value, its type and its threat type.
pub type Ioc = (String, String, &'static str);

/// Invented indicators in the mix of a full export, the same in each run.
pub fn invented(records: u64) -> Vec<Ioc> {
    (0..records).map(ioc).collect()
}

/// The values of a list with the columns `ioc_type,ioc_value`, gzipped or not. It may hold addresses without a port.
pub fn listed(path: &Path) -> Result<Vec<Ioc>> {
    let mut bytes = std::fs::read(path)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut text = Vec::new();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text)?;
        bytes = text;
    }
    let mut csv = csv::Reader::from_reader(&bytes[..]);
    let mut list = Vec::new();
    for row in csv.records() {
        let row = row?;
        let (kind, value) = (&row[0], row[1].to_owned());
        let known = !["ip", "md5", "sha1", "sha256"].contains(&kind);
        list.push(match kind {
            "ip" => (format!("{value}:443"), "ip:port".to_owned(), "botnet_cc"),
            _ if known => (value, kind.to_owned(), "payload_delivery"),
            hash => (value, format!("{hash}_hash"), "payload"),
        });
    }
    Ok(list)
}

/// The mix of types of a full export: value, type, threat.
fn ioc(n: u64) -> Ioc {
    // A spread without order, the same in each run.
    let x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (value, kind, threat) = match x >> 60 {
        0..5 => (
            format!(
                "{}.{}.{}.{}:{}",
                60 + (x >> 8) % 30,
                x >> 16 & 255,
                x >> 24 & 255,
                x >> 32 & 255,
                1 + (x >> 40 & 32_767)
            ),
            "ip:port",
            "botnet_cc",
        ),
        5..12 => (
            format!("host-{:x}.evil{:x}.com", x >> 40, x & 0xfff),
            "domain",
            "payload_delivery",
        ),
        12..14 => (
            format!(
                "http://{}.{}.{}.9:{}/{:x}/Mozi.m",
                60 + (x >> 8) % 30,
                x >> 16 & 255,
                x >> 24 & 255,
                1024 + (x >> 40 & 8191),
                x
            ),
            "url",
            "payload_delivery",
        ),
        _ => (
            format!("{x:016x}{:016x}{:016x}{n:016x}", !x, x.rotate_left(9)),
            "sha256_hash",
            "payload",
        ),
    };
    (value, kind.to_owned(), threat)
}

/// The CSV export of these indicators.
pub fn write_csv(path: &Path, iocs: &[Ioc]) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write!(
        out,
        "# banner\r\n# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"\r\n"
    )?;
    for (n, (value, kind, threat)) in (0_u64..).zip(iocs) {
        let value = value.replace('"', "\"\"");
        write!(
            out,
            "\"2026-03-{:02} 04:{:02}:14\", \"{}\", \"{value}\", \"{kind}\", \"{threat}\", \"win.family_{}\", \"None\", \"Family {}\", \"\", \"{}\", \"False\", \"https://bazaar.example/{n}\", \"C2,AS{},censys\", \"0\", \"someone\"\r\n",
            1 + n % 28,
            n % 60,
            1_700_000 + n,
            n % 300,
            n % 300,
            [50, 75, 90, 100][usize::try_from(n % 4)?],
            n % 997,
        )?;
    }
    write!(out, "# Number of entries: {}", iocs.len())?;
    Ok(out.flush()?)
}

/// The JSON export of these indicators.
pub fn write_json(path: &Path, iocs: &[Ioc]) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for (n, (value, kind, threat)) in (0_u64..).zip(iocs) {
        let separator = if n == 0 { "{" } else { "," };
        write!(
            out,
            "{separator}\n    \"{}\": [\n        {{\n            \"ioc_value\": {},\n            \"ioc_type\": \"{kind}\",\n            \"threat_type\": \"{threat}\",\n            \"malware\": \"win.family_{}\",\n            \"malware_alias\": null,\n            \"malware_printable\": \"Family {}\",\n            \"first_seen_utc\": \"2026-03-{:02} 04:{:02}:14\",\n            \"last_seen_utc\": null,\n            \"confidence_level\": 75,\n            \"is_compromised\": false,\n            \"reference\": null,\n            \"tags\": \"C2,AS{}\",\n            \"anonymous\": 0,\n            \"reporter\": \"someone\"\n        }}\n    ]",
            1_700_000 + n,
            serde_json::to_string(value)?,
            n % 300,
            n % 300,
            1 + n % 28,
            n % 60,
            n % 997,
        )?;
    }
    write!(out, "\n}}")?;
    Ok(out.flush()?)
}
