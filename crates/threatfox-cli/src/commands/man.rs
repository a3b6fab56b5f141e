//! `threatfox man`: the manual pages, made of the same texts as --help.

use clap::{Args, CommandFactory as _};

use super::Usage;
use crate::cli::Cli;
use crate::say;

/// Print the manual page of the program or of one of its commands
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// A command of threatfox, for its own page
    command: Option<String>,
}

const AFTER_HELP: &str = "\
Examples:
  threatfox man | man -l -
  threatfox man fetch > ~/.local/share/man/man1/threatfox-fetch.1";

pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut program = Cli::command();
    program.build(); // gives the commands their full names
    let page = match &options.command {
        None => program,
        Some(name) => program
            .find_subcommand(name)
            .ok_or_else(|| {
                Usage(format!(
                    "{name:?} is not a command: threatfox --help lists them"
                ))
            })?
            .clone(),
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    say::print(text)
}
