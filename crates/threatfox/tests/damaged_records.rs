//! A log of 1,000 records of which every tenth has one byte changed inside its binary XML: no record is lost.
//!
//! The test of the same name in tests/engine damages the same log in the same way, and compares with `parse_evtx`.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use std::fs;
use std::num::NonZero;
use std::path::Path;

use threatfox::rules::Rules;
use threatfox::scan::{LogReport, Pace, Results, Scan};

const LOG_HEADER: usize = 0x1000;
const CHUNK: usize = 0x1_0000;
const CHUNK_HEADER: usize = 0x200;
const RECORD_HEADER: usize = 24;
const RECORDS: u64 = 1000;

fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    let bytes = &bytes[at..at + N];
    bytes
        .iter()
        .rev()
        .fold(0, |n, byte| (n << 8) | u64::from(*byte))
}

/// The first 1,000 records of a real log, and where each begins and ends.
fn thousand_records() -> (Vec<u8>, Vec<(usize, usize)>) {
    let path = "../../tests/data/evtx/otrf-metasploit-sharpdump.evtx";
    let mut log = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let mut records = Vec::new();
    let mut left = RECORDS;
    let mut chunk = LOG_HEADER;
    while left > 0 {
        let first = number::<8>(&log, chunk + 8);
        let count = (number::<8>(&log, chunk + 16) - first + 1).min(left);
        let last = first + count - 1;
        log[chunk + 16..chunk + 24].copy_from_slice(&last.to_le_bytes());
        let mut at = chunk + CHUNK_HEADER;
        for _ in 0..count {
            let size = usize::try_from(number::<4>(&log, at + 4)).unwrap();
            records.push((at, at + size));
            at += size;
        }
        left -= count;
        chunk += CHUNK;
    }
    log.truncate(chunk);
    (log, records)
}

/// Changes one byte in the binary XML of every tenth record.
fn damage(log: &mut [u8], records: &[(usize, usize)], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % bound as u64).unwrap()
    };
    for (start, end) in records.iter().skip(9).step_by(10) {
        let start = start + RECORD_HEADER;
        // The size stands at the record's end once more.
        let at = start + below(end - 4 - start);
        log[at] ^= u8::try_from(1 + below(255)).unwrap();
    }
}

fn scan(path: &Path) -> LogReport {
    scan_into(path, &mut Vec::new())
}

fn scan_into(path: &Path, mut rows: &mut Vec<u8>) -> LogReport {
    let scan = Scan {
        rules: Rules::built_in(),
        keys: None,
        judge: None,
        period: f64::NEG_INFINITY..f64::INFINITY,
        pace: Pace {
            threads: NonZero::<u8>::MIN,
            max_cpu: None,
        },
    };
    let mut results = Results::new(Some(&mut rows), None);
    scan.log(path, &mut results).unwrap()
}

#[test]
fn events_and_damaged_records_are_all_records_whatever_byte_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.evtx");
    let (whole, records) = thousand_records();
    fs::write(&path, &whole).unwrap();
    let report = scan(&path);
    assert_eq!(report.event_count() + report.other, RECORDS);
    assert_eq!(report.damaged_records, 0);

    let mut seen = 0;
    for seed in 0..50 {
        let mut log = whole.clone();
        damage(&mut log, &records, seed);
        fs::write(&path, &log).unwrap();
        let report = scan(&path);
        let events = report.event_count() + report.other;
        assert_eq!(
            events + report.damaged_records,
            RECORDS,
            "seed {seed}: {report:?}"
        );
        assert_eq!(report.damaged_chunks, 0, "seed {seed}: {report:?}");
        seen += report.damaged_records;
    }
    assert!(seen > 50, "damage is seen: {seen}");
}

/// A value's length is too large, so that its event ends in the middle of the next record, where a byte looks like a reference of XML.
#[test]
fn an_event_is_not_lost_by_what_seems_to_follow_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.evtx");
    let (whole, records) = thousand_records();
    for (seed, number) in [(15, 770), (43, 940)] {
        let mut log = whole.clone();
        damage(&mut log, &records, seed);
        fs::write(&path, &log).unwrap();
        let mut rows = Vec::new();
        scan_into(&path, &mut rows);
        let rows = String::from_utf8(rows).unwrap();
        let wanted = format!("\"EventRecordID\":{number},");
        assert!(rows.contains(&wanted), "seed {seed}: record {number}");
    }
}
