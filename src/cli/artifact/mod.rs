//! `mcell artifact`: what comes of the work.

pub(super) mod add;
mod collect;
mod list;
mod verify;

use crate::cli::Outcome;
use crate::cli::context::Context;
use clap::{Args, Subcommand};

/// Add, list, verify and collect what comes of the work
///
/// Artifacts lie in the cell under artifacts/code, artifacts/docs and artifacts/reports. Of each that is added the cell
/// notes hash, size, task and agent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell artifact add parser.rs report.md --task task_001
  mcell artifact list --task task_001
  mcell artifact verify
  mcell artifact collect agent_001")]
pub struct ArtifactCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(add::Add),
    #[command(alias = "ls")]
    List(list::List),
    Verify(verify::Verify),
    Collect(collect::Collect),
}

impl ArtifactCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.verb {
            Verb::Add(command) => command.run(context),
            Verb::List(command) => command.run(context),
            Verb::Verify(command) => command.run(context),
            Verb::Collect(command) => command.run(context),
        }
    }
}
