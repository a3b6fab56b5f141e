//! Normalizing against the bare readers of csv and JSON and against a plain Python script, in one run: time, records a
//! second, memory.
//!
//! `cargo run --release --example bench_feed -- [RECORDS|LIST…]` (default 100000): invented exports of so many records,
//! or one of the values in a list. Each measurement is a process of its own, so that its peak of memory is its own too.

mod exports;

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use threatfox::feed;
use threatfox::normalize::{Filter, KeyStore, Normalizer};
use threatfox::output::Output;
use threatfox::shared_hosts::SharedHosts;
use threatfox::source::{self, Input};
use threatfox::table::Layout;
use threatfox::warning::WarningLists;

use exports::Ioc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The plain way of doing the same.
const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/tools/feed_by_dict.py"
);

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [task, input, output] = &args[..]
        && ["csv", "json", "normalize"].contains(&task.as_str())
    {
        return measure(task, Path::new(input), Path::new(output));
    }
    println!(
        "{:>9}  {:<28} {:>8} {:>12} {:>8} {:>10}  ratio",
        "records", "task", "seconds", "records/s", "MiB", "B/record"
    );
    let default = ["100000".to_owned()];
    for arg in if args.is_empty() { &default } else { &args[..] } {
        compare(&match arg.parse() {
            Ok(records) => exports::invented(records),
            Err(_) => exports::listed(Path::new(arg))?,
        })?;
    }
    Ok(())
}

/// All measurements of one export.
fn compare(iocs: &[Ioc]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let (csv, json) = (path("full.csv"), path("full.json"));
    exports::write_csv(&csv, iocs)?;
    exports::write_json(&json, iocs)?;
    let records = iocs.len();
    let show = |label: &str, bare: Option<f64>, command: &mut Command| {
        show(records, label, bare, command).map(Some)
    };

    let bare = show("csv, bare read", None, &mut task("csv", &csv, &csv)?)?;
    // As it is, with blanks after its commas, the crate reads the export wrong: it takes the quotes for text and
    // splits at the commas between them. Without the blanks it reads right, and does what normalizing must do too.
    let tight = path("tight.csv");
    let text = std::fs::read_to_string(&csv)?;
    std::fs::write(&tight, text.replace("\", \"", "\",\""))?;
    drop(text);
    let ours = path("feed.csv");
    show(
        "csv, blanks removed",
        bare,
        &mut task("csv", &tight, &tight)?,
    )?;
    show("normalize CSV", bare, &mut task("normalize", &csv, &ours)?)?;
    show("  on one core", bare, &mut on_one_core(&csv, &ours)?)?;
    let packed = path("feed.csv.gz");
    show("  to csv.gz", bare, &mut task("normalize", &csv, &packed)?)?;
    let plain = path("python.csv");
    show(
        "  Python, csv and a dict",
        bare,
        Command::new("python3").arg(SCRIPT).arg(&csv).arg(&plain),
    )?;
    if std::fs::read(&ours)? != std::fs::read(&plain)? {
        println!("{records:>9}  the script's feed differs: it repairs and drops nothing");
    }
    let bare = show(
        "serde_json, bare read",
        None,
        &mut task("json", &json, &json)?,
    )?;
    show(
        "normalize JSON",
        bare,
        &mut task("normalize", &json, &path("json.csv"))?,
    )?;
    show_sizes(records, &csv, &packed)
}

/// A measurement in a process of its own.
fn task(name: &str, input: &Path, output: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name).arg(input).arg(output);
    Ok(command)
}

fn on_one_core(input: &Path, output: &Path) -> Result<Command> {
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", "0"])
        .arg(std::env::current_exe()?);
    command.arg("normalize").arg(input).arg(output);
    Ok(command)
}

/// Runs a task three times (once where it takes long), keeps the fastest, and returns its seconds.
#[allow(clippy::cast_precision_loss)] // Rounded for people.
fn show(records: usize, label: &str, bare: Option<f64>, command: &mut Command) -> Result<f64> {
    let mut best = (f64::MAX, 0.0);
    for _ in 0..if records > 500_000 { 1 } else { 3 } {
        let output = command.output()?;
        let text = String::from_utf8(output.stdout)?;
        let (seconds, kib) = text
            .trim()
            .split_once(' ')
            .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let seconds: f64 = seconds.parse()?;
        if seconds < best.0 {
            best = (seconds, kib.parse::<f64>()?);
        }
    }
    let (seconds, kib) = best;
    let n = records as f64;
    let ratio = bare.map_or(String::new(), |bare| format!("{:.2}x", seconds / bare));
    println!(
        "{records:>9}  {label:<28} {seconds:>8.3} {:>12.0} {:>8.1} {:>10.0}  {ratio}",
        n / seconds,
        kib / 1024.0,
        kib * 1024.0 / n
    );
    Ok(seconds)
}

/// The feed's size against that of the export as ThreatFox packs it.
#[allow(clippy::cast_precision_loss)] // Rounded for people.
fn show_sizes(records: usize, export: &Path, feed: &Path) -> Result<()> {
    let packed = PathBuf::from(format!("{}.zip", export.display()));
    let mut zip = zip::ZipWriter::new(File::create(&packed)?);
    zip.start_file("full.csv", zip::write::SimpleFileOptions::default())?;
    std::io::copy(&mut File::open(export)?, &mut zip)?;
    zip.finish()?.flush()?;
    let size = |path: &Path| std::fs::metadata(path).map(|meta| meta.len());
    let (zip, gz) = (size(&packed)?, size(feed)?);
    println!(
        "{records:>9}  feed as csv.gz {gz} bytes, export as zip {zip} bytes: {:.0} %",
        100.0 * gz as f64 / zip as f64
    );
    Ok(())
}

/// Does a task, and prints its seconds and its peak of memory in KiB.
fn measure(task: &str, input: &Path, output: &Path) -> Result<()> {
    let start = Instant::now();
    match task {
        "csv" => {
            let mut csv = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .comment(Some(b'#'))
                .from_path(input)?;
            let mut record = csv::ByteRecord::new();
            while csv.read_byte_record(&mut record)? {}
        }
        "json" => {
            let _: serde::de::IgnoredAny =
                serde_json::from_reader(BufReader::with_capacity(64 * 1024, File::open(input)?))?;
        }
        _ => {
            let mut normalizer =
                Normalizer::<KeyStore>::new(Filter::default(), SharedHosts::built_in());
            source::read(&Input::new(input), &mut normalizer)?;
            let (store, _) = normalizer.finish()?;
            let out = Output::create(output)?;
            feed::write(&store, &WarningLists::built_in(), out, Layout::Csv)?
                .0
                .finish()?;
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
