//! Lines on standard output. `println!` panics where its reader has gone, as in `pack verify | head -n 1`.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

/// `println!` for a reader that may go: what is said then is lost, and the work goes on.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}

pub fn line(text: Arguments<'_>) -> io::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
