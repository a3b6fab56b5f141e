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

use clap::Parser;

use cli::{Cli, Command};
use say::say;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let result = process::prepare().and_then(|()| match command {
        Command::Fetch(options) => commands::fetch::run(*options),
        Command::Search(options) => commands::search::run(&options),
        Command::Match(options) => commands::match_values::run(&options),
        Command::Explain(options) => commands::explain::run(&options),
        Command::Normalize(options) => commands::normalize::run(&options),
        Command::Scan(options) => commands::scan::run(&options),
        Command::Sightings(options) => commands::sightings::run(&options),
        Command::Completions(options) => commands::completions::run(&options),
        Command::Man(options) => commands::man::run(&options),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output has closed it, as in `threatfox … | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say!("{}", message::message(&error));
            ExitCode::from(commands::exit_code(&error))
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}
