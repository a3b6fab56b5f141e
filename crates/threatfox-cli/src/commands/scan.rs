//! `threatfox scan`: event logs in, candidate events or hits out.

use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use threatfox::Error;
use threatfox::lookup::{Index, Wanted};
use threatfox::match_key::Kind;
use threatfox::output::{Like, Output};
use threatfox::rules::Rules;
use threatfox::scan::{
    Fingerprints, Judge, LogReport, NarrowedFeed, Pace, Period, Processes, Results, Scan,
};
use threatfox::source::Input;

use super::Usage;
use super::scan_logs::{self, read_list};
use super::scan_summary::Summary;
use crate::feed_options::SummaryFormat;
use crate::outputs::{STDOUT, check_distinct, check_replaced};
use crate::process;
use crate::say;
use crate::strength::MinStrength;

/// Read event logs and print the events that may hold an indicator of a feed, as JSON lines
///
/// Events are written as Velociraptor's `parse_evtx` gives them, with the path of their log. With --hits, writes which
/// indicator matches and how strongly, by the same rules as the hunts. Runs below normal priority.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// The logs: files, patterns such as C:\Logs\**\*.evtx, or names of this host's logs: Sysmon, BITS, DNS-Client,
    /// PowerShell, Defender, Security
    #[arg(required_unless_present = "logs_from", value_name = "LOG")]
    logs: Vec<String>,

    /// Read the paths of more logs from this file, one per line (- is standard input)
    #[arg(long, value_name = "FILE")]
    logs_from: Option<PathBuf>,

    /// The feed. Without one, prints each event of a provider in rules/places.csv
    #[arg(long, value_name = "FILE")]
    feed: Option<PathBuf>,

    /// Look only for these kinds of keys, such as ip,domain
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind, default_values = Kind::ALL.map(Kind::name))]
    kinds: Vec<Kind>,

    /// Write the rows of the feed that these events may match to this file
    #[arg(long, value_name = "FILE", requires = "feed")]
    met: Option<PathBuf>,

    /// Add the rows of these values to --met: addresses and host names from other places, one per line
    #[arg(long, value_name = "FILE", requires = "met")]
    values: Option<PathBuf>,

    /// Where the events go: a file (.gz compresses) or - for standard output, the default without --hits
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write the hits to this file (.gz compresses, - is standard output), as JSON lines
    #[arg(long, value_name = "FILE", requires = "feed")]
    hits: Option<PathBuf>,

    /// Write the events in which the processes of these events begin to this file (.gz compresses): Sysmon 1 and Security
    /// 4688. For these, logs are read once more
    #[arg(long, value_name = "FILE", requires = "feed")]
    processes: Option<PathBuf>,

    /// Look up the processes with these ids too, one per line
    #[arg(long, value_name = "FILE", requires = "processes")]
    process_ids: Option<PathBuf>,

    /// Leave out hits weaker than this
    #[arg(long, value_enum, default_value_t = MinStrength::Medium, value_name = "STRENGTH", requires = "hits")]
    min_strength: MinStrength,

    /// Leave out hits of indicators with less confidence, 0 to 100
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u8).range(..=100), requires = "hits")]
    min_confidence: u8,

    /// Only events at this time or later: seconds since 1970 or a time such as 2026-03-15T04:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    after: Option<f64>,

    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    before: Option<f64>,

    /// The number of threads that read
    #[arg(long, value_name = "N", default_value_t = NonZero::<u8>::MIN)]
    threads: NonZero<u8>,

    /// Use at most this share of one core, in percent, on average
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    max_cpu: Option<u8>,

    /// How the summary is written: text to standard error; json to standard output, or to standard error where the
    /// events go to standard output
    #[arg(long, value_enum, default_value_t = SummaryFormat::Text)]
    summary: SummaryFormat,
}

const AFTER_HELP: &str = r"Examples:
  threatfox scan --feed threatfox-feed.csv.gz C:\Windows\System32\winevt\Logs\Microsoft-Windows-Sysmon%4Operational.evtx
  threatfox scan --feed threatfox-feed.csv.gz --hits hits.jsonl Sysmon PowerShell BITS
  threatfox scan --feed feed.csv --max-cpu 25 --summary json -o events.jsonl --met rows.csv 'archive/**/*.evtx'
  threatfox scan --feed feed.csv --hits hits.jsonl --min-strength weak ForwardedEvents.evtx
  threatfox scan --after 2026-03-01T00:00:00Z Sysmon.evtx | jq .EventData

