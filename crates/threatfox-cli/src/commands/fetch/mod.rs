//! `threatfox fetch`: one download, one feed.

mod choice;
mod since_last;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use threatfox::download::{Cached, DownloadError, Export, Period, Request};
use threatfox::summary::Summary;

use self::choice::{ExportFormat, Exports, Source, Type, Window, choose};
use self::since_last::Plan;
use super::feed::{Inputs, Prepared, build_feed, report};
use crate::answer::{Answer, Kept, input_of};
use crate::feed_options::FeedOptions;
use crate::network::{Network, NetworkOptions};
use crate::say::say;

/// Download from abuse.ch and make a feed
///
/// Replaces an earlier feed only by a complete new one.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// What to download
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    source: Source,

    /// How many days back, or all. The API takes 1 to 7 [default: 7], and counts from when an IOC was first seen. With an
    /// export, IOCs that were not active in this many days are left out
    #[arg(long, value_name = "N")]
    days: Option<Window>,

    /// Download only the export of this type of IOC
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    only: Option<Type>,

    /// Download the export in this form [default: json for recent, csv for full]
    #[arg(long, value_name = "FORM", value_enum)]
    export_format: Option<ExportFormat>,

    /// Keep the full export in the cache and download only what is new since then, until the export is too old. Records
    /// that the source deleted meanwhile are left out
    #[arg(long, requires = "cache", conflicts_with = "source")]
    since_last: bool,

    /// Keep downloads in this private folder, and download again only what has changed. Runs that share the folder wait
    /// for each other
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,

    /// Use a download in the cache without asking the server if it is younger than this
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 300,
        requires = "cache"
    )]
    cache_seconds: u64,

    /// Leave out the IOCs on abuse.ch's list of false positives, downloaded from its Hunting API (needs an Auth-Key)
    #[arg(long)]
    fplist: bool,

    #[command(flatten)]
    feed: FeedOptions,

    #[command(flatten)]
    network: NetworkOptions,
}

const AFTER_HELP: &str = "\
Examples:
  threatfox fetch -o threatfox-feed.csv.gz
  threatfox fetch --source full -o threatfox-feed.csv.gz --summary json
  threatfox fetch --source api --days 3 --auth-key-file key.txt --by ioc --format jsonl
  threatfox fetch --days 30 --type ip-port -o feed.csv
  threatfox fetch --source full --policy policy.yaml --fplist --cache cache -o threatfox-feed.csv.gz
  threatfox fetch --since-last --cache cache -o threatfox-feed.csv.gz

Get a free Auth-Key at https://auth.abuse.ch/.

Exit codes:
  0  done
  1  failed; nothing was written, and an earlier output is unchanged
  2  wrong usage
  3  refused: the new feed fails a safety check; the old one stays";

pub fn run(options: Options) -> anyhow::Result<()> {
    let Options {
        source,
        days,
        only,
        export_format,
        since_last,
        cache,
        cache_seconds,
        fplist,
        mut feed,
        network,
    } = options;
    let mut prepared = Prepared::new(&feed)?;
    let network = Network::new(&network)?;
    let fresh = Duration::from_secs(cache_seconds);
    let cache = Kept::open(cache, fresh)?;
    let removed = fplist
        .then(|| network.obtain(&Request::FalsePositives, cache.as_ref()))
        .transpose()?;
    if let Some(list) = &removed {
        prepared
            .leave_out(&list.input())
            .map_err(|error| network.hide_key(error.into()))?;
    }
    let exports = Exports {
        only,
        format: export_format,
    };
    let plan = if since_last {
        let base = find_base(&network, exports, cache.as_ref())?;
        since_last::plan(base, fresh, exports, network.has_key())
    } else {
        Plan::Whole(choose(source, days, exports, network.has_key())?)
    };
    let choice = plan.choice();
    say!("downloading {choice}");
    if since_last || !matches!(choice.request, Request::Iocs(_)) {
        feed.select.max_age = feed.select.max_age.or(days.and_then(Window::days));
    }
    let answer = obtain(&network, &choice.request, cache.as_ref())?;
    let inputs = match &plan {
        Plan::Whole(_) => Inputs::Equal(vec![answer.input()]),
        Plan::Update { base, covers, .. } => Inputs::Update {
            newer: answer.input(),
            earlier: input_of(base),
            covered_since: answer.fetched() - i64::try_from(covers.as_secs())?,
        },
    };
    let reason = Some(choice.reason.clone());
    let summary =
        build_feed(&inputs, &feed, &prepared, reason).map_err(|error| network.hide_key(error))?;
    // Only now: an answer that makes no feed must not be used again.
    for used in removed.iter().chain([&answer]) {
        used.keep(cache.as_ref());
    }
    report(&summary, &feed)?;
    // Of some types there is nothing new for days.
    if only.is_none() {
        warn_of_times(&summary);
    }
    Ok(())
}

/// The newest full export in the cache: the open one, or the one for holders of a key.
fn find_base(
    network: &Network,
    exports: Exports,
    cache: Option<&Kept>,
) -> anyhow::Result<Option<Cached>> {
    let open = network.find(&exports.of(Period::Full), cache)?;
    let keyed = if network.has_key() && exports.only.is_none() {
        network.find(&Request::KeyedExport(Period::Full), cache)?
    } else {
        None
    };
    Ok(open.into_iter().chain(keyed).max_by_key(Cached::fetched))
}

/// A feed that grows old without a word is worse than none.
fn warn_of_times(summary: &Summary) {
    let newest = summary.newest_activity.as_deref();
    let Some(newest) = newest.and_then(|time| time.parse::<Timestamp>().ok()) else {
        return;
    };
    let hours = Timestamp::now().duration_since(newest).as_hours();
    if hours > 48 {
        say!(
            "warning: the newest IOC is from {newest}, {} days ago: ThreatFox, a mirror or a proxy gives old data, or this machine's clock is ahead",
            hours / 24
        );
    } else if hours < -24 {
        say!(
            "warning: the newest IOC is from {newest}, which is in the future: the clock of this machine is behind"
        );
    }
}

/// Downloads; where the open export has been closed, the one for holders of a key is tried.
fn obtain(network: &Network, request: &Request, cache: Option<&Kept>) -> anyhow::Result<Answer> {
    let error = match network.obtain(request, cache) {
        Err(error) if is_closed(&error) => error,
        result => return result,
    };
    match request {
        Request::Export(Export {
            period, only: None, ..
        }) if network.has_key() => {
            say!("{error}");
            say!("trying the export for holders of an Auth-Key");
            network.obtain(&Request::KeyedExport(*period), cache)
        }
        _ => Err(error),
    }
}

fn is_closed(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(
            DownloadError::KeyRefused { .. }
                | DownloadError::Status {
                    status: 403 | 404 | 410,
                    ..
                }
        )
    )
}
