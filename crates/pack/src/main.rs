//! Makes the release: checks the artifacts and writes `dist/`, or checks a `dist/` that is there.

mod artifact;
mod inventory;
mod lint;
mod release;
mod sums;

use std::path::PathBuf;
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
    /// Check the artifacts and write the release
    Write {
        /// The folder with the artifacts
        #[arg(long, default_value = "artifacts")]
        artifacts: PathBuf,
        /// The list of the tools that the artifacts use
        #[arg(long, default_value = "tools/inventory.yaml")]
        inventory: PathBuf,
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
    /// Compare a release with its SHA256SUMS
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
            eprintln!("pack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Write {
            artifacts,
            inventory,
            dist,
            helper,
            url_base,
        } => {
            let inventory = Inventory::read(&inventory)?;
            let artifacts = Artifact::read_all(&artifacts)?;
            let problems = lint::problems(&artifacts, &inventory);
            if !problems.is_empty() {
                bail!(
                    "the artifacts are not fit for a release:\n{}",
                    problems.join("\n")
                );
            }
            if let Some(helper) = helper {
                release::add_helper(&helper, &dist, &inventory)?;
            }
            release::write(&artifacts, &inventory, &dist, url_base.as_ref())
        }
        Command::Verify { dist } => sums::verify(&dist),
    }
}
