//! Looking values up in feeds, in one run: `threatfox match` as a whole, and the feed in memory by itself.
//!
//! `cargo run --release --example bench_match -- HELPER [KEYS…]` (default 100000). HELPER is the program to measure.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use threatfox::lookup::Index;
use threatfox::source::Input;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const VALUES: u64 = 1_000_000;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (helper, sizes) = match &args[..] {
        [task, feed] if task == "load" => return load(Path::new(feed)),
        [helper, sizes @ ..] => (helper, sizes),
        [] => return Err("give the helper to measure, such as target/release/threatfox".into()),
    };
    let mut keys: Vec<u64> = sizes
        .iter()
        .map(|n| n.parse())
        .collect::<std::result::Result<_, _>>()?;
    if keys.is_empty() {
        keys.push(100_000);
    }
    println!(
        "{:>9}  {:<34} {:>8} {:>12} {:>8}",
        "keys", "task", "seconds", "values/s", "MiB"
    );
    for keys in keys {
        let folder = tempfile::tempdir()?;
        let (feed, values) = (
            folder.path().join("feed.csv"),
            folder.path().join("values.txt"),
        );
        write_feed(&feed, keys)?;
        write_values(&values, keys)?;
        let output = Command::new(std::env::current_exe()?)
            .arg("load")
            .arg(&feed)
            .stderr(Stdio::inherit())
            .output()?;
        print!("{keys:>9}  {}", String::from_utf8(output.stdout)?);
        let start = Instant::now();
        let ran = Command::new(helper)
            .args(["match", "--format", "csv", "-o", "/dev/null", "--feed"])
            .arg(&feed)
            .stdin(File::open(&values)?)
            .output()?;
        if !ran.status.success() {
            return Err(String::from_utf8(ran.stderr)?.into());
        }
        let seconds = start.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss)] // Rounded for people.
        let rate = VALUES as f64 / seconds;
        println!(
            "{keys:>9}  {:<34} {seconds:>8.3} {rate:>12.0}",
            "match, feed loading included"
        );
    }
    Ok(())
}

/// The feed in memory, in a process of its own.
fn load(feed: &Path) -> Result<()> {
    let start = Instant::now();
    let index = Index::read(&Input::new(feed))?;
    let seconds = start.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = peak
        .and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0.0);
    println!(
        "{:<34} {seconds:>8.3} {:>12} {:>8.1}",
        format!("load {} keys", index.len()),
        "",
        kib / 1024.0
    );
    Ok(())
}

/// As a full feed has them: addresses, domains, URLs with their hosts, hashes.
fn key(n: u64) -> (String, &'static str, String, &'static str) {
    match n % 10 {
        0..4 => {
            let ip = format!("5.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255);
            (
                ip.clone(),
                "ip",
                format!("{ip}:{}", 1024 + n % 60_000),
                "ip:port",
            )
        }
        4..7 => (
            format!("d{n}.bad{}.example", n % 977),
            "domain",
            format!("d{n}.bad{}.example", n % 977),
            "domain",
        ),
        7 => {
            let url = format!("http://u{n}.example:8080/panel/{n}/gate.php");
            (format!("url:{url}"), "url", url, "url")
        }
        8 => (
            format!("u{}.example", n - 1),
            "url_host",
            format!("http://u{}.example:8080/panel/{}/gate.php", n - 1, n - 1),
            "url",
        ),
        _ => (
            format!("sha256:{:064x}", u128::from(n) * 0x9e37_79b9_7f4a_7c15_f39c),
            "sha256",
            String::new(),
            "sha256_hash",
        ),
    }
}

fn write_feed(path: &Path, keys: u64) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "{}", threatfox::feed::COLUMNS.join(","))?;
    for n in 0..keys {
        let (key, kind, ioc, ioc_type) = key(n);
        let bare = key
            .split_once(':')
            .map_or(&*key, |(_, bare)| bare)
            .replace('.', "\\.");
        let start = if kind == "domain" { "(^|\\.)" } else { "^" };
        let port = if kind == "ip" {
            (1024 + n % 60_000).to_string()
        } else {
            String::new()
        };
        writeln!(
            out,
            "{key},{kind},{ioc},{ioc_type},{start}{bare}$,{port},Family {},botnet_cc,75,\
             2026-11-01T00:00:00Z,2026-11-02T00:00:00Z,{n},1,false,threatfox,,",
            n % 300
        )?;
    }
    Ok(out.flush()?)
}

/// One value in ten is in the feed; the others are as many kinds of value that are not.
fn write_values(path: &Path, keys: u64) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for n in 0..VALUES {
        let (key, ..) = key(if n % 10 == 0 {
            n / 10 * 7 % keys
        } else {
            keys + n
        });
        writeln!(out, "{}", key.strip_prefix("url:").unwrap_or(&key))?;
    }
    Ok(out.flush()?)
}
