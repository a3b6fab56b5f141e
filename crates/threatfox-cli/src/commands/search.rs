//! `threatfox search`: ask the API about one indicator, sample, malware family or tag.

use anyhow::Context;
use clap::Args;
use threatfox::download::{DownloadError, Request, Search};
use threatfox::error::ApiError;
use threatfox::normalize::{Filter, Normalizer, RowStore};
use threatfox::output::Output;
use threatfox::shared_hosts::SharedHosts;
use threatfox::source::{self, Input};
use threatfox::warning::{Warner, WarningLists};
use threatfox::{Error, rows};

use super::Usage;
use crate::advice::LOWER_LIMIT;
use crate::network::{Network, NetworkOptions};
use crate::row_output::{RowOptions, TextTable, minute};
use crate::say::say;

/// Ask the API about an IOC, a sample's hash, a malware family or a tag
///
/// Without one of the options below, finds every IOC that contains TERM. Needs an Auth-Key.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag, and clap sees to it that there is one at most"
)]
pub struct Options {
    /// What to look for
    term: String,

    /// The IOC must equal TERM, not only contain it
    #[arg(long, group = "kind")]
    exact: bool,

    /// TERM is the MD5 or SHA-256 of a sample: find the IOCs it talks to
    #[arg(long, group = "kind")]
    hash: bool,

    /// TERM is the number of a ThreatFox record
    #[arg(long, group = "kind")]
    id: bool,

    /// TERM is a malware family: its name or malpedia id
    #[arg(long, group = "kind")]
    malware: bool,

    /// TERM is a tag
    #[arg(long, group = "kind")]
    tag: bool,

    /// With --malware and --tag: the largest number of IOCs, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,

    #[command(flatten)]
    rows: RowOptions,

    #[command(flatten)]
    network: NetworkOptions,
}

const AFTER_HELP: &str = "\
Examples:
  threatfox search 203.0.113.7
  threatfox search evil.example --exact --format jsonl
  threatfox search 0123456789abcdef0123456789abcdef --hash
  threatfox search AsyncRAT --malware --limit 20
  threatfox search 1876555 --id

If nothing is found, there are no rows, a note on standard error, and exit code 0.";

/// How the rows begin: as CSV, as JSON lines, as a table for people.
const STARTS: [&str; 3] = ["ioc,ioc_type,", "{\"ioc\":", "IOC "];

pub fn run(options: &Options) -> anyhow::Result<()> {
    let search = options.search()?;
    options.rows.check(&STARTS, &options.network.files())?;
    let by_malware = matches!(search, Search::Malware { .. });
    let network = Network::new(&options.network)?;
    let download = match network.download(&Request::Search(search)) {
        Err(error @ DownloadError::Status { status: 500.., .. }) if by_malware => {
            return Err(anyhow::anyhow!("{error}: {LOWER_LIMIT}"));
        }
        Err(DownloadError::Search(reason)) => return Err(Usage(reason).into()),
        result => result?,
    };
    let input = Input::labelled(download.file.path(), download.source_name.as_str());
    let store = read(&input).map_err(|error| network.hide_key(error))?;
    options.write(&store)
}

impl Options {
    fn search(&self) -> Result<Search, Usage> {
        let (term, limit) = (self.term.clone(), self.limit);
        Ok(if self.hash {
            Search::Hash(term)
        } else if self.id {
            Search::Id(
                term.trim()
                    .parse()
                    .map_err(|_| Usage(format!("--id needs a number, not {term:?}")))?,
            )
        } else if self.malware {
            Search::Malware { name: term, limit }
        } else if self.tag {
            Search::Tag { tag: term, limit }
        } else {
            Search::Ioc {
                term,
                exact: self.exact,
            }
        })
    }

    fn write(&self, store: &RowStore) -> anyhow::Result<()> {
        let out = self.rows.create()?;
        let lists = WarningLists::built_in();
        let Some(layout) = self.rows.layout() else {
            return write_table(store, &lists, out);
        };
        let (out, _) =
            rows::write(store, &lists, out, layout).with_context(|| self.rows.cannot_write())?;
        out.finish()?;
        Ok(())
    }
}

/// The records of an answer; none where ThreatFox found nothing. What cannot be read as a record is reported.
fn read(input: &Input) -> anyhow::Result<RowStore> {
    let everything = Filter {
        allow_private: true,
        ..Filter::default()
    };
    let mut sink = Normalizer::new(everything, SharedHosts::built_in());
    match source::read(input, &mut sink) {
        Err(Error::Api {
            source: ApiError::NoResult,
            ..
        }) => {}
        result => _ = result?,
    }
    if sink.read() == 0 {
        say!("ThreatFox found nothing for this query");
        return Ok(RowStore::default());
    }
    let (store, counts) = sink.finish()?;
    if !counts.dropped.is_empty() {
        say!("records left out: {}", counts.dropped_text());
    }
    Ok(store)
}

/// The columns an analyst reads first, for a terminal; CSV and JSON lines have all.
fn write_table(store: &RowStore, lists: &WarningLists, out: Output) -> anyhow::Result<()> {
    let mut table = TextTable::new([
        "IOC",
        "TYPE",
        "MALWARE",
        "CONF",
        "FIRST SEEN",
        "LAST SEEN",
        "ID",
        "WARNING",
    ]);
    let mut warner = Warner::new(lists);
    store.each_row(|row| {
        let malware = if row.malware_printable.is_empty() {
            row.malware
        } else {
            row.malware_printable
        };
        table.row([
            row.ioc.to_owned(),
            row.ioc_type.to_owned(),
            malware.to_owned(),
            row.confidence.to_string(),
            row.first_seen.map(minute).unwrap_or_default(),
            row.last_seen.map(minute).unwrap_or_default(),
            row.id.map(|id| id.to_string()).unwrap_or_default(),
            warner.warning(row.kind, row.key, row.weakening).to_owned(),
        ]);
        Ok::<_, anyhow::Error>(())
    })?;
    table.write(out)
}