A hit is an indicator in an event. An event in several logs gives its hits once. The summary reports damaged
records, and logs that cannot be read to their end; the other records and logs are still read.

Exit codes:
  0  done: at least one log was read to its end
  1  failed: no usable feed, no log that can be read, or no output
  2  wrong usage
  3  refused: an output is a file of another kind, or one that is read";

/// Events and hits, by how they begin; a hunt's hits do so with their strength.
const LINES: Like = Like {
    name: "events or hits",
    starts: &["{\"System\":", "{\"Time\":", "{\"Strength\":"],
};
const ROWS: Like = Like {
    name: "rows of a feed",
    starts: &["key,"],
};

pub fn run(options: &Options) -> anyhow::Result<()> {
    process::lower_priority();
    options.check()?;
    let logs = scan_logs::named(&options.logs, options.logs_from.as_deref())?;
    options.check_files(&logs)?;
    let mut out = options.events().map(Output::create).transpose()?;
    let mut hits_out = options.hits.as_deref().map(Output::create).transpose()?;
    let mut processes_out = options
        .processes
        .as_deref()
        .map(Output::create)
        .transpose()?;
    let feed = options
        .feed
        .as_deref()
        .map(|path| NarrowedFeed::open(Input::new(path), options.kinds.clone()));
    let feed = feed.transpose()?;
    let index = options.index()?;
    let scan = Scan {
        rules: Rules::built_in(),
        keys: feed.as_ref().map(|feed| &feed.keys),
        judge: index.as_ref().map(|index| Judge {
            index,
            wanted: Wanted {
                min_confidence: options.min_confidence,
                kinds: options.kinds.clone(),
            },
            min_strength: options.min_strength.into(),
        }),
        period: options.period(),
        pace: Pace {
            threads: options.threads,
            max_cpu: options.max_cpu.map(|percent| f64::from(percent) / 100.0),
        },
    };
    let mut results = Results::new(
        out.as_mut().map(|out| out as &mut dyn Write),
        hits_out.as_mut().map(|out| out as &mut dyn Write),
    );
    if let Some(path) = &options.values {
        scan.values(read_list(path)?.lines(), &mut results.met);
    }
    if let Some(path) = &options.process_ids {
        results.processes.add_ids(read_list(path)?.lines());
    }
    let mut reports = Vec::with_capacity(logs.len());
    for log in &logs {
        let report = scan.log(log, &mut results);
        reports.push(report.context("cannot write the results")?);
    }
    let Results {
        met,
        hit_count,
        processes,
        ..
    } = results;
    if let Some(unread) = reports
        .iter()
        .all(|report| report.error.is_some())
        .then(|| &reports[0])
    {
        let more = if reports.len() > 1 {
            ", nor could any other log be read"
        } else {
            ""
        };
        bail!("{}{more}", unread.error.as_deref().unwrap_or_default());
    }
    let met_rows = match &feed {
        Some(feed) => options.write_met(feed, &met)?,
        None => 0,
    };
    let created = processes_out
        .as_mut()
        .map(|out| write_creations(&scan, &reports, &processes, out))
        .transpose()?;
    for out in [out, hits_out, processes_out].into_iter().flatten() {
        out.finish()?;
    }
    let summary = Summary {
        feed_rows: feed.as_ref().map_or(0, NarrowedFeed::rows),
        met_rows,
        met: options.met.as_deref(),
        output: options.events(),
        candidates: reports.iter().map(|report| report.candidates).sum(),
        hits: options.hits.is_some().then_some(hit_count),
        processes: created,
        logs: reports,
    };
    options.print(&summary)
}

impl Options {
    /// Checks what only shows once several options are seen together.
    fn check(&self) -> Result<(), Usage> {
        if self.period().is_empty() {
            let problem = "--after is not before --before, so that no event can be in between";
            return Err(Usage(format!("{problem}: give an earlier --after")));
        }
        let json = self.summary == SummaryFormat::Json && !self.writes_to_stdout();
        check_distinct(&[
            ("--output", self.events()),
            ("--hits", self.hits.as_deref()),
            ("--met", self.met.as_deref()),
            ("--processes", self.processes.as_deref()),
            ("--summary json", json.then(|| Path::new(STDOUT))),
        ])?;
        let twice = self.hits.is_some() || self.met.is_some();
        if twice
            && self
                .feed
                .as_deref()
                .is_some_and(|feed| feed.as_os_str() == "-")
        {
            return Err(Usage(
                "standard input cannot be read twice, as --hits and --met need the feed: save it to a file".to_owned(),
            ));
        }
        Ok(())
    }

