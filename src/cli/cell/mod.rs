//! `mcell cell`: what one can do with cells as a whole, one file a command.

mod backup;
mod complete;
mod edit;
pub(super) mod list;
pub(super) mod path;
mod pause;
pub(super) mod prune;
pub(super) mod remove;
mod restore;
mod set;
mod show;
mod take_over;

use crate::base::text::{cut, shown};
use crate::cli::context::Context;
use crate::cli::{Outcome, init};
use clap::{Args, Subcommand};

/// List, show, change, pause, end, back up, restore and remove cells
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell list
  mcell cell show \"Example Mission\"
  cd \"$(mcell cell path -c \"Example Mission\")\"
  mcell cell pause --for 1h --reason \"maintenance\"
  mcell cell remove \"Example Mission\"")]
pub struct CellCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(alias = "ls")]
    List(list::List),
    Show(show::Show),
    Path(path::PathOf),
    Set(set::Set),
    Edit(edit::Edit),
    Pause(pause::Pause),
    Resume(pause::Resume),
    Complete(complete::Complete),
    Fail(complete::Fail),
    Reopen(complete::Reopen),
    Backup(backup::Backup),
    Restore(restore::Restore),
    TakeOver(take_over::TakeOver),
    #[command(aliases = ["rm", "delete"])]
    Remove(remove::Remove),
    Prune(prune::Prune),
    // What other tools teach works too.
    #[command(name = "new", aliases = ["create", "init"], hide = true)]
    New(init::Init),
}

impl CellCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.verb {
            Verb::List(command) => command.run(context),
            Verb::Show(command) => command.run(context),
            Verb::Path(command) => command.run(context),
            Verb::Set(command) => command.run(context),
            Verb::Edit(command) => command.run(context),
            Verb::Pause(command) => command.run(context),
            Verb::Resume(command) => command.run(context),
            Verb::Complete(command) => command.run(context),
            Verb::Fail(command) => command.run(context),
            Verb::Reopen(command) => command.run(context),
            Verb::Backup(command) => command.run(context),
            Verb::Restore(command) => command.run(context),
            Verb::TakeOver(command) => command.run(context),
            Verb::Remove(command) => command.run(context),
            Verb::Prune(command) => command.run(context),
            Verb::New(command) => command.run(context),
        }
    }
}

/// A cell in a sentence: the mission's name, and the beginning of the id that tells two of one name apart.
fn named(id: &str, mission_name: &str) -> String {
    let name = shown(mission_name);
    format!("{} ({})", cut(&name, 60), short(id))
}

/// The first eight characters of an id: what tables show and commands take.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
