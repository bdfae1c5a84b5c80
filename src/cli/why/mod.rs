//! `mcell why`: why an agent or a task is as it is.

mod agent;
mod task;

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::{nearest, shown};
use crate::cli::context::Context;
use crate::cli::task::tell_troubles;
use crate::cli::{Outcome, complete};
use crate::ops::{health, task as tasks};
use crate::store::cell::OpenCell;
use crate::store::layout;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Say why an agent is as it is, or why a task waits; and what happens next
///
/// Of an agent: every sign that counts with its numbers, the settings with where each comes from, what holds revivals. Of a
/// task: what stands in the way, who may take it, what waits for it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell why agent_001
  mcell why task_003
  mcell why agent_001 --json | jq '.signals[] | select(.due)'
  mcell why 2f1c/task_003                a task of another cell
  mcell why agent/alpha task/alpha       where an agent and a task are called the same")]
pub struct Why {
    /// Agents and tasks: ID, or CELL/ID; agent/ID and task/ID say which is meant
    #[arg(required = true, value_name = "AGENT|TASK", add = complete::agents_and_tasks())]
    named: Vec<String>,
}

/// What an id may be of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Either,
    Agent,
    Task,
}

/// Everything that was asked for.
#[derive(Debug, Default)]
struct Told {
    tasks: Vec<task::Told>,
    agents: Vec<agent::Told>,
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        match (self.tasks.as_slice(), self.agents.as_slice()) {
            ([only], []) => only.serialize(out),
            ([], [only]) => only.serialize(out),
            (tasks, agents) => {
                let mut map = out.serialize_map(Some(2))?;
                map.serialize_entry("tasks", tasks)?;
                map.serialize_entry("agents", agents)?;
                map.end()
            }
        }
    }
}

impl Report for Told {
    fn words(&self, page: &mut Page) {
        self.agents.iter().for_each(|one| one.words(page));
        self.tasks.iter().for_each(|one| one.words(page));
    }

    fn datum(&self) -> Option<String> {
        let agents = self.agents.iter().filter_map(Report::datum);
        let data: Vec<String> = agents
            .chain(self.tasks.iter().filter_map(Report::datum))
            .collect();
        (!data.is_empty()).then(|| data.join("\n"))
    }
}

impl Why {
    /// Says why.
    pub fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let now = session.env.clock.now();
        let mut told = Told::default();
        let mut troubles = Vec::new();
        for named in &self.named {
            let (cell, sort, id) = split(context, named)?;
            let (is_agent, is_task) = look(&cell, sort, id)?;
            if is_agent {
                let (reasons, more) = health::why(session, &cell, &AgentId::new(id)?)?;
                told.agents.push(agent::Told { reasons, now });
                for trouble in more {
                    context.printer.warn(&shown(&trouble));
                }
            }
            if is_task {
                let (reasons, more) = tasks::why(session, &cell, &TaskId::new(id)?)?;
                told.tasks.push(task::Told { reasons, now });
                troubles.extend(more);
            }
            if is_agent && is_task {
                context.printer.say(&format!(
                    "{id} is an agent and a task; `mcell why agent/{id}` and `task/{id}` mean one of them."
                ));
            }
        }
        context.printer.show(&told)?;
        Ok(tell_troubles(context, &troubles))
    }
}

/// The cell, the sort and the id of `[CELL/][agent/|task/]ID`.
fn split<'t>(context: &Context, named: &'t str) -> Result<(OpenCell, Sort, &'t str)> {
    let session = &context.session;
    let (before, id) = match named.rsplit_once('/') {
        None => return Ok((session.open_cell()?, Sort::Either, named)),
        Some(parts) => parts,
    };
    let (cell, word) = before.rsplit_once('/').unwrap_or(("", before));
    let sort = match word {
        "agent" => Sort::Agent,
        "task" => Sort::Task,
        _ => return Ok((session.open_named(before)?, Sort::Either, id)),
    };
    let cell = match cell {
        "" => session.open_cell()?,
        cell => session.open_named(cell)?,
    };
    Ok((cell, sort, id))
}

/// Whether an id is of an agent and of a task of a cell (exit 3 if it is of neither).
fn look(cell: &OpenCell, sort: Sort, id: &str) -> Result<(bool, bool)> {
    let agent = AgentId::new(id)?;
    let task = TaskId::new(id)?;
    let is_there = |file: &str| Ok::<bool, Error>(cell.folder().stat(file)?.is_some());
    match sort {
        Sort::Agent => return Ok((true, false)),
        Sort::Task => return Ok((false, true)),
        Sort::Either => {}
    }
    let (is_agent, is_task) = (
        is_there(&layout::agent(&agent))?,
        is_there(&layout::task(&task))?,
    );
    if is_agent || is_task {
        return Ok((is_agent, is_task));
    }
    let (agents, tasks) = (cell.agent_ids()?, cell.task_ids()?);
    let known = agents
        .iter()
        .map(AgentId::as_str)
        .chain(tasks.iter().map(TaskId::as_str));
    let error = Error::not_found(format!("there is no agent and no task {id} in this cell"));
    Err(match nearest(id, known) {
        Some(meant) => error.hint(format!("is {meant} meant?")),
        None => error.hint("`mcell agent list` and `mcell task list` show them"),
    })
}
