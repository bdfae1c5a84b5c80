//! What one can do with the tasks of a cell.

mod assign;
mod change;
pub(crate) mod claim;
#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests lay hands on files as other tools do"
)]
mod claim_tests;
pub(crate) mod finish;
mod look;
#[cfg(test)]
#[allow(
    clippy::indexing_slicing,
    reason = "the model's lists have a fixed length"
)]
mod model;
mod remove;
#[cfg(test)]
mod tests;
mod why;

pub use assign::{assign, retry};
pub use change::{PROTECTED, Reopened, edit, reopen, set};
pub use claim::{Claimed, claim, claim_next};
pub use finish::{Left, LetGo, Yield, complete, fail, release};
pub use look::{Seen, look, look_around};
pub use remove::{Removal, remove};
pub use why::{Candidate, Reasons, why};

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::base::text::nearest;
use crate::mission::task::{Priority, Task};
use crate::ops::session::Session;
use crate::ops::template;
use crate::store::cell::OpenCell;
use crate::store::fence;
use crate::store::layout;
use serde_json::Value;
use std::path::PathBuf;

/// What a new task shall be. What is none comes from the template.
#[derive(Clone, Debug, Default)]
pub struct NewTask {
    /// Its id; the next free one if not said.
    pub id: Option<TaskId>,
    /// What it is, in one line.
    pub title: String,
    /// What it is, at length.
    pub description: Option<String>,
    /// The agent it is meant for.
    pub assign: Option<AgentId>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// Tasks that must be completed first.
    pub depends_on: Vec<TaskId>,
    /// Seconds in progress it should take.
    pub timeout: Option<u64>,
    /// A template, or a folder of them.
    pub template: Option<PathBuf>,
}

/// Adds a task and gives it as it is on disk. Agents and dependencies must be in the cell.
pub fn add(session: &Session, cell: &OpenCell, new: &NewTask) -> Result<Task> {
    session.require_operator("add a task")?;
    let template = template::find(session, "task", new.template.as_deref())?;
    let mut writing = session.write(cell, "add-task")?;
    let ids = cell.task_ids()?;
    let id = match &new.id {
        Some(id) => id.clone(),
        None => {
            let given = fence::read(&writing)?.task;
            TaskId::new(fence::next(
                fence::TASK_PREFIX,
                given,
                ids.iter().map(TaskId::as_str),
            ))?
        }
    };
    let file = layout::task(&id);
    if cell.folder().stat(&file)?.is_some() {
        return Err(
            Error::refused(format!("there is a task {id} in this cell already")).hint(format!(
                "`mcell task show {id}` shows it; leave `--id` out for the next free one"
            )),
        );
    }
    if let Some(agent) = &new.assign
        && cell.folder().stat(&layout::agent(agent))?.is_none()
    {
        return Err(crate::ops::agent::not_here(cell, agent)
            .hint(format!("or add it: `mcell add-agent {agent} --role write`")));
    }
    for dependency in &new.depends_on {
        if *dependency == id {
            return Err(Error::refused(format!("{id} cannot depend on itself")));
        }
        if ids.binary_search(dependency).is_err() {
            return Err(not_here(cell, dependency));
        }
    }
    let mut members: Vec<(&str, Value)> = vec![
        ("task_id", id.as_str().into()),
        ("title", new.title.as_str().into()),
        ("created_at", writing.now().to_string().into()),
    ];
    if let Some(text) = &new.description {
        members.push(("description", text.as_str().into()));
    }
    if let Some(agent) = &new.assign {
        members.push(("assigned_to", agent.as_str().into()));
    }
    if let Some(priority) = new.priority {
        members.push(("priority", priority.word().into()));
    }
    if !new.depends_on.is_empty() {
        let list: Vec<&str> = new.depends_on.iter().map(TaskId::as_str).collect();
        members.push(("dependencies", list.into()));
    }
    if let Some(seconds) = new.timeout {
        members.push(("timeout", seconds.into()));
    }
    let (task, text) = template::fill::<Task>(&template, members)?;
    writing.put_text(&file, text)?;
    writing.commit(&format!(
        "added {id}: {}",
        crate::base::text::cut(&crate::base::text::shown(&task.title), 80)
    ))?;
    Ok(task)
}

/// One task (exit 3 if it is not in the cell).
pub fn show(cell: &OpenCell, id: &TaskId) -> Result<Task> {
    cell.task(id)?.ok_or_else(|| not_here(cell, id))
}

/// Says that a task is not in a cell, and which one may be meant.
pub fn not_here(cell: &OpenCell, id: &TaskId) -> Error {
    let ids = cell.task_ids().unwrap_or_default();
    let error = Error::not_found(format!("there is no task {id} in this cell"));
    match nearest(id.as_str(), ids.iter().map(TaskId::as_str)) {
        Some(meant) => error.hint(format!("is {meant} meant?")),
        None => error.hint("`mcell task list` shows them"),
    }
}
