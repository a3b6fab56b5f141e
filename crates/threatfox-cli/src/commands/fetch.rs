//! `threatfox fetch`: one download, one feed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use threatfox::download::{Days, DownloadError, Export, ExportType, Format, Period, Request};

use super::Usage;
use super::feed::{build_feed, earlier};
use crate::answer::{Answer, Kept};
use crate::feed_options::FeedOptions;
use crate::network::{Network, NetworkOptions};

/// Days asked of the API if none are given: as many as it has.
const DEFAULT_DAYS: u32 = 7;

/// Download from abuse.ch and make a feed
///
/// An earlier feed is replaced only by a whole new one.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// What to download
    #[arg(long, value_enum, default_value_t = Source::Auto)]
    source: Source,

    /// How many days back. The API has 1 to 7 [default: 7] and counts from when an IOC was first seen; with an export,
    /// IOCs that were not active in so many days are left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=36500))]
    days: Option<u32>,

    /// Of an export, download the IOCs of this type only
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    only: Option<Type>,

    /// Keep what was downloaded in this private folder; runs that share it go one after the other, and what the server
    /// says has not changed is not downloaded again
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,

    /// Use what is in the cache without asking the server if it is younger than this
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 300,
        requires = "cache"
    )]
    cache_seconds: u64,

    #[command(flatten)]
    feed: FeedOptions,

    #[command(flatten)]
    network: NetworkOptions,
}

/// What to download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    /// The API with an Auth-Key, else the recent export; the full export for more than 7 days
    Auto,
    /// The API: IOCs first seen in the last days (needs an Auth-Key)
    Api,
    /// The export of what was active within 48 hours
    Recent,
    /// The export of everything that has not expired
    Full,
}

/// The types that have an export of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    IpPort,
    Domains,
    Urls,
    Md5,
    Sha1,
    Sha256,
}

const AFTER_HELP: &str = "\
Examples:
  threatfox fetch -o threatfox-feed.csv.gz
  threatfox fetch --source full -o threatfox-feed.csv.gz --summary json
  threatfox fetch --source api --days 3 --auth-key-file key.txt --by ioc --format jsonl
  threatfox fetch --days 30 --type ip-port -o feed.csv

Get a free Auth-Key at https://auth.abuse.ch/.

Exit codes:
  0  done
  1  failed, nothing was written; an earlier output is as it was
  2  wrong usage
  3  refused: the new feed fails a safety check, the old one stays";

pub fn run(options: Options) -> anyhow::Result<()> {
    let Options {
        source,
        days,
        only,
        cache,
        cache_seconds,
        mut feed,
        network,
    } = options;
    let earlier = earlier(&feed)?;
    let network = Network::new(&network)?;
    let (request, reason) = choose(source, days, only, network.has_key())?;
    eprintln!("threatfox: downloading {request}: {reason}");
    if !matches!(request, Request::Iocs(_)) {
        feed.max_age = feed.max_age.or(days);
    }
    let cache = Kept::open(cache, Duration::from_secs(cache_seconds))?;
    let answer = obtain(&network, &request, cache.as_ref())?;
    build_feed(&[answer.input()], &feed, &earlier).map_err(|error| network.hide_key(error))?;
    // Only now: an answer that makes no feed must not be used again.
    answer.keep(cache.as_ref());
    Ok(())
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
            eprintln!(
                "threatfox: {error}\nthreatfox: trying the export for holders of an Auth-Key"
            );
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

/// What to ask for, and why.
fn choose(
    source: Source,
    days: Option<u32>,
    only: Option<Type>,
    has_key: bool,
) -> Result<(Request, &'static str), anyhow::Error> {
    let recent = || export(Period::Recent, only);
    let full = || export(Period::Full, only);
    if days == Some(0) {
        return Err(Usage("--days must be at least 1".into()).into());
    }
    let for_api = days.unwrap_or(DEFAULT_DAYS);
    Ok(match source {
        Source::Api if only.is_some() => {
            return Err(Usage(
                "--type is for exports; the API gives all types: use --source recent or full"
                    .into(),
            )
            .into());
        }
        Source::Api => (iocs(for_api)?, "--source api"),
        Source::Recent => (recent(), "--source recent"),
        Source::Full => (full(), "--source full"),
        Source::Auto if days.is_some_and(|days| days > 7) => {
            (full(), "more than 7 days are only in the full export")
        }
        Source::Auto if only.is_some() => (recent(), "only exports come by type"),
        Source::Auto if has_key => (iocs(for_api)?, "there is an Auth-Key"),
        Source::Auto if days.is_some_and(|days| days > 2) => (
            recent(),
            "there is no Auth-Key; it holds 48 hours only: for more give a key, or --source full",
        ),
        Source::Auto => (recent(), "there is no Auth-Key"),
    })
}

fn iocs(days: u32) -> Result<Request, Usage> {
    Days::new(days)
        .map(Request::Iocs)
        .map_err(|error| Usage(error.to_string()))
}

/// The recent export as JSON, which has what was last seen within 48 hours too, not only what was first seen; the full
/// export as CSV, which is a fraction of the JSON's size and ends with the number of its entries.
fn export(period: Period, only: Option<Type>) -> Request {
    let format = match period {
        Period::Recent => Format::Json,
        Period::Full => Format::Csv,
    };
    let only = only.map(|only| match only {
        Type::IpPort => ExportType::IpPort,
        Type::Domains => ExportType::Domains,
        Type::Urls => ExportType::Urls,
        Type::Md5 => ExportType::Md5,
        Type::Sha1 => ExportType::Sha1,
        Type::Sha256 => ExportType::Sha256,
    });
    Request::Export(Export {
        period,
        format,
        only,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(source: Source, days: Option<u32>, has_key: bool) -> String {
        match choose(source, days, None, has_key) {
            Ok((request, _)) => request.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn auto_takes_the_api_with_a_key_the_recent_export_without_and_the_full_one_past_a_week() {
        assert_eq!(chosen(Source::Auto, None, true), "get_iocs days=7");
        assert_eq!(chosen(Source::Auto, Some(3), true), "get_iocs days=3");
        assert_eq!(chosen(Source::Auto, Some(3), false), "recent export");
        assert_eq!(chosen(Source::Auto, None, false), "recent export");
        for has_key in [true, false] {
            assert_eq!(chosen(Source::Auto, Some(8), has_key), "full export");
        }
    }

    #[test]
    fn the_api_has_one_to_seven_days() {
        for days in [0, 8] {
            let error = choose(Source::Api, Some(days), None, true).unwrap_err();
            assert!(error.downcast_ref::<Usage>().is_some());
        }
        assert_eq!(chosen(Source::Api, Some(7), true), "get_iocs days=7");
    }

    #[test]
    fn a_window_without_a_key_that_is_longer_than_the_export_is_said_to_be_cut() {
        let (_, reason) = choose(Source::Auto, Some(7), None, false).unwrap();
        assert!(reason.contains("48 hours only"));
    }
}
