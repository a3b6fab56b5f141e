//! Each parser on its samples, on all their beginnings, and on thousands of damaged copies: the same in each run.

use threatfox_fuzz::{Numbers, TARGETS, Target};

/// Copies made of each sample.
const COPIES: u32 = 300;
/// What parsers stumble over.
const TOKENS: [&[u8]; 14] = [
    b"\"",
    b"\"\"",
    b", ",
    b",",
    b"\r\n",
    b"\n",
    b"\0",
    b"\xff",
    b"{",
    b"}",
    b"]",
    b"://",
    b"xn--",
    b"\xe2\x80\xae",
];

/// Damages a copy in one to eight places.
fn damaged(samples: &[Vec<u8>], sample: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=numbers.below(8) {
        let from = numbers.below(bytes.len());
        let to = bytes.len().min(from + 1 + numbers.below(40));
        let replacement = match numbers.below(6) {
            0 => vec![u8::try_from(numbers.below(256)).unwrap_or(0)],
            1 => TOKENS[numbers.below(TOKENS.len())].to_vec(),
            2 => Vec::new(),
            3 => bytes[from..to].repeat(1 + numbers.below(9)),
            4 => b"9".repeat(1 + numbers.below(40)),
            _ => {
                let other = &samples[numbers.below(samples.len())];
                let start = numbers.below(other.len());
                other[start..].iter().copied().take(60).collect()
            }
        };
        bytes.splice(from..to, replacement);
    }
    bytes
}

fn survives_damage(target: &Target) {
    let samples = (target.samples)();
    assert!(samples.len() > 1, "{} has no samples", target.name);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for sample in &samples {
        assert!(!sample.is_empty(), "a sample of {} is empty", target.name);
        target.run(sample);
        let step = if sample.len() < 4096 { 7 } else { 199 };
        for end in (0..sample.len()).step_by(step) {
            target.run(&sample[..end]);
        }
        for _ in 0..COPIES {
            target.run(&damaged(&samples, sample, &mut numbers));
        }
    }
}

#[test]
fn no_parser_panics_or_takes_much_memory_or_time_on_damaged_input() {
    // One after the other: the memory is that of the whole program.
    TARGETS.iter().for_each(survives_damage);
}
