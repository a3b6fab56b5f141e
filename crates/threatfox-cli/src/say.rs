//! The one place that writes to standard error and standard output, apart from the rows themselves.
//!
//! `eprintln!` panics where standard error is closed or full, and a release build aborts on a panic: a run with `2>&1 |
//! head`
//! would leave its temporary files. What cannot be reported is therefore dropped, and the exit code still says what
//! happened.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::Context;

/// Reports something on standard error, with the program's name in front.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::say::lines(format_args!("threatfox: {}", format_args!($($text)*)))
    };
}
pub(crate) use say;

/// Writes text to standard error as it is, and an end of line.
pub fn lines(text: impl Display) {
    // In one write: the lines of two runs that share a terminal are not mixed.
    let text = format!("{text}\n");
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Writes text to standard output, where a program may wait for it: that it cannot be written is an error.
pub fn print(text: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref())
        .and_then(|()| out.flush())
        .context("cannot write standard output")
}
