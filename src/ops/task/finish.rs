//! Letting go of a task: completed, failed, given back.

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::agent::{Agent, Role};
use crate::mission::cell::{Cell, CellStatus};
use crate::mission::claim;
use crate::mission::permission::Verb;
use crate::mission::task::{Task, TaskStatus};
use crate::ops::artifact::{self, Placed};
use crate::ops::due;
use crate::ops::session::Session;
use crate::ops::task::claim::waits_for;
use crate::ops::task::not_here;
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::{fence, layout};
use serde_json::Value;
use std::path::PathBuf;

/// What came of a task.
#[derive(Clone, Debug, Default)]
pub struct Yield {
    /// Files that came of it: artifacts of the cell, or any others, which are copied into them.
    pub artifacts: Vec<PathBuf>,
    /// Whatever its doer has to say of it.
    pub result: Option<Value>,
    /// Complete the cell too, if this was the last open task.
    pub auto: bool,
}

/// A task that somebody let go of.
#[derive(Clone, Debug, PartialEq)]
pub struct LetGo {
    /// The task as it now stands.
    pub task: Task,
    /// Who held it.
    pub holder: Option<String>,
    /// What is left to do in the cell.
    pub left: Left,
}

/// What is left to do in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Open tasks.
    Tasks,
    /// Nothing: the cell may be completed.
    Nothing,
    /// Nothing, and the cell was completed with it.
    Completed,
}

/// Completes a task in progress. An agent completes what it holds, with the token it was given.
pub fn complete(session: &Session, cell: &OpenCell, id: &TaskId, done: &Yield) -> Result<LetGo> {
    let prepared = artifact::prepare(session, cell, &done.artifacts, None, None)?;
    let mut writing = session.write(cell, "task complete")?;
    let (mut task, holder) = own(session, &writing, id, Some(Verb::Execute))?;
    let waits_for = waits_for(&writing, &task)?;
    if !waits_for.is_empty() {
        return Err(Error::refused(format!(
            "{id} cannot be completed while what it waits for is open: {}",
            waits_for.join(", ")
        )));
    }
    if task.status == TaskStatus::Pending {
        return Err(Error::refused(format!(
            "{id} is pending, and only a task in progress is completed"
        ))
        .hint(format!(
            "an agent takes it first: `mcell task claim {id} --as AGENT`"
        )));
    }
    let agent = session.agent.as_ref();
    let placed = artifact::stage(&mut writing, prepared, Some(id), agent, false)?;
    let artifacts: Vec<String> = placed.iter().map(Placed::path).collect();
    task.complete(&artifacts, done.result.clone(), writing.now())?;
    let_go(&mut writing, id, &task, holder.as_deref())?;
    let mut left = left(&writing)?;
    let mut what = format!("completed {id}");
    if left == Left::Nothing && done.auto {
        complete_cell(session, &mut writing)?;
        what.push_str(", the last one, and with it the cell");
        left = Left::Completed;
    }
    writing.commit(&what)?;
    Ok(LetGo { task, holder, left })
}

/// Gives a task in progress up; its result says why.
pub fn fail(session: &Session, cell: &OpenCell, id: &TaskId, reason: &str) -> Result<LetGo> {
    let mut writing = session.write_because(cell, "task fail", Some(reason))?;
    let (mut task, holder) = own(session, &writing, id, Some(Verb::Execute))?;
    task.become_status(TaskStatus::Failed, writing.now())?;
    task.result = Some(Value::from(reason));
    let_go(&mut writing, id, &task, holder.as_deref())?;
    writing.commit(&format!("{id} failed"))?;
    Ok(LetGo {
        task,
        holder,
        left: Left::Tasks,
    })
}

/// Gives a task in progress back: it is pending again.
pub fn release(
    session: &Session,
    cell: &OpenCell,
    id: &TaskId,
    reason: Option<&str>,
) -> Result<LetGo> {
    let mut writing = session.write_because(cell, "task release", reason)?;
    let (mut task, holder) = own(session, &writing, id, None)?;
    if task.status != TaskStatus::InProgress {
        return Err(Error::refused(format!(
            "{id} is {}, and nobody holds it",
            task.status.word()
        )));
    }
    task.become_status(TaskStatus::Pending, writing.now())?;
    let_go(&mut writing, id, &task, holder.as_deref())?;
    writing.commit(&format!("released {id}"))?;
    Ok(LetGo {
        task,
        holder,
        left: Left::Tasks,
    })
}

/// The task, if the one who acts may let go of it, and who holds it.
fn own(
    session: &Session,
    writing: &Writing<'_>,
    id: &TaskId,
    verb: Option<Verb>,
) -> Result<(Task, Option<String>)> {
    let task: Task = writing
        .read(&layout::task(id))?
        .ok_or_else(|| not_here(writing.cell(), id))?;
    if let Some(agent) = &session.agent {
        let token = session.token_for(id.as_str())?;
        claim::require_holder(id.as_str(), &task, agent.as_str(), token)?;
        if let Some(verb) = verb {
            session.require_task(writing, verb, id.as_str(), task.assigned_to.as_deref())?;
        }
    }
    let holder = task.holder().map(str::to_owned);
    Ok((task, holder))
}

/// Stages that nobody holds a task any more.
pub(crate) fn let_go(
    writing: &mut Writing<'_>,
    id: &TaskId,
    task: &Task,
    holder: Option<&str>,
) -> Result<()> {
    writing.put(&layout::task(id), task)?;
    let mut fence = fence::read(writing)?;
    if fence.held.remove(id.as_str()).is_some() {
        fence::put(writing, &fence)?;
    }
    match holder.map(AgentId::new) {
        Some(Ok(holder)) => due::leave(writing, &holder, id.as_str()),
        _ => Ok(()),
    }
}

/// Tells whether a task is open, as the lock sees it. One that failed was given up: it holds nothing up.
fn left(writing: &Writing<'_>) -> Result<Left> {
    for id in writing.cell().task_ids()? {
        let task = writing.read::<Task>(&layout::task(&id))?;
        let is_open =
            |task: Task| matches!(task.status, TaskStatus::Pending | TaskStatus::InProgress);
        if task.is_some_and(is_open) {
            return Ok(Left::Tasks);
        }
    }
    Ok(Left::Nothing)
}

fn complete_cell(session: &Session, writing: &mut Writing<'_>) -> Result<()> {
    if let Some(id) = &session.agent {
        let agent: Option<Agent> = writing.read(&layout::agent(id))?;
        if agent.is_none_or(|agent| agent.role != Role::Lead) {
            return Err(Error::refused(format!(
                "{id} may not complete the cell: that is for an operator or a lead"
            ))
            .hint("leave `--auto` out"));
        }
    }
    let mut cell: Cell = writing
        .read(layout::CELL)?
        .ok_or_else(|| writing.cell().no_cell())?;
    cell.become_status(CellStatus::Completed)?;
    writing.put(layout::CELL, &cell).map(|_| ())
}
