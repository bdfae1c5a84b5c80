//! `mcell checkpoint`: what agents saved, and how they get it back, one file a command.

mod list;
mod prune;
mod restore;
mod save;
mod show;
mod verify;

pub(super) use list::Checkpoints;
pub(super) use verify::Verdict;

use crate::base::error::Result;
use crate::base::ids::AgentId;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::mission::checkpoint::Manifest;
use crate::store::cell::OpenCell;
use clap::{Args, Subcommand};

/// Save, check and restore what agents know
///
/// A checkpoint is a state, a context and files. Each save makes a numbered generation that agents do not reach, with a
/// hash of every file; the last three are kept. A restore reads nothing else.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell checkpoint save --as agent_001
  mcell checkpoint save agent_001 --state state.json --context context.json
  mcell checkpoint list agent_001
  mcell checkpoint verify
  mcell checkpoint restore agent_001 --generation 4")]
pub struct CheckpointCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Save(save::Save),
    #[command(alias = "ls")]
    List(list::List),
    Show(show::Show),
    Verify(verify::Verify),
    Restore(restore::Restore),
    Prune(prune::Prune),
}

impl CheckpointCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.verb {
            Verb::Save(command) => command.run(context),
            Verb::List(command) => command.run(context),
            Verb::Show(command) => command.run(context),
            Verb::Verify(command) => command.run(context),
            Verb::Restore(command) => command.run(context),
            Verb::Prune(command) => command.run(context),
        }
    }
}

/// The agent that `AGENT` or `CELL/AGENT` names, in its cell.
fn target(context: &Context, named: &str) -> Result<(OpenCell, AgentId)> {
    let (cell, id) = context.session.split(named)?;
    let id = AgentId::new(id)?;
    Ok((cell, id))
}

/// The agent that is named, if one is, in its cell; else the cell that is meant.
fn target_or_cell(context: &Context, named: Option<&str>) -> Result<(OpenCell, Option<AgentId>)> {
    match named {
        Some(named) => target(context, named).map(|(cell, id)| (cell, Some(id))),
        None => Ok((context.session.open_cell()?, None)),
    }
}

/// What a generation holds, in a few words: "state.json, context.json and 2 artifacts".
fn holds(manifest: &Manifest) -> String {
    let artifacts = manifest.artifacts().count();
    let mut names: Vec<String> = manifest
        .files
        .iter()
        .map(|part| part.name.clone())
        .filter(|name| !name.contains('/'))
        .collect();
    if artifacts > 0 {
        names.push(crate::base::text::count(artifacts, "artifact"));
    }
    names.join(", ")
}
