//! Saying who shall do a task, and trying one again.

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::permission::Verb;
use crate::mission::task::{Task, TaskStatus};
use crate::ops::session::Session;
use crate::ops::task::change::{require_assignable, require_lead};
use crate::ops::task::not_here;
use crate::store::cell::OpenCell;
use crate::store::layout;

/// Assigns tasks of one cell to an agent, or to nobody: all of them or none. Gives them as they now stand.
pub fn assign(
    session: &Session,
    cell: &OpenCell,
    ids: &[TaskId],
    to: Option<&AgentId>,
) -> Result<Vec<Task>> {
    let mut writing = session.write(cell, "task assign")?;
    require_lead(session, &writing)?;
    let mut tasks = Vec::new();
    for id in ids {
        let file = layout::task(id);
        let mut task: Task = writing.read(&file)?.ok_or_else(|| not_here(cell, id))?;
        let to = to.map(AgentId::as_str);
        if task.assigned_to.as_deref() != to {
            require_assignable(&writing, id, Some(&task), to)?;
            task.assigned_to = to.map(str::to_owned);
            writing.put(&file, &task)?;
        }
        tasks.push(task);
    }
    let names: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
    let whom = to.map_or("nobody", AgentId::as_str);
    writing.commit(&format!("assigned {} to {whom}", names.join(", ")))?;
    Ok(tasks)
}

/// Makes failed tasks of one cell pending again: all of them or none. Gives them as they now stand.
pub fn retry(session: &Session, cell: &OpenCell, ids: &[TaskId]) -> Result<Vec<Task>> {
    let mut writing = session.write(cell, "task retry")?;
    let mut tasks = Vec::new();
    for id in ids {
        let file = layout::task(id);
        let mut task: Task = writing.read(&file)?.ok_or_else(|| not_here(cell, id))?;
        session.require_task(
            &writing,
            Verb::Write,
            id.as_str(),
            task.assigned_to.as_deref(),
        )?;
        if task.status != TaskStatus::Failed {
            let refused = Error::refused(format!(
                "{id} is {}, and only a task that failed is tried again",
                task.status.word().replace('_', " ")
            ));
            return Err(match task.status {
                TaskStatus::Completed => {
                    refused.hint(format!("`mcell task reopen {id}` makes it pending again"))
                }
                _ => refused,
            });
        }
        task.become_status(TaskStatus::Pending, writing.now())?;
        task.result = None;
        writing.put(&file, &task)?;
        tasks.push(task);
    }
    let names: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
    writing.commit(&format!("tries {} again", names.join(", ")))?;
    Ok(tasks)
}
