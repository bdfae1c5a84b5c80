//! Changes of tasks that are there: fields, reopening.

use crate::base::error::{Error, Result};
use crate::base::ids::TaskId;
use crate::mission::task::{Task, TaskStatus};
use crate::mission::worklist::Worklist;
use crate::ops::session::Session;
use crate::ops::task::not_here;
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::layout;

/// Every task of a cell as it stands under the lock, with what is staged. A task that cannot be read stops the command:
/// what depends on what must be known before anything is decided.
pub(super) fn worklist(writing: &Writing<'_>) -> Result<Worklist> {
    let mut tasks = Vec::new();
    for id in writing.cell().task_ids()? {
        if let Some(task) = writing.read::<Task>(&layout::task(&id))? {
            tasks.push((id.to_string(), task));
        }
    }
    Ok(Worklist::new(tasks, Vec::new()))
}

/// A task that was reopened.
#[derive(Clone, Debug)]
pub struct Reopened {
    /// The task as it now stands.
    pub task: Task,
    /// What it was before.
    pub was: TaskStatus,
}

/// Makes completed and failed tasks of one cell pending again, all of them or none. A pending one stays as it is.
pub fn reopen(session: &Session, cell: &OpenCell, ids: &[TaskId]) -> Result<Vec<Reopened>> {
    session.require_operator("reopen a task")?;
    let mut writing = session.write(cell, "task reopen")?;
    let tasks = worklist(&writing)?;
    if let Some(id) = ids.iter().find(|id| !tasks.has(id.as_str())) {
        return Err(not_here(cell, id));
    }
    let names: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
    tasks.require_reopenable(&names)?;
    let now = writing.now();
    let (mut reopened, mut said) = (Vec::new(), Vec::new());
    for id in ids {
        let mut task = tasks
            .get(id.as_str())
            .cloned()
            .ok_or_else(|| not_here(cell, id))?;
        let was = task.status;
        if was != TaskStatus::Pending {
            task.become_status(TaskStatus::Pending, now)?;
            writing.put(&layout::task(id), &task)?;
            said.push(format!("{id} (was {})", was.word()));
        }
        reopened.push(Reopened { task, was });
    }
    writing.commit(&format!("reopened {}", said.join(", ")))?;
    Ok(reopened)
}

/// Refuses dependencies of a task that would make it wait for itself, naming the circle (exit 5).
pub(super) fn require_no_circle(tasks: &Worklist, id: &TaskId) -> Result<()> {
    match tasks.circle(id.as_str()) {
        None => Ok(()),
        Some(circle) if circle.len() <= 2 => {
            Err(Error::refused(format!("{id} cannot depend on itself")))
        }
        Some(circle) => Err(Error::refused(format!(
            "then {id} would wait for itself: {}",
            circle.join(" after ")
        ))
        .hint("take one of these dependencies away first; `mcell task graph` draws them")),
    }
}
