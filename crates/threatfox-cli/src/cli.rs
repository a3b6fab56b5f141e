//! The arguments, as typed.

use clap::{Parser, Subcommand};

use crate::commands::{explain, fetch, match_values, normalize, scan, search};

/// Turns ThreatFox indicators (abuse.ch) into a feed for hunts with Velociraptor.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Fetch(Box<fetch::Options>),
    Normalize(normalize::Options),
    Search(Box<search::Options>),
    Match(match_values::Options),
    Explain(explain::Options),
    Scan(Box<scan::Options>),
}

/// The exit codes, for the help of every command.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, nothing was written; an earlier output is as it was
  2  wrong usage
  3  refused: the new feed fails a safety check, the old one stays";