    /// Checks what the outputs would replace.
    fn check_files(&self, logs: &[PathBuf]) -> Result<(), Error> {
        let lists = [&self.feed, &self.logs_from, &self.values, &self.process_ids];
        let lists = lists.into_iter().flatten().chain(logs);
        let inputs: Vec<_> = lists.map(PathBuf::as_path).collect();
        let outputs = [
            (self.output.as_deref(), LINES),
            (self.hits.as_deref(), LINES),
            (self.processes.as_deref(), LINES),
            (self.met.as_deref(), ROWS),
        ];
        check_replaced(&outputs, &inputs)
    }

    /// Where the events go.
    fn events(&self) -> Option<&Path> {
        let default = self.hits.is_none().then_some(Path::new("-"));
        self.output.as_deref().or(default)
    }

    /// Without a limit every time counts, as the time of a damaged record may be any.
    fn period(&self) -> Period {
        self.after.unwrap_or(f64::NEG_INFINITY)..self.before.unwrap_or(f64::INFINITY)
    }

    /// The whole feed, where hits are wanted.
    fn index(&self) -> anyhow::Result<Option<Index>> {
        let feed = self.feed.as_deref().filter(|_| self.hits.is_some());
        Ok(feed
            .map(|feed| Index::read(&Input::new(feed)))
            .transpose()?)
    }

    fn write_met(&self, feed: &NarrowedFeed, met: &Fingerprints) -> anyhow::Result<u64> {
        let Some(path) = &self.met else {
            return Ok(met.len() as u64);
        };
        let mut out = Output::create(path)?;
        let rows = feed.write_met(met, &mut out)?;
        out.finish()?;
        Ok(rows)
    }

    /// Whether the summary leaves standard output to events or hits.
    fn writes_to_stdout(&self) -> bool {
        let outputs = [
            self.events(),
            self.hits.as_deref(),
            self.processes.as_deref(),
        ];
        outputs
            .into_iter()
            .flatten()
            .any(|path| path.as_os_str() == "-")
    }

    fn print(&self, summary: &Summary<'_>) -> anyhow::Result<()> {
        match self.summary {
            SummaryFormat::Text => say::lines(summary.text().trim_end()),
            SummaryFormat::Json if self.writes_to_stdout() => {
                say::lines(serde_json::to_string(summary)?);
            }
            SummaryFormat::Json => say::print(serde_json::to_string(summary)? + "\n")
                .context("the events are written, but not their summary")?,
        }
        Ok(())
    }
}

/// Reads the logs again that may say how these processes began. One that has gone since is reported, and the others are read.
fn write_creations(
    scan: &Scan<'_>,
    reports: &[LogReport],
    processes: &Processes,
    out: &mut Output,
) -> anyhow::Result<u64> {
    if processes.cut > 0 {
        let cut = processes.cut;
        say::lines(format!(
            "{cut} events are of more processes than are kept: how those began is not looked up"
        ));
    }
    let mut count = 0;
    let providers = |report: &&LogReport| {
        report
            .events
            .keys()
            .any(|name| Processes::are_logged_by(name))
    };
    for report in reports
        .iter()
        .filter(|_| !processes.is_empty())
        .filter(|report| providers(report))
    {
        let read = scan.creations(Path::new(&report.path), processes, out);
        match read.context("cannot write the processes")? {
            Ok(found) => count += found,
            Err(error) => say::lines(format!(
                "{}: how the processes began is not known: {error}",
                report.path
            )),
        }
    }
    Ok(count)
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_name(text)
        .ok_or_else(|| format!("give some of {}", Kind::ALL.map(Kind::name).join(",")))
}

/// Seconds since 1970 of a time as typed.
fn time(text: &str) -> Result<f64, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        let number = Some(seconds).filter(|seconds| seconds.is_finite());
        return number.ok_or_else(|| format!("{text} is not a time: give seconds since 1970"));
    }
    let time: Option<jiff::Timestamp> = text.parse().ok();
    time.map(|time| time.as_duration().as_secs_f64())
        .or_else(|| last_days_of_9999(text))
        .ok_or_else(|| "give seconds since 1970, or a time such as 2026-03-15T04:00:00Z".to_owned())
}

/// Seconds since 1970 of what people write for "no end", 9999-12-31T23:59:59Z: a time stamp ends a day before it.
fn last_days_of_9999(text: &str) -> Option<f64> {
    let time: jiff::civil::DateTime = text.strip_suffix(['Z', 'z'])?.parse().ok()?;
    let since = time.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
    Some(since.as_secs_f64())
}
