//! `threatfox explain`: why a value is, or is not, in the feed that `normalize` makes of the same files and options.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use threatfox::explain::{Explainer, Finding, Verdict};
use threatfox::false_positives::FalsePositives;
use threatfox::ioc::Ioc;
use threatfox::normalize::Filter;
use threatfox::rules::Rules;
use threatfox::source::{self, Input};
use threatfox::text::clean;
use threatfox::value::{meanings, refang};

use super::Usage;
use super::feed::unix_now;
use super::normalize::ReadOptions;
use crate::feed_options::SelectOptions;
use crate::say;

/// Say why a value is, or is not, in the feed
///
/// Reads the same files as normalize, with the same options. Lists each record that concerns the value, and says whether
/// it is kept.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// An address, address:port, host, URL or hash; it may be defanged
    value: String,

    /// The files that the feed is made of: exports, API responses, files in the folder of --cache; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Treat the IOCs in this file as left out: abuse.ch's list of false positives, JSON or CSV
    #[arg(long, value_name = "FILE")]
    fplist: Option<PathBuf>,

    #[command(flatten)]
    read: ReadOptions,

    #[command(flatten)]
    select: SelectOptions,
}

const AFTER_HELP: &str = "\
Examples:
  threatfox explain evil.example full.csv.zip
  threatfox explain 'hxxp://a[.]evil.example/x' full.csv.zip --policy policy.yaml
  threatfox explain 203.0.113.7:443 full.csv.zip recent.json --min-confidence 75 --fplist fplist.json

Exit codes: 0 for any answer, 1 if a file cannot be read, 2 if the value is not an indicator, or is a network.";

pub fn run(options: &Options) -> anyhow::Result<()> {
    let value = options.value.trim();
    let plain = refang(value);
    let iocs = meanings(&plain)
        .map_err(|reject| Usage(format!("{:?} cannot be in a feed: {reject}", clean(value))))?;
    if let [Ioc::Network(network, _)] = iocs[..] {
        let problem = format!(
            "{network} is a network, a row per address in a feed: ask about one address of it"
        );
        return Err(Usage(problem).into());
    }
    let policy = options.select.policy()?;
    let shared = policy.shared_hosts();
    let lists = options.select.warning_lists(&policy)?;
    let list = options.fplist.as_deref().map(Input::new);
    let list = list.as_ref().map(FalsePositives::read).transpose()?;
    let filter = Filter {
        policy,
        false_positives: list.unwrap_or_default(),
        ..options.select.filter(50, unix_now())
    };
    let mut explainer = Explainer::new(&plain, &iocs, filter, lists, shared);
    for input in options.read.inputs(&options.files)? {
        explainer.begin(input.name());
        source::read(&input, &mut explainer)?;
    }
    let (read, findings) = explainer.finish();
    let mut text = answer(&clean(&plain), read, &findings);
    if let [Ioc::Address(ip, _)] = iocs[..]
        && let Some(why) = Rules::built_in().never().address(ip)
    {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "It is never an indicator ({why}): no hunt matches it, whatever a feed holds."
        );
    }
    say::print(text)
}

/// The answer first, then the records.
fn answer(value: &str, read: u64, findings: &[Finding]) -> String {
    let matching = |finding: &&Finding| matches!(finding.verdict, Verdict::Matches { .. });
    let matches = findings.iter().filter(matching).count();
    let mut text = match (findings.len(), matches) {
        (0, _) => format!("{value} is not in the feed: none of the {read} records concerns it.\n"),
        (all, 0) => format!(
            "{value} is not matched by the feed: of {read} records, {all} concern it, and each is left out or does not match.\n"
        ),
        (all, n) => {
            format!(
                "{value} is matched by the feed: of {read} records, {all} concern it, {n} match.\n"
            )
        }
    };
    for finding in findings {
        let Finding {
            input,
            source,
            link,
            ioc,
            ioc_type,
            malware,
            confidence,
            verdict,
        } = finding;
        let ioc = match ioc_type.as_str() {
            "" => ioc.clone(),
            ioc_type => format!("{ioc} ({ioc_type})"),
        };
        // Writing to a String does not fail.
        let _ = match verdict {
            Verdict::Matches {
                key,
                matched,
                strength,
                warning,
            } => {
                let warning = match warning.as_str() {
                    "" => String::new(),
                    names => format!(", warning {names}"),
                };
                let (name, strength) = (&matched.name, strength.name());
                writeln!(
                    text,
                    "  match     {ioc}: {name} ({strength}), key {key}{warning}"
                )
            }
            Verdict::NoMatch(why) => writeln!(text, "  no match  {ioc}: {why}"),
            Verdict::Dropped(reject) => writeln!(text, "  left out  {ioc}: {reject}"),
        };
        let confidence = format!("confidence {confidence}");
        let origin = format!("{source} in {input}");
        let facts = [malware.as_str(), &confidence, &origin, link];
        let known: Vec<_> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
        let _ = writeln!(text, "            {}", known.join(", "));
    }
    text
}
