//! `threatfox match`: values in, what they match in a feed out.

use std::fmt::Write;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use threatfox::ioc::Ioc;
use threatfox::lookup::{Hit, Index, Matcher, TypedValue, Wanted};
use threatfox::output::Output;
use threatfox::rules::{Rules, Strength};
use threatfox::source::{Input, MAX_FIELD};
use threatfox::table::{Cell, Table};
use threatfox::text::clean;
use threatfox::value::{meanings, refang};

use super::Usage;
use crate::row_output::{RowOptions, TextTable, minute};
use crate::say::{self, say};
use crate::strength::MinStrength;

/// Look values up in a feed: addresses, hosts, URLs and hashes
///
/// Uses the same rules as the hunts. Values may be defanged: `hxxp://evil[.]example`.
#[derive(Debug, Args)]
#[command(name = "match", after_help = AFTER_HELP)]
pub struct Options {
    /// The feed, plain or gzipped
    #[arg(long, value_name = "FILE")]
    feed: PathBuf,

    /// The values: address, address:port, host, URL or hash. Without any, they are read from standard input, one per line
    #[arg(value_name = "VALUE")]
    values: Vec<String>,

    /// Leave out matches weaker than this
    #[arg(long, value_enum, default_value_t = MinStrength::Weak, value_name = "STRENGTH")]
    min_strength: MinStrength,

    #[command(flatten)]
    rows: RowOptions,
}

const AFTER_HELP: &str = "\
Examples:
  threatfox match --feed threatfox-feed.csv.gz 203.0.113.7:443 'hxxps://evil[.]example/gate.php'
  threatfox match --feed threatfox-feed.csv.gz --min-strength medium --format jsonl < values.txt
  cut -d, -f3 proxy.csv | threatfox match --feed threatfox-feed.csv.gz -o hits.csv

Each value gives one row, for its strongest match. A URL is looked up as a whole and by its host, a host also by the domains
above it. A URL without a scheme is looked up with http:// and with https://. A network is not looked up. Empty lines and
lines that begin with # are skipped. Standard error reports how many values did not match or cannot be looked up. Exit code
0 also if nothing matches.";

/// The columns for programs.
const COLUMNS: [&str; 16] = [
    "value",
    "match",
    "strength",
    "ioc",
    "ioc_type",
    "malware",
    "threat_type",
    "confidence",
    "first_seen",
    "last_seen",
    "compromised",
    "id",
    "link",
    "key",
    "source",
    "warning",
];

/// How the rows begin: as CSV, as JSON lines, as a table for people.
const STARTS: [&str; 3] = ["value,match,", "{\"value\":", "VALUE "];

pub fn run(options: &Options) -> anyhow::Result<()> {
    if options.values.is_empty() && options.feed.as_os_str() == "-" {
        let problem = "standard input cannot hold both the feed and the values: name one of them";
        return Err(Usage(problem.into()).into());
    }
    options.rows.check(&STARTS, &[&options.feed])?;
    let index = Index::read(&Input::new(&options.feed))?;
    let mut search = Search {
        matcher: Matcher::new(Rules::built_in(), &index, Wanted::default()),
        min_strength: options.min_strength.into(),
        rows: Rows::begin(&options.rows)?,
        hits: Vec::new(),
        tally: Tally::default(),
    };
    if options.values.is_empty() {
        search.standard_input()?;
    } else {
        for value in &options.values {
            search.value(value)?;
        }
    }
    search.rows.finish()?;
    say::lines(search.tally.to_text(index.len()));
    Ok(())
}

/// A run: each value goes through it.
struct Search<'i> {
    matcher: Matcher<'i, &'i Index>,
    min_strength: Strength,
    rows: Rows,
    /// Of one value.
    hits: Vec<Hit<'i>>,
    tally: Tally,
}

