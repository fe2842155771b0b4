//! The command line: arguments in, wiring, an exit code out. Nothing here knows how a byte is read or
//! how a line is drawn.

mod args;
mod complain;
mod destination;
mod diff;
mod env;
mod exit;
mod grep;
mod index;
mod job;
mod keep;
mod ls;
mod means;
mod output;
mod prices;
mod request;
mod route;
mod send;
mod several;
mod show;
mod signals;

use clap::{CommandFactory, Parser};

use args::{Cli, Verb};
use complain::Complaint;
pub use exit::Exit;

/// Runs the program with the arguments of the process.
pub fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let done = match &cli.verb {
        Verb::Send(send) => several::run(&cli.common, send),
        Verb::Show(show) => show::run(&cli.common, show),
        Verb::Ls(ls) => ls::run(&cli.common, ls),
        Verb::Diff(diff) => diff::run(&cli.common, diff),
        Verb::Prices(prices) => prices::run(&cli.common, prices),
        Verb::Completions { shell } => completions(*shell),
        Verb::Man { verb } => man(verb.as_deref()),
    };
    done.unwrap_or_else(Complaint::tell)
}

/// Arguments that clap refuses, or a question that it answers: help, version.
fn misused(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        // Nothing can be told where standard error is gone.
        let _ = error.print();
        return Exit::Usage;
    }
    let text = error.render().to_string();
    output::plain(text.as_bytes()).unwrap_or_else(Complaint::tell)
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Complaint> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wire", &mut text);
    output::plain(&text)
}

/// The manual page of the program, or of one verb.
fn man(verb: Option<&str>) -> Result<Exit, Complaint> {
    let mut command = Cli::command();
    command.build();
    let command = match verb {
        None => command,
        Some(name) => command.find_subcommand(name).cloned().ok_or_else(|| {
            Complaint::usage(format!("there is no verb `{name}`")).hint("`wire help` lists them")
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(|error| Complaint::usage(format!("the manual page cannot be made: {error}")))?;
    output::plain(&text)
}
