//! `mcell task`: look at tasks and change them.

mod assign;
mod claim;
mod complete;
mod edit;
mod fail;
pub(super) mod graph;
mod list;
mod ready;
mod release;
pub(super) mod remove;
mod reopen;
mod retry;
mod set;
mod show;
mod told;

use crate::base::error::{Error, Result};
use crate::base::exit;
use crate::base::ids::TaskId;
use crate::cli::context::Context;
use crate::cli::{Outcome, add_task};
use crate::mission::task::Task;
use crate::ops::Session;
use crate::store::cell::OpenCell;
use crate::ui::page::{Page, Tone};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

/// List, show and change tasks
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task list --status pending
  mcell task show task_001
  mcell task ready -q | head -1
  mcell task claim --next --as agent_001
  mcell task complete task_001 --as agent_001
  mcell task set task_001 priority=high timeout=2h

A task of another cell is named CELL/TASK: `mcell task show 2f1c/task_001`.")]
pub struct TaskCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(alias = "ls")]
    List(list::List),
    Show(show::Show),
    Ready(ready::Ready),
    Graph(graph::Graph),
    #[command(hide = true)]
    Add(Box<add_task::AddTask>),
    Claim(claim::Claim),
    #[command(alias = "done")]
    Complete(complete::Complete),
    Fail(fail::Fail),
    Release(release::Release),
    Retry(retry::Retry),
    Assign(assign::Assign),
    Set(set::Set),
    Edit(edit::Edit),
    Reopen(reopen::Reopen),
    #[command(alias = "rm", alias = "delete")]
    Remove(remove::Remove),
}

impl TaskCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        match self.verb {
            Verb::List(command) => command.run(context),
            Verb::Show(command) => command.run(context),
            Verb::Ready(command) => command.run(context),
            Verb::Graph(command) => command.run(context),
            Verb::Add(command) => command.run(context),
            Verb::Claim(command) => command.run(context),
            Verb::Complete(command) => command.run(context),
            Verb::Fail(command) => command.run(context),
            Verb::Release(command) => command.run(context),
            Verb::Retry(command) => command.run(context),
            Verb::Assign(command) => command.run(context),
            Verb::Set(command) => command.run(context),
            Verb::Edit(command) => command.run(context),
            Verb::Reopen(command) => command.run(context),
            Verb::Remove(command) => command.run(context),
        }
    }
}

/// The tasks that a command line names (`TASK` or `CELL/TASK`), those of one cell together; each once.
fn targets(session: &Session, named: &[String]) -> Result<Vec<(OpenCell, Vec<TaskId>)>> {
    let mut cells: Vec<(OpenCell, Vec<TaskId>)> = Vec::new();
    // The cell that is meant where none is named; asked for once.
    let mut meant: Option<usize> = None;
    for target in named {
        let (place, id) = match (target.rsplit_once('/'), meant) {
            (None, Some(place)) => (place, target.as_str()),
            _ => {
                let (cell, id) = session.split(target)?;
                let known = cells.iter().position(|(known, _)| known.id() == cell.id());
                let place = known.unwrap_or_else(|| {
                    cells.push((cell, Vec::new()));
                    cells.len() - 1
                });
                if !target.contains('/') {
                    meant = Some(place);
                }
                (place, id)
            }
        };
        let id = TaskId::new(id)?;
        if let Some((_, ids)) = cells.get_mut(place)
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    Ok(cells)
}

/// A task as `--json` gives it: the fields of its file, and the cell it is in.
fn as_json(cell: &str, task: &Task) -> Value {
    let mut members = Map::new();
    members.insert(String::from("cell_id"), cell.into());
    if let Ok(Value::Object(fields)) = serde_json::to_value(task) {
        members.extend(fields);
    }
    Value::Object(members)
}

/// Several tasks as `--json` gives them: one is itself, more are a list under `tasks`, as for every noun.
fn one_or_list(mut tasks: Vec<Value>) -> Value {
    match tasks.len() {
        1 => tasks.swap_remove(0),
        _ => serde_json::json!({ "tasks": tasks }),
    }
}

/// A state, in the colour of what it asks of the reader.
fn toned(page: &Page, status: crate::mission::task::TaskStatus) -> String {
    use crate::mission::task::TaskStatus::{Completed, Failed, InProgress, Pending};
    let tone = match status {
        Pending => Tone::Plain,
        InProgress => Tone::Caution,
        Completed => Tone::Good,
        Failed => Tone::Bad,
    };
    page.tone(tone, status.word())
}

/// Names what could not be read, after all that could. The exit code is that of the first.
pub(super) fn tell_troubles(context: &Context, troubles: &[Error]) -> u8 {
    for trouble in troubles {
        context.printer.trouble(trouble);
    }
    troubles
        .first()
        .map_or(exit::DONE, |first| first.kind().exit())
}
