//! The common part of `normalize` and `fetch`: inputs to feed, rejects and summary.

use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use indicatif::ProgressBar;
use threatfox::false_positives::FalsePositives;
use threatfox::feed::{Earlier, Shape};
use threatfox::normalize::{Filter, KeyStore, Normalizer, RowStore, Store};
use threatfox::output::{Like, Output, check_not_read};
use threatfox::policy::Policy;
use threatfox::record::{Column, RawRecord};
use threatfox::reject::{Reject, RejectList};
use threatfox::source::{self, Input, Report, Sink, Update};
use threatfox::summary::{Counts, RowCounts, Summary};
use threatfox::warning::WarningLists;
use threatfox::{Error, carry, feed, rows};

use crate::feed_options::{FeedOptions, SummaryFormat};
use crate::outputs::{STDOUT, check_distinct, check_replaced};
use crate::say::{self, say};

/// The input of a feed.
pub enum Inputs {
    /// Inputs that make no difference by their order.
    Equal(Vec<Input>),
    /// The parts of a feed, each from a source of its own.
    Parts(Vec<PartInput>),
    /// An earlier export, and what is new since.
    Update {
        newer: Input,
        earlier: Input,
        /// Records first seen since then, in seconds since 1970, are certainly in the newer one.
        covered_since: i64,
    },
}

/// The input of a part.
pub enum PartInput {
    /// What the source gave.
    New(Input),
    /// Its rows in an earlier feed.
    Kept { feed: Input, source: String },
    /// None at all.
    Nothing,
}

/// A part that cannot be read: which of them, and why.
#[derive(Debug)]
pub struct BrokenPart {
    pub number: usize,
    pub error: Error,
}

impl fmt::Display for BrokenPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for BrokenPart {}

/// The checks before the work: there is no use in making a feed that may not be put in its place, or with a policy that
/// cannot be read.
pub struct Prepared {
    earlier: Earlier,
    policy: Policy,
    lists: WarningLists,
    false_positives: FalsePositives,
}

impl Prepared {
    /// The inputs are the files that the run reads beside those that the options name.
    pub fn new(options: &FeedOptions, inputs: &[&Path]) -> anyhow::Result<Self> {
        let json = options.summary == SummaryFormat::Json && !options.rows_to_stdout();
        check_distinct(&[
            ("--output", Some(&options.output)),
            ("--rejects", options.rejects.as_deref()),
            ("--summary json", json.then(|| Path::new(STDOUT))),
        ])?;
        check_places(options, inputs)?;
        let policy = options.select.policy()?;
        Ok(Self {
            earlier: earlier_output(options)?,
            lists: options.select.warning_lists(&policy)?,
            policy,
            false_positives: FalsePositives::default(),
        })
    }

    /// Leaves out what abuse.ch removed, by its list.
    pub fn leave_out(&mut self, list: &Input) -> Result<(), Error> {
        self.false_positives = FalsePositives::read(list)?;
        say!(
            "list of false positives: {} indicators",
            self.false_positives.len()
        );
        Ok(())
    }

    /// Which records are kept.
    fn filter(&self, options: &FeedOptions) -> Filter {
        Filter {
            policy: self.policy.clone(),
            false_positives: self.false_positives.clone(),
            ..options.filter(unix_now())
        }
    }
}

/// Neither the feed nor the list of rejects takes the place of a file that is read, by force neither; nor does the list
/// that of another file.
fn check_places(options: &FeedOptions, inputs: &[&Path]) -> Result<(), Error> {
    let selecting = options.select.files()?;
    let selecting = selecting.iter().map(PathBuf::as_path);
    let inputs: Vec<_> = inputs.iter().copied().chain(selecting).collect();
    for output in options.rejects.iter().chain([&options.output]) {
        check_not_read(output, inputs.iter().copied())?;
    }
    if options.force {
        return Ok(());
    }
    let list = Like {
        name: "a list of rejects",
        starts: &["id,ioc,ioc_type,reason,detail"],
    };
    check_replaced(&[(options.rejects.as_deref(), list)], &[])
}

/// The file that the output replaces.
fn earlier_output(options: &FeedOptions) -> anyhow::Result<Earlier> {
    if options.force {
        return Ok(Earlier::Free);
    }
    let earlier = Earlier::look(&options.output, options.shape())?;
    if let Earlier::Feed {
        path,
        damage: Some(damage),
        ..
    } = &earlier
    {
        say!(
            "warning: the earlier feed {} is damaged ({damage}) and will be replaced",
            path.display()
        );
    }
    Ok(earlier)
}

/// Reads the inputs, writes the rows and the list of rejects. Nothing is written where an input fails, or where what is
/// there already may not be replaced.
pub fn build_feed(
    inputs: &Inputs,
    options: &FeedOptions,
    prepared: &Prepared,
    reason: Option<String>,
) -> anyhow::Result<Summary> {
    let mut summary = Draft::write(inputs, options, prepared)?.publish(prepared)?;
    summary.reason = reason;
    Ok(summary)
}

/// A feed that is written, but not in its place. Dropped, it leaves nothing.
pub struct Draft {
    made: Made,
    rejects: Option<RejectList<Output>>,
}

/// Prints the summary.
pub fn report(summary: &Summary, options: &FeedOptions) -> anyhow::Result<()> {
    let text = match options.summary {
        SummaryFormat::Json => serde_json::to_string(summary)?,
        SummaryFormat::Text => summary.to_text(),
    };
    if options.summary == SummaryFormat::Json && !options.rows_to_stdout() {
        say::print(text + "\n").context("the feed is written, but not its summary")?;
    } else {
        say::lines(text);
    }
    Ok(())
}