impl Search<'_> {
    fn standard_input(&mut self) -> anyhow::Result<()> {
        let mut stdin = io::stdin().lock();
        if stdin.is_terminal() {
            say!("reading values from standard input, one per line");
        }
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = (&mut stdin)
                .take(MAX_FIELD as u64)
                .read_until(b'\n', &mut line)
                .context("cannot read standard input")?;
            if read == 0 {
                break;
            }
            if read == MAX_FIELD && !line.ends_with(b"\n") {
                bail!(
                    "standard input, line {number} is larger than the bound of 64 KiB: give one value per line"
                );
            }
            self.value(&String::from_utf8_lossy(&line))?;
        }
        Ok(())
    }

    fn value(&mut self, typed: &str) -> anyhow::Result<()> {
        let typed = typed.trim().trim_start_matches('\u{feff}');
        if typed.is_empty() || typed.starts_with('#') {
            return Ok(());
        }
        let plain = refang(typed);
        let iocs = match meanings(&plain) {
            Ok(iocs) => iocs,
            Err(reject) => {
                self.tally.refuse(typed, &reject.to_string());
                return Ok(());
            }
        };
        let refused = match iocs[..] {
            [Ioc::Network(..)] => Some("a network: look up single addresses of it".to_owned()),
            [Ioc::Address(ip, _)] => {
                let why = Rules::built_in().never().address(ip);
                why.map(|why| format!("never an indicator: {why}"))
            }
            _ => None,
        };
        if let Some(why) = refused {
            self.tally.refuse(typed, &why);
            return Ok(());
        }
        let values: Vec<_> = iocs.iter().flat_map(TypedValue::all_of).collect();
        self.hits.clear();
        self.matcher.values(&values, &mut self.hits);
        let least = self.min_strength;
        self.hits.retain(|hit| hit.strength >= least);
        self.tally.values += 1;
        self.tally.matched += u64::from(!self.hits.is_empty());
        for hit in &self.hits {
            self.rows.add(&clean(typed), hit)?;
        }
        Ok(())
    }
}

/// The rows, for programs or for people.
enum Rows {
    Table(Table<Output, { COLUMNS.len() }>),
    Text(Output, TextTable<8>),
}

impl Rows {
    fn begin(options: &RowOptions) -> anyhow::Result<Self> {
        let out = options.create()?;
        Ok(match options.layout() {
            Some(layout) => Self::Table(Table::new(out, layout, &COLUMNS)?),
            None => Self::Text(
                out,
                TextTable::new([
                    "VALUE",
                    "MATCH",
                    "STRENGTH",
                    "IOC",
                    "MALWARE",
                    "CONF",
                    "LAST ACTIVE",
                    "WARNING",
                ]),
            ),
        })
    }

    fn add(&mut self, value: &str, hit: &Hit<'_>) -> io::Result<()> {
        let (row, matched) = (&hit.row, hit.matched);
        match self {
            Self::Text(_, table) => {
                table.row([
                    value.to_owned(),
                    matched.name.to_string(),
                    hit.strength.name().to_owned(),
                    row.indicator().to_owned(),
                    row.malware.to_owned(),
                    row.confidence.to_string(),
                    row.first_seen
                        .max(row.last_seen)
                        .map(minute)
                        .unwrap_or_default(),
                    row.warning.to_owned(),
                ]);
                Ok(())
            }
            Self::Table(table) => table.row(&[
                Cell::Text(value),
                Cell::Text(&matched.name),
                Cell::Text(hit.strength.name()),
                Cell::Text(row.indicator()),
                Cell::Text(row.ioc_type),
                Cell::Text(row.malware),
                Cell::Text(row.threat_type),
                Cell::Number(row.confidence.into()),
                row.first_seen.map_or(Cell::None, Cell::Time),
                row.last_seen.map_or(Cell::None, Cell::Time),
                Cell::Flag(row.compromised),
                row.id.map_or(Cell::None, Cell::Number),
                row.page().as_deref().map_or(Cell::None, Cell::Text),
                Cell::Text(row.key),
                Cell::Text(row.source),
                Cell::Text(row.warning),
            ]),
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Table(table) => _ = table.finish()?.finish()?,
            Self::Text(out, table) => table.write(out)?,
        }
        Ok(())
    }
}

/// The results for the values.
#[derive(Default)]
struct Tally {
    /// Looked up.
    values: u64,
    matched: u64,
    refused: u64,
    /// The first refused ones and why, for the summary.
    examples: Vec<String>,
}

impl Tally {
    fn refuse(&mut self, value: &str, why: &str) {
        self.refused += 1;
        if self.examples.len() < 3 {
            let value: String = clean(value).chars().take(80).collect();
            self.examples.push(format!("{value:?} ({why})"));
        }
    }

    fn to_text(&self, keys: usize) -> String {
        let mut text = format!(
            "threatfox: {} of {} values match, {} do not ({keys} keys in the feed)",
            self.matched,
            self.values,
            self.values - self.matched
        );
        if self.refused > 0 {
            let more = if self.refused > self.examples.len() as u64 {
                ", …"
            } else {
                ""
            };
            let examples = self.examples.join(", ");
            // Writing to a String does not fail.
            let _ = write!(
                text,
                "\nthreatfox: {} not looked up: {examples}{more}",
                self.refused
            );
        }
        text
    }
}
