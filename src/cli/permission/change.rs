//! `mcell permission grant`, `revoke` and `reset`.

use crate::base::ids::AgentId;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::grant::{Right, Turn};
use crate::ops::permission::{self, Change};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Grant an agent a right on tasks, or on agents for handoffs
///
/// A list, once there, counts alone. So the first grant of a right begins with what the default gives the agent today
/// (its own tasks and those of nobody) and adds to it: nothing is taken away, but what is added to the cell later is not on
/// the list. `--only` begins with nothing. What the default gives already needs no list, and none is made.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell permission grant agent_002 write task_003
  mcell permission grant agent_002 execute '*'
  mcell permission grant agent_002 read task_003 --only       and nothing else
  mcell permission grant agent_001 handoff_to agent_002")]
pub(super) struct Grant {
    /// The agent: AGENT, or CELL/AGENT
    #[arg(add = complete::agents())]
    agent: String,
    /// read, write, execute, handoff_to or handoff_from
    #[arg(value_name = "RIGHT", value_parser = permission::right)]
    right: Right,
    /// The tasks (for handoffs: the agents), or '*' for all
    #[arg(required = true, value_name = "TASK", add = complete::tasks())]
    named: Vec<String>,
    /// Of this right, exactly these and nothing else
    #[arg(long)]
    only: bool,
}

/// Revoke a right of an agent
///
/// Where the agent has no list, or '*', the list becomes what is left of all it had today; what is added to the cell later
/// is not on it. '*' revokes all.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell permission revoke agent_002 write task_003
  mcell permission revoke agent_002 execute '*'")]
pub(super) struct Revoke {
    /// The agent: AGENT, or CELL/AGENT
    #[arg(add = complete::agents())]
    agent: String,
    /// read, write, execute, handoff_to or handoff_from
    #[arg(value_name = "RIGHT", value_parser = permission::right)]
    right: Right,
    /// The tasks (for handoffs: the agents), or '*' for all
    #[arg(required = true, value_name = "TASK", add = complete::tasks())]
    named: Vec<String>,
}

/// Take lists away, so that the default counts again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell permission reset agent_002 write
  mcell permission reset agent_002             all five rights")]
pub(super) struct Reset {
    /// The agent: AGENT, or CELL/AGENT
    #[arg(add = complete::agents())]
    agent: String,
    /// Only these rights
    #[arg(value_name = "RIGHT", value_parser = permission::right)]
    rights: Vec<Right>,
}

/// What became of the lists.
struct Turned {
    cell: String,
    agent: AgentId,
    change: Change,
    turns: Vec<(Right, Turn)>,
}

impl Serialize for Turned {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut lists = Map::new();
        for (right, turn) in &self.turns {
            lists.insert(right.word().to_owned(), json!(turn.after));
        }
        out.collect_map([
            ("cell_id", json!(self.cell)),
            ("agent_id", json!(self.agent.as_str())),
            ("permissions", Value::Object(lists)),
            (
                "changed",
                json!(self.turns.iter().any(|(_, turn)| turn.changes())),
            ),
        ])
    }
}

impl Report for Turned {
    fn words(&self, page: &mut Page) {
        let changed = self.turns.iter().filter(|(_, turn)| turn.changes()).count();
        if self.change == Change::Reset && changed == 0 {
            return page.line(format_args!(
                "Nothing changed: the default counts for {} already",
                self.agent
            ));
        }
        for (right, turn) in &self.turns {
            if turn.changes() || self.change != Change::Reset {
                self.turn(*right, turn, page);
            }
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.agent.to_string())
    }
}

impl Turned {
    fn turn(&self, right: Right, turn: &Turn, page: &mut Page) {
        let (agent, word) = (&self.agent, right.word());
        let of_all = |named: &[String]| -> String {
            if named.iter().any(|name| name == "*") {
                return right.of("*");
            }
            right.of(&named.join(", "))
        };
        if !turn.changes() {
            return match &self.change {
                Change::Grant { named, .. } => {
                    let why = match turn.before {
                        None => "by default",
                        Some(_) => "by its list",
                    };
                    page.line(format_args!(
                        "Nothing changed: {agent} may {} already, {why}",
                        of_all(named)
                    ));
                }
                Change::Revoke { named } => page.line(format_args!(
                    "Nothing changed: {agent} may not {} anyway",
                    of_all(named)
                )),
                Change::Reset => {}
            };
        }
        match &self.change {
            Change::Grant { named, only } => {
                let may = match *only && !named.iter().any(|name| name == "*") {
                    true => right.of(&format!("only {}", named.join(", "))),
                    false => of_all(named),
                };
                page.line(format_args!("{agent} may now {may}"));
            }
            Change::Revoke { named } => {
                page.line(format_args!("{agent} may no longer {}", of_all(named)));
            }
            Change::Reset => page.line(format_args!("{agent}: the default counts for {word}")),
        }
        let Some(list) = &turn.after else { return };
        let names = match list.as_slice() {
            [] => String::from("(nothing)"),
            some => shown(&some.join(", ")).into_owned(),
        };
        page.field(word, names);
        let is_limited_now =
            turn.before.is_none() && !list.iter().any(|name| name == "*") || turn.is_spelled_out;
        if is_limited_now {
            page.line(format_args!(
                "From now on this list alone counts for {word}: what is added to the cell later is not on it."
            ));
            page.line("To go back to the default:");
            page.command(&format!("mcell permission reset {agent} {word}"));
        }
    }
}

impl Grant {
    /// Grants the right.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let change = Change::Grant {
            named: self.named,
            only: self.only,
        };
        turn(context, &self.agent, &[self.right], change)
    }
}

impl Revoke {
    /// Revokes the right.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let change = Change::Revoke { named: self.named };
        turn(context, &self.agent, &[self.right], change)
    }
}

impl Reset {
    /// Takes the lists away.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let rights = match self.rights.as_slice() {
            [] => &Right::ALL,
            some => some,
        };
        turn(context, &self.agent, rights, Change::Reset)
    }
}

fn turn(context: &Context, agent: &str, rights: &[Right], change: Change) -> Outcome {
    let (cell, id) = context.session.split(agent)?;
    let agent = AgentId::new(id)?;
    let turns = permission::change(&context.session, &cell, &agent, rights, &change)?;
    context.printer.show(&Turned {
        cell: cell.id().to_string(),
        agent,
        change,
        turns,
    })?;
    Ok(0)
}
