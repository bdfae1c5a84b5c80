//! `mcell journal`: the record of every change; `mcell log` shows it.

mod head;
mod show;
mod verify;

use crate::cli::Outcome;
use crate::cli::context::Context;
use clap::{Args, Subcommand};

/// Show the record of every change, and check that nobody tampered with it
///
/// Every command that changes a cell writes a line: when, who, what and why, which files with their sums before and after,
/// and the sum of the line before. Whoever changes a line by hand breaks that chain.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell journal show --since 1h
  mcell journal show --task task_001 --follow
  mcell journal verify
  mcell journal head -q > /safe/place/head")]
pub struct JournalCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(alias = "list", alias = "ls")]
    Show(show::Show),
    Verify(verify::VerifyJournal),
    Head(head::ShowHead),
}

impl JournalCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.verb {
            Verb::Show(command) => command.run(context),
            Verb::Verify(command) => command.run(context),
            Verb::Head(command) => command.run(context),
        }
    }
}

/// Show who changed what, when and why: `journal show`
///
/// One line a change, oldest first. `-q` prints the lines as they stand in the journal, and so does `--json` with
/// `--follow`: one object a line.
#[derive(Debug, Args)]
#[command(alias = "logs")]
#[command(after_help = "\
Examples:
  mcell log -n 20
  mcell log --since 1h --agent agent_001
  mcell log --kind 'task claim' --json | jq '.lines[].by'
  mcell log --follow")]
pub struct Log {
    #[command(flatten)]
    show: show::Show,
}

impl Log {
    /// Shows it.
    pub fn run(self, context: &Context) -> Outcome {
        self.show.run(context)
    }
}
