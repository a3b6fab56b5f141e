//! `threatfox fetch`: one download of each source, one feed.

mod choice;
mod several;
mod since_last;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use threatfox::download::{Cached, DownloadError, Export, Other, Period, Request};
use threatfox::source::Format;
use threatfox::summary::Summary;

use self::choice::{Asked, ExportFormat, Exports, Type, Window, choose};
use self::since_last::Plan;
use super::feed::{Inputs, Prepared, build_feed, report};
use super::{DoneInPart, Usage};
use crate::answer::{Answer, Kept, input_of};
use crate::feed_options::FeedOptions;
use crate::message::message;
use crate::network::{Network, NetworkOptions};
use crate::say::say;

/// Download from abuse.ch and make a feed
///
/// Replaces an earlier feed only by a complete new one.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// What to download, with commas between: auto, api, recent, full, urlhaus, malwarebazaar, feodo or [NAME=]https://…
    ///
    /// The first four are ThreatFox's. api is what was first seen in the last days, and needs an Auth-Key. recent is what was active within
    /// 48 hours. full is all that has not expired. auto is api with an Auth-Key, else recent, and full for more than 7 days. An address is
    /// that of an export, an event, a bundle or a list; <AUTH-KEY> in its path stands for the key.
    #[arg(
        long,
        value_name = "SOURCE",
        value_delimiter = ',',
        default_value = "auto"
    )]
    source: Vec<Asked>,

    /// Read what is at an address with an unknown name as this source writes it [default: by its content]
    #[arg(long, value_name = "SOURCE")]
    input_format: Option<Format>,

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
  threatfox fetch --source full,urlhaus,malwarebazaar,feodo -o threatfox-feed.csv.gz
  threatfox fetch --source recent,partner=https://cert.example/list.txt -o threatfox-feed.csv.gz
  threatfox fetch --source full --policy policy.yaml --fplist --cache cache -o threatfox-feed.csv.gz
  threatfox fetch --since-last --cache cache -o threatfox-feed.csv.gz

Get a free Auth-Key at https://auth.abuse.ch/.

Exit codes:
  0  done
  1  failed; an earlier output is unchanged, or the message says that the new one is in place
  2  wrong usage
  3  refused: the new feed fails a safety check; the old one stays
  4  done in part: the new feed is written, but one of several sources gave nothing new; its part of the old feed stays";

pub fn run(options: Options) -> anyhow::Result<()> {
    let Options {
        source,
        input_format,
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
    let mut prepared = Prepared::new(&feed, &network.files())?;
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
    check_named_once(&source)?;
    let [Asked::ThreatFox(source)] = source[..] else {
        let asking = Asking {
            network: &network,
            days,
            exports,
            cache: cache.as_ref(),
            input_format,
        };
        return run_several(&source, &asking, feed, &prepared, removed.as_ref());
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

/// How several sources are asked.
struct Asking<'a> {
    network: &'a Network,
    days: Option<Window>,
    exports: Exports,
    cache: Option<&'a Kept>,
    input_format: Option<Format>,
}

/// Two parts of one name could not be told apart in the feed.
fn check_named_once(sources: &[Asked]) -> Result<(), Usage> {
    for (n, source) in sources.iter().enumerate() {
        if sources[..n]
            .iter()
            // Case makes no difference in a policy.
            .any(|other| other.name().eq_ignore_ascii_case(source.name()))
        {
            return Err(Usage(format!(
                "two sources are called {}: give one of them another name with NAME=https://…",
                source.name()
            )));
        }
    }
    Ok(())
}

/// Asks one source after the other, and makes one feed of all.
fn run_several(
    sources: &[Asked],
    asking: &Asking<'_>,
    mut feed: FeedOptions,
    prepared: &Prepared,
    removed: Option<&Answer>,
) -> anyhow::Result<()> {
    let network = asking.network;
    let mut answers = Vec::new();
    let mut parts = Vec::new();
    for source in sources {
        let reading = source.reading(asking.input_format);
        let got = match asking.ask(source, &mut feed) {
            Ok(answer) => {
                let input = answer.input().read_as(reading);
                answers.push((source.name().to_owned(), answer));
                Ok(input)
            }
            Err(error) if error.is::<Usage>() => return Err(error),
            Err(error) => Err(network.without_key(&message(&error))),
        };
        parts.push(several::Source {
            name: source.name().to_owned(),
            got,
        });
    }
    let summary = several::build(&mut parts, &feed, prepared, network)
        .map_err(|error| network.hide_key(error))?;
    // Only now, and only what made the feed.
    let made = |name: &str| {
        parts
            .iter()
            .any(|part| part.name == name && part.got.is_ok())
    };
    let used = answers.iter().filter(|(name, _)| made(name));
    for answer in removed.into_iter().chain(used.map(|(_, answer)| answer)) {
        answer.keep(asking.cache);
    }
    report(&summary, &feed)?;
    warn_of_times(&summary);
    let failed = parts.into_iter().filter(|part| part.got.is_err());
    let failed: Vec<_> = failed.map(|part| part.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(DoneInPart(failed).into())
}

impl Asking<'_> {
    fn ask(&self, source: &Asked, feed: &mut FeedOptions) -> anyhow::Result<Answer> {
        let name = source.name().to_owned();
        let (url, keyed) = match source {
            Asked::ThreatFox(source) => {
                let choice = choose(*source, self.days, self.exports, self.network.has_key())?;
                say!("downloading {choice}");
                if !matches!(choice.request, Request::Iocs(_)) {
                    let days = self.days.and_then(Window::days);
                    feed.select.max_age = feed.select.max_age.or(days);
                }
                return obtain(self.network, &choice.request, self.cache);
            }
            Asked::Known(name) => {
                let published = name.parse::<Format>().ok().and_then(Format::published);
                let published = published.with_context(|| format!("{name} publishes nothing"))?;
                let keyed = published.keyed.filter(|_| self.network.has_key());
                (published.open.parse()?, keyed)
            }
            Asked::At(_, url) => (url.clone(), None),
        };
        say!("downloading {name}: --source");
        let request = Request::Other(Other {
            name: name.clone(),
            url,
        });
        match (self.network.obtain(&request, self.cache), keyed) {
            (Err(error), Some(keyed)) if is_closed(&error) => {
                say!("{error}");
                say!("trying the export for holders of an Auth-Key");
                let url = keyed.parse()?;
                self.network
                    .obtain(&Request::Other(Other { name, url }), self.cache)
            }
            (result, _) => result,
        }
    }
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
