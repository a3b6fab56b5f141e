//! `threatfox normalize`: files in, feed out.

use std::path::PathBuf;

use clap::Args;
use threatfox::Error;
use threatfox::source::{CsvColumns, Format, Input, Reading, SourceName};

use super::feed::{Inputs, Prepared, build_feed, report};
use crate::feed_options::FeedOptions;

/// Make a feed from files: exports of abuse.ch, MISP events, STIX bundles, lists; plain, zip or gz
///
/// The format of each file is detected from its content. Several files are merged; their order does not matter. A folder
/// with a manifest.json is a MISP feed: all its events are read.
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
    read: ReadOptions,

    #[command(flatten)]
    feed: FeedOptions,
}

/// How to read files whose content does not tell.
#[derive(Debug, Args)]
pub struct ReadOptions {
    /// Read the files as this source writes them: threatfox, urlhaus, malwarebazaar, feodo, misp, stix, list
    #[arg(long, value_name = "SOURCE")]
    input_format: Option<Format>,

    /// Call the source of the files so in the feed [default: whose format they have]
    #[arg(long, value_name = "NAME")]
    source_name: Option<SourceName>,

    #[arg(
        long,
        value_name = "PART=COLUMN,…",
        conflicts_with = "input_format",
        help = "Read the files as CSV with these columns, such as value=indicator,type=kind,malware=family. Also port, threat_type, first_seen, last_seen, confidence, compromised, tags, reporter, reference and link"
    )]
    columns: Option<CsvColumns>,
}

impl ReadOptions {
    /// The inputs of these files, in the order of their names where one is a folder.
    pub fn inputs(&self, files: &[PathBuf]) -> Result<Vec<Input>, Error> {
        let reading = Reading {
            format: self.input_format,
            source_name: self.source_name.clone(),
            columns: self.columns.clone(),
            now: None,
        };
        let mut inputs = Vec::new();
        for path in files {
            for input in Input::all_of(path)? {
                inputs.push(input.read_as(reading.clone()));
            }
        }
        Ok(inputs)
    }
}

const AFTER_HELP: &str = "\
Examples:
  threatfox normalize full.csv.zip -o threatfox-feed.csv.gz
  threatfox normalize recent.json --by ioc --format jsonl
  threatfox normalize full.csv.zip recent.json --min-confidence 75 --summary json -o feed.csv
  threatfox normalize full.csv.zip urlhaus.csv event.misp.json report.stix.json -o threatfox-feed.csv.gz
  threatfox normalize partner.csv --columns value=indicator,type=kind,malware=family --source-name partner -o feed.csv
  curl -s https://threatfox.abuse.ch/export/csv/recent/ | threatfox normalize - -o feed.csv

Exit codes:
  0  done
  1  failed; an earlier output is unchanged, or the message says that the new one is in place
  2  wrong usage
  3  refused: the new feed fails a safety check; the old one stays";

pub fn run(options: &Options) -> anyhow::Result<()> {
    let inputs = options.read.inputs(&options.files)?;
    // Of a folder the manifest is read, and the events that it names.
    let manifests = options.files.iter().map(|path| path.join("manifest.json"));
    let manifests: Vec<_> = manifests.collect();
    let named = options
        .files
        .iter()
        .chain(&options.fplist)
        .chain(&manifests);
    let read = named.map(PathBuf::as_path);
    let read: Vec<_> = read.chain(inputs.iter().filter_map(Input::path)).collect();
    let mut prepared = Prepared::new(&options.feed, &read)?;
    if let Some(list) = &options.fplist {
        prepared.leave_out(&Input::new(list))?;
    }
    let summary = build_feed(&Inputs::Equal(inputs), &options.feed, &prepared, None)?;
    report(&summary, &options.feed)
}
