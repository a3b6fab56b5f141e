//! `threatfox normalize`: files in, feed out.

use std::path::PathBuf;

use clap::Args;
use threatfox::source::Input;

use super::feed::{Inputs, Prepared, build_feed, report};
use crate::feed_options::FeedOptions;

/// Make a feed from files: CSV or JSON exports, API responses, zip or gz of them
///
/// The format of each file is detected from its content. Several files are merged; their order does not matter.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// The files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Leave out the IOCs in this file: abuse.ch's list of false positives, JSON or CSV
    #[arg(long, value_name = "FILE")]
    fplist: Option<PathBuf>,

    #[command(flatten)]
    feed: FeedOptions,
}

const AFTER_HELP: &str = "\
Examples:
  threatfox normalize full.csv.zip -o threatfox-feed.csv.gz
  threatfox normalize recent.json --by ioc --format jsonl
  threatfox normalize full.csv.zip recent.json --min-confidence 75 --summary json -o feed.csv
  curl -s https://threatfox.abuse.ch/export/csv/recent/ | threatfox normalize - -o feed.csv

Exit codes:
  0  done
  1  failed; nothing was written, and an earlier output is unchanged
  2  wrong usage
  3  refused: the new feed fails a safety check; the old one stays";

pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut prepared = Prepared::new(&options.feed)?;
    if let Some(list) = &options.fplist {
        prepared.leave_out(&Input::new(list))?;
    }
    let inputs = options.files.iter().map(|path| Input::new(path));
    let summary = build_feed(
        &Inputs::Equal(inputs.collect()),
        &options.feed,
        &prepared,
        None,
    )?;
    report(&summary, &options.feed)
}
