//! libFuzzer on the target that the environment variable `FUZZ_TARGET` names.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use threatfox_fuzz::TARGETS;

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let target = TARGETS.iter().find(|target| target.name == name);
    target.map_or_else(|| panic!("FUZZ_TARGET is {name:?}, no target"), |t| t.run)
});

fuzz_target!(|data: &[u8]| (RUN)(data));
