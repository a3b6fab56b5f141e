//! One module a subcommand, and what several of them share.

pub mod completions;
pub mod explain;
pub mod feed;
pub mod fetch;
pub mod man;
pub mod match_values;
pub mod normalize;
pub mod scan;
mod scan_logs;
mod scan_summary;
pub mod search;
pub mod sightings;

use std::fmt;

use threatfox::Error;

/// Wrong usage that only shows once several options are seen together.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The feed is in its place, but has nothing new of these sources.
#[derive(Debug)]
pub struct DoneInPart(pub Vec<String>);

impl fmt::Display for DoneInPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = self.0.join(", ");
        write!(f, "the feed is written, with nothing new of {sources}")
    }
}

impl std::error::Error for DoneInPart {}

/// The exit code of an error: 2 for wrong usage, 3 where a safety check refused, 4 where a part is not new, else 1.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() {
        2
    } else if error.is::<DoneInPart>() {
        4
    } else if matches!(error.downcast_ref(), Some(Error::Refused(_))) {
        3
    } else {
        1
    }
}
