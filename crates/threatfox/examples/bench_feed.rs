//! Normalizing against the bare readers of csv and JSON, in one run: time, records a second, memory.
//!
//! `cargo run --release --example bench_feed -- [RECORDS…]` (default 100000). Each measurement is a process of its own,
//! so that its peak of memory is its own too.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use threatfox::feed;
use threatfox::normalize::{Filter, Normalized, Normalizer, Shape};
use threatfox::output::Output;
use threatfox::shared_hosts::SharedHosts;
use threatfox::source::{self, Input};
use threatfox::table::Layout;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [task, path] = &args[..]
        && ["csv", "json", "normalize"].contains(&task.as_str())
    {
        return measure(task, Path::new(path));
    }
    let sizes: Vec<u64> = args
        .iter()
        .map(|n| n.parse())
        .collect::<std::result::Result<_, _>>()?;
    let sizes = if sizes.is_empty() {
        vec![100_000]
    } else {
        sizes
    };
    println!(
        "{:>9}  {:<24} {:>8} {:>12} {:>8} {:>10}  ratio",
        "records", "task", "seconds", "records/s", "MiB", "B/record"
    );
    for records in sizes {
        let folder = tempfile::tempdir()?;
        let (csv, json) = (
            folder.path().join("full.csv"),
            folder.path().join("full.json"),
        );
        write_csv(&csv, records)?;
        write_json(&json, records)?;
        let bare = show(records, "csv, bare read", "csv", &csv, None)?;
        // As it is, with blanks after its commas, the crate reads the export wrong: it takes the quotes for text and
        // splits at the commas between them. Without the blanks it reads right, and does what normalizing must do too.
        let tight = folder.path().join("tight.csv");
        std::fs::write(
            &tight,
            std::fs::read_to_string(&csv)?.replace("\", \"", "\",\""),
        )?;
        show(records, "csv, blanks removed", "csv", &tight, Some(bare))?;
        show(records, "normalize CSV", "normalize", &csv, Some(bare))?;
        let bare = show(records, "serde_json, bare read", "json", &json, None)?;
        show(records, "normalize JSON", "normalize", &json, Some(bare))?;
    }
    Ok(())
}

/// Runs a task three times, keeps the fastest.
#[allow(clippy::cast_precision_loss)] // Rounded for people.
fn show(records: u64, label: &str, task: &str, path: &Path, bare: Option<f64>) -> Result<f64> {
    let mut best = (f64::MAX, 0);
    for _ in 0..3 {
        let output = Command::new(std::env::current_exe()?)
            .arg(task)
            .arg(path)
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let (seconds, kib) = text
            .trim()
            .split_once(' ')
            .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let seconds: f64 = seconds.parse()?;
        if seconds < best.0 {
            best = (seconds, kib.parse::<u64>()?);
        }
    }
    let (seconds, kib) = best;
    let n = records as f64;
    let ratio = bare.map_or(String::new(), |bare| format!("{:.2}x", seconds / bare));
    println!(
        "{records:>9}  {label:<24} {seconds:>8.3} {:>12.0} {:>8.1} {:>10.0}  {ratio}",
        n / seconds,
        kib as f64 / 1024.0,
        kib as f64 * 1024.0 / n
    );
    Ok(seconds)
}

fn measure(task: &str, path: &Path) -> Result<()> {
    let start = Instant::now();
    match task {
        "csv" => {
            let mut csv = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .comment(Some(b'#'))
                .from_path(path)?;
            let mut record = csv::ByteRecord::new();
            while csv.read_byte_record(&mut record)? {}
        }
        "json" => {
            let _: serde::de::IgnoredAny =
                serde_json::from_reader(BufReader::with_capacity(64 * 1024, File::open(path)?))?;
        }
        _ => {
            let mut normalizer =
                Normalizer::new(Shape::ByKey, Filter::default(), SharedHosts::built_in());
            source::read(&Input::new(path), &mut normalizer)?;
            if let (Normalized::ByKey(store), _) = normalizer.finish()? {
                let out = Output::create(&path.with_extension("feed.csv"))?;
                feed::write(&store, out, Layout::Csv)?.0.finish()?;
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .map_or("0", |rest| rest.trim().trim_end_matches(" kB"));
    println!("{seconds} {peak}");
    Ok(())
}

/// The mix of types of a full export: value, type, threat.
fn ioc(n: u64) -> (String, &'static str, &'static str) {
    // A spread without order, the same in each run.
    let x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match x >> 60 {
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
    }
}

fn write_csv(path: &Path, records: u64) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write!(
        out,
        "# banner\r\n# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"\r\n"
    )?;
    for n in 0..records {
        let (value, kind, threat) = ioc(n);
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
    write!(out, "# Number of entries: {records}")?;
    Ok(out.flush()?)
}

fn write_json(path: &Path, records: u64) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for n in 0..records {
        let (value, kind, threat) = ioc(n);
        let separator = if n == 0 { "{" } else { "," };
        write!(
            out,
            "{separator}\n    \"{}\": [\n        {{\n            \"ioc_value\": \"{value}\",\n            \"ioc_type\": \"{kind}\",\n            \"threat_type\": \"{threat}\",\n            \"malware\": \"win.family_{}\",\n            \"malware_alias\": null,\n            \"malware_printable\": \"Family {}\",\n            \"first_seen_utc\": \"2026-03-{:02} 04:{:02}:14\",\n            \"last_seen_utc\": null,\n            \"confidence_level\": 75,\n            \"is_compromised\": false,\n            \"reference\": null,\n            \"tags\": \"C2,AS{}\",\n            \"anonymous\": 0,\n            \"reporter\": \"someone\"\n        }}\n    ]",
            1_700_000 + n,
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
