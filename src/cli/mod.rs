//! The command line: arguments in, wiring, an exit code out. Nothing here knows how a byte is read or
//! how a line is drawn.

mod args;
mod ca;
mod capture_file;
mod connection_args;
mod diff;
mod env;
mod error;
mod exit;
mod hints;
mod job;
mod lint;
mod ls;
mod output;
mod prices;
mod read_options;
mod record;
mod record_args;
mod record_program;
mod record_report;
mod record_setup;
mod request;
mod route;
mod send;
mod several;
mod show;
mod show_parts;
mod show_websocket;
mod signals;
mod subject;

use std::io::Write;

use clap::{CommandFactory, Parser};

use args::{Cli, CliVerb};
use error::CliError;
pub use exit::ExitReason;

/// Runs the program with the arguments of the process.
pub fn run() -> ExitReason {
    signals::report_file_size_limit();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return print_clap_error(&error),
    };
    let done = match &cli.verb {
        CliVerb::Send(send) => several::run(&cli.common, send),
        CliVerb::Show(show) => show::run(&cli.common, show),
        CliVerb::Ls(ls) => ls::run(&cli.common, ls),
        CliVerb::Record(record) => record::run(&cli.common, record),
        CliVerb::Lint(lint) => lint::run(&cli.common, lint),
        CliVerb::Diff(diff) => diff::run(&cli.common, diff),
        CliVerb::Prices(prices) => prices::run(&cli.common, prices),
        CliVerb::Ca(ca) => ca::run(&cli.common, ca),
        CliVerb::Completions { shell } => print_completions(*shell),
        CliVerb::Man { verb } => print_man_page(verb.as_deref()),
    };
    done.unwrap_or_else(CliError::print)
}

/// Arguments that clap refuses, or a question that it answers: help, version.
fn print_clap_error(error: &clap::Error) -> ExitReason {
    if error.use_stderr() {
        let text = error.render().to_string();
        let masked = env::known_secrets().mask_text(&text);
        // An error cannot be reported if standard error is closed.
        let _ = match masked == text {
            true => error.print(),
            false => std::io::stderr().write_all(masked.as_bytes()),
        };
        return ExitReason::Usage;
    }
    let text = error.render().to_string();
    output::write_stdout(text.as_bytes()).unwrap_or_else(CliError::print)
}

fn print_completions(shell: clap_complete::Shell) -> Result<ExitReason, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wire", &mut text);
    output::write_stdout(&text)
}

/// The manual page of the program, or of one verb.
fn print_man_page(verb: Option<&str>) -> Result<ExitReason, CliError> {
    let mut command = Cli::command();
    command.build();
    let command = match verb {
        None => command,
        Some(name) => command.find_subcommand(name).cloned().ok_or_else(|| {
            CliError::usage(format!("there is no verb `{name}`"))
                .with_hint("`wire help` lists them")
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(|error| CliError::usage(format!("the manual page cannot be made: {error}")))?;
    output::write_stdout(&text)
}
