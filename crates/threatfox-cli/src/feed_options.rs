//! The options of every command that writes a feed, and what they mean to the library.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use threatfox::Error;
use threatfox::feed::Shape;
use threatfox::normalize::Filter;
use threatfox::policy::Policy;
use threatfox::table::Layout;
use threatfox::warning::WarningLists;

/// A day in seconds.
const DAY: i64 = 24 * 60 * 60;

/// The content of the feed, and the place of the feed.
#[derive(Debug, Args)]
pub struct FeedOptions {
    /// One row per match key (for hunts) or one row per IOC (for enrichment)
    #[arg(long, value_enum, default_value_t = By::Key)]
    pub by: By,

    /// How the rows are written
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub format: Format,

    /// Where the rows go: a file (.gz compresses) or - for standard output
    #[arg(short, long, default_value = "-", value_name = "FILE")]
    pub output: PathBuf,

    /// Replace the files given with --output and --rejects, whatever they hold and however small the new feed is; but never
    /// a file that this run reads
    #[arg(long)]
    pub force: bool,

    #[command(flatten)]
    pub select: SelectOptions,

    /// List each record that was left out, with the reason, as CSV in this file
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,

    /// How the summary is written: text to standard error; json to standard output, or to standard error where the
    /// rows go to standard output
    #[arg(long, value_enum, default_value_t = SummaryFormat::Text)]
    pub summary: SummaryFormat,
}

/// Which records are wanted.
#[derive(Debug, Args)]
pub struct SelectOptions {
    /// Leave out IOCs below this confidence, 0 to 100 [default: 50 by key, 0 by ioc]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_confidence: Option<u8>,

    /// Leave out IOCs that were not active (seen first or last) in this many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36500))]
    pub max_age: Option<u32>,

    /// Keep addresses of private and documentation networks, and names that the public DNS never has, such as nas.lan
    #[arg(long)]
    pub allow_private: bool,

    /// Leave out, or weaken, what this policy file lists (YAML, see docs/policy.md)
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// Add the warning lists in this folder, in MISP's format, to those built in, or replace those of the same name: hits
    /// of what is in one are weak (see docs/warning-lists.md)
    #[arg(long, value_name = "FOLDER")]
    pub warning_lists: Option<PathBuf>,
}

/// A row for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    Key,
    Ioc,
}

/// The format of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Csv,
    Jsonl,
}

/// The format of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SummaryFormat {
    Text,
    Json,
}

impl FeedOptions {
    /// The shape of the rows.
    pub fn shape(&self) -> Shape {
        match self.by {
            By::Key => Shape::ByKey,
            By::Ioc => Shape::ByIoc,
        }
    }

    /// The format of the rows.
    pub fn layout(&self) -> Layout {
        match self.format {
            Format::Csv => Layout::Csv,
            Format::Jsonl => Layout::Jsonl,
        }
    }

    /// Which records are kept at `now`, seconds since 1970.
    pub fn filter(&self, now: i64) -> Filter {
        let default_confidence = match self.by {
            By::Key => 50,
            By::Ioc => 0,
        };
        self.select.filter(default_confidence, now)
    }

    /// Whether the rows take standard output.
    pub fn rows_to_stdout(&self) -> bool {
        self.output.as_os_str() == "-"
    }
}

impl SelectOptions {
    /// Which records are kept at `now`, seconds since 1970, policy aside.
    pub fn filter(&self, default_confidence: u8, now: i64) -> Filter {
        Filter {
            min_confidence: self.min_confidence.unwrap_or(default_confidence),
            active_since: self.max_age.map(|days| now - i64::from(days) * DAY),
            allow_private: self.allow_private,
            ..Filter::default()
        }
    }

    /// The policy, which ignores nothing where no file is given.
    pub fn policy(&self) -> Result<Policy, Error> {
        let policy = self.policy.as_deref().map(Policy::read).transpose()?;
        Ok(policy.unwrap_or_default())
    }

    /// The files that say which records are wanted, and how much.
    pub fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let lists = self.warning_lists.as_deref().map(WarningLists::files);
        let lists = lists.transpose()?.unwrap_or_default();
        Ok(self.policy.iter().cloned().chain(lists).collect())
    }

    /// The warning lists: those built in, and those of the folder, with the limits of the policy.
    pub fn warning_lists(&self, policy: &Policy) -> Result<WarningLists, Error> {
        let mut lists = match &self.warning_lists {
            Some(folder) => WarningLists::with_folder(folder)?,
            None => WarningLists::built_in(),
        };
        policy.limit_lists(&mut lists)?;
        Ok(lists)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        options: FeedOptions,
    }

    fn filter(args: &[&str]) -> Filter {
        Typed::parse_from(std::iter::once(&"threatfox").chain(args))
            .options
            .filter(10 * DAY)
    }

    #[test]
    fn a_feed_wants_more_confidence_than_enrichment() {
        assert_eq!(filter(&[]).min_confidence, 50);
        assert_eq!(filter(&["--by", "ioc"]).min_confidence, 0);
        assert_eq!(
            filter(&["--by", "ioc", "--min-confidence", "75"]).min_confidence,
            75
        );
    }

    #[test]
    fn the_age_is_counted_in_days_back_from_now() {
        assert_eq!(filter(&["--max-age", "3"]).active_since, Some(7 * DAY));
        assert_eq!(filter(&[]).active_since, None);
    }

    #[test]
    fn values_out_of_range_are_wrong_usage() {
        for args in [
            ["--min-confidence", "101"],
            ["--max-age", "0"],
            ["--by", "name"],
            ["--format", "xml"],
        ] {
            assert!(
                Typed::try_parse_from(std::iter::once("threatfox").chain(args)).is_err(),
                "{args:?}"
            );
        }
    }
}
