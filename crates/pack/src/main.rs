//! Makes the release: generates what follows from the rules, checks the artifacts and the source, writes `dist/`, or
//! checks a `dist/` that is there.

#[macro_use]
mod say;

mod artifact;
mod dependencies;
mod exchange;
mod generate;
mod inventory;
mod lambdas;
mod lint;
mod prose;
mod readability;
mod release;
mod report;
mod sbom;
mod self_contained;
mod source_lint;
mod stamp;
mod sums;
mod verify;
mod vocabulary;
mod vql;
mod vql_limits;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use url::Url;

use artifact::Artifact;
use inventory::Inventory;

#[derive(Parser)]
#[command(version, about = "Make and check the release of threatfox")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the artifacts, the source, the words and sentences that users read, and that what follows from rules/*.csv is up to date
    Check,
    /// Print how hard each page is to read: its Flesch-Kincaid grade, words, longest sentence and sentences over the limit
    Readability,
    /// Write what follows from rules/*.csv: an artifact, and the tables in documents
    Generate,
    /// Check the artifacts and write the release
    Write {
        /// Where the release goes; helpers that are there become part of it
        #[arg(long, default_value = "dist")]
        dist: PathBuf,
        /// A helper built for this machine, to be copied into the release
        #[arg(long)]
        helper: Option<PathBuf>,
        /// Where the release will be downloaded from: fills in the tools' addresses and hashes
        #[arg(long)]
        url_base: Option<Url>,
    },
    /// Print the results of a hunt that tests/engine/hunt.sh ran
    Report {
        /// The folder with a file of JSON lines per source
        folder: PathBuf,
    },
    /// Check a release without a network: SHA256SUMS, SBOMs, and which files the signatures are for
    Verify {
        /// The release's folder
        #[arg(long, default_value = "dist")]
        dist: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where this cannot be written, nothing can be said.
            let _ = writeln!(io::stderr(), "pack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Check => {
            let (artifacts, inventory) = read()?;
            let mut problems = lint::problems(&artifacts, &inventory);
            problems.extend(vql_limits::problems(&artifacts));
            problems.extend(lambdas::problems(&artifacts));
            problems.extend(generate::drift()?);
            problems.extend(source_lint::problems()?);
            let texts = prose::texts(&artifacts)?;
            problems.extend(vocabulary::problems(&texts));
            problems.extend(readability::problems(&texts));
            refuse(&problems)
        }
        Command::Readability => {
            let texts = prose::texts(&Artifact::read_all(Path::new("artifacts"))?)?;
            say!("{}", readability::table(&texts).trim_end())?;
            Ok(())
        }
        Command::Generate => generate::write(),
        Command::Write {
            dist,
            helper,
            url_base,
        } => {
            let (artifacts, inventory) = read()?;
            let mut problems = lint::problems(&artifacts, &inventory);
            problems.extend(generate::drift()?);
            refuse(&problems)?;
            if let Some(helper) = helper {
                release::add_helper(&helper, &dist, &inventory)?;
            }
            release::write(&artifacts, &inventory, &dist, url_base.as_ref())
        }
        Command::Report { folder } => report::print(&folder),
        Command::Verify { dist } => verify::run(&dist, &read_inventory()?),
    }
}

/// The input of a release, from the top of the source.
fn read() -> Result<(Vec<Artifact>, Inventory)> {
    Ok((
        Artifact::read_all(Path::new("artifacts"))?,
        read_inventory()?,
    ))
}

fn read_inventory() -> Result<Inventory> {
    Inventory::read(Path::new("tools/inventory.yaml"))
}

fn refuse(problems: &[String]) -> Result<()> {
    if !problems.is_empty() {
        bail!("not fit for a release:\n{}", problems.join("\n"));
    }
    Ok(())
}