impl Draft {
    /// Reads the inputs, and writes the rows and the list of rejects.
    pub fn write(
        inputs: &Inputs,
        options: &FeedOptions,
        prepared: &Prepared,
    ) -> anyhow::Result<Self> {
        let mut rejects = options
            .rejects
            .as_deref()
            .map(Output::create)
            .transpose()?
            .map(RejectList::new)
            .transpose()?;
        let list = rejects.as_mut();
        let made = match options.shape() {
            Shape::ByKey => make(inputs, options, prepared, list, |store: &KeyStore, out| {
                feed::write(store, &prepared.lists, out, options.layout())
            }),
            Shape::ByIoc => make(inputs, options, prepared, list, |store: &RowStore, out| {
                rows::write(store, &prepared.lists, out, options.layout())
            }),
        }?;
        Ok(Self { made, rejects })
    }

    /// The rows.
    pub fn rows(&self) -> &RowCounts {
        &self.made.rows
    }

    /// Puts the feed and the list into their places, where they may.
    pub fn publish(self, prepared: &Prepared) -> anyhow::Result<Summary> {
        let Made {
            out,
            rows,
            counts,
            reports,
        } = self.made;
        prepared.earlier.check(rows.total())?;
        let feed = out.complete()?;
        // The list before the feed: a feed must not appear where its list could not be written, nor a list of no feed.
        if let Some(list) = self.rejects {
            list.finish()?.finish()?;
        }
        Ok(Summary::new(reports, counts, rows, feed.publish()?))
    }
}

/// Rows that are written, but not yet in their place.
struct Made {
    out: Output,
    rows: RowCounts,
    counts: Counts,
    reports: Vec<Report>,
}

/// Reads the inputs into a store, and writes its rows.
fn make<S: Store>(
    inputs: &Inputs,
    options: &FeedOptions,
    prepared: &Prepared,
    rejects: Option<&mut RejectList<Output>>,
    write: impl FnOnce(&S, Output) -> io::Result<(Output, RowCounts)>,
) -> anyhow::Result<Made> {
    let (store, counts, reports) = read_all(inputs, options, prepared, rejects)?;
    let out = Output::create(&options.output)?;
    let (out, rows) =
        write(&store, out).with_context(|| format!("cannot write {}", shown(&options.output)))?;
    Ok(Made {
        out,
        rows,
        counts,
        reports,
    })
}

fn read_all<S: Store>(
    inputs: &Inputs,
    options: &FeedOptions,
    prepared: &Prepared,
    rejects: Option<&mut RejectList<Output>>,
) -> anyhow::Result<(S, Counts, Vec<Report>)> {
    let mut normalizer = Normalizer::new(prepared.filter(options), prepared.policy.shared_hosts());
    if let Some(list) = rejects {
        normalizer = normalizer.with_rejects(Box::new(|raw, reject| add_reject(list, raw, reject)));
    }
    let mut progress = Progress::new(normalizer);
    let reports = match inputs {
        Inputs::Equal(inputs) => {
            let each = inputs.iter().map(|input| {
                progress.begin(input);
                source::read(input, &mut progress)
            });
            each.collect::<Result<_, _>>()?
        }
        Inputs::Parts(parts) => {
            let mut reports = Vec::new();
            for (number, part) in parts.iter().enumerate() {
                let report = match part {
                    PartInput::New(input) => {
                        progress.begin(input);
                        source::read(input, &mut progress)
                    }
                    PartInput::Kept { feed, source } => carry::read(feed, source, &mut progress),
                    PartInput::Nothing => continue,
                };
                reports.push(report.map_err(|error| BrokenPart { number, error })?);
            }
            reports
        }
        Inputs::Update {
            newer,
            earlier,
            covered_since,
        } => {
            let mut update = Update::covering(*covered_since);
            progress.begin(newer);
            let news = source::read(newer, &mut update.newer(&mut progress))?;
            progress.begin(earlier);
            let base = source::read(earlier, &mut update.earlier(&mut progress))?;
            update.check(&news)?;
            vec![news, base]
        }
    };
    progress.bar.finish_and_clear();
    let (store, counts) = progress.normalizer.finish()?;
    Ok((store, counts, reports))
}

fn add_reject(
    list: &mut RejectList<Output>,
    raw: &RawRecord<'_>,
    reject: &Reject,
) -> Result<(), Error> {
    let id = raw.get(Column::Id);
    list.add(id, raw.get(Column::Ioc), raw.get(Column::IocType), reject)
        .map_err(|error| Error::Io {
            action: "write",
            path: "the list of rejects".to_owned(),
            source: error.into(),
        })
}

/// The name of an output in messages.
pub fn shown(output: &Path) -> String {
    if output.as_os_str() == "-" {
        "standard output".to_owned()
    } else {
        output.display().to_string()
    }
}

pub fn unix_now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.ok()
        .and_then(|now| i64::try_from(now.as_secs()).ok())
        .unwrap_or(i64::MAX)
}

/// Shows on a terminal how many records were read.
struct Progress<'a, S> {
    normalizer: Normalizer<'a, S>,
    bar: ProgressBar,
}

impl<'a, S: Store> Progress<'a, S> {
    fn new(normalizer: Normalizer<'a, S>) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { normalizer, bar }
    }

    fn begin(&self, input: &Input) {
        self.bar.set_message(format!("reading {}", input.name()));
    }
}

impl<S: Store> Sink for Progress<'_, S> {
    fn record(&mut self, raw: &RawRecord<'_>) -> Result<(), Error> {
        let read = self.normalizer.read();
        if read.is_multiple_of(4096) {
            self.bar.set_position(read);
        }
        self.normalizer.record(raw)
    }

    fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
        self.normalizer.unreadable(raw, reject)
    }
}
