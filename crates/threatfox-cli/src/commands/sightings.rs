//! `threatfox sightings`: hits in, sightings for MISP and STIX out. Nothing is sent.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use threatfox::output::{Like, Output};
use threatfox::sightings::Sightings;
use threatfox::source::Input;

use super::Usage;
use crate::outputs::{check_distinct, check_replaced};
use crate::say::say;
use crate::strength::MinStrength;

/// Make sightings of hits, for MISP and as STIX 2.1; sends nothing
///
/// Reads the hits of a hunt as Velociraptor exports them (JSON lines of Hits or Summary), or those of scan --hits. Names
/// indicators and times only: no computer, user or process.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// The hits; - is standard input
    #[arg(required = true, value_name = "HITS")]
    hits: Vec<PathBuf>,

    /// Write an array of sightings, one for each indicator and day, each as MISP's /sightings/add takes it
    #[arg(long, value_name = "FILE", required_unless_present = "stix")]
    misp: Option<PathBuf>,

    /// Write a STIX 2.1 bundle: an indicator, what was observed and a sighting of each
    #[arg(long, value_name = "FILE")]
    stix: Option<PathBuf>,

    /// Leave out hits weaker than this
    #[arg(long, value_enum, default_value_t = MinStrength::Medium, value_name = "STRENGTH")]
    min_strength: MinStrength,

    /// Who has seen it, in MISP
    #[arg(long, default_value = "threatfox", value_name = "NAME")]
    misp_source: String,
}

const AFTER_HELP: &str = "\
Examples:
  threatfox sightings hits.jsonl --misp sightings.json --stix sightings.stix.json
  threatfox sightings 'All Windows.Detection.ThreatFox%2FHits.json' --stix - --min-strength strong

A hit that is in two files, or was found by two hunts, counts once. The same hits give the same files.

Exit codes:
  0  done
  1  failed: a file cannot be read or written, or holds no such hit
  2  wrong usage
  3  refused: the output is a file of another kind, or one that is read";

/// The outputs, by how they begin.
const MISP: Like = Like {
    name: "sightings for MISP",
    starts: &["[\n{\"values\":", "[]"],
};
const STIX: Like = Like {
    name: "a bundle of sightings",
    starts: &["{\n  \"id\": \"bundle--", "{\n  \"type\": \"bundle\""],
};

pub fn run(options: &Options) -> anyhow::Result<()> {
    let outputs: [(_, Option<&Path>); 2] = [
        ("--misp", options.misp.as_deref()),
        ("--stix", options.stix.as_deref()),
    ];
    check_distinct(&outputs)?;
    let kinds = [(outputs[0].1, MISP), (outputs[1].1, STIX)];
    let inputs: Vec<_> = options.hits.iter().map(PathBuf::as_path).collect();
    check_replaced(&kinds, &inputs)?;
    if options.misp_source.trim().is_empty() {
        return Err(Usage("--misp-source is empty: say who has seen it".to_owned()).into());
    }
    let mut sightings = Sightings::new(options.min_strength.into());
    for path in &options.hits {
        sightings.read(&Input::new(path))?;
    }
    let counts = sightings.counts();
    if sightings.is_empty() {
        bail!(
            "no hit to make a sighting of among {} rows ({} weaker, {} that are no hit): look at --min-strength",
            counts.rows,
            counts.weaker,
            counts.other
        );
    }
    let mut misp = options.misp.as_deref().map(Output::create).transpose()?;
    let mut stix = options.stix.as_deref().map(Output::create).transpose()?;
    if let Some(out) = &mut misp {
        sightings
            .write_misp(options.misp_source.trim(), out)
            .context("cannot write the sightings for MISP")?;
    }
    if let Some(out) = &mut stix {
        sightings
            .write_stix(out)
            .context("cannot write the sightings as STIX")?;
    }
    // Both are whole before the first is put in its place.
    let whole: Vec<_> = [misp, stix]
        .into_iter()
        .flatten()
        .map(Output::complete)
        .collect::<Result<_, _>>()?;
    for file in whole {
        file.publish()?;
    }
    say!(
        "{} indicators in {} hits; of {} rows {} weaker, {} twice, {} no hit",
        sightings.len(),
        counts.hits,
        counts.rows,
        counts.weaker,
        counts.twice,
        counts.other
    );
    Ok(())
}
