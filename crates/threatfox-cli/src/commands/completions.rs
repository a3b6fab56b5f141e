//! `threatfox completions`: what a shell wants to know to complete our commands and options.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::say;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// The shell
    shell: Shell,
}

const AFTER_HELP: &str = "\
Examples:
  threatfox completions bash > ~/.local/share/bash-completion/completions/threatfox
  threatfox completions fish > ~/.config/fish/completions/threatfox.fish
  threatfox completions powershell >> $PROFILE";

pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "threatfox", &mut text);
    say::print(text)
}
