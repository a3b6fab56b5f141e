//! The arguments, as typed.

use std::sync::LazyLock;

use clap::{Parser, Subcommand};

use crate::commands::{
    completions, explain, fetch, man, match_values, normalize, scan, search, sightings,
};

/// The text of `--version`: which source the program was built from, and which feeds it makes and reads.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} (commit {}, feed format {})",
        env!("CARGO_PKG_VERSION"),
        env!("THREATFOX_COMMIT"),
        threatfox::feed::FORMAT
    )
});

/// Turns ThreatFox indicators (abuse.ch) into a feed for hunts with Velociraptor.
#[derive(Debug, Parser)]
#[command(name = "threatfox")]
#[command(version = VERSION.as_str(), arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    Fetch(Box<fetch::Options>),
    Normalize(normalize::Options),
    Search(Box<search::Options>),
    Match(match_values::Options),
    Explain(explain::Options),
    Scan(Box<scan::Options>),
    Sightings(sightings::Options),
    Completions(completions::Options),
    Man(man::Options),
}

/// The exit codes, for the help of every command.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; an earlier output is unchanged, or the message says that the new one is in place
  2  wrong usage
  3  refused: the new feed fails a safety check; the old one stays
  4  done in part: the new feed is written, but one of several sources gave nothing new; its part of the old feed stays
  130  interrupted; an earlier output is unchanged";
