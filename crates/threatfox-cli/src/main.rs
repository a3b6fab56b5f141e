//! The command line of the `threatfox` helper: arguments in, library calls, one place that prints the error.

// A closed stream must not be a panic: see `say`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod advice;
mod answer;
mod cli;
mod commands;
mod feed_options;
mod message;
mod network;
mod outputs;
mod process;
mod row_output;
mod say;
mod strength;

use std::io;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use cli::{Cli, Command};
use say::say;

fn main() -> ExitCode {
    let (result, done) = match Cli::try_parse() {
        Ok(typed) => (run(typed.command), ExitCode::SUCCESS),
        Err(answer) => print(&answer),
    };
    match result {
        Ok(()) => done,
        // The reader of our output has closed it, as in `threatfox … | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say!("{}", message::message(&error));
            ExitCode::from(commands::exit_code(&error))
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    process::prepare()?;
    match command {
        Command::Fetch(options) => commands::fetch::run(*options),
        Command::Search(options) => commands::search::run(&options),
        Command::Match(options) => commands::match_values::run(&options),
        Command::Explain(options) => commands::explain::run(&options),
        Command::Normalize(options) => commands::normalize::run(&options),
        Command::Scan(options) => commands::scan::run(&options),
        Command::Sightings(options) => commands::sightings::run(&options),
        Command::Completions(options) => commands::completions::run(&options),
        Command::Man(options) => commands::man::run(&options),
    }
}

/// Prints the help, the version, or what is wrong with the arguments. The last goes to standard error, where nothing more can be
/// said if it fails.
fn print(answer: &clap::Error) -> (anyhow::Result<()>, ExitCode) {
    let printed = answer.print().context("cannot write standard output");
    let result = if answer.use_stderr() { Ok(()) } else { printed };
    let code = u8::try_from(answer.exit_code()).unwrap_or(2);
    (result, ExitCode::from(code))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}
