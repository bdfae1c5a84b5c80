//! `mcell agent`: what one can do with the agents of a cell, one file a command.

mod edit;
mod foreground;
pub(super) mod list;
pub(super) mod log;
mod pause;
mod remove;
mod set;
mod show;
pub(super) mod start;

use crate::cli::context::Context;
use crate::cli::{Outcome, add_agent};
use crate::mission::agent::Agent;
use crate::ops::health::{Note, Recorded};
use crate::ops::run::LifeSeen;
use clap::{Args, Subcommand};
use serde::Serializer;
use serde::ser::Error;
use serde_json::{Map, Value};

/// List, show, change, start, stop, pause and remove agents
#[derive(Debug, Args)]
#[command(after_help = "\
An agent of another cell is named CELL/AGENT, wherever an agent is named.

Examples:
  mcell agent list
  mcell agent show agent_001
  mcell agent set agent_002 role=write name=\"Second coder\"
  mcell agent start agent_001
  mcell agent log agent_001 --follow
  mcell agent pause agent_001 agent_002 --for 1h
  mcell agent remove \"Night run/agent_003\"")]
pub struct AgentCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(alias = "ls")]
    List(list::List),
    Show(show::Show),
    Set(set::Set),
    Edit(edit::Edit),
    Pause(pause::Pause),
    Resume(pause::Resume),
    Start(start::Start),
    Stop(start::Stop),
    Restart(start::Restart),
    Log(log::Log),
    #[command(aliases = ["rm", "delete"])]
    Remove(remove::Remove),
    // What other tools teach works too.
    #[command(name = "add", aliases = ["new", "create"], hide = true)]
    Add(add_agent::AddAgent),
}

impl AgentCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.verb {
            Verb::List(command) => command.run(context),
            Verb::Show(command) => command.run(context),
            Verb::Set(command) => command.run(context),
            Verb::Edit(command) => command.run(context),
            Verb::Pause(command) => command.run(context),
            Verb::Resume(command) => command.run(context),
            Verb::Start(command) => command.run(context),
            Verb::Stop(command) => command.run(context),
            Verb::Restart(command) => command.run(context),
            Verb::Log(command) => command.run(context),
            Verb::Remove(command) => command.run(context),
            Verb::Add(command) => command.run(context),
        }
    }
}

/// An agent in JSON: what its file says, after the cell that it is in. (Made by hand: serde's flatten would let a field
/// of the file and one of ours meet unseen.)
fn in_cell<S: Serializer>(cell_id: &str, agent: &Agent, out: S) -> Result<S::Ok, S::Error> {
    out.collect_map(members_of::<S>(cell_id, agent)?)
}

/// The same with how it was when the daemon last wrote that down, and its life that was begun last; null if there is none.
fn in_cell_with<S: Serializer>(
    cell_id: &str,
    agent: &Agent,
    health: Option<&Note>,
    life: Option<&LifeSeen>,
    out: S,
) -> Result<S::Ok, S::Error> {
    let mut members = members_of::<S>(cell_id, agent)?;
    let health = serde_json::to_value(health).map_err(S::Error::custom)?;
    members.insert(String::from("recorded_health"), health);
    let life = serde_json::to_value(life).map_err(S::Error::custom)?;
    members.insert(String::from("life"), life);
    out.collect_map(members)
}

/// What the daemon wrote down; where that cannot be read it is said, and all else is shown.
fn or_warn(context: &Context, recorded: crate::base::error::Result<Recorded>) -> Recorded {
    recorded.unwrap_or_else(|error| {
        context.printer.warn(error.message());
        Recorded::default()
    })
}

fn members_of<S: Serializer>(cell_id: &str, agent: &Agent) -> Result<Map<String, Value>, S::Error> {
    let mut members = Map::new();
    members.insert(String::from("cell_id"), Value::from(cell_id));
    match serde_json::to_value(agent).map_err(S::Error::custom)? {
        Value::Object(file) => members.extend(file),
        _ => return Err(S::Error::custom("an agent is an object")),
    }
    Ok(members)
}
