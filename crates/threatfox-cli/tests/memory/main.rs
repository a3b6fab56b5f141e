//! What 100 KB of input may cost, whatever their unpacked size: 64 MB, by the peak memory of the process that reads them.
#![cfg(target_os = "linux")]
// The lint knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod inputs;

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use inputs::{LIST, MAX_INPUT, inputs};
use support::{Bench, program};

const MAX_PEAK: u64 = 64 * 1024; // KiB

/// Runs the program and gives the peak of its memory in KiB.
fn peak_of(bench: &Bench, args: &[&str]) -> u64 {
    let mut command = bench.command_of(program());
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    // The peak only grows, so the last look before the end has it.
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(0..=3)), "{args:?}: {code:?}");
    peak
}

#[test]
fn a_hundred_kilobytes_never_cost_more_than_64_megabytes() {
    let mut largest = (0, String::new());
    for (name, content, commands) in inputs() {
        assert!(
            content.len() <= MAX_INPUT,
            "{name}: {} bytes",
            content.len()
        );
        for words in commands {
            let bench = Bench::new();
            fs::write(bench.path("input"), &content).unwrap();
            fs::write(bench.path("export.csv"), support::csv_export(9, 9)).unwrap();
            let words = if words == LIST {
                "normalize export.csv --fplist input -o out.csv"
            } else {
                words
            };
            let args: Vec<_> = words.split(' ').collect();
            let start = std::time::Instant::now();
            let peak = peak_of(&bench, &args);
            println!(
                "{peak:>8} KiB  {:>6} ms  {name}: {words}",
                start.elapsed().as_millis()
            );
            assert!(peak <= MAX_PEAK, "{name}: {words}: {peak} KiB");
            if peak > largest.0 {
                largest = (peak, name.to_owned());
            }
        }
    }
    assert!(largest.0 > 1000, "the peak is not measured: {largest:?}");
}
